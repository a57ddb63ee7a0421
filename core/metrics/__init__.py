"""How well numbers tell fakes from reals, and how sure that is. Fakes are the positive class everywhere."""

from core.metrics.calibration import (
    CalibrationBin,
    CalibrationError,
    brier_score,
    calibration_bins,
    calibration_error,
    expected_calibration_error,
)
from core.metrics.decisions import Confusion, confusion, equal_error_rate, wilson_interval
from core.metrics.delong import Difference, auc_standard_error, delong_interval, delong_test, paired_bootstrap
from core.metrics.ranking import Curve, auc_interval, average_precision, pr_curve, roc_auc, roc_curve
from core.metrics.resampling import clustered, enough, resampled_weights

__all__ = [
    "CalibrationBin",
    "CalibrationError",
    "Confusion",
    "Curve",
    "Difference",
    "auc_interval",
    "auc_standard_error",
    "average_precision",
    "brier_score",
    "calibration_bins",
    "calibration_error",
    "clustered",
    "confusion",
    "delong_interval",
    "delong_test",
    "enough",
    "equal_error_rate",
    "expected_calibration_error",
    "paired_bootstrap",
    "pr_curve",
    "resampled_weights",
    "roc_auc",
    "roc_curve",
    "wilson_interval",
]
