"""Fills, decorations, blends: contracts over all of them, exact small cases, and that words stay legible."""

from __future__ import annotations

import string
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from font_factory import make_font

from curation.core import recipe
from curation.core.errors import UserError
from curation.core.images import Pixels
from curation.core.rng import stream
from synthgen.blends import blends
from synthgen.choices import Columns
from synthgen.colour_space import LUMA
from synthgen.decorations import decorations
from synthgen.decorations.extrusion import sweep
from synthgen.engines.base import UnfitError
from synthgen.engines.native import Native
from synthgen.ink import Ink, Painter, contour, hollowed
from synthgen.layers import away_from, card, cover, luma_of, mix, shaded, soften
from synthgen.legibility import contrast, fault

TEXT = (220, 40, 60)


def word_mask(text: str = "Ham", width: int = 120) -> Pixels:
    mask = np.zeros((48, width), np.uint8)
    return cv2.putText(mask, text, (8, 36), cv2.FONT_HERSHEY_DUPLEX, 1.2, 255, 5, cv2.LINE_AA)


def texture(shape: tuple[int, int] = (48, 120)) -> Pixels:
    noise = stream(0, "test", "texture").integers(90, 170, (12, 30, 3)).astype(np.uint8)
    return cv2.resize(noise, shape[::-1], interpolation=cv2.INTER_CUBIC)


def rows(columns: Columns) -> list[dict[str, Any]]:
    n = len(next(iter(columns.values()))) if columns else 1
    values = [column.tolist() for column in columns.values()]
    return [dict(zip(columns, row, strict=True)) for row in zip(*values, strict=True)] or [{}] * n


@pytest.mark.parametrize("name", list(decorations))
class TestEveryDecoration:
    def test_is_pure_and_keeps_the_shape(self, name: str) -> None:
        component, image, mask = decorations.get(name)(), texture(), word_mask()
        before = image.copy(), mask.copy()
        for row in rows(component.plan(stream(0, "test", name), 20)):
            facts: dict[str, Any] = {"mask": mask, "text": TEXT, "letter_px": 34.0}
            first = component.apply(image, **facts, **row)
            assert (first.shape, first.dtype) == (image.shape, np.uint8)
            np.testing.assert_array_equal(first, component.apply(image, **facts, **row))
            assert (first != image).any()
        np.testing.assert_array_equal(image, before[0])
        np.testing.assert_array_equal(mask, before[1])

    def test_bears_letters_of_any_size_and_colour(self, name: str) -> None:
        component = decorations.get(name)()
        for row in rows(component.plan(stream(1, "test", name), 10)):
            for text in ((0, 0, 0), (255, 255, 255), (128, 128, 128), (0, 0, 255)):
                for mask, letter_px in ((np.full((8, 9), 255, np.uint8), 8.0), (word_mask(), 400.0)):
                    image = card((90, 120, 60), mask.shape)
                    assert component.apply(image, mask=mask, text=text, letter_px=letter_px, **row).any()

    def test_refuses_ranges_that_make_no_sense(self, name: str) -> None:
        fields = [f for f, v in recipe.resolved(decorations.get(name)()).items() if isinstance(v, list)]
        assert fields
        for field in fields:
            with pytest.raises(ValueError, match=field):
                decorations.get(name)(**{field: (float("nan"), 1.0)})
            with pytest.raises(ValueError, match=field):
                decorations.get(name)(**{field: (-1.0, 1.0)})


@pytest.mark.parametrize("name", list(blends))
class TestEveryBlend:
    def test_is_pure_and_leaves_what_no_letter_covers(self, name: str) -> None:
        component, ground, mask = blends.get(name)(), texture(), word_mask()
        paint, before = card(TEXT, mask.shape), ground.copy()
        far = cv2.dilate(mask, np.ones((9, 9), np.uint8)) == 0
        for row in rows(component.plan(stream(0, "test", name), 5)):
            drawn = component.apply(ground, paint=paint, mask=mask, opacity=1.0, **row)
            again = component.apply(ground, paint=paint, mask=mask, opacity=1.0, **row)
            assert (drawn.shape, drawn.dtype) == (ground.shape, np.uint8)
            np.testing.assert_array_equal(drawn, again)
            off = np.abs(drawn[far].astype(int) - ground[far])
            assert np.median(off) <= (12 if name == "poisson" else 0), "Poisson moves the ground a little"
        np.testing.assert_array_equal(ground, before)

    @pytest.mark.parametrize("text", [(20, 30, 25), (240, 235, 245)])
    def test_gives_a_smooth_ground_letters_of_their_colour(self, name: str, text: Any) -> None:
        component, mask = blends.get(name)(), word_mask()
        ground = card((130, 120, 110), mask.shape)
        for row in rows(component.plan(stream(0, "test", name), 3)):
            drawn = component.apply(ground, paint=card(text, mask.shape), mask=mask, opacity=1.0, **row)
            np.testing.assert_allclose(np.median(drawn[mask == 255], axis=0), text, atol=16)


