"""``glyphmix evaluate``: what it prints, asked for more than scores."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import train_words
from click.testing import CliRunner, Result
from test_train_evaluate import LABELS, cache, copy, run, scripted

from glyphmix import main

__all__ = ["cache", "run", "scripted"]  # fixtures


def evaluate(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["evaluate", *map(str, arguments)])


def failure(*arguments: object) -> str:
    result = evaluate(*arguments)
    assert result.exit_code == 1, result.output
    assert result.stdout == ""
    return result.stderr.removeprefix("Error: ").strip()


@pytest.mark.usefixtures("scripted")
def test_the_command_prints_a_table(run: Path, tmp_path: Path) -> None:
    first = train_words.dataset(tmp_path / "first", LABELS, broken=[4])
    second = train_words.dataset(tmp_path / "other", ["cat"])
    arguments = ["evaluate", str(run), str(first.path), str(second.path), "-o", str(tmp_path / "out")]
    result = CliRunner().invoke(main, arguments)
    assert result.exit_code == 0, result.output
    table = """\
set              words  dropped                              word accuracy %      1-NED %
first            5      1 broken_image, 1 empty, 1 too_long  40.0 [11.8, 76.9]    66.7 [33.3, 93.3]
other            1      0                                    100.0 [20.7, 100.0]  100.0 [100.0, 100.0]
mean over words  6                                           50.0 [16.7, 83.3]    72.2 [44.4, 94.4]
mean over sets   6                                           70.0 [10.0, 90.0]    83.3 [66.7, 96.7]
"""
    assert result.stdout == table


@pytest.mark.usefixtures("scripted")
def test_the_command_prints_json(run: Path, tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", ["cat", "dog"])
    arguments = ["evaluate", str(run), str(words.path), "-o", str(tmp_path / "out"), "--json"]
    printed = json.loads(CliRunner().invoke(main, arguments).stdout)
    assert printed["scores"][0]["accuracy"] == 1.0
    assert printed["average"]["n_used"] == 2


@pytest.mark.usefixtures("scripted")
def test_groups_characters_and_confidence(run: Path, tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", LABELS[:3])
    asked = [part for name in ("length", "character", "confidence") for part in ("--by", name)]
    result = evaluate(run, words.path, "-o", tmp_path / "out", *asked)
    assert (
        result.stdout.split("\n\n", 1)[1]
        == """\
length  words  word accuracy %    1-NED %
3           3  66.7 [20.8, 93.9]     88.9

character  occurrences  read %               words  word accuracy %
t                    2  50.0 [9.5, 90.5]         2  50.0 [9.5, 90.5]
a                    2  100.0 [34.2, 100.0]      2  50.0 [9.5, 90.5]
c                    1  100.0 [20.7, 100.0]      1  100.0 [20.7, 100.0]
d                    1  100.0 [20.7, 100.0]      1  100.0 [20.7, 100.0]
g                    1  100.0 [20.7, 100.0]      1  100.0 [20.7, 100.0]
n                    1  100.0 [20.7, 100.0]      1  0.0 [0.0, 79.3]
o                    1  100.0 [20.7, 100.0]      1  100.0 [20.7, 100.0]

label  read as  times  of its occurrences %
t      nothing      1                  50.0

expected calibration error 16.7 points (15 bins of equal width)
confidence    words  mean confidence %  word accuracy %
0.47 to 0.53      3               50.0  66.7 [20.8, 93.9]

confidence of at least  words  of all %  word accuracy %
0                           3     100.0  66.7 [20.8, 93.9]
0.5                         3     100.0  66.7 [20.8, 93.9]
0.8                         0       0.0  - [0.0, 100.0]
0.9                         0       0.0  - [0.0, 100.0]
0.95                        0       0.0  - [0.0, 100.0]
0.99                        0       0.0  - [0.0, 100.0]
"""
    )


@pytest.fixture
def other(run: Path, tmp_path: Path) -> Path:
    """Another run of the same content."""
    return copy(run, tmp_path / "other_run")


@pytest.mark.usefixtures("scripted")
class TestAgainst:
    def test_another_run_and_its_stored_predictions(self, run: Path, other: Path, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", LABELS[:3])
        given = [run, words.path, "-o", tmp_path / "out", "--against"]
        text = evaluate(*given, other).stdout
        assert (
            text.split("\n\n")[1]
            == f"""\
