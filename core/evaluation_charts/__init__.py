"""Plotly figures of an evaluation: pure functions from its document to figures, for a light or a dark page.

Lines are told apart by dashes as well as by colour, and no figure needs a legend's colour alone to be read.
"""

from core.evaluation_charts.compared import areas, bin_label, difference, gate, robustness
from core.evaluation_charts.curves import calibration, precision_recall, roc
from core.evaluation_charts.explanations import Which, faithfulness
from core.evaluation_charts.verdicts import confusion_matrix, histogram

__all__ = [
    "Which",
    "areas",
    "bin_label",
    "calibration",
    "confusion_matrix",
    "difference",
    "faithfulness",
    "gate",
    "histogram",
    "precision_recall",
    "robustness",
    "roc",
]
