"""A detector in the formats of others: RUN/model/export/."""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from core.detector.artifact import load_spec
from core.detector.loading import load_keras
from core.detector.source import open_source
from core.errors import SetupError
from core.training.promotion import EXPORT_FOLDER

README = """{name}, {what}

Input: RGB pictures of a face, {size} x {size}, the crop a square of {scale:g} x the height of the face box.
{pixels}
Output: {outputs}.
It is not calibrated: with z = ln(p / (1 - p)), P(fake) = 1 / (1 + exp(-({slope:.6g} * z + {intercept:.6g}))).
"""


def export_detector(folder: Path, kind: str) -> Path:
    """Writes a detector in another format; returns the file.

    Args:
        folder: The detector's folder.
        kind: "h5" (opens in plain `keras.models.load_model`), "openvino" (an .xml with its .bin) or "onnx".

    Raises:
        SetupError: A package that it takes is not installed, or the disk is full.
        DetectorError: The detector cannot be read.
    """
    target = folder / EXPORT_FOLDER
    try:
        target.mkdir(exist_ok=True)
        path = _WRITERS[kind](folder, target)
        _describe(folder, path, kind)
    except OSError as error:
        raise SetupError(f"Nothing can be written to {target} ({error.strerror}): make room there.") from error
    return path


def _h5(folder: Path, target: Path) -> Path:
    path, half = target / "model.h5", target / ".half.h5"
    load_keras(folder).save(half)
    return half.replace(path)


def _openvino(folder: Path, target: Path) -> Path:
    import openvino as ov

    from core.detector.openvino_graph import build_openvino

    source = open_source(folder)
    model = build_openvino(source.graph, source.read_weights(), source.spec.input_size, source.spec.preprocessing)
    path = target / "model.xml"
    ov.save_model(model, path, compress_to_fp16=True)
    return path


def _onnx(folder: Path, target: Path) -> Path:
    missing = [name for name in ("tf2onnx", "onnx") if find_spec(name) is None]
    if missing:
        raise SetupError(
            f"Export to ONNX needs {' and '.join(missing)}: run pip install tf2onnx onnx, then finish the run again. "
            "The detector itself is whole."
        )
    import warnings

    import numpy as np

    model = load_keras(folder)
    model(np.zeros((1, *model.input_shape[1:]), np.float32))  # Keras refuses a model that was never called
    path, half = target / "model.onnx", target / ".half.onnx"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # Keras asks NumPy for a name that is gone, and copes
        model.export(half, format="onnx", verbose=False)
    return half.replace(path)


_WRITERS: dict[str, Callable[[Path, Path], Path]] = {"h5": _h5, "openvino": _openvino, "onnx": _onnx}


def _describe(folder: Path, path: Path, kind: str) -> None:
    """What the numbers in and out mean, which these formats do not say, in a text beside the file."""
    spec = load_spec(folder)
    scaled = f"Pixels of 0..255 become pixel * {spec.preprocessing.scale:.6g} + {spec.preprocessing.offset:g} first."
    inside = "Pixels are uint8, 0..255; scaling is part of the graph."
    two = "one number, the probability p of fake" if len(spec.classes) == 2 else f"probabilities of {spec.classes}"
    logits = "the logit z itself (`logits`; a sigmoid or softmax gives p) and the map of evidence (`maps`)"
    text = README.format(
        name=spec.name,
        what=path.name,
        size=spec.input_size,
        scale=spec.crop.scale,
        pixels=inside if kind == "openvino" else scaled,
        outputs=logits if kind == "openvino" else two,
        slope=spec.calibration.slope,
        intercept=spec.calibration.intercept,
    )
    path.with_suffix(".txt").write_text(text, encoding="utf-8")
