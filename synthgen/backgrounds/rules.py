"""Lines beside a word: underlines, frames of forms, the edge of a shelf."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.backgrounds.base import backgrounds
from synthgen.backgrounds.sign import ink_box, shifted
from synthgen.choices import check_range, check_share

MOST = 3


@backgrounds.add("rules")
@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """Draw one to three straight lines between the letters and the border of the image.

    Source: rules, frames and joints at the border of many real crops; ranges are ours.

    Attributes:
        levels: Least and greatest luma difference of a line from the card, in grey levels of 255.
        line_width: Least and greatest width of a line, against the image's height.
        ink_line: Share of words whose lines have the text's colour, 0 to 1.
        tilt_deg: Greatest slope, in degrees either way.
    """

    levels: tuple[float, float] = (15.0, 150.0)
    line_width: tuple[float, float] = (0.015, 0.1)
    ink_line: float = 0.4
    tilt_deg: float = 2.0

    def __post_init__(self) -> None:
        check_range("levels", self.levels, 0, 255)
        check_range("line_width", self.line_width, 0, 0.3)
        check_share("ink_line", self.ink_line, at_most_one=True)
        check_range("tilt_deg", (0, self.tilt_deg), 0, 10)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        # Four in five lines run along the word. Each has a side of its own; -1 stands for no line.
        sides = rng.permuted(np.tile(np.arange(4), (n, 1)), axis=1)[:, :MOST]
        sides = np.where((sides > 1) & (rng.random((n, MOST)) < 0.7), 3 - sides, sides)
        count = rng.choice([1, 2, 3], n, p=[0.55, 0.35, 0.1])
        sides = np.where(np.arange(MOST) < count[:, None], sides, -1)
        at = rng.uniform(0.15, 1.0, (n, MOST))
        return {
            **{f"side_{i}": sides[:, i] for i in range(MOST)},
            **{f"at_{i}": at[:, i] for i in range(MOST)},
            "levels": rng.uniform(*self.levels, n),
            "darker": rng.random(n) < 0.7,
            "width": rng.uniform(*self.line_width, n),
            "ink_line": rng.random(n) < self.ink_line,
            "tilt_deg": rng.uniform(-self.tilt_deg, self.tilt_deg, n),
        }

    def apply(
        self,
        image: np.ndarray,
        *,
        letters: Pixels | None = None,
        ink: tuple[int, int, int] | None = None,
        **row: float,
    ) -> np.ndarray:
        out = image.copy()
        height, width = image.shape[:2]
        colour = image[0, 0].astype(np.float64)
        if row["ink_line"] and ink is not None:
            stroke = list(map(float, ink))
        else:
            shift = shifted(float(colour.mean()), row["levels"], bool(row["darker"]))
            stroke = np.clip(colour + shift, 0, 255).tolist()
        left, top, right, bottom = ink_box(letters, width, height)
        thick = max(1, round(row["width"] * height))
        lean = np.tan(np.deg2rad(row["tilt_deg"]))
        room = (top, height - bottom, left, width - right)
        for i in range(MOST):
            if (side := int(row[f"side_{i}"])) < 0:
                continue
            far = max(row[f"at_{i}"] * room[side], thick / 2 + 2)  # the line's middle, from the ink
            at = (top - far, bottom + far, left - far, right + far)[side]
            cv2.line(out, *_ends(side, at, width, height, lean), stroke, thick, lineType=cv2.LINE_AA, shift=4)
        return out


def _ends(
    side: int, at: float, width: int, height: int, lean: float
) -> tuple[tuple[int, int], tuple[int, int]]:
    """Both ends, in sixteenths of a pixel, of a line right across the image."""
    reach = lean * (width if side < 2 else height) / 2
    if side < 2:
        ends = (-4.0, at - reach), (width + 4.0, at + reach)
    else:
        ends = (at - reach, -4.0), (at + reach, height + 4.0)
    return tuple((round(x * 16), round(y * 16)) for x, y in ends)  # type: ignore[return-value]
