"""What tells copies apart from other words, row by row in arrays, gathered without reading a picture."""

from __future__ import annotations

import dataclasses
import functools
import re
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curation.core import labels
from curation.core.dataset import Dataset
from curation.core.labels import Protocol
from curation.core.pool import run_tasks
from curation.core.schema import schema
from curation.words import hash_texts, mix64

COLUMNS = [
    *("label", "source", "split", "width", "height", "sha256", "dhash128"),
    *("origin_image", "origin_box", "origin_polygon", "origin_size"),
]
SPLITS = ("train", "val", "test")  # rising worth: a word of the test set is the last to go
LABELS, ORIGINS, SOURCES = 1, 2, 3  # keys of the hashes, so that a label never equals a photo
COLLECTION = re.compile(r"[a-z][a-z0-9]*:")  # ``openimages:0001c8fbfb30d3a6``: one photo in any set
FEW_ROWS = 20_000  # that many are read sooner than worker processes start
DIGITS = np.full(256, 255, np.uint8)
DIGITS[np.frombuffer(b"0123456789abcdef", np.uint8)] = np.arange(16)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Evidence:
    """All rows of some datasets, in order, as far as finding copies needs them: 78 bytes a row.

    Attributes:
        datasets: Where the rows come from.
        starts: Row number at which each dataset begins, and at the end the number of rows N.
        sha: (N, 2) first 16 bytes of the encoded picture's SHA-256; 0, 0 if unknown.
        dhash: (N, 2) the perceptual hash; 0, 0 if there is none, which ``hashed`` tells from a flat picture.
        hashed: (N,) whether there is a perceptual hash.
        size: (N, 2) width and height in pixels.
        label: (N,) hash of the normalised label; 0 if that is empty.
        origin: (N,) hash of the photo that the word was cut from; 0 if unknown.
        box: (N, 4) left, top, right, bottom in that photo, as fractions of its size where that is known,
            else in pixels; not a number where there is no box.
        outlined: (N,) whether the word's outline in the photo is known.
        rendered: (N,) whether the word was rendered.
        split: (N,) index in ``SPLITS``.
        source: (N,) index in ``sources``.
        sources: Names of the sets that words come from, sorted.
    """

    datasets: tuple[Dataset, ...]
    starts: NDArray[np.int64]
    sha: NDArray[np.uint64]
    dhash: NDArray[np.uint64]
    hashed: NDArray[np.bool_]
    size: NDArray[np.int32]
    label: NDArray[np.uint64]
    origin: NDArray[np.uint64]
    box: NDArray[np.float32]
    outlined: NDArray[np.bool_]
    rendered: NDArray[np.bool_]
    split: NDArray[np.uint8]
    source: NDArray[np.uint16]
    sources: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.starts[-1])

    def dataset_of(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The index in ``datasets`` of each of these rows."""
        return np.searchsorted(self.starts, rows, side="right") - 1

    def take(self, rows: Sequence[int] | NDArray[np.int64], columns: Sequence[str]) -> list[dict[str, Any]]:
        """Read some rows from their datasets, in the order asked for; for the few that need it."""
        wanted = np.asarray(rows, np.int64)
        found: list[dict[str, Any]] = [{}] * len(wanted)
        of = self.dataset_of(wanted)
        for number in np.unique(of).tolist():
            here = np.flatnonzero(of == number)
            values = self.datasets[number].take(wanted[here] - self.starts[number], columns)
            for i, value in zip(here.tolist(), values, strict=True):
                found[i] = value
        return found

    def uids(self, rows: Sequence[int] | NDArray[np.int64]) -> list[str]:
        """Look up the uids of some rows, in the order asked for."""
        return [row["uid"] for row in self.take(rows, ["uid"])]


def gather(datasets: Sequence[Dataset], protocol: str = "parseq36", *, jobs: int = 1) -> Evidence:
    """Gather the evidence on all rows of ``datasets``, from their columns alone.

    Two labels are the same where they agree under ``protocol``, which is applied to labels of any length.
    A label of which it leaves nothing, such as a Chinese one, is compared as NFKC, case folded.

    Args:
        datasets: Rows are numbered through them in this order.
        protocol: Name of the protocol that says which labels are the same.
        jobs: Worker processes.
    """
    rule = dataclasses.replace(labels.protocol(protocol), max_length=None)
    tasks = [(n, d.path, shard, rule) for n, d in enumerate(datasets) for shard in range(d.n_shards)]
    total = sum(map(len, datasets))
    jobs = jobs if total > FEW_ROWS else 1
    ended = run_tasks(_gather_shard, tasks, jobs=jobs, total=total, unit=" words", what="gather evidence")
    parts = [part for _, part in sorted(ended, key=lambda item: item[0])]
    names = sorted({name for part in parts for name in part["sources"]})
    for part in parts:
        at = np.array([names.index(name) for name in part.pop("sources")], np.uint16)
        part["source"] = at[part["source"]]
    empty = _arrays(schema().empty_table(), rule)
    del empty["sources"]
    merged = {
        name: np.concatenate([none, *(part.pop(name) for part in parts)]) for name, none in empty.items()
    }
    starts = np.cumsum([0, *map(len, datasets)])
    return Evidence(datasets=tuple(datasets), starts=starts, sources=tuple(names), **merged)


def _gather_shard(
    number: int, path: Path, shard: int, rule: Protocol, tick: Callable[[int], object]
) -> tuple[tuple[int, int], dict[str, Any]]:
    """The arrays of one shard, with its place in the order."""
    dataset = Dataset.open(path)
    kinds = dataset.schema()
    columns = [name for name in COLUMNS if name in kinds.names]  # some were written before a column was
    if "render" in kinds.names:
        columns.append(f"render.{kinds.field('render').type[0].name}")  # a part is enough to tell
    table = dataset.shard_table(shard, columns)
    tick(len(table))
    return (number, shard), _arrays(table, rule)


def _arrays(table: pa.Table, rule: Protocol) -> dict[str, Any]:
    """The fields of ``Evidence`` for the rows of one table; ``source`` counts in its own ``sources``."""
    n = len(table)
    column = {name: table[name].combine_chunks() for name in table.column_names}
    for name in COLUMNS:
        column.setdefault(name, pa.nulls(n, schema().field(name).type))
    dhash, hashed = _hexadecimal(column["dhash128"], 32)
    sources = column["source"].fill_null("").dictionary_encode()
    names = sorted(sources.dictionary.to_pylist())
    places = np.array([names.index(name) for name in sources.dictionary.to_pylist()], np.uint16)
    return {
        "sha": _hexadecimal(column["sha256"], 64)[0],
        "dhash": dhash,
        "hashed": hashed,
        "size": np.stack([_numbers(column[name], np.int32) for name in ("width", "height")], axis=1),
        "label": _labels(column["label"], rule),
        "origin": _origins(column["origin_image"], column["source"].fill_null("")),
        "box": _boxes(column["origin_box"], column["origin_size"]),
        "outlined": ~_flags(column["origin_polygon"].is_null()),
        "rendered": ~_flags(column["render"].is_null()) if "render" in column else np.zeros(n, bool),
        "split": _numbers(pc.index_in(column["split"], pa.array(SPLITS)), np.uint8),
        "source": places[sources.indices.to_numpy()],
        "sources": names,
    }


def _flags(values: pa.Array) -> NDArray[np.bool_]:
    return values.fill_null(False).to_numpy(zero_copy_only=False)


def _numbers(values: pa.Array, kind: Any) -> NDArray[Any]:
    return values.fill_null(0).to_numpy().astype(kind)


def _hexadecimal(column: pa.Array, digits: int) -> tuple[NDArray[np.uint64], NDArray[np.bool_]]:
    """The first 32 of so many hexadecimal digits as (N, 2) numbers, and which rows have them all."""
    whole = _flags(pc.equal(pc.binary_length(column), digits))
    text = column.filter(pa.array(whole)).cast(pa.large_binary())
    _, offsets, data = text.buffers()
    first = int(np.frombuffer(offsets, np.int64)[text.offset]) if len(text) else 0
    letters = np.frombuffer(data or b"", np.uint8)[first : first + digits * len(text)].reshape(-1, digits)
    nibbles = DIGITS[letters[:, :32]]
    good = (nibbles < 16).all(axis=1)
    whole[whole] = good
    values = np.zeros((len(column), 2), np.uint64)
    octets = nibbles[good, 0::2] << 4 | nibbles[good, 1::2]
    values[whole] = np.ascontiguousarray(octets).view(">u8")
    return values, whole


def _labels(column: pa.Array, rule: Protocol) -> NDArray[np.uint64]:
    """Hashes of the normalised labels; each different one of the table is normalised once."""
    encoded = column.fill_null("").dictionary_encode()
    texts = [normalised(text, rule) for text in encoded.dictionary.to_pylist()]
    hashes = hash_texts(pa.array(texts, pa.string()), LABELS)
    hashes[[not text for text in texts]] = 0
    return hashes[encoded.indices.to_numpy()]


@functools.lru_cache(maxsize=1 << 17)  # words repeat from shard to shard
def normalised(label: str, rule: Protocol) -> str:
    """The label as compared; what ``rule`` leaves nothing of is compared as NFKC without white space."""
    text, _ = rule.normalise(label)
    return text or "".join(unicodedata.normalize("NFKC", label).casefold().split())


def _origins(photos: pa.Array, sources: pa.Array) -> NDArray[np.uint64]:
    """Hashes of the photos; a name that only means something within a set is told apart by the set's."""
    known = _flags(photos.is_valid())
    hashes = np.zeros(len(photos), np.uint64)
    encoded = photos.dictionary_encode()
    shared = np.array([bool(COLLECTION.match(name)) for name in encoded.dictionary.to_pylist()], bool)
    by_photo = hash_texts(encoded.dictionary, ORIGINS)
    by_source = sources.dictionary_encode()
    salt = hash_texts(by_source.dictionary, SOURCES)[by_source.indices.to_numpy()]
    at = encoded.indices.filter(pa.array(known)).to_numpy()
    own = by_photo[at]
    hashes[known] = np.where(shared[at], own, mix64(own ^ salt[known]))
    return hashes


def _boxes(boxes: pa.Array, sizes: pa.Array) -> NDArray[np.float32]:
    """(N, 4) left, top, right, bottom, as ``Evidence.box`` has them."""
    left, top, width, height = _lists(boxes, 4).T
    corners = np.stack([left, top, left + width, top + height], axis=1)
    scale = np.tile(_lists(sizes, 2), 2)
    return np.where(scale > 0, corners / scale, corners).astype(np.float32)


def _lists(column: pa.Array, length: int) -> NDArray[np.float64]:
    """(N, length) numbers; not a number where the list is missing or of another length."""
    values = np.full((len(column), length), np.nan)
    right = _flags(pc.equal(pc.list_value_length(column), length))
    values[right] = column.filter(pa.array(right)).flatten().to_numpy().reshape(-1, length)
    return values
