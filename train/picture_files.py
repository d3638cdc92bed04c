"""Finding the pictures that a user points at: files, folders, lists of them, and datasets."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from curation.core.dataset import Dataset
from curation.core.errors import UserError

SUFFIXES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")
Named = tuple[str, Path | bytes]  # what to call a picture, and where or what it is


class Pictures:
    """The pictures that ``names`` stand for, one after another, never held in memory together.

    A file is a picture whatever it is called. Of a folder and all folders in it, files with the ending
    of a picture are, by name, those of a folder before those of folders in it. Of a dataset, every row is,
    by its uid. A ``-`` stands for the paths in ``lines``, one a line.

    Args:
        names: Paths or ``-``.
        lines: What ``-`` stands for, as the system spells paths.

    Attributes:
        passed_over: Files in folders that have no picture's ending, so far.

    Raises:
        UserError: a folder among ``names`` holds a dataset that is unfinished or damaged.
    """

    def __init__(self, names: Sequence[str], lines: Iterable[bytes]) -> None:
        self.passed_over = 0
        self._lines = lines
        self._sources = [name if name == "-" else _open(Path(name)) for name in names]

    def __iter__(self) -> Iterator[Named]:
        for source in self._sources:
            if isinstance(source, str):
                for line in self._lines:
                    if name := os.fsdecode(line.rstrip(b"\r\n")):
                        yield from self._of(_open(Path(name)))
            else:
                yield from self._of(source)

    def _of(self, source: Path | Dataset) -> Iterator[Named]:
        if isinstance(source, Dataset):
            yield from _words_of(source)
        elif source.is_dir():
            for path in self._files(source):
                yield str(path), path
        else:
            yield str(source), source

    def _files(self, folder: Path) -> Iterable[Path]:
        for place, folders, files in os.walk(folder):
            folders.sort()
            for name in sorted(files):
                if name.lower().endswith(SUFFIXES):
                    yield Path(place, name)
                else:
                    self.passed_over += 1


def _open(path: Path) -> Path | Dataset:
    return Dataset.open(path) if (path / "manifest.json").is_file() else path


def _words_of(dataset: Dataset) -> Iterator[Named]:
    for batch in dataset.scan(["uid", "image"]):
        files = batch["image"].field("bytes")
        for uid, data in zip(batch["uid"].to_pylist(), files, strict=True):
            yield uid, data.as_py() or b""


def refuse_none(names: Sequence[str], passed_over: int) -> UserError:
    """The error for ``names`` that hold no picture at all."""
    others = f" among {passed_over:,} files" if passed_over else ""
    shown = ", ".join(names[:3]) + (" ..." if len(names) > 3 else "")
    return UserError(f"there is no picture{others} in {shown}. Endings known: {' '.join(SUFFIXES)}.")
