"""Small pictures of rows, made once and kept in files while copies are looked for."""

from __future__ import annotations

import mmap
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation import agreement
from curation.core.dataset import Dataset
from curation.core.images import BrokenImageError, Pixels, decode
from curation.core.pool import run_tasks
from curation.evidence import Evidence

Rows = NDArray[np.int64]
AT_ONCE = 2_000  # rows that a task reads and sends back
SHAPES = {"coarse": agreement.COARSE, "fine": (*agreement.FINE, 3)}


@dataclass(frozen=True, kw_only=True)
class Sketches:
    """Small pictures of some rows, in one file.

    Attributes:
        rows: (N,) the rows, rising.
        sizes: (N, 2) height and width of each, up to those of its kind; 0 if the picture cannot be read.
        file: Where their pixels are.
        kind: ``coarse`` or ``fine``.
    """

    rows: Rows
    sizes: NDArray[np.uint8]
    file: Path
    kind: str

    @cached_property
    def pixels(self) -> NDArray[np.uint8]:
        """(N, H, W) or (N, H, W, 3) uint8, each filled from its upper left, read from the file as needed."""
        return pixels_of(self.file, self.kind, len(self.rows))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "pixels"}  # opened where used

    def places(self, rows: Rows) -> Rows:
        """Where ``rows``, which must be among its own, lie in it."""
        return np.searchsorted(self.rows, rows)

    def picture(self, place: int) -> Pixels:
        """One of them, at its size."""
        height, width = self.sizes[place].tolist()
        return self.pixels[place, :height, :width]


def pixels_of(file: Path, kind: str, n: int) -> NDArray[np.uint8]:
    """The pixels of ``n`` sketches in ``file``."""
    shape = (n, *SHAPES[kind])
    return np.memmap(file, np.uint8, "r", shape=shape) if n else np.empty(shape, np.uint8)


def forget(pixels: NDArray[np.uint8]) -> None:
    """Give back the pages that were read: they would count as memory of this process."""
    if isinstance(pixels, np.memmap):
        pixels._mmap.madvise(mmap.MADV_DONTNEED)  # type: ignore[attr-defined]


@contextmanager
def scratch(out: Path | None) -> Iterator[Path]:
    """A folder for sketches beside ``out``, or among temporary files; what a killed run left goes first."""
    if out is None:
        with tempfile.TemporaryDirectory(prefix="glyphmix-") as folder:
            yield Path(folder)
        return
    beside = out.with_name(f".{out.name}.sketches")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    try:
        yield beside
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def sketch(evidence: Evidence, rows: Rows, kind: str, file: Path, *, jobs: int) -> Sketches:
    """Draw small pictures of ``rows``, which rise, into ``file``: 768 bytes ``coarse``, or 7 kB ``fine``."""
    sizes = np.zeros((len(rows), 2), np.uint8)
    tasks = [(*task, kind) for task in _tasks(evidence, rows)]
    jobs = jobs if len(rows) > AT_ONCE else 1  # few are drawn sooner than worker processes start
    with file.open("wb") as drawn:
        for first, found, pixels in run_tasks(
            _draw, tasks, jobs=jobs, total=len(rows), unit=" pictures", what=f"sketch, {kind}"
        ):
            sizes[first : first + len(found)] = found
            drawn.seek(first * pixels[0].nbytes)
            drawn.write(pixels.data)
    return Sketches(rows=rows, sizes=sizes, file=file, kind=kind)


def _tasks(evidence: Evidence, rows: Rows) -> Iterator[tuple[Path, Rows, int]]:
    """Cut ``rows`` at the borders of shards, and into pieces: dataset, rows of it, place of the first."""
    for number, dataset in enumerate(evidence.datasets):
        start = int(evidence.starts[number])
        for shard in range(dataset.n_shards):
            first, n_rows = dataset.rows_of_shard(shard)
            low, high = np.searchsorted(rows, [start + first, start + first + n_rows]).tolist()
            for at in range(low, high, AT_ONCE):
                yield dataset.path, rows[at : min(at + AT_ONCE, high)] - start, at


def _draw(
    path: Path, rows: Rows, first: int, kind: str, tick: Callable[[int], object]
) -> tuple[int, NDArray[np.uint8], NDArray[np.uint8]]:
    sizes = np.zeros((len(rows), 2), np.uint8)
    pixels = np.zeros((len(rows), *SHAPES[kind]), np.uint8)
    draw = getattr(agreement, kind)
    for i, row in enumerate(Dataset.open(path).take(rows, ["image"])):
        try:
            drawn = draw(decode(row["image"]["bytes"]))
        except BrokenImageError:
            continue
        sizes[i] = drawn.shape[:2]
        pixels[i, : drawn.shape[0], : drawn.shape[1]] = drawn
    tick(len(rows))
    return first, sizes, pixels
