"""A detector ready to judge crops of faces: picks the engine, hands out calibrated numbers."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Literal, Protocol, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit

from core.detector.head import Predictions, interpret
from core.detector.library import resolve_detector
from core.detector.source import Source, open_source
from core.detector.spec import DetectorSpec
from core.errors import SetupError

EngineName = Literal["auto", "openvino", "tensorflow"]
PROBABILITY_TOLERANCE = {"f32": 1e-4, "bf16": 0.05}
"""How far the engines' probabilities for the same crop may lie apart, by the coarser one's precision.

Measured with a trained Xception on 128 faces of dfdc/test: bf16 differs by 0.007 in the mean and 0.033 at most, and the
AUC by 0.002.
"""
BATCH_SIZE = 32


class Engine(Protocol):
    """What runs a detector's graph; safe to be called by several threads at once."""

    name: str
    precision: str

    def run(self, crops: NDArray[np.uint8], batch_size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (n, k) and evidence maps (n, h, w, k) of crops (n, s, s, 3)."""
        ...


class Detector:
    """A trained detector, loaded and checked; any number of threads may use one.

    Attributes:
        spec: What its numbers mean and how its crops are made.
        name: What reports call it.
        sha256: Hash of its weights.
        engine: `openvino` or `tensorflow`.
        precision: `bf16` or `f32`, in which it computes.
        source: Its files, for what needs the network itself, as explanations do.
    """

    def __init__(self, source: Source, engine: Engine) -> None:
        self._engine, self.source = engine, source
        self.spec: DetectorSpec = source.spec
        self.name, self.sha256 = source.spec.name, source.sha256
        self.engine, self.precision = engine.name, engine.precision

    def predict(self, crops: NDArray[np.uint8], *, batch_size: int = BATCH_SIZE) -> Predictions:
        """Judge crops of faces.

        Args:
            crops: uint8 (n, s, s, 3) RGB, s being the spec's input size, cut as its crop says. n may be 0.
            batch_size: How many at once, where the engine works in batches.

        Raises:
            ValueError: The crops are of another type or shape.
        """
        size = self.spec.input_size
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
            raise ValueError(
                f"crops must be uint8 with shape (n, {size}, {size}, 3), got {crops.dtype} {tuple(crops.shape)}"
            )
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        if not len(crops):
            classes = len(self.spec.classes)
            return Predictions(*(np.zeros(shape, np.float32) for shape in ((0,), (0, classes), (0, 0, 0))))
        logits, maps = self._engine.run(np.ascontiguousarray(crops), batch_size)
        return interpret(logits, maps, self.spec.classes)

    def outputs(self, crops: NDArray[np.uint8], *, batch_size: int = BATCH_SIZE) -> NDArray[np.float32]:
        """The head's outputs before its activation, (n, 1) for a sigmoid or (n, classes); crops as for `predict`."""
        return self._engine.run(np.ascontiguousarray(crops), batch_size)[0]

    def probability(self, logits: ArrayLike, *, video: bool = False) -> NDArray[np.float64]:
        """Calibrated P(fake), 0..1, of log-odds as `predict` gives them, of a still or in a video; shape kept."""
        calibration = self.spec.calibration_for(video=video)
        return np.asarray(expit(calibration.slope * np.asarray(logits, np.float64) + calibration.intercept))


def load_detector(
    source: str | Path = "default",
    *,
    engine: EngineName = "auto",
    models_dir: Path | None = None,
    precision: Literal["bf16", "f32"] | None = None,
) -> Detector:
    """Load a detector and make it ready.

    Args:
        source: Name of an installed detector, or the path of a folder or of a .keras or .h5 file.
        engine: `openvino`, `tensorflow`, or `auto`: TensorFlow where it sees a GPU, else OpenVINO.
        models_dir: Where names are looked up besides the user's own folder; by default the one that ships.
        precision: For OpenVINO; by default `bf16` where the processor computes in it. TensorFlow computes in f32.

    Raises:
        DetectorError: It is missing, damaged, unsafe or of an unknown form.
        SetupError: The engine's package is not installed.
        ValueError: There is no such engine.
    """
    if engine not in get_args(EngineName):
        raise ValueError(f"engine must be one of {', '.join(get_args(EngineName))}, got {engine!r}")
    opened = open_source(resolve_detector(source, models_dir))
    chosen = ("tensorflow" if gpu_visible() else "openvino") if engine == "auto" else engine
    return Detector(opened, _start(chosen, opened, precision))


def _start(name: str, source: Source, precision: str | None) -> Engine:
    try:
        if name == "tensorflow":
            from core.detector.tensorflow_engine import TensorFlowEngine

            return TensorFlowEngine(source)
        from core.detector.openvino_engine import OpenVinoEngine
    except ImportError as error:
        package = {"tensorflow": "TensorFlow", "openvino": "OpenVINO"}[name]
        raise SetupError(
            f"{package} is not installed or cannot be loaded ({error}): run pip install -r requirements.txt, or choose "
            "the other engine."
        ) from error
    return OpenVinoEngine(source, precision)


def gpu_visible() -> bool:
    """Whether TensorFlow sees a GPU; TensorFlow, which takes seconds to start, is only asked where there may be one."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
    if hidden or not (Path("/dev/nvidia0").exists() or shutil.which("nvidia-smi")):
        return False
    try:
        import tensorflow as tf
    except ImportError:
        return False
    return bool(tf.config.list_physical_devices("GPU"))
