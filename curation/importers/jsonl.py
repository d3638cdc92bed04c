"""Lines of JSON, each with a path and a label: MMOCR 0.x, Hugging Face image folders and others."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.errors import UserError
from curation.importers.annotations import no_key_twice
from curation.importers.base import Unusable, Word, importers
from curation.importers.label_files import LABELS, PATHS, LabelFile, choose


@importers.add("jsonl")
@dataclass(frozen=True, kw_only=True, slots=True)
class Jsonl(LabelFile):
    """Read a file of lines ``{"filename": "1.jpg", "text": "word"}``.

    Attributes:
        path: The key of the path; None for the one that has a usual name.
        label: The key of the label, likewise.
    """

    title: ClassVar[str] = "JSON lines beside their images (MMOCR 0.x and others)"
    source_is: ClassVar[str] = "file of lines of JSON, each with a path and a label"
    lines_are: ClassVar[str] = 'lines: {"filename": ..., "text": ...}'

    path: str | None = None
    label: str | None = None

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the file."""
        keys: tuple[str, str] | None = None
        for number, line in self.lines(src):
            where = f"{src}, line {number}"
            record = json_object(line, where)
            if keys is None:
                keys = (
                    choose(self.path, [*record], PATHS, "path", where),
                    choose(self.label, [*record], LABELS, "label", where),
                )
            name, label = (text_of(record, key, where) for key in keys)
            yield self.listed_word(src, name, label, where)


def json_object(line: str, where: str) -> dict[str, Any]:
    """Read a line that must be one JSON object; ``where`` is its position for the message.

    Raises:
        UserError: it is something else.
    """
    try:
        record = json.loads(line, object_pairs_hook=no_key_twice)
    except (ValueError, RecursionError) as error:  # ValueError also for a number of 5,000 digits
        fault = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise UserError(f"{where} is not JSON: {fault}. Mend the file.") from None
    if not isinstance(record, dict):
        raise UserError(f"{where} is not a JSON object: {line[:60]!r}. Mend the file.")
    return record


def text_of(record: dict[str, Any], key: str, where: str) -> str:
    """The text under ``key``.

    Raises:
        UserError: there is none, or another kind of value: a number would have lost its leading zeros.
    """
    value = record.get(key)
    if not isinstance(value, str):
        found = f"{key!r} is {value!r}, not a text" if key in record else f"has no {key!r}"
        raise UserError(f"{where} {found}. Mend the file.")
    return value
