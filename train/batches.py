"""The words of a mixture, packed and encoded once, as batches by position."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.fingerprint import sha256
from curation.core.labels import Protocol
from curation.mixture import Mixture
from train.models import Recognizer
from train.packing import Pack, pack
from train.run_folder import TrainedOn

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Part:
    """The words of one dataset that the mixture uses: rows ascending, targets and labels beside them.

    The label of a word that the protocol drops is empty, as its target is.
    """

    pack: Pack
    rows: Rows
    targets: Tensor
    labels: list[str]


class Words:
    """Everything a mixture trains and validates on.

    Args:
        mixture: Which word comes at which position.
        recognizer: Decides how labels are encoded, and which it cannot learn.
        protocol: How labels are normalised.
        image_size: Height and width, in pixels, to which words are scaled.
        threads: Decoding threads; None for one a core.

    Attributes:
        unlearnable: Words that take up positions but teach nothing, by reason.
        dropped: Held-out words that the protocol does not count, by reason.

    Raises:
        UserError: an image cannot be decoded, or not one word can be learned.
    """

    def __init__(
        self,
        mixture: Mixture,
        recognizer: Recognizer,
        protocol: Protocol,
        image_size: tuple[int, int],
        threads: int | None = None,
    ) -> None:
        self.mixture = mixture
        self.unlearnable: Counter[str] = Counter()
        self.dropped: Counter[str] = Counter()
        validation = mixture.validation()
        n_learnable = 0
        self._parts: list[_Part] = []
        for number, dataset in enumerate(mixture.datasets()):
            training = np.unique(mixture.training_rows(number)).astype(np.int64)
            held_out = np.asarray(validation[1], np.int64)[np.asarray(validation[0]) == number]
            rows = np.union1d(training, held_out)
            packed = pack(dataset, rows, size=image_size, threads=threads)
            _refuse_broken(packed, dataset, rows)
            normalised = [protocol.normalise(label) for label in _texts(dataset, rows, "label")]
            labels = [label if why is None else "" for label, why in normalised]
            targets, unreadable = recognizer.encode(labels)
            reasons = [why or reason for (_, why), reason in zip(normalised, unreadable, strict=True)]
            taught, validating = np.isin(rows, training), np.isin(rows, held_out)
            self.unlearnable += _count(reasons, taught)
            self.dropped += _count([why for _, why in normalised], validating)
            n_learnable += sum(bool(t) and r is None for t, r in zip(taught, reasons, strict=True))
            self._parts.append(_Part(pack=packed, rows=rows, targets=targets, labels=labels))
        if not n_learnable:
            counts = ", ".join(f"{n} {reason}" for reason, n in sorted(self.unlearnable.items()))
            raise UserError(
                f"no word of the mixture {mixture.path} can be learned under protocol {protocol.name} "
                f"({counts or 'it is empty'}). Check its labels and the recipe's protocol."
            )

    def batch(self, start: int, stop: int) -> tuple[Tensor, Tensor]:
        """The words at positions ``start`` to ``stop``: (B, H, W, 3) uint8, and their targets."""
        images, targets = self._gather(*self.mixture.positions(start, stop))
        return torch.from_numpy(images), targets

    def validation(self) -> tuple[NDArray[np.uint8], list[str]]:
        """The words held out that count: images, (N, H, W, 3) uint8, and normalised labels."""
        source, row = (np.asarray(column) for column in self.mixture.validation())
        labels = []
        for number, wanted in zip(source.tolist(), row.tolist(), strict=True):
            part = self._parts[number]
            labels.append(part.labels[int(np.searchsorted(part.rows, wanted))])
        counts = np.array([label != "" for label in labels], bool)
        images, _ = self._gather(source[counts], row[counts])
        return images, [label for label in labels if label]

    def seen(self, n_samples: int) -> list[dict[str, Any]]:
        """For each source its name, how many different words it has, and how many samples were of it."""
        full, rest = divmod(n_samples, len(self.mixture))
        counts = np.zeros(256, np.int64)
        for times, stop in ((full, len(self.mixture)), (1, rest)):
            counts += times * np.bincount(self.mixture.positions(0, stop)[0], minlength=256)
        sources, first = [], 0
        for source in self.mixture.manifest["sources"]:
            last = first + len(source["datasets"])
            seen = int(counts[first:last].sum())
            sources.append({"name": source["name"], "unique": source["unique"], "seen": seen})
            first = last
        return sources

    def trained_on(self) -> TrainedOn:
        """Fingerprints of every word with a position."""
        images, uids = [np.empty(0, np.uint64)], [np.empty(0, np.uint64)]
        for number, dataset in enumerate(self.mixture.datasets()):
            rows = np.unique(self.mixture.training_rows(number)).astype(np.int64)
            images.append(short_hashes(dataset, "sha256", rows))
            uids.append(short_hashes(dataset, "uid", rows))
        return TrainedOn(images=np.unique(np.concatenate(images)), uids=np.unique(np.concatenate(uids)))

    def _gather(self, source: NDArray[np.uint8], row: Rows) -> tuple[NDArray[np.uint8], Tensor]:
        first = self._parts[0]
        images = np.empty((len(row), *first.pack.images.shape[1:]), np.uint8)
        targets = torch.empty((len(row), *first.targets.shape[1:]), dtype=first.targets.dtype)
        for number in np.unique(source).tolist():
            part, here = self._parts[number], np.flatnonzero(source == number)
            images[here] = part.pack.take(row[here])
            targets[torch.from_numpy(here)] = part.targets[
                torch.from_numpy(np.searchsorted(part.rows, row[here]))
            ]
        return images, targets


def short_hashes(dataset: Dataset, column: str, rows: Rows | None = None) -> NDArray[np.uint64]:
    """First 8 bytes of each row's SHA-256: of the image file (``sha256``), or of the text in ``column``."""
    texts = _texts(dataset, rows, column)
    digests = texts if column == "sha256" else [sha256(text.encode()) for text in texts]
    return np.array([int(digest[:16], 16) for digest in digests], np.uint64)


def _count(reasons: list[str | None], among: NDArray[np.bool_]) -> Counter[str]:
    return Counter(why for why, here in zip(reasons, among, strict=True) if here and why is not None)


def _texts(dataset: Dataset, rows: Rows | None, column: str) -> list[str]:
    values = dataset.table([column])[column]
    found: list[str] = (values if rows is None else values.take(rows)).to_pylist()
    return found


def _refuse_broken(packed: Pack, dataset: Dataset, rows: Rows) -> None:
    broken = sorted(set(packed.broken) & set(rows.tolist()))
    if broken:
        uid = dataset.take(broken[:1], ["uid"])[0]["uid"]
        raise UserError(
            f"{len(broken)} of the mixture's words in {dataset.path} cannot be decoded, "
            f"the first being {uid}: {packed.broken[broken[0]]}. Make the dataset and the mixture anew."
        )
