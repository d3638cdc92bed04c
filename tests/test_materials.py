from __future__ import annotations

import csv
import hashlib
import re
import string
from pathlib import Path

import pytest
from fontTools.ttLib import TTFont

ROOT = Path(__file__).resolve().parent.parent
FONTS, CORPORA, PHOTOS = ROOT / "fonts", ROOT / "corpora", ROOT / "synthgen" / "photos"

FONT_FILES = sorted([*FONTS.glob("*.ttf"), *FONTS.glob("*.otf")])
with (FONTS / "classes.tsv").open(encoding="utf-8", newline="") as lines:
    CLASSES = {row["file"]: row for row in csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)}
FONT_LICENCES = {"OFL-1.1", "Apache-2.0", "MIT", "CC0-1.0", "LicenseRef-public-domain"}
CORPUS_LICENCES = {"Apache-2.0", "CC-BY-SA-4.0", "LicenseRef-SCOWL"}
PHOTO_LICENCES = {"CC0-1.0", "public domain", "CC-BY-4.0", "CC-BY-2.0"}
HELD_OUT_OF = (
    "words_en.tsv",
    "words_en_rare.txt",
    "dictionary_en.txt",
    "names.txt",
    "signs.txt",
    "sign_phrases.txt",
)
NO_SPACES = ("standin_words.txt", *(name for name in HELD_OUT_OF if name != "sign_phrases.txt"))


def table(path: Path) -> dict[str, dict[str, str]]:
    """Read the one table of a Markdown file as rows by their `file` cell."""
    lines = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    head, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    found = [dict(zip(head, row, strict=True)) for row in rows]
    assert len({row["file"] for row in found}) == len(found), f"{path.name} lists a file twice"
    return {row["file"]: row for row in found}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def corpus_lines(name: str) -> list[str]:
    return (CORPORA / name).read_text(encoding="utf-8").splitlines()


def check_folder(listed: dict[str, dict[str, str]], files: list[Path], licences: set[str]) -> None:
    assert {file.name for file in files} == set(listed)
    assert {row["licence"] for row in listed.values()} <= licences
    wrong = [file.name for file in files if sha256(file) != listed[file.name]["SHA-256"]]
    assert not wrong, f"changed without their table row: {wrong}"


def test_every_font_is_listed_with_its_licence_and_checksum():
    check_folder(table(FONTS / "LICENSES.md"), FONT_FILES, FONT_LICENCES)


def test_every_font_has_a_copyright_line_and_every_licence_its_text():
    listed = table(FONTS / "LICENSES.md")
    assert set(table(FONTS / "licences" / "COPYRIGHT.md")) == set(listed)
    for licence in {row["licence"] for row in listed.values()}:
        assert (FONTS / "licences" / f"{licence}.txt").stat().st_size > 500


def test_fonts_are_many_and_small():
    assert len(FONT_FILES) >= 240
    assert sum(file.stat().st_size for file in FONT_FILES) < 22_000_000


def test_fonts_are_of_all_the_styles_that_signs_have():
    assert set(CLASSES) == {path.name for path in FONT_FILES}
    listed = table(FONTS / "LICENSES.md")
    assert all(
        (row["class"], row["licence"]) == (listed[file]["class"], listed[file]["licence"])
        for file, row in CLASSES.items()
    )
    styles = "sans serif slab mono condensed heavy script hand display stencil dot_matrix seven_segment"
    assert set(styles.split()) <= {row["class"] for row in CLASSES.values()}


@pytest.mark.parametrize("path", FONT_FILES, ids=lambda path: path.name)
def test_every_font_maps_letters_digits_and_common_marks(path):
    with TTFont(path, lazy=True) as font:
        mapped = {chr(code) for code in font.getBestCmap()}
    assert (
        set(CLASSES[path.name]["characters"] or string.ascii_letters + string.digits + ".,-'!?:/") <= mapped
    )


def test_every_word_list_is_listed_with_its_licence_and_checksum():
    files = sorted([*CORPORA.glob("*.txt"), *CORPORA.glob("*.tsv")])
    check_folder(table(CORPORA / "SOURCES.md"), files, CORPUS_LICENCES)


def test_word_lists_hold_the_entries_their_table_counts():
    for name, row in table(CORPORA / "SOURCES.md").items():
        entries = [line for line in corpus_lines(name) if not line.startswith("#")]
        assert len(entries) == int(row["entries"].replace(",", "")), name
        assert len(set(entries)) == len(entries), f"{name} repeats an entry"
        assert all(line.isascii() and line == line.strip() and line for line in entries), name


def test_only_phrases_hold_spaces():
    assert all(" " in line for line in corpus_lines("sign_phrases.txt"))
    for name in NO_SPACES:
        assert not any(" " in line for line in corpus_lines(name)), name


def test_frequent_words_are_in_falling_order():
    rows = [line.split("\t") for line in corpus_lines("words_en.tsv")]
    frequencies = [float(frequency) for _, frequency in rows]
    assert len(rows) >= 50_000
    assert frequencies == sorted(frequencies, reverse=True)
    assert frequencies[-1] > 0


def test_rare_words_are_not_among_the_frequent_ones():
    frequent = {line.split("\t")[0] for line in corpus_lines("words_en.tsv")}
    assert frequent.isdisjoint(corpus_lines("words_en_rare.txt"))


def test_standin_words_are_in_no_other_list():
    held_out = {word.lower() for word in corpus_lines("standin_words.txt")}
    for name in HELD_OUT_OF:
        used = {word.lower() for line in corpus_lines(name) for word in line.split() if not word[0].isdigit()}
        assert held_out.isdisjoint(used), f"{name}: {sorted(held_out & used)[:5]}"


def test_templates_are_a_weight_and_a_pattern_of_the_described_grammar():
    rows = [line.split("\t") for line in corpus_lines("templates.txt") if not line.startswith("#")]
    assert len(rows) >= 150
    for weight, pattern in rows:
        assert int(weight) > 0
        bare = re.sub(r"\\[\\\[\](){}|?.$d]", "", pattern)  # what is left once the escapes are out
        assert not re.search(r"[\\*^$\s]", bare), pattern
        re.compile(pattern.replace("+", r"\+"))  # else the grammar is a part of Python's: brackets must match


def test_every_photo_is_listed_with_its_licence_and_checksum():
    files = sorted(PHOTOS.glob("*.jpg"))
    check_folder(table(PHOTOS / "LICENSES.md"), files, PHOTO_LICENCES)
    assert 12 <= len(files) <= 25
    assert sum(file.stat().st_size for file in files) < 3_000_000