against {other}
set    words  word accuracy %  points [95 %]        gained  lost  McNemar p  1-NED points [95 %]
words      3  66.7 / 66.7      +0.0 [-66.7, +66.7]       0     0      1.000  +0.0 [+0.0, +0.0]
"""
        )
        stored = tmp_path / "out" / "against"
        assert evaluate(*given, stored).stdout == text.replace(str(other), str(stored))
        printed = json.loads(evaluate(*given, stored, "--json").stdout)
        assert printed["against"] == str(stored)
        assert printed["comparisons"][0]["p"] == 1.0

    def test_refusals(self, run: Path, other: Path, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", LABELS[:3])
        given = [run, words.path, "-o", tmp_path / "out", "--against"]
        assert failure(*given, run) == (
            f"run {run} cannot be compared with itself. Give --against another run."
        )
        assert (
            failure(*given, tmp_path / "none") == f"run {tmp_path / 'none'} does not exist. Check the path."
        )
        assert failure(*given, words.path) == (
            f"{words.path} is no training run: it has no run.json. Make one with 'train'."
        )
        stored = tmp_path / "stored"
        stored.mkdir()
        (stored / "others.parquet").touch()
        assert failure(*given, stored) == (
            f"{stored / 'words.parquet'} is missing, and without it there is nothing to compare with on "
            "words. Evaluate that run on the same datasets first."
        )
        assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("scripted")
def test_a_suite(run: Path, tmp_path: Path) -> None:
    train_words.dataset(tmp_path / "sets" / "CUTE80", ["cat", "dog"])
    given = [run, "--suite", "six", "--data", tmp_path / "sets", "-o", tmp_path / "out"]
    assert (
        evaluate(*given).stdout
        == """\
set     words  dropped  word accuracy %      1-NED %
CUTE80  2      0        100.0 [34.2, 100.0]  100.0 [100.0, 100.0]

suite      published  used  dataset
IIIT5k         3,000        -        missing
SVT              647        -        missing
IC13 857         857        -        missing
IC15 1811      1,811        -        missing
SVTP             645        -        missing
CUTE80           288     2  CUTE80   2 words instead of 288
The averages are over an incomplete or different suite six, not to be compared with published ones \
(IIIT5k: missing; SVT: missing; IC13 857: missing; IC15 1811: missing; SVTP: missing; \
CUTE80: 2 words instead of 288).
Papers print the mean over words (PARSeq), the mean over sets, or both (OpenOCR).
"""
    )
    printed = json.loads(evaluate(*given, "--json").stdout)
    assert printed["suite"]["name"] == "six"
    assert printed["members"][-1]["dataset"] == "CUTE80"


@pytest.mark.usefixtures("scripted")
def test_groups_as_a_table(run: Path, tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", LABELS[:3])
    table = tmp_path / "new" / "groups.tsv"
    result = evaluate(run, words.path, "-o", tmp_path / "out", "--by", "source", "--tsv", table)
    assert result.stderr == f"wrote {table}\n"
    lines = [line.split("\t") for line in table.read_text(encoding="utf-8").splitlines()]
    assert lines[0] == [
        "by", "name", "least", "greatest", "n", "n_correct", "accuracy", "accuracy_low", "accuracy_high",
        "one_minus_ned",
    ]  # fmt: skip
    assert [line[:6] for line in lines[1:]] == [
        ["source", "words", "", "", "3", "2"],
        ["length", "3", "3", "3", "3", "2"],
        ["aspect", "1.25", "1.25", "1.25", "3", "2"],
        ["height", "32", "32", "32", "3", "2"],
        ["set", "words", "", "", "3", "2"],
    ]
    assert [round(float(value), 3) for value in lines[1][6:]] == [0.667, 0.208, 0.939, 0.889]


@pytest.mark.usefixtures("scripted")
def test_a_page_beside_what_is_printed(run: Path, other: Path, tmp_path: Path) -> None:
    words = train_words.dataset(tmp_path / "words", LABELS[:3])
    given = [run, words.path, "-o", tmp_path / "out", "--against", other]
    page = tmp_path / "new" / "page.html"
    result = evaluate(*given, "--html", page)
    assert result.stderr.splitlines()[-1] == f"wrote {page}"
    assert result.stdout == evaluate(*given).stdout
    text = page.read_text(encoding="utf-8")
    assert f"<h2>Against {other}</h2>" in text
    printed = json.loads(evaluate(*given, "--json").stdout)
    assert [one["by"] for one in printed["slices"]] == ["length", "aspect", "height", "set"]


def test_a_protocol_explained() -> None:
    assert (
        evaluate("--protocol", "dtrb36", "--explain").stdout
        == """\
