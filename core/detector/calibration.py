"""What a detector's numbers mean: Platt scaling, and the two thresholds between which a face stays uncertain."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

from core.detector.spec import Calibration, Thresholds

Floats = NDArray[np.float64]
MIN_SLOPE = 1e-3
EVEN_ODDS = (0.4, 0.6)
LEAST_OF_SOURCE = 20
FURTHEST_LIMIT = 0.995
"""A limit beyond this would call next to nothing fake: it is not set for the sake of one source."""


def fit_platt(logits: ArrayLike, labels: ArrayLike, sample_weight: ArrayLike | None = None) -> Calibration:
    """The slope and intercept that make sigmoid(slope * logit + intercept) a probability (Platt, 1999).

    Maximum likelihood on Platt's smoothed targets, (n₁ + 1) / (n₁ + 2) for fakes and 1 / (n₀ + 2) for reals, which keep
    the slope finite where the classes are told apart without an error.

    Args:
        logits: (n,) log-odds of fake.
        labels: (n,) 1 or True for fake, 0 for real; both must occur.
        sample_weight: (n,) positive weights, such as those that make both classes equally frequent; by default 1.

    Raises:
        ValueError: The lengths differ, a class is missing, or a number is not finite.
    """
    x, fake, weight = _checked(logits, labels, sample_weight)
    n1, n0 = _effective_count(weight[fake]), _effective_count(weight[~fake])
    target = np.where(fake, (n1 + 1) / (n1 + 2), 1 / (n0 + 2))
    centre, spread = float(np.average(x, weights=weight)), float(x.std()) or 1.0
    scaled = (x - centre) / spread  # so that one step size suits both parameters

    def loss(parameters: Floats) -> tuple[float, Floats]:
        z = parameters[0] * scaled + parameters[1]
        error = weight * (expit(z) - target)
        value = np.sum(weight * (np.logaddexp(0, z) - target * z))
        return float(value), np.array([np.sum(error * scaled), np.sum(error)])

    least = MIN_SLOPE * spread
    result = minimize(loss, [max(1.0, least), 0.0], jac=True, method="L-BFGS-B", bounds=[(least, None), (None, None)])
    slope = float(result.x[0]) / spread
    return Calibration(slope=slope, intercept=float(result.x[1]) - slope * centre)


def choose_thresholds(
    probabilities: ArrayLike, labels: ArrayLike, max_error: float = 0.05, sample_weight: ArrayLike | None = None
) -> Thresholds:
    """The widest verdicts whose errors stay bounded.

    `fake_above` is the lowest limit from which on at most `max_error` of the reals lie; `real_below` the highest limit
    below which at most `max_error` of the fakes lie. However well a detector tells the classes apart, what it gives
    nearly even odds stays uncertain: neither limit enters the band from 0.4 to 0.6.

    Args:
        probabilities: (n,) calibrated P(fake), 0..1.
        labels: (n,) 1 or True for fake, 0 for real; both must occur.
        max_error: Share of each class that may get the other one's verdict, 0..1.
        sample_weight: (n,) positive weights; by default 1.

    Raises:
        ValueError: The lengths differ, a class is missing, a number is not finite or not 0..1.
    """
    p, fake, weight = _checked(probabilities, labels, sample_weight)
    if not 0 <= max_error < 1 or p.min() < 0 or p.max() > 1:
        raise ValueError("max_error must be in 0..1 below 1, and probabilities in 0..1")
    fake_above = _limit(p[~fake], weight[~fake], max_error)
    real_below = 1 - _limit(1 - p[fake], weight[fake], max_error)
    return Thresholds(real_below=min(real_below, EVEN_ODDS[0]), fake_above=max(fake_above, EVEN_ODDS[1]))


def fake_above_by_source(
    probabilities: ArrayLike, labels: ArrayLike, sources: Sequence[str], max_error: float = 0.05
) -> float:
    """The lowest limit from which on at most `max_error` of each source's reals lie: the worst source counts.

    What is pooled hides that one source's reals are called fake three times as often as the others'. The price is
    that more stays uncertain. A source that only a limit above 0.995 would bound sets none, since next to nothing would
    be called fake any more; where all are such, the limit is 1.

    Args:
        probabilities: (n,) calibrated P(fake), 0..1.
        labels: (n,) 1 or True for fake, 0 for real; both must occur.
        sources: (n,) where each comes from. Sources with fewer than 20 reals are taken together.
        max_error: Share of each source's reals that may be called fake.

    Raises:
        ValueError: As `choose_thresholds`.
    """
    p, fake, _ = _checked(probabilities, labels, None)
    if not 0 <= max_error < 1 or p.min() < 0 or p.max() > 1 or len(sources) != len(p):
        raise ValueError("max_error must be in 0..1 below 1, probabilities in 0..1, and every one needs its source")
    reals, names = p[~fake], np.asarray(sources, dtype=str)[~fake]
    small = [name for name in np.unique(names) if (names == name).sum() < LEAST_OF_SOURCE]
    names = np.where(np.isin(names, small), "small sources", names)
    of_each = [reals[names == name] for name in np.unique(names)]
    limits = [_limit(values, np.ones(len(values)), max_error) for values in of_each]
    return max([limit for limit in limits if limit <= FURTHEST_LIMIT], default=1.0)


def _limit(values: Floats, weight: Floats, max_error: float) -> float:
    """The lowest limit from which on (>=) at most `max_error` of the weight lies, just above an observed value."""
    order = np.argsort(-values)
    share = np.cumsum(weight[order]) / weight.sum()
    over = np.flatnonzero(share > max_error + 1e-12)
    return float(min(1.0, np.nextafter(values[order[over[0]]], 2.0)))


def _effective_count(weight: Floats) -> float:
    """How many equal samples weigh as much (Kish, 1965)."""
    return float(weight.sum() ** 2 / np.square(weight).sum())


def _checked(
    numbers: ArrayLike, labels: ArrayLike, sample_weight: ArrayLike | None
) -> tuple[Floats, NDArray[np.bool_], Floats]:
    x = np.asarray(numbers, dtype=np.float64)
    fake = np.asarray(labels).astype(bool)
    weight = np.ones_like(x) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if x.ndim != 1 or x.shape != fake.shape or x.shape != weight.shape:
        raise ValueError(
            f"numbers, labels and weights must be of one length, got {x.shape}, {fake.shape}, {weight.shape}"
        )
    if not fake.any() or fake.all():
        raise ValueError("labels must hold both classes, 0 for real and 1 for fake")
    if not np.isfinite(x).all() or not np.isfinite(weight).all() or weight.min() <= 0:
        raise ValueError("numbers must be finite, and weights finite and above 0")
    return x, fake, weight
