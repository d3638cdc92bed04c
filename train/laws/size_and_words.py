"""Error by model size and words together, all words alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from curation.core.errors import UserError
from train.laws.base import Columns, Floats, laws, middle
from train.laws.power import EXPONENTS, PIN


@dataclass(frozen=True, kw_only=True, slots=True)
class SizeAndWordsForm:
    """``E + A (N / N0)^-a + B (D / D0)^-b``."""

    words: str
    centres: tuple[float, float]
    bounds: Floats
    pinned: Mapping[str, float]

    n_scales: ClassVar[int] = 3

    def terms(self, shapes: Floats, columns: Columns) -> tuple[Floats, Floats]:
        falls, logs = [], []
        for i, name in enumerate(("parameters", self.words)):
            logs.append(np.log(np.asarray(columns[name], float) / self.centres[i]))
            falls.append(np.exp(-shapes[:, i, None] * logs[i]))
        one, none = np.ones_like(falls[0]), np.zeros_like(falls[0])
        by_a = np.stack([none, -falls[0] * logs[0], none], axis=2)
        by_b = np.stack([none, none, -falls[1] * logs[1]], axis=2)
        return np.stack([one, *falls], axis=2), np.stack([by_a, by_b], axis=3)

    def parameters(self, scales: Floats, shapes: Floats) -> dict[str, Floats]:
        size, words = self.centres
        a, b = shapes.T
        return {"E": scales[:, 0], "A": scales[:, 1] * size**a, "a": a, "B": scales[:, 2] * words**b, "b": b}


@laws.add("size_and_words")
@dataclass(frozen=True, kw_only=True)
class SizeAndWords:
    """``error = E + A N^-a + B D^-b`` with N parameters and D words.

    For a fixed computation, proportional to N x D, the best N grows as computation to the b / (a + b).

    Attributes:
        words: What is D: ``n_total``, ``samples``.

    Source:
        Hoffmann et al. 2022 (arXiv:2203.15556), approach 3; its fit corrected by Besiroglu et al. 2024
        (arXiv:2404.10102).
    """

    kind: ClassVar[str]
    words: str = "n_total"

    @property
    def title(self) -> str:
        return f"parameters and {self.words}"

    @property
    def columns(self) -> tuple[str, ...]:
        return ("parameters", self.words)

    def prepare(self, columns: Columns) -> SizeAndWordsForm:
        """Raises UserError: too few model sizes, amounts of words, or cells."""
        places = np.stack([np.asarray(columns[name], float) for name in self.columns], axis=1)
        if (places <= 0).any():
            raise UserError(
                "a law of size and words needs both above 0 in every cell; leave out those with none"
            )
        for name, values in zip(self.columns, places.T, strict=True):
            if (n := len(np.unique(values))) < 3:
                raise UserError(
                    f"a law of size and words needs 3 or more values of {name}, got {n}; add cells"
                )
        if (n := len(np.unique(places, axis=0))) < 6:
            raise UserError(f"a law of size and words needs 6 or more different cells, got {n}; add cells")
        logs = np.log(places) - np.log(places).mean(axis=0)
        if np.linalg.matrix_rank(logs, tol=1e-3) < 2:
            raise UserError(
                "a law of size and words cannot tell them apart where they move together in every cell; "
                "add cells that move one of them"
            )
        return SizeAndWordsForm(
            words=self.words,
            centres=(middle(places[:, 0]), middle(places[:, 1])),
            bounds=np.array([EXPONENTS, EXPONENTS]),
            pinned={"a": PIN, "b": PIN},
        )
