"""What licences ask of whoever passes words on, and how the Hugging Face Hub names them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

# In rising strictness: what the text of a licence says -> what it asks. The last one that fits counts.
ASKS = (
    (r"^(CC0|public domain|PDDL|Unlicense)", "nothing"),
    (r"^(CC-BY|CC BY|MIT|BSD|Apache|OFL|ODC-By)", "name the authors"),
    (r"(BY-SA|BY SA|ODbL|GPL|^rendered;)", "name the authors, share alike"),
    (r"(-ND|no derivatives)", "pass on unchanged only"),
    (r"(-NC|non-?commercial|research (use )?only|academic)", "no commercial use"),
)
OWN_TERMS = "terms of its own; read them"
NONE = "no licence stated, so nothing is granted; ask the publisher"
UNKNOWN = re.compile(r"(?i)^(none|no explicit licence|)$|\bunknown\b")  # of several, one unknown is enough
STRICTNESS = [*(asks for _, asks in ASKS), OWN_TERMS, NONE]
# Source: the list of licence identifiers in the Hub's documentation of repository cards.
HUB = {
    name: name.lower()
    for name in (
        "CC0-1.0", "CC-BY-2.0", "CC-BY-2.5", "CC-BY-3.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0",
        "CC-BY-NC-2.0", "CC-BY-NC-3.0", "CC-BY-NC-4.0", "CC-BY-ND-4.0", "CC-BY-NC-ND-3.0", "CC-BY-NC-ND-4.0",
        "CC-BY-NC-SA-2.0", "CC-BY-NC-SA-3.0", "CC-BY-NC-SA-4.0", "MIT", "Apache-2.0", "BSD-3-Clause",
        "OFL-1.1", "ODbL", "ODC-By", "PDDL", "Unlicense",
    )
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Licence:
    """One licence in a dataset.

    Attributes:
        name: As the rows have it.
        asks: What it asks, in a few words.
        rows: How many rows have it.
        sources: Which sources they come from.
        strictest: Whether none of the others asks for more.
    """

    name: str
    asks: str
    rows: int
    sources: tuple[str, ...]
    strictest: bool


def asks(licence: str) -> str:
    """What ``licence``, an SPDX identifier or a few words, asks of whoever passes the words on."""
    if UNKNOWN.search(licence.strip()):
        return NONE
    found = [said for pattern, said in ASKS if re.search(f"(?i){pattern}", licence)]
    return found[-1] if found else OWN_TERMS


def roll_up(sources: Iterable[Mapping[str, Any]]) -> list[Licence]:
    """The licences of ``sources`` (``curation.sources.sources_of``), the strictest first."""
    rows: dict[str, int] = {}
    names: dict[str, list[str]] = {}
    for source in sources:
        rows[source["licence"]] = rows.get(source["licence"], 0) + source["rows"]
        names.setdefault(source["licence"], []).append(source["name"])
    worst = max((STRICTNESS.index(asks(name)) for name in rows), default=0)
    found = [
        Licence(
            name=name,
            asks=asks(name),
            rows=n,
            sources=tuple(names[name]),
            strictest=STRICTNESS.index(asks(name)) == worst,
        )
        for name, n in rows.items()
    ]
    return sorted(found, key=lambda one: (-STRICTNESS.index(one.asks), -one.rows, one.name))


def hub_names(licences: Iterable[Licence]) -> list[str]:
    """The Hub's identifiers of ``licences``: ``other`` for those it does not know, ``unknown`` for none."""
    found = {"unknown" if one.asks == NONE else HUB.get(one.name, "other") for one in licences}
    return sorted(found)
