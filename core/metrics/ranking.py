"""How well scores put fakes above reals: ROC and precision-recall curves, their areas, and bands around them."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

from core.metrics.resampling import NO_INTERVAL, enough, interval_of, resampled_weights

Floats = NDArray[np.float64]
NO_NUMBER = float("nan")
GRID = 101
Points = Callable[[Floats, Floats], Floats]
"""A curve's height on its grid, from true and false positives at falling thresholds."""


@dataclass(frozen=True)
class Curve:
    """A curve on an even grid with its pointwise bootstrap band.

    Attributes:
        x: (g,) false positive rate or recall, 0..1.
        y: (g,) true positive rate or precision, 0..1.
        low: (g,) lower edge of the band; NaN where there is not `enough` for one.
        high: (g,) upper edge.
    """

    x: Floats
    y: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True)
class Ranked:
    """Items sorted by falling score, and where the last item of each tied score stands."""

    order: NDArray[np.intp]
    fake: NDArray[np.bool_]
    last: NDArray[np.intp]

    @classmethod
    def of(cls, scores: ArrayLike, labels: ArrayLike) -> "Ranked":
        s, y = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=bool)
        if s.ndim != 1 or s.shape != y.shape:
            raise ValueError(f"scores and labels must be of one length, got {s.shape} and {y.shape}")
        order = np.argsort(-s, kind="stable")
        return cls(order, y[order], np.flatnonzero(np.r_[s[order][1:] != s[order][:-1], True][: len(s)]))

    def counts(self, weights: Floats) -> tuple[Floats, Floats]:
        """True and false positives (k, t + 1) at each threshold from above all scores downwards, weights (k, n)."""
        ordered = weights[:, self.order]
        zero = np.zeros((len(weights), 1))
        true = np.cumsum(ordered * self.fake, axis=1)[:, self.last]
        false = np.cumsum(ordered * ~self.fake, axis=1)[:, self.last]
        return np.hstack([zero, true]), np.hstack([zero, false])


def roc_auc(scores: ArrayLike, labels: ArrayLike) -> float:
    """Area under the ROC curve: how often a random fake scores above a random real, ties half (Mann-Whitney U).

    Args:
        scores: (n,) any increasing measure of being fake.
        labels: (n,) true for fake.

    Returns:
        0..1; NaN when a class is missing.
    """
    ranks, positive = rankdata(np.asarray(scores, dtype=np.float64)), np.asarray(labels, dtype=bool)
    fakes, reals = int(positive.sum()), int((~positive).sum())
    if not fakes or not reals:
        return NO_NUMBER
    return float((ranks[positive].sum() - fakes * (fakes + 1) / 2) / (fakes * reals))


def auc_interval(
    scores: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Sequence[object] | None = None,
    level: float = 0.95,
    rounds: int = 1000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile bootstrap interval of the AUC, reals and fakes or whole groups resampled.

    NaN where fewer than `LEAST_EACH` groups hold one class (without groups: items), or where all samples give one AUC,
    as a perfect one.
    """
    if not enough(labels, groups):
        return NO_INTERVAL
    ranked = Ranked.of(scores, labels)
    drawn = resampled_weights(labels, groups, rounds=rounds, seed=seed)
    return interval_of(np.concatenate([weighted_auc(ranked, weights) for weights in drawn]), level)


def weighted_auc(ranked: Ranked, weights: Floats) -> Floats:
    """AUC (k,) under each row of weights (k, n); NaN where a class has none."""
    true, false = ranked.counts(weights)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.trapezoid(true, false, axis=1) / (true[:, -1] * false[:, -1])


def average_precision(scores: ArrayLike, labels: ArrayLike) -> float:
    """Mean precision over the fakes, for as many fakes as reals; NaN without both classes.

    Without interpolation, as scikit-learn has it under weights that make both classes weigh the same. At the base rate
    of a folder with ten times as many fakes, chance alone would reach 0.91; so it is 0.5, as in `pr_curve`.
    """
    if not _both(labels):
        return NO_NUMBER
    true, false = (row[0] for row in Ranked.of(scores, labels).counts(np.ones((1, np.size(labels)))))
    recall, fallout = true / true[-1], false / false[-1]
    return float(np.sum(np.diff(recall) * recall[1:] / (recall + fallout)[1:]))


def roc_curve(
    scores: ArrayLike, labels: ArrayLike, *, groups: Sequence[object] | None = None, rounds: int = 500, seed: int = 0
) -> Curve:
    """True over false positive rate on an even grid, with the 95 % band of the true positive rate at each point.

    Raises:
        ValueError: A class is missing.
    """
    grid = np.linspace(0, 1, GRID)

    def points(true: Floats, false: Floats) -> Floats:
        return np.interp(grid, *_steepest(false / false[-1], true / true[-1]))

    return _curve(grid, points, scores, labels, groups, rounds, seed)


def pr_curve(
    scores: ArrayLike, labels: ArrayLike, *, groups: Sequence[object] | None = None, rounds: int = 500, seed: int = 0
) -> Curve:
    """Precision over recall on an even grid, for as many fakes as reals, with its 95 % band.

    Precision depends on how many fakes there are; with both classes weighing the same, sources can be compared, and
    chance is always a half. Between two thresholds it follows the ROC segment (Davis and Goadrich 2006), not a line.

    Raises:
        ValueError: A class is missing.
    """
    grid = np.linspace(0, 1, GRID)

    def points(true: Floats, false: Floats) -> Floats:
        recall, fallout = true / true[-1], false / false[-1]
        # where recall stands still only the first, lowest fallout counts
        first = np.r_[True, np.diff(recall) > 0]
        fallen = np.interp(grid, recall[first], fallout[first])
        with np.errstate(invalid="ignore"):
            precision = np.asarray(grid / (grid + fallen), dtype=np.float64)
        # the limit at recall 0: the slope with which the curve leaves it
        precision[0] = precision[1]
        return precision

    return _curve(grid, points, scores, labels, groups, rounds, seed)


def _curve(
    grid: Floats,
    points: Points,
    scores: ArrayLike,
    labels: ArrayLike,
    groups: Sequence[object] | None,
    rounds: int,
    seed: int,
) -> Curve:
    if not _both(labels):
        raise ValueError("a curve needs reals and fakes")
    ranked = Ranked.of(scores, labels)
    true, false = ranked.counts(np.ones((1, len(ranked.order))))
    low, high = np.full((2, len(grid)), NO_NUMBER)
    if enough(labels, groups):
        band = np.array(list(_resampled(ranked, points, labels, groups, rounds, seed)))
        low, high = np.quantile(band, [0.025, 0.975], axis=0)
    return Curve(grid, points(true[0], false[0]), low, high)


def _resampled(
    ranked: Ranked, points: Points, labels: ArrayLike, groups: Sequence[object] | None, rounds: int, seed: int
) -> Iterator[Floats]:
    for weights in resampled_weights(labels, groups, rounds=rounds, seed=seed):
        for true, false in zip(*ranked.counts(weights), strict=True):
            if true[-1] and false[-1]:
                yield points(true, false)


def _steepest(fallout: Floats, recall: Floats) -> tuple[Floats, Floats]:
    """The same steps with the highest recall at each fallout, as interpolation needs rising x."""
    last = np.r_[np.diff(fallout) > 0, True]
    return fallout[last], recall[last]


def _both(labels: ArrayLike) -> bool:
    fake = np.asarray(labels, dtype=bool)
    return bool(fake.any() and not fake.all())
