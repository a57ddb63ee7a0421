"""From the outputs of a network's head to what a detector says: log-odds, probabilities, evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp, softmax

from core.detector.spec import REAL

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Predictions:
    """What a detector says of n crops.

    Attributes:
        logits: (n,) float32 uncalibrated log-odds of fake.
        class_probabilities: (n, k) float32, in the order of the detector's classes.
        activation_maps: (n, h, w) float32 evidence for fake in logits: the mean of a map plus the head's bias is the
            logit; positive speaks for fake.
    """

    logits: Floats
    class_probabilities: Floats
    activation_maps: Floats


def interpret(logits: Floats, maps: Floats, classes: Sequence[str]) -> Predictions:
    """Read a head's outputs, whichever kind it is.

    A sigmoid's unit is the log-odds of the second class. A softmax over more classes gives P(fake) = 1 - P(real), so
    the log-odds are logsumexp(fake logits) - real logit, and the evidence of each fake class counts as much as its
    share of P(fake), which is the gradient of those log-odds.

    Args:
        logits: (n, k) outputs before the activation, k = 1 for a sigmoid.
        maps: (n, h, w, k) the same at each place, before the mean.
        classes: Names; exactly one is `real`.
    """
    real = list(classes).index(REAL)
    if logits.shape[1] == 1:
        sign = 1.0 if real == 0 else -1.0
        second = expit(logits[:, 0].astype(np.float64))
        return _predictions(sign * logits[:, 0], np.stack([1 - second, second], axis=1), sign * maps[..., 0])
    fakes = [i for i in range(len(classes)) if i != real]
    wide = logits.astype(np.float64)
    shares = softmax(wide[:, fakes], axis=1)
    evidence = np.einsum("nhwk,nk->nhw", maps[..., fakes], shares) - maps[..., real]
    return _predictions(logsumexp(wide[:, fakes], axis=1) - wide[:, real], softmax(wide, axis=1), evidence)


def _predictions(*arrays: NDArray[np.floating]) -> Predictions:
    return Predictions(*(np.ascontiguousarray(array, dtype=np.float32) for array in arrays))
