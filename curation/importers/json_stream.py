"""Reading a long list out of a JSON file piece by piece: some sets' annotations are larger than memory."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from curation.core.errors import UserError

PIECE = 1 << 20  # characters read at a time
LONGEST = 1 << 24  # characters that one item may have; a word or a photo with all its words is far shorter
BLANK = re.compile(r"[\s,]*")


def json_list(path: Path, key: str) -> Iterator[Any]:
    """Yield the items, tables all of them, of the list that the JSON file at ``path`` has under ``key``.

    The first place in the file where the key is followed by a list counts.

    Raises:
        UserError: no such list, an item that is not JSON, a file that is cut short or not UTF-8.
    """
    try:
        with path.open(encoding="utf-8-sig") as file:
            yield from _items(file, path, key)
    except UnicodeDecodeError:
        raise UserError(f"{path} is not UTF-8. Give the publisher's own file.") from None


def _items(file: TextIO, path: Path, key: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    text = _after(file, path, key)
    at, number = 0, 0
    while True:
        at = BLANK.match(text, at).end()  # type: ignore[union-attr]  # it matches nothing, too
        if at < len(text) and text[at] == "]":
            return
        try:
            item, end = decoder.raw_decode(text, at)
            complete = end < len(text)  # a number at the end may go on
        except json.JSONDecodeError as error:
            fault, complete = error, False
        except RecursionError:
            raise UserError(f"{path}, item {number + 1} of {key!r} is nested too deeply. Mend it.") from None
        except ValueError as error:  # a number of 5,000 digits
            raise UserError(f"{path}, item {number + 1} of {key!r} is not JSON: {error}. Mend it.") from None
        if complete:
            yield item
            at, number = end, number + 1
            continue
        piece = file.read(PIECE)
        if not piece and not text[at:].strip():
            raise UserError(f"{path} is cut short after item {number} of {key!r}. Unpack or copy it again.")
        if not piece or len(text) - at > LONGEST:
            raise UserError(
                f"{path}, item {number + 1} of {key!r} is not JSON: {fault.msg}. Unpack or copy it again."
            )
        text, at = text[at:] + piece, 0


def _after(file: TextIO, path: Path, key: str) -> str:
    """What follows the opening bracket of the list under ``key``, as far as it was read."""
    opening = re.compile(rf'"{re.escape(key)}"\s*:\s*\[')
    text = ""
    while piece := file.read(PIECE):
        text += piece
        if (found := opening.search(text)) is not None:
            return text[found.end() :]
        text = text[-len(key) - 100 :]
    raise UserError(f"{path} has no list {key!r}. Give the publisher's own file.")
