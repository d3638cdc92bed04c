"""What a curation recipe says: which published sets, what cleans them, and how they are mixed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from curation.core import recipe
from curation.core.errors import UserError
from curation.decontaminate import DecontaminateRecipe
from curation.dedupe import DedupeRecipe
from curation.filtering import FilterRecipe
from curation.importers import Importer, importers
from curation.mix_recipe import MixRecipe


@dataclass(frozen=True, kw_only=True)
class PublishedSet:
    """One published set to import.

    Attributes:
        name: What the set is called from here on.
        format: The importer that reads it.
        path: Where it lies below the folder of raw sets, as the importer has it.
        split: ``train``, ``val`` or ``test`` at the publisher.
        group: The group of the mixture that it belongs to, such as ``R``.
        options: The importer's options.
        expected: Words that it should have once it is clean, according to whom the recipe follows.
        max_dropped: Greatest share of its words that may be unusable.
        clean: Whether it goes through filters, deduplication and decontamination. Rendered sets do not:
            a word drawn anew is no copy of another.
    """

    name: str
    format: str
    path: Path
    split: str = "train"
    group: str = ""
    options: dict[str, Any] = field(default_factory=dict)
    expected: int | None = None
    max_dropped: float = 0.01
    clean: bool = True

    def __post_init__(self) -> None:
        if not 0 <= self.max_dropped <= 1:
            raise ValueError(f"max_dropped must be from 0 to 1, got {self.max_dropped}")
        if self.path.is_absolute() or ".." in self.path.parts:
            raise ValueError(f"path {str(self.path)!r} must lie below the folder given with --data")

    def importer(self, where: str) -> Importer:
        """The importer with its options.

        Raises:
            UserError: there is none of this name, or an option does not fit.
        """
        made: Importer = recipe.build(importers.get(self.format, where=where), self.options, where=where)
        return made


@dataclass(frozen=True, kw_only=True)
class CurationRecipe:
    """Published sets, what cleans them, and how they are mixed. Stages that are not named are left out.

    Attributes:
        sets: What is trained on.
        tests: What is measured on: no word of ``sets`` may be a copy of one of theirs.
        filter: Rules that words must pass.
        dedupe: How copies within and between the sets are found.
        decontaminate: How copies of test words are found.
        mix: The keys of a mixture recipe but for ``sources``, of which there is one for each set, with its
            name, group and expected count; a table ``[[mix.sources]]`` of the same name adds keys to it.
    """

    sets: tuple[PublishedSet, ...]
    tests: tuple[PublishedSet, ...] = ()
    filter: FilterRecipe | None = None
    dedupe: DedupeRecipe | None = None
    decontaminate: DecontaminateRecipe | None = None
    mix: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        names = [one.name for one in (*self.sets, *self.tests)]
        if not self.sets:
            raise ValueError("there are no sets; add a table [[sets]]")
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"two sets are called {name!r}; give each a name of its own")
        for one in self.tests:
            if one.split == "train":
                raise ValueError(
                    f"test set {one.name!r} is of split 'train'; give the split it is measured on"
                )
        if self.decontaminate is not None and not self.tests:
            raise ValueError("decontaminate needs test sets; add a table [[tests]]")


def load_curation(path: Path, shipped: Path) -> CurationRecipe:
    """Read a curation recipe from a TOML file.

    Its key ``base`` names another recipe, by path or as one of ``shipped``, whose top-level keys hold where
    this one has none.

    Raises:
        UserError: a file is missing, or something in it does not fit.
    """
    table = recipe.read(path)
    if "base" in table:
        name = table.pop("base")
        if not isinstance(name, str):
            raise UserError(f"{path.name}, base must be a text, got {name!r}. Name another recipe.")
        table = recipe.read(recipe.find(name, shipped)) | table
    made = recipe.build(CurationRecipe, table, where=path.name)
    for kind, group in (("sets", made.sets), ("tests", made.tests)):
        for i, one in enumerate(group):
            one.importer(f"{path.name}, {kind}[{i}], options")
    if made.mix is not None:  # hours before it is used
        mix_recipe(made, {one.name: Path(one.name) for one in made.sets}, None, where=path.name)
    return made


def mix_recipe(
    spec: CurationRecipe,
    folders: dict[str, Path],
    clean: Path | None,
    *,
    where: str,
    there: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> MixRecipe:
    """The mixture recipe that ``spec.mix`` is short for.

    Args:
        spec: The recipe.
        folders: The dataset of each set that is there, by its name.
        clean: The dataset that all clean sets were brought together in; None if each is by itself.
        where: The recipe's name, for messages.
        there: What the rows of each set have in the column ``source`` of ``clean``. A set of which no row is
            left is no source of the mixture.

    Raises:
        UserError: a key does not fit, or a source is named that is no set.
    """
    table = dict(spec.mix or {})
    own = {str(entry.get("name")): entry for entry in table.pop("sources", [])}
    known = [one.name for one in spec.sets]
    for name in own:
        if name not in known:
            raise UserError(f"{where}, mix names the source {name!r}. Known sets: {', '.join(known)}.")
    sources = []
    for one in spec.sets:
        if one.name in folders:
            place: dict[str, Any] = {"paths": [str(folders[one.name])]}
            if clean is not None and one.clean:
                place = {"paths": [str(clean)], "only": list(there[one.name])}
                if not place["only"]:
                    continue
            facts = {"group": one.group} if one.group else {}
            facts |= {} if one.expected is None else {"expected": one.expected}
            sources.append({"name": one.name, **place, **facts, **own.get(one.name, {})})
    return recipe.build(MixRecipe, {**table, "sources": sources}, where=f"{where}, mix")
