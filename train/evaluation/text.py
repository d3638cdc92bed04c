"""What ``glyphmix evaluate`` prints."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from curation.core.labels import PROTOCOLS
from curation.core.text import aligned, counted
from curation.inspect_pictures import cut
from train.evaluation.alignment import Confusion
from train.evaluation.calibration import Calibration
from train.evaluation.comparing import Comparison
from train.evaluation.findings import Findings
from train.evaluation.slices import Group, Slicing
from train.evaluation.suites import Membership, completeness

MOST_CONFUSIONS = 20
Row = tuple[str, ...]


def explain(name: str) -> str:
    """Every step of a protocol."""
    protocol = PROTOCOLS[name]
    steps = [f"{i}. {step}" for i, step in enumerate(protocol.describe(), 1)]
    return "\n".join([f"protocol {name} ({protocol.source})", *steps])


def as_text(found: Findings, by: Sequence[str] = ()) -> str:
    """The table of scores, and below it what was asked for."""
    parts = [_scores(found)]
    if found.suite is not None:
        told = completeness(found.suite, found.members)
        published = found.suite.published
        parts.append(f"{_members(found.members)}\n{told}\n{published[0].upper()}{published[1:]}.")
    if found.comparisons:
        parts.append(f"against {found.against}\n{_comparisons(found.comparisons)}")
    parts += [_slices(one) for one in found.slices if one.by in by]
    if "character" in by:
        parts += [_characters(found), _confusions(found.confusions)]
    if "confidence" in by:
        parts.append(_calibration(found.calibration))
    return "\n\n".join(parts)


def as_tsv(found: Findings) -> str:
    """Every group of words as a line of tab-separated values; shares are 0-1."""
    keys = [field.name for field in dataclasses.fields(Group)]
    lines = ["\t".join(["by", *keys])]
    for slicing in found.slices:
        for group in slicing.groups:
            values = (getattr(group, key) for key in keys)
            lines.append("\t".join([slicing.by, *("" if v is None else _one_cell(v) for v in values)]))
    return "\n".join(lines) + "\n"


def percent(value: float | None, low: float, high: float) -> str:
    """A share with its interval, in percent."""
    shown = "-" if value is None else f"{100 * value:.1f}"
    return f"{shown} [{100 * low:.1f}, {100 * high:.1f}]"


def points(value: float) -> str:
    """A difference of shares in percentage points, with its sign."""
    return f"{100 * value:+.1f}"


def shown(character: str) -> str:
    """A character as it may be printed; a word for none."""
    if not character:
        return "nothing"
    return character if character.isprintable() and character != " " else f"U+{ord(character):04X}"


def p_value(p: float) -> str:
    """As papers print it."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def _one_cell(value: str | float) -> str:
    return " ".join(value.split()) if isinstance(value, str) else f"{value:.6g}"


def _scores(found: Findings) -> str:
    rows: list[Row] = [("set", "words", "dropped", "word accuracy %", "1-NED %")]
    for s in (one.score for one in found.measured):
        accuracy = percent(s.accuracy, s.accuracy_low, s.accuracy_high)
        ned = percent(s.one_minus_ned, s.one_minus_ned_low, s.one_minus_ned_high)
        rows.append((s.name, f"{s.n_used:,}", counted(s.dropped, none="0"), accuracy, ned))
    if len(found.measured) > 1:
        mean, sure = found.average, found.average_intervals
        n = f"{mean.n_used:,}"
        by_words = (
            percent(mean.accuracy_weighted, *sure.accuracy_weighted),
            percent(mean.one_minus_ned_weighted, *sure.one_minus_ned_weighted),
        )
        by_sets = (
            percent(mean.accuracy_unweighted, *sure.accuracy_unweighted),
            percent(mean.one_minus_ned_unweighted, *sure.one_minus_ned_unweighted),
        )
        rows += [("mean over words", n, "", *by_words), ("mean over sets", n, "", *by_sets)]
    return "\n".join(aligned(rows, left=range(5)))


