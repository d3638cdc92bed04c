"""Whatever an annotation file holds: words, rejects with a reason, or one sentence; never a traceback."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from published_photos import (
    coco_word,
    hiertext_word,
    openvino_word,
    textocr_word,
    write_coco_text_v2,
    write_hiertext,
    write_openvino,
    write_textocr,
)

from curation.core.errors import UserError
from curation.core.images import BrokenImageError
from curation.cropping import OutlineError, OutsideError
from curation.importers import Word, importers

PHOTO = "0001c8fbfb30d3a6"
SETS: dict[str, tuple[str, str, Callable[[Path], Path]]] = {
    "coco_text_v2": (
        "cocotext.v2.json",
        "train",
        lambda src: write_coco_text_v2(src, {"COCO_train2014_000000000036.jpg": [coco_word("a")] * 2}),
    ),
    "textocr": (
        "TextOCR_0.1_train.json",
        "train",
        lambda s: write_textocr(s, {PHOTO: [textocr_word("a")] * 2}),
    ),
    "openvino": (
        "text_spotting_openimages_v5_validation.json",
        "val",
        lambda s: write_openvino(s, "validation", {f"{PHOTO}.jpg": [openvino_word("a"), openvino_word("b")]}),
    ),
    "hiertext": (
        "gt/train.jsonl",
        "train",
        lambda s: write_hiertext(s, {PHOTO: [[hiertext_word("a"), hiertext_word("b")]]}, form="jsonl"),
    ),
}

odd = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**400), 10**400),
    st.floats(),
    st.text(max_size=5),
    st.lists(st.one_of(st.floats(), st.integers(-200, 200), st.text(max_size=2)), max_size=9),
    st.dictionaries(st.text(max_size=5), st.integers(), max_size=2),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to every value inside ``value``."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


def replaced(value: Any, place: tuple[Any, ...], by: Any) -> Any:
    if not place:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = replaced(copy[place[0]], place[1:], by)
    return copy


@pytest.mark.parametrize("kind", SETS)
@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
@given(data=st.data())
def test_any_value_in_any_place(kind: str, data: st.DataObject, tmp_path: Path) -> None:
    name, split, write = SETS[kind]
    original = tmp_path / "original.json"
    if not original.exists():
        (write(tmp_path) / name).rename(original)
    value = json.loads(original.read_text())
    place = data.draw(st.sampled_from(places(value)), "place")
    (tmp_path / name).write_text(json.dumps(replaced(value, place, data.draw(odd, "value"))))
    crop = data.draw(st.sampled_from(["box", "rectify"]), "crop")
    importer = importers.get(kind)(crop=crop)
    try:
        importer.inputs(tmp_path, split)
        for word in importer.words(tmp_path, split):
            word.id.encode()
            if isinstance(word, Word):
                word.label.encode()
                read(word)
            else:
                assert word.reason
    except UserError as error:
        named = str(error).startswith(str(tmp_path / name))
    else:
        named = True
    assert named


def read(word: Word) -> None:
    """Read its picture, or fail in one of the ways that make a reject."""
    try:
        word.read()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        pass
    except (BrokenImageError, OutsideError, OutlineError):
        pass
