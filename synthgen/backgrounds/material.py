"""Wood, brick, metal, cloth: a surface in the card's colour."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import cv2
import numpy as np

from curation.core.images import Pixels
from synthgen.backgrounds.base import backgrounds
from synthgen.choices import check_range, check_share, pick
from synthgen.colour_space import LUMA
from synthgen.light import coloured
from synthgen.surfaces import DEVIATION, HEIGHT, MEAN, WIDTH, surface, surfaces

FIT = 0.3  # of the contrast between text and card that the surface's deviation may reach


@backgrounds.add("material")
@dataclass(frozen=True, kw_only=True, slots=True)
class Material:
    """Paint the card's colour on a surface: lighter where the surface is light.

    However strong the surface is planned, its deviation stays below ``FIT`` of the luma difference between
    text and card, so that letters stay readable on it.

    Source: procedural textures after Perlin (SIGGRAPH 1985) and Worley (SIGGRAPH 1996); the surfaces and all
    ranges are ours.

    Attributes:
        kinds: Weights of the surfaces (``synthgen.surfaces``); those left out are not drawn. Empty for
            all of them, equally often.
        levels: Least and greatest standard deviation, in grey levels of 255.
        scale: Least and greatest size against the drawn surface's; drawn on a log scale.
        tilt_deg: Greatest rotation either way.
        upright: Share of words whose surface is turned by a quarter, 0 to 1.
        tint: Greatest difference of a colour channel's levels from the others', as a share.
    """

    kinds: dict[str, float] = field(default_factory=dict)
    levels: tuple[float, float] = (4.0, 24.0)
    scale: tuple[float, float] = (0.4, 2.0)
    tilt_deg: float = 5.0
    upright: float = 0.25
    tint: float = 0.3

    def __post_init__(self) -> None:
        for name in self.kinds:
            if name not in surfaces():
                raise ValueError(f"kinds knows no surface {name!r}; known are {', '.join(surfaces())}")
        for name, share in self.kinds.items():
            check_share(f"kinds.{name}", share)
        if self.kinds and not sum(self.kinds.values()):
            raise ValueError("kinds have no share above 0, so nothing can be drawn")
        check_range("levels", self.levels, 0, 255)
        check_range("scale", self.scale, 0.2, 50)
        check_range("tilt_deg", (0, self.tilt_deg), 0, 180)
        check_share("upright", self.upright, at_most_one=True)
        check_share("tint", self.tint, at_most_one=True)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        weights = self.kinds or dict.fromkeys(surfaces(), 1.0)
        which = pick(rng, list(weights.values()), n)
        angle = rng.uniform(-self.tilt_deg, self.tilt_deg, n) + 90.0 * (rng.random(n) < self.upright)
        return {
            "surface": np.array(list(weights), object)[which],
            "levels": rng.uniform(*self.levels, n),
            "scale": np.exp(rng.uniform(*np.log(self.scale), n)),
            "angle_deg": angle + 180.0 * (rng.random(n) < 0.5),
            "warm": rng.uniform(-self.tint, self.tint, n),
            "green": rng.uniform(-self.tint / 2, self.tint / 2, n),
            "u": rng.random(n),
            "v": rng.random(n),
        }

    def apply(
        self,
        image: np.ndarray,
        *,
        surface: str,
        levels: float,
        scale: float,
        angle_deg: float,
        warm: float,
        green: float,
        u: float,
        v: float,
        ink: tuple[int, int, int] | None = None,
    ) -> np.ndarray:
        colour = image[0, 0].astype(np.float64)
        if ink is not None:
            levels = min(levels, FIT * abs(float((colour - ink) @ LUMA)))
        grey = cut_turned(surface, image.shape[1], image.shape[0], scale, angle_deg, u, v)
        gain = levels / DEVIATION * np.array([1 + warm, 1 + green, 1 - warm])
        return coloured(grey, colour + _STEPS * gain)  # the colour at ``MEAN``, ``levels`` a deviation


def cut_turned(
    name: str, width: int, height: int, scale: float, angle_deg: float, u: float, v: float
) -> Pixels:
    """Cut (height, width) out of a surface at ``u``, ``v``, enlarged by ``scale`` and turned."""
    cos, sin = math.cos(math.radians(angle_deg)) / scale, math.sin(math.radians(angle_deg)) / scale
    to_x, to_y = u * WIDTH - (cos * width - sin * height) / 2, v * HEIGHT - (sin * width + cos * height) / 2
    back = np.array([[cos, -sin, to_x], [sin, cos, to_y]])  # from the image to the surface
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(surface(name), back, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT)


_STEPS = np.arange(256.0)[:, None] - MEAN