def _members(members: Sequence[Membership]) -> str:
    rows: list[Row] = [("suite", "published", "used", "dataset", "")]
    for one in members:
        used = "" if one.n_used is None else f"{one.n_used:,}"
        rows.append((one.name, f"{one.n_words:,}", used, one.dataset or "-", one.note))
    return "\n".join(aligned(rows, left=(0, 3, 4)))


def _comparisons(comparisons: Sequence[Comparison]) -> str:
    rows: list[Row] = [
        (
            "set",
            "words",
            "word accuracy %",
            "points [95 %]",
            "gained",
            "lost",
            "McNemar p",
            "1-NED points [95 %]",
        )
    ]
    for c in comparisons:
        ned = f"[{points(c.one_minus_ned_difference_low)}, {points(c.one_minus_ned_difference_high)}]"
        rows.append(
            (
                c.name,
                f"{c.n:,}",
                f"{100 * c.accuracy:.1f} / {100 * c.accuracy_against:.1f}",
                f"{points(c.difference)} [{points(c.difference_low)}, {points(c.difference_high)}]",
                f"{c.gained:,}",
                f"{c.lost:,}",
                p_value(c.p),
                f"{points(c.one_minus_ned_difference)} {ned}",
            )
        )
    return "\n".join(aligned(rows, left=(0, 2, 3, 7)))


def _slices(slicing: Slicing) -> str:
    rows: list[Row] = [(slicing.by, "words", "word accuracy %", "1-NED %")]
    rows += [
        (
            cut(group.name),
            f"{group.n:,}",
            percent(group.accuracy, group.accuracy_low, group.accuracy_high),
            f"{100 * group.one_minus_ned:.1f}",
        )
        for group in slicing.groups
    ]
    return "\n".join(aligned(rows, left=(0, 2)))


def _characters(found: Findings) -> str:
    rows: list[Row] = [("character", "occurrences", "read %", "words", "word accuracy %")]
    rows += [
        (
            shown(one.character),
            f"{one.n:,}",
            percent(one.recall, one.recall_low, one.recall_high),
            f"{one.n_words:,}",
            percent(one.accuracy, one.accuracy_low, one.accuracy_high),
        )
        for one in found.characters
    ]
    return "\n".join(aligned(rows, left=(0, 2, 4)))


def _confusions(confusions: Sequence[Confusion]) -> str:
    if not confusions:
        return "no character was confused with another"
    rows: list[Row] = [("label", "read as", "times", "of its occurrences %")]
    rows += [
        (shown(c.label), shown(c.read), f"{c.n:,}", "" if c.share is None else f"{100 * c.share:.1f}")
        for c in confusions[:MOST_CONFUSIONS]
    ]
    lines = aligned(rows, left=(0, 1))
    if left := len(confusions) - MOST_CONFUSIONS:
        lines += [f"and {left:,} rarer ones"] if left > 0 else []
    return "\n".join(lines)


def _calibration(calibration: Calibration) -> str:
    bins: list[Row] = [("confidence", "words", "mean confidence %", "word accuracy %")]
    bins += [
        (
            f"{b.low:.2f} to {b.high:.2f}",
            f"{b.n:,}",
            f"{100 * (b.confidence or 0.0):.1f}",
            percent(b.accuracy, b.accuracy_low, b.accuracy_high),
        )
        for b in calibration.bins
        if b.n
    ]
    kept: list[Row] = [("confidence of at least", "words", "of all %", "word accuracy %")]
    kept += [
        (
            f"{k.threshold:g}",
            f"{k.n:,}",
            f"{100 * k.share:.1f}",
            percent(k.accuracy, k.accuracy_low, k.accuracy_high),
        )
        for k in calibration.kept
    ]
    error = f"expected calibration error {100 * calibration.error:.1f} points (15 bins of equal width)"
    tables = ["\n".join(aligned(rows, left=(0, 3))) for rows in (bins, kept)]
    return f"{error}\n{tables[0]}\n\n{tables[1]}"
