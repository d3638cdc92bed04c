"""Telling in plain text what a mixture holds, and where each number comes from."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from curation.core.text import aligned, counted
from curation.mix_manifest import CAPS

Entry = Mapping[str, Any]


def as_table(manifest: Entry) -> str:
    """One line a source and a group: what was asked, the words that makes, and why others were left out."""
    sources = manifest["sources"]
    expecting = any(source["expected"] is not None for source in sources)
    head = ["source", "asked", "unique", "seen", "repeats", "share", "left out"]
    rows = [_row(source["name"], source["asked"], source, counted(source["left_out"])) for source in sources]
    for group in manifest["groups"]:
        asked = "" if group["ratio"] is None else f"ratio {group['ratio']}"
        rows.append(_row(f"= {group['name']}", asked, group, ""))
    if expecting:
        found = [_expected(source) for source in sources] + [""] * len(manifest["groups"])
        head.insert(2, "found")
        for row, cell in zip(rows, found, strict=True):
            row.insert(2, cell)
    return "\n".join(aligned([head, *rows], left={0, 1, len(head) - 1}))


def explained(manifest: Entry) -> str:
    """The arithmetic of every number, source by source, then that of groups and of the order."""
    lines = [""]
    for source in manifest["sources"]:
        lines += [*_of_source(source), ""]
    lines += _of_groups(manifest)
    lines += _of_order(manifest)
    return "\n".join(lines)


def _row(name: str, asked: str, of: Entry, left_out: str) -> list[str]:
    repeats = of["positions"] / of["unique"] if of["unique"] else 0.0
    numbers = [f"{of['unique']:,}", f"{of['positions']:,}", f"{repeats:.2f}", f"{100 * of['share']:.2f} %"]
    return [name, asked, *numbers, left_out]


def _expected(source: Entry) -> str:
    found, expected = source["found"], source["expected"]
    if expected is None:
        return f"{found:,}"
    return f"{found:,}" if found == expected else f"{found:,} of {expected:,}"


def _of_source(source: Entry) -> list[str]:
    """A source's way from the rows of its datasets to its positions."""
    left_out = dict(source["left_out"])
    caps = {reason: left_out.pop(reason) for reason in CAPS if reason in left_out}
    n_datasets = len(source["datasets"])
    expected = (
        f"; {source['expected']:,} expected, {source['found']:,} found"
        if source["expected"] is not None
        else ""
    )
    taken = [f"{source['n_rows']:,} rows", *_minus(left_out)]
    if source["held_out"]:
        taken.append(f"{source['held_out']:,} held out for validation")
    taken += _minus(caps)
    group = f", group {source['group']}" if source["group"] else ""
    return [
        f"{source['name']}{group}: asked {source['asked']}",
        f"  rows       {source['n_rows']:,} in {n_datasets} dataset{'s' if n_datasets > 1 else ''}{expected}",
        f"  available  {' - '.join(taken)} = {source['available']:,}",
        f"  quota      {source['why']} = {_decimal(source['quota'])}",
        f"  resolved   {source['positions']:,} ({_rounding(source)})",
        f"  seen       {source['positions']:,} positions of {source['unique']:,} unique words: "
        f"{source['repeats']:.2f} epochs a pass",
    ]


def _minus(reasons: Mapping[str, int]) -> list[str]:
    return [f"{n:,} {reason}" for reason, n in sorted(reasons.items())]


def _rounding(source: Entry) -> str:
    if not source["remainder"]:
        return "a whole number"
    up = source["positions"] > source["quota"]
    return f"remainder {source['remainder']:.4f}, rounded {'up' if up else 'down'}"


def _of_groups(manifest: Entry) -> list[str]:
    groups = manifest["groups"]
    ratios = [group for group in groups if group["ratio"] is not None]
    whole = sum(group["ratio"] for group in ratios)
    lines = []
    for group in groups:
        got = f"got {group['positions']:,} of {manifest['n_positions']:,}, {100 * group['share']:.4f} %"
        if group["ratio"] is not None:
            got = f"asked {group['ratio']:g} of {whole:g}, {100 * group['ratio'] / whole:.4f} %; {got}"
        lines.append(f"group {group['name']}: {got}")
    if len(ratios) > 1 and (least := min((g["positions"] for g in ratios if g["positions"]), default=0)):
        names = " : ".join(group["name"] for group in ratios)
        asked = " : ".join(f"{group['ratio']:g}" for group in ratios)
        shown = " : ".join(f"{group['positions'] / least:.4g}" for group in ratios)
        lines.append(f"ratio {names} asked {asked}, got {shown}")
    return [*lines, ""] if lines else []


def _of_order(manifest: Entry) -> list[str]:
    """How even the order is: farthest from any prefix's part, and counts in batches."""
    entries = [(source["name"], source) for source in manifest["sources"]]
    entries += [(f"= {group['name']}", group) for group in manifest["groups"]]
    batch = next((e["per_batch"]["batch"] for _, e in entries if e["per_batch"]), None)
    head = ["order", "prefix within"]
    rows = [[name, f"{entry['prefix_error']:.4f}"] for name, entry in entries]
    if batch is not None:
        head += [f"mean a batch of {batch}", "least", "most", "sd"]
        for row, (_, entry) in zip(rows, entries, strict=True):
            per = entry["per_batch"]
            row += [f"{per['mean']:.4f}", f"{per['least']}", f"{per['most']}", f"{per['sd']:.4f}"]
    table = "\n".join(aligned([head, *rows], left={0}))
    return [table, "any positions in a row hold a part within twice that of a prefix", ""]


def _decimal(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else f"{value:,.4f}"
