"""A contact sheet of what a recipe makes."""

from __future__ import annotations

from collections import Counter

from curation.core.errors import UserError
from curation.core.images import Pixels, decode, encode_jpeg
from curation.core.sheet import contact_sheet
from synthgen.render import Recipe, draw


def preview(recipe: Recipe, *, n: int, seed: int) -> tuple[Pixels, int]:
    """Draw the first ``n`` words of ``recipe``, as they would be stored, each above its label.

    Returns:
        The sheet, (H, W, 3) uint8 RGB, and how many words are on it.

    Raises:
        UserError: something the recipe needs is missing, or not a single word can be drawn.
    """
    recipe.engine.check()
    images, labels, reasons = [], [], Counter[str]()
    for index in range(n):
        drawn, _, reason = draw(recipe.engine, seed, index)
        if drawn is None:
            reasons[reason] += 1
            continue
        quality = drawn.jpeg_quality
        images.append(drawn.image if quality is None else decode(encode_jpeg(drawn.image, quality)))
        labels.append(drawn.label)
    if not images:
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(reasons.items()))
        raise UserError(f"not one word of recipe {recipe.name} can be drawn ({counts}). Mend the recipe.")
    return contact_sheet(images, labels), len(images)
