"""Specks, scratches and stains on a sign or on the lens."""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np

from curation.core.images import Pixels
from curation.core.rng import stream
from synthgen.choices import check_range, check_share, pick
from synthgen.effects.base import effects
from synthgen.light import coloured
from synthgen.pools import HEIGHT, WIDTH, cut

KINDS = ("specks", "scratches", "stains")


@effects.add("dirt")
@dataclass(frozen=True, kw_only=True, slots=True)
class Dirt:
    """Cover a small part of the image with spots, thin lines or soft blotches of one colour.

    Nothing is covered wholly: what is under it keeps at least 1 - strength of its contrast.

    Source: the worn and dirty signs among real crops; the ranges are ours.

    Attributes:
        kinds: Weights of specks, scratches and stains.
        strength: Least and greatest opacity, 0 to 1.
        scale: Least and greatest size against the drawn pattern's; drawn on a log scale.
        light: Share of images on which it is light (scratched paint, dust) rather than dark.
    """

    kinds: tuple[float, float, float] = (1.0, 1.0, 1.0)
    strength: tuple[float, float] = (0.2, 0.7)
    scale: tuple[float, float] = (0.5, 2.0)
    light: float = 0.4

    def __post_init__(self) -> None:
        for weight in self.kinds:
            check_share("each of kinds", weight)
        if not sum(self.kinds):
            raise ValueError("kinds are all 0, so nothing can be drawn")
        check_range("strength", self.strength, 0, 1)
        check_range("scale", self.scale, 0.1, 50)
        check_share("light", self.light, at_most_one=True)

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        grey = np.where(rng.random(n) < self.light, rng.uniform(170, 255, n), rng.uniform(0, 80, n))
        return {
            "pattern": np.array(KINDS, object)[pick(rng, self.kinds, n)],
            "strength": rng.uniform(*self.strength, n),
            "scale": np.exp(rng.uniform(*np.log(self.scale), n)),
            "grey": grey,
            "brown": rng.uniform(0, 35, n),
            "u": rng.random(n),
            "v": rng.random(n),
        }

    def apply(
        self,
        image: np.ndarray,
        *,
        pattern: str,
        strength: float,
        scale: float,
        grey: float,
        brown: float,
        u: float,
        v: float,
    ) -> np.ndarray:
        height, width = image.shape[:2]
        piece = cut(_pattern(pattern), u, v, max(2, round(width / scale)), max(2, round(height / scale)))
        cover = cv2.resize(piece, (width, height), interpolation=cv2.INTER_LINEAR)
        share = np.arange(256.0)[:, None] * [strength]
        left = cv2.multiply(image, coloured(cover, np.repeat(255 - share, 3, axis=1)), scale=1 / 255)
        paint = np.clip([grey + brown, grey, grey - brown], 0, 255) / 255
        return cv2.add(left, coloured(cover, share * paint))


@functools.cache
def _pattern(name: str) -> Pixels:
    """Coverage by one kind of dirt, (HEIGHT, WIDTH) uint8, drawn once a process."""
    rng = stream(0, "pool", "dirt", name)
    image = np.zeros((HEIGHT, WIDTH), np.uint8)
    if name == "specks":
        for _ in range(900):
            at = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT)
            axes = np.exp(rng.normal(0.1, 0.6, 2)) * 16
            centre = tuple(round(c * 16) for c in at)
            size = tuple(int(a) for a in axes)
            cv2.ellipse(image, centre, size, rng.uniform(0, 180), 0, 360, 255, -1, cv2.LINE_AA, 4)
    elif name == "scratches":
        for _ in range(90):
            x, y, length = rng.uniform(0, WIDTH), rng.uniform(0, HEIGHT), np.exp(rng.normal(3.5, 0.7))
            turn, bend = rng.uniform(0, np.pi), rng.normal(0, 0.3)
            along = np.linspace(-0.5, 0.5, 9)
            angle = turn + bend * along
            path = np.stack([x + length * along * np.cos(angle), y + length * along * np.sin(angle)], -1)
            points = np.rint(path * 16).astype(np.int32)[:, None]
            tone = int(rng.uniform(120, 255))
            cv2.polylines(image, [points], False, tone, 1, cv2.LINE_AA, 4)
    else:
        noise = cv2.resize(
            rng.standard_normal((24, 96), np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
        )
        rough = cv2.resize(
            rng.standard_normal((96, 384), np.float32), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC
        )
        image = np.clip((noise + 0.35 * rough - 0.8) * 260, 0, 255).astype(np.uint8)
    return image
