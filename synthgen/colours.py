"""Which colours text and background have: a small model with contrast as its first number.

Colours are planned as brightness (luma) and colourfulness (chroma and hue in the Cb, Cr plane), so
that the brightness contrast between text and background is exact however colourful they are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synthgen import palette as palettes
from synthgen.choices import Columns, Streams, check_range, check_share
from synthgen.colour_space import most_chroma, to_rgb

_LEVELS = (0.0, 0.05, 0.25, 0.5, 0.75, 0.95, 1.0)  # probabilities that the quantiles below belong to


@dataclass(frozen=True, kw_only=True, slots=True)
class Colours:
    """A parametric model of text and background colour, or colours of a palette.

    Source: the defaults are set so that ``glyphmix palette`` finds in finished words of ``mjst_plus``, after
    blur, tone and JPEG, what it finds in the training crops of IIIT5K-Words and ICDAR 2015, both counting
    alike: contrast 27, 56, 95, 147, 209 at 5, 25, 50, 75, 95 %, text chroma 0, 4, 10, 23, 63, background
    chroma 0, 3, 10, 28, 75, 55 % of the texts lighter; and the tables of both lumas and both chromas. These
    are a handful of numbers, not a copy of any set.

    Attributes:
        light_text: Share of words that are lighter than their background, 0 to 1.
        contrast: Luma difference between text and background, 0 to 255, at the probabilities
            0, 5, 25, 50, 75, 95 and 100 %. The first is also the least contrast of a palette's pairs.
        light_reach: Two parameters of the beta distribution of where light text stands between as dark
            as its contrast allows (0) and white (1).
        dark_reach: Likewise of dark text, between as light as its contrast allows (0) and black (1).
        text_chroma: Distance of text from grey in the Cb-Cr plane, like ``contrast``; less where RGB
            does not hold it.
        background_chroma: Likewise of backgrounds.
        hues: Weights of the eighths of the Cb-Cr plane, from +Cb (violet-blue) by way of +Cr (red).
        hue_room: How much a hue gains where RGB holds more of it: the exponent of the greatest chroma at the
            planned luma. It makes light colours, and what is under dark text, yellow; the others red or blue.
        same_hue: Share of words whose text has nearly the hue of its background.
        palette: File of ``glyphmix palette`` to draw pairs from, instead of the model; None for the model.
        jitter: How far a pair strays from the palette's, in standard deviations that it was found with.
    """

    light_text: float = 0.57
    contrast: tuple[float, ...] = (30.0, 45.0, 92.0, 168.0, 214.0, 252.0, 255.0)
    light_reach: tuple[float, float] = (1.1, 0.4)
    dark_reach: tuple[float, float] = (1.0, 0.7)
    text_chroma: tuple[float, ...] = (0.0, 0.0, 1.0, 6.0, 60.0, 150.0, 160.0)
    background_chroma: tuple[float, ...] = (0.0, 0.0, 4.0, 19.0, 48.0, 120.0, 150.0)
    hues: tuple[float, ...] = (0.014, 0.012, 0.390, 0.290, 0.014, 0.012, 0.100, 0.168)
    hue_room: float = 2.5
    same_hue: float = 0.15
    palette: Path | None = None
    jitter: float = 1.0

    def __post_init__(self) -> None:
        check_share("light_text", self.light_text, at_most_one=True)
        check_share("same_hue", self.same_hue, at_most_one=True)
        for name in ("contrast", "text_chroma", "background_chroma"):
            values = getattr(self, name)
            sane = len(values) == len(_LEVELS) and all(map(math.isfinite, values))
            if not sane or list(values) != sorted(values) or values[0] < 0:
                raise ValueError(f"{name} must be {len(_LEVELS)} values from 0 up, none less than the last")
        if self.contrast[-1] > 255:
            raise ValueError(f"contrast ends at {self.contrast[-1]:g}, above 255")
        for name in ("light_reach", "dark_reach"):
            for value in getattr(self, name):
                check_range(f"each of {name}", (value, value), 0.05, 100)
        if len(self.hues) != 8:
            raise ValueError(f"hues must be 8 weights, got {len(self.hues)}")
        for weight in self.hues:
            check_share("each of hues", weight)
        if not sum(self.hues):
            raise ValueError("hues are all 0, so no colour has a hue")
        check_range("hue_room", (self.hue_room, self.hue_room), 0, 10)
        check_range("jitter", (self.jitter, self.jitter), 0, 10)

    def inputs(self) -> dict[str, Any]:
        """Count and fingerprint of the palette, for the manifest; empty without one."""
        return {} if self.palette is None else palettes.inputs(self.palette)

    def plan(self, rng: Streams, n: int) -> Columns:
        """Decide ``n`` pairs.

        Returns:
            Columns ``text_r``, ``text_g``, ``text_b``, ``background_r`` ..., (n,) uint8.
        """
        if self.palette is not None:
            drawn = palettes.read(self.palette).draw(
                rng("palette"), n, jitter=self.jitter, least=self.contrast[0]
            )
            return {**channels("text", drawn[:, :3]), **channels("background", drawn[:, 3:])}
        text, ground = self._lumas(rng, n)
        # Signs put white on red, blue and green and black on yellow, so a ground's hue minds its text too.
        hue_ground = self._hues(rng("hue", "background"), (ground + 255 - text) / 2)
        hue_text = self._hues(rng("hue", "text"), text)
        agree = rng("same_hue").random(n) < self.same_hue
        hue_text = np.where(agree, hue_ground + rng("hue", "drift").normal(0, 15, n), hue_text)
        chroma_text = np.interp(rng("chroma", "text").random(n), _LEVELS, self.text_chroma)
        chroma_ground = np.interp(rng("chroma", "background").random(n), _LEVELS, self.background_chroma)
        return {
            **channels("text", to_rgb(text, chroma_text, hue_text)),
            **channels("background", to_rgb(ground, chroma_ground, hue_ground)),
        }

    def _lumas(self, rng: Streams, n: int) -> tuple[np.ndarray, np.ndarray]:
        """Luma of text and of background: the contrast is drawn first, then where text stands in its room."""
        light = rng("light_text").random(n) < self.light_text
        contrast = np.interp(rng("contrast").random(n), _LEVELS, self.contrast)
        reach = np.where(
            light,
            rng("luma", "light").beta(*self.light_reach, n),
            rng("luma", "dark").beta(*self.dark_reach, n),
        )
        slack = (1 - reach) * (255 - contrast)  # between text and the end of the scale it reaches for
        text = np.where(light, 255 - slack, slack)
        return text, np.where(light, text - contrast, text + contrast)

    def _hues(self, rng: np.random.Generator, luma: np.ndarray) -> np.ndarray:
        """A hue for each luma, in degrees."""
        room = most_chroma(luma[:, None], np.arange(8)[None] * 45.0 + 22.5)
        edges = np.cumsum(np.array(self.hues) * np.maximum(room, 1.0) ** self.hue_room, axis=1)
        eighth = (rng.random(len(luma))[:, None] * edges[:, -1:] >= edges).sum(axis=1)
        return np.asarray((np.minimum(eighth, 7) + rng.random(len(luma))) * 45.0)


def channels(name: str, rgb: np.ndarray) -> Columns:
    """(n, 3) RGB as three columns of uint8."""
    return {f"{name}_{letter}": rgb[:, i].astype(np.uint8) for i, letter in enumerate("rgb")}
