"""Colour pairs learnt from the word crops of datasets, and the file that keeps them."""

from __future__ import annotations

import functools
import json
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from curation.core.dataset import Dataset
from curation.core.errors import UserError
from curation.core.files import write_json
from curation.core.fingerprint import git_commit, sha256_file, versions
from curation.core.images import BrokenImageError, decode
from curation.core.pool import progress
from synthgen.colour_space import LUMA, from_rgb, to_rgb
from synthgen.pair_summary import summarise
from synthgen.pairs import pair_of

FORMAT = 1
CHUNK = 1_000  # crops read at once, so that memory stays flat
KEYS = ("text", "background", "spread", "share")


@dataclass(frozen=True)
class Palette:
    """Pairs of a text and a background colour, each with its share of the crops.

    Attributes:
        colours: (n, 6), RGB of text and of background, 0 to 255.
        spread: (n,), standard deviation of each channel around them.
        shares: (n,), above 0.
    """

    colours: np.ndarray
    spread: np.ndarray
    shares: np.ndarray

    def draw(self, rng: np.random.Generator, n: int, *, jitter: float, least: float) -> np.ndarray:
        """Draw ``n`` pairs.

        Args:
            rng: The only source of randomness.
            n: How many.
            jitter: How far colours stray from those of the palette, in spreads.
            least: Luma difference in grey levels to which closer pairs are pushed apart.

        Returns:
            (n, 6), RGB of text and of background, whole numbers from 0 to 255, float.
        """
        edges = np.cumsum(self.shares)
        which = np.searchsorted(edges, rng.random(n) * edges[-1], side="right")
        which = np.minimum(which, len(edges) - 1)
        stray = rng.standard_normal((n, 6)) * self.spread[which, None] * jitter
        colours = np.clip(np.rint(self.colours[which] + stray), 0, 255)
        return _push_apart(colours, self.colours[which], least)


def learn(datasets: Sequence[Dataset], *, crops: int, colours: int) -> dict[str, Any]:
    """Learn the colour pairs of word crops.

    Args:
        datasets: Each counts alike, however many crops it has.
        crops: Most crops of each dataset to look at, evenly spread over it.
        colours: Most pairs to keep: where more are found, the nearest are joined by k-means.

    Returns:
        What a palette file holds; see ``write``.

    Raises:
        UserError: a dataset has no crop that shows two colours.
    """
    found, facts = zip(*(_pairs(dataset, crops) for dataset in datasets), strict=True)
    pairs = np.concatenate(found).astype(np.float64)
    weights = np.concatenate([np.full(len(part), 1 / len(part) / len(found)) for part in found])
    return {
        "kind": "palette",
        "format": FORMAT,
        "git_commit": git_commit(),
        "versions": versions(),
        "datasets": list(facts),
        "summary": summarise(pairs, weights),
        "colours": _joined(pairs, weights, colours),
    }


def write(palette: dict[str, Any], out: Path) -> None:
    """Write what ``learn`` found to the JSON file ``out``, whole or not at all; its folders are made."""
    out.parent.mkdir(parents=True, exist_ok=True)
    write_json(out, palette)


def read(path: Path) -> Palette:
    """Read a palette; kept in memory until the file changes.

    Raises:
        UserError: the file is missing, broken, of another kind or of a newer format.
    """
    if not path.is_file():
        raise UserError(f"palette {path} does not exist. Make one with 'glyphmix palette'.")
    return _read(path.absolute(), path.stat().st_mtime_ns)


def inputs(path: Path) -> dict[str, Any]:
    """Count and fingerprint of a palette, for the manifest."""
    return {"colours": len(read(path).shares), "sha256": sha256_file(path)}


@functools.lru_cache(maxsize=8)
def _read(path: Path, changed: int) -> Palette:
    again = "Make it anew with 'glyphmix palette'."
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:  # of JSON or of UTF-8
        raise UserError(f"palette {path.name} is no JSON: {error}. {again}") from None
    if not isinstance(content, dict) or content.get("kind") != "palette":
        raise UserError(f"{path.name} holds no palette. {again}")
    if content.get("format", 0) > FORMAT:
        raise UserError(
            f"{path.name} has format {content['format']}; this glyphmix reads up to {FORMAT}. Update it."
        )
    entries = content.get("colours")
    if not isinstance(entries, list) or not entries:
        raise UserError(f"palette {path.name} holds no colours. {again}")
    rows = [_numbers(entry) for entry in entries]
    for place, row in enumerate(rows):
        if row is None:
            raise UserError(
                f"palette {path.name}, colours[{place}]: {', '.join(KEYS)} are not two colours from 0 to "
                f"255, a spread from 0 and a share above 0. {again}"
            )
    table = np.array(rows, float)
    return Palette(table[:, :6], table[:, 6], table[:, 7])


