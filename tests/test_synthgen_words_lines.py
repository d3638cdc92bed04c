"""Word lists on disk: the same entries as reading the file whole, and little memory."""

from __future__ import annotations

import re
import tracemalloc
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from curation.core.errors import UserError
from curation.core.labels import CHARSET_94
from curation.core.rng import stream
from synthgen.words import Limits, lines
from synthgen.words.lines import MappedWords
from synthgen.words.word_list import WordList

MEND = "Mend the list, or the recipe's charset."
NOTHING_FITS = "word list w.txt has no word to draw (1 too_long, 1 unsupported_character). "
LIMITS = Limits("abcé漢 ", 3)


def entries(words: MappedWords) -> list[str]:
    ends = zip(words.starts.tolist(), words.sizes.tolist(), strict=True)
    return [words.data[first : first + size].decode() for first, size in ends]


def read_whole(text: str, split: bool, limits: Limits) -> tuple[list[str], dict[str, int]]:
    found = text.split() if split else [line.strip() for line in text.split("\n") if line.strip()]
    reasons = [limits.reject(entry) for entry in found]
    kept = [entry for entry, reason in zip(found, reasons, strict=True) if reason is None]
    return kept, dict(sorted(Counter(reason for reason in reasons if reason).items()))


@settings(deadline=None, max_examples=60)
@given(
    text=st.text(alphabet="abcdé漢𝄞 \t\r\n\u3000", max_size=60),
    split=st.booleans(),
    bom=st.booleans(),
    chunk=st.integers(1, 20),
)
def test_finds_what_reading_the_file_whole_finds(
    text: str, split: bool, bom: bool, chunk: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.getbasetemp() / "words.txt"
    path.write_bytes((lines.BOM if bom else b"") + text.encode())
    kept, left_out = read_whole(text, split, LIMITS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lines, "CHUNK", chunk)
        if kept:
            words = MappedWords.open(path, split, LIMITS)
            assert (entries(words), words.left_out) == (kept, left_out)
        else:
            with pytest.raises(UserError, match="has no word to draw"):
                MappedWords.open(path, split, LIMITS)


def test_windows_lines_and_repeats_are_drawn_evenly(tmp_path: Path) -> None:
    (tmp_path / "w.txt").write_bytes(
        lines.BOM + b"cat\r\n\r\n dog \r\ncat\r\ntoo-long-by-far\r\nna\xc3\xafve"
    )
    source, limits = WordList(file=str(tmp_path / "w.txt")), Limits(CHARSET_94, 12)
    (facts,) = source.inputs(limits).values()
    assert (facts["words"], facts["left_out"]) == (3, {"too_long": 1, "unsupported_character": 1})
    drawn = Counter(source.draw(stream(0, "test"), 3000, limits))
    assert set(drawn) == {"cat", "dog"}
    assert drawn["cat"] == pytest.approx(2000, abs=100)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "word list w.txt has no word to draw (the file is empty). " + MEND),
        (b"\r\n  \n", "word list w.txt has no word to draw (the file is empty). " + MEND),
        (b"incomprehensible\nx y\n", NOTHING_FITS + MEND),
        (
            b"one\ntwo\nthr\xffee\n",
            "word list w.txt, line 3 is not UTF-8 text (invalid start byte). Convert the file.",
        ),
    ],
)
def test_what_is_no_word_list_is_named_in_one_sentence(tmp_path: Path, data: bytes, message: str) -> None:
    (tmp_path / "w.txt").write_bytes(data)
    with pytest.raises(UserError, match=f"^{re.escape(message)}$"):
        WordList(file=str(tmp_path / "w.txt")).inputs(Limits(CHARSET_94, 12))


def test_a_million_words_take_five_bytes_each(tmp_path: Path) -> None:
    letters = np.full((1_000_000, 9), ord("\n"), np.uint8)
    letters[:, :8] = stream(0, "test").integers(ord("a"), ord("z") + 1, (1_000_000, 8), dtype=np.uint8)
    (tmp_path / "many.txt").write_bytes(letters.tobytes())
    last = letters[-1, :8].tobytes().decode()
    del letters
    tracemalloc.start()
    words = MappedWords.open(tmp_path / "many.txt", False, Limits(CHARSET_94, 25))
    words.draw(stream(0, "test"), 1000)
    held, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(words.starts) == 1_000_000
    assert held < 5.2e6
    assert most < 10.5e6 + 100 * lines.CHUNK
    assert words.data[int(words.starts[-1]) :][:8].decode() == last
