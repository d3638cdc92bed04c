"""Turning a published set into a dataset: every word is decoded once, and every drop has a reason."""

from __future__ import annotations

import dataclasses
import errno
import itertools
from collections import Counter, deque
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.core import shards
from curation.core.errors import UserError
from curation.core.files import remove_folder
from curation.core.fingerprint import dhash128, versions
from curation.core.images import BrokenImageError, decode
from curation.core.lock import alone_at
from curation.core.pool import run_tasks
from curation.core.recipe import resolved
from curation.core.sample import Reject, Sample
from curation.core.text import counted
from curation.cropping import OutlineError, OutsideError
from curation.importers.base import RULED_OUT, Cut, Word
from curation.sources import sources_written
from curation.surveying import Source, Survey, default_name, make_importer, outcomes, survey

__all__ = ["Source", "check_unread", "default_name", "import_set", "make_importer", "survey"]

SHARD_WORDS = 50_000  # about 150 MB of crops, and some twenty seconds of work to lose to a kill -9


def import_set(
    source: Source, out: Path, *, max_dropped: float, jobs: int = 1, shard_words: int = SHARD_WORDS
) -> dict[str, Any]:
    """Write the dataset ``out``. An interrupted import goes on where it stopped.

    Shard k holds what became of the words ``k * shard_words`` to ``(k + 1) * shard_words - 1`` of the
    annotations, so its bytes depend on the source alone. Every worker walks through the annotations itself
    and deals with the shards of one stretch: nothing but their numbers passes between processes.

    Args:
        source: What to import.
        out: The folder; it must not exist, unless as the same import's unfinished work.
        max_dropped: Greatest share that may be rejected of the words that no rule of the set leaves out.
        jobs: Worker processes.
        shard_words: Words in a shard.

    Returns:
        The manifest.

    Raises:
        UserError: the source is not as its format has it, or too many words are rejected; then
            nothing is left at ``out``.
    """
    shards.refuse_finished(out)
    surveyed = survey(source)
    check_unread(source, surveyed, max_dropped)
    with alone_at(out):
        shards.start(out, _job(source, shard_words))
        n_shards = -(-surveyed.found // shard_words)
        todo = [index for index in range(n_shards) if not shards.is_done(out, index)]
        stretches = [todo[i * len(todo) // jobs : (i + 1) * len(todo) // jobs] for i in range(jobs)]
        tasks = [(source, out, part, shard_words, surveyed.repeated) for part in stretches if part]
        total = sum(min(shard_words, surveyed.found - index * shard_words) for index in todo)
        for _ in run_tasks(
            _write_stretch, tasks, jobs=jobs, total=total, unit=" words", what=f"import {source.name}"
        ):
            pass
        _check_dropped(out, max_dropped)
        return shards.finish(out, **_sources(source, out), **surveyed.facts())


def _kept(source: Source) -> Mapping[str, Any]:
    """What an export of ours says of the words that come back: ``sources``, ``boxes``, type of ``render``."""
    kept = getattr(source.importer, "kept", None)
    return {} if kept is None else dict(kept(source.src))


def _sources(source: Source, out: Path) -> dict[str, Any]:
    stated = _kept(source).get("sources")
    return {"sources": sources_written(out, stated)} if stated else {}


def _write_stretch(
    source: Source,
    out: Path,
    indices: Sequence[int],
    shard_words: int,
    repeated: Collection[int],
    tick: Callable[[int], object],
) -> None:
    """Write the shards of these numbers, in order; those that are there already are passed over."""
    found = outcomes(source, repeated)
    kept = _kept(source)
    at = 0
    for index in indices:
        if shards.is_done(out, index):
            continue
        deque(itertools.islice(found, index * shard_words - at), maxlen=0)
        here = itertools.islice(found, shard_words)
        items = (o if isinstance(o, Reject) else _read(o, source) for o in here)
        boxes, render = kept.get("boxes", ()), kept.get("render")
        shards.write_shard(out, index, items, boxes=boxes, render=render, tick=tick)
        at = (index + 1) * shard_words


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


def _read(word: Word, source: Source) -> Sample | Reject:
    uid = word.uid(source.name)
    try:
        found = word.read()
        data = found.image if isinstance(found, Cut) else found
        pixels = decode(data)
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        return Reject(uid=uid, reason="missing_image")
    except OSError as error:
        if error.errno not in (errno.ELOOP, errno.ENAMETOOLONG):
            raise
        return Reject(uid=uid, reason="missing_image", detail=str(error.strerror).lower())
    except BrokenImageError as error:
        return Reject(uid=uid, reason="broken_image", detail=str(error))
    except OutsideError as error:
        return Reject(uid=uid, reason="box_outside", detail=str(error))
    except OutlineError as error:
        return Reject(uid=uid, reason="degenerate_outline", detail=str(error))
    size = (pixels.shape[1], pixels.shape[0])
    if word.size not in (None, size):
        stated = "{}x{} stated, {}x{} found".format(*word.size, *size)
        return Reject(uid=uid, reason="wrong_size", detail=stated)
    sample = Sample(
        uid=uid,
        image=data,
        label=word.label,
        size=size,
        source=source.name,
        split=source.split,
        licence=source.importer.licence,
        dhash128=dhash128(pixels),
        origin_image=word.origin_image,
        origin_box=word.origin_box,
        origin_polygon=word.origin_polygon,
        label_published=word.label_published,
        origin_size=found.photo_size if isinstance(found, Cut) else None,
    )
    return sample if word.kept is None else dataclasses.replace(sample, **word.kept)


def check_unread(source: Source, surveyed: Survey, max_dropped: float) -> None:
    """Refuse at once what must be refused in the end: reading millions of pictures takes an hour.

    Raises:
        UserError: the annotations alone show more than the share ``max_dropped`` of unusable words.
    """
    reasons = _unruled(surveyed.rejected_unread)
    kept = surveyed.found - sum(surveyed.rejected_unread.values())
    if reasons.total() > max_dropped * (reasons.total() + kept):
        rejects = (o for o in outcomes(source, surveyed.repeated) if isinstance(o, Reject))
        first = next((reject for reject in rejects if reject.reason in reasons), None)
        raise _too_many(reasons, kept, max_dropped, first)


def _check_dropped(out: Path, max_dropped: float) -> None:
    records = shards.completed(out)
    reasons = _unruled(shards.rejected_by_reason(records))
    kept = sum(record["rows"] for record in records)
    if reasons.total() > max_dropped * (reasons.total() + kept):
        first = shards.first_reject(out, reasons)
        remove_folder(out, out)
        raise _too_many(reasons, kept, max_dropped, first)


def _unruled(reasons: Mapping[str, int]) -> Counter[str]:
    """The counts of reasons that are a sign of damage."""
    return Counter({reason: n for reason, n in reasons.items() if reason not in RULED_OUT})


def _too_many(reasons: Counter[str], kept: int, max_dropped: float, first: Reject | None) -> UserError:
    example = f"; the first is {first.uid} ({first.detail or first.reason})" if first else ""
    counts = counted(reasons)
    return UserError(
        f"{reasons.total():,} of {reasons.total() + kept:,} words of the source are unusable, more than the "
        f"share of {max_dropped:g} allowed: {counts}{example}. Mend the source, or raise --max-dropped."
    )
