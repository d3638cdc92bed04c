"""Words cut out of photos: exact where pixels can be told, straight where text was bent."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from published_sets import picture

from curation.cropping import Cropping, OutlineError, OutsideError, corners, crop_box

PHOTO = picture("photo", (60, 40))
BOX = (10, 5, 30, 20)
RECTIFY = Cropping(crop="rectify")


def cut(outline: Any, **options: Any) -> np.ndarray:
    return Cropping(**options).cut(PHOTO, outline)


def refusal(outline: Any, photo: np.ndarray = PHOTO, **options: Any) -> str:
    with pytest.raises((OutlineError, OutsideError)) as caught:
        Cropping(**options).cut(photo, outline)
    return f"{type(caught.value).__name__}: {caught.value}"


@pytest.mark.parametrize("crop", ["box", "rectify"])
@pytest.mark.parametrize("pad_px", [0, 3])
def test_upright_boxes_are_cut_exactly(crop: str, pad_px: int) -> None:
    expected = PHOTO[5 - pad_px : 25 + pad_px, 10 - pad_px : 40 + pad_px]
    np.testing.assert_array_equal(cut(corners(BOX), crop=crop, pad_px=pad_px), expected)


@pytest.mark.parametrize("crop", ["box", "rectify"])
def test_what_lies_outside_is_clipped(crop: str) -> None:
    np.testing.assert_array_equal(cut(corners((-7, -5, 20, 15)), crop=crop), PHOTO[:10, :13])
    np.testing.assert_array_equal(cut(corners((50, 30, 20, 15)), crop=crop), PHOTO[30:, 50:])
    assert cut(corners((0, 0, 60, 40)), crop=crop, pad_px=9).shape == PHOTO.shape


def test_least_box_around_an_outline() -> None:
    outline = (10.4, 12, 20, 5.5, 39.2, 11, 25, 24.9, 15, 20)
    np.testing.assert_array_equal(cut(outline), PHOTO[5:25, 10:40])
    np.testing.assert_array_equal(cut((10, 5, 40, 5, 10, 25)), PHOTO[5:25, 10:40])
    np.testing.assert_array_equal(cut((10, 5, 40, 5, 10, 25), crop="rectify"), PHOTO[5:25, 10:40])


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_the_first_point_is_the_upper_left_of_the_text(turns: int) -> None:
    turned = np.roll(np.reshape(corners(BOX), (4, 2)), -turns, axis=0)
    np.testing.assert_array_equal(RECTIFY.cut(PHOTO, turned.ravel()), np.rot90(PHOTO[5:25, 10:40], turns))


def test_text_is_never_mirrored() -> None:
    left, top, width, height = BOX
    other_way = (left, top, left, top + height, left + width, top + height, left + width, top)
    np.testing.assert_array_equal(RECTIFY.cut(PHOTO, other_way), PHOTO[5:25, 10:40])


@pytest.mark.parametrize(("n_upper", "n_lower"), [(2, 2), (2, 3), (3, 2), (3, 3), (5, 4), (7, 7)])
def test_points_on_straight_sides_change_nothing(n_upper: int, n_lower: int) -> None:
    upper = [(x, 5) for x in np.linspace(10, 40, n_upper)]
    lower = [(x, 25) for x in np.linspace(40, 10, n_lower)]
    np.testing.assert_array_equal(RECTIFY.cut(PHOTO, np.ravel(upper + lower)), PHOTO[5:25, 10:40])


def smooth(size: tuple[int, int] = (160, 40)) -> np.ndarray:
    return cv2.resize(picture("text", (9, 4)), size, interpolation=cv2.INTER_CUBIC)


def difference(straight: np.ndarray, text: np.ndarray) -> float:
    resized = cv2.resize(straight, text.shape[1::-1], interpolation=cv2.INTER_AREA)
    return float(np.abs(resized.astype(float) - text)[2:-2, 2:-2].mean())


def test_perspective_is_undone() -> None:
    text = smooth()
    quad = np.array([[30, 60], [250, 20], [262, 70], [45, 150]], np.float32)
    card = np.array([[0, 0], [160, 0], [160, 40], [0, 40]], np.float32)
    photo = cv2.warpPerspective(text, cv2.getPerspectiveTransform(card, quad), (300, 200))
    straight = RECTIFY.cut(photo, quad.ravel())
    width = (math.dist(quad[0], quad[1]) + math.dist(quad[3], quad[2])) / 2
    assert straight.shape[1] == math.ceil(width)
    assert difference(straight, text) < 3
    assert difference(Cropping().cut(photo, quad.ravel()), text) > 20


def arc(degrees: np.ndarray, radius: float) -> list[tuple[float, float]]:
    turned = np.radians(degrees)
    return list(zip(150 + radius * np.cos(turned), 160 + radius * np.sin(turned), strict=True))


@pytest.mark.parametrize("missing", [None, 1, 12])
def test_curved_text_is_straightened(missing: int | None) -> None:
    text = smooth()
    y, x = np.mgrid[0:200, 0:300].astype(np.float32)
    angle, radius = np.degrees(np.arctan2(y - 160, x - 150)), np.hypot(x - 150, y - 160)
    photo = cv2.remap(text, (angle + 135) / 90 * 160 - 0.5, 140 - radius - 0.5, cv2.INTER_LINEAR)
    degrees = np.linspace(-135, -45, 7)
    outline = arc(degrees, 140) + arc(degrees[::-1], 100)
    if missing is not None:  # an odd number of points
        del outline[missing]
    straight = RECTIFY.cut(photo, np.ravel(outline))
    assert straight.shape[1] > 3.5 * straight.shape[0]
    assert difference(straight, text) < (6 if missing is None else 14)


@pytest.mark.parametrize(
    ("outline", "message"),
    [
        ((1, 1, 2, 2), "OutlineError: an outline of 4 numbers, expected x and y of 3 or more points"),
        (
            (1, 1, 2, 2, 3, 4, 5),
            "OutlineError: an outline of 7 numbers, expected x and y of 3 or more points",
        ),
        (
            (0, 0, 9, math.nan, 9, 9),
            "OutlineError: an outline that is not finite: [0, 0, 9, nan, 9, 9]",
        ),
        (
            (0, 0, math.inf, 0, 9, 9),
            "OutlineError: an outline that is not finite: [0, 0, inf, 0, 9, 9]",
        ),
        ((0, 0, 5, 5, 9, 9), "OutlineError: an outline without area, 9 wide and 9 high"),
        ((3, 3, 3, 3, 3, 3), "OutlineError: an outline without area, 0 wide and 0 high"),
        ((3, 3, 9, 3, 3, 3, 9, 3), "OutlineError: an outline without area, 6 wide and 0 high"),
    ],
)
@pytest.mark.parametrize("crop", ["box", "rectify"])
def test_outlines_that_no_word_has(outline: tuple[float, ...], message: str, crop: str) -> None:
    assert refusal(outline, crop=crop) == message


def test_nothing_inside_the_photo() -> None:
    outside = corners((60, 5, 10, 10))
    assert refusal(outside) == "OutsideError: the box (60, 5, 10, 10) has no pixel in a photo of 60x40"
    assert refusal(outside, crop="rectify") == "OutsideError: the outline has no pixel in a photo of 60x40"


def test_an_endless_outline_takes_no_memory() -> None:
    huge = corners((-1e6, -1e6, 2e6, 2e6))
    assert cut(huge).shape == PHOTO.shape
    assert refusal(huge, crop="rectify") == (
        "OutlineError: an outline 2000000 long and 2000000 high in a photo of 60x40"
    )
    endless = corners((-1e12, -1e12, 2e12, 2e12))
    assert cut(endless).shape == PHOTO.shape
    assert refusal(endless, crop="rectify") == "OutlineError: an outline that reaches 1e+12 pixels far"
    assert refusal(corners((-1e300, 0, 2e300, 1e300))) == (
        "OutlineError: an outline without area, 2e+300 wide and 1e+300 high"
    )


def test_options_are_checked() -> None:
    with pytest.raises(ValueError, match=r"^pad_px is -1; it must be from 0 to 1000$"):
        Cropping(pad_px=-1)


coordinates = st.floats(-100, 200, width=32)


@given(st.lists(coordinates, min_size=6, max_size=24).filter(lambda values: not len(values) % 2))
def test_any_outline_gives_pixels_or_a_reason(outline: list[float]) -> None:
    for crop in ("box", "rectify"):
        try:
            pixels = Cropping(crop=crop, pad_px=2).cut(PHOTO, outline)
        except (OutlineError, OutsideError):
            continue
        assert pixels.dtype == np.uint8
        assert pixels.ndim == 3
        assert 0 < pixels.size <= 3 * 10 * PHOTO.shape[0] * PHOTO.shape[1]


@pytest.mark.parametrize(
    ("box", "shape"),
    [
        pytest.param((0, 0, 6, 4), (4, 6), id="the whole photo"),
        pytest.param((1, 1, 2, 2), (2, 2), id="inside"),
        pytest.param((0.5, 0.5, 1, 1), (2, 2), id="touched pixels belong to it"),
        pytest.param((-9, -9, 99, 99), (4, 6), id="clipped on all sides"),
        pytest.param((5, 3, 1, 1), (1, 1), id="the last pixel"),
        pytest.param((6, 0, 1, 1), None, id="right of the photo"),
        pytest.param((0, -1, 6, 1), None, id="above the photo"),
        pytest.param((1, 1, 0, 2), None, id="no width"),
        pytest.param((3, 1, -2, 2), None, id="negative width"),
    ],
)
def test_crop_box(box: tuple[float, float, float, float], shape: tuple[int, int] | None) -> None:
    photo = picture("photo", (6, 4))
    if shape is None:
        with pytest.raises(OutsideError, match="has no pixel in a photo of 6x4"):
            crop_box(photo, box)
    else:
        assert crop_box(photo, box).shape[:2] == shape
