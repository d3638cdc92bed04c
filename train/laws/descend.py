"""Find the law that makes the counted words likeliest: many starts, scales solved, all side by side."""

from __future__ import annotations

from itertools import combinations

import numpy as np
from scipy.special import xlogy

from train.laws.base import Columns, Floats, Form

LOW, HIGH = 1e-6, 0.999  # errors between which the likelihood is taken as it is; laws may leave 0 to 1
STEPS = 300
CANDIDATES, STARTS = 400, 16  # shapes whose scales are solved, and those of them that are followed down
DONE = 1e-9  # a step that lowers the deviance by less than this share of it, plus 1, is the last


def deviance(predicted: Floats, error: Floats, weight: Floats) -> tuple[Floats, Floats, Floats]:
    """Binomial deviance of errors that are shares of ``weight`` words, and its slopes.

    Beyond ``LOW`` and ``HIGH`` it goes on as the parabola that touches it there, so that a law which leaves
    0 to 1 on the way is led back.

    Returns:
        The deviance of each fit, shape (B,), then half its first derivative by the prediction and half its
        expected second one, both (B, C).
    """
    at = predicted.clip(LOW, HIGH)
    curve = weight / (at * (1 - at))
    slope = (at - error) * curve
    beyond = predicted - at
    fit = xlogy(error, error / at) + xlogy(1 - error, (1 - error) / (1 - at))
    value = 2 * (weight * fit + slope * beyond + curve * beyond**2 / 2).sum(axis=-1)
    return value, slope + curve * beyond, curve


def solve_scales(terms: Floats, error: Floats, weight: Floats) -> tuple[Floats, Floats]:
    """The scales of 0 or more that come nearest to the errors, by weighted least squares.

    Every subset of the terms is solved, and the best without a negative scale is kept: exact, and quick for
    the three terms that a law here has at most.

    Args:
        terms: Of K candidate shapes, (K, C, L).
        error: Of B sets of cells, (B, C).
        weight: (C,).

    Returns:
        Scales (B, K, L), and the weighted sum of squares that they leave, (B, K).
    """
    n_terms = terms.shape[2]
    size = np.sqrt(np.einsum("kcl,c->kl", terms**2, weight)) + 1e-300
    unit = terms / size[:, None]
    normal = np.einsum("kcl,c,kcm->klm", unit, weight, unit)
    right = np.einsum("kcl,bc->bkl", unit, weight * error)
    total = (weight * error**2).sum(axis=1)[:, None]
    best, least = np.zeros(right.shape), np.repeat(total, len(terms), axis=1)
    for n in range(1, n_terms + 1):
        for some in map(list, combinations(range(n_terms), n)):
            inverse = np.linalg.inv(normal[:, some][:, :, some] + 1e-10 * np.eye(n))
            found = np.einsum("kij,bkj->bki", inverse, right[..., some])
            left = total - (found * right[..., some]).sum(axis=2)
            better = (found >= 0).all(axis=2) & (left < least)
            least = np.where(better, left, least)
            full = np.zeros(right.shape)
            full[..., some] = found
            best = np.where(better[..., None], full, best)
    return best / size, least


def starts(
    form: Form,
    columns: Columns,
    error: Floats,
    weight: Floats,
    rng: np.random.Generator,
    *,
    candidates: int = CANDIDATES,
    n: int = STARTS,
) -> Floats:
    """Places to descend from, for each set of errors: shapes drawn, scales solved, the best kept.

    Args:
        form: The law.
        columns: Each (C,).
        error: (B, C).
        weight: (C,), 0 for cells to leave out.
        rng: Draws the shapes, evenly over their bounds, each in a stratum of its own.
        candidates: How many shapes are drawn.
        n: How many of them are kept.

    Returns:
        (B, n, L + Q).
    """
    low, high = form.bounds.T
    strata = np.stack([rng.permutation(candidates) for _ in low], axis=1)
    shapes = low + (strata + rng.uniform(size=strata.shape)) / candidates * (high - low)
    terms, _ = form.terms(shapes, columns)
    near = error.mean(axis=0).clip(1e-3, 1 - 1e-3)
    scales, left = solve_scales(terms, error, weight / (near * (1 - near)))
    kept = np.argsort(left, axis=1, kind="stable")[:, :n]
    chosen = np.take_along_axis(scales, kept[..., None], axis=1)
    return np.concatenate([chosen, shapes[kept]], axis=2)


