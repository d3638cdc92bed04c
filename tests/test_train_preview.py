"""What training shows of its words before it begins."""

from __future__ import annotations

from pathlib import Path

import click
import cv2
import numpy as np
import train_words
from click.testing import CliRunner

from curation.core.errors import UserError
from train.augments.none import Unchanged
from train.commands import train
from train.preview import sheet

RECIPE = '[augment]\nkind = "none"\n'


def run(*arguments: object) -> click.testing.Result:
    return CliRunner().invoke(train, [str(a) for a in arguments], catch_exceptions=True)


def test_shows_the_first_words_of_the_mixture(tmp_path: Path) -> None:
    mixture = train_words.two_sets(tmp_path)
    recipe, out = tmp_path / "train.toml", tmp_path / "sheet.png"
    recipe.write_text(RECIPE)
    result = run(recipe, "--mixture", mixture, "--preview", "-o", out)
    assert result.output == f"{out}: 24 words, each before and three times after none\n"
    picture = cv2.imread(str(out))
    before, after = picture[8:48, 8:168], picture[8:48, 176:336]
    assert np.array_equal(before, after), "without augmentation all copies are alike"
    assert before.std() > 20, "there is a word"
    again = run(recipe, "--mixture", mixture, "--preview", "-o", out)
    assert str(again.exception) == f"output {out} exists already. Remove it or give another name with -o."


def test_wants_a_png(tmp_path: Path) -> None:
    (tmp_path / "train.toml").write_text(RECIPE)
    mixture = train_words.two_sets(tmp_path)
    result = run(tmp_path / "train.toml", "--mixture", mixture, "--preview", "-o", tmp_path / "run")
    assert isinstance(result.exception, UserError)
    assert str(result.exception) == (
        f"output {tmp_path / 'run'} does not end in .png. Contact sheets are PNG files."
    )


def test_a_word_stands_before_its_copies() -> None:
    words = np.stack([np.full((32, 128, 3), value, np.uint8) for value in (40, 200)])
    shown = sheet(words, ["dark", "light"], Unchanged(), 0)
    assert [int(shown[20, 20 + 168 * i].mean()) for i in range(8)] == [40] * 4 + [200] * 4
