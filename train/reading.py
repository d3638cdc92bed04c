"""Reading words with a trained recognizer: pictures in, text and confidence out, as a stream."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from curation.core.errors import UserError
from curation.core.images import BrokenImageError, Pixels, decode
from train.augments.base import to_float
from train.data.packing import scale
from train.models import Reading
from train.models.base import half_precision
from train.run_folder import Run

BATCH = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What came of one image of a stream.

    Attributes:
        image: The image as it was given: a path, the bytes of a file or an array.
        reading: What it says; None if it cannot be read.
        problem: Why it cannot be read; None if it can.
    """

    image: Any
    reading: Reading | None
    problem: str | None


class Reader:
    """A trained recognizer that reads pictures of one word each.

    A picture is stretched to the size that the recognizer learned on, whatever its shape, as in training and
    evaluation; nothing is turned, so that words from top to bottom are read only by a recognizer that
    was trained on such. Texts do not depend on ``batch`` or ``threads``; confidences may in the last bits
    of a float32.

    Args:
        run: The recognizer.
        batch: Words that go through the network at once.
        threads: Threads that decode pictures while the network reads; None for one a core. How many the
            network takes is torch's own setting.
    """

    def __init__(self, run: Run, *, batch: int = BATCH, threads: int | None = None) -> None:
        if batch < 1 or (threads is not None and threads < 1):
            raise ValueError(f"batch and threads must be 1 or more, got {batch} and {threads}")
        self.run, self.batch = run, batch
        self.threads = threads or len(os.sched_getaffinity(0))

    @classmethod
    def open(
        cls, run: str | Path, *, device: str = "auto", batch: int = BATCH, threads: int | None = None
    ) -> Reader:
        """Load the finished run in the folder ``run``; ``auto`` takes a CUDA device if there is one.

        Raises:
            UserError: no run in that folder, unfinished, damaged, or no such device.
        """
        has_cuda = torch.cuda.is_available()
        if device == "cuda" and not has_cuda:
            raise UserError("there is no CUDA device here. Read on 'cpu', or leave the device to 'auto'.")
        chosen = torch.device(("cuda" if has_cuda else "cpu") if device == "auto" else device)
        return cls(Run.open(Path(run), chosen), batch=batch, threads=threads)

    def read(self, images: Iterable[Any]) -> list[Reading]:
        """Read pictures, in order.

        Args:
            images: Paths, bytes of image files, PIL images, or arrays: (H, W, 3) RGB, (H, W, 4) with
                an alpha channel that is left out, or (H, W) grey, all uint8.

        Raises:
            BrokenImageError: one of them cannot be read; the message gives its number, from 0.
        """
        readings = []
        for number, answer in enumerate(self.read_stream(images)):
            if answer.reading is None:
                raise BrokenImageError(f"image {number}: {answer.problem}")
            readings.append(answer.reading)
        return readings

    def read_stream(self, images: Iterable[Any]) -> Iterator[Answer]:
        """Read pictures as they come, in order, in memory that does not grow with their number.

        While the network reads one batch, the next one is decoded.

        Args:
            images: As for ``read``, from any iterable; taken up to two batches ahead.

        Yields:
            One answer an image; broken ones among them, with the reason.
        """
        coming = iter(images)
        with _Pool(self.threads) as pool:
            waiting = deque(self._submit(pool, islice(coming, 2 * self.batch)))
            while waiting:
                batch = [waiting.popleft() for _ in range(min(self.batch, len(waiting)))]
                found = [(image, future.result()) for image, future in batch]
                waiting.extend(self._submit(pool, islice(coming, self.batch)))
                yield from self._answers(found)

    def _submit(
        self, pool: ThreadPoolExecutor, images: Iterable[Any]
    ) -> Iterator[tuple[Any, Future[Pixels | str]]]:
        return ((image, pool.submit(_scaled, image, self.run.image_size)) for image in images)

    def _answers(self, found: list[tuple[Any, Pixels | str]]) -> Iterator[Answer]:
        whole = [pixels for _, pixels in found if not isinstance(pixels, str)]
        readings = iter(self._read_scaled(np.stack(whole)) if whole else [])
        for image, pixels in found:
            if isinstance(pixels, str):
                yield Answer(image=image, reading=None, problem=pixels)
            else:
                yield Answer(image=image, reading=next(readings), problem=None)

    def _read_scaled(self, words: Pixels) -> list[Reading]:
        """Read (B, H, W, 3) uint8 of the network's own size, as evaluation does."""
        device = next(self.run.recognizer.parameters()).device
        with torch.inference_mode(), half_precision(device, self.run.record["recipe"]["precision"]):
            return self.run.recognizer.read(to_float(torch.from_numpy(words).to(device)))


class _Pool(ThreadPoolExecutor):
    """Threads whose work is given up when the one who wants it leaves."""

    def __exit__(self, *raised: object) -> None:
        self.shutdown(wait=True, cancel_futures=True)


def _scaled(image: Any, size: tuple[int, int]) -> Pixels | str:
    """Decode and scale one image, or say why that cannot be done."""
    try:
        return scale(_pixels(image), size)
    except BrokenImageError as error:
        return str(error)
    except OSError as error:
        return (error.strerror or str(error)).lower()


def _pixels(image: Any) -> Pixels:
    """Make (H, W, 3) uint8 RGB of whatever was given."""
    if isinstance(image, str | Path):
        return decode(Path(image).read_bytes())
    if isinstance(image, bytes | bytearray | memoryview):
        return decode(bytes(image))
    if hasattr(image, "convert"):  # a PIL image; as an array, one with a palette would be colour numbers
        image = np.asarray(image.convert("RGB"))
    if not isinstance(image, np.ndarray):
        raise TypeError(
            f"an image must be a path, bytes, a PIL image or an array, got {type(image).__name__}"
        )
    if image.dtype != np.uint8:
        raise TypeError(f"an image must be an array of uint8, got {image.dtype}")
    if image.ndim == 2:
        image = np.repeat(image[..., None], 3, axis=2)
    if image.ndim != 3 or image.shape[2] not in (3, 4):
        raise TypeError(f"an image must be (H, W, 3), (H, W, 4) or (H, W), got {image.shape}")
    if not image.size:
        raise BrokenImageError(f"an array of {image.shape[1]} x {image.shape[0]} pixels")
    return np.ascontiguousarray(image[..., :3])
