"""Orders in which PARSeq learns to read a word, and who may look at whom in them."""

from __future__ import annotations

import itertools

import torch
import torch.nn.functional as F
from torch import Tensor

FEW = 4  # characters of which all orders are few enough to draw from without repeating one


def draw(n: int, k: int) -> Tensor:
    """Draw orders of reading from torch's global generator on the processor.

    The first is left to right and the second right to left; then come random orders, each followed by its
    reverse. Of words of up to 4 characters no order is drawn twice, and none is missing where ``k`` has room
    for all.

    Source: Bautista and Atienza 2022, section 3.2, and their code: what is said there of the end of a word.

    Args:
        n: Characters of the longest word.
        k: Orders, 1 or an even number; words of up to 3 characters may have fewer.

    Returns:
        (K, n + 2) int64: place 0 is the beginning, which is always first, 1 to n are the characters and n + 1
        is the end, which is last, except right to left, where it is read from nothing but the image.
    """
    forward = torch.arange(n)
    if k == 1 or n == 1:
        halves = forward[None]
    elif n <= FEW:
        # One order of each pair of an order and its reverse; left to right is the first.
        pool = torch.tensor([order for order in itertools.permutations(range(n)) if order[0] < order[-1]])
        others = 1 + torch.randperm(len(pool) - 1)[: k // 2 - 1]
        halves = torch.cat([pool[:1], pool[others]])
    else:
        halves = torch.stack([forward, *(torch.randperm(n) for _ in range(k // 2 - 1))])
    if k > 1 and n > 1:
        halves = torch.stack([halves, halves.flip(1)], 1).flatten(0, 1)
    drawn = F.pad(F.pad(halves + 1, (1, 0), value=0), (0, 1), value=n + 1)
    if len(drawn) > 1:
        drawn[1, 1:] = torch.arange(n + 1, 0, -1)
    return drawn


def masks(drawn: Tensor) -> tuple[Tensor, Tensor]:
    """Who may look at whom, in each order.

    Args:
        drawn: (K, n + 2), as ``draw`` gives them.

    Returns:
        Of the queries of characters 1 to n and the end, (K, n + 1, n + 1) bool: true at what is read before
        them among the beginning and the characters. And of the beginning and the characters themselves, of
        that shape: true at what is read before them and at themselves.
    """
    rank = drawn.argsort(1)
    content = rank[:, None, :-1]
    return content < rank[:, 1:, None], content <= rank[:, :-1, None]
