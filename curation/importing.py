"""Turning a published set into a dataset: every word is decoded once, and every drop has a reason."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import shutil
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from curation.core import shards
from curation.core.errors import UserError
from curation.core.fingerprint import dhash128, versions
from curation.core.images import BrokenImageError, decode
from curation.core.pool import progress
from curation.core.recipe import resolved
from curation.core.sample import Reject, Sample
from curation.cropping import OutsideError
from curation.importers import importers
from curation.importers.base import RULED_OUT, Importer, Unusable, Word

SHARD_WORDS = 50_000  # about 150 MB of crops, and some twenty seconds of work to lose to a kill -9


@dataclass(frozen=True, kw_only=True, slots=True)
class Source:
    """A published set to be imported.

    Attributes:
        importer: Reads its format.
        src: The folder or file, as the format has it.
        split: ``train``, ``val`` or ``test``.
        name: What the set is called in datasets and mixtures.
    """

    importer: Importer
    src: Path
    split: str
    name: str

    def __post_init__(self) -> None:
        expected = self.importer.expected
        if expected and self.split not in expected:
            raise UserError(
                f"{self.importer.kind} has no split {self.split!r}. Give --split {' or '.join(expected)}."
            )
        if not self.name or ":" in self.name or not self.name.isprintable():
            raise UserError(f"the name {self.name!r} is no good for a set. Use letters, digits, - and _.")

    def words(self) -> Iterator[Word | Unusable]:
        """Yield the annotated words, streaming, without their pictures."""
        return self.importer.words(self.src, self.split)


def make_importer(kind: str, given: Mapping[str, Any]) -> Importer:
    """Make the importer of the format ``kind`` with the options in ``given`` that are not None.

    Raises:
        UserError: no such format, or it has no such option.
    """
    made = importers.get(kind)
    options = {name: value for name, value in given.items() if value is not None}
    for name in options:
        having = [other for other in importers if name in _options(importers.get(other))]
        if kind not in having:
            formats = f"format{'s' if having[1:] else ''} {', '.join(having)}"
            flag = name.replace("_", "-")
            raise UserError(f"--{flag} is for the {formats}, not for {kind}. Leave it out.")
    importer: Importer = made(**options)
    return importer


def _options(made: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(made)}


def default_name(importer: Importer, src: Path) -> str:
    """The name of a published set is its format's; other sets are called like their folder."""
    if importer.expected:
        return importer.kind
    path = src.resolve()
    return path.parent.name if path.is_file() else path.name


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """What the annotations alone say about a set.

    Attributes:
        found: Annotated words.
        expected: The same as published, or None.
        rejected_unread: Words that need no look at their picture to be rejected, by reason.
        repeated: 64-bit hashes of the ids that more than one word has.
    """

    found: int
    expected: int | None
    rejected_unread: dict[str, int]
    repeated: frozenset[int]

    def facts(self) -> dict[str, Any]:
        """Counts, and sentences about them, as plain values."""
        warnings = []
        if self.expected not in (None, self.found):
            warnings.append(
                f"found {self.found:,} of {self.expected:,} words expected: "
                "the set is incomplete or of another version"
            )
        return {"found": self.found, "expected": self.expected, "warnings": warnings}


def survey(source: Source) -> Survey:
    """Walk through all annotations without reading a picture; 8 bytes a word are kept.

    Raises:
        UserError: the annotations are missing, damaged or without a word.
    """
    hashes = array("Q", (_hash64(word.id) for word in source.words()))
    if not hashes:
        raise UserError(f"{source.src} holds no word at all. Check that it is the set's annotation.")
    values, counts = np.unique(np.frombuffer(hashes, np.uint64), return_counts=True)
    repeated = frozenset(values[counts > 1].tolist())
    outcomes = _outcomes(source, repeated)
    reasons = Counter(outcome.reason for outcome in outcomes if isinstance(outcome, Reject))
    return Survey(
        found=len(hashes),
        expected=source.importer.expected.get(source.split),
        rejected_unread=dict(reasons),
        repeated=repeated,
    )


