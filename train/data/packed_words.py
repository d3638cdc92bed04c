"""The words of one dataset: their packed images, and what each different label of theirs teaches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.labels import Protocol
from train.data.packing import Pack, pack
from train.models import Recognizer

Rows = NDArray[np.int64]
AT_ONCE = 50_000  # labels that are texts in Python at the same time


@dataclass(frozen=True, kw_only=True, slots=True)
class PackedWords:
    """Words of one dataset in little memory: a number for each word, the rest for each different label.

    Attributes:
        pack: Their images.
        codes: (N,) int32, which label each image of the pack has.
        labels: The different labels, as the dataset has them, an Arrow array of U texts.
        targets: (U, ...) what is learned of each label, whole numbers of as few bytes as they need.
        dtype: What the recognizer wants targets to be.
        why: (U,) uint8, why a label is not learned, in the order of ``reasons_found``; 0 if it is.
        why_dropped: Likewise, why the protocol drops it.
        reasons_found: Reasons by number; of 0 it is None.
        protocol: How labels are normalised.
    """

    pack: Pack
    codes: NDArray[np.int32]
    labels: Sequence[str]
    targets: Tensor
    dtype: torch.dtype
    why: NDArray[np.uint8]
    why_dropped: NDArray[np.uint8]
    reasons_found: list[str | None]
    protocol: Protocol

    @classmethod
    def open(
        cls,
        dataset: Dataset,
        rows: Rows,
        recognizer: Recognizer,
        protocol: Protocol,
        size: tuple[int, int],
        threads: int | None = None,
    ) -> PackedWords:
        """Pack ``rows``, rising, of a dataset and encode their labels.

        Raises:
            UserError: one of them cannot be decoded.
        """
        packed = pack(dataset, rows, size=size, threads=threads)
        _refuse_broken(packed, dataset, rows)
        column = dataset.table(["label"])["label"]
        if packed.rows is not None:
            column = column.take(packed.rows)
        encoded = column.dictionary_encode().combine_chunks()
        reasons: list[str | None] = [None]
        targets, why, why_dropped, dtype = _encoded(encoded.dictionary, recognizer, protocol, reasons)
        return cls(
            pack=packed,
            codes=encoded.indices.to_numpy(zero_copy_only=False).astype(np.int32),
            labels=encoded.dictionary,
            targets=targets,
            dtype=dtype,
            why=why,
            why_dropped=why_dropped,
            reasons_found=reasons,
            protocol=protocol,
        )

    def take(self, rows: Rows) -> tuple[NDArray[np.uint8], Tensor]:
        """Images, (n, H, W, 3) uint8, and targets of the dataset's ``rows``, in that order."""
        where = self.pack.where(rows)
        return np.asarray(self.pack.images[where]), self.targets_of(where)

    def targets_of(self, where: Rows) -> Tensor:
        """The targets of images of the pack."""
        return self.targets[torch.from_numpy(self.codes[where])].to(self.dtype)

    def held_out_labels(self, rows: Rows) -> list[str]:
        """Normalised labels of ``rows``; empty where the protocol drops one."""
        texts = self.labels.take(self.codes[self.pack.where(rows)]).to_pylist()  # type: ignore[attr-defined]
        normalised = [self.protocol.normalise(text) for text in texts]
        return ["" if why else text for text, why in normalised]

    def reasons(self, rows: Rows) -> Counter[str]:
        """Why words among ``rows`` are not learned."""
        return self._counted(self.why, rows)

    def dropped(self, rows: Rows) -> Counter[str]:
        """Why the protocol drops words among ``rows``."""
        return self._counted(self.why_dropped, rows)

    def _counted(self, why: NDArray[np.uint8], rows: Rows) -> Counter[str]:
        counts = np.bincount(why[self.codes[self.pack.where(rows)]], minlength=len(self.reasons_found))
        found = zip(self.reasons_found, counts.tolist(), strict=True)
        return Counter({reason: n for reason, n in found if n and reason is not None})


def _encoded(
    labels: Sequence[str], recognizer: Recognizer, protocol: Protocol, reasons: list[str | None]
) -> tuple[Tensor, NDArray[np.uint8], NDArray[np.uint8], torch.dtype]:
    """Encode different labels, some at a time; targets in as few bytes as hold them all."""
    targets, whys, dropped = [], [], []
    for start in range(0, max(len(labels), 1), AT_ONCE):
        texts = labels[start : start + AT_ONCE].to_pylist()  # type: ignore[attr-defined]
        normalised = [protocol.normalise(text) for text in texts]
        found, unreadable = recognizer.encode([text if why is None else "" for text, why in normalised])
        why = [why or reason for (_, why), reason in zip(normalised, unreadable, strict=True)]
        targets.append(_narrow(found))
        whys.append(_numbered(why, reasons))
        dropped.append(_numbered([why for _, why in normalised], reasons))
    return torch.cat(targets), np.concatenate(whys), np.concatenate(dropped), found.dtype


def _narrow(targets: Tensor) -> Tensor:
    if targets.dtype.is_floating_point or not targets.numel():
        return targets
    least, greatest = int(targets.min()), int(targets.max())
    for dtype in (torch.uint8, torch.int16, torch.int32):
        limits = torch.iinfo(dtype)
        if limits.min <= least and greatest <= limits.max:
            return targets.to(dtype)
    return targets


def _numbered(reasons: list[str | None], known: list[str | None]) -> NDArray[np.uint8]:
    known += [reason for reason in dict.fromkeys(reasons) if reason not in known]
    return np.array([known.index(reason) for reason in reasons], np.uint8)


def _refuse_broken(packed: Pack, dataset: Dataset, rows: Rows) -> None:
    broken = np.intersect1d(np.array(list(packed.broken), np.int64), rows).tolist() if packed.broken else []
    if broken:
        uid = dataset.take(broken[:1], ["uid"])[0]["uid"]
        raise UserError(
            f"{len(broken)} of the mixture's words in {dataset.path} cannot be decoded, "
            f"the first being {uid}: {packed.broken[broken[0]]}. Make the dataset and the mixture anew."
        )
