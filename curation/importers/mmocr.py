"""Text recognition as MMOCR 1.x keeps it: one JSON file with a list of pictures."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.errors import UserError
from curation.importers.base import Unusable, Word, importers
from curation.importers.json_stream import json_list
from curation.importers.label_files import LabelFile


@importers.add("mmocr")
@dataclass(frozen=True, kw_only=True)
class Mmocr(LabelFile):
    """Read ``{"metainfo": ..., "data_list": [{"img_path": ..., "instances": [{"text": ...}]}]}``.

    MMOCR 0.x wrote lines of JSON instead (the format ``jsonl``) or lines of path, space, label (``tsv`` with
    ``separator=space``).
    """

    title: ClassVar[str] = "MMOCR 1.x text recognition"
    source_is: ClassVar[str] = "JSON file with data_list, as MMOCR 1.x writes it"
    lines_are: ClassVar[str] = "MMOCR 1.x: a JSON file with data_list"

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the file."""
        self.check(src)
        for number, (name, label) in enumerate(pairs(src), 1):
            yield self.listed_word(src, name, label, f"{src}, item {number}")


def pairs(path: Path) -> Iterator[tuple[str, str]]:
    """Yield path and label of each picture in an MMOCR 1.x file.

    Raises:
        UserError: an item is not as MMOCR has it.
    """
    for number, item in enumerate(json_list(path, "data_list"), 1):
        found = _pair(item)
        if found is None:
            raise UserError(
                f"{path}, item {number} is not like "
                f'{{"img_path": ..., "instances": [{{"text": ...}}]}}: {str(item)[:60]!r}. Mend the file.'
            )
        yield found


def _pair(item: Any) -> tuple[str, str] | None:
    try:
        (instance,) = item["instances"]
        name, label = item["img_path"], instance["text"]
    except (KeyError, TypeError, ValueError):
        return None
    return (name, label) if isinstance(name, str) and isinstance(label, str) else None
