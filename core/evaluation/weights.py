"""How much each item weighs, so that figures mean the same whatever the folder holds more of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Sample


def balance_weights(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Weights (n,) under which each source's reals weigh as much as its fakes, and a source as the root of its size."""
    keys = [(sample.source, sample.fake) for sample in samples]
    counts, sizes = Counter(keys), Counter(source for source, _ in keys)
    return np.array([sizes[source] ** 0.5 / counts[source, fake] for source, fake in keys])


def even_weights(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Weights (n,) for equal base rates: each source's reals weigh as much as its fakes, and a source as its size.

    Sources of one class keep it; all reals together weigh as much as all fakes even then.
    """
    keys = [(sample.source, sample.fake) for sample in samples]
    counts, sizes = Counter(keys), Counter(source for source, _ in keys)
    weights = np.array([sizes[source] / counts[source, fake] for source, fake in keys])
    fake = np.array([sample.fake for sample in samples], dtype=bool)
    for members in (fake, ~fake):
        if members.any():
            weights[members] /= weights[members].sum()
    return weights * len(samples) / 2
