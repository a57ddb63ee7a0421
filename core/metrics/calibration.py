"""Whether a probability of 0.8 is right eight times in ten, and how far off it is."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import norm

from core.metrics.decisions import wilson_interval
from core.metrics.resampling import NO_INTERVAL, enough, interval_of, resampled_weights

Floats = NDArray[np.float64]
BINS = 15


@dataclass(frozen=True)
class CalibrationBin:
    """Faces of like probability.

    Attributes:
        count: How many.
        predicted: Their mean probability.
        observed: The share of fakes among them.
        low: Lower end of its 95 % interval (Wilson 1927).
        high: Its upper end.
    """

    count: int
    predicted: float
    observed: float
    low: float
    high: float


@dataclass(frozen=True)
class CalibrationError:
    """Expected calibration error with what it rests on; all 0..1.

    Attributes:
        ece: Debiased, mean absolute distance.
        low: Lower end of its 95 % bootstrap interval; NaN where there is not `enough` for one.
        high: Its upper end.
        plain: As measured, which chance alone makes larger.
        rms: Root of the debiased mean squared distance.
    """

    ece: float
    low: float
    high: float
    plain: float
    rms: float


def expected_calibration_error(
    probabilities: ArrayLike,
    labels: ArrayLike,
    bins: int = BINS,
    *,
    weights: ArrayLike | None = None,
    debiased: bool = False,
) -> float:
    """Mean distance between predicted and observed share of fakes, over bins of equal weight (Naeini et al. 2015).

    A well calibrated detector has a distance as well, by chance. `debiased` takes that away as the code published with
    Kumar, Liang and Ma (Verified Uncertainty Calibration, NeurIPS 2019) does for the absolute distance: how much larger
    it would come out if the observed shares were drawn once more, normal around themselves. Theirs draws, this is the
    mean of the folded normal distribution.

    Args:
        probabilities: (n,) P(fake), 0..1.
        labels: (n,) true for fake.
        bins: How many.
        weights: (n,) such as those that make reals weigh as much as fakes; by default 1.
        debiased: Whether to take away what chance adds; never below 0.

    Returns:
        0..1.
    """
    share, gap, spread = _binned(probabilities, labels, weights, bins)
    plain = float(np.sum(share * np.abs(gap)))
    return max(0.0, plain - _chance(share, gap, spread)) if debiased else plain


def calibration_error(
    probabilities: ArrayLike,
    labels: ArrayLike,
    *,
    weights: ArrayLike | None = None,
    groups: Sequence[object] | None = None,
    bins: int = BINS,
    rounds: int = 500,
    seed: int = 0,
) -> CalibrationError:
    """The debiased error with its interval.

    The interval is the percentile bootstrap's, moved by the bootstrap's own estimate of bias: a resample is drawn from
    a sample that has its share of chance already, and would show it twice. `rms` is the unbiased squared error of Kumar
    et al. 2019 (definition 5.2; the reliability of Bröcker 2012 and Ferro and Fricker 2012), its root, 0 when negative.
    """
    share, gap, spread = _binned(probabilities, labels, weights, bins)
    plain = float(np.sum(share * np.abs(gap)))
    tied = np.unique(np.asarray(probabilities)).size < np.size(probabilities)  # copies in a resample are no ties
    raw = plain - _chance(share, gap, spread)
    squared = float(np.sum(share * (gap**2 - spread**2)))
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=bool)
    w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    draws = []
    for drawn in resampled_weights(y, groups, rounds=rounds, seed=seed):
        for counts in drawn:
            kept = np.repeat(np.arange(len(p)), counts.astype(int))
            if y[kept].any() and not y[kept].all():
                parts = _binned(p[kept], y[kept], w[kept], bins, tied)
                draws.append(float(np.sum(parts[0] * np.abs(parts[1]))) - _chance(*parts))
    edges = interval_of(draws) if enough(y, groups) else NO_INTERVAL
    moved = raw - float(np.mean(draws)) if draws else 0.0
    low, high = (float(np.maximum(0.0, edge + moved)) for edge in edges)
    return CalibrationError(max(0.0, raw), low, high, plain, float(np.sqrt(max(0.0, squared))))


def calibration_bins(
    probabilities: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None, bins: int = 10
) -> list[CalibrationBin]:
    """The calibration curve: bins of equal weight, by rising probability; empty ones are left out."""
    p, y, w = _arrays(probabilities, labels, weights)
    found = []
    for members in _bin_members(p, w, bins):
        if len(members):
            observed = float(np.average(y[members], weights=w[members]))
            size = w[members].sum() ** 2 / np.square(w[members]).sum()  # as many equal ones (Kish 1965)
            low, high = wilson_interval(observed * size, float(size))
            predicted = float(np.average(p[members], weights=w[members]))
            found.append(CalibrationBin(len(members), predicted, observed, low, high))
    return found


def brier_score(probabilities: ArrayLike, labels: ArrayLike, *, weights: ArrayLike | None = None) -> float:
    """Mean squared distance of probability and truth, 0 (perfect) .. 1; always saying 0.5 gives 0.25 (Brier 1950)."""
    p, y, w = _arrays(probabilities, labels, weights)
    return float(np.average((p - y) ** 2, weights=w))


def _arrays(probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None) -> tuple[Floats, Floats, Floats]:
    p = np.asarray(probabilities, dtype=np.float64)
    y = np.asarray(labels, dtype=bool).astype(np.float64)
    w = np.ones(len(p)) if weights is None else np.asarray(weights, dtype=np.float64)
    if not len(p) or p.shape != y.shape or p.shape != w.shape:
        raise ValueError(
            f"probabilities, labels and weights must be of one length above 0, got {p.shape}, {y.shape}, {w.shape}"
        )
    return p, y, w


def _bin_members(p: Floats, w: Floats, bins: int, tied: bool = True) -> list[NDArray[np.intp]]:
    """Indices of each bin, by rising probability; empty where a tie takes all of it.

    An edge inside a tie is moved to its end: cut by their order in the file, in which one class mostly comes first,
    faces of one probability would seem to be wrong in both bins. `tied` false: leave the edges where they fall.
    """
    order = np.lexsort((w, p))
    if np.ptp(w) == 0:
        size, more = divmod(len(p), bins)
        edges = size * np.arange(1, bins) + np.minimum(np.arange(1, bins), more)
    else:
        reached = np.cumsum(w[order])
        edges = np.searchsorted(reached, reached[-1] * np.arange(1, bins) / bins, side="left")
    if tied:
        ends = np.searchsorted(p[order], p[order][np.maximum(edges, 1) - 1], side="right")
        edges = np.where(edges, ends, 0)
    return np.split(order, edges)


def _binned(
    probabilities: ArrayLike, labels: ArrayLike, weights: ArrayLike | None, bins: int, tied: bool = True
) -> tuple[Floats, Floats, Floats]:
    """Of each bin: its share of the weight, observed minus predicted, and the standard error of what was observed."""
    p, y, w = _arrays(probabilities, labels, weights)
    rows = []
    for members in _bin_members(p, w, bins, tied):
        if len(members):
            part, total = w[members], w[members].sum()
            observed = float(np.average(y[members], weights=part))
            size = max(2.0, float(total**2 / np.square(part).sum()))
            gap = observed - float(np.average(p[members], weights=part))
            rows.append((total, gap, np.sqrt(observed * (1 - observed) / (size - 1))))
    share, gap, spread = np.array(rows).T
    return share / share.sum(), gap, spread


def _chance(share: Floats, gap: Floats, spread: Floats) -> float:
    """By how much the mean absolute gap grows when normal noise is added: the folded normal's mean, minus the gap."""
    size, sigma = np.abs(gap), np.maximum(spread, 1e-12)
    folded = sigma * np.sqrt(2 / np.pi) * np.exp(-(size**2) / (2 * sigma**2)) + size * (1 - 2 * norm.cdf(-size / sigma))
    return float(np.sum(share * (folded - size)))
