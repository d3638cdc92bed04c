"""The native engine: what it plans, and that what it draws can be read."""

from __future__ import annotations

import json
import os
import string
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from font_factory import make_font
from fontTools.ttLib import TTFont

from curation.core import recipe
from synthgen import render as rendering
from synthgen.engines.base import UnfitError
from synthgen.engines.native import Native
from synthgen.materials import FONTS, RECIPES

GOLDEN = Path(__file__).with_name("golden_plan.json")
SHIPPED = [p.stem for p in sorted(RECIPES.glob("*.toml")) if recipe.read(p)["engine"] == "native"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("native")
    make_font(folder / "fonts" / "letters.ttf", string.ascii_letters, family="Letters")
    make_font(folder / "fonts" / "all.ttf", string.ascii_letters + string.digits, family="All")
    make_font(folder / "fonts" / "capitals.ttf", string.ascii_uppercase, family="Capitals")
    (folder / "words.txt").write_text("Alpha\nbeta\nGAMMA\n1st\nx2y3\ndelta\n", encoding="utf-8")
    image = np.arange(90 * 160 * 3, dtype=np.uint32).reshape(90, 160, 3) % 251
    (folder / "photos").mkdir()
    cv2.imwrite(str(folder / "photos" / "p.png"), image.astype(np.uint8))
    return folder


def build(folder: Path, **more: Any) -> Native:
    table = {
        "fonts": str(folder / "fonts"),
        "charset": string.ascii_letters + string.digits,
        "words": [
            {
                "share": 1.0,
                "casing": {"as_is": 0.5, "upper": 0.5},
                "source": {"kind": "word_list", "file": str(folder / "words.txt")},
            }
        ],
        "layouts": [{"share": 0.5, "layout": {"kind": kind}} for kind in ("straight", "arc", "wave")],
        "backgrounds": [
            {"share": 1.0, "background": {"kind": kind}} for kind in ("plain", "gradient", "texture", "split")
        ]
        + [{"share": 1.0, "background": {"kind": "photo", "folder": str(folder / "photos")}}],
        "effects": [
            {"share": 0.5, "effect": {"kind": kind}} for kind in ("defocus", "low_resolution", "noise")
        ],
    }
    return recipe.build(Native, table | more, where="test.toml")


def rows(engine: Native, n: int, seed: int = 0, block: int = 0) -> list[dict[str, Any]]:
    columns = engine.plan(seed, block)
    values = zip(*(column[:n].tolist() for column in columns.values()), strict=True)
    return [dict(zip(columns, row, strict=True)) for row in values]


def test_the_plan_is_as_recorded(folder: Path) -> None:
    """Whoever changes plans on purpose writes the table anew, and says so in the change log."""
    planned = rows(build(folder), 3, seed=11, block=5)
    assert planned == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_another_effect_leaves_all_other_columns_as_they_were(folder: Path) -> None:
    before = build(folder).plan(0, 0)
    kinds = ("tone", "defocus", "low_resolution", "jpeg", "noise")
    more = build(folder, effects=[{"share": 0.5, "effect": {"kind": kind}} for kind in kinds]).plan(0, 0)
    for name, column in before.items():
        np.testing.assert_array_equal(column, more[name], err_msg=name)
    assert {name.split("_")[0] for name in more.keys() - before.keys()} == {"tone", "jpeg"}


def test_blocks_attempts_and_seeds_differ(folder: Path) -> None:
    engine = build(folder)
    plans = [engine.plan(*key)["text_r"] for key in ((0, 0, 0), (0, 1, 0), (0, 0, 1), (1, 0, 0))]
    assert all((plans[i] != plans[j]).any() for i in range(4) for j in range(i))


def test_drawing_is_a_pure_function_of_the_row(folder: Path) -> None:
    engine, other = build(folder), build(folder)
    for row in rows(engine, 60):
        before = dict(row)
        try:
            first = engine.draw(row)
        except UnfitError as error:
            with pytest.raises(UnfitError, match=str(error)):
                other.draw(row)
            continue
        np.testing.assert_array_equal(first.image, other.draw(row).image)
        assert row == before
        assert first.image.dtype == np.uint8
        assert first.image.ndim == 3


def test_no_character_is_drawn_without_a_glyph(folder: Path) -> None:
    charmaps = {path.name: TTFont(path).getBestCmap() for path in sorted((folder / "fonts").iterdir())}
    engine = build(folder)
    texts = rows(engine, 1000)
    assert {row["font"] for row in texts} == set(charmaps)
    for row in texts:
        assert set(map(ord, row["text"])) <= charmaps[row["font"]].keys()


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_draw_only_what_their_fonts_hold(name: str) -> None:
    engine = rendering.load(name).engine
    assert isinstance(engine, Native)
    engine.check()
    charmaps: dict[str, dict[int, str]] = {}
    reasons, drawn = [], 0
    for row in rows(engine, 150, seed=1):
        if row["font"] not in charmaps:
            with TTFont(FONTS / row["font"]) as font:
                charmaps[row["font"]] = font.getBestCmap()
        assert set(map(ord, row["text"])) <= charmaps[row["font"]].keys()
        try:
            image = engine.draw(row).image
        except UnfitError as error:
            reasons.append(str(error))
            continue
        drawn += 1
        assert image.shape[0] >= engine.framing.height_px[0]
        assert image.std() > 2, "blank"
    assert drawn > 135, reasons
    assert set(reasons) <= {"low_contrast", "faint", "too_large", "blank"}


def test_letters_stand_out_by_the_least_contrast(folder: Path) -> None:
    strict = build(folder, least_contrast=90.0, effects=[], ink={"outline": 0.0, "shadow": 0.0})
    kept, reasons = 0, set()
    for row in rows(strict, 100):
        try:
            strict.draw(row)
        except UnfitError as error:
            reasons.add(str(error))
            continue
        kept += 1
        text, ground = (
            sum(w * row[f"{name}_{c}"] for w, c in zip((0.299, 0.587, 0.114), "rgb", strict=True))
            for name in ("text", "background")
        )
        assert abs(text - ground) > 60
    assert 20 < kept < 90
    assert reasons == {"low_contrast"}


def test_a_broken_photo_is_a_reason_and_no_end(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"nothing")
    cv2.imwrite(str(tmp_path / "whole.png"), np.full((40, 80, 3), 120, np.uint8))
    photo = {"share": 1.0, "background": {"kind": "photo", "folder": str(tmp_path)}}
    engine = build(folder, backgrounds=[photo])
    engine.check()
    with pytest.raises(UnfitError, match=r"^broken_photo$"):
        engine.draw(rows(engine, 1)[0] | {"background_photo_name": "broken.jpg"})


def test_a_text_that_no_single_font_covers_is_a_reason(folder: Path, tmp_path: Path) -> None:
    make_font(tmp_path / "a.ttf", "a")
    make_font(tmp_path / "b.ttf", "b")
    (tmp_path / "words.txt").write_text("ab\n", encoding="utf-8")
    words = [{"share": 1.0, "source": {"kind": "word_list", "file": str(tmp_path / "words.txt")}}]
    engine = build(folder, fonts=str(tmp_path), charset="ab", words=words)
    with pytest.raises(UnfitError, match=r"^no_font_has_all_characters$"):
        engine.draw(rows(engine, 1)[0])


def test_files_that_changed_are_read_again(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "words.txt"
    words = [{"share": 1.0, "source": {"kind": "word_list", "file": str(path)}}]
    for changed, word in enumerate(("first", "second")):
        path.write_text(f"{word}\n", encoding="utf-8")
        os.utime(path, ns=(changed, changed))
        assert set(build(folder, words=words).plan(0, 0)["text"]) == {word}
