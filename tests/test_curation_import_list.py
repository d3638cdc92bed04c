"""What is told about formats: the table, the help and the options all come from the importers' own facts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest
from published_sets import failure, numbers, run, write_tsv

from curation import catalogue
from curation.core.dataset import Dataset
from curation.import_help import formats
from curation.importers import importers
from curation.importers.tsv import Tsv


@dataclass(frozen=True, kw_only=True)
class Bare:
    """Read what has no more facts than it must have."""

    kind: ClassVar[str] = "bare"
    url: ClassVar[str] = ""
    licence: ClassVar[str] = "unknown"
    citation: ClassVar[str] = ""
    expected: ClassVar[dict[str, int]] = {}

    margin: float = 0.25


def test_table_of_one_line_and_of_wrapped_cells() -> None:
    rows = [
        {
            "format": "svt",
            "title": "Street View Text",
            "source": "folder with train.xml and the photos, which are large",
            "words": {"train": 257, "test": 1647, "val": None},
            "licence": "none",
            "url": "http://publisher.org/a/very/long/address/that/stays/whole",
        }
    ]
    assert catalogue.as_table(rows).splitlines() == [
        "format  title             source                                 words            licence  url",
        "svt     Street View Text  folder with train.xml and the photos,  train 257, test  none     "
        "http://publisher.org/a/very/long/address/that/stays/whole",
        "                          which are large                        1,647, val",
    ]


def test_list_needs_nothing_else() -> None:
    lines = run("import", "--list").stdout.splitlines()
    assert lines[0].split() == ["format", "title", "source", "words", "licence", "url"]
    assert [line.split()[0] for line in lines[1:] if line[0] != " "] == list(importers)
    assert [row["format"] for row in numbers("import", "--list")] == list(importers)


def test_facts_as_json() -> None:
    found = {row["format"]: row for row in numbers("import", "--list")}
    assert found["icdar2015"] == {
        "format": "icdar2015",
        "title": "ICDAR 2015 incidental scene text, cropped words (task 4.3)",
        "source": "folder with gt.txt and the pictures",
        "words": {"train": 4468, "test": 2077},
        "licence": "CC-BY-4.0",
        "terms": "",
        "url": "https://rrc.cvc.uab.es/?ch=4&com=downloads",
        "citation": "Karatzas et al.: ICDAR 2015 Competition on Robust Reading. ICDAR 2015",
        "checksums": {"ch4_training_word_images_gt.zip": "md5:600caf8c6a64a3dcf638839820edcca9"},
        "options": {},
    }


@pytest.mark.parametrize("kind", list(importers))
def test_facts_of_every_format_are_said(kind: str) -> None:
    facts = catalogue.facts(kind)
    assert facts["title"]
    assert facts["licence"]
    for name, digits in facts["checksums"].items():
        scheme, _, digest = digits.partition(":")
        assert (scheme, len(digest)) in {("md5", 32), ("sha256", 64)}, name
        assert set(digest) <= set("0123456789abcdef"), name
    assert formats()[kind] == facts["source"] or not facts["source"]


def test_help_names_every_format() -> None:
    assert list(formats()) == list(importers)
    text = run("import", "--help").stdout
    assert [kind for kind in importers if f"\n  {kind} " not in text] == []


def test_facts_that_an_importer_leaves_unsaid(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importers, "_classes", {"bare": Bare})
    assert catalogue.facts("bare") == {
        "format": "bare",
        "title": "Read what has no more facts than it must have.",
        "source": "",
        "words": {},
        "licence": "unknown",
        "terms": "",
        "url": "",
        "citation": "",
        "checksums": {},
        "options": {"margin": 0.25},
    }


def test_options_are_typed_and_kept_in_the_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @dataclass(frozen=True, kw_only=True)
    class Optional(Tsv):
        number: int = 1
        shares: tuple[float, ...] = ()
        names: tuple[str, ...] = ("a",)
        sure: bool = False
        text: str = ""

    monkeypatch.setattr(importers, "_classes", {"tsv": Optional})
    file = write_tsv(tmp_path / "set", {"a.png": "a"})
    given = ["number=3", "shares=0.5,1", "names=x, y", "sure=true", "text=12=a"]
    run("import", "tsv", file, "-o", tmp_path / "out", *(part for g in given for part in ("--option", g)))
    found = Dataset.open(tmp_path / "out").manifest["options"]
    assert {name: found[name] for name in ("root", "number", "shares", "names", "sure", "text")} == {
        "root": None,
        "number": 3,
        "shares": [0.5, 1.0],
        "names": ["x", "y"],
        "sure": True,
        "text": "12=a",
    }
    assert failure("import", "tsv", file, "-o", tmp_path / "b", "--option", "number=three") == (
        "options of tsv, number must be a whole number, got 'three'. Mend the recipe."
    )


def test_options_that_do_not_fit(tmp_path: Path) -> None:
    args = ("import", "tsv", tmp_path, "-o", tmp_path / "out", "--option")
    assert failure(*args, "rot=x") == ("unknown key 'rot' in options of tsv. Did you mean 'root'?")
    assert failure(*args, "root") == "--option 'root' has no value. Write it as NAME=VALUE."
