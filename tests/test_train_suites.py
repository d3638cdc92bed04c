from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import train_words
from measured_words import measured

from curation.core.errors import UserError
from curation.importers.union14m import N_TEST
from train.evaluation.suites import SUITES, check_members, completeness, find_members, suite


def test_counts_are_the_published_ones() -> None:
    assert {m.name: m.n_words for m in SUITES["union14m"].members} == N_TEST
    six = {m.name: m.n_words for m in SUITES["six"].members}
    assert six == {
        "IIIT5k": 3000, "SVT": 647, "IC13 857": 857, "IC15 1811": 1811, "SVTP": 645, "CUTE80": 288,
    }  # fmt: skip
    assert (SUITES["six"].n_words, SUITES["six_1015_2077"].n_words) == (7_248, 7_672)


def test_sets_are_found_by_their_folders_names(tmp_path: Path) -> None:
    for name in ("CUTE80", "ic13_857", "IC13_1015", "svt_test", "iiit5k", "IIIT5k-test", "other"):
        train_words.dataset(tmp_path / name, ["one"])
    (tmp_path / "SVTP").mkdir()  # no dataset
    assert {name: path.name for name, path in find_members(suite("six"), tmp_path).items()} == {
        "IIIT5k": "IIIT5k-test", "SVT": "svt_test", "IC13 857": "ic13_857", "CUTE80": "CUTE80",
    }  # fmt: skip
    assert find_members(suite("six_1015_2077"), tmp_path)["IC13 1015"].name == "IC13_1015"


def test_counts_are_checked(tmp_path: Path) -> None:
    found = {"SVT": tmp_path / "svt", "CUTE80": tmp_path / "cute80"}
    few = measured(tmp_path / "svt", ["a", "b"], ["a", "b"]).score
    cute = replace(few, n_total=288, n_used=288)
    members = check_members(suite("six"), found, [few, cute])
    assert [(m.name, m.dataset, m.note) for m in members] == [
        ("IIIT5k", None, "missing"),
        ("SVT", "svt", "2 words instead of 647"),
        ("IC13 857", None, "missing"),
        ("IC15 1811", None, "missing"),
        ("SVTP", None, "missing"),
        ("CUTE80", "cute80", ""),
    ]
    assert completeness(suite("six"), members) == (
        "The averages are over an incomplete or different suite six, not to be compared with published ones "
        "(IIIT5k: missing; SVT: 2 words instead of 647; IC13 857: missing; IC15 1811: missing; "
        "SVTP: missing)."
    )


def test_a_complete_suite(tmp_path: Path) -> None:
    one = measured(tmp_path / "one", ["a"], ["a"]).score
    chosen = suite("union14m")
    found = {member.name: tmp_path / member.name for member in chosen.members}
    scores = [replace(one, n_total=member.n_words, n_used=member.n_words) for member in chosen.members]
    assert completeness(chosen, check_members(chosen, found, scores)) == (
        "The suite union14m is complete: 407,888 words, every set as published."
    )
    scores[2] = replace(scores[2], n_used=898)
    assert completeness(chosen, check_members(chosen, found, scores)) == (
        "The suite union14m is complete: 407,888 words, every set as published "
        "(artistic: the protocol drops 2 of its words)."
    )


def test_pictures_that_cannot_be_read_are_not_the_protocols_doing(tmp_path: Path) -> None:
    one = measured(tmp_path / "one", ["a"], ["a"]).score
    chosen = suite("union14m")
    found = {member.name: tmp_path / member.name for member in chosen.members}
    scores = [replace(one, n_total=member.n_words, n_used=member.n_words) for member in chosen.members]
    scores[2] = replace(scores[2], n_used=889, dropped={"broken_image": 10, "empty": 1})
    members = check_members(chosen, found, scores)
    assert not members[2].as_published
    assert completeness(chosen, members) == (
        "The averages are over an incomplete or different suite union14m, not to be compared with published "
        "ones (artistic: 889 words, for 10 pictures cannot be read)."
    )


def test_refusals(tmp_path: Path) -> None:
    def refused(name: str, folder: Path) -> str:
        with pytest.raises(UserError) as error:
            find_members(suite(name), folder)
        return str(error.value)

    assert refused("sixx", tmp_path) == "unknown suite 'sixx'. Did you mean 'six'?"
    none = tmp_path / "none"
    assert refused("six", none) == (f"folder {none} does not exist. Give --data the folder of the datasets.")
    assert refused("six", tmp_path) == (
        f"folder {tmp_path} has no dataset of the suite six. Give --data the folder that holds them; "
        "they are looked for by name: iiit5k, svt, icdar2013, icdar2015, svtp, cute."
    )
    for name in ("SVT", "svt-"):
        train_words.dataset(tmp_path / name, ["one"])
    assert refused("six", tmp_path) == (
        f"SVT and svt- in {tmp_path} could both be SVT. Rename the wrong one."
    )
