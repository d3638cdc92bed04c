"""The joint law: error by model size and by real and synthetic words together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np

from curation.core.errors import UserError
from train.laws.base import Columns, Floats, laws, middle
from train.laws.power import EXPONENTS, PIN
from train.laws.repeats import R_STAR, fresh_words, seen_or_unique

Repeats = Literal["discounted", "fitted", "counted_once"]
WORTH = (1e-5, 30.0)  # a synthetic word, in real words, at the middle of the grid
CURVE = (0.05, 1.0)  # above 1 a synthetic word would be worth more, the more of them there are
R_BOUNDS = (0.3, 300.0)


@dataclass(frozen=True, kw_only=True, slots=True)
class JointForm:
    """``E + A (N / N0)^-a + B (D / D0)^-b`` with ``D = real + k_mid * mid * (synthetic / mid)^r``."""

    law: Joint
    parameters_mid: float
    synthetic_mid: float
    words_mid: float
    bounds: Floats
    pinned: Mapping[str, float]

    @property
    def n_scales(self) -> int:
        return 1 + self.law.floor + self.law.size

    def terms(self, shapes: Floats, columns: Columns) -> tuple[Floats, Floats]:
        value = self._shapes(shapes)
        words, slopes_of = self._words(value, columns)
        log_words = np.log(words / self.words_mid)
        fall = np.exp(-value["b"] * log_words)
        slopes_of = {name: -value["b"] * fall * slope / words for name, slope in slopes_of.items()}
        slopes_of["b"] = -fall * log_words
        terms = [(fall, slopes_of)]
        if self.law.size:
            log_size = np.log(np.asarray(columns["parameters"], float) / self.parameters_mid)
            by_size = np.exp(-value["a"] * log_size)
            terms.insert(0, (by_size, {"a": -by_size * log_size}))
        if self.law.floor:
            terms.insert(0, (np.ones_like(fall), {}))
        none = np.zeros_like(fall)
        names = self.law.shapes
        slopes = [np.stack([of.get(name, none) for name in names], axis=2) for _, of in terms]
        return np.stack([term for term, _ in terms], axis=2), np.stack(slopes, axis=2)

    def parameters(self, scales: Floats, shapes: Floats) -> dict[str, Floats]:
        value = {name: values[:, 0] for name, values in self._shapes(shapes).items()}
        found = {"E": scales[:, 0]} if self.law.floor else {}
        if self.law.size:
            found |= {"A": scales[:, -2] * self.parameters_mid ** value["a"], "a": value["a"]}
        found |= {"B": scales[:, -1] * self.words_mid ** value["b"], "b": value["b"]}
        found["k"] = np.exp(value["log_k"]) * self.synthetic_mid ** (1 - value["r"])
        if self.law.curved:
            found["r"] = value["r"]
        return found | ({"R": np.exp(value["log_r_star"])} if self.law.repeats == "fitted" else {})

    def _shapes(self, shapes: Floats) -> dict[str, Floats]:
        """By name, each (B, 1); those that this form does not fit at their fixed value."""
        fixed = {"r": 1.0, "log_r_star": np.log(R_STAR)}
        value = {name: np.full((len(shapes), 1), at) for name, at in fixed.items()}
        return value | {name: shapes[:, i, None] for i, name in enumerate(self.law.shapes)}

    def _words(self, value: Mapping[str, Floats], columns: Columns) -> tuple[Floats, dict[str, Floats]]:
        """Words in the worth of real ones, (B, K), and slopes by the shapes behind them."""
        r_star = np.exp(value["log_r_star"])
        (real, real_by), (synthetic, synthetic_by) = (
            self._worth(kind, r_star, columns) for kind in ("real", "synthetic")
        )
        log_part = np.log(np.maximum(synthetic, 1e-300) / self.synthetic_mid)
        part = self.synthetic_mid * np.exp(value["log_k"] + value["r"] * log_part)
        per_word = value["r"] * part / np.maximum(synthetic, 1e-300)
        slopes = {"log_k": part, "r": part * np.where(synthetic > 0, log_part, 0.0)}
        return real + part, slopes | {"log_r_star": real_by + per_word * synthetic_by}

    def _worth(self, kind: str, r_star: Floats, columns: Columns) -> tuple[Floats, Floats]:
        if self.law.repeats == "counted_once":
            unique = np.asarray(columns[f"n_{kind}"], float)
            return unique, np.zeros_like(unique)
        return fresh_words(*seen_or_unique(columns, kind), r_star)


@laws.add("joint")
@dataclass(frozen=True, kw_only=True)
class Joint:
    """``error = E + A N^-a + B (real + k * synthetic^r)^-b``, repeated words discounted.

    ``k`` is how many real words one synthetic word is worth (at r = 1; otherwise see the rate at a point).
    The exponent and ``k`` come cheap; the floor ``E`` needs several seeds and a large test, and its interval
    says how far it may be trusted. The form holds that enough synthetic words replace all real ones; where
    they cannot, ``k`` falls along the grid, which shows as ``r`` below 1 or as a law that misses its cells.

    Attributes:
        floor: Whether there is an ``E``.
        size: Whether there is a term for ``parameters``; it needs a grid over model sizes.
        curved: Whether ``r`` is fitted, up to 1, and not 1.
        repeats: ``discounted`` (R = 15), ``fitted`` (R fitted), or ``counted_once``: repeats for nothing.

    Source:
        Its size and data terms: Hoffmann et al. 2022 (arXiv:2203.15556); repeats: Muennighoff et al. 2023
        (arXiv:2305.16264).
    """

    kind: ClassVar[str]
    floor: bool = True
    size: bool = False
    curved: bool = False
    repeats: Repeats = "discounted"

    @property
    def title(self) -> str:
        parts = ["joint"]
        parts += ["with model size"] if self.size else []
        parts += [] if self.floor else ["no floor"]
        parts += ["curved"] if self.curved else []
        parts += {"discounted": [], "fitted": ["R fitted"], "counted_once": ["repeats not counted"]}[
            self.repeats
        ]
        return ", ".join(parts)

    @property
    def columns(self) -> tuple[str, ...]:
        seen = () if self.repeats == "counted_once" else ("seen_real", "seen_synthetic")
        return ("n_real", "n_synthetic", *seen, *(("parameters",) if self.size else ()))

    @property
    def shapes(self) -> tuple[str, ...]:
        """What is fitted beside the scales, in the order of the fit."""
        curve = ("r",) if self.curved else ()
        repeats = ("log_r_star",) if self.repeats == "fitted" else ()
        return (*(("a",) if self.size else ()), "b", "log_k", *curve, *repeats)

    def prepare(self, columns: Columns) -> JointForm:
        """Raises UserError: the grid cannot tell what real and synthetic words are worth."""
        real, synthetic = (np.asarray(columns[name], float) for name in ("n_real", "n_synthetic"))
        self._refuse(real, synthetic, columns)
        bounds = {"a": EXPONENTS, "b": EXPONENTS, "log_k": tuple(np.log(WORTH)), "r": CURVE}
        bounds["log_r_star"] = tuple(np.log(R_BOUNDS))
        return JointForm(
            law=self,
            parameters_mid=middle(columns["parameters"]) if self.size else 1.0,
            synthetic_mid=middle(synthetic),
            words_mid=middle(real + synthetic),
            bounds=np.array([bounds[name] for name in self.shapes]),
            pinned={"b": PIN, "k": PIN} if not self.curved else {"b": PIN},
        )

    def _refuse(self, real: Floats, synthetic: Floats, columns: Columns) -> None:
        if ((real + synthetic) <= 0).any():
            raise UserError("a joint law needs words in every cell; leave out those with none")
        if not (synthetic == 0).any():
            raise UserError(
                "a joint law needs cells without synthetic words, or nothing tells them from real ones; "
                "add one of real words alone"
            )
        kinds = {"real": np.unique(real), "synthetic": np.unique(synthetic)}
        least = {"real": 2, "synthetic": 4 if self.curved else 3}
        if few := [name for name, found in kinds.items() if len(found) < least[name]]:
            raise UserError(
                f"a joint law needs {least[few[0]]} or more amounts of {few[0]} words, "
                f"got {len(kinds[few[0]])}; add cells"
            )
        if (both := len({(r, s) for r, s in zip(real, synthetic, strict=True) if s > 0})) < 2:
            raise UserError(
                f"a joint law needs 2 or more mixtures with synthetic words, got {both}; add cells"
            )
        if self.size and (n := len(np.unique(columns["parameters"]))) < 3:
            raise UserError(
                f"a joint law with a size term needs 3 or more model sizes, got {n}; leave it out"
            )
        places = np.stack([np.asarray(columns[name], float) for name in self.columns], axis=1)
        need = 1 + self.floor + self.size + len(self.shapes) + 1
        if (n := len(np.unique(places, axis=0))) < need:
            raise UserError(
                f"the law {self.title!r} needs {need} or more different cells, got {n}; add cells"
            )
        if self.repeats == "fitted" and _most_repeats(columns) < 1:
            raise UserError(
                "R can be fitted only if words repeat, and no cell saw its words twice; leave it fixed"
            )


def joint_forms(columns: Columns) -> list[Joint]:
    """The nested forms of the joint law that a grid may tell apart, the simplest first.

    Args:
        columns: Those of the points, each (R,).
    """
    seen = {"seen_real", "seen_synthetic"} <= set(columns)
    repeats: list[Repeats] = ["counted_once"]
    if seen and _most_repeats(columns) >= 0.01:
        repeats += ["discounted"]
    if seen and _most_repeats(columns) >= 1:
        repeats += ["fitted"]
    sizes = len(np.unique(columns["parameters"])) if "parameters" in columns else 1
    return [
        Joint(floor=floor, curved=curved, repeats=how, size=sizes > 1)
        for how in repeats
        for curved in (False, True)
        for floor in (False, True)
    ]


def _most_repeats(columns: Columns) -> float:
    """The most often that any cell saw the words of one kind again."""
    found = [0.0]
    for kind in ("real", "synthetic"):
        unique, seen = seen_or_unique(columns, kind)
        some = unique > 0
        found += ((seen[some] / unique[some]) - 1).tolist()
    return max(found)
