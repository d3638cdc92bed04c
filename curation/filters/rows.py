"""The words of one batch as filters see them: each picture is decoded once, and only if one looks at it."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.core.images import BrokenImageError, Pixels, decode
from curation.words import hash_texts, key

HEIGHT_PX = 32  # recognizers read words this high
MOST_WIDTH_PX = 1024


class Rows:
    """Words of one batch.

    Args:
        batch: With the columns ``uid``, ``label``, ``source``, ``width``, ``height``, and ``image`` if
            a filter looks at pictures.
        first: The number of its first row, counted over all datasets.

    Attributes:
        numbers: (N,) each row's number over all datasets.
        uids: Each row's uid.
        labels: Each row's label, as far as it is repaired.
        alive: (N,) which rows no filter has dropped so far. Looking at others is wasted.
        broken: What is wrong with pictures that could not be decoded, by row.
    """

    def __init__(self, batch: pa.RecordBatch, first: int = 0) -> None:
        self._batch = batch
        self.numbers = np.arange(first, first + len(batch))
        self.uids: list[str] = batch["uid"].to_pylist()
        self.labels: list[str] = [label or "" for label in batch["label"].to_pylist()]
        self.alive = np.ones(len(batch), bool)
        self.broken: dict[int, str] = {}
        self._pictures: dict[int, Pixels | None] = {}
        self._found: dict[tuple[Callable[[Pixels], Any], int], Any] = {}

    def __len__(self) -> int:
        return len(self.alive)

    @cached_property
    def width(self) -> NDArray[np.int64]:
        """(N,) widths in pixels, as the dataset has them."""
        return self._numbers("width")

    @cached_property
    def height(self) -> NDArray[np.int64]:
        """(N,) heights in pixels, as the dataset has them."""
        return self._numbers("height")

    @cached_property
    def sources(self) -> tuple[list[str], NDArray[np.int64]]:
        """The names of the sources, and of each row its source's index among them."""
        encoded = self._batch["source"].fill_null("").dictionary_encode()
        return encoded.dictionary.to_pylist(), encoded.indices.to_numpy(zero_copy_only=False).astype(np.int64)

    @cached_property
    def uid_hashes(self) -> NDArray[np.uint64]:
        """(N,) 64-bit hashes of the uids."""
        return uid_hashes(self._batch["uid"])

    def where(self, fits: Callable[[str], bool]) -> NDArray[np.bool_]:
        """(N,) whether the row is alive and its label fits."""
        found = np.zeros(len(self), bool)
        for i in np.flatnonzero(self.alive).tolist():
            found[i] = fits(self.labels[i])
        return found

    def lengths(self, length: Callable[[str], int] = len) -> NDArray[np.int64]:
        """(N,) the labels' lengths."""
        return np.fromiter(map(length, self.labels), np.int64, len(self))

    def picture(self, i: int) -> Pixels | None:
        """The picture of row ``i`` at a height of 32 px, (32, w, 3) uint8 RGB; None if it is broken."""
        if i not in self._pictures:
            self._pictures[i] = self._small(i)
        return self._pictures[i]

    def measured(self, measure: Callable[..., float], first: Callable[[Pixels], Any]) -> NDArray[np.float64]:
        """(N,) what ``measure(picture, first(picture))`` is; NaN for broken pictures and rows not alive.

        What ``first`` says of a picture is kept, for several filters may begin alike.
        """
        values = np.full(len(self), np.nan)
        for i in np.flatnonzero(self.alive).tolist():
            if (picture := self.picture(i)) is not None:
                if (first, i) not in self._found:
                    self._found[first, i] = first(picture)
                values[i] = measure(picture, self._found[first, i])
        return values

    @cached_property
    def _files(self) -> pa.Array:
        return self._batch["image"].field("bytes")

    def _small(self, i: int) -> Pixels | None:
        try:
            image = decode(self._files[i].as_py() or b"")
        except BrokenImageError as error:
            self.broken[i] = str(error)
            return None
        height, width = image.shape[:2]
        size = min(MOST_WIDTH_PX, max(1, round(width * HEIGHT_PX / height))), HEIGHT_PX
        how = cv2.INTER_AREA if height > 2 * HEIGHT_PX else cv2.INTER_LINEAR  # areas take four times as long
        small: Any = cv2.resize(image, size, interpolation=how)
        return np.asarray(small, np.uint8)

    def _numbers(self, name: str) -> NDArray[np.int64]:
        column = self._batch[name].fill_null(0)
        return np.asarray(column.to_numpy(zero_copy_only=False), np.int64)


def uid_hashes(uids: pa.Array | pa.ChunkedArray) -> NDArray[np.uint64]:
    """(N,) the hashes by which filters know words; of ten million, two are the same once in 400,000 runs."""
    return hash_texts(uids, key(0, "uids"))
