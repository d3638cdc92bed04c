"""What all importers of whole photos have in common, shown on one that a few lines make."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest
from PIL import Image
from published_sets import failure, picture, run, write_svt, write_tsv

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.images import decode, encode_jpeg, encode_png
from curation.cropping import corners
from curation.importers import Unusable, Word, photos
from curation.importing import Source, import_set

BOX = (10.0, 5.0, 30.0, 20.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class Photographed(photos.Photos):
    """Words as JSON: a list of photos, each a name and a list of words."""

    kind: ClassVar[str] = "photographed"
    url: ClassVar[str] = ""
    licence: ClassVar[str] = "CC0-1.0"
    citation: ClassVar[str] = ""
    expected: ClassVar[Mapping[str, int]] = {}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        return {}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        for name, words in json.loads((src / "words.json").read_text()).items():
            photo = self.photo(src / name, origin=f"openimages:{Path(name).stem}")
            for i, word in enumerate(words):
                yield photo.word(id=f"{name}/{i}", **word)


def imported(src: Path, words: Mapping[str, Any], max_dropped: float = 0, **options: Any) -> Dataset:
    (src / "words.json").write_text(json.dumps(words))
    what = Source(importer=Photographed(**options), src=src, split="train", name="set")
    import_set(what, src / "out", max_dropped=max_dropped)
    return Dataset.open(src / "out")


def test_rows_say_where_they_were_cut(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(encode_jpeg(picture("a", (60, 40)), 95))
    outline = [10, 5, 40, 6, 40, 25, 11, 25]
    words = {"a.jpg": [{"label": "one", "box": BOX}, {"label": "two", "outline": outline}]}
    columns = ["label", "origin_image", "origin_box", "origin_polygon", "origin_size", "width", "height"]
    assert imported(tmp_path, words).table(columns).to_pylist() == [
        dict(zip(columns, ("one", "openimages:a", [*BOX], None, [60, 40], 30, 20), strict=True)),
        dict(zip(columns, ("two", "openimages:a", [*BOX], outline, [60, 40], 30, 20), strict=True)),
    ]


def test_a_photo_is_decoded_once_for_all_its_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b"):
        (tmp_path / f"{name}.png").write_bytes(encode_png(picture(name, (60, 40))))
    decoded = []
    monkeypatch.setattr(photos, "decode", lambda data: decoded.append(len(data)) or decode(data))
    words = {f"{name}.png": [{"label": "x", "box": BOX}] * 3 for name in "ab"}
    assert len(imported(tmp_path, words)) == 6
    assert len(decoded) == 2


def test_a_broken_photo_is_looked_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(picture("a", (60, 40))))
    (tmp_path / "b.png").write_bytes(b"<html>404</html>")
    decoded = []
    monkeypatch.setattr(photos, "decode", lambda data: decoded.append(len(data)) or decode(data))
    words = {f"{name}.png": [{"label": "x", "box": BOX}] * 3 for name in "abc"}
    dataset = imported(tmp_path, words, max_dropped=1)
    assert dataset.manifest["rejected_by_reason"] == {"broken_image": 3, "missing_image": 3}
    assert len(decoded) == 2


def test_outlines_that_no_word_has_are_rejects(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(picture("a", (60, 40))))
    words = [
        {"label": "good", "box": BOX},
        {"label": "flat", "box": (1, 1, 5, 0)},
        {"label": "endless", "box": (1, 1, math.inf, 5)},
        {"label": "none", "outline": [1, 1, math.nan, 1, 5, 5]},
        {"label": "line", "outline": [1, 1, 3, 3, 5, 5]},
        {"label": "short", "box": (1, 2, 3)},
        {"label": "outside", "box": (100, 100, 5, 5)},
    ]
    dataset = imported(tmp_path, {"a.png": words}, max_dropped=1)
    rejects = Dataset.open(tmp_path / "out").path / "rejects.parquet"
    import pyarrow.parquet as pq

    assert dataset.table(["label"]).to_pylist() == [{"label": "good"}]
    assert [(r["reason"], r["detail"]) for r in pq.read_table(rejects).to_pylist()] == [
        ("degenerate_outline", "a box without area, 5 wide and 0 high"),
        ("degenerate_outline", "a box that is not finite: [1, 1, inf, 5]"),
        ("degenerate_outline", "an outline that is not finite: [1, 1, nan, 1, 5, 5]"),
        ("degenerate_outline", "an outline without area, 4 wide and 4 high"),
        ("degenerate_outline", "a box of 3 numbers, expected 4"),
        ("box_outside", "the box (100, 100, 5, 5) has no pixel in a photo of 60x40"),
    ]


def image_of(dataset: Dataset) -> bytes:
    return dataset.take([0], ["image"])[0]["image"]["bytes"]


def test_crops_are_exact_as_png(tmp_path: Path) -> None:
    data = encode_jpeg(picture("a", (60, 40)), 80)
    (tmp_path / "a.jpg").write_bytes(data)
    cropped = image_of(imported(tmp_path, {"a.jpg": [{"label": "x", "box": BOX}]}))
    np.testing.assert_array_equal(decode(cropped), decode(data)[5:25, 10:40])


def test_crops_as_jpeg_keep_the_quantisation_tables(tmp_path: Path) -> None:
    data = encode_jpeg(picture("a", (60, 40)), 63)
    (tmp_path / "a.jpg").write_bytes(data)
    cropped = image_of(imported(tmp_path, {"a.jpg": [{"label": "x", "box": BOX}]}, store="jpeg"))
    with Image.open(io.BytesIO(cropped)) as crop, Image.open(io.BytesIO(data)) as photo:
        assert crop.format == "JPEG"
        assert crop.size == (30, 20)
        assert crop.quantization == photo.quantization


def test_crops_of_a_png_photo_stay_png(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(picture("a", (60, 40))))
    cropped = image_of(imported(tmp_path, {"a.png": [{"label": "x", "box": BOX}]}, store="jpeg"))
    np.testing.assert_array_equal(decode(cropped), picture("a", (60, 40))[5:25, 10:40])


def test_rectify_and_pad_px(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(picture("a", (60, 40))))
    turned = np.roll(corners(BOX), -2).tolist()  # the text begins at the upper right, and reads downwards
    words = {"a.png": [{"label": "x", "outline": turned}]}
    cropped = decode(image_of(imported(tmp_path, words, crop="rectify", pad_px=2)))
    np.testing.assert_array_equal(cropped, np.rot90(picture("a", (60, 40))[3:27, 8:42]))


def test_left_out_by_rule_is_no_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.png").write_bytes(encode_png(picture("a", (60, 40))))
    words = [Unusable(id=str(i), reason="illegible") for i in range(9)]
    words += [Unusable(id="b", reason="broken_record")]
    good = Photographed().photo(tmp_path / "a.png", "a").word(id="g", label="good", box=BOX)
    monkeypatch.setattr(Photographed, "words", lambda self, src, split: iter([*words, good]))
    with pytest.raises(UserError, match=r"^1 of 2 words of the source are unusable, .*: 1 broken_record; "):
        imported(tmp_path, {}, max_dropped=0.4)
    assert len(imported(tmp_path, {}, max_dropped=0.5)) == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "None"),
        ("12", "'12'"),
        ([1, "2"], "[1, '2']"),
        ([True, 2], "[True, 2]"),
        ({"x": 1}, "{'x': 1}"),
        ([[[1]]], "[[[1]]]"),
        ([[1, 2], 3], "[[1, 2], 3]"),
        ([[1, 2, 3], [4, 5, 6]], "[[1, 2, 3], [4, 5, 6]]"),
        (list(map(str, range(99))), f"{str(list(map(str, range(99))))[:57]}..."),
    ],
)
def test_other_things_than_numbers(value: Any, shown: str) -> None:
    with pytest.raises(UserError) as caught:
        photos.numbers(value, "gt.json, word 7, bbox")
    assert str(caught.value) == (
        f"gt.json, word 7, bbox is {shown}, not a list of numbers. Give the publisher's own file."
    )


def test_numbers_and_pairs() -> None:
    assert photos.numbers([1, 2.5, -3], "") == (1, 2.5, -3)
    assert photos.numbers([[1, 2], [3, 4]], "") == (1, 2, 3, 4)
    assert photos.numbers([10**400], "") == (math.inf,)


def test_crop_and_pad_px_on_the_command_line(tmp_path: Path) -> None:
    src = write_svt(tmp_path / "src", {"img/1.jpg": [("A", (10, 5, 30, 20))]})
    run("import", "svt", src, "--crop", "rectify", "--pad-px", 2, "-o", tmp_path / "out")
    dataset = Dataset.open(tmp_path / "out")
    assert dataset.manifest["options"] == {"crop": "rectify", "pad_px": 2, "store": "png"}
    assert dataset.take([0], ["width", "height", "origin_box"]) == [
        {"width": 34, "height": 24, "origin_box": [10, 5, 30, 20]}
    ]


def test_crop_of_words_that_are_crops_already(tmp_path: Path) -> None:
    file = write_tsv(tmp_path / "set", {"a.png": "a"})
    message = failure("import", "tsv", file, "-o", tmp_path / "out", "--crop", "box")
    assert message.startswith("--crop is for the format")
    assert message.endswith(", not for tsv. Leave it out.")
