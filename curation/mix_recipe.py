"""What a mixture recipe says."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from curation.core import recipe

ASKS = ("weight", "count", "share", "proportion")


@dataclass(frozen=True, kw_only=True)
class MixSource:
    """One source of words. If it asks for nothing all its words are taken once.

    It asks with one of ``weight``, ``count``, ``share`` (or ``proportion``, which is MDS's word for it) and a
    number for ``repeat``. Where the groups have a ratio, sources that ask for nothing share what their group
    gets by their own numbers of words.

    Attributes:
        name: What tables call it, such as ``real``.
        paths: The folders of its datasets; their words are drawn as if they were one dataset.
        group: The group it belongs to, such as ``real`` or, within that, ``real/R``.
        only: Rows with these names in the column ``source``, for datasets merged of several sets.
        weight: Its part, against the other weights, of what counts and shares leave over. Without a total
            the mixture is as large as the source that runs out first allows. Where the groups have a ratio,
            its part of what its group gets.
        count: Its number of positions.
        share: Its part of all positions, 0-1.
        proportion: The same.
        repeat: Whether words may come more than once in one pass when more are asked for than there are; or
            a number: how many times all of them come, 2.5 for two and a half.
        max_words: Most different words to use; which ones does not depend on how many are asked for.
        max_per_label: Most words of one label, as the protocol normalises it.
        expected: How many rows its datasets should have; another number is a warning.
        make: The command that makes its datasets, for the message when they are absent.
    """

    name: str
    paths: tuple[Path, ...]
    group: str | None = None
    only: tuple[str, ...] = ()
    weight: float | None = None
    count: int | None = None
    share: float | None = None
    proportion: float | None = None
    repeat: bool | float = False
    max_words: int | None = None
    max_per_label: int | None = None
    expected: int | None = None
    make: str | None = None

    def __post_init__(self) -> None:
        asked = self.asks()
        if not self.paths:
            raise ValueError(f"source {self.name!r} has no paths; give the folder of at least one dataset")
        if len(asked) > 1:
            raise ValueError(f"source {self.name!r} has both {' and '.join(asked)}; keep one of them")
        if (self.weight or 0) < 0 or (self.count or 0) < 0:
            raise ValueError(f"{asked[0]} must be 0 or more, got {self.weight or self.count}")
        for name in ("share", "proportion"):
            if (value := getattr(self, name)) is not None and not 0 <= value <= 1:
                raise ValueError(f"{name} must be from 0 to 1, got {value}")
        if self.times is not None and self.times < 0:
            raise ValueError(f"repeat must be true, false, or 0 or more times, got {self.repeat}")
        for name in ("max_words", "max_per_label"):
            if (value := getattr(self, name)) is not None and value < 1:
                raise ValueError(f"{name} must be 1 or more, got {value}")
        _check_path(self.group)

    @property
    def times(self) -> float | None:
        """How many times all its words are asked for, if that is what ``repeat`` says."""
        return None if isinstance(self.repeat, bool) else self.repeat

    @property
    def may_repeat(self) -> bool:
        """Whether it may be asked for more words than there are."""
        return self.repeat is not False

    @property
    def part(self) -> float | None:
        """Its part of all positions, under either name."""
        return self.proportion if self.share is None else self.share

    def asks(self) -> list[str]:
        """The keys by which it asks for a number of words: none, or one."""
        asked = [key for key in ASKS if getattr(self, key) is not None]
        return asked if self.times is None else [*asked, "repeat"]

    def asked(self) -> str:
        """How much the recipe asks for, as a table shows it: ``weight 1.0``, ``all``."""
        return " ".join(f"{key} {getattr(self, key)}" for key in self.asks()) or "all"


@dataclass(frozen=True, kw_only=True)
class Group:
    """What holds for all sources of a group.

    Attributes:
        ratio: Its part of the mixture against those of the other groups. All groups have one, or none.
        temperature: Its sources share what it gets in proportion to their number of words to this power, 0-1,
            if they ask for nothing: 1 by size, 0 evenly.
        max_per_label: Most words of one label over all its sources.
    """

    ratio: float | None = None
    temperature: float | None = None
    max_per_label: int | None = None

    def __post_init__(self) -> None:
        if self.ratio is not None and self.ratio < 0:
            raise ValueError(f"ratio must be 0 or more, got {self.ratio}")
        _check_temperature(self.temperature)
        if self.max_per_label is not None and self.max_per_label < 1:
            raise ValueError(f"max_per_label must be 1 or more, got {self.max_per_label}")


@dataclass(frozen=True, kw_only=True)
class Validation:
    """Words held out of the mixture, the same ones for every volume and ratio with this seed.

    Attributes:
        source: The name of the source that they are taken from.
        count: How many.
    """

    source: str
    count: int

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"count must be 1 or more, got {self.count}")


@dataclass(frozen=True, kw_only=True)
class MixRecipe:
    """A mixture of words from datasets.

    Attributes:
        sources: Where the words come from, and how many from each.
        groups: What holds for groups of sources, by their names.
        protocol: Words whose label falls out under this protocol are left out.
        total: Number of positions in one pass; None if counts, shares, ratios and what there is decide it.
        temperature: For groups that have none of their own; without a ratio, for all sources together.
        batch: Every so many consecutive positions hold exactly the same number of words of each outermost
            group, or source if there are no groups: its part rounded to whole words. The total is then a
            whole number of batches. Of three outermost groups or more, what is in them may then lie less
            evenly.
        validation: What to hold out.
        allow_test: Whether words that their publishers mean for testing may be trained on.
    """

    sources: tuple[MixSource, ...]
    groups: dict[str, Group] = field(default_factory=dict)
    protocol: str = "parseq36"
    total: int | None = None
    temperature: float | None = None
    batch: int | None = None
    validation: Validation | None = None
    allow_test: bool = False

    def __post_init__(self) -> None:
        names = [source.name for source in self.sources]
        if not names:
            raise ValueError("there are no sources; add a table [[sources]]")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sources are called {name!r}; give each a name of its own")
        if self.total is not None and self.total < 1:
            raise ValueError(f"total must be 1 or more, got {self.total}")
        if self.batch is not None and self.batch < 1:
            raise ValueError(f"batch must be 1 or more, got {self.batch}")
        _check_temperature(self.temperature)
        if self.validation is not None and self.validation.source not in names:
            known = ", ".join(names)
            raise ValueError(f"validation names the source {self.validation.source!r}; known: {known}")
        self._check_groups()
        if self.by_group:
            self._check_sharing()

    @property
    def has_ratio(self) -> bool:
        """Whether the outermost groups have a ratio."""
        return any(group.ratio is not None for group in self.groups.values())

    @property
    def by_group(self) -> bool:
        """Whether sources share what their group gets: there is a ratio, or a temperature for them all."""
        return self.has_ratio or self.temperature is not None

    def outermost(self, source: MixSource) -> str:
        """The outermost group of a source; where there is no ratio all belong to one, ``all``."""
        return (source.group or "").split("/")[0] if self.has_ratio else "all"

    def _check_groups(self) -> None:
        used = {"/".join(parts[: i + 1]) for parts in self._paths() for i in range(len(parts))}
        for name, group in self.groups.items():
            if name not in used:
                known = ", ".join(sorted(used)) or "none"
                raise ValueError(f"no source belongs to the group {name!r}; groups of sources: {known}")
            if "/" in name and (group.ratio is not None or group.temperature is not None):
                key = "temperature" if group.ratio is None else "ratio"
                raise ValueError(f"group {name!r} has a {key}; only an outermost group can have one")
        if not self.has_ratio:
            return
        for source in self.sources:
            if source.group is None:
                raise ValueError(f"source {source.name!r} has no group, but groups have a ratio; give it one")
            outer = self.groups.get(self.outermost(source))
            if outer is None or outer.ratio is None:
                name = self.outermost(source)
                raise ValueError(f"group {name!r} has no ratio, but others have; add [groups.{name}] ratio")

    def _check_sharing(self) -> None:
        for source in self.sources:
            if source.part is not None:
                raise ValueError(
                    f"source {source.name!r} has a {source.asks()[0]} of all positions, but its group's part "
                    "is what it shares in; give it a weight, count or repeat"
                )
        for outer in dict.fromkeys(map(self.outermost, self.sources)):
            members = [s for s in self.sources if self.outermost(s) == outer]
            weighted = [s.name for s in members if s.weight is not None]
            unasked = [s.name for s in members if not s.asks()]
            if weighted and unasked:
                raise ValueError(
                    f"in group {outer!r} the source {weighted[0]!r} has a weight and {unasked[0]!r} none; "
                    "give one to every source that has no count or repeat, or to none"
                )

    def _paths(self) -> list[list[str]]:
        return [source.group.split("/") for source in self.sources if source.group is not None]


def load_mix(path: Path) -> MixRecipe:
    """Read a mixture recipe from a TOML file.

    Raises:
        UserError: the file is missing, or something in it does not fit.
    """
    return recipe.load(path, MixRecipe)


def _check_path(group: str | None) -> None:
    if group is not None and not all(group.split("/")):
        raise ValueError(f"group must be a name, or names with / between them, got {group!r}")


def _check_temperature(temperature: float | None) -> None:
    if temperature is not None and not 0 <= temperature <= 1:
        raise ValueError(f"temperature must be from 0 to 1, got {temperature}")
