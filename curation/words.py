"""The words that datasets offer to a mixture, in an order that only their names and the seed decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.labels import Protocol
from curation.core.rng import stream

Hashes = NDArray[np.uint64]
JUDGED_AT_ONCE = 2**16  # labels held as Python texts, to spare memory
LABEL_KEY = 0  # labels are only told apart, not ordered


@dataclass(frozen=True, kw_only=True)
class Words:
    """Words of one source, by rising hash: the first n are contained in the first n + 1.

    Attributes:
        hashes: (N,) strictly rising.
        numbers: (N,) the number of the dataset that each lies in.
        rows: (N,) its row there.
        datasets: The numbers of the source's datasets.
        left_out: For each of these, how many words were left out, by reason.
        labels: (N,) hashes of the labels as normalised; None if nobody asked for them.
        n_test: For each dataset, how many of its rows are of split ``test``.
    """

    hashes: Hashes
    numbers: NDArray[np.uint8]
    rows: NDArray[np.uint32]
    datasets: tuple[int, ...]
    left_out: tuple[Counter[str], ...]
    labels: Hashes | None = None
    n_test: tuple[int, ...] = ()

    def __len__(self) -> int:
        return len(self.hashes)

    def select(self, keep: NDArray[np.bool_]) -> Words:
        """The words where ``keep`` is true."""
        return replace(
            self,
            hashes=self.hashes[keep],
            numbers=self.numbers[keep],
            rows=self.rows[keep],
            labels=None if self.labels is None else self.labels[keep],
        )

    def without(self, drop: NDArray[np.bool_], reason: str) -> Words:
        """The words where ``drop`` is false; the others are counted as left out for this reason."""
        if not drop.any():
            return self
        lost = np.bincount(self.numbers[drop], minlength=256).tolist()
        left_out = tuple(
            counts + Counter({reason: lost[number]})
            for number, counts in zip(self.datasets, self.left_out, strict=True)
        )
        return replace(self.select(~drop), left_out=left_out)


def key(seed: int, purpose: str) -> int:
    """A 64-bit key for ``hash_texts``, from the run's seed."""
    return int(stream(seed, "mix", purpose).bit_generator.random_raw())


def gather(
    datasets: Sequence[tuple[int, Dataset]],
    protocol: Protocol,
    key: int,
    tick: Callable[[int], object] = lambda n: None,
    *,
    only: Sequence[str] = (),
    labels: bool = False,
) -> Words:
    """Collect the words of a source's datasets whose labels take part under ``protocol``.

    A word whose uid has come before is left out as ``same_uid``: of copies, the first in order stays.

    Args:
        datasets: Each with its number in the mixture.
        protocol: Decides which labels take part, and why others do not.
        key: Key of the hash over the uids that orders the words.
        tick: Called with the number of rows read since the last call.
        only: Names in the column ``source``; other rows are left out as ``other_source``. None for all rows.
        labels: Whether to hash the labels as well.
    """
    parts = [_gather_one(dataset, protocol, key, tick, only, labels) for _, dataset in datasets]
    hashes = np.concatenate([part.hashes for part in parts])
    order = np.argsort(hashes, kind="stable")
    hashes = hashes[order]
    found = Words(
        hashes=hashes,
        numbers=np.repeat(np.array([n for n, _ in datasets], np.uint8), [len(p.hashes) for p in parts])[
            order
        ],
        rows=np.concatenate([part.rows for part in parts])[order],
        datasets=tuple(number for number, _ in datasets),
        left_out=tuple(part.left_out for part in parts),
        labels=np.concatenate([part.labels for part in parts])[order] if labels else None,
        n_test=tuple(part.n_test for part in parts),
    )
    again = np.zeros(len(hashes), bool)
    again[1:] = hashes[1:] == hashes[:-1]
    return found.without(again, "same_uid")


def beyond(words: Sequence[Words], most: int) -> list[NDArray[np.bool_]]:
    """Which of all ``words`` come, in the order of their hashes, after the first ``most`` of their label."""
    hashes = np.concatenate([w.hashes for w in words])
    labels = np.concatenate([w.labels for w in words if w.labels is not None])
    order = np.lexsort((hashes, labels))
    labels = labels[order]
    is_first = np.ones(len(labels), bool)
    is_first[1:] = labels[1:] != labels[:-1]
    first = np.flatnonzero(is_first)
    before = np.arange(len(labels)) - np.repeat(first, np.diff(np.append(first, len(labels))))
    late = np.empty(len(labels), bool)
    late[order] = before >= most
    return np.split(late, np.cumsum([len(w) for w in words])[:-1])


