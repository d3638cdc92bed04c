"""Leaving copies out: of each word that several sets, or one set twice, hold, one stays."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from curation import clusters, near
from curation.clusters import LEVELS
from curation.copies_report import Found, facts, measure, write_pairs
from curation.core import shards
from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import refuse_existing
from curation.core.fingerprint import versions
from curation.core.labels import protocol
from curation.core.lock import alone_at
from curation.core.recipe import resolved
from curation.core.sample import Reject
from curation.evidence import Evidence, gather
from curation.lookalikes import Look, lookalikes
from curation.near import Pairs, Rows
from curation.rewriting import Verdicts, common_schema, rewrite
from curation.sketches import scratch

CONFLICT = -1  # where a level would be: the row goes because of its label
AT_ONCE = 100_000  # rows looked up at once
Level = Literal["origin", "bytes", "pixels", "certain", "probable"]


@dataclass(frozen=True, kw_only=True)
class DedupeRecipe:
    """What counts as a copy, and what becomes of it.

    Attributes:
        protocol: Two labels are the same where they agree under this protocol.
        delete: The levels of evidence on which a word goes; pairs of the others are only told.
        least_iou: ``origin``: overlap of two boxes in one photo, 0-1, of words with the same label.
        certain: Agreement of two pictures of the same label, laid over each other, 0-1. The default is
            measured: copies reach it, other photos of the word hardly ever.
        probable: Agreement from which pairs are told.
        look: How thoroughly the words of a label are looked through.
        rendered: Whether rendered words are judged by their looks as well. They are what their recipe and
            seed make them, and two words of one font look alike.
        protect: Splits whose words never go: a test set stays whole, whatever is in it twice.
        conflicts: What becomes of identical pictures with different labels, at least one of which is wrong.
    """

    protocol: str = "parseq36"
    delete: tuple[Level, ...] = ("origin", "bytes", "pixels", "certain")
    least_iou: float = 0.5
    certain: float = 0.97
    probable: float = 0.93
    look: Look = field(default_factory=Look)
    rendered: bool = False
    protect: tuple[Literal["train", "val", "test"], ...] = ("test",)
    conflicts: Literal["keep", "keep_first", "drop_all"] = "keep"

    def __post_init__(self) -> None:
        try:
            protocol(self.protocol)
        except UserError as error:
            raise ValueError(str(error).rstrip(".")) from None
        if not 0 < self.least_iou <= 1:
            raise ValueError(f"least_iou must be above 0 and up to 1, got {self.least_iou}")
        if not 0 < self.probable <= self.certain <= 1:
            raise ValueError(
                f"probable and certain must rise from above 0 up to 1, got {self.probable} and {self.certain}"
            )


def dedupe(
    datasets: Sequence[Dataset],
    out: Path,
    spec: DedupeRecipe | None = None,
    *,
    jobs: int = 1,
    dry_run: bool = False,
    pairs: Path | None = None,
) -> dict[str, Any]:
    """Write the words of ``datasets`` to the dataset ``out``, but for copies of others among them.

    The result depends on the datasets, their order and the recipe, not on the number of workers. An
    interrupted run finds the copies again, and goes on with the shards that it has not written.

    Args:
        datasets: Where the words come from; of equally good copies those of the first stay.
        out: The folder; it must not exist, unless as the same job's unfinished work.
        spec: What counts as a copy; None for ``DedupeRecipe()``.
        jobs: Worker processes.
        dry_run: Find all copies and write nothing else.
        pairs: Draw pairs of every level into this PNG file.

    Returns:
        The manifest; of a dry run, what it would say of copies, under ``duplicates``, and ``n_rows``.

    Raises:
        UserError: ``out`` is taken, or the datasets cannot be brought together.
    """
    spec = spec or DedupeRecipe()
    _refuse_picture(pairs, out)
    shards.refuse_finished(out)
    common_schema(datasets)  # or raise, before minutes are spent
    with nullcontext() if dry_run else alone_at(out):  # from the first sketch on, which lie beside it
        shards.refuse_finished(out)
        found = find(datasets, spec, out=None if dry_run else out, jobs=jobs)
        told = facts(found)
        if dry_run:
            _draw(found, pairs)
            gone = len(found.copies) + len(found.conflicts)
            return {"n_rows": len(found.evidence) - gone, "n_rejected": gone, "duplicates": told}
        job = {"command": "dedupe", "recipe": resolved(spec), "versions": versions()}
        judges = list(_leavers(found))
        return rewrite(
            datasets,
            out,
            judges.__getitem__,
            job,
            jobs=jobs,
            what="dedupe",
            locked=True,
            check=lambda _: _draw(found, pairs),
            duplicates=told,
        )


def _draw(found: Found, path: Path | None) -> None:
    if path is not None:
        write_pairs(found, path)


def _refuse_picture(path: Path | None, out: Path) -> None:
    """Refuse a picture that is there; what an interrupted run has drawn beside its dataset is drawn anew."""
    if path is not None and not (out / shards.BUILD).is_dir():
        refuse_existing(path)


def find(datasets: Sequence[Dataset], spec: DedupeRecipe, *, out: Path | None = None, jobs: int = 1) -> Found:
    """Find the copies among all words of ``datasets``; sketches lie beside ``out`` while it runs."""
    evidence = gather(datasets, spec.protocol, jobs=jobs)
    pictures = clusters.groups(evidence, near.pixel_keys(evidence, near.look_equal(evidence), jobs))
    group = clusters.narrowed(pictures, evidence.label)
    rank = clusters.ranks(evidence)
    keep = clusters.protected(evidence, spec.protect)
    conflicts = _conflicts(pictures, group, rank, keep, spec.conflicts)
    origin, n_other_label = _origin(evidence, spec.least_iou)
    rows = group == np.arange(len(evidence))
    rows &= True if spec.rendered else ~evidence.rendered
    with scratch(out) as folder:
        pairs = lookalikes(
            evidence,
            folder=folder,
            look=spec.look,
            least=spec.probable,
            rows=rows,
            certain=spec.certain,
            rank=rank,
            jobs=jobs,
        )
    certain = pairs.distance <= np.float32(1 - spec.certain)
    looks = {"certain": pairs.select(certain), "probable": pairs.select(~certain)}
    known = clusters.Known.of(evidence, group, origin, looks)
    copies = clusters.settle(known, rank, delete=spec.delete, keep=keep, gone=conflicts)
    stays = np.ones(len(evidence), bool)
    stays[[*copies, *conflicts]] = False
    return Found(
        evidence=evidence,
        copies=copies,
        conflicts=conflicts,
        told={k: pairs for k, pairs in _told(evidence, group, stays, origin, looks) if k not in spec.delete},
        overlapping_other_label=n_other_label,
        conflicting_label=_conflicting(pictures, group),
    )


def _told(
    evidence: Evidence, group: Rows, stays: NDArray[np.bool_], origin: Pairs, looks: Mapping[str, Pairs]
) -> Iterator[tuple[Level, Pairs]]:
    """Yield the pairs of each level that stay."""
    yield "origin", origin.select(stays[origin.left] & stays[origin.right])
    rows = np.flatnonzero(stays)
    _, first, of = np.unique(group[rows], return_index=True, return_inverse=True)
    same = Pairs(rows[first][of], rows, np.zeros(len(rows), np.float32)).select(rows[first][of] != rows)
    identical = (evidence.sha[same.left] == evidence.sha[same.right]).all(axis=1)
    yield "bytes", same.select(identical)
    yield "pixels", same.select(~identical)
    here = np.isin(np.arange(len(evidence)), group[stays])  # whether any row of a group stays
    for level in ("certain", "probable"):
        yield level, looks[level].select(here[looks[level].left] & here[looks[level].right])


def _origin(evidence: Evidence, least_iou: float) -> tuple[Pairs, int]:
    """Pairs of one place in one photo with the same label, and how many have different ones."""
    same, n_other = [], 0
    for pairs in near.same_origin(evidence, least_iou=least_iou):
        left, right = evidence.label[pairs.left], evidence.label[pairs.right]
        agree = (left == right) & (left != 0)
        same.append(pairs.select(agree))
        n_other += int(np.count_nonzero(~agree))
    return near.joined(same), n_other


def _conflicts(
    pictures: Rows, group: Rows, rank: Rows, keep: NDArray[np.bool_], policy: str
) -> dict[int, int]:
    """Rows that go because their picture has several labels, each with the best row of that picture."""
    if policy == "keep":
        return {}
    best: dict[int, int] = {}
    rows = np.flatnonzero(np.isin(pictures, pictures[pictures != group]))
    gone = {}
    for row in rows[np.argsort(rank[rows])].tolist():
        first = best.setdefault(int(pictures[row]), row)
        if not keep[row] and (policy == "drop_all" or group[row] != group[first]):
            gone[row] = first
    return gone


def _conflicting(pictures: Rows, group: Rows) -> dict[str, int]:
    """How many pictures have several labels, and how many rows show them."""
    shown = np.unique(pictures[pictures != group])
    return {"pictures": len(shown), "rows": int(np.isin(pictures, shown).sum())}


def _leavers(found: Found) -> Iterator[Leaver]:
    """For each dataset the judge that knows which of its rows go."""
    evidence = found.evidence
    rows = np.array(sorted({*found.copies, *found.conflicts}), np.int64)
    copies = [found.copies.get(row) for row in rows.tolist()]
    of = [found.conflicts[r] if c is None else c.of for r, c in zip(rows.tolist(), copies, strict=True)]
    kept, index = np.unique(np.array(of, np.int64), return_inverse=True)
    words = [pa.table({name: pa.array([], pa.string()) for name in ("uid", "label")})]
    for at in range(0, len(kept), AT_ONCE):
        some = evidence.take(kept[at : at + AT_ONCE], ["uid", "label"])
        words.append(pa.Table.from_pylist(some, schema=words[0].schema))
    known = pa.concat_tables(words).combine_chunks()
    level = np.array([CONFLICT if copy is None else LEVELS.index(copy.level) for copy in copies], np.int8)
    distance = np.array([0 if copy is None else copy.distance for copy in copies], np.float32)
    for start, stop in itertools.pairwise(evidence.starts.tolist()):
        here = slice(*np.searchsorted(rows, [start, stop]).tolist())
        yield Leaver(
            rows=rows[here] - start,
            level=level[here],
            distance=distance[here],
            kept=known.take(pa.array(index[here])),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Leaver:
    """Leaves out the rows that have been decided on.

    Attributes:
        rows: (N,) their numbers in the dataset, rising.
        level: (N,) index in ``LEVELS``, or ``CONFLICT``.
        distance: (N,) as ``Copy.distance``.
        kept: ``uid`` and ``label`` of the N words that each goes for.
    """

    rows: Rows
    level: NDArray[np.int8]
    distance: NDArray[np.float32]
    kept: pa.Table

    def part(self, first: int, n_rows: int) -> Leaver:
        """The judge of some rows only."""
        here = slice(*np.searchsorted(self.rows, [first, first + n_rows]).tolist())
        kept = self.kept.take(pa.array(np.arange(here.start, here.stop)))  # a slice would be sent whole
        return Leaver(rows=self.rows[here], level=self.level[here], distance=self.distance[here], kept=kept)

    def judge(self, batch: pa.RecordBatch, first: int) -> Verdicts:
        """Judge the rows of ``batch``; see ``Judge``."""
        here = slice(*np.searchsorted(self.rows, [first, first + len(batch)]).tolist())
        gone = self.rows[here] - first
        keep = np.ones(len(batch), bool)
        keep[gone] = False
        uids = batch["uid"].take(pa.array(gone)).to_pylist()
        kept = self.kept.slice(here.start, here.stop - here.start).to_pylist()
        facts = zip(uids, kept, self.level[here].tolist(), self.distance[here].tolist(), strict=True)
        return Verdicts(keep=keep, rejects=[_reject(*fact) for fact in facts])


def _reject(uid: str, kept: Mapping[str, Any], level: int, distance: float) -> Reject:
    if level == CONFLICT:
        reason, detail = "conflicting_label", f"its picture has the label {kept['label']!r} as well"
    else:
        reason, detail = "duplicate", measure(LEVELS[level], distance)
    return Reject(uid=uid, reason=reason, detail=detail, duplicate_of=kept["uid"])
