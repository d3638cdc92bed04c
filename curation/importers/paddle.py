"""Label files of PaddleOCR: of word images, and of photos with outlined words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from curation.core.errors import UserError
from curation.importers.base import Unusable, Word, importers
from curation.importers.label_files import LabelFile
from curation.importers.photos import Photos, numbers

IGNORED = {"###", "*"}  # PaddleOCR's detection training passes over these


@importers.add("paddle")
@dataclass(frozen=True, kw_only=True)
class Paddle(Photos, LabelFile):
    """Read lines of ``path TAB label``, or of a photo's path, TAB and a JSON list of outlined words.

    The path may be a JSON list of paths that share the label, of which PaddleOCR draws one at a time; here
    each of them becomes a word. Outlined words are ``{"transcription": ..., "points": [[x, y], ...]}``; they
    are cut out, and those marked ``###`` or ``*`` are rejects.

    Source: PaddlePaddle/PaddleOCR ppocr/data/simple_dataset.py and imaug/label_ops.py.
    """

    title: ClassVar[str] = "PaddleOCR label file"
    source_is: ClassVar[str] = "label file of word images, or of photos with outlined words"

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the file."""
        for number, line in self.lines(src):
            where = f"{src}, line {number}"
            name, *labels = line.split("\t")
            if len(labels) != 1:
                raise UserError(
                    f"{where} has {len(labels)} TABs, expected 1 between path and label: {line[:60]!r}. "
                    "Mend the file."
                )
            if (regions := _list_of(dict, labels[0])) is not None:
                yield from self._regions(src, name, regions, where)
                continue
            for path in _list_of(str, name) or [name]:
                yield self.listed_word(src, path, labels[0], where)

    def _regions(
        self, src: Path, name: str, regions: list[dict[str, Any]], where: str
    ) -> Iterator[Word | Unusable]:
        photo = self.photo(self.picture(src, name, where), origin=name)
        for i, region in enumerate(regions, 1):
            label = region.get("transcription")
            if not isinstance(label, str):
                raise UserError(f"{where}, word {i} has no transcription. Mend the file.")
            if label in IGNORED:
                yield Unusable(id=f"{name}/{i}", reason="illegible", detail=label)
            else:
                outline = numbers(region.get("points"), f"{where}, word {i}, points")
                yield photo.word(id=f"{name}/{i}", label=label, outline=outline)


def _list_of(kind: type, text: str) -> list[Any] | None:
    """Read a JSON list of values of one kind; None if the text is anything else."""
    if not (text.startswith("[") and text.endswith("]")):
        return None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):  # ValueError also for a number of 5,000 digits
        return None
    return found if isinstance(found, list) and all(isinstance(item, kind) for item in found) else None
