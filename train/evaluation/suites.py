"""Named groups of test sets that papers report together, and how many words each must have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from curation.core.errors import UserError, unknown_name
from curation.core.files import not_a_folder
from train.evaluation.scores import Score


@dataclass(frozen=True, kw_only=True, slots=True)
class Member:
    """One set of a suite.

    Attributes:
        name: As papers write it.
        n_words: How many words it has, as published.
        folders: What its folder may be called, the surest first; only letters and digits count, in either
            case, so that ``IIIT5k_test`` is ``iiit5ktest``.
    """

    name: str
    n_words: int
    folders: tuple[str, ...]


@dataclass(frozen=True, kw_only=True, slots=True)
class Suite:
    """Test sets that are reported together.

    Attributes:
        name: What ``--suite`` calls it.
        title: What it is.
        published: Which averages papers print over it.
        members: Its sets, in the order in which papers print them.
    """

    name: str
    title: str
    published: str
    members: tuple[Member, ...]

    @property
    def n_words(self) -> int:
        """Words of all its sets."""
        return sum(member.n_words for member in self.members)


@dataclass(frozen=True, kw_only=True, slots=True)
class Membership:
    """A set of a suite and what was found of it; ``note`` is empty where all is as published.

    Attributes:
        name: As papers write it.
        n_words: How many words it has, as published.
        dataset: The name of the folder that was taken for it; None if there is none.
        n_total: Words in that dataset.
        n_used: Those that the protocol counts.
        as_published: Whether the dataset has as many words as published, and all their pictures can be read.
        note: What there is to say about it.
    """

    name: str
    n_words: int
    dataset: str | None = None
    n_total: int | None = None
    n_used: int | None = None
    as_published: bool = False
    note: str = "missing"


def canonical(name: str) -> str:
    """A folder's name as it is compared: letters and digits in lower case."""
    return "".join(c for c in name.lower() if c.isalnum())


def _icdar(year: str, n_words: int) -> Member:
    """A selection of ICDAR 2013 or 2015, of which there are several: the one of so many words."""
    stems = (f"ic{year}", f"icdar20{year}")
    folders = [f"{stem}{tail}" for tail in (n_words, "test", "") for stem in stems]
    return Member(name=f"IC{year} {n_words}", n_words=n_words, folders=tuple(folders))


def _six(name: str, icdar2013: int, icdar2015: int, words: str) -> Suite:
    return Suite(
        name=name,
        title=f"the six common sets, {words}",
        published="papers print the mean over words (PARSeq), the mean over sets, or both (OpenOCR)",
        members=(
            Member(name="IIIT5k", n_words=3_000, folders=("iiit5k3000", "iiit5ktest", "iiit5k")),
            Member(name="SVT", n_words=647, folders=("svt647", "svttest", "svt")),
            _icdar("13", icdar2013),
            _icdar("15", icdar2015),
            Member(name="SVTP", n_words=645, folders=("svtp645", "svtptest", "svtp")),
            Member(name="CUTE80", n_words=288, folders=("cute80288", "cute80test", "cute80", "cute")),
        ),
    )


def _category(name: str, n_words: int) -> Member:
    key = canonical(name)
    folders = [f"union14mbenchmark{key}", f"union14m{key}", f"u14m{key}", key]
    return Member(name=name, n_words=n_words, folders=tuple(folders))


SUITES = {
    suite.name: suite
    for suite in (
        _six("six", 857, 1_811, "with ICDAR 2013 of 857 and ICDAR 2015 of 1,811 words"),
        _six("six_1015_2077", 1_015, 2_077, "with ICDAR 2013 of 1,015 and ICDAR 2015 of 2,077 words"),
        Suite(
            name="union14m",
            title="the seven categories of Union14M-Benchmark",
            published="papers print the mean over the categories, for general is 98 % of the words",
            members=(
                _category("curve", 2_426),
                _category("multi_oriented", 1_369),
                _category("artistic", 900),
                _category("contextless", 779),
                _category("salient", 1_585),
                _category("multi_words", 829),
                _category("general", 400_000),
            ),
        ),
    )
}


def suite(name: str) -> Suite:
    """Look a suite up by name."""
    try:
        return SUITES[name]
    except KeyError:
        raise unknown_name("suite", name, SUITES) from None


def find_members(chosen: Suite, folder: Path) -> dict[str, Path]:
    """The datasets in ``folder`` that are sets of the suite: name of the set -> path, in the suite's order.

    Raises:
        UserError: no such folder, none of the suite in it, or two that could be the same set.
    """
    if not folder.is_dir():
        raise UserError(f"folder {folder} {not_a_folder(folder)}. Give --data the folder of the datasets.")
    named: dict[str, list[Path]] = {}
    for path in sorted(folder.iterdir()):
        if (path / "manifest.json").is_file():
            named.setdefault(canonical(path.name), []).append(path)
    found: dict[str, Path] = {}
    for member in chosen.members:
        paths = next((named[name] for name in member.folders if name in named), [])
        if len(paths) > 1:
            both = " and ".join(path.name for path in paths)
            raise UserError(f"{both} in {folder} could both be {member.name}. Rename the wrong one.")
        if paths:
            found[member.name] = paths[0]
    if not found:
        known = ", ".join(member.folders[-1] for member in chosen.members)
        raise UserError(
            f"folder {folder} has no dataset of the suite {chosen.name}. "
            f"Give --data the folder that holds them; they are looked for by name: {known}."
        )
    return found


def check_members(chosen: Suite, found: dict[str, Path], scores: Sequence[Score]) -> tuple[Membership, ...]:
    """Compare what was found, scored in the order of ``found``, with what is published."""
    by_name = dict(zip(found, scores, strict=True))
    return tuple(_check(member, by_name.get(member.name), found) for member in chosen.members)


def _check(member: Member, score: Score | None, found: dict[str, Path]) -> Membership:
    if score is None:
        return Membership(name=member.name, n_words=member.n_words)
    as_published = member.n_words in (score.n_used, score.n_total)
    note = "" if as_published else f"{score.n_used:,} words instead of {member.n_words:,}"
    if as_published and score.n_used < member.n_words:
        note = f"the protocol drops {member.n_words - score.n_used:,} of its words"
    if broken := score.dropped.get("broken_image", 0):
        as_published, note = False, f"{score.n_used:,} words, for {broken:,} pictures cannot be read"
    return Membership(
        name=member.name,
        n_words=member.n_words,
        dataset=found[member.name].name,
        n_total=score.n_total,
        n_used=score.n_used,
        as_published=as_published,
        note=note,
    )


def completeness(chosen: Suite, members: Sequence[Membership]) -> str:
    """One sentence: whether averages over what was found may be held against published ones."""
    told = "; ".join(f"{member.name}: {member.note}" for member in members if member.note)
    if all(member.as_published for member in members):
        complete = f"The suite {chosen.name} is complete: {chosen.n_words:,} words, every set as published"
        return f"{complete} ({told})." if told else f"{complete}."
    return (
        f"The averages are over an incomplete or different suite {chosen.name}, not to be compared with "
        f"published ones ({told})."
    )
