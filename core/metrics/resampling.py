"""The bootstrap, as weights: how often each item was drawn. One sorted pass then serves a thousand samples."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
CHUNK_NUMBERS = 4_000_000
"""Weights made at a time: 32 MB, however many items and rounds there are."""
LEAST_EACH = 10
"""Items of each class, or groups that hold some of it, below which no interval is given: so few, drawn again, mostly
give what they gave, and hardly any width would read as certainty. Ten real faces that are all judged rightly may still
mean three errors in ten; of four films with 25 frames each, 95 % intervals held the truth in three trials of four."""
NO_INTERVAL = (float("nan"), float("nan"))


def resampled_weights(
    labels: ArrayLike, groups: Sequence[object] | None = None, *, rounds: int = 1000, seed: int = 0
) -> Iterator[Floats]:
    """Bootstrap samples (Efron 1979) as counts, in chunks of rounds.

    Args:
        labels: (n,) true for fake. Without groups, reals and fakes are drawn apart, so that no sample lacks a class.
        groups: (n,) what belongs together, such as the frames of one video: then whole groups are drawn (the cluster
            bootstrap; Field and Welsh 2007), since frames of one film say less than as many films. None, or groups of
            one item each, mean that every item stands for itself. So it does in a single group, of which there is
            nothing else to draw, but no interval rests on that: `enough` asks for several.
        rounds: How many samples.
        seed: The same one gives the same samples.

    Yields:
        (k, n) how often each item is in each of k samples, float64.
    """
    fake = np.asarray(labels, dtype=bool)
    rng = np.random.default_rng(seed)
    step = max(1, CHUNK_NUMBERS // max(1, len(fake)))
    names, member = np.unique([str(group) for group in (() if groups is None else groups)], return_inverse=True)
    size = len(names)
    for start in range(0, rounds, step):
        count = min(step, rounds - start)
        if 1 < size < len(fake):
            yield rng.multinomial(size, np.full(size, 1 / size), count).astype(np.float64)[:, member]
        else:
            yield _drawn_apart(fake, count, rng)


def _drawn_apart(fake: NDArray[np.bool_], count: int, rng: np.random.Generator) -> Floats:
    weights = np.zeros((count, len(fake)))
    for members in (np.flatnonzero(fake), np.flatnonzero(~fake)):
        if len(members):
            weights[:, members] = rng.multinomial(len(members), np.full(len(members), 1 / len(members)), count)
    return weights


def enough(labels: ArrayLike, groups: Sequence[object] | None = None) -> bool:
    """Whether `LEAST_EACH` groups hold fakes and as many hold reals, which an interval needs.

    Args:
        labels: (n,) true for fake.
        groups: (n,) as for `resampled_weights`; None means that every item stands for itself.
    """
    fake = np.asarray(labels, dtype=bool).tolist()
    held: tuple[set[str], set[str]] = (set(), set())
    for label, group in zip(fake, range(len(fake)) if groups is None else groups, strict=True):
        held[label].add(str(group))
    return min(map(len, held)) >= LEAST_EACH


def clustered(groups: Sequence[object]) -> bool:
    """Whether any group has several items, so that a formula for independent ones does not hold."""
    return len({str(group) for group in groups}) < len(groups)


def interval_of(draws: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """As `percentiles`; NaN as well where all samples gave one number, as they do for classes that are told apart.

    The bootstrap then knows of no error, as a formula of variance does not, which is not to know that there is none.
    """
    low, high = percentiles(draws, level)
    return (low, high) if high - low > 1e-9 else NO_INTERVAL


def percentiles(draws: ArrayLike, level: float = 0.95) -> tuple[float, float]:
    """The middle `level` of what the samples gave; NaN where none of them gave a number."""
    values = np.asarray(draws, dtype=np.float64)
    values = values[np.isfinite(values)]
    if not len(values):
        return float("nan"), float("nan")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)
