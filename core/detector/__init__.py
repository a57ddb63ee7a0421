"""A trained detector: on disk, running, and what its numbers mean. Names are fetched when first used, not before."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.detector.artifact import load_spec, save_artifact, save_spec
    from core.detector.calibration import choose_thresholds, fit_platt
    from core.detector.engine import Detector, load_detector
    from core.detector.head import Predictions
    from core.detector.library import DetectorEntry, add_uploaded, list_detectors, resolve_detector
    from core.detector.loading import load_keras
    from core.detector.network import build_network
    from core.detector.spec import Calibration, CropSpec, DetectorSpec, Preprocessing, QualityGates, Thresholds

# A page that only lists detectors, and a command line that prints its help, must not wait for Keras.
_HOMES = {
    "artifact": ("load_spec", "save_artifact", "save_spec"),
    "calibration": ("choose_thresholds", "fit_platt"),
    "engine": ("Detector", "load_detector"),
    "head": ("Predictions",),
    "library": ("DetectorEntry", "add_uploaded", "list_detectors", "resolve_detector"),
    "loading": ("load_keras",),
    "network": ("build_network",),
    "spec": ("Calibration", "CropSpec", "DetectorSpec", "Preprocessing", "QualityGates", "Thresholds"),
}

__all__ = [
    "Calibration",
    "CropSpec",
    "Detector",
    "DetectorEntry",
    "DetectorSpec",
    "Predictions",
    "Preprocessing",
    "QualityGates",
    "Thresholds",
    "add_uploaded",
    "build_network",
    "choose_thresholds",
    "fit_platt",
    "list_detectors",
    "load_detector",
    "load_keras",
    "load_spec",
    "resolve_detector",
    "save_artifact",
    "save_spec",
]


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(importlib.import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