protocol dtrb36 (deep-text-recognition-benchmark (dataset.py, test.py))
1. white space: kept
2. unicode: as it is
3. length: more than 25 characters at this point: dropped (too_long)
4. case: folded to lower case
5. characters: 36 count, a label with others is dropped (unsupported_character): \
0123456789abcdefghijklmnopqrstuvwxyz
6. a label that is empty now is dropped (empty); no label is replaced by another
7. prediction: the same steps, but it is never dropped nor cut short
8. 1-NED: the mean of 1 - edit distance / length of the longer of prediction and label; \
an empty prediction scores 0
"""
    )


class TestRefusals:
    def test_an_unknown_column(self, run: Path, tmp_path: Path) -> None:
        words = train_words.dataset(tmp_path / "words", ["cat"])
        assert failure(run, words.path, "--by", "lenght") == (
            "unknown column 'lenght' in --by. Did you mean 'length' or 'height'?"
        )

    def test_a_suite_and_its_folder(self, run: Path, tmp_path: Path) -> None:
        told = "the suite six is looked for in a folder. Give --data FOLDER and no other datasets."
        assert failure(run, "--suite", "six") == told
        assert failure(run, tmp_path, "--suite", "six", "--data", tmp_path) == told
        assert failure(run, "--data", tmp_path) == (
            "--data is the folder of a suite's datasets. Give --suite NAME too."
        )

    def test_a_page_without_a_name_or_a_place(self, run: Path, tmp_path: Path) -> None:
        page = tmp_path / "page.html"
        page.touch()
        assert failure(run, tmp_path, "--html", page) == (
            f"{page} exists already. Remove it, or give --html another name."
        )
        assert failure(run, tmp_path, "--tsv", page) == (
            f"{page} exists already. Remove it, or give --tsv another name."
        )
        assert failure(run, tmp_path, "--html", tmp_path / "page") == (
            f"the page {tmp_path / 'page'} has no name of a page. Give --html a name that ends in .html."
        )

    def test_pages_that_could_not_be_written(self, run: Path, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        page = tmp_path / "file" / "new" / "page.html"
        assert failure(run, tmp_path, "--html", page) == (
            f"{tmp_path / 'file'} is a file, not a folder. Give --html another name than {page}."
        )
        page = tmp_path / "page.html"
        assert failure(run, tmp_path, "--html", page, "--tsv", tmp_path / "new" / ".." / "page.html") == (
            f"--html and --tsv would both write {page}. Give one of them another name."
        )

    def test_arguments_that_are_missing(self, run: Path) -> None:
        assert "Missing argument 'RUN'" in evaluate().stderr
        assert "Missing argument 'DATASETS...'" in evaluate(run).stderr
