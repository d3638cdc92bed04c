"""Walking through JSON files of hundreds of megabytes, one record decoded at a time."""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterator
from typing import Any, NoReturn

from curation.core.errors import UserError
from curation.importers.annotations import KINDS, OWN, has_surrogates, json_errors, json_text, no_key_twice
from curation.importers.photos import shown

SPACE = re.compile(r"[ \t\n\r]*")
DECODER = json.JSONDecoder(object_pairs_hook=no_key_twice)
Entry = tuple[str, str | int, int, Any]  # the table's name, the entry's key or number, its place, its value


class JsonEntries:
    """The tables and lists at the top of a JSON document, whose entries are decoded one by one.

    The document is held as text, a byte for a byte if it is ASCII; decoded at once it would take eight.

    Args:
        data: The file's bytes.
        where: What it is called in messages.

    Raises:
        UserError: it is not UTF-8.
    """

    def __init__(self, data: bytes, where: str) -> None:
        self._text = json_text(data, where)
        self._where = where
        self._may_be_broken = has_surrogates(self._text)
        self._top: dict[str, Any] = {}  # what the walk has met: values, and of tables and lists empty ones

    def __iter__(self) -> Iterator[Entry]:
        """Yield each entry of each table and list at the top, in the order of the file.

        Raises:
            UserError: it is not JSON, has something else than a table at its top, or a name in it twice.
        """
        at = self._space(0)
        if not self._text.startswith("{", at):
            begin = self._text[at : at + 20]
            raise UserError(f"{self._where} begins with {begin!r}, not with a table of JSON. {OWN}")
        at, more = self._space(at + 1), True
        if self._text.startswith("}", at):
            at, more = at + 1, False
        while more:
            name, at = self._key(at)
            if name in self._top:
                raise UserError(f"{self._where} has {name!r} twice. {OWN}")
            if self._text.startswith(("{", "["), at):
                at = yield from self._entries(name, at)
            else:
                self._top[name], at = self._value(at)
            at, more = self._next(at, "}")
        if (at := self._space(at)) != len(self._text):
            self._fail("Extra data", at)

    def entry(self, place: int) -> tuple[str, Any]:
        """Decode the entry of a table again: its key and its value."""
        key, at = self._key(place)
        return key, self._value(at)[0]

    def item(self, place: int) -> Any:
        """Decode the entry of a list again."""
        return self._value(place)[0]

    def check(self, name: str, kind: type) -> None:
        """Check that the walk, which must be over, has met the table or list ``name``.

        Raises:
            UserError: it has not, or it is of another kind.
        """
        if name not in self._top:
            raise UserError(f"{self._where} has no {name!r}, only {shown([*self._top])}. {OWN}")
        if not isinstance(found := self._top[name], kind):
            what = KINDS.get(type(found)) or shown(found)
            raise UserError(f"{self._where} has {name}, {what}, which must be {KINDS[kind]}. {OWN}")

    def _entries(self, name: str, at: int) -> Generator[Entry, None, int]:
        """Yield the entries of one table or list, and return where it ends."""
        keyed = self._text[at] == "{"
        self._top[name], closing = ({}, "}") if keyed else ([], "]")
        at = self._space(at + 1)
        if self._text.startswith(closing, at):
            return at + 1
        number, more = 0, True
        while more:
            place, key = at, number
            if keyed:
                key, at = self._key(at)
            value, at = self._value(at)
            yield name, key, place, value
            at, more = self._next(at, closing)
            number += 1
        return at

    def _value(self, at: int) -> tuple[Any, int]:
        with json_errors(self._where):
            value, end = DECODER.raw_decode(self._text, at)
            if self._may_be_broken:
                json.dumps(value, ensure_ascii=False).encode()
        return value, end

    def _key(self, at: int) -> tuple[str, int]:
        """The key at a place, and where its value begins."""
        if not self._text.startswith('"', at):
            self._fail("Expecting property name enclosed in double quotes", at)
        key, at = self._value(at)
        if not self._text.startswith(":", at := self._space(at)):
            self._fail("Expecting ':' delimiter", at)
        return key, self._space(at + 1)

    def _next(self, at: int, closing: str) -> tuple[int, bool]:
        """Where the next entry begins, or where the table ends if there is none."""
        at = self._space(at)
        if self._text.startswith(closing, at):
            return at + 1, False
        if not self._text.startswith(",", at):
            self._fail("Expecting ',' delimiter", at)
        return self._space(at + 1), True

    def _space(self, at: int) -> int:
        found = SPACE.match(self._text, at)
        return at if found is None else found.end()

    def _fail(self, what: str, at: int) -> NoReturn:
        with json_errors(self._where):
            raise json.JSONDecodeError(what, self._text, at)
        raise AssertionError  # json_errors has raised
