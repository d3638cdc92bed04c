"""Decontamination: which words go, for what reason, and what is left alone."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from drawn_words import sample, scene
from published_sets import content
from word_sets import word, write_words

from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.images import encode_png
from curation.core.sample import Sample
from curation.decontaminate import decontaminate
from curation.leak_recipe import DecontaminateRecipe

WORDS = ("Hotel", "Exit", "Station", "Bakery", "Harbour", "Museum", "Garden", "Winter", "Coffee", "Bridge")
PHOTO = {"origin_image": "openimages:0001c8fbfb30d3a6", "origin_size": (400, 300)}


def exam_words() -> list[Sample]:
    """Ten words of a test set; the last one is cut from a photo that other sets use as well."""
    words = [sample(f"exam:{i}", text, scene(text, i), split="test") for i, text in enumerate(WORDS[:9])]
    photo = PHOTO | {"origin_box": (10.0, 20.0, 100.0, 40.0)}
    return [*words, sample("exam:9", WORDS[9], scene(WORDS[9], 9), split="test", **photo)]


def recompressed(data: bytes, level: int) -> bytes:
    """The same pixels in other bytes."""
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return cv2.imencode(".png", pixels, [cv2.IMWRITE_PNG_COMPRESSION, level])[1].tobytes()


def leaked() -> dict[str, tuple[Sample, str | None, str | None]]:
    """Words to train on by what they are: with the reason why each goes, and the word it copies."""
    clean = {
        f"clean {i}": sample(f"shop:clean{i}", text, scene(text, 100 + i)) for i, text in enumerate(WORDS)
    }
    exam, image = exam_words(), [scene(text, i) for i, text in enumerate(WORDS)]
    box = {"origin_box": (14.0, 18.0, 100.0, 44.0)}
    aside = {"origin_box": (200.0, 200.0, 80.0, 30.0)}
    again = recompressed(exam[1].image, 9)
    pixels = Sample(
        uid="shop:pixels",
        image=again,
        label="of another label",
        size=exam[1].size,
        source="shop",
        dhash128=exam[1].dhash128,
    )
    return {
        **{name: (word, None, None) for name, word in clean.items()},
        "bytes": (sample("shop:bytes", "Hotel", image[0]), "leak_bytes", "exam:0"),
        "pixels": (pixels, "leak_pixels", "exam:1"),
        "jpeg": (sample("shop:jpeg", "station", image[2], jpeg=60), "leak_same_label", "exam:2"),
        "tight": (sample("shop:tight", "BAKERY", image[3][3:-2, 4:-8]), "leak_same_label", "exam:3"),
        "small": (
            sample("shop:small", "Harbour", cv2.resize(image[4], None, fx=0.5, fy=0.5)),
            "leak_same_label",
            "exam:4",
        ),
        "dark": (
            sample("shop:dark", "Museum", (image[5] * 0.7).astype(np.uint8)),
            "leak_same_label",
            "exam:5",
        ),
        "typo": (sample("shop:typo", "Gradne", image[6], jpeg=70), "leak_any_label", "exam:6"),
        "box": (
            sample("shop:box", "Bridges", scene("Bridges", 200), **PHOTO, **box),
            "leak_origin",
            "exam:9",
        ),
        "aside": (sample("shop:aside", "Toll", scene("Toll", 201), **PHOTO, **aside), None, None),
        "broken": (word("shop:broken", "Winter", image=b"no picture"), None, None),
    }  # fmt: skip


@pytest.fixture
def exam(tmp_path: Path) -> Dataset:
    return write_words(tmp_path / "exam", exam_words())


@pytest.fixture
def shop(tmp_path: Path) -> Dataset:
    return write_words(tmp_path / "shop", [word for word, _, _ in leaked().values()], shard_rows=10)


def rejects(out: Path) -> dict[str, Mapping[str, Any]]:
    return {row["uid"]: row for row in pq.read_table(out / "rejects.parquet").to_pylist()}


def cell(manifest: Mapping[str, Any], train: str, test: str) -> Mapping[str, Any]:
    [found] = [c for c in manifest["leaks"]["cells"] if (c["train"], c["test"]) == (train, test)]
    return found


def test_every_kind_of_copy_goes_for_its_reason(tmp_path: Path, exam: Dataset, shop: Dataset) -> None:
    before = content(exam.path)
    manifest = decontaminate([shop], [exam], tmp_path / "out", jobs=1)
    kept = Dataset.open(tmp_path / "out").table(["uid"])["uid"].to_pylist()
    assert kept == [word.uid for word, reason, _ in leaked().values() if reason is None]
    gone = rejects(tmp_path / "out")
    assert {uid: (row["reason"], row["duplicate_of"]) for uid, row in gone.items()} == {
        word.uid: (reason, copied) for word, reason, copied in leaked().values() if reason is not None
    }
    assert gone["shop:bytes"]["detail"] == "identical"
    assert gone["shop:box"]["detail"] == "overlap 0.842"
    assert gone["shop:jpeg"]["detail"].startswith("agreement 0.9")
    assert manifest["rejected_by_reason"] == {
        "leak_any_label": 1, "leak_bytes": 1, "leak_origin": 1, "leak_pixels": 1, "leak_same_label": 4,
    }  # fmt: skip
    listed = pq.read_table(tmp_path / "out" / "leaks.parquet").to_pylist()
    assert [(row["train_uid"], row["level"]) for row in listed if row["dropped"]] == [
        (uid, row["reason"]) for uid, row in gone.items()
    ]
    [told] = [row for row in listed if not row["dropped"]]
    assert told == {
        "train_uid": "shop:aside", "test_uid": "exam:9", "train_set": "shop train", "test_set": "exam test",
        "level": "shared_photo", "distance": 1.0, "dropped": False,
    }  # fmt: skip
    assert content(exam.path) == before, "only the words to train on become fewer"


def test_the_matrix_counts_words_on_both_sides(tmp_path: Path, exam: Dataset, shop: Dataset) -> None:
    twice = write_words(tmp_path / "twice", [sample("twice:0", "x", scene("Hotel", 0))] * 2)
    manifest = decontaminate([shop, twice], [exam], None, jobs=1, dry_run=True)
    found = cell(manifest, "twice train", "exam test")
    assert found["train_words"]["leak_bytes"] == 2
    assert found["test_words"]["leak_bytes"] == 1
    assert (found["n_dropped"], found["n_test_words_copied"]) == (2, 1)
    found = cell(manifest, "shop train", "exam test")
    assert found["train_words"] == {
        "leak_bytes": 1, "leak_pixels": 1, "leak_origin": 1, "leak_same_label": 4, "leak_any_label": 1,
        "leak_probable": 0, "shared_photo": 1,
    }  # fmt: skip
    assert (found["n_dropped"], found["n_test_words_copied"]) == (8, 8)
    assert manifest["leaks"]["train_sets"] == [
        {"name": "shop train", "n_words": 20, "n_dropped": 8},
        {"name": "twice train", "n_words": 2, "n_dropped": 2},
    ]
    assert (manifest["n_rows"], manifest["n_rejected"]) == (12, 10)


def test_sets_are_told_apart_by_source_and_split(tmp_path: Path) -> None:
    mixed = [
        sample("a:0", "Hotel", scene("Hotel", 0)),
        sample("b:0", "Exit", scene("Exit", 1), split="val"),
    ]
    exams = [
        sample("c:0", "Hotel", scene("Hotel", 0), split="test"),
        sample("d:0", "Exit", scene("Exit", 1), split="val"),
    ]
    train, test = write_words(tmp_path / "mixed", mixed), write_words(tmp_path / "exams", exams)
    found = decontaminate([train], [test], None, jobs=1, dry_run=True)["leaks"]
    counts = {(c["train"], c["test"]): c["n_dropped"] for c in found["cells"]}
    assert counts == {
        ("a train", "c test"): 1,
        ("a train", "d val"): 0,
        ("b val", "c test"): 0,
        ("b val", "d val"): 1,
    }


def test_what_is_dropped_besides_and_what_is_not_looked_for(
    tmp_path: Path, exam: Dataset, shop: Dataset
) -> None:
    spec = DecontaminateRecipe(also_drop=("shared_photo",), skip=("leak_any_label", "leak_bytes"))
    decontaminate([shop], [exam], tmp_path / "out", spec, jobs=1)
    gone = rejects(tmp_path / "out")
    assert gone["shop:aside"]["reason"] == "shared_photo"
    assert gone["shop:bytes"]["reason"] == "leak_pixels"
    assert "shop:typo" not in gone


def test_flat_pictures_are_no_leak(tmp_path: Path) -> None:
    def flat(name: str, split: str) -> list[Sample]:
        shades = [np.full((20, 60, 3), 40 * i + 20 + 7 * (name == "b"), np.uint8) for i in range(5)]
        slope = np.repeat(np.linspace(40, 200, 60)[None, :, None], 20, 0).repeat(3, 2)
        pictures = [*shades, (slope + 9 * (name == "b")).astype(np.uint8)]
        return [sample(f"{name}:{i}", "of", picture, split=split) for i, picture in enumerate(pictures)]

    train, test = (
        write_words(tmp_path / "a", flat("a", "train")),
        write_words(tmp_path / "b", flat("b", "test")),
    )
    spec = DecontaminateRecipe(protocol="exact")
    manifest = decontaminate([train], [test], None, spec, jobs=1, dry_run=True)
    assert manifest["rejected_by_reason"] == {"leak_same_label": 1}, "the slope alone looks like anything"


def test_the_bytes_do_not_depend_on_workers_or_a_break(
    tmp_path: Path, exam: Dataset, shop: Dataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    for jobs, name in ((1, "one"), (2, "two")):
        beside = {"page": tmp_path / f"{name}.html", "picture": tmp_path / f"{name}.png"}
        decontaminate([shop], [exam], tmp_path / name, jobs=jobs, **beside)
    assert content(tmp_path / "two") == content(tmp_path / "one")
    for end in ("html", "png"):
        assert (tmp_path / f"two.{end}").read_bytes() == (tmp_path / f"one.{end}").read_bytes()

    finish = shards.finish

    def dies(*args: Any, **more: Any) -> None:
        raise KeyboardInterrupt

    beside = {"page": tmp_path / "broken.html", "picture": tmp_path / "broken.png"}
    monkeypatch.setattr(shards, "finish", dies)
    with pytest.raises(KeyboardInterrupt):
        decontaminate([shop], [exam], tmp_path / "broken", jobs=1, **beside)
    assert (tmp_path / "broken.html").exists()
    monkeypatch.setattr(shards, "finish", finish)
    decontaminate([shop], [exam], tmp_path / "broken", jobs=1, **beside)
    assert content(tmp_path / "broken") == content(tmp_path / "one")
    assert (tmp_path / "broken.html").read_bytes() == (tmp_path / "one.html").read_bytes()


def test_nothing_in_common(tmp_path: Path, exam: Dataset) -> None:
    train = write_words(tmp_path / "train", [sample("t:0", "Sea", scene("Sea", 7)), leaked()["clean 0"][0]])
    manifest = decontaminate([train], [exam], tmp_path / "out", jobs=1, page=tmp_path / "p.html")
    assert (manifest["n_rows"], manifest["n_rejected"]) == (2, 0)
    assert "None: no word to train on has anything in common" in (tmp_path / "p.html").read_text()


def test_a_test_set_without_words(tmp_path: Path, shop: Dataset) -> None:
    manifest = decontaminate([shop], [write_words(tmp_path / "none", [])], tmp_path / "out", jobs=1)
    assert manifest["n_rows"] == len(shop)
    assert manifest["leaks"]["cells"] == []


def test_a_picture_that_only_the_test_cannot_show(tmp_path: Path) -> None:
    word = sample("t:0", "Sea", scene("Sea", 7))
    broken = Sample(
        uid="e:0", image=encode_png(scene("Sea", 7))[:200], label="Sea", size=word.size, source="e",
        dhash128=word.dhash128, split="test",
    )  # fmt: skip
    train, test = write_words(tmp_path / "t", [word]), write_words(tmp_path / "e", [broken])
    manifest = decontaminate([train], [test], None, jobs=1, dry_run=True, picture=tmp_path / "p.png")
    assert manifest["n_rejected"] == 0
