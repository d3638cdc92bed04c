"""What each filter drops and each repair makes of a label, in small exact cases."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from filter_words import picture, rows_of
from hypothesis import given
from hypothesis import strategies as st

from curation.core import recipe
from curation.core.errors import UserError
from curation.core.images import decode
from curation.filters import filters
from curation.filters.blur import edge_px
from curation.filters.contrast import contrast
from curation.filters.rows import Rows


def make(kind: str, **options: Any) -> Any:
    return recipe.build(filters.get(kind), options, where="r.toml")


def dropped(kind: str, words: Rows, **options: Any) -> dict[str, list[int]]:
    """Which rows fall out by each reason."""
    worker = make(kind, **options)
    if hasattr(worker, "look"):
        worker = worker.settled(worker.look(words), words.numbers)
    found = {drop.reason: np.flatnonzero(drop.rows).tolist() for drop in worker.drops(words)}
    return {reason: rows for reason, rows in found.items() if rows}


@pytest.mark.parametrize(
    ("kind", "options", "labels", "found"),
    [
        ("empty_label", {}, ["a", "", " \u3000"], {"empty_label": [1, 2]}),
        (
            "illegible",
            {},
            ["###", "#", ".", "*", " ## ", "#1", "a.b", "M."],
            {"illegible": [0, 1, 2, 3, 4]},
        ),
        ("illegible", {"anywhere": "#", "keep": ["#1"]}, ["a#b", "#1", "C#"], {"illegible": [0, 2]}),
        ("illegible", {"marks": "", "anywhere": "?"}, ["###", "wh?t"], {"illegible": [1]}),
        ("white_space", {}, ["ab", " ab ", "a b", "a\tb", "a\u3000b"], {"white_space": [2, 3, 4]}),
        ("label_length", {}, ["a" * 25, "a" * 26, "a " * 25], {"too_long": [1]}),
        ("label_length", {"min": 3, "max": 4}, ["ab", "abc", "ñandú"], {"too_short": [0], "too_long": [2]}),
        ("label_length", {"protocol": "exact"}, ["a " * 13], {"too_long": [0]}),
        ("label_length", {"protocol": "dtrb36", "max": 3}, ["a¿b!"], {"too_long": [0]}),
        ("label_charset", {"charset": "ab "}, ["ab", "a b", "aB"], {"unsupported_character": [2]}),
        (
            "label_charset",
            {"protocol": "parseq94"},
            ["It's", "naïve", "naïve", "a b", "søren", "½", "日本語a", "5€", "´"],
            {"unsupported_character": [4, 5, 6, 7, 8]},
        ),
        (
            "label_charset",
            {"protocol": "dtrb36"},
            ["AB1", "a-b", "é", "a b"],
            {"unsupported_character": [1, 2, 3]},
        ),
        (
            "script",
            {"scripts": ["Latin"]},
            ["né12!", "Привет", "a日", "٣", "٪"],
            {"other_script": [1, 2, 3, 4]},
        ),
        ("script", {"scripts": ["Greek", "Han"]}, ["Ωμέγα", "日", "a", "12"], {"other_script": [2]}),
    ],
)
def test_labels(kind: str, options: dict[str, Any], labels: list[str], found: dict[str, list[int]]) -> None:
    assert dropped(kind, rows_of(labels), **options) == found


@pytest.mark.parametrize(
    ("kind", "options", "words", "found"),
    [
        ("size", {}, [("a", 8, 8), ("a", 7, 8), ("a", 8, 7)], {"too_small": [1, 2]}),
        ("size", {"min_width_px": 20}, [("a", 20, 8), ("a", 19, 99)], {"too_small": [1]}),
        ("vertical", {}, [("ab", 10, 20), ("ab", 10, 21), ("a", 10, 90), ("a ", 10, 90)], {"vertical": [1]}),
        (
            "aspect",
            {},
            [("abcdefghij", 100, 100), ("abcdefghijk", 100, 100), ("a b", 41, 10), ("abc", 60, 10)],
            {"too_narrow": [1], "too_wide": [2]},
        ),
        ("aspect", {}, [("abcdefghijklm", 10, 15), ("abcdefghijklm", 10, 16)], {"too_narrow": [0]}),
    ],
)
def test_sizes(
    kind: str, options: dict[str, Any], words: list[tuple[str, int, int]], found: dict[str, list[int]]
) -> None:
    labels, sizes = [label for label, *_ in words], [(width, height) for _, width, height in words]
    assert dropped(kind, rows_of(labels, sizes=sizes), **options) == found


def test_faint_and_blurred_pictures_fall_out() -> None:
    images = [picture(0), picture(1, light=130, dark=117), picture(2, size=(200, 100), blur=20), picture(3)]
    assert dropped("contrast", rows_of(["a"] * 4, images=images)) == {"low_contrast": [1]}
    assert dropped("blur", rows_of(["a"] * 4, images=images), max_edge_px=5.0) == {"blurred": [2]}


def test_contrast_and_edges_are_measured_in_the_strongest_colour() -> None:
    green = np.zeros((32, 64, 3), np.uint8)
    green[:, :, 2], green[:, 32:, 1] = 90, 100
    assert contrast(green) == 100
    assert edge_px(np.tile(np.repeat(np.array([0, 200], np.uint8), 4), (32, 8))[:, :, None].repeat(3, 2)) == 1
    ramp = np.tile(np.arange(0, 240, 10, np.uint8), (32, 1))[:, :, None].repeat(3, 2)
    assert edge_px(ramp) == contrast(ramp) / 10
    assert edge_px(np.full((32, 64, 3), 9, np.uint8)) == 0


def test_pictures_are_seen_32_px_high() -> None:
    words = rows_of(["a"] * 3, images=[picture(0, (200, 100)), picture(0, (9, 16)), b"nothing"])
    shapes = [None if (found := words.picture(i)) is None else found.shape for i in range(3)]
    assert shapes == [(32, 64, 3), (32, 18, 3), None]
    assert words.broken == {2: "7 bytes that are no readable image"}
    same = rows_of(["a"], images=[picture(0, (64, 32))])
    assert np.array_equal(same.picture(0), decode(picture(0, (64, 32))))


def test_of_a_label_that_comes_too_often_some_stay() -> None:
    words = rows_of(["Alamy", "alamy", "a", "alamy!", "stop", "b", "ALAMY", "stop"])
    out = dropped("label_cap", words, most=2)["repeated_label"]
    assert len(out) == 2
    assert set(out) < {0, 1, 3, 6}
    turned = rows_of(words.labels[::-1])
    turned.uids, turned.uid_hashes = words.uids[::-1], words.uid_hashes[::-1]
    assert sorted(7 - i for i in dropped("label_cap", turned, most=2)["repeated_label"]) == out
    others = [dropped("label_cap", words, most=2, seed=seed)["repeated_label"] for seed in range(9)]
    assert len(set(map(tuple, others))) > 1
    assert dropped("label_cap", words, most=4) == {}
    n = len(words)
    assert dropped("label_cap", words, most=1, most_share=2.5 / n)["repeated_label"] == out, "two of them"
    assert dropped("label_cap", words, most=2, most_share=0.5 / n)["repeated_label"] == out
    assert dropped("label_cap", rows_of(["!", "?", "!"]), most=1)["repeated_label"] in ([0], [2])


@given(
    words=st.lists(st.sampled_from(["a", "A", "b", "c", "ä", ""]), min_size=1, max_size=40),
    most=st.integers(1, 5),
)
def test_a_cap_leaves_as_many_as_it_may(words: list[str], most: int) -> None:
    out = dropped("label_cap", rows_of(words, images=[b""] * len(words)), most=most).get("repeated_label", [])
    folded = ["a" if word in "Aä" and word else word for word in words]
    stay = Counter(word for i, word in enumerate(folded) if i not in out)
    assert stay == {word: min(n, most) for word, n in Counter(folded).items()}


def test_words_that_are_listed_fall_out(tmp_path: Path) -> None:
    reject = {"uid": ["set:0", "set:3"], "reason": ["copy", "small"], "detail": ["", ""]}
    pq.write_table(pa.table(reject), tmp_path / "rejects.parquet")
    (tmp_path / "plain.txt").write_text("set:1\r\n\nset:9\n")
    (tmp_path / "table.tsv").write_text("reason\tuid\ncopy\tset:2\n")

    def found(*names: str, **options: Any) -> list[int]:
        worker = make("listed", files=[str(tmp_path / name) for name in names], **options)
        assert all(len(digest) == 64 for digest in worker.inputs().values())
        (drop,) = worker.prepared().drops(rows_of(["a"] * 5))
        return np.flatnonzero(drop.rows).tolist()

    assert found("rejects.parquet", "plain.txt", "table.tsv") == [0, 1, 2, 3]
    assert found("rejects.parquet", reasons_listed=["copy"]) == [0]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("no.txt", None, "the list {path} does not exist. Give a file of uids."),
        (
            "a.tsv",
            "id\tlabel\n1\t2\n",
            "{path} has columns, but none is called 'uid'. Name them in its first line.",
        ),
        ("a.tsv", "uid\tx\n1\n", "{path}, line 2 has not the 2 columns of the first. Mend that line."),
        (
            "a.parquet",
            "no parquet",
            "{path} cannot be read: Parquet magic bytes not found in footer.",
        ),
        ("a.txt", b"\xff\xfe", "{path} is not UTF-8. Convert it, or give a Parquet file."),
    ],
)
def test_bad_lists(tmp_path: Path, name: str, content: str | bytes | None, message: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    worker = make("listed", files=[str(path)])
    with pytest.raises(UserError) as error:
        worker.prepared() if path.exists() else worker.inputs()
    assert str(error.value).startswith(message.format(path=path))


@pytest.mark.parametrize(
    ("kind", "options", "label", "after"),
    [
        ("repair_charset", {}, "5€", "5"),
        ("repair_charset", {"charset": "abc"}, "A cab", "cab"),
        ("repair_ascii", {}, "naïve søren ½ ﬁ", "naive sren 12 fi"),
        ("repair_nfkc", {}, "ＡＢ ﬁ e\u0301", "AB fi é"),
        ("repair_html", {}, "&amp;&quot;&#39; R&B", "&\"' R&B"),
        ("repair_white_space", {}, " a b\t", "a b"),
        ("repair_white_space", {"remove": "all"}, " a b\u3000c", "abc"),
    ],
)
def test_repairs(kind: str, options: dict[str, Any], label: str, after: str) -> None:
    assert make(kind, **options).repaired(label) == after


@pytest.mark.parametrize(
    ("kind", "options", "problem"),
    [
        ("label_length", {"min": 9, "max": 3}, "min is 9, more than max, 3; nothing would stay"),
        ("label_length", {"min": -1}, "min must be 0 or more, got -1"),
        (
            "label_length",
            {"protocol": "parsq94"},
            "unknown protocol 'parsq94'; known: parseq94, parseq62, parseq36",
        ),
        ("label_charset", {}, "give either protocol or charset"),
        ("label_charset", {"charset": "a", "protocol": "dtrb36"}, "give either protocol or charset"),
        ("label_charset", {"charset": ""}, "charset is empty; nothing would stay"),
        (
            "label_charset",
            {"protocol": "exact"},
            "the protocol 'exact' has no charset; those that have one: parseq36, parseq62, parseq94, "
            "dtrb36, exact94",
        ),
        ("aspect", {"min_advance": 3.0}, "min_advance is 3, more than max_advance, 2; nothing would stay"),
        ("aspect", {"max_advance": 0.0}, "max_advance must be above 0, got 0"),
        ("size", {"min_height_px": -2}, "min_height_px must be above 0, got -2"),
        ("vertical", {"max_ratio": 0.0}, "max_ratio must be above 0, got 0"),
        ("contrast", {"min": 256.0}, "min must be above 0 and below 256, got 256"),
        ("blur", {"max_edge_px": -1.0}, "max_edge_px must be above 0, got -1"),
        ("label_cap", {"most": 0}, "most must be 1 or more, got 0"),
        ("label_cap", {"most": 1, "most_share": 1.5}, "most_share must be from 0 to 1, got 1.5"),
        ("script", {"scripts": ["Latn"]}, "unknown script 'Latn'; known: Latin, Lydian, Lycian"),
        ("script", {"scripts": []}, "scripts is empty; nothing would stay"),
        ("illegible", {"marks": ""}, "neither marks nor anywhere is given; give one"),
        ("listed", {"files": []}, "files is empty; name at least one list"),
        ("repair_charset", {"charset": ""}, "charset is empty; nothing would stay"),
    ],
)
def test_bad_options(kind: str, options: dict[str, Any], problem: str) -> None:
    with pytest.raises(UserError) as error:
        make(kind, **options)
    assert str(error.value) == f"r.toml: {problem}."
