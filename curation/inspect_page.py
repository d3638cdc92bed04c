"""What datasets hold, as one page that needs nothing beside it and asks no other host for anything."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from curation.census import LOW_PX, Census, Looked, look
from curation.copies import Copies, copies, first_of_each, most_frequent
from curation.core.dataset import Dataset
from curation.core.labels import PROTOCOLS
from curation.core.page import write_page as fill
from curation.inspect_pictures import Picture, cut, pictures
from curation.inspect_plots import by_doubling, by_number, histogram
from curation.inspect_rejects import rejects_of
from curation.inspecting import QUANTILES, quantiles
from curation.licences import roll_up
from curation.sources import history_of, sources_of

TEMPLATE = Path(__file__).parent / "templates" / "inspect.html"
PER_SOURCE, MOST_SOURCES, MOST_PICTURES = 24, 60, 480
MOST_LINES = 200  # of any table
SAME, ALIKE = "the same bytes", "the same label and dhash"
FREQUENT = 40  # labels, and twice as many characters


def write_page(datasets: Sequence[Dataset], out: Path, *, seed: int) -> None:
    """Write the page of ``datasets``, taken as one; its folders are made.

    Memory: 25 bytes a row and what differs; the page stays below 3 MB whatever the datasets hold.
    """
    seen = look(datasets, seed=seed, per_source=PER_SOURCE, most_sources=MOST_SOURCES)
    fill(TEMPLATE, _content(datasets, seen), out)


def _content(datasets: Sequence[Dataset], seen: Looked) -> dict[str, Any]:
    census = seen.census
    same = copies(seen.bytes, seen.splits)
    alike = copies(seen.alike, seen.splits, first_of_each(seen.bytes))
    n_labels, frequent = most_frequent(seen.labels, FREQUENT)
    labels = _labels(datasets, frequent, census.n_rows)
    return {
        "title": ", ".join(dataset.name for dataset in datasets[:6]) + (" …" if len(datasets) > 6 else ""),
        "n_rows": census.n_rows,
        "n_sources": len({source for source, _, _ in census.groups}),
        "warnings": _warnings(datasets, census, same, alike, labels),
        "groups": _groups(census),
        "splits": sorted({split for _, split, _ in census.groups}),
        "plots": _plots(census),
        "sizes": _sizes(census),
        "quantiles": ["min", *(f"{100 * q:g} %" for q in QUANTILES[1:-1]), "max"],
        "n_labels": n_labels,
        "labels": labels,
        "n_characters": len(census.characters),
        "classes": _classes(census.characters),
        "characters": _characters(census.characters),
        "protocols": {
            name: {reason: n for (of, reason), n in sorted(census.fallen.items()) if of == name}
            for name in PROTOCOLS
        },
        **_shown(datasets, seen, same, alike),
        **_provenance(datasets),
        "cut": cut,
        "percent": lambda n: f"{100 * n / max(1, census.n_rows):.1f}",
    }


def _provenance(datasets: Sequence[Dataset]) -> dict[str, Any]:
    sources = [entry for dataset in datasets for entry in sources_of(dataset)]
    return {
        "datasets": datasets,
        "rejects": rejects_of(datasets)[:MOST_LINES],
        "n_rejected": sum(dataset.manifest["n_rejected"] for dataset in datasets),
        "history": history_of(datasets)[-MOST_LINES:],
        "sources": sources[:MOST_LINES],
        "licences": roll_up(sources),
    }


def _shown(datasets: Sequence[Dataset], seen: Looked, same: Copies, alike: Copies) -> dict[str, Any]:
    """Words of each source, and the copies that are repeated most."""
    each = max(4, min(PER_SOURCE, MOST_PICTURES // max(1, len(seen.samples))))
    wanted = {f"source {name}": rows[:each].tolist() for name, rows in seen.samples.items()}
    kinds = (("same", SAME, same), ("alike", ALIKE, alike))
    for kind, _, found in kinds:
        wanted |= {f"{kind} {i}": list(pair) for i, pair in enumerate(found.largest)}
    shown = pictures(datasets, wanted)
    return {
        "sheets": _sheets(seen, shown),
        "copies": [
            (what, found, [shown.get(f"{kind} {i}", []) for i in range(len(found.largest))])
            for kind, what, found in kinds
        ],
    }


def _groups(census: Census) -> list[dict[str, Any]]:
    """Sources, the largest first, with their rows by split and their licences."""
    found: dict[str, dict[str, Any]] = {}
    for (source, split, licence), n in sorted(census.groups.items()):
        entry = found.setdefault(source, {"source": source, "rows": 0, "splits": Counter(), "licences": {}})
        entry["rows"] += n
        entry["splits"][split] += n
        entry["licences"][licence or "none"] = True
    ordered = sorted(found.values(), key=lambda entry: (-entry["rows"], entry["source"]))
    return ordered[:MOST_LINES]


def _plots(census: Census) -> dict[str, str]:
    return {
        "lengths": histogram(by_number(census.lengths), "characters in a label"),
        "widths": histogram(by_doubling(census.widths), "width in pixels, each bar from its figure on"),
        "heights": histogram(by_doubling(census.heights), "height in pixels"),
        "aspects": histogram(by_doubling(census.aspects), "width over height"),
    }


def _sizes(census: Census) -> list[tuple[str, list[str]]]:
    named = {
        "label length": census.lengths,
        "width, px": census.widths,
        "height, px": census.heights,
        "width / height": census.aspects,
    }
    return [(name, [f"{value:,g}" for value in quantiles(counts).values()]) for name, counts in named.items()]


def _labels(
    datasets: Sequence[Dataset], frequent: Sequence[tuple[int, int]], n_rows: int
) -> list[tuple[str, int]]:
    """Texts and counts of the most frequent labels, from the first row of each."""
    texts: dict[int, str] = {}
    first = 0
    for dataset in datasets:
        here = [row for row, _ in frequent if first <= row < first + len(dataset)]
        found = dataset.take([row - first for row in here], ["label"])
        texts |= {row: word["label"] or "" for row, word in zip(here, found, strict=True)}
        first += len(dataset)
    return [(cut(texts[row], 40), n) for row, n in frequent if n > 1 or n_rows < 1_000]


def _classes(characters: Mapping[str, int]) -> list[tuple[str, int, int]]:
    """Kinds of characters: name, occurrences, how many different ones; the most frequent first."""
    occurrences, different = Counter[str](), Counter[str]()
    for character, n in characters.items():
        kind = _class(character)
        occurrences[kind] += n
        different[kind] += 1
    return [(kind, n, different[kind]) for kind, n in occurrences.most_common(24)]


def _class(character: str) -> str:
    if character.isascii():
        named = {"Nd": "digits", "Lu": "capitals", "Ll": "small letters", "Zs": "space", "Cc": "control"}
        return named.get(unicodedata.category(character), "ASCII punctuation")
    if unicodedata.category(character)[0] in "LM":
        script = unicodedata.name(character, "unnamed").split()[0]
        return f"{script if script == 'CJK' else script.capitalize()} letters"
    return "other signs"


def _characters(characters: Mapping[str, int]) -> list[tuple[str, str, int, float]]:
    """The most frequent characters as shown, their code points, occurrences and share of the first one's."""
    ordered = sorted(characters.items(), key=lambda item: (-item[1], item[0]))[: 2 * FREQUENT]
    most = ordered[0][1] if ordered else 1
    return [("␣" if c == " " else cut(c), f"U+{ord(c):04X}", n, n / most) for c, n in ordered]


