"""Fit error against the amount of training data: a power law with a floor, and a straight line."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike

from curation.core.errors import UserError

POWER_SIZES, LINE_SIZES = 4, 3  # one more than the parameters, and for the line one to see a bend with
STARTS = tuple(product(np.log([1e-4, 1e-2, 1e-1]), [0.1, 0.3, 0.6, 1.0]))  # log floor, exponent
BOUNDS = ((-20.0, 0.0), (-25.0, 5.0), (0.0, 5.0))  # log floor, log of the rest at the middle size, exponent
STEPS = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class PowerLaw:
    """``error(n) = floor + scale * n ** -exponent``, with ``n`` in training words.

    Attributes:
        floor: Error that no amount of this data removes; a fraction, 0 to 1.
        scale: Error above the floor at one word; dimensionless.
        exponent: Slope on log-log axes; greater is better.
    """

    floor: float
    scale: float
    exponent: float

    def __call__(self, n: ArrayLike) -> np.ndarray:
        return self.floor + self.scale * np.asarray(n, float) ** -self.exponent


@dataclass(frozen=True, kw_only=True, slots=True)
class LogLine:
    """``error(n) = error_first - per_doubling * log2(n / n_first)``: so many points a doubling.

    Attributes:
        n_first: The least number of words among the runs.
        error_first: Error at ``n_first`` on the line; a fraction.
        per_doubling: Accuracy gained each time the words double; a fraction, above 0 is better.
    """

    n_first: float
    error_first: float
    per_doubling: float

    def __call__(self, n: ArrayLike) -> np.ndarray:
        return self.error_first - self.per_doubling * np.log2(np.asarray(n, float) / self.n_first)


def fit_power_law(n_images: ArrayLike, error: ArrayLike, *, delta: float = 1e-3) -> PowerLaw:
    """Fit a power law by robust regression on the log of the error.

    Minimises the sum of Huber losses from a grid of starts and keeps the best.

    Args:
        n_images: Different words in training, shape (R,), one per run, all above 0.
        error: 1 - word accuracy of the same runs, shape (R,), fractions in (0, 1].
        delta: Residual in log error below which the loss is quadratic; dimensionless.

    Returns:
        The best law. Its fields carry no uncertainty: ``refit_power_law`` resamples of the runs for that.

    Raises:
        UserError: fewer than four distinct sizes, which cannot tell three parameters from noise.
        ValueError: the shapes differ or a value is out of range.

    Source:
        Objective after Hoffmann et al. 2022 (arXiv:2203.15556), approach 3, as re-done by Besiroglu et
        al. 2024 (arXiv:2404.10102); minimised by damped Gauss-Newton steps, which reach the optimum
        where their L-BFGS stopped short.
    """
    n, err = _checked(n_images, error)
    _refuse_few("a power law", n, POWER_SIZES)
    middle = float(np.exp(np.log(n).mean()))
    starts = np.array([(floor, np.log(err.mean()), exponent) for floor, exponent in STARTS])
    theta, value = _descend(np.log(n / middle), np.tile(np.log(err), (len(starts), 1)), starts, delta)
    return _law(theta[value.argmin()], middle)


def refit_power_law(
    law: PowerLaw, n_images: ArrayLike, errors: np.ndarray, *, delta: float = 1e-3
) -> list[PowerLaw]:
    """Fit many resamples of runs at once, each from ``law``, which fits the runs themselves.

    Args:
        law: The fit of the runs as they came out.
        n_images: As in ``fit_power_law``, shape (R,).
        errors: One resample a row, shape (B, R).
        delta: As in ``fit_power_law``.
    """
    n = np.asarray(n_images, float)
    middle = float(np.exp(np.log(n).mean()))
    floor = np.log(max(law.floor, 1e-6))
    start = np.array([floor, np.log(max(law.scale * middle**-law.exponent, 1e-9)), law.exponent])
    starts = np.tile(start, (len(errors), 1))
    theta, value = _descend(np.log(n / middle), np.log(errors), starts, delta)
    starts[:, 0] = np.log(1e-2)  # a second start: a law whose floor is far below the runs is a flat valley
    theta_2, value_2 = _descend(np.log(n / middle), np.log(errors), starts, delta)
    best = np.where((value_2 < value)[:, None], theta_2, theta)
    return [_law(row, middle) for row in best]


def fit_log_line(n_images: ArrayLike, error: ArrayLike) -> LogLine:
    """Fit a straight line of error against the logarithm of the words, by least squares.

    It has two parameters and no floor: a summary of the range that was measured, never to be
    extrapolated from. Arguments and errors as in ``fit_power_law``, but three sizes are enough.
    """
    n, err = _checked(n_images, error)
    _refuse_few("a line", n, LINE_SIZES)
    slope, first = np.polyfit(np.log2(n / n.min()), err, 1)
    return LogLine(n_first=float(n.min()), error_first=float(first), per_doubling=-float(slope))


def _law(theta: np.ndarray, middle: float) -> PowerLaw:
    log_floor, log_part, exponent = theta.tolist()
    scale = float(np.exp(log_part + exponent * np.log(middle)))
    return PowerLaw(floor=float(np.exp(log_floor)), scale=scale, exponent=exponent)


def _descend(
    log_n: np.ndarray, log_err: np.ndarray, theta: np.ndarray, delta: float
) -> tuple[np.ndarray, np.ndarray]:
    """Damped Gauss-Newton (Levenberg-Marquardt) on the Huber loss, all rows of ``theta`` side by side.

    Args:
        log_n: Log of the sizes over their middle, (R,); centred, so that scale and exponent do not mix.
        log_err: (B, R).
        theta: Starts (B, 3): log floor, log of the error above the floor at the middle size, exponent.
        delta: Huber threshold.

    Returns:
        Where each row ended, (B, 3), and its loss, (B,).
    """
    low, high = np.array(BOUNDS).T
    damping = np.full(len(theta), 1e-2)
    value, jacobian, residual = _loss(log_n, log_err, theta, delta)
    for _ in range(STEPS):
        weight = delta / np.maximum(np.abs(residual), delta)
        weighted = jacobian * weight[..., None]
        normal = np.einsum("bri,brj->bij", weighted, jacobian)
        slope = np.einsum("bri,br->bi", weighted, residual)
        ridge = normal.diagonal(axis1=1, axis2=2) * damping[:, None] + 1e-9
        step = np.linalg.solve(normal + ridge[..., None] * np.eye(3), slope[..., None])[..., 0]
        tried = np.clip(theta - step, low, high)
        value_2, jacobian_2, residual_2 = _loss(log_n, log_err, tried, delta)
        better = value_2 < value
        gain = np.where(better, value - value_2, 0.0)
        theta = np.where(better[:, None], tried, theta)
        jacobian = np.where(better[:, None, None], jacobian_2, jacobian)
        residual = np.where(better[:, None], residual_2, residual)
        value = np.where(better, value_2, value)
        damping = np.clip(np.where(better, damping / 3, damping * 4), 1e-9, 1e9)
        if (gain <= 1e-9 * value).all() and (better | (damping > 1e6)).all():
            break
    return theta, value


def _loss(
    log_n: np.ndarray, log_err: np.ndarray, theta: np.ndarray, delta: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sum of Huber losses (B,), derivative of the prediction (B, R, 3), residual (B, R)."""
    log_floor, log_part, exponent = theta.T[..., None]
    predicted = np.logaddexp(log_floor, log_part - exponent * log_n)
    residual = predicted - log_err
    size = np.abs(residual)
    value = np.where(size <= delta, residual**2 / 2, delta * (size - delta / 2)).sum(axis=1)
    of_floor = np.exp(log_floor - predicted)  # share of the prediction that is the floor
    jacobian = np.stack([of_floor, 1 - of_floor, -(1 - of_floor) * log_n], axis=2)
    return value, jacobian, residual


def _checked(n_images: ArrayLike, error: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    n, err = np.asarray(n_images, float), np.asarray(error, float)
    if n.shape != err.shape or n.ndim != 1:
        raise ValueError(f"n_images and error must both be (R,), got {n.shape} and {err.shape}")
    if not ((n > 0).all() and (err > 0).all() and (err <= 1).all()):  # written so that NaN fails too
        raise ValueError("n_images must be above 0 and error in (0, 1]")
    return n, err


def _refuse_few(law: str, n: np.ndarray, least: int) -> None:
    if (sizes := len(np.unique(n))) < least:
        raise UserError(f"{law} needs runs at {least} or more data sizes, got {sizes}; train more sizes")
