"""Importing: what holds for every format. The formats themselves: test_curation_import_formats.py."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from published_sets import content, failure, numbers, run, write_icdar2015, write_png, write_tsv

from curation import importing
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.fingerprint import dhash128, sha256, sha256_file
from curation.core.images import decode
from curation.core.schema import BASE
from curation.importers import importers
from curation.importing import Source, import_set, survey

ROOT = Path(__file__).parents[1]
REAL = Path(__file__).parents[2] / "shared" / "data" / "real"
WORDS = {f"words/{i:03d}.png": f"word{i}" for i in range(25)}


def source(file: Path, **options: Any) -> Source:
    return Source(importer=importers.get("tsv")(**options), src=file, split="train", name="set")


@pytest.mark.parametrize("kind", list(importers))
def test_facts_of_every_importer(kind: str) -> None:
    made = importers.get(kind)
    assert made.__doc__
    assert made.licence
    assert bool(made.url) == bool(made.citation)
    assert made.url or not made.expected
    assert set(made.expected) <= {"train", "val", "test"}
    assert all(n is None or n > 0 for n in made.expected.values())
    assert not made.url or made.url.startswith("http")


def test_rows_carry_all_columns(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {"a/1.png": "one"})
    run("import", "tsv", file, "-o", tmp_path / "out", "--split", "test", "--name", "mine")
    dataset = Dataset.open(tmp_path / "out")
    data = (tmp_path / "set" / "a" / "1.png").read_bytes()
    assert dataset.table([name for name, _ in BASE]).to_pylist() == [
        {
            "image": {"bytes": data, "path": None},
            "label": "one",
            "uid": "mine:a/1.png",
            "source": "mine",
            "split": "test",
            "licence": "unknown",
            "width": 40,
            "height": 16,
            "sha256": sha256(data),
            "dhash128": dhash128(decode(data)),
            "origin_image": None,
            "origin_box": None,
            "origin_polygon": None,
            "origin_size": None,
            "label_published": None,
        }
    ]


def test_manifest_says_where_it_comes_from(tmp_path: Path) -> None:
    src = write_icdar2015(tmp_path / "src", {"word_1.png": "one", "word_2.png": "two"})
    run("import", "icdar2015", src, "-o", tmp_path / "out")
    manifest = json.loads((tmp_path / "out" / "manifest.json").read_text())
    importer = importers.get("icdar2015")
    warning = "found 2 of 4,468 words expected: the set is incomplete or of another version"
    expected = {
        "command": "import",
        "importer": "icdar2015",
        "url": importer.url,
        "licence": "CC-BY-4.0",
        "citation": importer.citation,
        "name": "icdar2015",
        "split": "train",
        "inputs": {"gt.txt": sha256_file(src / "train" / "gt.txt")},
        "found": 2,
        "expected": 4468,
        "warnings": [warning],
        "n_rows": 2,
    }
    assert {key: manifest[key] for key in expected} == expected


def test_printed_summary_and_warning(tmp_path: Path) -> None:
    labels = {f"word_{i}.png": f"w{i}" for i in range(1, 4)} | {"word_4.png": "###"}
    src = write_icdar2015(tmp_path / "src", labels)
    args = ("import", "icdar2015", src, "-o", tmp_path / "out", "--max-dropped", "0.25")
    dry = run(*args, "--dry-run")
    assert not (tmp_path / "out").exists()
    done = run(*args)
    head = "icdar2015 train: found 4 of 4,468 expected\nleft out: 1 illegible\n"
    warning = "warning: found 4 of 4,468 words expected: the set is incomplete or of another version\n"
    fingerprint = Dataset.open(tmp_path / "out").fingerprint[:16]
    assert dry.stdout == head + f"would read 3 pictures into {tmp_path / 'out'}\n"
    assert done.stdout == head + f"wrote 3 words to {tmp_path / 'out'}, fingerprint {fingerprint}\n"
    assert dry.stderr == done.stderr == warning


def test_json_is_the_manifest(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", WORDS)
    printed = numbers("import", "tsv", file, "-o", tmp_path / "out")
    assert printed == json.loads((tmp_path / "out" / "manifest.json").read_text())


def test_general_formats_are_called_like_their_folder(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "cute80", {"1.png": "one"})
    run("import", "tsv", file, "-o", tmp_path / "out")
    assert Dataset.open(tmp_path / "out").table(["source"]).to_pylist() == [{"source": "cute80"}]


def test_every_drop_has_a_reason(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {**WORDS, "empty.png": "", "blank.png": " ", "gone.png": "gone"})
    (tmp_path / "set" / "gone.png").unlink()
    whole = (tmp_path / "set" / "words" / "003.png").read_bytes()
    (tmp_path / "set" / "words" / "003.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "set" / "words" / "004.png").write_bytes(b"")
    manifest = import_set(source(file), tmp_path / "out", max_dropped=0.2)
    assert manifest["n_rows"] == 23
    assert manifest["rejected_by_reason"] == {"broken_image": 2, "empty_label": 2, "missing_image": 1}
    assert Dataset.open(tmp_path / "out").table(["uid"]).num_rows == 23


def test_an_id_stands_for_one_word(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {"a.png": "one", "b.png": "two", "c.png": ""})
    file.write_text(file.read_text() + "a.png\tother\na.png\tthird\nc.png\tnow with a label\n")
    surveyed = survey(source(file))
    manifest = import_set(source(file), tmp_path / "out", max_dropped=1, shard_words=2)
    assert Dataset.open(tmp_path / "out").table(["uid", "label"]).to_pydict() == {
        "uid": ["set:a.png", "set:b.png"],
        "label": ["one", "two"],
    }
    assert manifest["rejected_by_reason"] == {"empty_label": 1, "repeated_id": 3}
    assert surveyed.rejected_unread == manifest["rejected_by_reason"]


def test_too_many_drops_leave_nothing(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {**WORDS, "gone.png": "gone", "empty.png": ""})
    (tmp_path / "set" / "gone.png").unlink()
    assert failure("import", "tsv", file, "-o", tmp_path / "out", "--max-dropped", 0.05) == (
        "2 of 27 words of the source are unusable, more than the share of 0.05 allowed: 1 empty_label, "
        "1 missing_image; the first is set:gone.png (missing_image). Mend the source, or raise --max-dropped."
    )
    assert sorted(p.name for p in tmp_path.iterdir()) == ["set"]


def test_too_many_drops_that_the_annotations_show_are_refused_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "decode", failing)
    file = write_tsv(tmp_path / "set", {**WORDS, "empty.png": "", "blank.png": " "})
    for options in ([], ["--dry-run"]):
        assert failure("import", "tsv", file, "-o", tmp_path / "out", *options) == (
            "2 of 27 words of the source are unusable, more than the share of 0.01 allowed: 2 empty_label; "
            "the first is set:empty.png (empty_label). Mend the source, or raise --max-dropped."
        )
        assert not (tmp_path / "out").exists()


def test_share_of_drops_is_inclusive(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {**{f"{i}.png": "x" for i in range(9)}, "e.png": ""})
    assert import_set(source(file), tmp_path / "out", max_dropped=0.1)["n_rows"] == 9


def test_bytes_depend_on_the_source_alone(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "here" / "set", WORDS)
    shutil.copytree(tmp_path / "here", tmp_path / "there")
    import_set(source(file), tmp_path / "a", max_dropped=0, shard_words=10)
    moved = tmp_path / "there" / "set" / "labels.tsv"
    import_set(source(moved), tmp_path / "elsewhere" / "b", max_dropped=0, shard_words=10)
    assert content(tmp_path / "a") == content(tmp_path / "elsewhere" / "b")
    assert [s["rows"] for s in Dataset.open(tmp_path / "a").manifest["shards"]] == [10, 10, 5]


KILLED = """
import os, signal, sys
from pathlib import Path
from curation import importing
from curation.importers import importers

