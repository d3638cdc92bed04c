"""Folds of words that share nothing: what comes of one photo, or looks the same, lies in one fold."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.words import hash_texts, key

Rows = NDArray[np.int64]
EVIDENCE = ("sha256", "dhash128", "origin_image", "source")
NONE = -1  # the fold of a word that no fold's word is a copy of


class Folds:
    """Words of ``datasets`` dealt into ``n`` folds.

    Words stay together that share the photo they were cut from, the file or the picture (``dhash128``). Where
    such a group goes depends on the uids in it alone, so that a further dataset moves no word that
    shares nothing with it.

    Args:
        datasets: Their words are numbered through, in this order.
        n: How many folds.

    Attributes:
        of: (N,) int64: the fold of each word, from 0.
        n_groups: Groups of words that stay together.

    Raises:
        UserError: a fold would be empty.
    """

    def __init__(self, datasets: Sequence[Dataset], n: int) -> None:
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        tables = [dataset.table(["uid", *EVIDENCE]) for dataset in datasets]
        table = pa.concat_tables(tables)
        rows, nodes, size = [], [], len(table)
        self._known: list[tuple[pa.Array, NDArray[np.int64]]] = []
        for column in _shared(table):
            encoded = column.combine_chunks().dictionary_encode()
            codes = encoded.indices.fill_null(NONE).to_numpy(zero_copy_only=False).astype(np.int64)
            has = np.flatnonzero(codes >= 0)
            rows.append(has)
            nodes.append(size + codes[has])
            self._known.append((encoded.dictionary, size + np.arange(len(encoded.dictionary))))
            size += len(encoded.dictionary)
        row, node = np.concatenate(rows), np.concatenate(nodes)
        graph = coo_array((np.ones(len(row), np.int8), (row, node)), shape=(size, size))
        n_groups, group = connected_components(graph, directed=False)
        least = np.full(n_groups, np.iinfo(np.uint64).max)
        np.minimum.at(least, group[: len(table)], hash_texts(table["uid"], key(0, "suspects")))
        fold = (least % np.uint64(n)).astype(np.int64)
        self.of, self.n_groups = fold[group[: len(table)]], int(n_groups)
        self._fold_of_node = fold[group]
        counts = np.bincount(self.of, minlength=n)
        if not counts.all():
            names = ", ".join(str(dataset.path) for dataset in datasets)
            raise UserError(
                f"{len(table):,} words in {n_groups:,} groups of one photo or picture are too few for {n} "
                f"folds: {names}. Give more words, or fewer --folds."
            )

    def of_copies(self, dataset: Dataset) -> list[Rows]:
        """The rows of another ``dataset`` that share something with words of a fold, by fold."""
        found: list[list[Rows]] = [[] for _ in range(int(self.of.max()) + 1)]
        first = 0
        for table in dataset.tables(EVIDENCE):
            for column, (known, nodes) in zip(_shared(table), self._known, strict=True):
                at = pc.index_in(column, known).combine_chunks().fill_null(NONE).to_numpy()
                here = np.flatnonzero(at >= 0)
                folds = self._fold_of_node[nodes[at[here]]]
                for fold in np.unique(folds).tolist():
                    found[fold].append(first + here[folds == fold])
            first += len(table)
        return [np.unique(np.concatenate([np.empty(0, np.int64), *rows])) for rows in found]


def _shared(table: pa.Table) -> list[pa.ChunkedArray]:
    """What words may share: file, picture, and photo of a source; null where a word has none."""
    origin = table["origin_image"].fill_null("")
    # Photos that several sets share carry their collection's name; others are names within a set.
    within = pc.binary_join_element_wise(table["source"].fill_null(""), origin, "\t")
    photo = pc.if_else(pc.match_substring(origin, ":"), origin, within)
    photo = pc.if_else(pc.equal(origin, ""), None, photo)
    columns = [table["sha256"], table["dhash128"], photo]
    return [
        column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column]) for column in columns
    ]
