"""Where packed images lie while a training runs: on the device if they fit, else mapped from the disk."""

from __future__ import annotations

import math
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Literal, Protocol, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from curation.core.errors import UserError
from curation.core.pool import progress
from train.data.packing import Pack

T = TypeVar("T")
Rows = NDArray[np.int64]
Choice = Literal["auto", "host", "device"]
FREE_SHARE = 0.5  # of the device's free memory that images may take: the network and its steps need the rest
AT_ONCE = 4_096  # images that are read from the disk and sent to the device together


class Images(Protocol):
    """Packed images of several datasets."""

    def take(self, source: NDArray[np.uint8], where: Rows) -> Tensor:
        """Copy images in the order asked for: (n, H, W, 3) uint8.

        Args:
            source: (n,) the numbers of their datasets.
            where: (n,) the numbers of the images in those datasets' packs.
        """
        ...


class Mapped:
    """Images that are read from the disk, or from what memory the system has kept of it.

    Args:
        packs: Of each dataset.
        pinned: Whether to copy images to where a CUDA device can fetch them by itself.
    """

    def __init__(self, packs: Sequence[Pack], *, pinned: bool) -> None:
        self._packs, self._pinned = packs, pinned

    def take(self, source: NDArray[np.uint8], where: Rows) -> Tensor:
        if len(self._packs) == 1 and not self._pinned:
            return torch.from_numpy(np.asarray(self._packs[0].images[where]))
        shape = (len(where), *self._packs[0].images.shape[1:])
        taken = torch.empty(shape, dtype=torch.uint8, pin_memory=self._pinned)
        images = taken.numpy()
        for number in np.unique(source).tolist():
            here = np.flatnonzero(source == number)
            images[here] = self._packs[number].images[where[here]]
        return taken


class Held:
    """Images that lie on a device.

    Args:
        packs: Of each dataset.
        used: Which images of each are ever asked for, rising.
        device: Where.
    """

    def __init__(self, packs: Sequence[Pack], used: Sequence[Rows], device: torch.device) -> None:
        self._used = used
        self._first = np.cumsum([0, *map(len, used)])
        shape = (int(self._first[-1]), *packs[0].images.shape[1:])
        self._images = torch.empty(shape, dtype=torch.uint8, device=device)
        with progress(shape[0], "word", f"load to {device.type}") as bar:
            for pack, rows, first in zip(packs, used, self._first.tolist(), strict=False):
                for start in range(0, len(rows), AT_ONCE):
                    part = torch.from_numpy(np.asarray(pack.images[rows[start : start + AT_ONCE]]))
                    self._images[first + start : first + start + len(part)].copy_(part)
                    bar.update(len(part))

    def take(self, source: NDArray[np.uint8], where: Rows) -> Tensor:
        index = np.empty(len(where), np.int64)
        for number in np.unique(source).tolist():
            here = source == number
            index[here] = self._first[number] + np.searchsorted(self._used[number], where[here])
        return self._images[torch.from_numpy(index).to(self._images.device)]


def placed(packs: Sequence[Pack], used: Sequence[Rows], device: torch.device, choice: Choice) -> Images:
    """Decide where the images of all ``packs`` lie: all on the device, or none.

    Args:
        packs: Of each dataset.
        used: Which images of each are ever asked for, rising.
        device: What the network runs on.
        choice: ``device`` and ``host``, or ``auto`` for the device if it is a CUDA device on which they
            take no more than half of the free memory.

    Raises:
        UserError: they are to be on the device, and do not fit.
    """
    n_bytes = sum(map(len, used)) * math.prod(packs[0].images.shape[1:])
    free = torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else None
    if choice == "device" and free is not None and n_bytes > free:
        raise UserError(
            f"the packed words take {n_bytes / 1e6:,.1f} MB, and the device has {free / 1e6:,.1f} MB free. "
            "Set pack_device to 'auto' or 'host'."
        )
    if choice == "device" or (choice == "auto" and free is not None and n_bytes <= FREE_SHARE * free):
        return Held(packs, used, device)
    return Mapped(packs, pinned=device.type == "cuda")


def one_ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """Yield ``items`` in order, each made in a thread of its own while the one before it is in use."""
    with ThreadPoolExecutor(1, "batches") as thread:
        coming = thread.submit(next, items, None)
        while (item := coming.result()) is not None:
            coming = thread.submit(next, items, None)
            yield item
