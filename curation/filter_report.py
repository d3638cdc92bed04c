"""What a filter run tells: the funnel, reasons by source, repairs, as values and as tables."""

from __future__ import annotations

import dataclasses
import inspect
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from curation.core.text import aligned, counted
from curation.filters import Repair, filters
from curation.tally import Tally

MOST_SOURCES = 6  # columns of a table that a terminal holds


def facts(steps: Sequence[Any], tally: Tally) -> dict[str, Any]:
    """Turn the tally of ``filter_steps.Steps`` into entries of a manifest."""
    by_source: dict[str, Counter[str]] = {}
    for key, n in tally.counts.items():
        if len(key) == 4 and key[2] == "dropped":
            by_source.setdefault(key[1], Counter())[key[3]] += n
    repaired: Counter[str] = Counter()
    for key, n in tally.counts.items():
        if key[0] == "repaired":
            repaired[key[1]] += n
    return {
        "funnel": [_step(str(index), step, tally) for index, step in enumerate(steps)],
        "kept_by_source": {key[1]: n for key, n in sorted(tally.counts.items()) if key[0] == "kept"},
        "rejected_by_source": {s: dict(sorted(counts.items())) for s, counts in sorted(by_source.items())},
        "repaired_by_reason": dict(sorted(repaired.items())),
        "examples": list(_examples(steps, tally)),
    }


def _examples(steps: Sequence[Any], tally: Tally) -> Iterator[dict[str, Any]]:
    """Some words of each reason and repair, chosen at random; the detail of a repair is the label before."""
    for index, step in enumerate(steps):
        for reason in [step.kind] if isinstance(step, Repair) else sorted({*step.reasons, "broken_image"}):
            if found := tally.examples.get(f"{index} {reason}"):
                words = [
                    {"uid": uid, "label": label, "detail": detail, "dataset": int(number), "row": int(row)}
                    for _, uid, label, detail, number, row in found
                ]
                yield {"step": index, "filter": step.kind, "reason": reason, "words": words}


def _step(index: str, step: Any, tally: Tally) -> dict[str, Any]:
    """One line of the funnel."""
    sources: dict[str, dict[str, int]] = {}
    dropped: Counter[str] = Counter()
    for (_, source, what, *reason), n in sorted(
        (key, n) for key, n in tally.counts.items() if len(key) >= 3 and key[0] == index
    ):
        found = sources.setdefault(source, {"seen": 0, "dropped": 0, "repaired": 0})
        found[what] += n
        dropped.update({reason[0]: n} if reason else {})
    return {
        "filter": step.kind,
        "seen": sum(s["seen"] for s in sources.values()),
        "dropped": dict(dropped),
        "repaired": sum(s["repaired"] for s in sources.values()),
        "by_source": sources,
    }


def as_text(manifest: Mapping[str, Any]) -> str:
    """The funnel as a table: a line a filter; what it dropped or repaired, and from which source."""
    sources = sorted({s for step in manifest["funnel"] for s in step["by_source"]})
    shown = sources if 1 < len(sources) <= MOST_SOURCES else []
    head = ("filter", "seen", "dropped", "share", "repaired", *shown, "reasons")
    rows = [_row(step, shown) for step in manifest["funnel"]]
    kept = [manifest["kept_by_source"].get(source, 0) for source in shown]
    rows.append(("kept", f"{manifest['n_rows']:,}", "", "", "", *(f"{n:,}" for n in kept), ""))
    return "\n".join(aligned([head, *rows], left={0, len(head) - 1}))


def _row(step: Mapping[str, Any], shown: Sequence[str]) -> tuple[str, ...]:
    dropped = sum(step["dropped"].values())
    by_source = [step["by_source"].get(source, {"dropped": 0, "repaired": 0}) for source in shown]
    return (
        step["filter"],
        f"{step['seen']:,}",
        f"{dropped:,}" if dropped else "-",
        f"{100 * dropped / step['seen']:.2f} %" if dropped else "-",
        f"{step['repaired']:,}" if step["repaired"] else "-",
        *(f"{n:,}" if (n := s["dropped"] + s["repaired"]) else "-" for s in by_source),
        counted(step["dropped"], none=""),
    )


def catalogue() -> str:
    """All filters and repairs: what each does, and its keys with their defaults, as a recipe writes them."""
    lines = []
    for kind in filters:
        lines.append(f"{kind}: {(inspect.getdoc(filters.get(kind)) or '').partition(chr(10))[0]}")
        for field in dataclasses.fields(filters.get(kind)):
            default = field.default
            needed = default is dataclasses.MISSING or default is None
            value = "" if needed else f" = {json.dumps(default, ensure_ascii=False)}"
            lines.append(f"  {field.name}{value}")
    return "\n".join(lines)
