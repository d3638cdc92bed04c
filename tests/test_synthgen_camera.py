"""Grounds and camera effects, on cases small enough to know the answer."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import cv2
import golden
import numpy as np
import pytest

from curation.core import recipe
from curation.core.errors import UserError
from curation.core.images import BrokenImageError
from curation.core.rng import stream
from synthgen.backgrounds import backgrounds
from synthgen.backgrounds.photo import AT_ONCE
from synthgen.choices import Bound, plan_each
from synthgen.colour_space import LUMA
from synthgen.effects import effects
from synthgen.effects.occluder import hides_too_much
from synthgen.engines.base import UnfitError
from synthgen.engines.shares import EffectShare
from synthgen.surfaces import DEVIATION, HEIGHT, MEAN, WIDTH, surface, surfaces

CARD = np.full((48, 160, 3), (120, 130, 140), np.uint8)
INK = (20, 30, 40)


def rows(component: Any, n: int) -> list[dict[str, Any]]:
    columns = component.plan(stream(0, "test", component.kind), n)
    values = zip(*(column.tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


def letters() -> np.ndarray:
    """Coverage of three blocks that leave 8 px at the top and bottom and 20 px at both ends."""
    mask = np.zeros((48, 160), np.uint8)
    for left in (20, 70, 120):
        mask[8:40, left : left + 20] = 255
    return mask


def step(height: int = 48, width: int = 160, low: int = 60, high: int = 200) -> np.ndarray:
    image = np.full((height, width, 3), low, np.uint8)
    image[:, width // 2 :] = high
    return image


def complaint(kind: str, registry: Any, **table: Any) -> str:
    with pytest.raises(UserError) as caught:
        recipe.build(registry.get(kind), table, where="r.toml")
    return str(caught.value)


@pytest.mark.parametrize("name", surfaces())
def test_every_surface_is_as_strong_as_it_says(name: str) -> None:
    drawn = surface(name)
    assert (drawn.shape, drawn.dtype) == ((HEIGHT, WIDTH), np.uint8)
    assert drawn.mean() == pytest.approx(MEAN, abs=2)
    assert drawn.std() == pytest.approx(DEVIATION, rel=0.1)


def test_no_two_surfaces_are_alike() -> None:
    names = surfaces()
    for i, one in enumerate(names):
        for other in names[:i]:
            likeness = np.corrcoef(surface(one).ravel(), surface(other).ravel())[0, 1]
            assert abs(likeness) < 0.6, (one, other)


class TestMaterial:
    def test_draws_only_the_kinds_asked_for(self) -> None:
        material = backgrounds.get("material")(kinds={"wood": 1.0, "brick": 3.0, "metal": 0.0})
        names = material.plan(stream(0, "test"), 4000)["surface"]
        assert set(names) == {"wood", "brick"}
        assert (names == "brick").mean() == pytest.approx(0.75, abs=0.03)

    def test_draws_all_kinds_unless_told(self) -> None:
        assert set(backgrounds.get("material")().plan(stream(0, "test"), 500)["surface"]) == set(surfaces())

    def test_never_drowns_a_faint_text(self) -> None:
        material = backgrounds.get("material")(levels=(60.0, 60.0), tint=0.0)
        faint = (150, 160, 170)  # 30 levels away from the card
        for row in rows(material, 60):
            drawn = material.apply(CARD, **row, ink=faint) @ LUMA
            assert drawn.std() < 20
            assert (drawn < 150).mean() > 0.9
        strong = [(material.apply(CARD, **row) @ LUMA).std() for row in rows(material, 60)]
        assert np.median(strong) > 30

    def test_keeps_the_colour_of_the_card(self) -> None:
        material = backgrounds.get("material")(levels=(10.0, 10.0))
        means = [material.apply(CARD, **row).mean((0, 1)) for row in rows(material, 200)]
        np.testing.assert_allclose(np.mean(means, axis=0), CARD[0, 0], atol=4)

    def test_refuses_a_surface_it_does_not_know(self) -> None:
        assert complaint("material", backgrounds, kinds={"wod": 1.0}) == (
            f"r.toml: kinds knows no surface 'wod'; known are {', '.join(surfaces())}."
        )
        assert complaint("material", backgrounds, kinds={"wood": 0.0}) == (
            "r.toml: kinds have no share above 0, so nothing can be drawn."
        )
        assert complaint("material", backgrounds, kinds={"wood": float("nan")}) == (
            "r.toml, kinds.wood is nan. Give a finite number."
        )
        assert complaint("material", backgrounds, kinds={"wood": "much"}) == (
            "r.toml, kinds.wood must be a number, got 'much'. Mend the recipe."
        )


class TestSign:
    def test_its_edges_lie_between_the_letters_and_the_border(self) -> None:
        sign = backgrounds.get("sign")(tilt_deg=0.0, line=0.0, round=0.0, side=1.0, rough=0.0)
        for row in rows(sign, 100):
            drawn = sign.apply(CARD, **row, letters=letters())
            assert (drawn[8:40, 20:140] == CARD[0, 0]).all()
            away = abs(drawn.astype(int) - CARD[0, 0]).max(axis=2) > 2
            assert all(edge.all() for edge in (away[0], away[-1], away[:, 0], away[:, -1]))

    def test_rounded_corners_and_lines_keep_clear_of_the_letters(self) -> None:
        sign = backgrounds.get("sign")(tilt_deg=0.0, line=1.0, line_width=(0.02, 0.02), round=1.0, side=1.0)
        touched = []
        for row in rows(sign, 100):
            drawn = sign.apply(CARD, **row, letters=letters(), ink=INK)
            inside = abs(drawn[10:38, 22:138].astype(int) - CARD[0, 0]).max(axis=2) > 5
            touched.append(inside.mean())
        assert max(touched) < 0.02

    def test_its_line_may_have_the_colour_of_the_text(self) -> None:
        sign = backgrounds.get("sign")(line=1.0, ink_line=1.0, line_width=(0.06, 0.07), side=1.0, rough=0.0)
        for row in rows(sign, 20):
            drawn = sign.apply(CARD, **row, letters=letters(), ink=INK)
            assert (drawn == np.array(INK)).all(axis=2).sum() > 200

    def test_a_side_out_of_sight_stays_plain(self) -> None:
        sign = backgrounds.get("sign")(side=0.0, tilt_deg=0.0)
        for row in rows(sign, 20):
            np.testing.assert_array_equal(sign.apply(CARD, **row, letters=letters()), CARD)


def test_rules_lie_between_the_letters_and_the_border() -> None:
    rules = backgrounds.get("rules")(tilt_deg=0.0, line_width=(0.0, 0.04))
    seen = 0
    for row in rows(rules, 200):
        drawn = rules.apply(CARD, **row, letters=letters(), ink=INK)
        assert (drawn[8:40, 20:140] == CARD[0, 0]).all()
        seen += (drawn != CARD).any()
    assert seen > 150


def test_components_are_told_of_the_word_only_what_they_ask_for() -> None:
    word = {"letters": letters(), "ink": INK}
    assert Bound.of(backgrounds.get("plain")(), "p").seeing(**word) == {}
    assert Bound.of(backgrounds.get("material")(), "p").seeing(**word) == {"ink": INK}
    assert set(Bound.of(backgrounds.get("sign")(), "p").seeing(**word)) == {"letters", "ink"}


@pytest.mark.parametrize(
    ("name", "share"),
    [("highlight", "strength"), ("bloom", "strength"), ("rain", "strength"), ("dirt", "strength")],
)
def test_what_lies_over_a_word_leaves_the_rest_of_its_contrast(name: str, share: str) -> None:
    effect = effects.get(name)()
    dark, light = (np.full((48, 160, 3), grey, np.uint8) for grey in (90, 150))
    changed = 0
    for row in rows(effect, 100):
        low, high = (effect.apply(image, **row).astype(int) for image in (dark, light))
        if name != "dirt":
            assert (low >= dark - 1).all(), "light only adds"
        if name != "bloom":  # its light depends on what is there
            assert (high - low).min() >= 60 * (1 - row[share]) - 3
        changed += bool((low != dark).any() or (high != light).any())
    assert changed > 40


def test_bloom_leaves_the_rest_of_the_contrast_between_neighbours() -> None:
    effect = effects.get("bloom")()
    image = np.full((48, 160, 3), 90, np.uint8)
    image[:, ::2] = 150
    for row in rows(effect, 100):
        drawn = effect.apply(image, **row).astype(int)
        assert (drawn[:, ::2] - drawn[:, 1::2]).min() >= 60 * (1 - row["strength"]) - 4


def test_a_shadow_leaves_the_rest_of_the_light() -> None:
    effect = effects.get("cast_shadow")()
    image = np.full((48, 160, 3), 200, np.uint8)
    ratios = []
    for row in rows(effect, 100):
        drawn = effect.apply(image, **row)
        assert drawn.min() >= 200 * (1 - row["loss"]) - 2
        assert drawn.max() <= 200
        ratios.append(drawn.min() / 200 - (1 - row["loss"]))
        assert (drawn[..., 2] >= drawn[..., 0]).all(), "shade is bluish"
    assert np.median(ratios) < 0.05, "most reach full shade"


def test_sharpening_adds_halos_and_leaves_flat_parts_alone() -> None:
    image = step(low=60, high=160)
    drawn = effects.get("sharpen")().apply(image, amount=2.0, sigma_px=1.0)
    assert drawn[:, 80].min() > 200
    assert drawn[:, 79].max() < 20
    np.testing.assert_array_equal(drawn[:, :70], image[:, :70])
    np.testing.assert_array_equal(effects.get("sharpen")().apply(image, amount=0.0, sigma_px=1.0), image)


def test_a_colour_cast_keeps_the_luma_of_grey() -> None:
    effect = effects.get("colour_cast")()
    for row in rows(effect, 50):
        drawn = effect.apply(np.full((8, 8, 3), 120, np.uint8), **row)[0, 0]
        assert drawn @ LUMA == pytest.approx(120, abs=1)
        assert (int(drawn[0]) >= int(drawn[2])) == (row["warmth"] > 0) or abs(row["warmth"]) < 0.01


def test_no_saturation_is_grey() -> None:
    image = np.full((8, 8, 3), (200, 80, 20), np.uint8)
    drawn = effects.get("colour_cast")().apply(image, warmth=0.0, green=0.0, saturation=0.0)
    assert np.ptp(drawn[0, 0].astype(int)) <= 1


def test_rescaling_by_nearest_makes_squares_and_leaves_small_images_alone() -> None:
    rescale = effects.get("rescale")()
    image = stream(0, "test").integers(0, 256, (48, 160, 3), np.uint8)
    drawn = rescale.apply(image, height_px=24.0, shrink=2, enlarge=2)
    np.testing.assert_array_equal(
        drawn, cv2.resize(drawn[::2, ::2], (160, 48), interpolation=cv2.INTER_NEAREST)
    )
    assert np.isin(drawn[..., 0], image[..., 0]).all()
    np.testing.assert_array_equal(rescale.apply(image, height_px=48.0, shrink=2, enlarge=2), image)
    assert complaint("rescale", effects, shrink=[0.0, 0.0, 0.0, 0.0]) == (
        "r.toml: shrink are all 0, so no interpolation is left."
    )


@pytest.mark.parametrize(
    ("kind", "table", "message"),
    [
        (
            "highlight",
            {"radius": [0.9, 0.3]},
            "r.toml, radius goes from 0.9 down to 0.3. Put the lesser value first.",
        ),
        ("sharpen", {"amount": [float("nan"), 1.0]}, "r.toml, amount[0] is nan. Give a finite number."),
        ("bloom", {"strenght": [0.1, 0.2]}, "unknown key 'strenght' in r.toml. Did you mean 'strength'?"),
        ("cast_shadow", {"loss": [0.5, 1.5]}, "r.toml: loss must be from 0 to 1, got [0.5, 1.5]."),
    ],
)
def test_bad_values_are_one_sentence(kind: str, table: dict[str, Any], message: str) -> None:
    assert complaint(kind, effects, **table) == message


BRIDGE = "albumentations"


class TestAlbumentations:
    @pytest.mark.parametrize(
        "transform",
        ["RandomFog", "GaussNoise", "RandomRain", "Spatter", "PlanckianJitter", "GlassBlur", "PixelDropout"],
    )
    def test_draws_the_same_from_the_same_seed(self, transform: str) -> None:
        effect, other = (effects.get(BRIDGE)(transform=transform) for _ in range(2))
        image = stream(0, "test").integers(0, 256, (40, 130, 3), np.uint8)
        before = image.copy()
        first = effect.apply(image, seed=7)
        effect.apply(image, seed=8)
        np.random.seed(3)  # noqa: NPY002 - a transform that used the global state would show here
        np.testing.assert_array_equal(first, other.apply(image, seed=7))
        np.testing.assert_array_equal(image, before)
        assert any((first != effect.apply(image, seed=seed)).any() for seed in range(8, 14))

    def test_passes_parameters_on(self) -> None:
        effect = effects.get(BRIDGE)(transform="Posterize", parameters={"num_bits": [1, 1]})
        assert set(np.unique(effect.apply(CARD, seed=0))) <= {0, 128}

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (
                {"transform": "RandomFgo"},
                "albumentations has no transform 'RandomFgo'; did you mean 'RandomFog' or 'RandomSnow' or "
                "'RandomShadow'",
            ),
            (
                {"transform": "Rotate"},
                "the transform Rotate moves letters, away from their boxes; it cannot be used",
            ),
            (
                {"transform": "RandomFog", "parameters": {"fog_range": [0.1, 0.2]}},
                "RandomFog has no parameter 'fog_range'; did you mean 'fog_coef_range'",
            ),
            (
                {"transform": "RandomFog", "parameters": {"fog_coef_range": [3.0, 4.0]}},
                "RandomFog refuses its parameters: fog_coef_range: "
                "All values in (3.0, 4.0) must be >= 0 and <= 1",
            ),
            (
                {"transform": "RandomFog", "parameters": {"fog_coef_range": [0.1, float("nan")]}},
                "parameters hold nan, which is no finite number",
            ),
            (
                {"transform": "RandomFog", "parameters": {"p": 0.5}},
                "parameters.p cannot be set; the effect's share decides which images it acts on",
            ),
            (
                {"transform": "ToFloat"},
                "ToFloat makes float32 of shape (32, 96, 3) of a uint8 image of (32, 96, 3)",
            ),
            (
                {"transform": "FDA"},
                "FDA cannot be applied to a word image of 96 x 32 pixels: FDA requires ['fda_metadata'] "
                "missing keys: {'fda_metadata'}",
            ),
        ],
    )
    def test_refuses_what_cannot_work_in_one_sentence(self, table: dict[str, Any], message: str) -> None:
        assert complaint(BRIDGE, effects, **table) == f"r.toml: {message}."

    def test_refuses_what_fails_on_small_words(self) -> None:
        assert complaint(BRIDGE, effects, transform="Superpixels") == (
            "r.toml: Superpixels cannot be applied to a word image of 8 x 8 pixels: division by zero."
        )
        assert complaint(BRIDGE, effects, transform="Erasing").startswith(
            "r.toml: Erasing cannot be applied to a word image of 12 x 300 pixels: "
        )

    def test_one_that_fails_while_drawing_has_the_word_drawn_again(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fail(**image: np.ndarray) -> None:
            raise RuntimeError("it has a bad day")

        fail.set_random_seed = lambda seed: None
        engine = dataclasses.replace(
            golden.tiny(tmp_path), effects=(EffectShare(share=1.0, effect=named("")[0].effect),)
        )
        columns = engine.plan(golden.SEED, 0)
        row = {key: column[:1].tolist()[0] for key, column in columns.items()}
        engine.draw(row)
        monkeypatch.setattr("synthgen.effects.albumentations._built", lambda name, key: fail)
        with pytest.raises(UnfitError, match=r"^effect_failed$"):
            engine.draw(row)


def named(*names: str) -> tuple[EffectShare, ...]:
    table = {"kind": BRIDGE, "transform": "RandomGamma"}
    entries = [{"share": 0.5, "effect": table} | ({"name": name} if name else {}) for name in names]
    return tuple(recipe.build(EffectShare, entry, where="r.toml") for entry in entries)


def plan_of(entries: tuple[EffectShare, ...]) -> dict[str, np.ndarray]:
    parts = [(e.called, e.effect, e.share) for e in entries]
    return plan_each(*zip(*parts, strict=True), lambda *key: stream(0, *key), 100)


def test_effects_of_one_kind_stand_beside_each_other_under_names() -> None:
    columns = plan_of(named("", "fog", "rain"))
    assert list(columns) == [
        f"{BRIDGE}{more}" for name in ("", "_fog", "_rain") for more in (name, f"{name}_seed")
    ]
    assert (columns[f"{BRIDGE}_fog_seed"] != columns[f"{BRIDGE}_rain_seed"]).any()


def test_a_name_that_is_no_name_or_taken_is_one_sentence() -> None:
    with pytest.raises(UserError) as caught:
        named("Fog!")
    assert str(caught.value) == ("r.toml: name must be of small letters, digits and underscores, got 'Fog!'.")
    with pytest.raises(UserError) as caught:
        plan_of(named("", "seed"))
    assert str(caught.value) == "two effects have a column 'albumentations_seed'. Give the one another name."


@pytest.fixture
def album(tmp_path: Path) -> Path:
    """A folder of 40 small photos; the left half of each is busy, the right half smooth."""
    for i in range(40):
        picture = np.full((90, 160, 3), 5 * i, np.uint8)
        picture[:, :80] = stream(0, "album", i).integers(0, 256, (90, 80, 3))
        cv2.imwrite(str(tmp_path / f"{i:02}.png"), picture)
    return tmp_path


class TestPhoto:
    def test_more_candidates_are_smoother_and_leave_the_plan_as_it_was(self, album: Path) -> None:
        one, many = (
            recipe.build(
                backgrounds.get("photo"),
                {"folder": str(album), "candidates": k, "height": [0.05, 0.25]},
                where="r.toml",
            )
            for k in (1, 8)
        )
        first, more = rows(one, 60), rows(many, 60)
        assert [{key: row[key] for key in before} for before, row in zip(first, more, strict=True)] == first
        busy = [
            np.mean([background.apply(CARD, **row).std() for row in planned])
            for background, planned in ((one, first), (many, more))
        ]
        assert busy[1] < 0.5 * busy[0]

    def test_a_block_draws_from_few_of_many_photos_and_all_have_their_turn(self, album: Path) -> None:
        photo = recipe.build(backgrounds.get("photo"), {"folder": str(album)}, where="r.toml")
        blocks = [set(photo.plan(stream(0, "test", i), 1000)["name"]) for i in range(12)]
        assert {len(block) for block in blocks} == {AT_ONCE}
        assert len(set.union(*blocks)) == 40

    def test_one_that_cannot_be_read_is_named_once(
        self, album: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        whole = (album / "07.png").read_bytes()
        (album / "07.png").write_bytes(whole[:40])
        photo = recipe.build(backgrounds.get("photo"), {"folder": str(album)}, where="r.toml")
        row = rows(photo, 1)[0]
        for _ in range(3):
            with pytest.raises(BrokenImageError):
                photo.apply(CARD, **row | {"name": "07.png"})
        assert [record.getMessage() for record in caplog.records] == [
            f"photo {album / '07.png'} cannot be read (the PNG file is cut short); "
            "words planned on it are drawn again on another."
        ]
        photo.apply(CARD, **row | {"name": "08.png"})

    def test_one_that_is_no_picture_is_left_to_the_notice_before_the_first_word(
        self, album: Path, caplog: pytest.LogCaptureFixture
    ) -> None:
        (album / "07.png").write_bytes(b"notes")
        photo = recipe.build(backgrounds.get("photo"), {"folder": str(album)}, where="r.toml")
        assert photo.inputs()["unreadable"] == ["07.png"]
        with pytest.raises(BrokenImageError):
            photo.apply(CARD, **rows(photo, 1)[0] | {"name": "07.png"})
        assert not caplog.records

    @pytest.mark.parametrize("kept", [0, 40])
    def test_a_folder_of_which_none_can_be_read_is_refused_at_once(self, album: Path, kept: int) -> None:
        for path in album.iterdir():
            path.write_bytes(path.read_bytes()[:kept])
        photo = recipe.build(backgrounds.get("photo"), {"folder": str(album)}, where="r.toml")
        with pytest.raises(UserError) as caught:
            photo.inputs()
        assert str(caught.value) == (
            f"not one of the 40 photos in {album} can be read. Give a folder of JPEG, PNG, WebP or BMP files."
        )

    def test_one_that_vanished_is_broken_too(self, album: Path) -> None:
        photo = recipe.build(backgrounds.get("photo"), {"folder": str(album)}, where="r.toml")
        with pytest.raises(BrokenImageError, match=r"No such file"):
            photo.apply(CARD, **rows(photo, 1)[0] | {"name": "gone.png"})

    def test_a_large_photo_is_read_at_a_part_of_its_size_and_looks_the_same(self, tmp_path: Path) -> None:
        small = cv2.GaussianBlur(stream(0, "test").integers(0, 256, (60, 80, 3), np.uint8), (0, 0), 2)
        large = cv2.resize(small, (2800, 2100), interpolation=cv2.INTER_CUBIC)
        cv2.imwrite(str(tmp_path / "large.jpg"), large)
        cv2.imwrite(str(tmp_path / "small.png"), cv2.resize(large, (640, 480), interpolation=cv2.INTER_AREA))
        photo = recipe.build(backgrounds.get("photo"), {"folder": str(tmp_path)}, where="r.toml")
        for row in rows(photo, 5):
            drawn = [photo.apply(CARD, **row | {"name": name}) for name in ("large.jpg", "small.png")]
            assert abs(drawn[0].astype(int) - drawn[1]).mean() < 2

    def test_refuses_no_candidates(self) -> None:
        assert (
            complaint("photo", backgrounds, candidates=0) == "r.toml: candidates must be from 1 to 64, got 0."
        )


class TestOccluder:
    def test_hides_no_more_of_any_piece_of_ink_than_it_may(self) -> None:
        occluder = effects.get("occluder")(bar_width=(0.05, 0.3), size=(0.2, 1.0))
        mask = np.zeros((48, 160), np.uint8)
        cv2.putText(mask, "Hi!lo:7", (6, 36), cv2.FONT_HERSHEY_SIMPLEX, 1.1, 255, 4)
        n, pieces = cv2.connectedComponents((mask >= 128).astype(np.uint8))
        seen = 0
        for row in rows(occluder, 300):
            black, white = (
                occluder.apply(np.full((48, 160, 3), grey, np.uint8), **row, letters=mask)
                for grey in (0, 255)
            )
            hidden = (white.astype(int) - black).max(axis=2) < 250
            shares = [hidden[pieces == i].mean() for i in range(1, n)]
            assert max(shares) <= 0.25
            seen += max(shares) > 0
        assert seen > 60, "hardly anything is ever hidden"

    def test_hides_no_letter_of_a_word_whose_letters_join(self) -> None:
        joined, patch = np.zeros((2, 48, 200), np.uint8)
        joined[14:34, 5:195] = 255
        patch[:, 90:93] = 255
        assert not hides_too_much(joined, patch, 0.25), "a thin wire"
        patch[:, 90:102] = 255
        assert hides_too_much(joined, patch, 0.25), "a letter's width, though a fifteenth of the piece"

    def test_draws_anything_where_nothing_need_be_read(self) -> None:
        occluder = effects.get("occluder")(kinds=(0.0, 0.0, 1.0), size=(0.5, 0.9))
        assert all((occluder.apply(CARD, **row) != CARD).any() for row in rows(occluder, 30))

    def test_refuses_to_hide_whole_letters(self) -> None:
        said = complaint("occluder", effects, most_hidden=0.9)
        assert said == "r.toml: most_hidden must be from 0 to 0.5, got [0, 0.9]."


def test_dirt_of_each_kind_covers_a_small_part() -> None:
    for i, kind in enumerate(("specks", "scratches", "stains")):
        dirt = effects.get("dirt")(kinds=tuple(float(i == j) for j in range(3)), strength=(0.5, 0.5))
        covered = [(dirt.apply(CARD, **row) != CARD).any(axis=2).mean() for row in rows(dirt, 60)]
        assert 0.01 < np.mean(covered) < 0.5, kind
