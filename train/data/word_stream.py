"""The endless sequence of words that a rendering recipe and a seed make, scaled to be trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from curation.core.images import Pixels, decode, encode_jpeg
from curation.core.labels import Protocol
from curation.core.pool import one_opencv_thread
from synthgen.engines import Drawn
from synthgen.render import Recipe, job, uid_prefix
from synthgen.rows import draw
from train.data.packing import scale


@dataclass(frozen=True, kw_only=True, slots=True)
class Label:
    """What is to be learned of a drawn word.

    Attributes:
        text: The normalised label, empty if it is not to be learned.
        reason: Why it is not; None if it is.
        is_drawn: Whether there is a picture of it.
    """

    text: str
    reason: str | None = None
    is_drawn: bool = True


@dataclass(frozen=True, kw_only=True)
class WordStream:
    """Words by their number, each a function of the recipe, the seed and the number alone.

    It is sent to other processes, so it holds nothing that is open.

    Attributes:
        recipe: What is drawn.
        seed: Of every random draw.
        protocol: How labels are normalised.
        size: Height and width of the images, in pixels.
    """

    recipe: Recipe
    seed: int
    protocol: Protocol
    size: tuple[int, int]

    def draw(self, numbers: Sequence[int], into: Pixels) -> list[Label]:
        """Draw words, in one process; rising numbers are fastest, for a thousand are planned together.

        Args:
            numbers: Which.
            into: (n, H, W, 3) uint8, filled with their images; black where a word cannot be drawn.
        """
        with one_opencv_thread():
            return [self._draw(number, image) for number, image in zip(numbers, into, strict=True)]

    def held_out(self, n: int) -> tuple[NDArray[np.uint8], list[Label]]:
        """The first ``n`` words of the sequence of the next seed, (n, H, W, 3) uint8, none of these."""
        images = np.zeros((n, *self.size, 3), np.uint8)
        return images, self.of_next_seed().draw(range(n), images)

    def of_next_seed(self) -> WordStream:
        """The sequence of the next seed."""
        return replace(self, seed=self.seed + 1)

    @property
    def uid_prefix(self) -> str:
        """What the uids of these words begin with, before a colon and their numbers."""
        return uid_prefix(job(self.recipe, 0, self.seed))

    def facts(self) -> dict[str, Any]:
        """All that the words depend on, as JSON values, and what their uids begin with."""
        found = job(self.recipe, 0, self.seed)
        keys = ("recipe_name", "recipe", "recipe_sha256", "seed", "versions", "code_sha256", "inputs")
        return {key: found[key] for key in keys} | {"uid_prefix": uid_prefix(found)}

    def _draw(self, number: int, image: Pixels) -> Label:
        drawn, _, reason = draw(self.recipe.engine, self.seed, number)
        if drawn is None:
            image[:] = 0
            return Label(text="", reason=reason, is_drawn=False)
        image[:] = scale(stored(drawn), self.size)
        text, why = self.protocol.normalise(drawn.label)
        return Label(text="" if why else text, reason=why)


def stored(drawn: Drawn) -> Pixels:
    """The pixels of a drawn word's stored file: the loss of JPEG is part of what a recipe says."""
    return drawn.image if drawn.jpeg_quality is None else decode(encode_jpeg(drawn.image, drawn.jpeg_quality))
