"""The command ``decontaminate``: what it prints and writes, and what a user reads when something is wrong."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from drawn_words import sample, scene
from published_sets import failure, numbers, run
from word_sets import write_labels, write_words

from curation.core.dataset import Dataset

WORDS = ("Hotel", "Exit", "Station", "Bakery")
TABLE = """\
train set   words  test set   words  bytes  pixels  origin  label  look  probable  photo  dropped  copied
shop train      4  exam test      4      2       0       0      0     0         0      0        2       2
nothing in common: 1 of 2 pairs of a train set (2) and a test set (1)
"""
TSV = """\
train_set\ttrain_words\ttest_set\ttest_words\tleak_bytes\tleak_pixels\tleak_origin\tleak_same_label\tleak_any_label\t\
leak_probable\tshared_photo\tdropped\ttest_words_copied
fair train\t1\texam test\t4\t0\t0\t0\t0\t0\t0\t0\t0\t0
shop train\t4\texam test\t4\t2\t0\t0\t0\t0\t0\t0\t2\t2
"""


@pytest.fixture
def exam(tmp_path: Path) -> Path:
    words = [sample(f"exam:{i}", text, scene(text, i), split="test") for i, text in enumerate(WORDS)]
    return write_words(tmp_path / "exam", words).path


@pytest.fixture
def train(tmp_path: Path) -> Path:
    words = [sample(f"shop:{i}", text, scene(text, i + 2)) for i, text in enumerate(WORDS)]
    words[:2] = [sample(f"shop:{i}", "<i>&", scene(WORDS[i], i)) for i in range(2)]
    return write_words(tmp_path / "train", [*words, sample("fair:0", "Sea", scene("Sea", 50))]).path


def test_the_matrix_is_printed_and_written(tmp_path: Path, exam: Path, train: Path) -> None:
    out, page, picture = (tmp_path / name for name in ("out", "pages/leaks.html", "pages/leaks.png"))
    result = run(
        "decontaminate", "-j1", train, "--against", exam, "-o", out, "--page", page, "--picture", picture
    )
    fingerprint = Dataset.open(out).fingerprint[:16]
    assert result.stdout == (
        f"{TABLE}dropped 2 of 5 words: 2 leak_bytes\nwrote 3 words to {out}, fingerprint {fingerprint}\n"
    )
    assert result.stderr == f"wrote {page}\nwrote {picture}\n"
    assert (out / "leaks.tsv").read_text(encoding="utf-8") == TSV
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    beside = json.loads((out / "leaks.json").read_text(encoding="utf-8"))
    assert beside == {"recipe": manifest["recipe"], **manifest["leaks"]}
    assert [test["name"] for test in manifest["tests"]] == ["exam"]
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_the_page_stands_alone(tmp_path: Path, exam: Path, train: Path) -> None:
    page = tmp_path / "leaks.html"
    run("decontaminate", "-j1", train, "--against", exam, "--dry-run", "--page", page)
    text = page.read_text(encoding="utf-8")
    assert "2 of 5 words to train on copy a word of a test." in text
    assert text.count("data:image/jpeg;base64,") == 4, "two pairs"
    assert not re.search(r"""(src|href)=["'](?!data:)""", text), "nothing is fetched"
    assert "&lt;i&gt;&amp; / Hotel" in text
    assert "<i>&" not in text


def test_a_dry_run_needs_no_output(tmp_path: Path, exam: Path, train: Path) -> None:
    before = sorted(tmp_path.iterdir())
    result = run("decontaminate", "-j1", train, "--against", exam, "--dry-run")
    assert result.stdout == f"{TABLE}would drop 2 of 5 words: 2 leak_bytes\n"
    assert sorted(tmp_path.iterdir()) == before
    facts = numbers("decontaminate", "-j1", train, "--against", exam, "--dry-run")
    assert (facts["n_rows"], facts["rejected_by_reason"]) == (3, {"leak_bytes": 2})
    missing = run("decontaminate", "-j1", train, "--against", exam, status=2)
    assert missing.stderr.splitlines()[-1] == "Error: Missing option '-o' / '--out'."


