from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from study_fakes import dataset, write
from study_tiny import TINY, lay_out, recipe, toml

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from train.study.commands import ablate as ablate_command
from train.study.plan import grid_table, plan


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return lay_out(tmp_path, monkeypatch)


def test_test_words_among_those_trained_on_are_counted_by_picture_and_uid(words: Path) -> None:
    """Of the 7 words of ``mixed`` 4 have the picture of a real word, and 2 the uid of a rendered one."""
    same_pictures = Dataset.open(words / "real").take([1, 2, 3, 4], ["image"])
    pictures = [row["image"]["bytes"] for row in same_pictures]
    uids = ["rendered:5", "a", "b", "c", "d", "rendered:6", "e"]
    own = [row["image"]["bytes"] for row in Dataset.open(words / "test_a").take([0, 1, 2], ["image"])]
    write(words / "mixed", [pictures[0], *pictures[1:], *own], uids=uids)
    study = plan(recipe(tests=["test_a", "mixed"]), words / "out")
    counted = {entry["name"]: entry.get("n_shared") for entry in study.datasets}
    assert counted == {"real": None, "rendered": None, "test_a": 0, "mixed": 5}
    assert study.remarks == [
        "5 words of mixed are among the words trained on (the same picture or uid), so accuracy on it is "
        "flattered. Take them out of one of the two."
    ]


def test_a_plan_says_when_runs_end_before_they_have_seen_their_words(words: Path) -> None:
    (words / "study.toml").write_text(toml(train={**TINY, "steps": 6}))
    said = (
        "96 samples are fewer than the different words of r3 and synthetic (up to 160): the rest is never "
        "seen and teaches nothing. Raise steps."
    )
    shown = CliRunner().invoke(ablate_command, ["study.toml", "-o", "out", "--dry-run"])
    assert shown.stdout.endswith(f"|\n\n{said}\n")


def test_the_grid_is_counted_before_anything_runs(words: Path) -> None:
    assert grid_table(plan(recipe(), words / "out")) == (
        "| run                     | real | rendered | different words | samples seen | passes |\n"
        "| ----------------------- | ---: | -------: | --------------: | -----------: | -----: |\n"
        "| fixed_real-r0-s0        |   40 |        0 |              40 |          192 |    4.8 |\n"
        "| fixed_real-r1-s0        |   40 |       40 |              80 |          192 |    2.4 |\n"
        "| fixed_real-r3-s0        |   40 |      120 |             160 |          192 |    1.2 |\n"
        "| fixed_real-synthetic-s0 |    0 |      120 |             120 |          192 |    1.6 |"
    )
    assert not (words / "out").exists()


def test_fixed_total_keeps_the_volume(words: Path) -> None:
    grid = plan(recipe(design="fixed_total", ratios=[0, 0.5, 3]), words / "out").cells
    assert [(c.name, c.n_real, c.n_synthetic) for c in grid] == [
        ("r0", 40, 0),
        ("r0.5", 27, 13),
        ("r3", 10, 30),
        ("synthetic", 0, 40),
    ]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"ratios": [0, 4]},
            "the cell r4 needs 160 rendered words, and there are 120. "
            "Make more, or lower the ratios or the words that every cell starts from.",
        ),
        (
            {"real": {"name": "real", "paths": ["real"], "count": 50}},
            "beside the 20 held out there are 40 real words, fewer than the 50 asked for. "
            "Add datasets to real.paths, or lower count or validation.",
        ),
        (
            {"tests": ["real"]},
            "test set real is also trained on, as real. Take it out of one of the two.",
        ),
        (
            {"tests": ["unreadable"]},
            "test set unreadable has no word that counts under protocol parseq36 (3 empty). "
            "Check its labels, or choose another protocol.",
        ),
        ({"tests": ["nowhere"]}, "dataset nowhere does not exist. Check the path."),
        (
            {"design": "fixed_total", "total": 100},
            "the cell r0 needs 100 real words, and there are 40. "
            "Make more, or lower the ratios or the words that every cell starts from.",
        ),
        (
            {"ratios": [1, 1]},
            "study.toml: ratios must be different numbers of 0 or more, got [1.0, 1.0].",
        ),
        ({"total": 5}, "study.toml: total must be 1 or more, and only the design fixed_total has one."),
        (
            {"synthetic": {"name": "real", "paths": ["rendered"]}},
            "study.toml: real and synthetic are both named 'real'; give them two names.",
        ),
        (
            {"train": {**TINY, "mixture": "m"}},
            "study.toml: train must name no mixture; a study makes its own.",
        ),
        (
            {"train": {**TINY, "rendered": {"recipe": "mjst_plus"}}},
            "study.toml: train must render no words; a study has its own, in synthetic.",
        ),
        (
            {"protocol": "exact"},
            "protocol exact has no charset to learn. Train with parseq36 or parseq94.",
        ),
    ],
)
def test_what_does_not_fit_is_refused_before_the_first_run(
    words: Path, changes: dict[str, Any], message: str
) -> None:
    dataset(words / "unreadable", 3, labels=["!", "?", "!?"])
    with pytest.raises(UserError) as refusal:
        plan(recipe(**changes), words / "out")
    assert str(refusal.value) == message
    assert not (words / "out").exists()


def test_dry_run_prints_the_grid_and_writes_nothing(words: Path) -> None:
    (words / "study.toml").write_text(toml())
    shown = CliRunner().invoke(ablate_command, ["study.toml", "-o", "out", "--dry-run"])
    assert shown.stdout.splitlines()[2].startswith("| fixed_real-r0-s0 ")
    assert not (words / "out").exists()


def test_seeds_name_their_runs(words: Path) -> None:
    study = replace(recipe(), seeds=(0, 7), synthetic_only=False)
    assert [found.name for found in plan(study, words / "out").runs] == [
        "fixed_real-r0-s0",
        "fixed_real-r0-s7",
        "fixed_real-r1-s0",
        "fixed_real-r1-s7",
        "fixed_real-r3-s0",
        "fixed_real-r3-s7",
    ]