def test_a_sweep_covers_its_way_and_nothing_else() -> None:
    mask = np.zeros((9, 20), np.uint8)
    mask[4, 3] = 255
    for length in (0.0, 1.0, 5.0, 7.0):
        swept = sweep(mask, length, 0.0)
        np.testing.assert_array_equal(np.nonzero(swept[4])[0], np.arange(3, 4 + int(length)))
        assert not np.delete(swept, 4, axis=0).any()
    up = sweep(mask, 3.0, 90.0)
    np.testing.assert_array_equal(np.nonzero(up[:, 3])[0], [1, 2, 3, 4])


def test_extruded_letters_are_told_from_their_sides() -> None:
    component = decorations.get("extrusion")()
    for text in ((0, 0, 0), (30, 20, 10), (255, 255, 255), (200, 40, 40), (60, 60, 60)):
        for row in rows(component.plan(stream(0, "test"), 20)):
            mask = word_mask()
            image = component.apply(card((1, 2, 3), mask.shape), mask=mask, text=text, letter_px=34.0, **row)
            side = image[mask == 255].mean(axis=0)
            assert abs(side @ LUMA - luma_of(text)) >= component.contrast - 1.5


def test_embossed_letters_are_lit_from_where_the_light_comes() -> None:
    mask = np.zeros((40, 40), np.uint8)
    mask[10:30, 10:30] = 255
    flat = card((120, 120, 120), mask.shape)
    image = decorations.get("emboss")().apply(
        flat,
        mask=mask,
        text=(120,) * 3,
        letter_px=30.0,
        width=0.1,
        levels=60.0,
        light_deg=90.0,
        outside=False,
    )
    column = image[:, 20, 0].astype(int)
    assert column[10] > 140, "the upper edge faces the light"
    assert column[29] < 100, "the lower turns away"
    assert column[20] == 120
    assert (column[:10] == 120).all(), "not outside the letters"


def test_a_glow_is_strongest_at_the_letters_and_fades() -> None:
    mask = np.zeros((60, 60), np.uint8)
    mask[20:40, 20:40] = 255
    row = {"reach": 0.15, "strength": 1.0, "at": 1.0, "chroma": 0.0, "hue_deg": 0.0}
    image = decorations.get("glow")().apply(
        card((0, 0, 0), mask.shape), mask=mask, text=(0, 0, 0), letter_px=30.0, **row
    )
    line = image[30, :20, 0].astype(int)
    assert (np.diff(line) >= 0).all()
    assert line[0] == 0
    assert line[-1] > 180


def test_a_contour_is_as_wide_as_asked_and_thin_strokes_stay() -> None:
    mask = np.zeros((30, 60), np.uint8)
    mask[5:25, 5:25] = 255
    mask[5:25, 40:42] = 255
    ring = contour(mask, 2.0)
    assert (ring[15, 5:25] > 0).nonzero()[0].tolist() == [0, 1, 18, 19]
    np.testing.assert_array_equal(ring[:, 40:42], mask[:, 40:42])


def test_only_heavy_letters_of_much_contrast_are_hollow() -> None:
    heavy, thin = np.zeros((2, 40, 60), np.uint8)
    heavy[5:35, 5:35] = 255
    thin[5:35, 10:13] = 255
    row: dict[str, Any] = {"hollow_width": 0.05}
    row |= {f"{name}_{c}": level for name, level in (("text", 250), ("background", 20)) for c in "rgb"}
    np.testing.assert_array_equal(hollowed(heavy, row, 30.0), contour(heavy, 1.5))
    assert hollowed(thin, row, 30.0) is thin
    assert hollowed(heavy, row | {f"background_{c}": 190 for c in "rgb"}, 30.0) is heavy


