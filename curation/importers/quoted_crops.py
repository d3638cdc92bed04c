"""Cropped words with one text file of quoted labels, as the ICDAR competitions since 2013 pack them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from curation.core.fingerprint import sha256_file
from curation.importers.annotations import quoted_words
from curation.importers.base import Unusable, Word, only_file


@dataclass(frozen=True, kw_only=True, slots=True)
class QuotedCrops:
    """Read ``gt.txt`` in SRC or in a folder of SRC called like the split; see ``quoted_words``.

    Attributes:
        what: The set and its task, for messages.
        test_file: What the publisher calls the label file of the test set.
    """

    what: ClassVar[str]
    test_file: ClassVar[str]

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """Fingerprint the label file."""
        path = self._annotations(src, split)
        return {path.name: sha256_file(path)}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the label file; ``###`` marks one that nobody could read."""
        yield from quoted_words(self._annotations(src, split), split)

    def _annotations(self, src: Path, split: str) -> Path:
        names = ["gt.txt", self.test_file] if split == "test" else ["gt.txt"]
        return only_file(src, [f"{split}/{name}" for name in names] + names, self.what)
