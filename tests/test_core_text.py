"""Counts and tables as every command prints them."""

from __future__ import annotations

from curation.core.text import aligned, counted


def test_counts_come_in_the_order_of_their_reasons() -> None:
    assert counted({"illegible": 1204, "broken_image": 3}) == "3 broken_image, 1,204 illegible"
    assert (counted({}), counted({}, none="nothing")) == ("none", "nothing")


def test_columns_are_as_wide_as_their_longest_cell() -> None:
    rows = [("set", "words", "left out"), ("iiit5k", "2,000", "none"), ("svt", "7", "")]
    assert aligned(rows, left={0, 2}) == [
        "set     words  left out",
        "iiit5k  2,000  none",
        "svt         7",
    ]
