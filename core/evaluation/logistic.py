"""Logistic regression with an L2 penalty: the plainest classifier there is, for features of a few dozen numbers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.optimize import minimize
from scipy.special import expit

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Logistic:
    """A fitted model: log-odds = x · weights + intercept."""

    weights: Floats
    intercept: float

    def logits(self, features: ArrayLike) -> Floats:
        """Log-odds of fake (n,) of features (n, d)."""
        return np.asarray(features, dtype=np.float64) @ self.weights + self.intercept


def fit_logistic(
    features: ArrayLike, labels: ArrayLike, *, strength: float = 1.0, sample_weight: ArrayLike | None = None
) -> Logistic:
    """Minimise ½‖w‖² + strength · Σ weight · log loss; the intercept is not punished (as scikit-learn has it, C).

    Args:
        features: (n, d) numbers. They are standardised for fitting, and the penalty is on what that gives, so that no
            feature's unit matters.
        labels: (n,) true for fake; both must occur.
        strength: How much the data count against the penalty.
        sample_weight: (n,) by default 1.

    Raises:
        ValueError: A class is missing, or a number is not finite.
    """
    x, fake = np.asarray(features, dtype=np.float64), np.asarray(labels, dtype=bool)
    if x.ndim != 2 or len(x) != len(fake) or not np.isfinite(x).all():
        raise ValueError(
            f"features must be finite numbers of shape (n, d) with n labels, got {x.shape} and {len(fake)}"
        )
    if not fake.any() or fake.all():
        raise ValueError("labels must hold both classes")
    weight = np.ones(len(x)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    centre, spread = x.mean(axis=0), x.std(axis=0)
    spread[spread == 0] = 1.0
    scaled, sign = (x - centre) / spread, np.where(fake, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        inner, offset = parameters[:-1], parameters[-1]
        margin = sign * (scaled @ inner + offset)
        slope = -sign * weight * expit(-margin) * strength
        value = 0.5 * inner @ inner + strength * np.sum(weight * np.logaddexp(0, -margin))
        return float(value), np.r_[inner + slope @ scaled, slope.sum()]

    fitted = minimize(loss, np.zeros(x.shape[1] + 1), jac=True, method="L-BFGS-B", options={"maxiter": 2000})
    inner = fitted.x[:-1] / spread
    return Logistic(inner, float(fitted.x[-1] - centre @ inner))
