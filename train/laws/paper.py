"""The paper's own laws, refitted from its own points: what they rest on, and what they cannot say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from curation.core import recipe as recipes
from curation.core.rng import stream
from train.laws.interval import Interval

TABLE = Path(__file__).with_name("paper.toml")
N_DRAWS = 1_000
FLOOR_POINTS = 4  # one more than a law with a floor has parameters
EXPONENTS = np.geomspace(0.02, 4.0, 1_000)  # tried for a law with a floor: 0.5 % apart
LEVELS = (0.025, 0.1, 0.9, 0.975)
Known = Literal["printed", "digitised", "third party"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Series:
    """Points of one curve: ``x`` upwards and the error there, a fraction."""

    name: str
    known: Known
    x: tuple[float, ...]
    error: tuple[float, ...]
    label: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class PaperLaw:
    """A law as printed, ``E = (scale / x)^exponent``, and the points that are known of it.

    Attributes:
        printed_exponent: With the sign that is printed.
        last_is_dashed: The figure draws its last point as predicted, so it is fitted to no line here.
    """

    name: str
    x: str
    error_unit: Literal["fraction", "percent"]
    scale: float
    printed_exponent: float
    known: Known
    last_is_dashed: bool
    series: tuple[Series, ...]

    def error(self, x: float, exponent: float | None = None) -> float:
        """Error at ``x``, a fraction; with the exponent that has its sign put right unless one is given."""
        power = abs(self.printed_exponent) if exponent is None else exponent
        return float((self.scale / x) ** power) / (100 if self.error_unit == "percent" else 1)


@dataclass(frozen=True, kw_only=True, slots=True)
class Result:
    """A published accuracy, a fraction: means over six test sets, every word counted once."""

    model: str
    trained_on: str
    accuracy: float
    known: Known


@dataclass(frozen=True, kw_only=True, slots=True)
class Paper:
    """What ``paper.toml`` holds."""

    title: str
    source: str
    n_test_words: int
    reading_error: float
    missing: tuple[str, ...]
    laws: tuple[PaperLaw, ...]
    results: tuple[Result, ...]


def read_paper() -> Paper:
    """The shipped table."""
    return recipes.load(TABLE, Paper)


def paper_laws(paper: Paper) -> dict[str, Any]:
    """Refit every law of the paper from its points.

    Returns:
        JSON values; errors and accuracies are fractions. For each law and each of its curves: the exponent
        and how sure it is by four measures (scatter about the line, leaving points out, reading the figure,
        the words of the test sets), the last point predicted from those before it, and the same with a
        floor, or why there is none.
    """
    return {
        "format": 1,
        "kind": "paper",
        "title": paper.title,
        "source": paper.source,
        "n_test_words": paper.n_test_words,
        "reading_error": paper.reading_error,
        "missing": list(paper.missing),
        "laws": [_law(paper, law) for law in paper.laws],
        "results": recipes.resolved(paper.results),
    }


def _law(paper: Paper, law: PaperLaw) -> dict[str, Any]:
    published = abs(law.printed_exponent)
    curves = [_curve(paper, law, series) for series in law.series]
    if len(law.series) > 1:
        together = Series(
            name="all curves together",
            known=law.series[0].known,
            x=sum((s.x for s in law.series), ()),
            error=sum((s.error for s in law.series), ()),
        )
        curves.append({"series": together.name, "refit": _refit(paper, law, together)})
    first, last = min(s.x[0] for s in law.series), max(s.x[-1] for s in law.series)
    return {
        "name": law.name,
        "x": law.x,
        "error_unit": law.error_unit,
        "scale": law.scale,
        "printed_exponent": law.printed_exponent,
        "exponent": published,
        "known": law.known,
        "per_doubling": 2**-published,
        "range": [first, last],
        "at_range": [law.error(first), law.error(last)],
        "as_printed_at_range": [law.error(x, law.printed_exponent) for x in (first, last)],
        "curves": curves,
    }


def _curve(paper: Paper, law: PaperLaw, series: Series) -> dict[str, Any]:
    points = [
        {
            "x": x,
            "error": error,
            "label": series.label[i] if series.label else "",
            "on_the_law": law.error(x),
            "dashed": law.last_is_dashed and i == len(series.x) - 1,
        }
        for i, (x, error) in enumerate(zip(series.x, series.error, strict=True))
    ]
    return {
        "series": series.name,
        "known": series.known,
        "note": series.note,
        "points": points,
        "refit": _refit(paper, law, series),
        "last": _last(series),
        "floor": _floor(paper, law, series),
    }


def _measured(law: PaperLaw, series: Series) -> tuple[np.ndarray, np.ndarray]:
    keep = slice(None, -1) if law.last_is_dashed else slice(None)
    return np.array(series.x[keep], float), np.array(series.error[keep], float)


def _refit(paper: Paper, law: PaperLaw, series: Series) -> dict[str, Any]:
    """A straight line of log error on log x, through the measured points."""
    x, error = _measured(law, series)
    level, exponent = line(x, error)
    found = {
        "n_points": len(x),
        "scale": float(np.exp(level / exponent))
        * (100 ** (1 / exponent) if law.error_unit == "percent" else 1),
        "exponent": exponent,
        "per_doubling": float(2**-exponent),
        "by_scatter": None,
        "without_one": None,
    }
    if len(x) > 2:
        found["by_scatter"] = _by_scatter(x, error).json()
        others = [line(np.delete(x, i), np.delete(error, i))[1] for i in range(len(x))]
        found["without_one"] = [min(others), max(others)]
    for name, drawn in _noise(paper, law.name, series.name, error).items():
        slopes, _ = np.polyfit(np.log(x), np.log(drawn).T, 1)
        found[name] = Interval.of(exponent, -slopes).json()
    return found


def line(x: np.ndarray, error: np.ndarray) -> tuple[float, float]:
    """Least squares of log error on log x: the log of the error at x = 1, and the exponent."""
    slope, level = np.polyfit(np.log(x), np.log(error), 1)
    return float(level), float(-slope)


def _by_scatter(x: np.ndarray, error: np.ndarray) -> Interval:
    """The exponent with Student's t intervals: what the distance of so few points from their line allows."""
    from scipy.stats import t

    level, exponent = line(x, error)
    centred = np.log(x) - np.log(x).mean()
    residual = np.log(error) - (level - exponent * np.log(x))
    freedom = len(x) - 2
    sd = float(np.sqrt((residual @ residual) / freedom / (centred @ centred)))
    bounds = exponent + sd * t.ppf(LEVELS, freedom)
    return _interval(exponent, bounds)


