"""A dataset of ours, also one that was exported for the Hub: its words become the same words again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa

from curation.core.dataset import Dataset
from curation.importers.base import Unusable, Word, importers
from curation.importers.lmdb_meta import BOXES, KEPT
from curation.sources import sources_of


@importers.add("dataset")
@dataclass(frozen=True, kw_only=True, slots=True)
class OwnDataset:
    """Read a folder with ``manifest.json`` and Parquet shards.

    Words keep their uid, source, split, licence, origin, boxes and how they were rendered, whatever
    ``--name`` and ``--split`` say; every picture is decoded and checked anew.
    """

    title: ClassVar[str] = "Dataset of glyphmix"
    source_is: ClassVar[str] = "folder of a dataset, also as exported for the Hub"
    url: ClassVar[str] = ""
    licence: ClassVar[str] = "unknown"
    citation: ClassVar[str] = ""
    expected: ClassVar[Mapping[str, int]] = {}

    def inputs(self, src: Path, split: str) -> dict[str, str]:
        """State the fingerprint in the manifest."""
        return {"manifest.json": Dataset.open(src).fingerprint}

    def kept(self, src: Path) -> Mapping[str, Any]:
        """The dataset's ``sources``, its columns of ``boxes``, and the type of the column ``render``."""
        dataset = Dataset.open(src)
        found = dataset.schema()
        render = found.field("render").type if "render" in found.names else None
        boxes = [name for name in BOXES if name in found.names]
        return {"sources": sources_of(dataset), "boxes": boxes, "render": render}

    def words(self, src: Path, split: str) -> Iterator[Word | Unusable]:
        """Yield the words in the order of the rows."""
        dataset = Dataset.open(src)
        names = [name for name in (*KEPT, *BOXES, "render") if name in dataset.schema().names]
        first = 0
        for batch in dataset.scan(["label", *names]):
            pictures = _Pictures(dataset, first, first + len(batch))
            for i, row in enumerate(batch.to_pylist()):
                label = row.pop("label") or ""
                yield Word(id=row["uid"], label=label, read=pictures.reader(i), kept=row)
            first += len(batch)


class _Pictures:
    """The pictures of some rows, which are read once, when the first of them is."""

    def __init__(self, dataset: Dataset, start: int, stop: int) -> None:
        self._dataset = dataset
        self._range = start, stop
        self._column: pa.Array | None = None

    def reader(self, i: int) -> Callable[[], bytes]:
        """What reads the picture of the i-th of the rows."""
        return lambda: self._read(i)

    def _read(self, i: int) -> bytes:
        if self._column is None:
            start, stop = self._range
            batches = list(self._dataset.scan(["image"], start=start, stop=stop))
            self._column = pa.concat_arrays([batch["image"].field("bytes") for batch in batches])
        return bytes(self._column[i].as_py() or b"")
