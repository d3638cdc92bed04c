"""The words that datasets offer to a mixture, in an order that only their names and the seed decide."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.labels import Protocol
from curation.core.rng import stream

Hashes = NDArray[np.uint64]
JUDGED_AT_ONCE = 2**16  # labels held as Python texts, to spare memory


@dataclass(frozen=True, kw_only=True)
class Words:
    """Words of one source, by rising hash: the first n are contained in the first n + 1.

    Attributes:
        hashes: (N,) strictly rising.
        numbers: (N,) the number of the dataset that each lies in.
        rows: (N,) its row there.
        left_out: For each dataset of the source, how many words were left out, by reason.
    """

    hashes: Hashes
    numbers: NDArray[np.uint8]
    rows: NDArray[np.uint32]
    left_out: tuple[Counter[str], ...]

    def __len__(self) -> int:
        return len(self.hashes)

    def select(self, keep: NDArray[np.bool_]) -> Words:
        """The words where ``keep`` is true."""
        return Words(
            hashes=self.hashes[keep],
            numbers=self.numbers[keep],
            rows=self.rows[keep],
            left_out=self.left_out,
        )


def key(seed: int, purpose: str) -> int:
    """A 64-bit key for ``hash_texts``, from the run's seed."""
    return int(stream(seed, "mix", purpose).bit_generator.random_raw())


def gather(
    datasets: Sequence[tuple[int, Dataset]],
    protocol: Protocol,
    key: int,
    tick: Callable[[int], object] = lambda n: None,
) -> Words:
    """Collect the words of a source's datasets whose labels take part under ``protocol``.

    A word whose uid has come before is left out as ``same_uid``: of copies, the first in order stays.

    Args:
        datasets: Each with its number in the mixture.
        protocol: Decides which labels take part, and why others do not.
        key: Key of the hash over the uids that orders the words.
        tick: Called with the number of rows read since the last call.
    """
    parts = [_gather_one(dataset, protocol, key, tick) for _, dataset in datasets]
    hashes = np.concatenate([part[0] for part in parts])
    rows = np.concatenate([part[1] for part in parts])
    numbers = np.repeat(np.array([number for number, _ in datasets], np.uint8), [len(p[0]) for p in parts])
    order = np.argsort(hashes, kind="stable")
    hashes, rows, numbers = hashes[order], rows[order], numbers[order]
    first = np.ones(len(hashes), bool)
    first[1:] = hashes[1:] != hashes[:-1]
    left_out = tuple(part[2] for part in parts)
    for (number, _), counts in zip(datasets, left_out, strict=True):
        if copies := int(np.count_nonzero(numbers[~first] == number)):
            counts["same_uid"] = copies
    return Words(hashes=hashes, numbers=numbers, rows=rows, left_out=left_out).select(first)


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


def _gather_one(
    dataset: Dataset, protocol: Protocol, key: int, tick: Callable[[int], object]
) -> tuple[Hashes, NDArray[np.uint32], Counter[str]]:
    """Hashes and rows of the words that take part, and how many do not, by reason."""
    hashes, labels = [np.empty(0, np.uint64)], []
    for table in dataset.tables(["uid", "label"]):
        hashes.append(hash_texts(table["uid"], key))
        labels += table["label"].chunks
        tick(len(table))
    takes_part, left_out = _judge(pa.chunked_array(labels, pa.string()), protocol)
    return np.concatenate(hashes)[takes_part], np.flatnonzero(takes_part).astype(np.uint32), left_out


def _judge(labels: pa.ChunkedArray, protocol: Protocol) -> tuple[NDArray[np.bool_], Counter[str]]:
    """Tell which labels take part, and count the others by reason; each different label is judged once."""
    encoded = labels.dictionary_encode().combine_chunks()
    codes = encoded.indices.to_numpy()
    times = np.bincount(codes, minlength=len(encoded.dictionary))
    passes, left_out = np.ones(len(encoded.dictionary), bool), Counter[str]()
    for start in range(0, len(passes), JUDGED_AT_ONCE):
        texts = encoded.dictionary.slice(start, JUDGED_AT_ONCE).to_pylist()
        for i, text in enumerate(texts, start):
            if (reason := protocol.normalise(text)[1]) is not None:
                passes[i] = False
                left_out[reason] += int(times[i])
    return passes[codes], left_out
