"""Boxes hold the ink of exactly the letters they name."""

from __future__ import annotations

import dataclasses
import json
import string
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from font_factory import make_font
from fontTools.feaLib.builder import addOpenTypeFeaturesFromString
from fontTools.ttLib import TTFont

from curation.core import recipe
from curation.core.rng import stream
from synthgen.boxes import Boxes, boxes_of, graphemes
from synthgen.effects import effects
from synthgen.engines.native import Native
from synthgen.framing import Frame, frame
from synthgen.glyphs import rasterise
from synthgen.layouts import layouts
from synthgen.placement import Placed, place, spots_of
from synthgen.render import Recipe, render
from synthgen.shaping import Face, Run, shape

UPRIGHT = {"stretch": 1.0, "slant_deg": 0.0, "skew_deg": 0.0, "rotation_deg": 0.0, "perspective": 0.0}
TILTED = {"stretch": 1.2, "slant_deg": 9.0, "skew_deg": -6.0, "rotation_deg": 24.0, "perspective": 0.25}
FRAME = {"height_px": 120} | {f"margin_{side}": 0.1 for side in ("left", "top", "right", "bottom")}
HEBREW = "אבגד"


@pytest.fixture(scope="module")
def face(tmp_path_factory: pytest.TempPathFactory) -> Face:
    path = tmp_path_factory.mktemp("boxes") / "f.ttf"
    return Face.load(make_font(path, string.ascii_letters + string.digits + " " + HEBREW))


def set_in(
    face: Face, text: str, posture: dict[str, float], bend_deg: float = 0.0
) -> tuple[Run, Placed, Frame, Boxes]:
    run = shape(face, text, 0.05)
    assert run is not None
    arc = layouts.get("arc")()
    placed = place(
        run,
        posture,
        (lambda points, half: arc.apply(points, half_width=half, bend_deg=bend_deg)) if bend_deg else None,
    )
    cut = frame(placed, FRAME, 14.0)
    assert cut is not None
    return run, placed, cut, boxes_of(text, run, placed, cut)


def ink_of(placed: Placed, cut: Frame, glyphs: list[int]) -> np.ndarray:
    part = dataclasses.replace(placed, glyphs=[placed.glyphs[i] for i in glyphs])
    return rasterise(part, cut.scale, cut.origin, cut.size)


def outside(ink: np.ndarray, quad: list[float]) -> float:
    """How far, in pixels, the middle of any inked pixel lies outside the quadrilateral."""
    ys, xs = np.nonzero(ink > 127)
    contour = np.array(quad, np.float32).reshape(4, 1, 2)
    return -min(cv2.pointPolygonTest(contour, (x + 0.5, y + 0.5), True) for x, y in zip(xs, ys, strict=True))


@pytest.mark.parametrize("text", ["Hamburg", "xIj7", HEBREW])
@pytest.mark.parametrize("bend_deg", [0.0, 120.0, -200.0])
@pytest.mark.parametrize("posture", [UPRIGHT, TILTED], ids=["upright", "tilted"])
def test_each_box_holds_the_ink_of_its_character_alone(
    face: Face, text: str, bend_deg: float, posture: dict[str, float]
) -> None:
    run, placed, cut, boxes = set_in(face, text, posture, bend_deg)
    assert len(boxes.characters) == len(text)
    for character, quad in enumerate(boxes.characters):
        (glyph,) = (i for i, cluster in enumerate(run.clusters) if cluster == character)
        ink = ink_of(placed, cut, [glyph])
        assert outside(ink, quad) < 0.5
        size = cv2.contourArea(np.array(quad, np.float32).reshape(4, 1, 2))
        assert (ink > 127).sum() > 0.25 * size, "these letters fill a third of their boxes or more"
    (word,) = boxes.words
    assert outside(ink_of(placed, cut, list(range(len(text)))), word) < 0.5


def test_corners_go_clockwise_from_where_the_text_begins_at_the_top(face: Face) -> None:
    _, _, cut, boxes = set_in(face, "H", UPRIGHT)
    margin = 0.07 * cut.scale
    right, bottom = margin + 0.5 * cut.scale, margin + 0.7 * cut.scale
    assert boxes.characters[0] == pytest.approx(
        [margin, margin, right, margin, right, bottom, margin, bottom],
        abs=0.01,
    )
    _, _, _, turned = set_in(face, "H", UPRIGHT | {"rotation_deg": 180.0})
    x, y = np.array(turned.characters[0]).reshape(4, 2).T
    assert (x[0], y[0]) == pytest.approx((x.max(), y.max())), (
        "upside down, the text's upper left is lower right"
    )


