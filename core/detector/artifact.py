"""A trained detector on disk: model/<name>/ with model.keras and model.json, or a bare .keras or .h5 file."""

from __future__ import annotations

import dataclasses
import json
import shutil
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.detector.graph import DEFAULT_INPUT_SIZE, Graph
from core.detector.shrink import shrink
from core.detector.spec import (
    REAL,
    SPEC_FILE,
    WEIGHT_SUFFIXES,
    Calibration,
    CropSpec,
    DetectorSpec,
    Preprocessing,
    QualityGates,
    Thresholds,
)
from core.detector.weights import about, read_metadata, refuse_pickle, sha256_of
from core.errors import DetectorError

if TYPE_CHECKING:
    import keras

__all__ = [
    "Calibration",
    "CropSpec",
    "DetectorSpec",
    "Preprocessing",
    "QualityGates",
    "Thresholds",
    "check_weights",
    "load_spec",
    "save_artifact",
    "save_spec",
    "weights_path",
]

MAX_SPEC_BYTES = 4 << 20
METADATA_KEY = "deepfake_detector"
"""Under this key a .keras file carries what its weights are useless without, should it be parted from model.json."""
CARRIED = ("crop", "preprocessing", "classes")
CLASSIC_PREPROCESSING = Preprocessing(scale=1 / 255, offset=0.0)


def save_artifact(folder: Path | str, model: keras.Model, spec: DetectorSpec) -> DetectorSpec:
    """Write a detector's folder: the weights (flat, kernels as float16), and model.json with their hash.

    The folder appears whole or not at all; other files that lie in it, such as MODEL_CARD.md, stay.

    Args:
        folder: Made if it is missing.
        model: Xception or another network that ends in GlobalAveragePooling2D and Dense; may be nested, compiled, or
            of mixed precision.
        spec: All but `weights_sha256`, which is computed. A `weights_file` that ends in .h5 is saved as such.

    Returns:
        The spec as written.

    Raises:
        DetectorError: The model is no detector, or its outputs do not fit the classes.
    """
    from core.detector.loading import build_keras, graph_of

    folder = Path(folder).absolute()
    graph, weights = graph_of(model)
    check_outputs(graph.head.units, spec)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        half = Path(scratch) / "new"
        half.mkdir()
        target = half / spec.weights_file
        build_keras(graph, weights, spec.input_size).save(target)
        shrink(target, {METADATA_KEY: {key: spec.to_dict()[key] for key in CARRIED}})
        spec = dataclasses.replace(spec, weights_sha256=sha256_of(target))
        save_spec(half, spec)
        _keep_others(folder, half)
        _swap(folder, half, Path(scratch) / "old")
    return spec


