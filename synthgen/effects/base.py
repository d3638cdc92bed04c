"""What every image effect promises."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from curation.core.registry import Registry

effects: Registry[Any] = Registry("effect")


class EffectError(ValueError):
    """An effect fails on an image; the word is drawn again with other decisions."""


class Effect(Protocol):
    """A change to a word image, decided for a whole block of images and then applied to one.

    Deciding and applying are separate so that the numbers can be stored with the image, shown to
    a person, filtered on, and applied again without any randomness. If ``apply`` has a parameter called
    ``letters``, with the default None, it is told their coverage, (H, W) uint8.
    """

    def plan(self, rng: np.random.Generator, n: int) -> dict[str, np.ndarray]:
        """Draw the parameters of ``n`` images, one column each of shape (n,); the only user of ``rng``."""
        ...

    def apply(self, image: np.ndarray, **row: Any) -> np.ndarray:
        """Return a changed copy of ``image``, (H, W, 3) uint8 RGB; a pure function of its arguments.

        Raises:
            EffectError: it cannot be applied to this image.
        """
        ...
