"""How sure an AUC is, and whether two detectors differ on the same media: DeLong's way, and the paired bootstrap's."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, logit
from scipy.stats import norm, rankdata

from core.metrics.ranking import Ranked, roc_auc, weighted_auc
from core.metrics.resampling import NO_INTERVAL, enough, interval_of, resampled_weights

Floats = NDArray[np.float64]
NO_ERROR = 1e-12
"""A standard error below this is none that the formula knows of: all samples like this one would give the same."""


@dataclass(frozen=True)
class Difference:
    """Two AUC on the same media.

    Attributes:
        first: AUC of the first.
        second: AUC of the second.
        low: Lower end of the 95 % interval of first - second, -1..1; NaN where it cannot be known.
        high: Its upper end.
        p_value: Two-sided, of no difference; NaN where it cannot be known.
    """

    first: float
    second: float
    low: float
    high: float
    p_value: float

    @property
    def difference(self) -> float:
        return self.first - self.second


def auc_covariance(scores: ArrayLike, labels: ArrayLike) -> tuple[Floats, Floats]:
    """AUC and their covariance for detectors that judged the same items (DeLong, DeLong and Clarke-Pearson 1988).

    By midranks in n log n instead of all pairs (Sun and Xu, IEEE Signal Processing Letters 2014).

    Args:
        scores: (d, n) scores of d detectors.
        labels: (n,) true for fake; at least two of each class.

    Returns:
        AUC (d,) and covariance (d, d).

    Raises:
        ValueError: A class has fewer than two items.
    """
    s, y = np.atleast_2d(np.asarray(scores, dtype=np.float64)), np.asarray(labels, dtype=bool)
    fakes, reals = s[:, y], s[:, ~y]
    m, n = fakes.shape[1], reals.shape[1]
    if min(m, n) < 2:
        raise ValueError(f"two fakes and two reals are the least for a variance, got {m} and {n}")
    together = rankdata(np.hstack([fakes, reals]), axis=1)
    above_reals = (together[:, :m] - rankdata(fakes, axis=1)) / n  # share of reals below each fake
    below_fakes = 1 - (together[:, m:] - rankdata(reals, axis=1)) / m  # share of fakes above each real
    covariance = np.atleast_2d(np.cov(above_reals)) / m + np.atleast_2d(np.cov(below_fakes)) / n
    return above_reals.mean(axis=1), covariance


def auc_standard_error(scores: ArrayLike, labels: ArrayLike) -> float:
    """DeLong's standard error of one AUC; NaN where it knows none, as of an AUC of 0 or 1 or of a single fake."""
    try:
        error = float(np.sqrt(auc_covariance(scores, labels)[1][0, 0]))
    except ValueError:
        return float("nan")
    return error if error >= NO_ERROR else float("nan")


def delong_interval(scores: ArrayLike, labels: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """Interval of an AUC from DeLong's variance on the logit scale, which keeps it inside 0..1.

    NaN where a class has fewer than two items or where the AUC is 0 or 1, of which the formula knows no variance.
    """
    area, error = roc_auc(scores, labels), auc_standard_error(scores, labels)
    if not np.isfinite(error) or not 0 < area < 1:
        return float("nan"), float("nan")
    reach = norm.ppf((1 + level) / 2) * error / (area * (1 - area))
    return float(expit(logit(area) - reach)), float(expit(logit(area) + reach))


def delong_test(first: ArrayLike, second: ArrayLike, labels: ArrayLike) -> Difference:
    """Whether two detectors' AUC differ, each item having been judged by both (DeLong et al. 1988).

    For items that are independent of each other: frames of one film take `paired_bootstrap`. Interval and p-value are
    NaN where there is not `enough` for them, or a gap whose error the formula does not know. Without a gap and without
    an error, as of the same ranking twice, p is 1 and there is no interval.

    Raises:
        ValueError: A class has fewer than two items, or the lengths differ.
    """
    areas, covariance = auc_covariance([np.asarray(first), np.asarray(second)], labels)
    one, other = float(areas[0]), float(areas[1])
    gap = one - other
    error = float(np.sqrt(max(0.0, covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])))
    if not enough(labels):
        return Difference(one, other, *NO_INTERVAL, float("nan"))
    if error < NO_ERROR:
        return Difference(one, other, *NO_INTERVAL, 1.0 if abs(gap) < NO_ERROR else float("nan"))
    reach = float(norm.ppf(0.975)) * error
    low, high = max(-1.0, gap - reach), min(1.0, gap + reach)
    return Difference(one, other, low, high, float(2 * norm.sf(abs(gap) / error)))


def paired_bootstrap(
    first: ArrayLike,
    second: ArrayLike,
    labels: ArrayLike,
    *,
    groups: Sequence[object] | None = None,
    rounds: int = 2000,
    seed: int = 0,
) -> Difference:
    """The same by drawing items, or whole groups, with both detectors' scores on them.

    The p-value is twice the share of samples on the other side of no difference, at least 2 / (rounds + 1). Interval
    and p-value are NaN as in `delong_test`; groups count as in `enough`.
    """
    areas = roc_auc(first, labels), roc_auc(second, labels)
    if not enough(labels, groups):
        return Difference(*areas, *NO_INTERVAL, float("nan"))
    ranked = [Ranked.of(scores, labels) for scores in (first, second)]
    drawn = resampled_weights(labels, groups, rounds=rounds, seed=seed)
    gaps = np.concatenate([weighted_auc(ranked[0], w) - weighted_auc(ranked[1], w) for w in drawn])
    gaps = gaps[np.isfinite(gaps)]
    low, high = interval_of(gaps)
    beyond = min(np.sum(gaps <= 0), np.sum(gaps >= 0))
    p_value = min(1.0, 2 * (float(beyond) + 1) / (len(gaps) + 1))
    known = bool(np.isfinite(low)) or abs(areas[0] - areas[1]) < NO_ERROR
    return Difference(*areas, low, high, p_value if known else float("nan"))
