"""Rendered words in training: encoded for the recognizer, counted, and some of them to measure on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, distributed

from curation.core.errors import UserError
from synthgen.tally import ENOUGH, Tally
from train.data.drawing import Drawers
from train.data.rendered import Indices, Rendered
from train.data.word_stream import Label, WordStream
from train.learned import are_learned
from train.models import Recognizer
from train.run_folder import TrainedOn


class RenderedWords:
    """The rendered words of a training.

    A word that cannot be drawn or learned keeps its position and teaches nothing, as in a mixture: which
    word stands where must not depend on what is in the others.

    Args:
        recipe: What the recipe says of them.
        stream: The words.
        recognizer: Decides how labels are encoded, and which it cannot learn.

    Attributes:
        n_counted: Words taken in their turn.
        unlearnable: Those of them that taught nothing, by reason.
    """

    def __init__(self, recipe: Rendered, stream: WordStream, recognizer: Recognizer) -> None:
        self.recipe, self.stream = recipe, stream
        self.n_counted = 0
        self.unlearnable: Counter[str] = Counter()
        self._encode = recognizer.encode
        self._tally = Tally(stream.recipe.name, 2 * ENOUGH)

    def drawers(self, wanted: Iterable[Indices]) -> Drawers:
        """Processes that draw the words with the numbers ``wanted``; see ``Drawers``."""
        return Drawers(self.stream, self.recipe.processes, wanted)

    def take(self, drawers: Drawers | None, first: int, last: int) -> tuple[NDArray[np.uint8], Tensor]:
        """Images, (n, H, W, 3) uint8, and targets of the words from ``first`` to before ``last``.

        Args:
            drawers: Whose turn it is to give these words, which are counted then; None to draw them here.
            first: Number of the first.
            last: The number after the last.

        Raises:
            UserError: more than 1 % of the words cannot be drawn, or none can be learned.
        """
        if drawers is None:
            images = np.zeros((last - first, *self.stream.size, 3), np.uint8)
            labels = self.stream.draw(range(first, last), images)
        else:
            images, labels = drawers.take(last - first)
        targets, unreadable = self._encode([label.text for label in labels])
        if drawers is not None:
            self._count(labels, unreadable)
        return images, targets

    @cached_property
    def _held_out(self) -> tuple[NDArray[np.uint8], list[Label]]:
        return self.stream.held_out(self.recipe.validation)

    @property
    def held_out(self) -> tuple[NDArray[np.uint8], list[str], Counter[str]]:
        """Words to measure on: images, normalised labels, and how many do not count, by reason."""
        images, labels = self._held_out
        counts = np.array([label.reason is None for label in labels], bool)
        dropped = Counter(label.reason for label in labels if label.reason is not None)
        return images[counts], [label.text for label in labels if label.reason is None], dropped

    def n_held_out_of(self, learned: TrainedOn) -> int:
        """How many of the words to measure on are learned from."""
        prefix = self.stream.of_next_seed().uid_prefix
        uids = [f"{prefix}:{i}" for i, label in enumerate(self._held_out[1]) if label.reason is None]
        return int(np.count_nonzero(are_learned(uids, learned)))

    def record(self) -> dict[str, Any]:
        """What the run's record says of them."""
        return self.stream.facts() | {"words": self.n_counted, "unlearnable": dict(self.unlearnable)}

    def gather(self) -> None:
        """Bring what all processes that train together have counted to the first; all have to ask."""
        if not (distributed.is_available() and distributed.is_initialized()):
            return
        found: list[Any] = [None] * distributed.get_world_size()
        distributed.all_gather_object(found, self.state())
        mine = found if distributed.get_rank() == 0 else []
        self.n_counted = sum(state["n_counted"] for state in mine)
        self.unlearnable = sum((Counter(state["unlearnable"]) for state in mine), Counter[str]())

    def state(self) -> dict[str, Any]:
        """What has been counted, for a checkpoint."""
        return {"n_counted": self.n_counted, "unlearnable": dict(self.unlearnable)}

    def restore(self, state: dict[str, Any]) -> None:
        """Count on from ``state``."""
        self.n_counted, self.unlearnable = int(state["n_counted"]), Counter(state["unlearnable"])

    def _count(self, labels: list[Label], unreadable: list[str | None]) -> None:
        self._tally.n = max(self._tally.n, self.n_counted + len(labels))
        self._tally.add(len(labels), [label.reason or "" for label in labels if not label.is_drawn])
        reasons = [label.reason or other for label, other in zip(labels, unreadable, strict=True)]
        self.unlearnable.update(reason for reason in reasons if reason is not None)
        self.n_counted += len(labels)
        if self.n_counted == self.unlearnable.total() >= ENOUGH:
            counts = ", ".join(f"{n} {reason}" for reason, n in sorted(self.unlearnable.items()))
            raise UserError(
                f"not one of the first {self.n_counted} words of recipe {self.stream.recipe.name} can be "
                f"learned under protocol {self.stream.protocol.name} ({counts}). Train with another protocol."
            )
