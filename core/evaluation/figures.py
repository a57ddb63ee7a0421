"""From judged media to figures: by source, by group, pooled; and the curves behind them. All plain, ready for JSON."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from core.evaluation.parts import ALL, part_of
from core.evaluation.scoring import Scored
from core.evaluation.selection import GROUP
from core.evaluation.weights import even_weights
from core.metrics import (
    Curve,
    auc_interval,
    auc_standard_error,
    average_precision,
    brier_score,
    calibration_bins,
    calibration_error,
    confusion,
    equal_error_rate,
    pr_curve,
    roc_auc,
    roc_curve,
    wilson_interval,
)

DIGITS = 4
SHARE_DIGITS = 6


def parts_of(scored: Sequence[Scored]) -> dict[str, list[Scored]]:
    """All of them, then those of each source by its name."""
    sources = sorted({one.sample.source for one in scored})
    return {ALL: list(scored)} | {
        part_of(source): [one for one in scored if one.sample.source == source] for source in sources
    }


def summarise(
    scored: Sequence[Scored], calibration: Mapping[str, dict[str, Any] | None] | None = None, *, seed: int = 0
) -> dict[str, Any]:
    """Figures by source and pooled, ready for model.json.

    Args:
        scored: All of them.
        calibration: `calibration_of` each part, where that is known already.
        seed: Of the bootstrap.

    Returns:
        For `all` and each source those of `figures_of`, and the expected calibration error at equal base rates,
        debiased, with its 95 % interval.
    """
    figures = {}
    for name, part in parts_of(scored).items():
        known = calibration_of(part, seed=seed) if calibration is None else calibration[name]
        error = known or {"ece": None, "ece_95": None}
        figures[name] = figures_of(part, seed=seed) | {key: error[key] for key in ("ece", "ece_95")}
    return figures


def figures_of(scored: Sequence[Scored], *, seed: int = 0, rounds: int = 1000, by_group: bool = True) -> dict[str, Any]:
    """Counts, areas with intervals and shares of one part; NaN where a class is missing, or too small for an interval.

    AUC, average precision and equal error rate rank what has a face; the shares are of what has a face, too. The
    bootstrap draws whole groups where a group has several items, unless told not to. `accuracy` is of the verdicts that
    were given, both classes weighing the same.
    """
    faced = [one for one in scored if one.logit is not None]
    logits, fake, groups = rankable(faced)
    low, high = auc_interval(logits, fake, groups=groups if by_group else None, seed=seed, rounds=rounds)
    said = confusion(*_as_verdicts(faced), real_below=0.25, fake_above=0.75)
    real_errors, fake_errors = (said.real[2], sum(said.real)), (said.fake[0], sum(said.fake))
    return {
        "real": sum(said.real),
        "fake": sum(said.fake),
        "no_face": sum(one.verdict != "error" for one in scored) - len(faced),
        "videos": sum(one.video for one in faced),
        "auc": _round(roc_auc(logits, fake)),
        "auc_95": [_round(low), _round(high)],
        "auc_se": _round(auc_standard_error(logits, fake)),
        "average_precision": _round(average_precision(logits, fake)),
        "eer": _round(equal_error_rate(logits, fake)[0]),
        "accuracy": _round(said.accuracy),
        "real_called_fake": _share(*real_errors),
        "real_called_fake_95": [_round(edge) for edge in wilson_interval(*real_errors)],
        "fake_called_real": _share(*fake_errors),
        "fake_called_real_95": [_round(edge) for edge in wilson_interval(*fake_errors)],
        "uncertain": _share(said.real[1] + said.fake[1], sum(said.real) + sum(said.fake)),
    }


def curves_of(scored: Sequence[Scored], *, seed: int = 0) -> dict[str, Any] | None:
    """ROC and precision-recall curve with their bands; None without both classes."""
    logits, fake, groups = rankable([one for one in scored if one.logit is not None])
    if not fake.any() or fake.all():
        return None
    curves = {"roc": roc_curve, "pr": pr_curve}
    return {name: _plain(curve(logits, fake, groups=groups, seed=seed)) for name, curve in curves.items()}


def calibration_of(scored: Sequence[Scored], *, seed: int = 0, rounds: int = 500) -> dict[str, Any] | None:
    """How far probabilities are from truth at equal base rates; None without both classes.

    Estimator and interval: `core.metrics.calibration_error`. Weights: `even_weights`.
    """
    judged = [one for one in scored if one.fake_probability is not None]
    _, fake, groups = rankable(judged)
    if not fake.any() or fake.all():
        return None
    p = np.array([one.fake_probability for one in judged], dtype=np.float64)
    weights = even_weights([one.sample for one in judged])
    error = calibration_error(p, fake, weights=weights, groups=groups, seed=seed, rounds=rounds)
    return {
        "ece": _round(error.ece),
        "ece_95": [_round(error.low), _round(error.high)],
        "ece_plain": _round(error.plain),
        "rms": _round(error.rms),
        "brier": _round(brier_score(p, fake, weights=weights)),
        "bins": [
            {
                "count": one.count,
                "predicted": _round(one.predicted),
                "observed": _round(one.observed),
                "observed_95": [_round(one.low), _round(one.high)],
            }
            for one in calibration_bins(p, fake, weights=weights)
        ],
    }


def figures_by_column(
    scored: Sequence[Scored], columns: Mapping[str, Callable[[Scored], str | None]], *, seed: int = 0
) -> dict[str, dict[str, Any]]:
    """Figures for each value of each column, such as a method, an age band or a camera.

    A value that only fakes have, as the name of a method has, is measured against all reals of the same sources, and
    one that only reals have against their fakes; `against` says so. Where the column is the group itself, the bootstrap
    draws faces: the group is what is asked about, and there is no other one to draw.
    """
    found: dict[str, dict[str, Any]] = {}
    for column, value_of in columns.items():
        values = sorted({value for one in scored if (value := value_of(one))})
        found[column] = {value: _of_value(scored, value_of, value, seed, column != GROUP) for value in values}
    return found


def _of_value(
    scored: Sequence[Scored], value_of: Callable[[Scored], str | None], value: str, seed: int, by_group: bool
) -> dict[str, Any]:
    part = [one for one in scored if value_of(one) == value]
    classes, sources = {one.sample.fake for one in part}, {one.sample.source for one in part}
    against = None
    if len(classes) == 1:
        (fake,) = classes
        part += [one for one in scored if one.sample.fake != fake and one.sample.source in sources]
        against = "all reals of its sources" if fake else "all fakes of its sources"
    return {**figures_of(part, seed=seed, rounds=300, by_group=by_group), "against": against}


def rankable(faced: Sequence[Scored]) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """Logits (n,), labels (n,) and groups of what has a face."""
    logits = np.array([one.logit for one in faced], dtype=np.float64)
    fake = np.array([one.sample.fake for one in faced], dtype=bool)
    return logits, fake, [f"{one.sample.source}\n{one.sample.group}" for one in faced]


def _as_verdicts(faced: Sequence[Scored]) -> tuple[list[float], list[bool]]:
    """Verdicts as numbers that thresholds of a quarter and three quarters give back: gates have been looked at."""
    numbers = {"real": 0.0, "fake": 1.0}
    return [numbers.get(one.verdict, 0.5) for one in faced], [one.sample.fake for one in faced]


def _plain(curve: Curve) -> dict[str, list[float]]:
    return {name: [_round(value) for value in getattr(curve, name)] for name in ("x", "y", "low", "high")}


def _round(value: float) -> float:
    return round(float(value), DIGITS)


def _share(count: int, total: int) -> float | None:
    """Finer than the rest: rounded twice, 35 of 804 would read 4.3 % here and 4.4 % there."""
    return round(count / total, SHARE_DIGITS) if total else None