def _interval(estimate: float, bounds: Sequence[float] | np.ndarray) -> Interval:
    low95, low80, high80, high95 = (float(bound) for bound in bounds)
    return Interval(estimate=estimate, low95=low95, low80=low80, high80=high80, high95=high95)


def _noise(paper: Paper, law: str, series: str, error: np.ndarray) -> dict[str, np.ndarray]:
    """Errors as they might have been read or come out, (N_DRAWS, points) each.

    Test words are drawn anew for every point. They were the same ones, which moves all points together
    and their slope less: the interval is the widest that so many words can make it.
    """
    rng = stream(0, "paper", law, series)
    read = error + rng.uniform(-paper.reading_error, paper.reading_error, (N_DRAWS, len(error)))
    words = rng.binomial(paper.n_test_words, error, (N_DRAWS, len(error))) / paper.n_test_words
    return {"by_reading": read, "by_test_words": words}


def _last(series: Series) -> dict[str, Any] | None:
    """The last point from those before it, with and without a floor; None where they are fewer than three."""
    from scipy.stats import t

    x, error = np.array(series.x, float), np.array(series.error, float)
    if len(x) < 4:
        return None
    level, exponent = line(x[:-1], error[:-1])
    logs = np.log(x[:-1])
    at, centred, freedom = np.log(x[-1]) - logs.mean(), logs - logs.mean(), len(logs) - 2
    residual = np.log(error[:-1]) - (level - exponent * logs)
    spread = (residual @ residual) / freedom * (1 + 1 / len(logs) + at**2 / (centred @ centred))
    predicted = level - exponent * np.log(x[-1])
    bounds = np.exp(predicted + np.sqrt(spread) * t.ppf(LEVELS, freedom))
    found = {
        "x": float(x[-1]),
        "error": float(error[-1]),
        "label": series.label[-1] if series.label else "",
        "predicted": _interval(float(np.exp(predicted)), bounds).json(),
        "with_floor": None,
    }
    if len(logs) >= FLOOR_POINTS:
        floor, part, power = floored(x[:-1], error[None, :-1])
        found["with_floor"] = float((floor + part * x[-1] ** -power)[0])
    return found


def _floor(paper: Paper, law: PaperLaw, series: Series) -> dict[str, Any]:
    """The same points with a floor, and both laws at ten times the largest of them."""
    x, error = _measured(law, series)
    if len(x) < FLOOR_POINTS:
        return {"refused": f"a law with a floor needs {FLOOR_POINTS} or more points, got {len(x)}"}
    floor, part, exponent = floored(x, error[None])
    both = sum(_noise(paper, law.name, series.name, error).values()) - error
    floors, parts, exponents = floored(x, both)
    far = 10 * x[-1]
    level, plain = line(x, error)
    return {
        "floor": Interval.of(floor[0], floors).json(),
        "exponent": Interval.of(exponent[0], exponents).json(),
        "far": float(far),
        "error_far": Interval.of((floor + part * far**-exponent)[0], floors + parts * far**-exponents).json(),
        "error_far_without": float(np.exp(level) * far**-plain),
    }


def floored(x: np.ndarray, errors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Fit ``floor + part x^-exponent``, floor and part 0 or more, by least squares of relative errors.

    For each exponent tried the rest is linear and solved exactly, so there are no starts to be lucky with
    (variable projection, as in arXiv 2603.22339).

    Args:
        x: (points,).
        errors: One set of errors a row, (B, points), above 0.

    Returns:
        Floors, parts and exponents, (B,) each.
    """
    middle = np.exp(np.log(x).mean())
    shape = (x / middle) ** -EXPONENTS[:, None]  # (exponents, points)
    weight = errors**-2.0
    s0, s1, s2 = weight.sum(1)[:, None], weight @ shape.T, weight @ (shape**2).T  # (B, exponents)
    y0, y1 = (weight * errors).sum(1)[:, None], (weight * errors) @ shape.T
    det = s0 * s2 - s1**2
    floor, part = (s2 * y0 - s1 * y1) / det, (s0 * y1 - s1 * y0) / det
    flat, none = part < 0, floor < 0
    floor, part = np.where(flat, y0 / s0, floor), np.where(flat, 0.0, part)
    floor, part = np.where(none, 0.0, floor), np.where(none, y1 / s2, part)
    loss = -2 * (floor * y0 + part * y1) + floor**2 * s0 + 2 * floor * part * s1 + part**2 * s2
    best, rows = loss.argmin(1), np.arange(len(errors))
    exponent = EXPONENTS[best]
    return floor[rows, best], part[rows, best] * middle**exponent, exponent
