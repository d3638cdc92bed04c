"""Guessing the encoding of a file that is not UTF-8, for a message; nothing is read by a guess."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from curation.core.errors import UserError

SAMPLE = 1 << 20  # bytes; rare characters may come late
BOMS = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
HIGH = re.compile(rb"[\x80-\xff]+")
PAIRED = re.compile(rb"(?:[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x00-\x7f])*", re.DOTALL)


def looks_like(path: Path) -> str | None:
    """Name the encoding that the file at ``path``, which is not UTF-8, seems to have; None if none fits."""
    with path.open("rb") as file:
        data = file.read(SAMPLE)
    for mark, name in BOMS.items():
        if data.startswith(mark):
            return name
    if (zeros := data.count(0)) > len(data) // 4:
        return "utf-16-le" if data[1::2].count(0) > zeros // 2 else "utf-16-be"
    runs = HIGH.findall(data)
    n_high = sum(map(len, runs))
    if n_high and n_high / len(runs) < 2:  # single marks among letters: accents
        return "cp1252" if _decodes(data, "cp1252") else "latin-1"
    text = data[: data.rfind(b"\n") + 1] or data  # a character may be cut at the end
    shares = {name: _share(text, name, chars) for name, chars in SCRIPTS.items()}
    best = max(shares, key=lambda name: shares[name])
    return best if shares[best] > 0.5 else None


# What texts in each encoding are mostly made of. The first of equals wins, so the narrower ones come first:
# any Korean text is also sound GB 18030, and most Russian text is too, as characters that nobody uses.
SCRIPTS = {
    "cp1251": re.compile("[\u0410-\u044f\u0401\u0451]"),
    "euc_kr": re.compile("[\uac00-\ud7a3]"),
    "shift_jis": re.compile("[\u3040-\u30ff\u4e00-\u9fff\uff01-\uff60]"),
    "gb18030": re.compile("[\u4e00-\u9fff\u3000-\u303f\uff01-\uff60]"),
    "big5": re.compile("[\u4e00-\u9fff\u3000-\u303f\uff01-\uff60]"),
}


def _share(data: bytes, encoding: str, usual: re.Pattern[str]) -> float:
    """The share of the characters beyond ASCII that are usual in this encoding; 0 if it cannot be read."""
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError:
        return 0.0
    beyond = [char for char in text if char > "\x7f"]
    if encoding == "cp1251" and PAIRED.fullmatch(data) and _common_han(data):
        return 0.0
    if encoding == "shift_jis" and not any("\u3040" <= char <= "\u30ff" for char in beyond):
        return 0.0
    return sum(bool(usual.match(char)) for char in beyond) / len(beyond) if beyond else 0.0


def _common_han(data: bytes) -> bool:
    """Whether pairs of bytes begin as those of common Chinese characters do: 0xB0 to 0xD7, in GB 2312."""
    leads = [run[i] for run in HIGH.findall(data) for i in range(0, len(run), 2)]
    return sum(0xB0 <= lead <= 0xD7 for lead in leads) > 0.8 * len(leads)


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def known(encoding: str) -> str:
    """Check the name of an encoding.

    Raises:
        UserError: Python has none of that name.
    """
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise UserError(
            f"there is no encoding {encoding!r}. Give one that Python knows: cp1252, gb18030, shift_jis, ..."
        ) from None