def _sheets(seen: Looked, shown: Mapping[str, list[Picture]]) -> list[tuple[str, int, list[Picture]]]:
    """Name, rows and pictures of each source, the largest first."""
    rows: Counter[str] = Counter()
    for (source, _, _), n in seen.census.groups.items():
        rows[source] += n
    return [
        (name, rows[name], shown[f"source {name}"])
        for name in sorted(seen.samples, key=lambda name: (-rows[name], name))
        if f"source {name}" in shown
    ]


def _warnings(
    datasets: Sequence[Dataset],
    census: Census,
    same: Copies,
    alike: Copies,
    labels: Sequence[tuple[str, int]],
) -> list[str]:
    """Sentences about what deserves a second look."""
    n_rows = max(1, census.n_rows)
    found = [f"{d.name}: {text}" for d in datasets for text in d.manifest.get("warnings", [])]
    for one, what in ((same, SAME), (alike, ALIKE)):
        if one.n_across:
            found.append(f"Pictures that occur in several splits, with {what}: {one.n_across:,}. A leak.")
    if same.n_rows > n_rows / 1_000:
        share = 100 * same.n_rows / n_rows
        found.append(f"Words that repeat a picture byte by byte: {same.n_rows:,} ({share:.1f} %).")
    found += [
        f"The label {label!r} is {100 * n / n_rows:.1f} % of all."
        for label, n in labels[:3]
        if n > max(20, n_rows / 20)
    ]
    told = {
        "space_around": "Labels that begin or end with a space",
        "control_character": "Labels with characters that cannot be printed",
        "low": f"Pictures lower than {LOW_PX} pixels",
    }
    found += [f"{text}: {census.odd[key]:,}." for key, text in told.items() if census.odd[key]]
    return found[:MOST_LINES]