def import_set(
    source: Source, out: Path, *, max_dropped: float, shard_words: int = SHARD_WORDS
) -> dict[str, Any]:
    """Write the dataset ``out``. An interrupted import goes on where it stopped.

    Shard k holds what became of the words ``k * shard_words`` to ``(k + 1) * shard_words - 1`` of the
    annotations, so its bytes depend on the source alone.

    Args:
        source: What to import.
        out: The folder; it must not exist, unless as the same import's unfinished work.
        max_dropped: Greatest share that may be rejected of the words that no rule of the set leaves out.
        shard_words: Words in a shard.

    Returns:
        The manifest.

    Raises:
        UserError: the source is not as its format has it, or too many words are rejected; then
            nothing is left at ``out``.
    """
    shards.refuse_finished(out)
    surveyed = survey(source)
    shards.start(out, _job(source, shard_words))
    outcomes = _outcomes(source, surveyed.repeated)
    with progress(surveyed.found, " words", f"import {source.name}") as bar:
        for index in range(-(-surveyed.found // shard_words)):
            here = itertools.islice(outcomes, shard_words)
            if shards.is_done(out, index):
                bar.update(sum(1 for _ in here))
            else:
                items = (o if isinstance(o, Reject) else _read(o, source) for o in here)
                shards.write_shard(out, index, items, tick=bar.update)
    _check_dropped(out, max_dropped)
    return shards.finish(out, **surveyed.facts())


def _job(source: Source, shard_words: int) -> dict[str, Any]:
    importer = source.importer
    options = {name: value for name, value in resolved(importer).items() if name != "kind"}
    return {
        "command": "import",
        "importer": importer.kind,
        "options": options,
        "url": importer.url,
        "licence": importer.licence,
        "citation": importer.citation,
        "name": source.name,
        "split": source.split,
        "inputs": importer.inputs(source.src, source.split),
        "shard_words": shard_words,
        "versions": versions(),
    }


def _outcomes(source: Source, repeated: Collection[int]) -> Iterator[Word | Reject]:
    """Yield the words whose pictures are worth reading, and rejects with whole uids for the others."""
    seen: set[str] = set()
    for word in source.words():
        again = word.id in seen
        if _hash64(word.id) in repeated:
            seen.add(word.id)
        if again:  # an id stands for one word from here on: it decides what is held out
            yield Reject(uid=f"{source.name}:{word.id}", reason="repeated_id")
        elif isinstance(word, Unusable):
            yield Reject(uid=f"{source.name}:{word.id}", reason=word.reason, detail=word.detail)
        elif not word.label.strip():
            yield Reject(uid=f"{source.name}:{word.id}", reason="empty_label")
        else:
            yield word


def _hash64(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def _read(word: Word, source: Source) -> Sample | Reject:
    uid = f"{source.name}:{word.id}"
    try:
        data = word.read()
        pixels = decode(data)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return Reject(uid=uid, reason="missing_image")
    except BrokenImageError as error:
        return Reject(uid=uid, reason="broken_image", detail=str(error))
    except OutsideError as error:
        return Reject(uid=uid, reason="box_outside", detail=str(error))
    return Sample(
        uid=uid,
        image=data,
        label=word.label,
        size=(pixels.shape[1], pixels.shape[0]),
        source=source.name,
        split=source.split,
        licence=source.importer.licence,
        dhash128=dhash128(pixels),
        origin_image=word.origin_image,
        origin_box=word.origin_box,
    )


def _check_dropped(out: Path, max_dropped: float) -> None:
    records = shards.completed(out)
    reasons = shards.rejected_by_reason(records)
    reasons = Counter({reason: n for reason, n in reasons.items() if reason not in RULED_OUT})
    found = reasons.total() + sum(record["rows"] for record in records)
    if reasons.total() <= max_dropped * found:
        return
    first = shards.first_reject(out, reasons)
    example = f"; the first is {first.uid} ({first.detail or first.reason})" if first else ""
    shutil.rmtree(out)
    counts = ", ".join(f"{n:,} {reason}" for reason, n in sorted(reasons.items()))
    raise UserError(
        f"{reasons.total():,} of {found:,} words of the source are unusable, more than the share of "
        f"{max_dropped:g} allowed: {counts}{example}. "
        "Mend the source, or raise --max-dropped."
    )
