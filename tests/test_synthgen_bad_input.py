"""Bad input as a user meets it: what is left out is named, what cannot be used ends with one sentence."""

from __future__ import annotations

import json
import string
from pathlib import Path

import cv2
import numpy as np
import pytest
from click.testing import CliRunner, Result
from font_factory import make_font
from fontTools.ttLib import TTFont

from glyphmix import main

GOOD = """
engine = "native"
charset = "abcdefghijklmnopqrstuvwxyz"
fonts = "fonts"
framing = { height_px = [16, 20] }
words = [{ share = 1.0, source = { kind = "word_list", file = "words.txt" } }]
"""
ON_PHOTOS = 'backgrounds = [{ share = 1.0, background = { kind = "photo", folder = "photos" } }]\n'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with a font, a word list and the folder ``photos`` with 20 pictures."""
    monkeypatch.chdir(tmp_path)
    make_font(tmp_path / "fonts" / "a.ttf", string.ascii_letters)
    (tmp_path / "words.txt").write_text("alpha\nbeta\ngamma\n", encoding="utf-8")
    (tmp_path / "photos").mkdir()
    for i in range(20):
        picture = np.full((60, 90, 3), 5 * i, np.uint8)
        cv2.imwrite(str(tmp_path / "photos" / f"{i:02d}.png"), picture)
    return tmp_path


def render(recipe: str, n: int = 20) -> Result:
    Path("r.toml").write_text(recipe, encoding="utf-8")
    return CliRunner().invoke(main, ["render", "r.toml", "-o", "out", "-n", str(n)], prog_name="glyphmix")


def damage_fonts(here: Path) -> None:
    (here / "fonts" / "broken.ttf").write_bytes(b"\0\1\0\0 nothing")
    with TTFont(make_font(here / "whole.ttf", "abc")) as font:
        del font["cmap"]
        font.save(here / "fonts" / "nocmap.ttf")


def test_nothing_is_said_where_all_is_well(here: Path) -> None:
    assert render(GOOD + ON_PHOTOS).stderr == ""


def test_broken_fonts_are_named_and_left_out(here: Path) -> None:
    damage_fonts(here)
    result = render(GOOD)
    assert result.exit_code == 0
    assert result.stderr == "Left out 2 of 3 fonts: broken.ttf (unreadable), nocmap.ttf (no_charmap).\n"
    manifest = json.loads((here / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["inputs"]["fonts"]["skipped"] == {"broken.ttf": "unreadable", "nocmap.ttf": "no_charmap"}


def test_of_many_broken_fonts_five_are_named(here: Path) -> None:
    for i in range(8):
        (here / "fonts" / f"x{i}.ttf").write_bytes(f"nothing {i}".encode())
    names = ", ".join(f"x{i}.ttf (unreadable)" for i in range(5))
    assert render(GOOD).stderr == f"Left out 8 of 9 fonts: {names} and 3 more.\n"


def test_fonts_of_which_none_can_be_used(here: Path) -> None:
    damage_fonts(here)
    (here / "fonts" / "a.ttf").unlink()
    result = render(GOOD)
    assert (result.exit_code, result.stderr) == (
        1,
        "Error: folder fonts holds no usable font (1 no_charmap, 1 unreadable). Give other fonts.\n",
    )


def test_words_beyond_the_limit_are_counted_and_left_out(here: Path) -> None:
    (here / "words.txt").write_text(f"alpha\n{'x' * 26}\nbeta\n42\n", encoding="utf-8")
    result = render(GOOD)
    assert (result.exit_code, result.stderr) == (
        0,
        "Left out of word list words.txt: 1 too_long, 1 unsupported_character.\n",
    )


def test_one_file_among_the_photos_that_is_none(here: Path) -> None:
    (here / "photos" / "notes.jpg").write_bytes(b"no picture")
    result = render(GOOD + ON_PHOTOS, n=300)
    assert result.exit_code == 0, result.output
    assert result.stderr.splitlines()[0] == (
        "Cannot read 1 of 21 photos: notes.jpg. Words that fall on one are drawn again elsewhere."
    )
    manifest = json.loads((here / "out" / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["n_rejected"] == 0
    assert manifest["redrawn_by_reason"]["broken_photo"] > 3


def test_photos_that_all_are_none(here: Path) -> None:
    for photo in (here / "photos").iterdir():
        photo.write_bytes(b"no picture")
    result = render(GOOD + ON_PHOTOS)
    assert result.exit_code == 1
    assert result.stderr.splitlines()[-1] == (
        "Error: not one of the 20 photos in photos can be read. "
        "Give a folder of JPEG, PNG, WebP or BMP files."
    )
    assert not (here / "out").exists()


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (
            'effects = [{ share = 0.5, effect = { kind = "defocus", sigma_px = [nan, 2.0] } }]',
            "r.toml, effects[0], effect (defocus), sigma_px[0] is nan. Give a finite number.",
        ),
        (
            "effects = [{ share = nan, effect = { kind = 'defocus' } }]",
            "r.toml, effects[0], share is nan. Give a finite number.",
        ),
        (
            "effects = [{ share = 1.5, effect = { kind = 'defocus' } }]",
            "r.toml, effects[0]: share must be from 0 to 1, got 1.5.",
        ),
        (
            'effects = [{ share = 0.5, effect = { kind = "defocus", sigma_px = [2.0, 1.0] } }]',
            "r.toml, effects[0], effect (defocus), sigma_px goes from 2.0 down to 1.0. "
            "Put the lesser value first.",
        ),
        (
            "layouts = [{ share = 1.0, layout = { kind = 'arc', bend_deg = [10, inf] } }]",
            "r.toml, layouts[0], layout (arc), bend_deg[1] is inf. Give a finite number.",
        ),
        (
            "ink = { shadow_strength = [0.9, 0.3] }",
            "r.toml, ink, shadow_strength goes from 0.9 down to 0.3. Put the lesser value first.",
        ),
        (
            "posture = { stretch = [0.0, 1.2] }",
            "r.toml, posture: stretch must enclose 1, the font's own width, and stay within 0.05 and 20.",
        ),
        (
            "posture = { stretch = [1.0, 21.0] }",
            "r.toml, posture: stretch must enclose 1, the font's own width, and stay within 0.05 and 20.",
        ),
        (
            "framing = { letter_px = 0.0 }",
            "r.toml, framing: letter_px must be above 0 and at most 512, got 0.",
        ),
        (
            "framing = { letter_px = 513.0 }",
            "r.toml, framing: letter_px must be above 0 and at most 512, got 513.",
        ),
        (
            "least_contrast = -1.0",
            "r.toml: least_contrast must be from 0 to 255, got -1.",
        ),
        (
            "least_contrast_after = 256.0",
            "r.toml: least_contrast_after must be from 0 to 255, got 256.",
        ),
        (
            "max_length = 0",
            "r.toml: max_length must be from 1 to 1,000, got 0.",
        ),
        (
            "max_length = 70_000",
            "r.toml: max_length must be from 1 to 1,000, got 70,000.",
        ),
    ],
)
def test_numbers_that_make_no_sense(here: Path, line: str, message: str) -> None:
    others = [good for good in GOOD.splitlines() if good.split(" =")[0] != line.split(" =")[0]]
    result = render("\n".join([*others, line, ""]))
    assert (result.exit_code, result.stderr) == (1, f"Error: {message}\n")
    assert not (here / "out").exists()
