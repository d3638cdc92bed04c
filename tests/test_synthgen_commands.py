"""The commands as a user meets them: output lines and every complaint, compared whole."""

from __future__ import annotations

import json
import re
import string
from pathlib import Path

import cv2
import pytest
from click.testing import CliRunner, Result
from font_factory import make_font

from curation.core.dataset import Dataset
from glyphmix import main

GOOD = """
engine = "native"
charset = "abcdefghijklmnopqrstuvwxyz"
fonts = "fonts"
framing = { height_px = [16, 20] }
words = [{ share = 1.0, source = { kind = "word_list", file = "words.txt" } }]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A current directory with the recipe r.toml and what it needs."""
    monkeypatch.chdir(tmp_path)
    make_font(tmp_path / "fonts" / "a.ttf", string.ascii_letters)
    (tmp_path / "words.txt").write_text("alpha\nbeta\ngamma\n", encoding="utf-8")
    (tmp_path / "r.toml").write_text(GOOD, encoding="utf-8")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(main, list(words), prog_name="glyphmix")


def complaint(recipe: str, here: Path) -> str:
    (here / "r.toml").write_text(recipe, encoding="utf-8")
    result = run("render", "r.toml", "-o", "out", "-n", "10")
    assert result.exit_code == 1, result.output
    assert not (here / "out").exists()
    return result.stderr


def test_render_ends_with_counts_and_rate(here: Path) -> None:
    result = run("render", "r.toml", "-o", "out", "-n", "40")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(
        r"out: 40 words, 0 rejected, \d+ drawn again( \(.+\))?; \d+ words/s\n", result.stdout
    ), result.stdout
    assert len(Dataset.open(here / "out")) == 40


def test_render_prints_numbers_as_json(here: Path) -> None:
    result = run("render", "r.toml", "-o", "out", "-n", "40", "--json")
    numbers = json.loads(result.stdout)
    assert list(numbers) == [
        "n_rows",
        "n_rejected",
        "n_redrawn",
        "redrawn_by_reason",
        "seconds",
        "words_per_s",
    ]
    assert (numbers["n_rows"], numbers["n_rejected"]) == (40, 0)


def test_dry_run_measures_and_writes_nothing(here: Path) -> None:
    result = run("render", "r.toml", "-o", "out", "-n", "2000000", "-j", "4", "--dry-run")
    assert re.fullmatch(
        r"would draw 2000000 words in 63 shards of 32000, about [\d.]+ [MG]B, with \d+ MB of memory a job\n"
        r"\d+ words/s per core: [\d.]+ (h|min) with 4 jobs, [\d.]+ (h|min) on 16 cores\n",
        result.stdout,
    ), result.output
    assert not (here / "out").exists()
    plan = json.loads(run("render", "r.toml", "-n", "60000000", "-j", "1", "--dry-run", "--json").stdout)
    assert (plan["n"], plan["shards"], plan["shard_rows"]) == (60_000_000, 1200, 50_000)
    alone = 60_000_000 / plan["words_per_s_per_core"] / 3600
    assert plan["hours"] == pytest.approx(alone, rel=0.001)
    assert plan["hours_on_16_cores"] == pytest.approx(alone / 16, rel=0.001)


def test_render_without_a_place(here: Path) -> None:
    result = run("render", "r.toml", "-n", "10")
    assert (result.exit_code, result.stderr.splitlines()[-1]) == (2, "Error: Missing option '-o' / '--out'.")