def test_words_and_spaces(face: Face) -> None:
    _, placed, cut, boxes = set_in(face, "Hi Lo 9", TILTED)
    assert [bool(quad) for quad in boxes.characters] == [True, True, False, True, True, False, True]
    assert len(boxes.words) == 3
    assert outside(ink_of(placed, cut, [2, 3]), boxes.words[1]) < 0.5
    assert outside(ink_of(placed, cut, [1]), boxes.words[1]) > 5


def test_right_to_left_is_boxed_in_logical_order(face: Face) -> None:
    _, _, _, boxes = set_in(face, HEBREW, UPRIGHT)
    lefts = [quad[0] for quad in boxes.characters]
    assert lefts == sorted(lefts, reverse=True), "the first letter is the rightmost"
    assert all(quad[0] < quad[2] for quad in boxes.characters)


@pytest.mark.parametrize(
    "text", ["\u0644\u0627 fi", "fi \u0644\u0627", "fi\u0644\u0627", "\u0644\u0627", "fi"]
)
def test_each_ligature_is_cut_in_its_own_direction(tmp_path: Path, text: str) -> None:
    path = make_font(tmp_path / "f.ttf", "fi \ufb01\u0644\u0627\ufefb")
    with TTFont(path) as font:
        systems = "".join(f"languagesystem {script} dflt;\n" for script in ("DFLT", "latn", "arab"))
        latin, arabic = "sub u0066 u0069 by uFB01;", "sub u0644 u0627 by uFEFB;"
        ligatures = f"feature liga {{ {latin} }} liga; feature rlig {{ {arabic} }} rlig;"
        addOpenTypeFeaturesFromString(font, systems + ligatures)
        font.save(tmp_path / "ligatures.ttf")
    face = Face.load(tmp_path / "ligatures.ttf")
    run = shape(face, text)
    assert run is not None
    assert len(run.glyphs) == len(set(text) & {"f", "\u0644"}), "each pair is one glyph"
    placed = place(run, UPRIGHT)
    cut = frame(placed, FRAME, 14.0)
    assert cut is not None
    left = {
        c: quad[0] for c, quad in zip(text, boxes_of(text, run, placed, cut).characters, strict=True) if quad
    }
    assert "f" not in left or left["f"] < left["i"]
    assert "\u0644" not in left or left["\u0627"] < left["\u0644"]


@pytest.mark.parametrize("from_right", [False, True])
def test_characters_that_share_a_glyph_share_its_width(face: Face, from_right: bool) -> None:
    run, placed, cut, _ = set_in(face, "HI", UPRIGHT)
    clusters = [2, 0] if from_right else [0, 2]  # one glyph for two characters, then one for one
    leftward = frozenset(range(3) if from_right else ())
    ligature = dataclasses.replace(run, clusters=clusters, leftward=leftward)
    first, second, third = boxes_of("ABC", ligature, placed, cut).characters
    width = 0.5 * cut.scale
    assert first[2] - first[0] == pytest.approx(width / 2, abs=0.02)
    assert third[2] - third[0] == pytest.approx(width, abs=0.02)
    assert (first[0] > second[0] > third[0]) == from_right
    assert min(first[0], second[0]) + width / 2 == pytest.approx(max(first[0], second[0]), abs=0.02)


def test_marks_belong_to_their_letter(face: Face) -> None:
    assert graphemes("e\u0301a\u200db\u0903") == [(0, 2), (2, 6)]
    run, placed, cut, plain = set_in(face, "Hx", UPRIGHT)
    marked = dataclasses.replace(run, clusters=[0, 0])
    (quad,) = boxes_of("H\u0301", marked, placed, cut).characters
    assert outside(ink_of(placed, cut, [0, 1]), quad) < 0.5
    assert quad[0] == pytest.approx(plain.characters[0][0])


def test_stacked_and_dancing_letters_are_boxed(face: Face) -> None:
    run = shape(face, "HxI")
    assert run is not None
    vertical = layouts.get("vertical")()
    spots = vertical.arrange(run, 0.0, gap_em=0.1)
    assert spots != spots_of(run)
    spots[1] = spots[1]._replace(along=0.9, up=0.3)
    placed = place(run, TILTED, None, spots, (-1.5, 1.5))
    cut = frame(placed, FRAME, 14.0)
    assert cut is not None
    boxes = boxes_of("HxI", run, placed, cut)
    for glyph, quad in enumerate(boxes.characters):
        assert outside(ink_of(placed, cut, [glyph]), quad) < 0.5
        assert outside(ink_of(placed, cut, [glyph]), boxes.words[0]) < 0.5


