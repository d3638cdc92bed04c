"""What every law of error promises, and the registry of laws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from curation.core.registry import Registry

Floats = NDArray[np.float64]
Columns = Mapping[str, Floats]  # name -> (R,), as in Points.columns

laws: Registry[Any] = Registry("law")


class Form(Protocol):
    """A law made ready for some runs: which terms it has and in which units they are well-behaved.

    All laws here are sums ``error = sum_l scale_l * term_l(shapes)`` with scales of 0 or more, so that for
    given shapes (exponents and the like) the best scales are found by solving, not by searching.

    Attributes:
        n_scales: How many terms there are, L.
        bounds: Least and greatest value of each shape, (Q, 2); all finite.
        pinned: Parameter -> how far apart the ends of its 80 % interval may lie, as a factor, before the
            runs are said not to pin it down.
    """

    n_scales: int
    bounds: Floats
    pinned: Mapping[str, float]

    def terms(self, shapes: Floats, columns: Columns) -> tuple[Floats, Floats]:
        """The terms and their slopes.

        Args:
            shapes: (B, Q).
            columns: Each (R,).

        Returns:
            Terms (B, R, L), and their derivatives by the shapes, (B, R, L, Q).
        """
        ...

    def parameters(self, scales: Floats, shapes: Floats) -> dict[str, Floats]:
        """The law's parameters as a reader knows them, each (B,), of scales (B, L) and shapes (B, Q)."""
        ...


class Law(Protocol):
    """One law of how error falls, as its options state it.

    Attributes:
        kind: Its registered name.
    """

    kind: str

    @property
    def title(self) -> str:
        """What a table calls it: its kind and its options, short and unique."""
        ...

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the points it reckons with."""
        ...

    def prepare(self, columns: Columns) -> Form:
        """Make the law ready for runs with these columns, each (R,), one entry a cell.

        Raises:
            UserError: these cells cannot tell the law's parameters apart, whatever their accuracies.
        """
        ...


def middle(values: Floats) -> float:
    """The geometric mean of the values above 0, which laws take as their unit; 1 if there are none."""
    some = np.asarray(values, float)
    some = some[some > 0]
    return float(np.exp(np.log(some).mean())) if len(some) else 1.0
