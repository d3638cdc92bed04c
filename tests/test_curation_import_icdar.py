"""Cropped words of the ICDAR competitions, as their publishers pack them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from published_icdar import write_art, write_icdar2003, write_json, write_lines, write_mlt19
from published_sets import failure, run, write_icdar2015

from curation.core.dataset import Dataset

ART = {
    "gt_2836_0": {"transcription": "URDER"},
    "gt_2836_1": {"transcription": "LocaL#3"},
    "gt_7_0": {"transcription": "5#6"},
    "gt_7_1": {"transcription": "###", "illegibility": True},
    "gt_8_0": {"transcription": "日本", "language": "Chinese"},
    "gt_8_1": {"transcription": " "},
}
MLT19 = {
    "word_1.png": ("Latin", "Grand, Hotel"),
    "word_2.png": ("Symbols", "+"),
    "word_3.png": ("Arabic", "فندق"),
    "word_4.png": ("Latin", "###"),
}


def imported(out: Path, *columns: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in Dataset.open(out).table(columns).to_pylist()]


def rejected(out: Path) -> dict[str, int]:
    return Dataset.open(out).manifest["rejected_by_reason"]


def test_art_keeps_what_parseq_keeps(tmp_path: Path) -> None:
    src = write_art(tmp_path / "src", ART)
    run("import", "art", src, "-o", tmp_path / "out", "--max-dropped", "0.4")
    assert imported(tmp_path / "out", "uid", "label", "origin_image", "licence") == [
        ("art:gt_2836_0", "URDER", "gt_2836.jpg", "no explicit licence; non-commercial use only"),
        ("art:gt_2836_1", "LocaL#3", "gt_2836.jpg", "no explicit licence; non-commercial use only"),
    ]
    assert rejected(tmp_path / "out") == {
        "doubtful_label": 1,
        "empty_label": 1,
        "illegible": 1,
        "not_latin": 1,
    }
    assert Dataset.open(tmp_path / "out").manifest["options"] == {"all_scripts": False, "without": []}


def test_art_in_all_scripts(tmp_path: Path) -> None:
    src = write_art(tmp_path / "src", ART)
    run("import", "art", src, "-o", tmp_path / "out", "--all-scripts", "--max-dropped", "0.4")
    labels = [("URDER",), ("LocaL#3",), ("5#6",), ("日本",)]
    assert imported(tmp_path / "out", "label") == labels
    assert rejected(tmp_path / "out") == {"empty_label": 1, "illegible": 1}
    assert Dataset.open(tmp_path / "out").manifest["options"] == {"all_scripts": True, "without": []}


def test_art_without_the_photos_of_other_sets(tmp_path: Path) -> None:
    src = write_art(
        tmp_path / "src", {key: {"transcription": key} for key in ("gt_3_0", "gt_30_0", "gt_4_0")}
    )
    total_text = write_lines(tmp_path / "total.list", ["poly_gt_img883.txt gt_3.txt"])
    ctw1500 = write_lines(tmp_path / "ctw.txt", ["gt_4", "gt_5"])
    given = ("--option", f"without={total_text},{ctw1500}")
    run("import", "art", src, "-o", tmp_path / "out", *given)
    assert imported(tmp_path / "out", "uid") == [("art:gt_30_0",)]
    assert rejected(tmp_path / "out") == {"other_set": 2}
    inputs = ["train_task2_labels.json", "without 1, total.list", "without 2, ctw.txt"]
    assert list(Dataset.open(tmp_path / "out").manifest["inputs"]) == inputs
    args = ("import", "art", src, "-o", tmp_path / "other", "--option")
    assert failure(*args, f"without={tmp_path / 'gone'}") == (
        f"list {tmp_path / 'gone'} of photos does not exist. Check the option 'without'."
    )
    ctw1500.write_text("gt\n")
    assert failure(*args, f"without={ctw1500}") == (
        f"{ctw1500} names no photo of ArT, such as gt_3. Check the option 'without'."
    )


def test_mlt19_keeps_latin_and_symbols(tmp_path: Path) -> None:
    src = write_mlt19(tmp_path / "src", MLT19)
    run("import", "mlt19", src, "-o", tmp_path / "out")
    assert imported(tmp_path / "out", "uid", "label") == [
        ("mlt19:word_1.png", "Grand, Hotel"),
        ("mlt19:word_2.png", "+"),
    ]
    assert rejected(tmp_path / "out") == {"illegible": 1, "not_latin": 1}


def test_mlt19_in_all_scripts(tmp_path: Path) -> None:
    src = write_mlt19(tmp_path / "src", MLT19)
    run("import", "mlt19", src, "-o", tmp_path / "out", "--all-scripts")
    assert imported(tmp_path / "out", "label") == [("Grand, Hotel",), ("+",), ("فندق",)]


def test_all_scripts_of_a_set_in_one(tmp_path: Path) -> None:
    src = write_icdar2015(tmp_path / "src", {"word_1.png": "one"})
    text = failure("import", "icdar2015", src, "-o", tmp_path / "out", "--all-scripts")
    head, _, tail = text.partition(", not for ")
    assert head.startswith("--all-scripts is for the formats art, ")
    assert "mlt19" in head
    assert tail == "icdar2015. Leave it out."


@pytest.mark.parametrize("split", ["train", "test"])
def test_icdar2013(split: str, tmp_path: Path) -> None:
    labels = {"word_1.png": "PROPER", "word_2.png": '"Quoted"', "word_3.png": "a, b"}
    src = write_icdar2015(tmp_path / "src", labels, split=split)
    if split == "test":
        (src / "test" / "gt.txt").rename(src / "test" / "Challenge2_Test_Task3_GT.txt")
    run("import", "icdar2013", src, "--split", split, "-o", tmp_path / "out")
    assert imported(tmp_path / "out", "uid", "label", "split") == [
        (f"icdar2013:{split}/{name}", label, split) for name, label in labels.items()
    ]


def test_icdar2003_in_the_encoding_that_it_states(tmp_path: Path) -> None:
    labels = {
        "word/1/1.jpg": "self",
        "word/1/2.jpg": "Ady's",
        "word/12/3.jpg": "£1.50",
        "word/2/4.jpg": "A&B",
    }
    write_icdar2003(tmp_path / "src", labels, encoding="ISO-8859-1")
    write_icdar2003(tmp_path / "src", {"word/1/1.jpg": "other"}, folder="TrialTest")
    for split, folder in (("train", tmp_path / "src"), ("test", tmp_path / "src" / "TrialTest")):
        run("import", "icdar2003", folder, "--split", split, "-o", tmp_path / split)
    assert imported(tmp_path / "train", "uid", "label") == [
        (f"icdar2003:train/{name}", label) for name, label in labels.items()
    ]
    assert imported(tmp_path / "test", "uid", "label") == [("icdar2003:test/word/1/1.jpg", "other")]


def error(kind: str, src: Path) -> str:
    text = failure("import", kind, src, "-o", src.parent / "out")
    assert not (src.parent / "out").exists()
    return text


GOOD = {"transcription": "a", "language": "Latin", "illegibility": False}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[]", "{} holds [], not a table of photos. Give the publisher's own file."),
        (
            '{"gt_1_0": {}}',
            "{}, gt_1_0 is {{}}, not a list. Give the publisher's own file.",
        ),
        (
            '{"gt_1_0": []}',
            "{}, gt_1_0 has 0 records, expected 1. Give the publisher's own file.",
        ),
        (
            '{"gt_1_0": [7]}',
            "{}, gt_1_0 has no 'transcription': 7. Give the publisher's own file.",
        ),
        (
            '{"gt_1_0": [{"transcription": 5}]}',
            "{}, gt_1_0 has transcription 5, not a text. Give the publisher's own file.",
        ),
        (
            '{"gt_1_0": [{"transcription": "a", "language": "Latin", "illegibility": "no"}]}',
            "{}, gt_1_0 has illegibility 'no', not true or false. Give the publisher's own file.",
        ),
        (
            '{"gt_1_0": [],\n "gt_2',
            "{}, line 2 is not valid JSON: Unterminated string starting at column 2. "
            "Unpack the publisher's archive again.",
        ),
        (
            '{"gt_1_0": [], "gt_1_0": []}',
            "{} is not valid JSON: the key 'gt_1_0' comes twice. Unpack the publisher's archive again.",
        ),
        (
            '{"gt_1_0": [{"transcription": "\\ud83d"}]}',
            "{} has half a surrogate pair in a text. Unpack the publisher's archive again.",
        ),
    ],
)
def test_json_of_another_kind(content: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "src" / "train_task2_labels.json"
    path.parent.mkdir()
    path.write_text(content)
    assert error("art", tmp_path / "src") == message.format(path)


def test_json_in_another_encoding(tmp_path: Path) -> None:
    path = write_json(tmp_path / "src" / "train_task2_labels.json", {"gt_1_0": []})
    path.write_bytes('{"é": []}'.encode("latin-1"))
    assert error("art", tmp_path / "src") == (
        f"{path} is not UTF-8 (byte 0xe9 at offset 2). Unpack the publisher's archive again."
    )


def test_json_nested_without_end(tmp_path: Path) -> None:
    path = write_json(tmp_path / "src" / "train_task2_labels.json", {})
    path.write_text("[" * 1_000_000)
    assert error("art", tmp_path / "src") == (
        f"{path} is not valid JSON: maximum recursion depth exceeded while decoding a JSON array from a "
        "unicode string. Unpack the publisher's archive again."
    )


@pytest.mark.parametrize("key", ["../../etc/passwd", "/etc/passwd", "a/../../b"])
def test_key_that_leads_out(key: str, tmp_path: Path) -> None:
    path = write_json(tmp_path / "src" / "train_task2_labels.json", {key: [GOOD]})
    assert error("art", tmp_path / "src") == (
        f"{path}, {key} names the image '{key}.jpg', which is not inside "
        f"{tmp_path / 'src' / 'train_task2_images'}. Make the paths in that file relative to that folder."
    )


def test_line_of_mlt19_with_other_separators(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "src" / "gt.txt", ["word_1.png,Latin,a", "word_2.png\tLatin\tb"])
    assert error("mlt19", tmp_path / "src") == (
        f"{path}, line 2 is not like word_1.png,script,label: 'word_2.png\\tLatin\\tb'. "
        "Give the publisher's own file."
    )


def test_word_xml_without_a_tag(tmp_path: Path) -> None:
    path = write_lines(tmp_path / "src" / "word.xml", ['<imagelist><image file="1.jpg"/></imagelist>'])
    assert error("icdar2003", tmp_path / "src") == (
        f"{path}, image 1 has no tag: got {{'file': '1.jpg'}}. Give the publisher's own file."
    )
    path.write_text('<imagelist><image file="../1.jpg" tag="a"/></imagelist>')
    assert error("icdar2003", tmp_path / "src") == (
        f"{path}, image 1 names the image '../1.jpg', which is not inside {tmp_path / 'src'}. "
        "Make the paths in that file relative to that folder."
    )
    path.write_text('<?xml version="1.0" encoding="odd"?><imagelist/>')
    assert error("icdar2003", tmp_path / "src") == (
        f"{path} is not valid XML: unknown encoding: odd. Unpack the publisher's archive again."
    )
