"""Reading publishers' annotation files: JSON, XML and lines of text, none of which is trusted."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from curation.core.errors import UserError
from curation.importers.base import Unusable, Word, inside, text_lines

AGAIN = "Unpack the publisher's archive again."
OWN = "Give the publisher's own file."
ILLEGIBLE = "###"  # what the ICDAR competitions write for a word that nobody could read
CJK = re.compile("[\u4e00-\u9fff]")
QUOTED = re.compile(r'\s*([^,]+?)\s*,\s*"(.*)"\s*')
ESCAPED = re.compile(r'\\(["\\])')
KINDS = {str: "a text", list: "a list", (bool, int): "true or false"}


def read_json(path: Path) -> Any:
    """Read a JSON file of a publisher.

    Raises:
        UserError: it is not UTF-8 or not JSON, or a table has a key twice, so that one would vanish.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{path} is not UTF-8 (byte 0x{error.object[error.start]:02x} at offset {error.start}). {AGAIN}"
        ) from None
    try:
        value = json.loads(text, object_pairs_hook=_table)
        if "\\ud" in text.lower():
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no character
    except json.JSONDecodeError as error:
        raise UserError(
            f"{path}, line {error.lineno} is not valid JSON: "
            f"{error.msg.removesuffix(' at')} at column {error.colno}. {AGAIN}"
        ) from None
    except UnicodeEncodeError:
        raise UserError(f"{path} has half a surrogate pair in a text. {AGAIN}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path} is not valid JSON: {error}. {AGAIN}") from None
    return value


def _table(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"the key {next(n for n in names if names.count(n) > 1)!r} comes twice")
    return table


def records(value: Any, where: str) -> list[Any]:
    """``value`` if it is a list; ``where`` is its position for the message.

    Raises:
        UserError: it is none.
    """
    if not isinstance(value, list):
        raise UserError(f"{where} is {_short(value)}, not a list. {OWN}")
    return value


def get(record: Any, name: str, kind: Any, where: str) -> Any:
    """The field ``name`` of a JSON record; ``kind`` is one of ``KINDS``.

    Raises:
        UserError: it is not there or of another kind.
    """
    if not isinstance(record, dict) or name not in record:
        raise UserError(f"{where} has no {name!r}: {_short(record)}. {OWN}")
    if not isinstance(record[name], kind):
        raise UserError(f"{where} has {name} {_short(record[name])}, not {KINDS[kind]}. {OWN}")
    return record[name]


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def outline(points: Any, where: str) -> tuple[float, ...]:
    """Points as JSON has them, ``[[x, y], ...]`` or ``[x, y, ...]``, as x and y in turn.

    Raises:
        UserError: it is another thing. Numbers that are not finite are let through.
    """
    if isinstance(points, list) and all(isinstance(p, list) and len(p) == 2 for p in points):
        points = [value for point in points for value in point]
    good = isinstance(points, list) and len(points) % 2 == 0
    if not good or not all(isinstance(v, int | float) and not isinstance(v, bool) for v in points):
        raise UserError(f"{where} has points {_short(points)}, not pairs of numbers. {OWN}")
    return tuple(_float(value) for value in points)


def _float(value: int | float) -> float:
    try:
        return float(value)
    except OverflowError:
        return math.inf


def coordinates(texts: Iterable[str]) -> tuple[float, ...] | None:
    """Numbers from their texts, or None if one is no number. Those that are not finite are let through."""
    try:
        return tuple(float(text) for text in texts)
    except ValueError:
        return None


def bad_line(path: Path, number: int, like: str, line: str) -> UserError:
    """The error for a line of another kind than ``like``."""
    return UserError(f"{path}, line {number} is not like {like}: {line[:60]!r}. {OWN}")


def read_xml(path: Path, root: str | None = None) -> ElementTree.Element:
    """Read an XML file; ``root`` is what its root must be called, if that is known.

    Raises:
        UserError: it is no XML, or of another kind.
    """
    try:
        found = ElementTree.parse(path).getroot()
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the latter two: encodings
        raise UserError(f"{path} is not valid XML: {error}. {AGAIN}") from None
    if root is not None and found.tag != root:
        raise UserError(f"{path} is XML of another kind: its root is {found.tag!r}, not {root!r}. {OWN}")
    return found


def quoted_words(path: Path, split: str) -> Iterator[Word | Unusable]:
    """Yield the words of a file of lines ``word_1.png, "Genaxis Theatre"``, beside its pictures.

    The label ends at the line's last quote, and a quote inside it has a backslash before it. ``###`` marks
    one that nobody could read.
    """
    for number, line in text_lines(path):
        if not (found := QUOTED.fullmatch(line)):
            raise bad_line(path, number, 'word_1.png, "label"', line)
        name, label = found[1], ESCAPED.sub(r"\1", found[2])
        picture = inside(path.parent, name, f"{path}, line {number}")
        if label == ILLEGIBLE:
            yield Unusable(id=f"{split}/{name}", reason="illegible", detail=label)
        else:  # the splits use the same names
            yield Word(id=f"{split}/{name}", label=label, read=picture.read_bytes)


def photos_of(value: Any, path: Path) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield name, position for messages and records of each entry of ``{name: [record, ...]}``."""
    if not isinstance(value, Mapping):
        raise UserError(f"{path} holds {_short(value)}, not a table of photos. {OWN}")
    for name, found in value.items():
        yield name, f"{path}, {name}", records(found, f"{path}, {name}")