def save_spec(folder: Path, spec: DetectorSpec) -> None:
    """Write model.json anew and leave the weights alone: for a calibration or figures that came after training."""
    half = folder / f".{SPEC_FILE}.new"
    half.write_text(json.dumps(spec.to_dict(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    half.replace(folder / SPEC_FILE)


def load_spec(source: Path | str) -> DetectorSpec:
    """The spec in a detector's folder, or what a bare file gives away of itself. The weights' hash is not checked yet.

    Raises:
        DetectorError: There is none, it is damaged, or it says what cannot be.
    """
    path = Path(source)
    if path.is_dir():
        return _read_spec(path)
    if path.is_file():
        status = path.stat()
        return _describe(path, status.st_size, status.st_mtime_ns)
    raise DetectorError(f"There is no detector at {path}: check the path, or put the detector's folder there.")


def weights_path(path: Path, spec: DetectorSpec) -> Path:
    """The weights of a detector's folder or, for a bare file, that file itself."""
    return path / spec.weights_file if path.is_dir() else path


def check_weights(path: Path, spec: DetectorSpec) -> str:
    """Check that a weights file is the one that its spec names, and return its hash.

    Raises:
        DetectorError: It is missing or another one, or pickles lie beside it.
    """
    if not path.is_file():
        raise DetectorError(f"{path.parent.name} has no {path.name}: take the detector's whole folder.")
    with about(path):
        found, wanted = sha256_of(path), spec.weights_sha256.lower()
    if found != wanted:
        raise DetectorError(
            f"{path.name} of {spec.name} is not the file that {SPEC_FILE} names (sha256 {found[:12]}…, expected "
            f"{wanted[:12] or 'none'}…), so it is not used: take both files from the same place again."
        )
    return found


def refuse_pickles_in(folder: Path) -> None:
    """Refuse a detector's folder in which a pickle lies: whoever made it may expect that it is opened.

    Raises:
        DetectorError: There is one; the sentence names it.
    """
    for path in sorted(folder.iterdir()):
        if path.is_file():
            with about(path), path.open("rb") as stream:
                refuse_pickle(path.name, stream.read(16))


def check_outputs(units: int, spec: DetectorSpec) -> None:
    """Raises `DetectorError` where the network's outputs are not those of the spec's classes."""
    count = len(spec.classes)
    if units != count and (units, count) != (1, 2):
        raise DetectorError(
            f"The network of {spec.name} has {units} output(s), and its spec names {count} classes: mend the classes."
        )


def _swap(folder: Path, new: Path, aside: Path) -> None:
    if not folder.exists():
        new.rename(folder)
        return
    folder.rename(aside)
    try:
        new.rename(folder)
    except OSError:
        aside.rename(folder)
        raise


def _keep_others(folder: Path, half: Path) -> None:
    """Link or copy what else lies in a detector's folder; older weights under another name are left behind."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if (half / path.name).exists() or path.suffix in WEIGHT_SUFFIXES or path.name.startswith("."):
            continue
        if path.is_dir():
            shutil.copytree(path, half / path.name)
        else:
            shutil.copy2(path, half / path.name)


def _read_spec(folder: Path) -> DetectorSpec:
    path = folder / SPEC_FILE
    try:
        if path.stat().st_size > MAX_SPEC_BYTES:
            raise DetectorError(f"{SPEC_FILE} of {folder.name} is far too large: take the original file.")
        document = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise DetectorError(
            f"{folder} has no {SPEC_FILE}, which says how a detector is used: take the detector's whole folder."
        ) from error
    except OSError as error:
        raise DetectorError(f"{path} cannot be read ({error.strerror}): check its permissions.") from error
    except (ValueError, RecursionError) as error:
        place = f" (line {error.lineno}, column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        raise DetectorError(f"{SPEC_FILE} of {folder.name} is no valid JSON{place}: take the original file.") from error
    try:
        return DetectorSpec.from_dict(document)
    except DetectorError as error:
        raise DetectorError(f"{SPEC_FILE} of {folder.name} cannot be used. {error}") from error


@lru_cache(maxsize=64)  # the picker asks at each rerun of a page
def _describe(path: Path, _size: int, _modified_ns: int) -> DetectorSpec:
    from core.detector.loading import read_graph

    graph, metadata = read_graph(path), read_metadata(path)
    with about(path):
        return _bare_spec(path, graph, metadata.get(METADATA_KEY))


def _bare_spec(path: Path, graph: Graph, carried: Any) -> DetectorSpec:
    size = graph.input_size or DEFAULT_INPUT_SIZE
    common: dict[str, Any] = {
        "name": path.stem,
        "input_size": size,
        "weights_file": path.name,
        "weights_sha256": sha256_of(path),
    }
    if isinstance(carried, dict):
        known = {key: carried[key] for key in CARRIED if key in carried}
        said = "Weights without their model.json: neither calibrated nor measured."
        return DetectorSpec.from_dict({**common, **known, "description": said})
    rescales = any(layer.kind == "Rescaling" for layer in graph.layers.values())
    preprocessing = Preprocessing(1.0, 0.0) if rescales else CLASSIC_PREPROCESSING
    said = "by its own layers" if rescales else "by dividing by 255"
    others = ["fake"] if graph.head.units <= 2 else [f"fake {i}" for i in range(1, graph.head.units)]
    return DetectorSpec(
        **common,
        preprocessing=preprocessing,
        classes=(REAL, *others),
        description=(
            f"A bare {path.suffix} file, taken for a classic model: {size} px, pixels scaled {said}, output 0 for real "
            f"and 1 for fake. On which crops it was trained is unknown; {CropSpec().scale:g} face heights are assumed. "
            "It is neither calibrated nor measured."
        ),
    )
