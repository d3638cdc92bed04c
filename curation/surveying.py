"""What a published set's annotations say, before any of its pictures is read."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from array import array
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from curation.core.errors import UserError
from curation.core.pool import progress
from curation.core.recipe import build, resolved
from curation.core.sample import Reject
from curation.importers import importers
from curation.importers.base import Importer, Unusable, Word


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

    @property
    def unlabelled(self) -> bool:
        """Whether its words have no labels, and are wanted all the same."""
        return bool(getattr(self.importer, "unlabelled", False))

    @property
    def expected(self) -> int | None:
        """Annotated words as published, of what the importer's options choose; None if not known."""
        importer = self.importer
        chosen = getattr(importer, "expected_of", importer.expected.get)
        return chosen(self.split)  # type: ignore[no-any-return]

    def words(self) -> Iterator[Word | Unusable]:
        """Yield the annotated words, streaming, without their pictures."""
        return self.importer.words(self.src, self.split)


def make_importer(
    kind: str, flags: Mapping[str, Any], others: Mapping[str, Any] = MappingProxyType({})
) -> Importer:
    """Make the importer of the format ``kind``.

    Args:
        kind: The format's name.
        flags: Options that have a flag of the command line; None for those that are not given.
        others: Further options, as values of TOML.

    Raises:
        UserError: no such format, it has no such option, or a value does not fit.
    """
    made = importers.get(kind)
    given = {name: value for name, value in flags.items() if value is not None}
    for name in given:
        having = [other for other in importers if name in _options(importers.get(other))]
        if kind not in having:
            formats = f"format{'s' if having[1:] else ''} {', '.join(having)}"
            flag = name.replace("_", "-")
            raise UserError(f"--{flag} is for the {formats}, not for {kind}. Leave it out.")
    importer: Importer = build(made, resolved(given | dict(others)), where=f"options of {kind}")
    return importer


def _options(made: type[Any]) -> set[str]:
    return {field.name for field in dataclasses.fields(made)}


def default_name(importer: Importer, src: Path) -> str:
    """The name of a published set is its format's; other sets are called like their folder."""
    if importer.url:
        return importer.kind
    path = Path(os.path.realpath(src))  # Path.resolve gives up on links in a circle
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
        UserError: the annotations are missing, damaged or without a word, or a text is no sound Unicode.
    """
    hashes = array("Q")
    reasons: Counter[str] = Counter()
    with progress(None, " annotations", f"survey {source.name}") as bar:
        for word in source.words():
            hashes.append(_hash64(_as_unicode(word, source)))
            if (reason := _unread(word, source)) is not None:
                reasons[reason] += 1
            if not len(hashes) % 10_000:
                bar.update(10_000)
    if not hashes:
        raise UserError(f"{source.src} holds no word at all. Check that it is the set's annotation.")
    found = len(hashes)
    if repeated := _repeated(hashes):  # which word of an id is the first decides on its reason: walk again
        found_again = outcomes(source, repeated)
        reasons = Counter(outcome.reason for outcome in found_again if isinstance(outcome, Reject))
    return Survey(
        found=found,
        expected=source.expected,
        rejected_unread=dict(reasons),
        repeated=repeated,
    )


def _repeated(hashes: array[int]) -> frozenset[int]:
    values = np.frombuffer(hashes, np.uint64)
    values.sort()  # in place: there may be tens of millions
    return frozenset(values[1:][values[1:] == values[:-1]].tolist())


def outcomes(source: Source, repeated: Collection[int]) -> Iterator[Word | Reject]:
    """Yield the words whose pictures are worth reading, and rejects with whole uids for the others."""
    seen: set[str] = set()
    for word in source.words():
        uid = word.uid(source.name) if isinstance(word, Word) else f"{source.name}:{word.id}"
        again = word.id in seen
        if _hash64(word.id) in repeated:
            seen.add(word.id)
        if again:  # an id stands for one word from here on: it decides what is held out
            yield Reject(uid=uid, reason="repeated_id")
        elif (reason := _unread(word, source)) is not None:
            detail = word.detail if isinstance(word, Unusable) else ""
            yield Reject(uid=uid, reason=reason, detail=detail)
        else:
            assert isinstance(word, Word)
            yield word


def _as_unicode(word: Word | Unusable, source: Source) -> str:
    """The id of a word, which a dataset can hold as little as its label if it is no sound Unicode.

    Raises:
        UserError: a text is not: JSON may have half a surrogate pair, and a file system any bytes as a name.
    """
    for text in (word.id, word.label if isinstance(word, Word) else word.detail):
        try:
            text.encode()
        except UnicodeEncodeError:
            raise UserError(
                f"{source.src} has {ascii(text)[:80]}, which is no Unicode: half a surrogate pair, or bytes "
                "of a file's name that are not UTF-8. Mend the text, or rename the file."
            ) from None
    return word.id


def _unread(word: Word | Unusable, source: Source) -> str | None:
    """Why ``word`` is rejected without a look at its picture, or None."""
    if isinstance(word, Unusable):
        return word.reason
    return None if word.label.strip() or source.unlabelled else "empty_label"


def _hash64(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")
