"""Saying what a dataset holds, from its columns alone, and showing some of its words."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from curation.census import count
from curation.core.dataset import Dataset
from curation.core.images import BrokenImageError, Pixels, decode
from curation.core.labels import PROTOCOLS
from curation.core.rng import stream
from curation.core.sheet import contact_sheet, write_png
from curation.core.text import counted

FROM_MANIFEST = {"rejected_by_reason": {}, "warnings": []}
UNREADABLE = np.full((48, 160, 3), (200, 60, 60), np.uint8)
QUANTILES = (0.0, 0.01, 0.25, 0.5, 0.75, 0.99, 1.0)


def describe(dataset: Dataset) -> dict[str, Any]:
    """Count what ``dataset`` holds. Memory grows with the number of different values, not of rows.

    Returns:
        Plain values: ``n_rows``, ``fingerprint``, ``sources`` (rows by source, split and licence),
        ``label_length`` and ``label_lengths`` (histogram), ``width_px``, ``height_px``, ``aspect``
        (quantiles, aspect to 0.01), ``charset`` (labels' characters, most frequent first),
        ``protocols`` (labels that fall out of each, by reason), ``rejected_by_reason``, ``warnings``.
    """
    counted = count([dataset])
    return {
        "n_rows": len(dataset),
        "fingerprint": dataset.fingerprint,
        "sources": [
            dict(zip(("source", "split", "licence", "rows"), (*group, n), strict=True))
            for group, n in sorted(counted.groups.items())
        ],
        "label_length": quantiles(counted.lengths),
        "label_lengths": {str(length): counted.lengths[length] for length in sorted(counted.lengths)},
        "width_px": quantiles(counted.widths),
        "height_px": quantiles(counted.heights),
        "aspect": quantiles(counted.aspects),
        "charset": dict(sorted(counted.characters.items(), key=lambda item: (-item[1], item[0]))),
        "protocols": {
            name: {reason: n for (of, reason), n in sorted(counted.fallen.items()) if of == name}
            for name in PROTOCOLS
        },
        **{key: dataset.manifest.get(key, empty) for key, empty in FROM_MANIFEST.items()},
    }


def write_sheet(dataset: Dataset, out: Path, *, n_words: int, seed: int) -> None:
    """Write a PNG of ``n_words`` words chosen at random, in their order, captioned by their labels."""
    n_words = min(n_words, len(dataset))
    rows = np.sort(stream(seed, "inspect").choice(len(dataset), n_words, replace=False))
    words = dataset.take(rows, ["image", "label"])
    pictures = [_decoded(word["image"]["bytes"]) for word in words]
    write_png(contact_sheet(pictures, [word["label"] for word in words]), out)


def _decoded(data: bytes | None) -> Pixels:
    try:
        return decode(data or b"")
    except BrokenImageError:  # shown as what it is: the others are worth seeing
        return UNREADABLE


def quantiles(counts: Counter[Any]) -> dict[str, float]:
    """Exact quantiles of counted values: the least value that this share of the rows does not exceed."""
    values = sorted(counts)
    upto = np.cumsum([counts[value] for value in values])
    if not values:
        return {}
    return {f"{q:g}": values[int(np.searchsorted(upto, max(1, q * upto[-1])))] for q in QUANTILES}


def as_text(facts: dict[str, Any]) -> str:
    """Lay the result of ``describe`` out for a terminal."""
    lines = [f"{facts['n_rows']:,} words, fingerprint {facts['fingerprint'][:16]}"]
    lines += [f"  {s['source']} {s['split']}: {s['rows']:,} ({s['licence']})" for s in facts["sources"]]
    lines += [f"warning: {warning}" for warning in facts["warnings"]]
    lines += ["", *_sizes_table(facts), "", "label lengths (characters: words)", *_histogram(facts), ""]
    charset = facts["charset"]
    lines += [f"charset: {len(charset)} characters, most frequent first", *_wrapped("".join(charset)), ""]
    lines += ["labels that fall out of a protocol"]
    lines += [f"  {name}: {counted(reasons)}" for name, reasons in facts["protocols"].items()]
    lines += [f"rejected when the dataset was made: {counted(facts['rejected_by_reason'])}"]
    return "\n".join(lines)


def _sizes_table(facts: dict[str, Any]) -> list[str]:
    names = [("label length", "label_length"), ("width, px", "width_px"), ("height, px", "height_px")]
    head = " " * 16 + "".join(
        f"{name:>9}" for name in ("min", "1 %", "25 %", "median", "75 %", "99 %", "max")
    )
    rows = [
        f"  {title:14}" + "".join(f"{value:>9,g}" for value in facts[key].values())
        for title, key in [*names, ("width / height", "aspect")]
    ]
    return [head, *rows]


def _histogram(facts: dict[str, Any]) -> list[str]:
    counts = facts["label_lengths"]
    most = max(counts.values(), default=1)
    return [f"  {length:>3} {n:>9,} {'█' * round(40 * n / most)}".rstrip() for length, n in counts.items()]


def _wrapped(text: str, width: int = 100) -> list[str]:
    shown = "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
    return [f"  {shown[i : i + width]}" for i in range(0, len(shown), width)]
