"""Reading a mixture: which word of which dataset stands at each training position."""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.manifest import read_manifest, refuse_odd
from curation.schedule import pass_order

FORMAT = 1  # raised when a reader of today could no longer read what is written
Numbers = NDArray[np.uint8]
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Mixture:
    """A finished mixture: an order of words that lie in datasets; it holds no pixels itself.

    Datasets are numbered from 0 in the order of the recipe, over all its sources.

    Attributes:
        path: The folder.
        manifest: The content of its ``manifest.json``.
    """

    path: Path
    manifest: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> Mixture:
        """Open the mixture in the folder ``path``, reading its manifest and those of its datasets.

        Raises:
            UserError: no such folder, no mixture in it, of a newer format, a file damaged or cut short, or
                a dataset that is gone or has changed since.
        """
        absent = f"{path} is no mixture: it has no manifest.json. Make one with 'glyphmix mix'."
        manifest = read_manifest(path, "mixture", FORMAT, absent=absent)
        refuse_damaged(path, manifest)
        for name, n_bytes in manifest["files"].items():
            if not (path / name).is_file() or (path / name).stat().st_size != n_bytes:
                raise UserError(f"{path / name} is missing or cut short. Make the mixture anew.")
        mixture = cls(path, manifest)
        mixture.datasets()
        return mixture

    def __len__(self) -> int:
        """Positions in one pass."""
        return int(self.manifest["n_positions"])

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the selection and the datasets' fingerprints: equal words in equal order."""
        return str(self.manifest["fingerprint"])

    def datasets(self) -> list[Dataset]:
        """The datasets by their number.

        Raises:
            UserError: one is gone, or its content is not what the mixture was made from.
        """
        return list(self._datasets)

    def positions(self, start: int, stop: int) -> tuple[Numbers, Rows]:
        """Tell which words stand at the training positions ``start`` to before ``stop``.

        Positions go on for ever: position k lies in pass k // len(self). Every pass has the same words
        and the same pattern of sources, so that every prefix keeps the ratio, and a new order within
        each source. The answer depends on nothing but k.

        Returns:
            (stop - start,) dataset numbers and (stop - start,) rows in those datasets.

        Raises:
            IndexError: ``start`` is negative or above ``stop``.
        """
        if not 0 <= start <= stop:
            raise IndexError(f"positions {start} to {stop} of a mixture")
        numbers, rows = [np.empty(0, np.uint8)], [np.empty(0, np.int64)]
        while start < stop:
            number, first = divmod(start, len(self))
            last = min(len(self), first + stop - start)
            pass_numbers, pass_rows = self._pass(number)
            numbers.append(pass_numbers[first:last])
            rows.append(pass_rows[first:last].astype(np.int64))
            start += last - first
        return np.concatenate(numbers), np.concatenate(rows)

    def training_rows(self, source: int) -> Rows:
        """The rows of dataset number ``source`` that stand anywhere in a pass: each once, rising."""
        numbers, rows = self._selection
        used = np.zeros(len(self._datasets[source]), bool)
        used[rows[numbers == source]] = True
        return np.flatnonzero(used)

    def validation(self) -> tuple[Numbers, Rows]:
        """Dataset numbers and rows of the words held out; none of them stands at any position."""
        table = self._read("validation.parquet")
        return table["dataset"].to_numpy(), table["row"].to_numpy().astype(np.int64)

    @cached_property
    def _datasets(self) -> list[Dataset]:
        described = [entry for source in self.manifest["sources"] for entry in source["datasets"]]
        return [self._find(entry) for entry in described]

    def _find(self, entry: dict[str, Any]) -> Dataset:
        """Look for a dataset where it lay from the mixture, and then under the path in the recipe."""
        beside = Path(os.path.normpath(self.path.resolve() / entry["path_from_mixture"]))
        found = [path for path in (beside, Path(entry["path"])) if path.is_dir()]
        if not found:
            raise UserError(
                f"dataset {entry['path']} of mixture {self.path} is gone: it was expected at {beside}. "
                "Put it back, or make the mixture anew."
            )
        opened = [Dataset.open(path) for path in found]
        same = [dataset for dataset in opened if dataset.fingerprint == entry["fingerprint"]]
        if not same:
            raise UserError(
                f"dataset {opened[0].path} has changed since mixture {self.path} was made: its fingerprint "
                f"is {opened[0].fingerprint[:16]}, not {entry['fingerprint'][:16]}. Make the mixture anew."
            )
        return same[0]

    @cached_property
    def _selection(self) -> tuple[Numbers, NDArray[np.uint32]]:
        """Dataset numbers and rows of the first pass."""
        table = self._read("selection.parquet")
        return table["dataset"].to_numpy(), table["row"].to_numpy()

    @cached_property
    def _passes(self) -> dict[int, tuple[Numbers, NDArray[np.uint32]]]:
        """The two passes used last, for a batch may lie across their border."""
        return {0: self._selection}

    def _pass(self, number: int) -> tuple[Numbers, NDArray[np.uint32]]:
        if number not in self._passes:
            while len(self._passes) > 1:
                del self._passes[min(self._passes)]
            self._passes[number] = self._shuffled(number)
        return self._passes[number]

    def _shuffled(self, number: int) -> tuple[Numbers, NDArray[np.uint32]]:
        """The first pass with the words of every source in another order, lap by lap where they repeat."""
        numbers, rows = self._selection[0].copy(), self._selection[1].copy()
        source_of = np.concatenate(
            [np.full(len(s["datasets"]), i) for i, s in enumerate(self.manifest["sources"])]
        )[numbers]
        for i, source in enumerate(self.manifest["sources"]):
            places = np.flatnonzero(source_of == i)
            words = numbers[places[: source["unique"]]], rows[places[: source["unique"]]]
            for lap, first in enumerate(range(0, len(places), max(1, source["unique"]))):
                to = places[first : first + source["unique"]]
                order = pass_order(self.manifest["seed"], source["name"], number, lap, len(to))
                numbers[to], rows[to] = words[0][order], words[1][order]
        return numbers, rows

    def _read(self, name: str) -> pa.Table:
        try:
            return pq.read_table(self.path / name, columns=["dataset", "row"])
        except pa.ArrowException as error:
            raise UserError(f"{self.path / name} is damaged: {error}. Make the mixture anew.") from error


def refuse_damaged(path: Path, manifest: dict[str, Any]) -> None:
    """Refuse the manifest of the mixture ``path`` if what reading it takes is not there.

    Raises:
        UserError: it is damaged.
    """
    file, remedy = path / "manifest.json", "Make the mixture anew."
    kinds = {"sources": list, "files": dict, "fingerprint": str, "n_positions": int, "seed": int}
    refuse_odd(manifest, kinds, file, remedy)
    for i, source in enumerate(manifest["sources"]):
        at = f"sources[{i}]"
        refuse_odd(source, {"name": str, "unique": int, "datasets": list}, file, remedy, at=at)
        for j, entry in enumerate(source["datasets"]):
            kinds = {"path": str, "path_from_mixture": str, "fingerprint": str, "n_rows": int}
            refuse_odd(entry, kinds, file, remedy, at=f"{at}.datasets[{j}]")
