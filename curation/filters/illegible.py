"""Words that annotators could not read."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from curation.filters.base import Drop, filters
from curation.filters.rows import Rows


@filters.add("illegible")
@dataclass(frozen=True, kw_only=True, slots=True)
class Illegible:
    """Drops words whose label is a mark for "cannot be read".

    Sources: ``###`` in the ICDAR sets, ``#`` in ArT and LSVT, ``.`` in TextOCR, ``*`` in COCO-Text.

    Attributes:
        marks: Characters; a label that has nothing else is such a mark. A lone full stop in a set that reads
            punctuation is dropped too.
        anywhere: Characters that make a label illegible wherever they stand, such as the ``#`` for a letter
            that LSVT's annotators could not read.
        keep: Labels that stay all the same.
    """

    marks: str = "#.*"
    anywhere: str = ""
    keep: tuple[str, ...] = ()
    reasons: ClassVar[tuple[str, ...]] = ("illegible",)

    def __post_init__(self) -> None:
        if not self.marks and not self.anywhere:
            raise ValueError("neither marks nor anywhere is given; give one")

    def drops(self, rows: Rows) -> Iterator[Drop]:
        yield Drop("illegible", rows.where(self._is_mark), lambda i: repr(rows.labels[i]))

    def _is_mark(self, label: str) -> bool:
        bare = label.strip()
        nothing_else = bool(bare) and not bare.strip(self.marks or " ")
        found = nothing_else or any(c in label for c in self.anywhere)
        return found and label not in self.keep