def hash_texts(texts: pa.Array | pa.ChunkedArray, key: int) -> Hashes:
    """Hash texts to 64 bits each, on whole arrays; equal on any machine.

    Each text is read as little-endian words of eight bytes, filled up with zeros, which are mixed in turn
    into a state that starts from the key and the length in bytes.

    Source: the mixing step is SplitMix64 (Steele, Lea, Flood, OOPSLA 2014, doi:10.1145/2660193.2660195).

    Args:
        texts: A string array without nulls.
        key: 64 bits; another key gives an unrelated order.
    """
    array = pa.chunked_array([texts] if isinstance(texts, pa.Array) else texts.chunks, texts.type)
    array = array.cast(pa.large_string()).combine_chunks()
    if not len(array):
        return np.empty(0, np.uint64)
    _, offsets_buffer, data_buffer = array.buffers()
    offsets = np.frombuffer(offsets_buffer, np.int64)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(data_buffer or b"", np.uint8)[offsets[0] : offsets[-1]]
    data = np.concatenate([data, np.zeros(8, np.uint8)])
    eights = np.ndarray((len(data) - 7,), "<u8", data, strides=(1,))  # one word starting at every byte
    starts, lengths = offsets[:-1] - offsets[0], np.diff(offsets)
    state = mix64(lengths.astype(np.uint64) ^ np.uint64(key))
    for read in range(0, int(lengths.max()), 8):
        here = np.flatnonzero(lengths > read)
        spare_bits = 8 * np.clip(read + 8 - lengths[here], 0, 7).astype(np.uint64)
        word = eights[starts[here] + read] << spare_bits >> spare_bits  # bytes of the next text go
        state[here] = mix64(state[here] ^ word)
    return state


def mix64(values: Hashes) -> Hashes:
    """Scatter 64-bit values one to one, so that close values end far apart."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What one dataset offers, in its order."""

    hashes: Hashes
    rows: NDArray[np.uint32]
    labels: Hashes
    left_out: Counter[str]
    n_test: int


def _gather_one(
    dataset: Dataset,
    protocol: Protocol,
    key: int,
    tick: Callable[[int], object],
    only: Sequence[str],
    with_labels: bool,
) -> _Found:
    hashes, labels, chosen, n_test = [np.empty(0, np.uint64)], [], [np.empty(0, bool)], 0
    for table in dataset.tables(["uid", "label", "split", *(["source"] if only else [])]):
        wanted = np.ones(len(table), bool)
        if only:
            wanted = pc.is_in(table["source"], pa.array(only, pa.string())).to_numpy()
        of_test = pc.fill_null(pc.equal(table["split"], "test"), False).to_numpy()
        n_test += int(np.count_nonzero(of_test & wanted))
        hashes.append(hash_texts(table["uid"], key))
        labels += table["label"].chunks
        chosen.append(wanted)
        tick(len(table))
    wanted = np.concatenate(chosen)
    judged = _judge(pa.chunked_array(labels, pa.string()), protocol, wanted, with_labels)
    takes_part, label_hashes, left_out = judged
    if other := len(wanted) - int(np.count_nonzero(wanted)):
        left_out["other_source"] = other
    return _Found(
        hashes=np.concatenate(hashes)[takes_part],
        rows=np.flatnonzero(takes_part).astype(np.uint32),
        labels=label_hashes,
        left_out=left_out,
        n_test=n_test,
    )


def _judge(
    labels: pa.ChunkedArray, protocol: Protocol, wanted: NDArray[np.bool_], with_labels: bool
) -> tuple[NDArray[np.bool_], Hashes, Counter[str]]:
    """Tell which labels take part, their hashes if asked for, and count the others by reason.

    Each different label is judged once.
    """
    encoded = labels.dictionary_encode().combine_chunks()
    codes = encoded.indices.to_numpy()
    n_labels = len(encoded.dictionary)
    times = np.bincount(codes[wanted], minlength=n_labels)
    passes, left_out = np.ones(n_labels, bool), Counter[str]()
    hashes = np.zeros(n_labels if with_labels else 0, np.uint64)
    for start in range(0, n_labels, JUDGED_AT_ONCE):
        texts = encoded.dictionary.slice(start, JUDGED_AT_ONCE).to_pylist()
        judged = [protocol.normalise(text) for text in texts]
        for i, (_, reason) in enumerate(judged, start):
            if reason is not None:
                passes[i] = False
                if times[i]:
                    left_out[reason] += int(times[i])
        if with_labels:
            normalised = pa.array([text for text, _ in judged], pa.string())
            hashes[start : start + len(texts)] = hash_texts(normalised, LABEL_KEY)
    takes_part = passes[codes] & wanted
    return takes_part, hashes[codes[takes_part]] if with_labels else hashes, left_out
