"""How much a recognizer that has not seen a word disbelieves its label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from curation.core.rng import stream
from train.augments.base import to_float
from train.models import Reading, Recognizer
from train.models.base import half_precision
from train.run_folder import Run

BATCH = 256


@dataclass(frozen=True, kw_only=True, slots=True)
class Doubts:
    """What a recognizer thinks of labels.

    Attributes:
        readings: What it reads instead, or the same.
        losses: (N,) its loss of each label, in nats a character.
        scores: (N,) by how many nats a character it holds its reading for likelier than the label; 0 where
            they are the same.
    """

    readings: list[Reading]
    losses: NDArray[np.float64]
    scores: NDArray[np.float64]


def doubt(run: Run, images: NDArray[np.uint8], labels: Sequence[str]) -> Doubts:
    """Read packed words, (N, H, W, 3) uint8, and score their normalised ``labels``, which it can learn.

    The score is ``log p(reading) - log p(label)``, where ``log p`` is the loss times the number of
    characters, divided by the length of the longer of the two, so that words of all lengths compare; and not
    below 0. A label far from a picture that is easy to read comes first; where any reading is as unlikely
    as the label, late.

    Source: the ranking by normalized margin of confident learning (Northcutt et al. 2021, arXiv:1911.00068),
    in logarithms, over whole words in the place of classes.
    """
    network = run.recognizer
    device = next(network.parameters()).device
    readings: list[Reading] = []
    losses, scores = [], []
    with torch.inference_mode(), half_precision(device, run.record["recipe"]["precision"]):
        for start in range(0, len(images), BATCH):
            part = to_float(torch.from_numpy(np.array(images[start : start + BATCH])).to(device))
            texts = list(labels[start : start + BATCH])
            read = network.read(part)
            loss, n = _loss(network, part, texts, start)
            own, n_own = _loss(network, part, [reading.text for reading in read], start)
            # A reading without characters has no loss to learn from; its confidence is its likelihood.
            sure = np.log(np.maximum([reading.confidence for reading in read], 1e-30))
            likely = np.where(own > 0, -own * n_own, sure)
            same = np.array([reading.text == text for reading, text in zip(read, texts, strict=True)])
            margin = np.maximum(likely + loss * n, 0.0) / np.maximum(np.maximum(n, n_own), 1)
            scores.append(np.where(same, 0.0, margin))
            losses.append(loss)
            readings += read
    none = [np.empty(0)]
    return Doubts(
        readings=readings, losses=np.concatenate(none + losses), scores=np.concatenate(none + scores)
    )


def _loss(
    network: Recognizer, images: torch.Tensor, texts: list[str], start: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Loss a character, (B,), 0 for texts that cannot be learned; and the numbers of characters."""
    targets, _ = network.encode(texts)
    with torch.random.fork_rng(devices=[]):  # some losses draw, as orders to read in
        torch.manual_seed(int(stream(0, "suspects", start).integers(2**63)))
        loss = network.loss(images, targets.to(images.device))
    return loss.double().cpu().numpy(), np.array([len(text) for text in texts])
