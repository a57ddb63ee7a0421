"""What comes of thresholds: who is called what, and where both errors are equally frequent."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from core.metrics.ranking import Ranked

VERDICTS = ("real", "uncertain", "fake")


@dataclass(frozen=True)
class Confusion:
    """How many reals and fakes got each verdict, in the order real, uncertain, fake."""

    real: tuple[int, int, int]
    fake: tuple[int, int, int]

    @property
    def accuracy(self) -> float:
        """Share of right verdicts among those that were given, both classes weighing the same; NaN without any.

        What was left uncertain counts neither way.
        """
        right = [counts[at] / judged for counts, at in ((self.real, 0), (self.fake, 2)) if (judged := _judged(counts))]
        return float(np.mean(right)) if len(right) == 2 else float("nan")

    @property
    def uncertain(self) -> float:
        """Share left uncertain; NaN without items."""
        total = sum(self.real) + sum(self.fake)
        return (self.real[1] + self.fake[1]) / total if total else float("nan")


def _judged(counts: tuple[int, int, int]) -> int:
    return counts[0] + counts[2]


def confusion(
    probabilities: ArrayLike,
    labels: ArrayLike,
    real_below: ArrayLike,
    fake_above: ArrayLike,
    *,
    held_back: ArrayLike | None = None,
) -> Confusion:
    """Count verdicts at two thresholds.

    Args:
        probabilities: (n,) P(fake), 0..1.
        labels: (n,) true for fake.
        real_below: Below this a face is called real; one for all, or (n,).
        fake_above: From this on it is called fake; likewise.
        held_back: (n,) true for faces that a quality gate keeps uncertain; by default none.
    """
    p, fake = np.asarray(probabilities, dtype=np.float64), np.asarray(labels, dtype=bool)
    real_below, fake_above = np.asarray(real_below, np.float64), np.asarray(fake_above, np.float64)
    held = np.zeros(len(p), bool) if held_back is None else np.asarray(held_back, dtype=bool)
    called_fake, called_real = (p >= fake_above) & ~held, (p < real_below) & (p < fake_above) & ~held

    def count(members: np.ndarray) -> tuple[int, int, int]:
        low, high = int((members & called_real).sum()), int((members & called_fake).sum())
        return low, int(members.sum()) - low - high, high

    return Confusion(real=count(~fake), fake=count(fake))


def equal_error_rate(scores: ArrayLike, labels: ArrayLike) -> tuple[float, float]:
    """The error rate at the threshold where as large a share of reals is called fake as of fakes real.

    The two rates are steps; where they cross between two thresholds the ROC curve's straight line is followed.

    Returns:
        The rate 0..0.5 or above for a detector worse than chance, and the score at which it is reached; NaN without
        both classes.
    """
    ranked = Ranked.of(scores, labels)
    true, false = (row[0] for row in ranked.counts(np.ones((1, len(ranked.order)))))
    if not true[-1] or not false[-1]:
        return float("nan"), float("nan")
    false_alarm, miss = false / false[-1], 1 - true / true[-1]
    gap = false_alarm - miss  # rises from -1 to 1
    after = int(np.argmax(gap >= 0))
    before = after - 1
    step = -gap[before] / (gap[after] - gap[before])
    rate = false_alarm[before] + step * (false_alarm[after] - false_alarm[before])
    values = np.asarray(scores, dtype=np.float64)[ranked.order][ranked.last]
    return float(rate), float(values[after - 1])


def wilson_interval(count: float, total: float, z: float = 1.959963984540054) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927); (0, 1) for nothing counted."""
    if not total:
        return 0.0, 1.0
    share = count / total
    middle = (share + z**2 / (2 * total)) / (1 + z**2 / total)
    reach = z / (1 + z**2 / total) * np.sqrt(share * (1 - share) / total + z**2 / (4 * total**2))
    return float(max(0.0, middle - reach)), float(min(1.0, middle + reach))