def test_a_shadow_does_not_darken_letters_that_stain() -> None:
    blend = {"blends": [{"share": 1, "blend": {"kind": "stain"}}]}
    ink = recipe.build(Ink, blend | {"shadow": 1.0, "outline": 0.0, "fade": 0.0}, where="t")
    row = rows(ink.plan(lambda *key: stream(0, *key), 1))[0] | {"shadow_strength": 1.0}
    row |= {f"{name}_{c}": level for name, level in (("text", 90), ("background", 200)) for c in "rgb"}
    mask = word_mask()
    image = Painter(ink).paint(card((200, 200, 200), mask.shape), mask, row, 34.0)
    np.testing.assert_allclose(image[mask == 255], 90, atol=1)
    assert image.min() < 40, "the shadow itself is there"


def test_softening_keeps_the_sum_and_has_the_width_asked_for() -> None:
    dot = np.zeros((101, 101), np.uint8)
    dot[45:56, 45:56] = 255
    for sigma in (2.0, 5.0, 9.0):
        soft = soften(dot, sigma).astype(float)
        x = np.arange(101) - 50.0
        spread = np.sqrt((soft.sum(axis=0) * x**2).sum() / soft.sum())
        assert spread == pytest.approx(np.hypot(sigma, np.sqrt(10.0)), rel=0.12)


def test_colours_kept_apart() -> None:
    for level in (0, 60, 128, 200, 255):
        for at in np.linspace(0, 1, 11):
            made = away_from((level,) * 3, 60.0, float(at), 40.0, 200.0)
            assert abs(luma_of(made) - level) >= 59
    assert shaded((200, 100, 100), 60.0)[0] > shaded((200, 100, 100), 60.0)[1], "the hue stays"
    assert luma_of(shaded((200, 100, 100), 60.0)) == pytest.approx(60, abs=1)


def test_grain_keeps_the_grounds_detail_in_the_letters() -> None:
    ground, mask = texture(), word_mask()
    paint, inside = card((60, 60, 60), mask.shape), mask == 255
    grain = blends.get("grain")().apply(ground, paint=paint, mask=mask, opacity=1.0, strength=1.0)
    plain = mix(ground, paint, mask)
    assert plain[inside].std() == 0
    assert grain[inside].std() > 5
    np.testing.assert_allclose(grain[inside].mean(axis=0), 60, atol=4)


def test_stain_darkens_by_factors() -> None:
    ground = card((200, 200, 200), (4, 4))
    ground[:, 2:] = 100
    mask = np.full((4, 4), 255, np.uint8)
    drawn = blends.get("stain")().apply(ground, paint=card((75, 75, 75), mask.shape), mask=mask, opacity=1.0)
    assert drawn[0, 0].tolist() == [100] * 3
    assert drawn[0, 3].tolist() == [50] * 3


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    make_font(tmp_path / "fonts" / "a.ttf", string.ascii_letters)
    (tmp_path / "words.txt").write_text("Alpha\nbeta\nGAMMA\ndelta\n", encoding="utf-8")

    def build(**ink: Any) -> Native:
        table = {
            "fonts": str(tmp_path / "fonts"),
            "charset": string.ascii_letters,
            "words": [{"share": 1.0, "source": {"kind": "word_list", "file": str(tmp_path / "words.txt")}}],
            "backgrounds": [{"share": 1, "background": {"kind": kind}} for kind in ("plain", "texture")],
            "ink": ink,
        }
        return recipe.build(Native, table, where="test.toml")

    return build


INKS: dict[str, dict[str, Any]] = {
    "hollow": {"hollow": 1.0, "outline": 0.0},
    "fills": {"fills": [{"share": 1, "fill": {"kind": kind}} for kind in ("gradient", "texture", "photo")]},
    "coloured": {
        "outline": 1.0, "outline_coloured": 1.0, "shadow": 1.0, "shadow_coloured": 1.0, "shadow_hard": 0.5,
    },
    **{name: {"decorations": [{"share": 1.0, "decoration": {"kind": name}}]} for name in decorations},
    **{name: {"blends": [{"share": 1.0, "blend": {"kind": name}}]} for name in blends},
}  # fmt: skip


