"""``glyphmix inspect``: the numbers, the page and the contact sheet."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from published_sets import failure, numbers, picture, run, write_png, write_tsv

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.images import encode_png
from curation.core.sample import Reject, Sample
from curation.inspecting import describe

LABELS = ["naïve", "AB", "AB", "£5", "日本", "x" * 26, "!"]


@pytest.fixture
def made(tmp_path: Path) -> Path:
    out = tmp_path / "set"
    shards.start(out, {"command": "test", "warnings": ["one warning"]})
    items: list[Sample | Reject] = [
        Sample(
            uid=f"a:{i}",
            image=encode_png(picture(str(i), (10 * (i + 1), 10))),
            label=label,
            size=(10 * (i + 1), 10),
            source="a" if i < 5 else "b",
            licence="CC-BY-4.0",
        )
        for i, label in enumerate(LABELS)
    ]
    shards.write_shard(out, 0, [*items, Reject(uid="a:x", reason="broken_image")])
    shards.finish(out)
    return out


def test_numbers(made: Path) -> None:
    facts = numbers("inspect", made)
    assert facts == describe(Dataset.open(made))
    assert facts == {
        "n_rows": 7,
        "fingerprint": Dataset.open(made).fingerprint,
        "sources": [
            {"source": "a", "split": "train", "licence": "CC-BY-4.0", "rows": 5},
            {"source": "b", "split": "train", "licence": "CC-BY-4.0", "rows": 2},
        ],
        "label_length": {"0": 1, "0.01": 1, "0.25": 2, "0.5": 2, "0.75": 5, "0.99": 26, "1": 26},
        "label_lengths": {"1": 1, "2": 4, "5": 1, "26": 1},
        "width_px": {"0": 10, "0.01": 10, "0.25": 20, "0.5": 40, "0.75": 60, "0.99": 70, "1": 70},
        "height_px": dict.fromkeys(["0", "0.01", "0.25", "0.5", "0.75", "0.99", "1"], 10),
        "aspect": {"0": 1, "0.01": 1, "0.25": 2, "0.5": 4, "0.75": 6, "0.99": 7, "1": 7},
        "charset": {
            "x": 26, "A": 2, "B": 2, "!": 1, "5": 1, "a": 1, "e": 1, "n": 1, "v": 1,
            "£": 1, "ï": 1, "日": 1, "本": 1,
        },
        "protocols": {
            "parseq36": {"empty": 2, "too_long": 1},
            "parseq62": {"empty": 2, "too_long": 1},
            "parseq94": {"empty": 1, "too_long": 1},
            "dtrb36": {"too_long": 1, "unsupported_character": 4},
            "exact94": {"unsupported_character": 3},
            "unicode": {},
            "exact": {},
        },
        "rejected_by_reason": {"broken_image": 1},
        "warnings": ["one warning"],
    }  # fmt: skip


def test_page(made: Path) -> None:
    fingerprint = Dataset.open(made).fingerprint[:16]
    page = f"""\
7 words, fingerprint {fingerprint}
  a train: 5 (CC-BY-4.0)
  b train: 2 (CC-BY-4.0)
warning: one warning

                      min      1 %     25 %   median     75 %     99 %      max
  label length          1        1        2        2        5       26       26
  width, px            10       10       20       40       60       70       70
  height, px           10       10       10       10       10       10       10
  width / height        1        1        2        4        6        7        7

label lengths (characters: words)
    1         1 ██████████
    2         4 ████████████████████████████████████████
    5         1 ██████████
   26         1 ██████████

charset: 13 characters, most frequent first
  xAB!5aenv£ï日本

labels that fall out of a protocol
  parseq36: 2 empty, 1 too_long
  parseq62: 2 empty, 1 too_long
  parseq94: 1 empty, 1 too_long
  dtrb36: 1 too_long, 4 unsupported_character
  exact94: 3 unsupported_character
  unicode: none
  exact: none
rejected when the dataset was made: 1 broken_image
"""
    assert run("inspect", made).stdout == page


def test_contact_sheet_is_seeded(made: Path, tmp_path: Path) -> None:
    sheets = {}
    for name, seed, n in (("a", 0, 3), ("b", 0, 3), ("c", 1, 3), ("all", 0, 64)):
        done = run("inspect", made, "-o", tmp_path / "new" / f"{name}.png", "--seed", seed, "-n", n)
        assert done.stderr == f"wrote {tmp_path / 'new' / name}.png\n"
        sheets[name] = (tmp_path / "new" / f"{name}.png").read_bytes()
    assert sheets["a"] == sheets["b"] != sheets["c"]
    pixels = cv2.imdecode(np.frombuffer(sheets["all"], np.uint8), cv2.IMREAD_COLOR)
    assert pixels.shape == (8 + 72, 8 + 8 * 168, 3)


def test_columns_alone_are_read(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = set()
    tables = Dataset.tables
    monkeypatch.setattr(
        Dataset, "tables", lambda self, columns: read.update(columns) or tables(self, columns)
    )
    describe(Dataset.open(made))
    assert read == {"label", "source", "split", "licence", "width", "height"}


def test_empty_dataset(tmp_path: Path) -> None:
    shards.start(tmp_path / "set", {})
    shards.finish(tmp_path / "set", allow_empty=True)
    facts = numbers("inspect", tmp_path / "set", "-o", tmp_path / "sheet.png")
    assert (facts["n_rows"], facts["width_px"], facts["charset"]) == (0, {}, {})
    assert (tmp_path / "sheet.png").is_file()
    assert run("inspect", tmp_path / "set").stdout.startswith("0 words")


def test_errors(made: Path, tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    assert failure("inspect", gone) == f"dataset {gone} does not exist. Check the path."
    sheet = tmp_path / "sheet.png"
    sheet.write_bytes(b"mine")
    assert failure("inspect", made, "-o", sheet) == (
        f"output {sheet} exists already. Remove it or give another name with -o."
    )
    assert sheet.read_bytes() == b"mine"
    file = write_tsv(tmp_path / "plain", {"a.png": "a"})
    assert failure("inspect", file.parent) == (
        f"{file.parent} is no glyphmix dataset: it has no manifest.json. Make one with 'import' or 'render'."
    )
    part = made / "data" / "shard-00000.parquet"
    part.write_bytes(part.read_bytes()[:-1])
    assert failure("inspect", made) == (
        f"{part} is missing or cut short. Restore it, make the dataset {made} anew, or save what is whole: "
        f"'glyphmix verify {made} --salvage OUT'."
    )


def test_control_characters_are_shown_by_number(tmp_path: Path) -> None:
    write_png(tmp_path / "set" / "a.png")
    (tmp_path / "set" / "labels.tsv").write_bytes(b"a.png\ta\x07b\n")
    run("import", "tsv", tmp_path / "set" / "labels.tsv", "-o", tmp_path / "out")
    assert "  \\u0007ab\n" in run("inspect", tmp_path / "out").stdout
