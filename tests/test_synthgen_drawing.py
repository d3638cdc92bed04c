"""Geometry, colours and legibility, on cases small enough to know the answer."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from font_factory import make_font

from curation.core.rng import stream
from synthgen.colour_space import LUMA, from_rgb, most_chroma, to_rgb
from synthgen.colours import Colours
from synthgen.framing import Framing, frame
from synthgen.glyphs import rasterise
from synthgen.layers import cover
from synthgen.legibility import contrast, fault
from synthgen.placement import Placed, place
from synthgen.shaping import Face, shape

UPRIGHT = {"stretch": 1.0, "slant_deg": 0.0, "skew_deg": 0.0, "rotation_deg": 0.0, "perspective": 0.0}
TIGHT = {f"margin_{side}": 0.0 for side in ("left", "top", "right", "bottom")}


@pytest.fixture
def font_path(tmp_path: Path) -> Path:
    return make_font(tmp_path / "f.ttf", string.ascii_letters)


def stand(font_path: Path, text: str, **posture: float) -> Placed:
    run = shape(Face.load(font_path), text)
    assert run is not None
    return place(run, UPRIGHT | posture)


def test_an_upright_word_is_as_large_as_its_ink(font_path: Path) -> None:
    placed = stand(font_path, "HI")
    assert placed.box == pytest.approx((-0.55, -0.7, 0.55, 0.0), abs=1e-6)
    assert placed.letter_height == pytest.approx(0.7)


def test_a_quarter_turn_swaps_width_and_height_and_goes_anticlockwise(font_path: Path) -> None:
    placed = stand(font_path, "HI", rotation_deg=90)
    assert placed.box == pytest.approx((-0.7, -0.55, 0.0, 0.55), abs=1e-6)
    assert placed.glyphs[0].dy > placed.glyphs[1].dy, "the first letter is at the bottom"


def test_perspective_enlarges_the_end_it_brings_nearer(font_path: Path) -> None:
    placed = stand(font_path, "HHHH", perspective=0.2)
    sizes = np.array([np.hypot(glyph.xy, glyph.yy) for glyph in placed.glyphs])
    assert sizes[-1] > sizes[0] * 1.2
    assert np.all(np.diff(sizes) > 0)


def test_a_straight_line_tried_out_is_the_same_as_none(font_path: Path) -> None:
    run = shape(Face.load(font_path), "Hamburgefy", tracking=0.1)
    assert run is not None
    row = {"stretch": 1.2, "slant_deg": 12.0, "skew_deg": -8.0, "rotation_deg": 20.0, "perspective": 0.15}
    known, tried = place(run, row), place(run, row, lambda points, half: points)
    np.testing.assert_allclose(np.array(known.glyphs), np.array(tried.glyphs), atol=1e-9)
    np.testing.assert_allclose(known.box, tried.box, atol=1e-9)


def test_glyphs_follow_the_map_to_first_order(font_path: Path) -> None:
    run = shape(Face.load(font_path), "HHH")
    assert run is not None
    row = {"stretch": 1.2, "slant_deg": 10.0, "skew_deg": 5.0, "rotation_deg": 15.0, "perspective": 0.2}
    half = (run.right - run.left) / 2 * 1.2

    def seen(x: float, y: float) -> np.ndarray:
        """The map itself, written out: stretch, slant, perspective, slope, rotation, rows growing down."""
        x = (x - (run.left + run.right) / 2) * 1.2 + np.tan(np.deg2rad(10)) * y
        depth = 1 - 0.2 * x / half
        x, y = x / depth, (y + np.tan(np.deg2rad(5)) * x) / depth
        cos, sin = np.cos(np.deg2rad(15)), np.sin(np.deg2rad(15))
        return np.array([cos * x - sin * y, -(sin * x + cos * y)])

    for (_, ink, x, y), placed in zip(run.glyphs, place(run, row).glyphs, strict=True):
        matrix = np.array([[placed.xx, placed.xy], [placed.yx, placed.yy]])
        middle = matrix @ [ink.x, ink.y] + [placed.dx, placed.dy]
        np.testing.assert_allclose(middle, seen(x + ink.x, y + ink.y), atol=1e-9)
        for column, (dx, dy) in enumerate(((1e-5, 0), (0, 1e-5))):
            slope = (seen(x + ink.x + dx, y + ink.y + dy) - seen(x + ink.x, y + ink.y)) / 1e-5
            np.testing.assert_allclose(matrix[:, column], slope, atol=1e-4)


def test_slant_leans_letters_to_the_right_and_stretch_widens_them(font_path: Path) -> None:
    assert stand(font_path, "H", slant_deg=45).box[2] == pytest.approx(0.25 + 0.7, abs=1e-3)
    assert stand(font_path, "HI", stretch=1.3).box[2] == pytest.approx(0.55 * 1.3, abs=1e-6)


def test_the_image_is_as_high_as_planned_and_grows_for_small_letters(font_path: Path) -> None:
    row = {"height_px": 48, **TIGHT}
    plain = frame(stand(font_path, "HI"), row, 14.0)
    assert plain is not None
    assert plain.size == (76, 48)
    turned = frame(stand(font_path, "HIHIHIHI", rotation_deg=45), row, 14.0)
    assert turned is not None
    assert turned.size[1] > 48
    assert frame(stand(font_path, "H" * 25, rotation_deg=45), row, 60.0) is None, "more than MOST_PIXELS"


def test_all_ink_is_inside_the_frame(font_path: Path) -> None:
    margins = {name: 0.05 for name in TIGHT}
    rng = stream(0, "test")
    for text in ("HI", "jolly", "Ag", "l"):
        posture = {"slant_deg": rng.normal(0, 8), "rotation_deg": rng.normal(0, 20), "perspective": 0.1}
        placed = stand(font_path, text, **posture)
        cut = frame(placed, {"height_px": 48, **margins}, 14.0)
        assert cut is not None
        mask = rasterise(placed, cut.scale, cut.origin, cut.size)
        assert mask.shape == cut.size[::-1]
        assert mask.max() == 255
        assert not mask[0].any()
        assert not mask[-1].any()
        assert not mask[:, 0].any()
        assert not mask[:, -1].any()


def test_glyphs_are_drawn_upright_where_they_belong(font_path: Path) -> None:
    placed = stand(font_path, "P")  # 0x50: no tooth but the left stem and the foot
    cut = frame(placed, {"height_px": 70, **TIGHT}, 14.0)
    assert cut is not None
    mask = rasterise(placed, cut.scale, cut.origin, cut.size)
    assert mask[5, 2] == 255, "the stem reaches the top"
    assert mask[65, 45] == 255, "the foot is at the bottom"
    assert mask[5, 45] == 0


def test_overlapping_glyphs_do_not_cancel_out(font_path: Path) -> None:
    run = shape(Face.load(font_path), "PP", tracking=-0.5)
    assert run is not None
    placed = place(run, UPRIGHT)
    cut = frame(placed, {"height_px": 70, **TIGHT}, 14.0)
    assert cut is not None
    assert (rasterise(placed, cut.scale, cut.origin, cut.size)[60:69] == 255).all()


def test_planned_margins_stay_within_their_ranges() -> None:
    columns = Framing(tight=(0.0, 0.1), loose=(0.2, 0.3), cut=0.05, shares=(0.5, 0.3, 0.2)).plan(
        lambda *key: stream(0, *key), 20_000
    )
    left = columns["margin_left"]
    assert (left < 0).mean() == pytest.approx(0.2, abs=0.01)
    assert (left >= 0.2).mean() == pytest.approx(0.3, abs=0.01)
    assert left.min() >= -0.05
    assert left.max() <= 0.3
    assert not ((left > 0.1) & (left < 0.2)).any()


def test_colours_have_exactly_the_planned_luma() -> None:
    rng = stream(0, "test")
    luma, chroma, hue = rng.uniform(0, 255, 5000), rng.uniform(0, 180, 5000), rng.uniform(0, 360, 5000)
    rgb = to_rgb(luma, chroma, hue)
    assert rgb.min() >= 0
    assert rgb.max() <= 255
    np.testing.assert_allclose(rgb @ LUMA, luma, atol=0.51)


def test_colours_and_their_luma_chroma_and_hue_go_both_ways() -> None:
    rng = stream(0, "test")
    rgb = rng.integers(0, 256, (2000, 3)).astype(float)
    luma, chroma, hue = from_rgb(rgb)
    assert (chroma <= most_chroma(luma, hue) + 1e-6).all(), "what RGB shows, it holds"
    np.testing.assert_allclose(to_rgb(luma, chroma, hue), rgb, atol=1)
    bright_yellow, bright_blue = most_chroma(np.array([220.0, 220.0]), np.array([172.0, -8.0]))
    assert bright_yellow > 3 * bright_blue


def test_text_reaches_for_white_or_black_as_told() -> None:
    for reach, nearest in (((50.0, 0.5), 0.0), ((0.5, 50.0), 1.0)):
        columns = Colours(light_reach=reach, dark_reach=reach).plan(lambda *key: stream(0, *key), 5000)
        text, ground = (
            np.stack([columns[f"{name}_{c}"].astype(float) for c in "rgb"], -1) @ LUMA
            for name in ("text", "background")
        )
        end = np.where(text > ground, 255.0, 0.0)
        room = np.maximum(255 - np.abs(text - ground), 1)
        assert np.median(np.abs(text - end) / room) == pytest.approx(nearest, abs=0.1)


def test_hue_room_makes_light_grounds_yellow_and_dark_ones_red_or_blue() -> None:
    chroma = (20.0, 30.0, 40.0, 60.0, 80.0, 100.0, 120.0)
    model = Colours(hue_room=3.0, hues=(1.0,) * 8, background_chroma=chroma)
    columns = model.plan(lambda *key: stream(0, *key), 10_000)
    rgb = np.stack([columns[f"background_{c}"].astype(float) for c in "rgb"], -1)
    luma, chroma, hue = from_rgb(rgb)
    eighth = hue % 360 // 45
    assert np.median(luma[(eighth == 3) & (chroma > 30)]) > 120, "yellow and orange"
    assert np.median(luma[(eighth == 0) & (chroma > 30)]) < 80, "violet-blue"


def test_planned_contrast_is_never_below_its_least() -> None:
    model = Colours()
    columns = model.plan(lambda *key: stream(0, *key), 20_000)
    text, ground = (
        np.stack([columns[f"{name}_{c}"].astype(float) for c in "rgb"], -1) for name in ("text", "background")
    )
    difference = (text - ground) @ LUMA
    assert abs(difference).min() >= model.contrast[0] - 1.1, "but for rounding"
    assert (difference > 0).mean() == pytest.approx(model.light_text, abs=0.01)


def test_blending_covers_by_mask_and_opacity() -> None:
    image = np.full((1, 3, 3), 200, np.uint8)
    mask = np.array([[0, 128, 255]], np.uint8)
    np.testing.assert_array_equal(
        cover(image, (100, 0, 50), mask)[0], [[200] * 3, [150, 100, 125], [100, 0, 50]]
    )
    half = cover(image, (100, 0, 50), mask, 0.5)[0, 2].astype(int)
    np.testing.assert_allclose(half, [150, 100, 125], atol=1)


def scene(text_grey: int, ground: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    card = np.empty((40, 90, 3), np.uint8)
    card[:] = ground
    mask = np.zeros((40, 90), np.uint8)
    mask[10:30, 10:80] = 255
    return card, cover(card, (text_grey,) * 3, mask), mask


@pytest.mark.parametrize(
    ("text_grey", "ground", "reason"),
    [
        (120, 100, None),
        (119, 100, "low_contrast"),
        (80, 100, None),
        (81, 100, "low_contrast"),
        (0, 255, None),
    ],
)
def test_contrast_is_measured_in_luma_on_what_is_drawn(
    text_grey: int, ground: int, reason: str | None
) -> None:
    assert fault(*scene(text_grey, ground), 20.0) == reason


def test_red_on_green_of_the_same_luma_cannot_be_read() -> None:
    red, green = to_rgb(np.array([120.0, 120.0]), np.array([80.0, 80.0]), np.array([90.0, 270.0]))
    card = np.empty((40, 90, 3), np.uint8)
    card[:] = green
    mask = np.zeros((40, 90), np.uint8)
    mask[10:30, 10:80] = 255
    assert fault(card, cover(card, tuple(red.astype(int).tolist()), mask), mask, 20.0) == "low_contrast"


def test_a_word_that_vanishes_into_part_of_its_ground_cannot_be_read() -> None:
    stripes = np.zeros((40, 90, 3), np.uint8)
    stripes[:, 50:] = 200
    card, image, mask = scene(200, stripes)
    assert fault(card, image, mask, 20.0) == "low_contrast", "a third of the letters is lost"


def test_an_outline_saves_letters_of_the_colour_of_their_ground() -> None:
    card, _, mask = scene(100, 100)
    grown = cv2.dilate(mask, np.ones((7, 7), np.uint8))
    outlined = cover(cover(card, (0, 0, 0), grown), (100, 100, 100), mask)
    assert fault(card, outlined, mask, 20.0, outline_px=3) is None
    assert fault(card, outlined, mask, 20.0) == "low_contrast", "without being told of the outline"


def test_nothing_drawn_is_blank() -> None:
    card, image, mask = scene(0, 255)
    assert fault(card, image, mask // 4, 20.0) == "blank"


def test_contrast_of_a_finished_image_is_between_means() -> None:
    _, image, mask = scene(50, 180)
    assert contrast(image, mask) == pytest.approx(130)