@pytest.mark.parametrize("name", [name for name in effects if name != "albumentations"])  # its own tests
def test_no_effect_moves_what_boxes_name(name: str) -> None:
    """An effect may blur or stain an image, but letters stay where their boxes are."""
    scene = cv2.GaussianBlur(stream(0, "scene").integers(0, 256, (96, 192, 3), np.uint8), (0, 0), 4)
    scene = cv2.normalize(scene, None, 20, 235, cv2.NORM_MINMAX)
    effect = effects.get(name)()
    columns = effect.plan(stream(0, "test", name), 12)
    for values in zip(*(column.tolist() for column in columns.values()), strict=True):
        changed = effect.apply(scene, **dict(zip(columns, values, strict=True)))
        assert max(map(abs, shift_px(scene, changed))) < 0.6, values


def shift_px(before: np.ndarray, after: np.ndarray) -> tuple[float, float]:
    """How far a picture moved, by least squares over its slopes, whatever became of its light."""
    old, new = (evenly_lit(image) for image in (before, after))
    slopes = [np.gradient(old, axis=axis)[8:-8, 8:-8].ravel() for axis in (1, 0)]
    known = old[8:-8, 8:-8].ravel()
    gain, x, y = np.linalg.lstsq(np.stack([known, *slopes], 1), new[8:-8, 8:-8].ravel())[0]
    return -x / gain, -y / gain


def evenly_lit(image: np.ndarray) -> np.ndarray:
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 3)
    away = grey - cv2.GaussianBlur(grey, (0, 0), 8)
    return away / (np.sqrt(cv2.GaussianBlur(away**2, (0, 0), 8)) + 1)


def test_a_shift_would_be_seen() -> None:
    scene = cv2.GaussianBlur(stream(0, "scene").integers(0, 256, (96, 192, 3), np.uint8), (0, 0), 4)
    scene = cv2.normalize(scene, None, 20, 235, cv2.NORM_MINMAX)
    moved = cv2.warpAffine(
        scene, np.float32([[1, 0, 1], [0, 1, -2]]), (192, 96), borderMode=cv2.BORDER_REFLECT
    )
    assert shift_px(scene, moved // 2 + 60) == pytest.approx((1.0, -2.0), abs=0.25)


@pytest.mark.parametrize(
    ("boxes", "found"),
    [("none", []), ("words", ["word_boxes"]), ("characters", ["word_boxes", "character_boxes"])],
)
def test_boxes_are_columns_if_asked_for(tmp_path: Path, boxes: str, found: list[str]) -> None:
    make_font(tmp_path / "fonts" / "f.ttf", string.ascii_letters + " ")
    (tmp_path / "words.txt").write_text("Alpha beta\ngamma\n", encoding="utf-8")
    source = {"kind": "word_list", "file": str(tmp_path / "words.txt")}
    table: dict[str, Any] = {
        "fonts": str(tmp_path / "fonts"),
        "charset": string.ascii_letters + " ",
        "words": [{"share": 1.0, "source": source}],
        "boxes": boxes,
    }
    engine = recipe.build(Native, table, where="test")
    render(Recipe(name="test", engine=engine), tmp_path / "out", n=20)
    (shard,) = (tmp_path / "out" / "data").glob("*.parquet")
    stored = pq.read_table(shard)
    assert [name for name in stored.column_names if "boxes" in name] == found
    features = json.loads(stored.schema.metadata[b"huggingface"])["info"]["features"]
    assert all(features[name]["feature"]["feature"]["dtype"] == "float32" for name in found)
    for row in stored.select(["label", "width", "height", *found]).to_pylist():
        if "word_boxes" in row:
            assert len(row["word_boxes"]) == len(row["label"].split())
            x, y = np.array(row["word_boxes"]).reshape(-1, 4, 2).mean(1).T
            assert ((x > 0) & (x < row["width"])).all()
            assert ((y > 0) & (y < row["height"])).all()
        if "character_boxes" in row:
            assert [len(quad) for quad in row["character_boxes"]] == [
                0 if character == " " else 8 for character in row["label"]
            ]
