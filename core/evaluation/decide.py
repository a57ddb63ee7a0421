"""From judged validation media to what a detector's numbers mean: its calibration and its two thresholds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.special import expit

from core.detector.calibration import choose_thresholds_by_source, fit_platt
from core.detector.spec import DetectorSpec
from core.evaluation.scoring import Scored
from core.evaluation.weights import balance_weights
from core.metrics import confusion

MAX_ERROR = 0.05


def fit_decision(
    scored: Sequence[Scored], spec: DetectorSpec, max_error: float = MAX_ERROR
) -> tuple[DetectorSpec, dict[str, Any]]:
    """Calibrate, and set thresholds that keep both errors at most `max_error` in every source where that is possible.

    Args:
        scored: What the detector said of validation pictures.
        spec: Its spec; name, weights and the rest are kept.
        max_error: Share of a source's reals that may be called fake, and of its fakes that may be called real.

    Returns:
        The spec with calibration and thresholds, and how they came about: which source set each, which could not be
        met, and by source the shares that come of them.

    Raises:
        ValueError: A class has no face.
    """
    faced = [one for one in scored if one.logit is not None and not one.video]
    logits = np.array([one.logit for one in faced], dtype=np.float64)
    fake = np.array([one.sample.fake for one in faced], dtype=bool)
    sources = [one.sample.source for one in faced]
    calibration = fit_platt(logits, fake, balance_weights([one.sample for one in faced]))
    p = expit(calibration.slope * logits + calibration.intercept)
    fitted = choose_thresholds_by_source(p, fake, sources, max_error)
    limits = fitted.thresholds
    shares = {}
    for source in sorted(set(sources)):
        members = np.array([one == source for one in sources])
        counts = confusion(p[members], fake[members], limits.real_below, limits.fake_above)
        shares[source] = {
            "real": sum(counts.real),
            "fake": sum(counts.fake),
            "real_called_fake": round(counts.real[2] / sum(counts.real), 4) if sum(counts.real) else None,
            "fake_called_real": round(counts.fake[0] / sum(counts.fake), 4) if sum(counts.fake) else None,
            "uncertain": round(counts.uncertain, 4),
        }
    report = {
        "max_error": max_error,
        "fake_above_set_by": fitted.fake_above_set_by,
        "real_below_set_by": fitted.real_below_set_by,
        "unmet": list(fitted.unmet),
        "sources": shares,
    }
    return replace(spec, calibration=calibration, thresholds=limits), report