@pytest.mark.parametrize("name", INKS)
def test_every_ink_leaves_words_legible_and_is_rarely_refused(engine: Any, name: str) -> None:
    native = engine(**INKS[name])
    columns = native.plan(3, 0)
    drawn, reasons = 0, []
    for row in rows({key: column[:60] for key, column in columns.items()}):
        try:
            image = native.draw(row).image
        except UnfitError as error:
            reasons.append(str(error))
            continue
        drawn += 1
        letters = native._typesetter.set(row)
        word = hollowed(letters.word, row, letters.letter_px) if row["hollow"] else letters.word
        assert contrast(image, word) >= native.least_contrast_after
    assert set(reasons) <= {"low_contrast", "smeared", "faint"}, reasons
    assert drawn >= 50, reasons


def test_what_is_off_leaves_all_other_columns_as_they_were(engine: Any) -> None:
    plain = engine().plan(0, 0)
    more = engine(
        hollow=0.3,
        outline_coloured=0.5,
        shadow_hard=0.5,
        decorations=[{"share": 0.2, "decoration": {"kind": "glow"}}],
        fills=[{"share": 1, "fill": {"kind": kind}} for kind in ("plain", "gradient")],
    ).plan(0, 0)
    changed = {key for key in plain if (plain[key] != more[key]).any()}
    outline = {"outline_r", "outline_g", "outline_b"}
    assert changed == {"hollow", "hollow_width", "shadow_blur", "fill"} | outline


def test_letters_on_a_halo_of_their_own_brightness_are_smeared() -> None:
    mask = word_mask()
    ground = card((20, 20, 20), mask.shape)
    halo = cover(ground, (230, 230, 230), soften(cv2.dilate(mask, np.ones((15, 15), np.uint8)), 2.0))
    image = cover(halo, (235, 235, 235), mask)
    assert fault(ground, image, mask, 20.0) is None, "the letters differ from the ground they cover"
    assert fault(ground, image, mask, 20.0, beside_px=2.5) == "smeared"
    assert fault(ground, cover(halo, (150, 150, 150), mask), mask, 20.0, beside_px=2.5) is None


@pytest.mark.parametrize(
    ("lost", "reason"), [(0, None), (10, None), (14, "low_contrast"), (24, "low_contrast")]
)
def test_a_letter_that_cannot_be_seen_is_not_made_up_for_by_the_others(lost: int, reason: str | None) -> None:
    """The last of ten letters blends into its ground over ``lost`` of its 24 rows."""
    mask = np.zeros((32, 130), np.uint8)
    for letter in range(10):
        mask[4:28, 4 + 12 * letter : 10 + 12 * letter] = 255
    mask[1:3, 60:62] = 255
    ground = card((20, 20, 20), mask.shape)
    image = cover(ground, (200, 200, 200), mask)
    image[1:3, 60:62] = 20  # a speck of four pixels is no letter
    image[4 : 4 + lost, 108:] = 30
    assert fault(ground, image, mask, 20.0) == reason
    image[4:28, 108:] = ground[4:28, 108:] + 25
    assert fault(ground, image, mask, 20.0) is None, "faint as it is, it stands out"


def test_painting_in_full_is_pure() -> None:
    ink = Ink(outline=1.0, shadow=1.0)
    row = rows(ink.plan(lambda *key: stream(0, *key), 1))[0] | {
        "text_r": 250, "text_g": 250, "text_b": 250, "background_r": 9, "background_g": 9, "background_b": 9,
    }  # fmt: skip
    ground, mask = texture(), word_mask()
    before = ground.copy()
    first = Painter(ink).paint(ground, mask, row, 34.0)
    np.testing.assert_array_equal(first, Painter(ink).paint(ground, mask, row, 34.0))
    np.testing.assert_array_equal(ground, before)


@pytest.mark.parametrize(
    ("ink", "message"),
    [
        ({"hollow": 2.0}, "test.toml, ink: hollow must be from 0 to 1, got 2."),
        ({"hollow": float("nan")}, "test.toml, ink, hollow is nan. Give a finite number."),
        ({"fills": []}, "test.toml, ink: fills have no share above 0, so nothing can be drawn."),
        (
            {"decorations": [{"share": 0.1, "decoration": {"kind": "glwo"}}]},
            "unknown decoration 'glwo' in test.toml, ink, decorations[0], decoration. Did you mean 'glow'?",
        ),
        (
            {"blends": [{"share": 1, "blend": {"kind": "alpha"}}] * 2},
            "test.toml, ink: 'alpha' stands twice; each component may stand once.",
        ),
    ],
)
def test_what_is_wrong_with_an_ink(engine: Any, ink: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        engine(**ink)
    assert str(caught.value) == message
