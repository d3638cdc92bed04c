from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from font_factory import make_font
from PIL import Image

from glyphmix import main


def run(*args: object) -> Result:
    return CliRunner().invoke(main, ["fonts", *map(str, args)], prog_name="glyphmix")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GLYPHMIX_CACHE", str(tmp_path / "cache"))
    make_font(tmp_path / "fonts" / "serif" / "b.ttf", "abc", family="Comb", style="Bold")
    make_font(tmp_path / "fonts" / "a.ttf", "ab")
    (tmp_path / "fonts" / "broken.ttf").write_bytes(b"no font")
    return tmp_path / "fonts"


def test_a_table_of_fonts_and_what_they_draw(folder: Path) -> None:
    result = run(folder, "--charset", "abcd")
    assert result.exit_code == 0
    assert result.output == (
        "file         family  style    weight  width  class  licence  axes  draws  scripts\n"
        "a.ttf        Test    Regular  400     5      -      unknown  -     2/4\n"
        "serif/b.ttf  Comb    Bold     400     5      serif  unknown  -     3/4\n"
        "skipped: broken.ttf: unreadable, the file is damaged or no font\n"
        f"{folder}: 2 fonts of 2 families (0 variable), 1 skipped; classes: 1 -, 1 serif\n"
        "no font draws: d\n"
    )


def test_the_same_as_json(folder: Path) -> None:
    found = json.loads(run(folder, "--charset", "abcd", "--json").output)
    assert (found["n_fonts"], found["n_charset"], found["uncovered"]) == (2, 4, "d")
    assert found["skipped"] == [{"name": "broken.ttf", "reason": "unreadable"}]
    assert found["fonts"][1] == {
        "name": "serif/b.ttf",
        "family": "Comb",
        "style": "Bold",
        "weight": 400,
        "width": 5,
        "italic": False,
        "class": "serif",
        "licence": "unknown",
        "axes": {},
        "n_characters": 3,
        "scripts": [],
    }


def test_a_contact_sheet(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    result = run(folder, "--charset", "abc", "--word", "cab", "-o", out)
    assert result.exit_code == 0
    with Image.open(out) as sheet:
        dark = [
            sheet.crop((8 + k * 168, 8, 168 + k * 168, 56))
            .convert("L")
            .point(lambda v: v < 90)
            .histogram()[1]
            for k in range(3)
        ]
    assert dark[0] > 300, "a font that lacks a letter shows the others"
    assert dark[1] > 300
    assert dark[2] == 0
    again = run(folder, "-o", out)
    assert again.output == f"Error: output {out} exists already. Remove it or give another name with -o.\n"


def test_a_recipe_says_which_fonts_are_meant(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("abc\n")
    (tmp_path / "r.toml").write_text(
        f'engine = "native"\ncharset = "abc"\nfonts = "{folder}"\nfont_choice = {{ include = ["serif"] }}\n'
        f'[[words]]\nshare = 1\nsource = {{ kind = "word_list", file = "{tmp_path / "words.txt"}" }}\n'
    )
    found = json.loads(run("--recipe", tmp_path / "r.toml", "--json").output)
    assert [font["name"] for font in found["fonts"]] == ["serif/b.ttf"]
    assert found["skipped"][-1] == {"name": "a.ttf", "reason": "excluded"}
    assert run(folder, "--recipe", "mjst_plus").output == (
        "Error: --recipe says which fonts and characters are meant. Leave out FOLDER and --charset.\n"
    )


def test_what_is_wrong_is_said_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert run(tmp_path / "empty").output == (
        f"Error: folder {tmp_path / 'empty'} holds no fonts. "
        "Put files there that end in .otc, .otf, .ttc, .ttf, .woff, .woff2.\n"
    )
    assert (
        run(folder, "--charset", "").output == "Error: --charset is empty. Give the characters to look for.\n"
    )
    assert run(folder, "-o", "sheet.jpg").output == (
        "Error: output sheet.jpg does not end in .png. Contact sheets are PNG files.\n"
    )
    assert run("--recipe", "trdg_release").output == (
        "Error: recipe trdg_release is for an engine that keeps no index of fonts. Name FOLDER.\n"
    )
