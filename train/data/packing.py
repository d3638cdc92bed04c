"""Words decoded once, scaled to one size, and kept as one memory-mapped array that every run shares."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import cache_folder, read_json, write_json
from curation.core.fingerprint import sha256, sha256_json
from curation.core.images import BrokenImageError, Pixels, decode
from curation.core.pool import progress

VERSION = 1  # raised when the same words would be packed into other pixels
BLOCK = 1_000  # rows between two records of progress; also a row group of a dataset
WHOLE_UP_TO = 50_000  # datasets of up to so many rows are packed whole, so that all mixtures share the pack
WHOLE_SHARE = 0.25  # as are larger ones of which at least this share is wanted


@dataclass(frozen=True, kw_only=True, slots=True)
class Pack:
    """Scaled words of one dataset.

    Attributes:
        images: (N, H, W, 3) uint8 RGB, memory-mapped and read-only; broken rows are black.
        rows: (N,) int64, ascending: the dataset's row that each image is; None if it is row i for image i.
        broken: Why a row could not be decoded, by row.
    """

    images: NDArray[np.uint8]
    rows: NDArray[np.int64] | None
    broken: dict[int, str]

    def where(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which images dataset rows ``rows``, (n,), are.

        Raises:
            KeyError: a row is not in this pack.
        """
        if self.rows is None:
            inside = not len(rows) or (rows.min() >= 0 and rows.max() < len(self.images))
            where = rows
        else:
            where = np.searchsorted(self.rows, rows)
            inside = not len(rows) or (where.max() < len(self.rows) and (self.rows[where] == rows).all())
        if not inside:
            raise KeyError("rows that are not in this pack")
        return where

    def take(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Copy the images of dataset rows ``rows``, (n,), in that order: (n, H, W, 3) uint8.

        Raises:
            KeyError: a row is not in this pack.
        """
        return np.asarray(self.images[self.where(rows)])


def scale(image: Pixels, size: tuple[int, int]) -> Pixels:
    """Stretch (h, w, 3) uint8 to ``size``, a height and a width in pixels, whatever its aspect ratio.

    Source: PARSeq stretches to 32 x 128 with bicubic filtering (strhub/data/module.py). A side that
    shrinks is averaged over area first, because OpenCV's bicubic filter would skip pixels there.
    """
    height, width = size
    least = min(width, image.shape[1]), min(height, image.shape[0])
    shrunk = cv2.resize(image, least, interpolation=cv2.INTER_AREA)
    scaled = cv2.resize(shrunk, (width, height), interpolation=cv2.INTER_CUBIC)
    return scaled.astype(np.uint8, copy=False)


def pack(
    dataset: Dataset,
    rows: NDArray[np.int64] | None = None,
    *,
    size: tuple[int, int] = (32, 128),
    threads: int | None = None,
) -> Pack:
    """Open the pack of ``dataset``, making it first if the cache lacks it.

    Safe against a kill at any time, after which it goes on where it stopped, and against other
    processes that want the same pack, of which one makes it and the others wait.

    Args:
        dataset: The words; equal fingerprints share a pack.
        rows: The rows needed, ascending and distinct; None for all. The pack may hold more.
        size: Height and width in pixels.
        threads: Decoding threads; None for one a core.

    Raises:
        UserError: the disk is full, or the pack is damaged.
    """
    if rows is not None and packs_whole(len(dataset), len(rows)):
        rows = None
    wanted = np.arange(len(dataset)) if rows is None else np.asarray(rows, np.int64)
    chosen = "all" if rows is None else sha256(np.ascontiguousarray(wanted).tobytes())
    key = sha256_json([VERSION, dataset.fingerprint, chosen, list(size)])[:32]
    folder = cache_folder() / "packs"
    folder.mkdir(parents=True, exist_ok=True)
    images, facts = folder / f"{key}.npy", folder / f"{key}.json"
    if not (facts.is_file() and images.is_file()):
        with _alone(folder / f"{key}.lock"):
            if not (facts.is_file() and images.is_file()):  # another process may have made it meanwhile
                broken = _make(images, dataset, wanted, size, threads)
                write_json(facts, {"dataset": dataset.fingerprint, "broken": broken})
    why = {int(row): reason for row, reason in read_json(facts)["broken"].items()}
    return Pack(images=_open(images), rows=None if rows is None else wanted, broken=why)


def packs_whole(n_words: int, n_wanted: int) -> bool:
    """Say whether a dataset of ``n_words`` is packed whole if ``n_wanted`` of them are wanted."""
    return n_words <= WHOLE_UP_TO or n_wanted >= WHOLE_SHARE * n_words


def _open(images: Path) -> NDArray[np.uint8]:
    try:
        opened: NDArray[np.uint8] = np.load(images, mmap_mode="r")
    except (ValueError, EOFError):
        raise UserError(
            f"the pack {images} is damaged or cut short. Remove it and run again: it is made anew."
        ) from None
    return opened


def _make(
    path: Path, dataset: Dataset, rows: NDArray[np.int64], size: tuple[int, int], threads: int | None
) -> dict[str, str]:
    """Fill ``path`` block by block, beginning after the last block that a killed process recorded."""
    draft, record = path.with_suffix(".draft.npy"), path.with_suffix(".progress")
    done = _progress_of(record) if draft.is_file() else []
    array = _open_draft(draft, (len(rows), *size, 3), fresh=not done)
    with (
        ThreadPoolExecutor(threads or len(os.sched_getaffinity(0))) as pool,
        record.open("w", encoding="utf-8") as log,
        progress(len(rows), "word", f"pack {dataset.name}") as bar,
    ):
        for number, start in enumerate(range(0, len(rows), BLOCK)):
            block = rows[start : start + BLOCK]
            if number == len(done):
                done.append(_fill(array, dataset, block, start, pool))
                array.flush()
            log.write(json.dumps(done[number]) + "\n")
            log.flush()
            bar.update(len(block))
    draft.replace(path)
    record.unlink()
    return {row: reason for block in done for row, reason in block.items()}


def _open_draft(draft: Path, shape: tuple[int, ...], *, fresh: bool) -> np.memmap[Any, Any]:
    try:
        array: np.memmap[Any, Any] = np.lib.format.open_memmap(
            draft, "w+" if fresh else "r+", np.uint8, shape
        )
        with draft.open("r+b") as file:  # a full disk is an error here, but a fatal signal in a memory map
            os.posix_fallocate(file.fileno(), 0, draft.stat().st_size)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UserError(
            f"cannot write the pack {draft}: {error.strerror}. "
            "Free some space, or set GLYPHMIX_CACHE to a folder elsewhere, and run again."
        ) from error
    return array


def _fill(
    array: np.memmap[Any, Any],
    dataset: Dataset,
    rows: NDArray[np.int64],
    start: int,
    pool: ThreadPoolExecutor,
) -> dict[str, str]:
    height, width = array.shape[1:3]

    def one(job: tuple[int, dict[str, Any]]) -> str | None:
        index, row = job
        try:
            array[index] = scale(decode(row["image"]["bytes"] or b""), (height, width))
        except BrokenImageError as error:
            array[index] = 0
            return str(error)
        return None

    found = pool.map(one, enumerate(dataset.take(rows, ["image"]), start))
    return {str(row): reason for row, reason in zip(rows.tolist(), found, strict=True) if reason}


def _progress_of(record: Path) -> list[dict[str, str]]:
    """Broken rows of each block that was finished; a line cut short by a kill does not count."""
    if not record.is_file():
        return []
    lines = record.read_text(encoding="utf-8").splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Hold a lock that the system takes back if this process dies."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield  # the file stays: removing it would let a third process lock another one of that name
