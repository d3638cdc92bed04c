"""Twigs, wires, leaves and blots in front of a word."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.choices import check_range, check_share, pick
from synthgen.effects.base import effects

KINDS = ("bar", "leaf", "blob")
MOST = 3
CORE = 128  # coverage from which a pixel belongs to a letter rather than to its edge
NARROW = 0.6  # width of a narrow letter with its gaps, against the ink's height
_BLOB = np.deg2rad(np.arange(0, 360, 15))


@effects.add("occluder")
@dataclass(frozen=True, kw_only=True, slots=True)
class Occluder:
    """Draw one to three things in front of the letters.

    One that would hide too much is drawn at half its size, or left out if that is still too much.
    No connected piece of ink, and no part of the ink as large as a letter, loses more than ``most_hidden``
    of its pixels, so that no letter is ever hidden.

    Source: partly hidden words of ICDAR 2015 and Union14M-Benchmark; the rule and the ranges are ours.

    Attributes:
        kinds: Weights of bars (wires, twigs, rails), leaves and blobs.
        size: Least and greatest size of leaves and blobs, against the image's height.
        bar_width: Least and greatest width of bars, against the image's height.
        most_hidden: Greatest share of a letter that may be hidden, 0 to 0.5.
    """

    kinds: tuple[float, float, float] = (1.0, 0.6, 0.6)
    size: tuple[float, float] = (0.1, 0.5)
    bar_width: tuple[float, float] = (0.02, 0.12)
    most_hidden: float = 0.25

    def __post_init__(self) -> None:
        for weight in self.kinds:
            check_share("each of kinds", weight)
        if not sum(self.kinds):
            raise ValueError("kinds are all 0, so nothing can be drawn")
        check_range("size", self.size, 0, 2)
        check_range("bar_width", self.bar_width, 0, 1)
        check_range("most_hidden", (0, self.most_hidden), 0, 0.5)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        columns: dict[str, np.ndarray] = {"count": rng.choice([1, 2, 3], n, p=[0.6, 0.3, 0.1])}
        level = rng.uniform(0, 230, n)
        tint = rng.normal(0, 25, (3, n))
        columns |= {c: np.clip(np.rint(level + tint[i]), 0, 255) for i, c in enumerate("rgb")}
        for i in range(MOST):
            columns |= {
                f"shape_{i}": np.array(KINDS, object)[pick(rng, self.kinds, n)],
                f"x_{i}": rng.random(n),
                f"y_{i}": rng.random(n),
                f"size_{i}": rng.uniform(*self.size, n),
                f"width_{i}": rng.uniform(*self.bar_width, n),
                f"angle_deg_{i}": rng.uniform(0, 180, n),
                f"lobes_{i}": rng.integers(2, 6, n),
            }
        return columns

    def apply(self, image: np.ndarray, *, letters: Pixels | None = None, **row: float) -> np.ndarray:
        hidden = np.zeros(image.shape[:2], np.uint8)
        for i in range(int(row["count"])):
            for part in (1.0, 0.5):
                both = cv2.max(hidden, _piece(image.shape[1], image.shape[0], row, i, part))
                if letters is None or not hides_too_much(letters, both, self.most_hidden):
                    hidden = both
                    break
        if not cv2.countNonZero(hidden):
            return image.copy()
        cover = cv2.merge([hidden, hidden, hidden])
        card = cv2.repeat(np.array([[[row[c] for c in "rgb"]]], np.uint8), *image.shape[:2])
        kept = cv2.multiply(image, cv2.bitwise_not(cover), scale=1 / 255)
        return cv2.add(kept, cv2.multiply(card, cover, scale=1 / 255))


def hides_too_much(letters: Pixels, hidden: Pixels, most: float) -> bool:
    """Whether a connected piece of ink, or a part as large as a letter, loses more than the share ``most``.

    Args:
        letters: (H, W) uint8 coverage of the letters.
        hidden: (H, W) uint8 coverage of what is before them; any at all counts.
        most: 0 to 1.
    """
    core = cv2.threshold(letters, CORE - 1, 1, cv2.THRESH_BINARY)[1]
    lost = cv2.bitwise_and(core, cv2.threshold(hidden, 0, 1, cv2.THRESH_BINARY)[1])
    if not cv2.countNonZero(lost):
        return False
    _, pieces, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    gone = np.bincount(pieces[lost > 0], minlength=len(stats))
    if (gone[1:] > most * stats[1:, cv2.CC_STAT_AREA]).any():
        return True
    # Joined letters are one piece, so stretches along the word as long as a narrow letter are looked at too.
    _, _, wide, high = cv2.boundingRect(core)
    across = 0 if wide >= high else 1
    stretch = np.ones(max(3, round(NARROW * min(wide, high))))
    around, lost_around = (np.convolve(x.sum(axis=across), stretch, "valid") for x in (core, lost))
    enough = around > 0.1 * stretch.size * min(
        wide, high
    )  # the rim of a letter alone holds too little to say
    return bool((lost_around[enough] > most * around[enough]).any())


def _piece(width: int, height: int, row: dict[str, float], i: int, part: float) -> Pixels:
    """Coverage by the ``i``-th thing, (height, width) uint8, at ``part`` of its planned size."""
    piece = np.zeros((height, width), np.uint8)
    outline = _outline(width, height, row, i, part)
    points = np.rint(outline * 16).astype(np.int32)[:, None]
    return cv2.fillPoly(piece, [points], 255, cv2.LINE_AA, 4)


def _outline(width: int, height: int, row: dict[str, float], i: int, part: float) -> np.ndarray:
    """Corners of the ``i``-th thing, in pixels, (N, 2)."""
    middle = np.array([row[f"x_{i}"] * width, row[f"y_{i}"] * height])
    angle = np.deg2rad(row[f"angle_deg_{i}"])
    if row[f"shape_{i}"] == "bar":
        half = np.array([2.0 * (width + height), max(0.5, part * row[f"width_{i}"] * height / 2)])
        points = half * [(-1, -1), (1, -1), (1, 1), (-1, 1)]
    elif row[f"shape_{i}"] == "leaf":
        along = np.linspace(0, np.pi, 9)
        side = np.stack([np.cos(along), 0.45 * np.sin(along) ** 1.3], axis=-1)
        points = np.concatenate([side, side[::-1] * [1, -1]]) * max(1.0, part * row[f"size_{i}"] * height / 2)
    else:
        reach = 1 + 0.25 * np.sin(row[f"lobes_{i}"] * _BLOB) + 0.12 * np.cos(2 * _BLOB)
        points = reach[:, None] * np.stack([np.cos(_BLOB), np.sin(_BLOB)], -1)
        points = points * max(1.0, part * row[f"size_{i}"] * height / 3)
    cos, sin = np.cos(angle), np.sin(angle)
    return points @ np.array([[cos, sin], [-sin, cos]]) + middle
