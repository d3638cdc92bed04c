"""What every rendering engine promises."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from curation.core.images import Pixels
from curation.core.registry import Registry
from synthgen.boxes import Boxes

engines: Registry[Any] = Registry("engine")

BLOCK = 1_000  # rows planned together: one random stream per (seed, decision, block, attempt)
Columns = dict[str, np.ndarray]


class UnfitError(Exception):
    """A row that cannot be drawn legibly; the message is a short fixed reason, such as ``low_contrast``.

    The renderer draws the same row again from the next attempt's plan, so that no word goes missing.
    """


@dataclass(frozen=True, kw_only=True, slots=True)
class Drawn:
    """One rendered word.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        label: The text that stands in the image, in logical order.
        jpeg_quality: Quality that the stored file is encoded with; None for PNG.
        boxes: Where words and characters stand; None if the engine was not asked.
    """

    image: Pixels
    label: str
    jpeg_quality: int | None = 95
    boxes: Boxes | None = None


class Engine(Protocol):
    """A recipe that can plan and draw. Implementations are frozen dataclasses built from TOML.

    Deciding and drawing are separate so that the decisions can be stored with the image, and any image
    can be drawn again from its row.
    """

    def check(self) -> None:
        """Load what drawing needs and raise a UserError for anything missing, before the first image."""
        ...

    def inputs(self) -> dict[str, Any]:
        """Fingerprints and counts of the files that drawing depends on, as JSON values, for the manifest."""
        ...

    def plan(self, seed: int, block: int, attempt: int = 0) -> Columns:
        """Decide ``BLOCK`` words, one column a decision, each of shape (BLOCK,).

        Columns are of NumPy bool, integer, float or object (str) type, the same in every block. Draws
        come from ``rng.stream(seed, "render", decision, block, attempt)``, so a new decision does not
        shift the others.
        """
        ...

    def draw(self, row: Mapping[str, Any]) -> Drawn:
        """Draw one planned row; a pure function of ``row`` and the files the recipe names.

        Raises:
            UnfitError: this row cannot be drawn legibly.
        """
        ...