def _numbers(entry: Any) -> list[float] | None:
    """An entry of the file as eight numbers; None unless it is one."""
    try:
        text, background, spread, share = (entry[key] for key in KEYS)
        numbers = [float(value) for value in (*text, *background, spread, share)]
    except (TypeError, KeyError, ValueError):
        return None
    sane = len(numbers) == 8 and len(text) == 3 and all(map(math.isfinite, numbers))
    return numbers if sane and min(numbers) >= 0 and max(numbers[:6]) <= 255 and share > 0 else None


def _pairs(dataset: Dataset, crops: int) -> tuple[np.ndarray, dict[str, Any]]:
    """The pairs of a dataset, (n, 6), and what the palette says of their origin."""
    n_rows = len(dataset)
    n_looked_at = min(n_rows, crops)
    rows = np.arange(n_looked_at) * n_rows // max(n_looked_at, 1)
    pairs: list[tuple[int, ...]] = []
    unused: Counter[str] = Counter()
    with progress(n_looked_at, "crop", f"palette of {dataset.name}") as bar:
        for start in range(0, n_looked_at, CHUNK):
            for row in dataset.take(rows[start : start + CHUNK], ["image"]):
                try:
                    pair = pair_of(decode(row["image"]["bytes"]))
                except BrokenImageError:
                    pair = "broken_image"
                if isinstance(pair, str):
                    unused[pair] += 1
                else:
                    pairs.append(pair.text + pair.background)
                bar.update(1)
    if not pairs:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(unused.items())) or "it is empty"
        raise UserError(
            f"dataset {dataset.path} has no crop that shows two colours ({reasons}). Give one of word crops."
        )
    facts = {
        "name": dataset.name,
        "fingerprint": dataset.fingerprint,
        "licence": dataset.manifest.get("licence"),
        "n_rows": n_rows,
        "n_looked_at": n_looked_at,
        "n_used": len(pairs),
        "unused_by_reason": dict(sorted(unused.items())),
    }
    return np.array(pairs), facts


def _joined(pairs: np.ndarray, weights: np.ndarray, most: int) -> list[dict[str, Any]]:
    """The entries of the file: at most ``most`` clusters of the pairs, the greatest share first."""
    labels = np.arange(len(pairs))
    if len(pairs) > most:
        start = (np.argsort(np.argsort(pairs @ np.tile(LUMA, 2))) * most // len(pairs)).astype(np.int32)
        stop = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 10, 0.5)
        points = pairs.astype(np.float32)
        _, labels, _ = cv2.kmeans(points, most, start[:, None], stop, 1, cv2.KMEANS_USE_INITIAL_LABELS)
        labels = labels.ravel()
    entries = []
    for cluster in np.unique(labels):
        inside = labels == cluster
        share = weights[inside].sum()
        middle = np.average(pairs[inside], axis=0, weights=weights[inside])
        spread = np.sqrt(np.average((pairs[inside] - middle) ** 2, axis=0, weights=weights[inside]).mean())
        entries.append(
            {
                "text": np.rint(middle[:3]).astype(int).tolist(),
                "background": np.rint(middle[3:]).astype(int).tolist(),
                "spread": round(float(spread), 2),
                "share": round(float(share), 8),
            }
        )
    return sorted(entries, key=lambda entry: (-entry["share"], entry["text"], entry["background"]))


def _push_apart(colours: np.ndarray, planned: np.ndarray, least: float) -> np.ndarray:
    """Move pairs of too little contrast apart, the text first; which of the two is lighter stays.

    ``planned`` are the pairs before they strayed: they say which is the lighter.
    """
    (text, ground), (meant_text, meant_ground) = (
        (pairs[:, :3] @ LUMA, pairs[:, 3:] @ LUMA) for pairs in (colours, planned)
    )
    sign = np.where(meant_text >= meant_ground, 1.0, -1.0)
    close = (text - ground) * sign < least
    new_text = np.where(close, np.clip(ground + sign * least, 0, 255), text)
    new_ground = np.where(close, np.clip(new_text - sign * least, 0, 255), ground)
    new_ground = np.where(close & ((new_text - ground) * sign >= least), ground, new_ground)
    moved = colours.copy()
    for part, luma in ((slice(0, 3), new_text), (slice(3, 6), new_ground)):
        _, chroma, hue = from_rgb(colours[close, part])
        moved[close, part] = to_rgb(luma[close], chroma, hue)
    return moved
