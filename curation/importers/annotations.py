"""Reading publishers' annotation files: JSON, XML and lines of text, none of which is trusted."""

from __future__ import annotations

import json
import re
import struct
import unicodedata
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from curation.core.errors import UserError
from curation.importers import matlab
from curation.importers.base import Unusable, Word, inside, text_lines
from curation.importers.photos import shown

# SciPy has no single error for a damaged Matlab file
DAMAGED = (ValueError, TypeError, LookupError, NotImplementedError, OSError, zlib.error, struct.error)
CHECKED_BYTES = 2**25  # of a Matlab file; IIIT 5K-word's have under a megabyte
AGAIN = "Unpack the publisher's archive again."
OWN = "Give the publisher's own file."
ILLEGIBLE = "###"  # what the ICDAR competitions write for a word that nobody could read
CJK = re.compile("[\u4e00-\u9fff]")
LATIN = re.compile("[A-Za-z\u00aa\u00ba\u00c0-\u024f\u0300-\u036f\u1e00-\u1eff\ufb00-\ufb06]")
QUOTED = re.compile(r'\s*([^,]+?)\s*,\s*"(.*)"\s*')
ESCAPED = re.compile(r'\\(["\\])')
KINDS = {
    str: "a text",
    list: "a list",
    dict: "a table",
    bool: "true or false",
    (bool, int): "true or false",
    (int, str): "a number or a text",
}


def read_json(path: Path) -> Any:
    """Read a JSON file of a publisher.

    Raises:
        UserError: it is not UTF-8 or not JSON, or a table has a key twice, so that one would vanish.
    """
    return parse_json(path.read_bytes(), str(path))


def parse_json(data: bytes, where: str) -> Any:
    """Read JSON of a publisher; ``where`` is what it is called in messages. Raises as ``read_json``."""
    text = json_text(data, where)
    with json_errors(where):
        value = json.loads(text, object_pairs_hook=no_key_twice)
        if has_surrogates(text):
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no character
    return value


def json_text(data: bytes, where: str) -> str:
    """Decode the text of a JSON file.

    Raises:
        UserError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{where} is not UTF-8 (byte 0x{error.object[error.start]:02x} at offset {error.start}). {AGAIN}"
        ) from None


def has_surrogates(text: str) -> bool:
    """Whether JSON may have half a surrogate pair in a text."""
    return "\\ud" in text or "\\uD" in text


@contextmanager
def json_errors(where: str) -> Iterator[None]:
    """Turn what is wrong with JSON into one sentence about ``where``."""
    try:
        yield
    except json.JSONDecodeError as error:
        raise UserError(
            f"{where}, line {error.lineno} is not valid JSON: "
            f"{error.msg.removesuffix(' at')} at column {error.colno}. {AGAIN}"
        ) from None
    except UnicodeEncodeError:
        raise UserError(f"{where} has half a surrogate pair in a text. {AGAIN}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{where} is not valid JSON: {error}. {AGAIN}") from None


def no_key_twice(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    """Make a table of JSON; raises ValueError if a key comes twice, so that one would vanish."""
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
        raise UserError(f"{where} is {shown(value)}, not a list. {OWN}")
    return value


def get(record: Any, name: str, kind: Any, where: str) -> Any:
    """The field ``name`` of a JSON record; ``kind`` is one of ``KINDS``.

    Raises:
        UserError: it is not there or of another kind.
    """
    if not isinstance(record, dict) or name not in record:
        raise UserError(f"{where} has no {name!r}: {shown(record)}. {OWN}")
    if not isinstance(record[name], kind):
        raise UserError(f"{where} has {name} {shown(record[name])}, not {KINDS[kind]}. {OWN}")
    return record[name]


def coordinates(texts: Iterable[str]) -> tuple[float, ...] | None:
    """Numbers from their texts, or None if one is no number. Those that are not finite are let through."""
    try:
        return tuple(float(text) for text in texts)
    except ValueError:
        return None


def polygon_line(
    path: Path, number: int, line: str, like: str, n_numbers: int
) -> tuple[tuple[float, ...], list[str]]:
    """Take a line ``x1,y1,...`` apart: its first ``n_numbers``, and the fields that ``like`` has after them.

    ``like`` names the last two numbers and then the fields: ``x1,y1,...,x4,y4,script,text``. The last field
    may hold commas.

    Raises:
        UserError: the line is not like ``like``.
    """
    n_commas = n_numbers + like.partition("...")[2].count(",") - 3
    fields = line.split(",", n_commas)
    outline = coordinates(fields[:n_numbers])
    if outline is None or len(fields) <= n_commas:
        raise bad_line(path, number, like, line)
    return outline, fields[n_numbers:]


def read_mat(path: Path, names: Sequence[str] | None = None) -> Any:
    """Read the variables ``names`` of a Matlab file, or all of them.

    Files up to ``CHECKED_BYTES`` are checked before SciPy reads them; larger ones would take too long.

    Raises:
        UserError: it cannot be read.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    try:
        if path.stat().st_size <= CHECKED_BYTES:
            matlab.check(path.read_bytes())
        return loadmat(path, variable_names=names)
    except (
        ValueError,
        TypeError,
        LookupError,
        NotImplementedError,
        OSError,
        zlib.error,
        struct.error,
        MatReadError,
    ):
        # SciPy has no single error for a damaged file
        raise UserError(f"{path} cannot be read as a Matlab file. {AGAIN}") from None


def rectangle(element: ElementTree.Element, where: str) -> tuple[float, ...]:
    """The attributes x, y, width, height of an XML element; ``where`` is its position for the message.

    Raises:
        UserError: one is missing or no number. Those that are not finite are let through.
    """
    values = {key: element.get(key, "") for key in ("x", "y", "width", "height")}
    if (box := coordinates(values.values())) is None:
        raise UserError(f"{where} has no box: got {values}. {OWN}")
    return box


def not_latin(label: str) -> str | None:
    """The reason ``not_latin`` if a label has a Chinese character, as PARSeq tells Latin words from others.

    Source: baudm/parseq tools/lsvt_converter.py.
    """
    return "not_latin" if CJK.search(label) else None


def other_script(label: str) -> str | None:
    """The reason ``not_latin`` if a label has a letter or a vowel sign of another script."""
    foreign = any(unicodedata.category(c)[0] in "LM" and not LATIN.search(c) for c in label)
    return "not_latin" if foreign else None


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
        raise UserError(f"{path} holds {shown(value)}, not a table of photos. {OWN}")
    for name, found in value.items():
        yield name, f"{path}, {name}", records(found, f"{path}, {name}")
