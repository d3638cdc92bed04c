"""A contact sheet of words before and after augmentation."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from curation.core.images import Pixels, decode
from curation.core.labels import protocol
from curation.core.rng import stream
from curation.core.sheet import contact_sheet
from curation.mixture import Mixture
from train.augments.base import Augment
from train.data.packing import scale
from train.data.rendered import Order
from train.recipe import TrainRecipe

AFTER = 3  # changed copies beside each word


def preview(recipe: TrainRecipe, *, n: int, seed: int) -> Pixels:
    """Show the first ``n`` words that a resolved recipe would train on, before and after augmentation.

    Raises:
        UserError: the mixture or the rendering recipe is missing or does not fit.
    """
    height, width = recipe.model.image_size
    images, labels = np.zeros((n, height, width, 3), np.uint8), [""] * n
    order = Order.of(recipe.rendered.per_word if recipe.rendered else None, has_mixture=bool(recipe.mixture))
    is_rendered = order.is_rendered(0, n)
    if recipe.rendered is not None:
        here = np.flatnonzero(is_rendered)
        drawn = np.zeros((len(here), height, width, 3), np.uint8)
        words = recipe.rendered.open(protocol(recipe.protocol), (height, width))
        found = words.draw(range(*order.of_rendered(0, n)), drawn)
        images[here] = drawn
        for i, label in zip(here.tolist(), found, strict=True):
            labels[i] = label.text or f"({label.reason})"
    if recipe.mixture is not None:
        mixture = Mixture.open(recipe.mixture)
        datasets = mixture.datasets()
        places = zip(*(part.tolist() for part in mixture.positions(*order.of_mixture(0, n))), strict=True)
        for i, (source, row) in zip(np.flatnonzero(~is_rendered).tolist(), places, strict=True):
            word = datasets[source].take([row], ["image", "label"])[0]
            images[i], labels[i] = scale(decode(word["image"]["bytes"]), (height, width)), word["label"]
    return sheet(images, labels, recipe.augment, seed)


def sheet(images: NDArray[np.uint8], labels: list[str], augment: Augment, seed: int) -> Pixels:
    """Lay out packed words, each followed by three augmented copies, two words in a row.

    Args:
        images: (N, H, W, 3) uint8 RGB.
        labels: One for each word, written below it.
        augment: What is done to them.
        seed: Of the run; the copies are those of words at the head of its first steps.

    Returns:
        (H, W, 3) uint8 RGB.
    """
    batch = torch.from_numpy(np.ascontiguousarray(images))
    copies = [augment(batch, stream(seed, "augment", step)) for step in range(AFTER)]
    shown, captions = [], []
    for i, label in enumerate(labels):
        shown += [images[i], *(_as_bytes(copy[i]) for copy in copies)]
        captions += [label, *[""] * AFTER]
    return contact_sheet(shown, captions, columns=2 * (1 + AFTER), cell=(160, 40))


def _as_bytes(word: torch.Tensor) -> Pixels:
    pixels: Pixels = word.permute(1, 2, 0).add(1).mul(127.5).round().byte().cpu().numpy()
    return pixels
