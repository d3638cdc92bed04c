"""How words stand before the camera: spacing, slant, slope, rotation, perspective."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthgen.choices import Columns, Streams, check_range, check_share


@dataclass(frozen=True, kw_only=True, slots=True)
class Posture:
    """How a word stands before the camera.

    Angles and perspective are drawn around 0 from Student's t with 4 degrees of freedom: most words
    are nearly upright, and one in twenty stands at three times the scale or more.

    Source: ranges by eye from crops of public street sets.

    Attributes:
        tracking_em: Least and greatest extra space between letters, in em. Values are drawn from a
            triangle with its peak at 0, so that normal spacing is the most frequent.
        stretch: Least and greatest width of letters against the font's own; triangle, peak at 1.
        slant_deg: Scale of the letters' lean, in degrees.
        skew_deg: Scale of the lines' slope with upright letters, in degrees.
        rotation_deg: Scale of the rotation, in degrees.
        perspective: Scale of the relative difference in size from the middle to an end.
        keystone: Scale of the same difference for the plane tilted backwards or forwards: half a word's
            width upwards, letters are smaller or larger by that much. 0 leaves the column out.
        wide: Share of words that are tracked widely, 0 to 1.
        wide_em: Least and greatest tracking of those, in em.
        quarter_turns: Share of words that run upwards or downwards (half each), 0 to 1; ``rotation_deg``
            comes on top.
        any_angle: Share of words turned by an angle evenly drawn from the full circle, 0 to 1.
    """

    tracking_em: tuple[float, float] = (-0.05, 0.25)
    stretch: tuple[float, float] = (0.7, 1.3)
    slant_deg: float = 3.5
    skew_deg: float = 3.5
    rotation_deg: float = 3.0
    perspective: float = 0.05
    keystone: float = 0.0
    wide: float = 0.0
    wide_em: tuple[float, float] = (0.25, 1.0)
    quarter_turns: float = 0.0
    any_angle: float = 0.0

    def __post_init__(self) -> None:
        if not self.tracking_em[0] <= 0 <= self.tracking_em[1]:
            raise ValueError("tracking_em must enclose 0, the font's own spacing")
        if not 0.05 <= self.stretch[0] <= 1 <= self.stretch[1] <= 20:
            raise ValueError("stretch must enclose 1, the font's own width, and stay within 0.05 and 20")
        for name in ("slant_deg", "skew_deg", "rotation_deg", "perspective", "keystone"):
            if not getattr(self, name) >= 0:
                raise ValueError(f"{name} must be 0 or more, got {getattr(self, name):g}")
        check_range("wide_em", self.wide_em, 0, 3)
        for name in ("wide", "quarter_turns", "any_angle"):
            check_share(name, getattr(self, name), at_most_one=True)
        if self.quarter_turns + self.any_angle > 1:
            raise ValueError("quarter_turns and any_angle must not exceed 1 together")

    def plan(self, rng: Streams, lengths: np.ndarray) -> Columns:
        """Decide a posture for words of ``lengths`` characters, one column each of the same shape.

        Words of one or two characters are not turned: a 6 would become a 9.
        """
        n = len(lengths)

        def spread(name: str, scale: float, limit: float) -> np.ndarray:
            return np.clip(rng(name).standard_t(4, n) * scale, -limit, limit)

        columns = {
            "tracking_em": self._tracking(rng, n),
            "stretch": _triangle(rng("stretch"), *self.stretch, 1.0, n),
            "slant_deg": spread("slant_deg", self.slant_deg, 30),
            "skew_deg": spread("skew_deg", self.skew_deg, 30),
            "rotation_deg": spread("rotation_deg", self.rotation_deg, 90)
            + self._turns(rng, n) * (lengths > 2),
            "perspective": spread("perspective", self.perspective, 0.35),
        }
        if self.keystone:
            columns["keystone"] = spread("keystone", self.keystone, 0.35)
        return columns

    def _tracking(self, rng: Streams, n: int) -> np.ndarray:
        usual = _triangle(rng("tracking_em"), *self.tracking_em, 0.0, n)
        if not self.wide:
            return usual
        return np.where(rng("wide").random(n) < self.wide, rng("wide_em").uniform(*self.wide_em, n), usual)

    def _turns(self, rng: Streams, n: int) -> np.ndarray:
        """Degrees that come on top of the usual rotation."""
        dice, angle = rng("turns").random(n), rng("turn_deg").uniform(-180, 180, n)
        quarter = np.where(angle < 0, -90.0, 90.0)
        turned = dice < self.quarter_turns + self.any_angle
        return np.where(dice < self.quarter_turns, quarter, np.where(turned, angle, 0.0))


def _triangle(rng: np.random.Generator, low: float, high: float, peak: float, n: int) -> np.ndarray:
    return rng.triangular(low, peak, high, n) if high > low else np.full(n, low)