decode, count = importing.decode, 0
def dying(data):
    global count
    count += 1
    if count == 18:
        os.kill(os.getpid(), signal.SIGKILL)
    return decode(data)

importing.decode = dying
source = importing.Source(importer=importers.get("tsv")(), src=Path(sys.argv[1]), split="train", name="set")
importing.import_set(source, Path(sys.argv[2]), max_dropped=0, shard_words=10)
"""


def test_killed_import_goes_on_where_it_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = write_tsv(tmp_path / "set", WORDS)
    out = tmp_path / "out"
    killed = subprocess.run([sys.executable, "-c", KILLED, file, out], cwd=ROOT, check=False)
    assert killed.returncode == -9
    assert failure("inspect", out) == (
        f"dataset {out} is unfinished. Run the command that makes it again: it resumes."
    )
    decoded = []
    monkeypatch.setattr(importing, "decode", lambda data: decoded.append(data) or decode(data))
    import_set(source(file), out, max_dropped=0, shard_words=10)
    monkeypatch.undo()
    assert len(decoded) == 15  # the finished shard of 10 is not decoded again
    import_set(source(file), tmp_path / "undisturbed", max_dropped=0, shard_words=10)
    assert content(out) == content(tmp_path / "undisturbed")


def test_changed_annotations_do_not_mix_with_unfinished_work(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", WORDS)
    out = tmp_path / "out"
    subprocess.run([sys.executable, "-c", KILLED, file, out], cwd=ROOT, check=False)
    write_tsv(tmp_path / "set", {**WORDS, "new.png": "new"})
    with pytest.raises(importing.UserError) as caught:
        import_set(source(file), out, max_dropped=0, shard_words=10)
    assert str(caught.value) == (
        f"output {out} holds unfinished work that differs in: inputs. "
        "Repeat the command it was begun with, or remove the folder."
    )


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("kind", "src", "split", "n_words", "n_photos"),
    [
        ("iiit5k", "iiit5k", "train", 2000, 0),
        ("icdar2015", "icdar2015", "train", 4468, 0),
        ("svt", "svt", "train", 257, 100),
        ("tsv", "cute80/labels.tsv", "test", 288, 0),
    ],
)
def test_real_sets_are_whole(
    kind: str, src: str, split: str, n_words: int, n_photos: int, tmp_path: Path
) -> None:
    if not REAL.is_dir():
        pytest.skip(f"the real sets are not at {REAL}")
    run("import", kind, REAL / src, "--split", split, "-o", tmp_path / "out", "--max-dropped", 0)
    dataset = Dataset.open(tmp_path / "out")
    columns = dataset.table(["uid", "origin_image", "label"]).to_pydict()
    assert len(dataset) == len(set(columns["uid"])) == n_words
    assert len(set(columns["origin_image"]) - {None}) == n_photos
    assert all(columns["label"])
    assert dataset.manifest["warnings"] == []


def test_pictures_are_kept_as_they_came(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {"a.png": "a"})
    data = write_png(tmp_path / "set" / "a.png") + b"trailing bytes"
    (tmp_path / "set" / "a.png").write_bytes(data)
    import_set(source(file), tmp_path / "out", max_dropped=0)
    assert Dataset.open(tmp_path / "out").take([0], ["image"])[0]["image"]["bytes"] == data


def test_what_a_sets_rules_leave_out_is_no_damage(tmp_path: Path) -> None:
    labels = {f"word_{i}.png": f"w{i}" for i in range(1, 4)} | {f"word_{i}.png": "###" for i in range(4, 24)}
    src = write_icdar2015(tmp_path / "src", labels)
    run("import", "icdar2015", src, "-o", tmp_path / "out", "--max-dropped", "0")
    assert Dataset.open(tmp_path / "out").manifest["rejected_by_reason"] == {"illegible": 20}
    (src / "train" / "word_2.png").unlink()
    assert failure("import", "icdar2015", src, "-o", tmp_path / "other") == (
        "1 of 3 words of the source are unusable, more than the share of 0.01 allowed: 1 missing_image; "
        "the first is icdar2015:train/word_2.png (missing_image). Mend the source, or raise --max-dropped."
    )


def test_unfinished_work_with_other_options_is_refused(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", WORDS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importing, "decode", failing)
        with pytest.raises(RuntimeError):
            import_set(source(file), tmp_path / "out", max_dropped=0)
    with pytest.raises(UserError) as caught:
        import_set(source(file, root=tmp_path / "set"), tmp_path / "out", max_dropped=0)
    assert str(caught.value) == (
        f"output {tmp_path / 'out'} holds unfinished work that differs in: options. "
        "Repeat the command it was begun with, or remove the folder."
    )


def failing(data: bytes) -> None:
    raise RuntimeError