def descend(
    form: Form, columns: Columns, error: Floats, weight: Floats, theta: Floats
) -> tuple[Floats, Floats]:
    """Damped Fisher scoring (Levenberg-Marquardt) from each start, all rows side by side.

    Args:
        form: The law.
        columns: Each (C,).
        error: (B, C).
        weight: (C,) or (B, C), words, 0 for cells to leave out.
        theta: Starts (B, L + Q): scales, then shapes.

    Returns:
        Where each row ended, (B, L + Q), and its deviance, (B,).
    """
    theta = theta.copy()
    value = np.empty(len(theta))
    rows = np.arange(len(theta))
    state = _State(form, columns, error, weight, theta)
    for _ in range(STEPS):
        state.step()
        done = state.done()
        if done.any():
            theta[rows[done]], value[rows[done]] = state.theta[done], state.value[done]
            rows = rows[~done]
            state.keep(~done)
        if not len(rows):
            break
    theta[rows], value[rows] = state.theta, state.value
    return theta, value


class _State:
    """Rows still on their way down."""

    def __init__(self, form: Form, columns: Columns, error: Floats, weight: Floats, theta: Floats) -> None:
        self.form, self.columns, self.error = form, columns, error
        self.weight = np.broadcast_to(weight, error.shape)
        limits = np.concatenate([np.tile([0.0, 1e6], (form.n_scales, 1)), form.bounds])
        self.low, self.high = limits.T
        self.theta = theta.clip(self.low, self.high)
        self.damping, self.small = np.full(len(theta), 1e-3), np.zeros(len(theta), int)
        self.value, self.slope, self.normal = self._look(self.theta)

    def keep(self, mask: np.ndarray) -> None:
        for name in ("error", "weight", "theta", "damping", "small", "value", "slope", "normal"):
            setattr(self, name, getattr(self, name)[mask])

    def done(self) -> np.ndarray:
        found: np.ndarray = (self.small >= 2) | (self.damping > 1e8)
        return found

    def step(self) -> None:
        stuck = ((self.theta <= self.low) & (self.slope > 0)) | ((self.theta >= self.high) & (self.slope < 0))
        free = ~stuck
        normal = self.normal * (free[:, :, None] & free[:, None, :])
        own = normal.diagonal(axis1=1, axis2=2)
        ridge = own * self.damping[:, None] + 1e-12 * own.max(axis=1, keepdims=True) + stuck + 1e-300
        normal = normal + ridge[..., None] * np.eye(len(self.low))
        tried = self.theta - np.linalg.solve(normal, (self.slope * free)[..., None])[..., 0]
        tried = tried.clip(self.low, self.high)
        value, slope, normal = self._look(tried)
        better = value <= self.value
        gain = np.where(better, self.value - value, np.inf)
        self.small = np.where(gain <= DONE * (1 + self.value), self.small + 1, 0)
        self.damping = np.where(better, np.maximum(self.damping / 4, 1e-9), self.damping * 5)
        self.theta = np.where(better[:, None], tried, self.theta)
        self.slope = np.where(better[:, None], slope, self.slope)
        self.normal = np.where(better[:, None, None], normal, self.normal)
        self.value = np.where(better, value, self.value)

    def _look(self, theta: Floats) -> tuple[Floats, Floats, Floats]:
        scales, shapes = np.split(theta, [self.form.n_scales], axis=1)
        terms, slopes = self.form.terms(shapes, self.columns)
        predicted = (terms @ scales[..., None])[..., 0]
        by_shape = np.einsum("bclq,bl->bcq", slopes, scales)
        jacobian = np.concatenate([terms, by_shape], axis=2)
        value, slope, curve = deviance(predicted, self.error, self.weight)
        turned = jacobian.swapaxes(1, 2)
        return value, (turned @ slope[..., None])[..., 0], turned @ (jacobian * curve[..., None])


def best_of(
    form: Form, columns: Columns, error: Floats, weight: Floats, begin: Floats
) -> tuple[Floats, Floats, Floats]:
    """Descend from several starts of each set of errors and keep the best.

    Args:
        form: The law.
        columns: Each (C,).
        error: (B, C).
        weight: (C,) or (B, C).
        begin: (B, S, L + Q).

    Returns:
        The best (B, L + Q), its deviance (B,), and the deviances of all starts (B, S).
    """
    n_sets, n_starts, n_values = begin.shape
    errors, weights = (np.repeat(np.broadcast_to(x, error.shape), n_starts, axis=0) for x in (error, weight))
    theta, value = descend(form, columns, errors, weights, begin.reshape(-1, n_values))
    value = value.reshape(n_sets, n_starts)
    best = value.argmin(axis=1)
    one = np.arange(n_sets)
    return theta.reshape(begin.shape)[one, best], value[one, best], value
