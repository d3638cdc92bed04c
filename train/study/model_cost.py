"""What a model costs: its parameters, and the floating-point operations of learning from a word."""

from __future__ import annotations

import json
from functools import lru_cache
from typing import Any

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from curation.core.labels import protocol
from curation.core.recipe import build, resolved
from train.models import models
from train.models.base import count_parameters

BACKWARD = 2  # a gradient takes about twice the operations of the forward pass it belongs to
COUNTED = 2  # words that operations are counted over; batch norm wants more than one


def n_parameters(model: Any, protocol_name: str) -> int:
    """Trainable parameters of a model of a recipe under a protocol's charset; nothing is drawn."""
    with torch.device("meta"):
        return count_parameters(model.build(protocol(protocol_name).charset or ""))


def training_flops(model: Any, protocol_name: str, samples: int) -> int:
    """Floating-point operations of learning from ``samples`` words: three times those of their loss.

    Multiplications and additions of matrix products, convolutions and attention are counted, each as one;
    what else there is takes little. Source: Kaplan et al. 2020, Scaling Laws for Neural Language Models,
    section 2.1, for the factor.
    """
    described = json.dumps(resolved(model), sort_keys=True)
    return (1 + BACKWARD) * samples * _of_forward(described, protocol_name) // COUNTED


@lru_cache(maxsize=64)
def _of_forward(described: str, protocol_name: str) -> int:
    table = json.loads(described)
    chosen = models.get(table.pop("kind"))
    model = build(chosen, table, where="the recipe's model")
    charset = protocol(protocol_name).charset or ""
    with torch.random.fork_rng(devices=[]):
        network = model.build(charset).requires_grad_(False)  # the counter's hooks trip over gradients
        targets, _ = network.encode([charset[:3]] * COUNTED)
        images = torch.zeros(COUNTED, 3, *model.image_size)
        # Of the ways to compute attention on a processor it counts this one alone.
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            network.loss(images, targets)
    return int(counter.get_total_flops())
