"""How well probabilities tell fakes from reals. Fakes are the positive class."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import rankdata


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
        return float("nan")
    return float((ranks[positive].sum() - fakes * (fakes + 1) / 2) / (fakes * reals))


def auc_interval(
    scores: ArrayLike, labels: ArrayLike, *, level: float = 0.95, rounds: int = 1000, seed: int = 0
) -> tuple[float, float]:
    """Percentile bootstrap interval of the AUC, reals and fakes resampled apart (Efron 1979)."""
    s, y = np.asarray(scores, dtype=np.float64), np.asarray(labels, dtype=bool)
    fakes, reals = s[y], s[~y]
    if not len(fakes) or not len(reals):
        return float("nan"), float("nan")
    rng = np.random.default_rng(seed)
    truth = np.r_[np.ones(len(fakes), bool), np.zeros(len(reals), bool)]
    draws = [roc_auc(np.r_[rng.choice(fakes, len(fakes)), rng.choice(reals, len(reals))], truth) for _ in range(rounds)]
    low, high = np.quantile(draws, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def expected_calibration_error(probabilities: ArrayLike, labels: ArrayLike, bins: int = 15) -> float:
    """Mean distance between predicted and observed share of fakes over bins of equal count (Naeini et al. 2015)."""
    p, y = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=np.float64)
    parts = np.array_split(np.argsort(p, kind="stable"), bins)
    return float(sum(len(part) * abs(p[part].mean() - y[part].mean()) for part in parts if len(part)) / len(p))