def test_preview_draws_a_sheet(here: Path) -> None:
    result = run("preview", "r.toml", "-o", "sheet.png", "-n", "12")
    sheet = cv2.imread(str(here / "sheet.png"))
    assert result.stdout == f"sheet.png: 12 words, {sheet.shape[1]} x {sheet.shape[0]} pixels\n"
    assert sheet.std() > 5


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            'fonts = "fonts"',
            'fonts = "nowhere"',
            "folder nowhere with fonts does not exist. Check the path.",
            id="missing fonts folder",
        ),
        pytest.param(
            'fonts = "fonts"',
            'fonts = "empty"',
            "folder empty holds no fonts. Put files there that end in .otc, .otf, .ttc, .ttf, .woff, .woff2.",
            id="fonts folder without fonts",
        ),
        pytest.param(
            "xyz",
            "xyzäß",
            "no font in fonts draws ä ß. Add a font that does, "
            "or take the characters out of the recipe's charset.",
            id="charset that no font covers",
        ),
        pytest.param(
            "words.txt",
            "empty.txt",
            "word list empty.txt has no word to draw (the file is empty). "
            "Mend the list, or the recipe's charset.",
            id="empty word list",
        ),
        pytest.param(
            "words.txt",
            "capitals.txt",
            "word list capitals.txt has no word to draw (1 too_long, 2 unsupported_character). "
            "Mend the list, or the recipe's charset.",
            id="word list outside the charset",
        ),
        pytest.param(
            "words.txt",
            "latin1.txt",
            "word list latin1.txt, line 1 is not UTF-8 text (unexpected end of data). Convert the file.",
            id="word list in another encoding",
        ),
        pytest.param(
            '"word_list", file = "words.txt"',
            '"frequency_list", file = "negative.tsv"',
            "negative.tsv, entry 2: 'beta\\t-3' is not a word, a tab and a frequency above 0. "
            "Mend that line.",
            id="negative frequency",
        ),
        pytest.param(
            '"word_list", file = "words.txt"',
            '"templates", file = "weights.txt"',
            "weights.txt, pattern 'nan\\tb': 'nan' gives no weight above 0. Mend that line.",
            id="weight that is no number",
        ),
        pytest.param(
            "[16, 20]",
            "[20, 16]",
            "r.toml, framing, height_px goes from 20 down to 16. Put the lesser value first.",
            id="min above max",
        ),
        pytest.param(
            "words = ",
            "least_contrast = nan\nwords = ",
            "r.toml, least_contrast is nan. Give a finite number.",
            id="NaN",
        ),
        pytest.param(
            "framing",
            "frameing",
            "unknown key 'frameing' in r.toml. Did you mean 'framing'?",
            id="misspelt key",
        ),
        pytest.param(
            '"word_list"',
            '"wordlist"',
            "unknown word source 'wordlist' in r.toml, words[0], source. Did you mean 'word_list'?",
            id="misspelt component",
        ),
        pytest.param(
            "share = 1.0",
            "share = -1.0",
            "r.toml, words[0]: share must be 0 or more, got -1.",
            id="negative share",
        ),
        pytest.param(
            "words = ",
            'backgrounds = [{ share = 1.0, background = { kind = "photo", folder = "empty" } }]\nwords = ',
            "folder empty holds no photos. Put files there that end in .bmp, .jpeg, .jpg, .png, .webp.",
            id="photo folder without photos",
        ),
        pytest.param(
            "words = ",
            'effects = [{ share = 0.5, effect = { kind = "jpeg" } },'
            ' { share = 0.5, effect = { kind = "jpeg" } }]\nwords = ',
            "r.toml: 'jpeg' stands twice; give one of the two a name.",
            id="the same effect twice",
        ),
        pytest.param(
            'engine = "native"\n',
            "",
            "r.toml lacks the key 'engine'. Add engine = 'native' or engine = 'trdg' at its top.",
            id="no engine",
        ),
        pytest.param(
            '"native"',
            '"nativ"',
            "unknown engine 'nativ' in r.toml. Did you mean 'native'?",
            id="misspelt engine",
        ),
    ],
)
def test_what_is_wrong_with_a_recipe(here: Path, old: str, new: str, message: str) -> None:
    (here / "empty").mkdir()
    (here / "empty.txt").write_text("\n\n", encoding="utf-8")
    (here / "capitals.txt").write_text("ABC\nDEF\n" + "x" * 26 + "\n", encoding="utf-8")
    (here / "negative.tsv").write_text("alpha\t2\nbeta\t-3\n", encoding="utf-8")
    (here / "weights.txt").write_text("2\ta\nnan\tb\n", encoding="utf-8")
    (here / "latin1.txt").write_bytes("caf\xe9".encode("latin-1"))
    assert old in GOOD
    assert complaint(GOOD.replace(old, new, 1), here) == f"Error: {message}\n"


def test_existing_output_is_never_touched(here: Path) -> None:
    (here / "out").mkdir()
    (here / "out" / "mine").write_text("x", encoding="utf-8")
    for more in ([], ["--dry-run"]):
        result = run("render", "r.toml", "-o", "out", "-n", "10", *more)
        assert (result.exit_code, result.stderr) == (
            1,
            "Error: output out exists already. Remove it or give another name with -o.\n",
        )
    assert [path.name for path in (here / "out").iterdir()] == ["mine"]


def test_an_output_that_cannot_be_written(here: Path) -> None:
    result = run("render", "r.toml", "-o", "words.txt/out", "-n", "10")
    assert result.exit_code == 1
    assert re.fullmatch(
        r"Error: cannot use words\.txt/\S+: Not a directory\. Check the path\.\n", result.stderr
    ), result.stderr


def test_unfinished_work_of_another_seed_is_not_mixed_in(here: Path) -> None:
    from synthgen import render as rendering

    recipe = rendering.load("r.toml")
    recipe.engine.check()
    rendering.shards.start(Path("out"), rendering.job(recipe, 10, seed=1))
    result = run("render", "r.toml", "-o", "out", "-n", "10", "--seed", "2")
    assert result.stderr == (
        "Error: output out holds unfinished work that differs in: seed. "
        "Repeat the command it was begun with, or remove the folder.\n"
    )


def test_a_recipe_that_does_not_exist(here: Path) -> None:
    result = run("render", "mjst_plsu", "-o", "out", "-n", "10")
    assert result.stderr == "Error: unknown recipe 'mjst_plsu'. Did you mean 'mjst_plus'?\n"


def test_a_preview_that_is_no_png(here: Path) -> None:
    result = run("preview", "r.toml", "-o", "sheet.jpg")
    assert result.stderr == "Error: output sheet.jpg does not end in .png. Contact sheets are PNG files.\n"


def test_a_preview_makes_the_folders_of_its_output(here: Path) -> None:
    assert run("preview", "r.toml", "-o", "new/sheet.png", "-n", "2").exit_code == 0
    assert [path.name for path in (here / "new").iterdir()] == ["sheet.png"]


def test_words_that_cannot_be_drawn_leave_no_output(here: Path) -> None:
    recipe = GOOD + "least_contrast = 255.0\nink = { fade = 1.0 }\n"
    assert complaint(recipe, here) == (
        "Error: more than 1% of the words of recipe r cannot be drawn (1 low_contrast). "
        "Look at its preview and mend it: "
        "lower least_contrast, or let letters differ more from what they stand on.\n"
    )


def test_a_preview_of_words_that_cannot_be_drawn(here: Path) -> None:
    recipe = GOOD + "least_contrast = 255.0\nink = { fade = 1.0 }\n"
    (here / "r.toml").write_text(recipe, encoding="utf-8")
    result = run("preview", "r.toml", "-o", "sheet.png", "-n", "2")
    assert result.stderr == (
        "Error: not one word of recipe r can be drawn (2 low_contrast). Mend the recipe.\n"
    )
    assert not (here / "sheet.png").exists()