def test_what_may_not_be_meant_is_said(tmp_path: Path, exam: Path, train: Path) -> None:
    words = [sample(f"exam:{i}", "Sun", scene("Sun", 70 + i), split="test") for i in range(3, 6)]
    words.append(sample("exam:0", "Hotel", scene("Hotel", 0), split="test"))
    mixed = write_words(tmp_path / "mixed", words).path
    result = run("decontaminate", "-j1", mixed, "--against", exam, "--against", train, "--dry-run")
    assert result.stderr == (
        "warning: words of exam test (4) are among the words to train on: check that this is meant\n"
        "warning: words of fair train (1) are among the tests: check that this is meant\n"
        "warning: words of shop train (4) are among the tests: check that this is meant\n"
        "warning: uids of words to train on that a word of a test has too: 2, the first exam:3. "
        "Either a word is on both sides, or two sets have one name; kept, as they look different: 1\n"
    )


def test_a_dataset_on_both_sides(tmp_path: Path, exam: Path, train: Path) -> None:
    print_ = Dataset.open(exam).fingerprint[:16]
    assert failure("decontaminate", "-j1", train, exam, "--against", exam, "-o", tmp_path / "out") == (
        f"{exam} is to be trained on and {exam} is a test, and they hold the same words "
        f"(fingerprint {print_}). Leave it out on one side."
    )
    assert not (tmp_path / "out").exists()


def test_too_many_leaks(tmp_path: Path, exam: Path, train: Path) -> None:
    (tmp_path / "strict.toml").write_text("max_dropped = 0.1\n", encoding="utf-8")
    args = ("decontaminate", "-j1", train, "--against", exam, "--recipe", tmp_path / "strict.toml")
    assert failure(*args, "-o", tmp_path / "out") == (
        "2 of 5 words copy words of the tests, more than the share of 0.1 allowed: 2 leak_bytes. "
        "Look at them with --dry-run and --page, or raise max_dropped in a recipe."
    )
    assert "would drop 2 of 5 words" in run(*args, "--dry-run").stdout
    assert not (tmp_path / "out").exists()


def test_outputs_that_are_there(tmp_path: Path, exam: Path, train: Path) -> None:
    (tmp_path / "page.html").touch()
    args = ("decontaminate", "-j1", train, "--against", exam)
    assert failure(*args, "-o", train) == (
        f"output {train} exists already. Remove it or give another name with -o."
    )
    assert failure(*args, "--dry-run", "--page", tmp_path / "page.html") == (
        f"output {tmp_path / 'page.html'} exists already. Remove it or give another name."
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("least_iuo = 0.3", "unknown key 'least_iuo' in r.toml. Did you mean 'least_iou'?"),
        ("any_label_bits = 65", "r.toml: any_label_bits must be from 0 to 40, got 65."),
        ("any_label = 1.5", "r.toml: any_label must be above 0 and at most 1, got 1.5."),
        ("certain = 0.9", "r.toml: probable and certain must rise from above 0 to 1, got 0.93 and 0.9."),
        ("[look]\nmost_bits = 129", "r.toml, look: most_bits must be from 0 to 128, got 129."),
        ("least_iou = 0.0", "r.toml: least_iou must be above 0 and at most 1, got 0.0."),
        ("max_dropped = -1.0", "r.toml: max_dropped must be from 0 to 1, got -1.0."),
        (
            'also_drop = ["probable"]',
            "unknown value 'probable' in r.toml, also_drop[0]. Did you mean 'leak_probable'?",
        ),
        (
            'protocol = "parsec36"',
            "unknown protocol 'parsec36'. Did you mean 'parseq36' or 'parseq62' or 'parseq94'?",
        ),
    ],
)
def test_mistaken_recipes(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "r.toml").write_text(text + "\n", encoding="utf-8")
    words = write_labels(tmp_path / "words", 2).path
    args = ("decontaminate", "-j1", words, "--against", words, "--dry-run", "--recipe", tmp_path / "r.toml")
    assert failure(*args) == message


def test_a_recipe_that_is_absent(tmp_path: Path) -> None:
    words = write_labels(tmp_path / "words", 2).path
    args = ("decontaminate", "-j1", words, "--against", words, "--dry-run", "--recipe", tmp_path / "r.toml")
    assert failure(*args) == f"recipe {tmp_path / 'r.toml'} does not exist. Check the path."


def test_a_damaged_shard_is_named(tmp_path: Path, exam: Path, train: Path) -> None:
    shard = next((exam / "data").iterdir())
    shard.write_bytes(shard.read_bytes()[:-100] + bytes(100))
    message = failure("decontaminate", "-j1", train, "--against", exam, "-o", tmp_path / "out")
    assert message.startswith(f"{shard} is damaged: ")
    assert not (tmp_path / "out").exists()
