"""What every schedule of the learning rate promises."""

from __future__ import annotations

from typing import Any, Protocol

from curation.core.registry import Registry

schedules: Registry[Any] = Registry("schedule")


class Schedule(Protocol):
    """How the learning rate goes on after its warm-up, as a recipe states it."""

    def factor(self, step: int, steps: int, begin: float) -> float:
        """The share of the greatest learning rate that ``step``, from 0, is taken with, 0-1.

        Args:
            step: At ``begin`` or later.
            steps: Of the whole training.
            begin: Where the warm-up ends, in steps.
        """
        ...
