"""Counting the words of a run that cannot be drawn, and telling when going on is in vain."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

from curation.core.errors import UserError
from synthgen.framing import MOST_PIXELS

MOST_REJECTED = 0.01  # of a run's words; beyond it something is wrong with the recipe, not with single words
ENOUGH = 1_000  # words that a share is judged on before the run's end
SIGMAS = 4.0
HINTS = {  # what to look at, by the reason that most words were rejected for
    "too_large": (
        f"an image may have {MOST_PIXELS:,} pixels, so lower framing.height_px, framing.letter_px or margins"
    ),
    "low_contrast": "lower least_contrast, or let letters differ more from what they stand on",
    "faint": "lower least_contrast_after, or weaken the effects",
    "no_font_has_all_characters": "add fonts that have the charset, or take characters out of it",
    "broken_photo": "take the photos that cannot be read out of the folder",
    "effect_failed": "weaken the albumentations transform, or leave it out",
}


class HopelessError(UserError):
    """Too many words of a recipe cannot be drawn; trying again would end the same way."""


class Tally:
    """Words done and rejected, of a run or of a part of it.

    Args:
        recipe_name: For the message.
        n: Words of the whole run.
    """

    def __init__(self, recipe_name: str, n: int) -> None:
        self.recipe_name = recipe_name
        self.n = n
        self.n_done = 0
        self.reasons: Counter[str] = Counter()

    def add(self, n_done: int, reasons: Iterable[str] = ()) -> None:
        """Count ``n_done`` more words, those among them that were rejected by ``reasons``.

        Raises:
            HopelessError: more than ``MOST_REJECTED`` of the run's words are rejected, or of the words
                done so far many more than chance explains.
        """
        self.n_done += n_done
        before = self.reasons.total()
        self.reasons.update(reasons)
        if (rejected := self.reasons.total()) == before:
            return
        expected = MOST_REJECTED * self.n_done
        so_far = self.n_done >= ENOUGH and rejected > expected + SIGMAS * math.sqrt(expected)
        if rejected > MOST_REJECTED * self.n or so_far:
            counts = ", ".join(f"{count} {reason}" for reason, count in sorted(self.reasons.items()))
            most = max(sorted(self.reasons), key=self.reasons.__getitem__)
            hint = f": {HINTS[most]}" if most in HINTS else ""
            raise HopelessError(
                f"more than {MOST_REJECTED:.0%} of the words of recipe {self.recipe_name} cannot be drawn "
                f"({counts}). Look at its preview and mend it{hint}."
            )
