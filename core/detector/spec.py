"""What stands in a detector's model.json: how its inputs are made and what its numbers mean. Checked as it is read."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass, field
from typing import Any, TypeVar

from core.errors import DetectorError

SCHEMA_VERSION = 1
WEIGHTS_FILE = "model.keras"
SPEC_FILE = "model.json"
WEIGHT_SUFFIXES = (".keras", ".h5", ".hdf5")
REAL = "real"
INPUT_SIZES = range(16, 1025)


def _require(fine: bool, name: str, words: str, value: Any) -> None:
    if not fine:
        raise DetectorError(f'"{name}" of a detector must be {words}, and is {_shown(value)}: mend it in {SPEC_FILE}.')


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


@dataclass(frozen=True)
class CropSpec:
    """How much of a face a crop holds, in heights of the face box.

    Attributes:
        scale: Side of the crop.
        wide: Side of a wider crop. The face of a still is judged by it and by its four corners as well, and the mean of
            all counts; 0: by the crop alone.
        corner: Side of those corners.
    """

    scale: float = 0.88
    wide: float = 0.0
    corner: float = 0.0

    def __post_init__(self) -> None:
        _require(0.2 <= self.scale <= 5, "crop.scale", "between 0.2 and 5 face heights", self.scale)
        if self.wide or self.corner:
            _require(self.scale <= self.wide <= 5, "crop.wide", "0, or from crop.scale to 5 face heights", self.wide)
            _require(0.2 <= self.corner <= self.wide, "crop.corner", "from 0.2 face heights to crop.wide", self.corner)


@dataclass(frozen=True)
class Preprocessing:
    """Pixels of 0..255 become `pixel * scale + offset` before they enter the network."""

    scale: float = 1 / 127.5
    offset: float = -1.0

    def __post_init__(self) -> None:
        _require(self.scale != 0, "preprocessing.scale", "other than 0", self.scale)


@dataclass(frozen=True)
class Calibration:
    """Platt scaling: P(fake) = sigmoid(slope * logit + intercept). The default leaves the network's own answer."""

    slope: float = 1.0
    intercept: float = 0.0

    def __post_init__(self) -> None:
        _require(self.slope > 0, "calibration.slope", "greater than 0", self.slope)


@dataclass(frozen=True)
class Thresholds:
    """Limits on the calibrated P(fake): `real` below the first, `fake` from the second on, `uncertain` between."""

    real_below: float = 0.3
    fake_above: float = 0.7

    def __post_init__(self) -> None:
        limits = (self.real_below, self.fake_above)
        _require(0 <= self.real_below <= self.fake_above <= 1, "thresholds", "two rising numbers from 0 to 1", limits)


@dataclass(frozen=True)
class QualityGates:
    """A face beyond one of these limits is `uncertain`, whatever the network says; units as in `Quality`."""

    min_face_px: float = 56
    min_sharpness: float = 4.0
    max_turn: float = 0.7
    min_brightness: float = 30
    max_noise: float = 6.0
    max_quantiser: float = 38
    max_tilt: float = 45


@dataclass(frozen=True, kw_only=True)
class DetectorSpec:
    """All of a detector but its weights.

    Attributes:
        name: What pages and reports call it; the folder's name.
        input_size: Side of the square input in pixels.
        weights_file: Name of the weights in the same folder, .keras or .h5.
        weights_sha256: Hash of that file, 64 hexadecimal digits.
        classes: In the order of the network's outputs; exactly one is `real`. With one sigmoid the output is the
            probability of the second class.
        mirrored: Whether a still is judged mirrored as well, and the mean counts. Frames of a video, of which there are
            many, are judged once, by the crop alone.
        calibration: Of stills.
        video_calibration: Of the faces in videos, which are judged by one view; None: the same.
        thresholds: Those of stills, each judged alone.
        video_thresholds: Those of videos, their people and their frames; None: the same. What is picked out of a
            video, a stretch of it, answers to those of stills.
        metrics: Figures by data set, and the command that measured them.
        training: Data and settings that it was trained with.
        licence: Under which terms the weights may be used, one line.
        description: One or two sentences for the model picker.
    """

    name: str
    input_size: int
    weights_file: str = WEIGHTS_FILE
    weights_sha256: str = ""
    crop: CropSpec = CropSpec()
    preprocessing: Preprocessing = Preprocessing()
    classes: tuple[str, ...] = (REAL, "fake")
    calibration: Calibration = Calibration()
    video_calibration: Calibration | None = None
    thresholds: Thresholds = Thresholds()
    video_thresholds: Thresholds | None = None
    gates: QualityGates = QualityGates()
    mirrored: bool = False
    metrics: dict[str, Any] = field(default_factory=dict)
    training: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    description: str = ""
    schema_version: int = SCHEMA_VERSION

    def __post_init__(self) -> None:
        _require(
            self.input_size in INPUT_SIZES, "input_size", "a whole number of pixels from 16 to 1024", self.input_size
        )
        plain = self.weights_file == self.weights_file.replace("\\", "/").rsplit("/", 1)[-1]
        good = plain and self.weights_file.lower().endswith(WEIGHT_SUFFIXES)
        _require(good, "weights_file", "the name of a .keras or .h5 file in the same folder", self.weights_file)
        named = len(self.classes) >= 2 and len(set(self.classes)) == len(self.classes)
        _require(
            named and self.classes.count(REAL) == 1, "classes", 'two or more names, one of them "real"', self.classes
        )

    def limits(self, *, video: bool) -> Thresholds:
        """The thresholds of a still, or of a video."""
        return self.video_thresholds or self.thresholds if video else self.thresholds

    def calibration_for(self, *, video: bool) -> Calibration:
        """That of a still, or of the faces in a video."""
        return self.video_calibration or self.calibration if video else self.calibration

    def to_dict(self) -> dict[str, Any]:
        """What model.json holds."""
        return {**dataclasses.asdict(self), "classes": list(self.classes)}

    @classmethod
    def from_dict(cls, document: Any) -> DetectorSpec:
        """The inverse of `to_dict`; keys that are not known are left alone, those that are missing get their default.

        Raises:
            DetectorError: A value that cannot be; the sentence names it.
        """
        if not isinstance(document, dict):
            raise DetectorError(
                f"{SPEC_FILE} must hold one JSON object, and holds {_shown(document)}: take the original."
            )
        version = document.get("schema_version", SCHEMA_VERSION)
        if not isinstance(version, int) or version > SCHEMA_VERSION:
            raise DetectorError(
                f"This detector is of schema version {_shown(version)}, and this program reads up to {SCHEMA_VERSION}: "
                "update the program."
            )
        values: dict[str, Any] = {}
        for one in dataclasses.fields(cls):
            if one.name in document:
                values[one.name] = _read(one.name, document[one.name])
        for name in ("name", "input_size"):
            _require(name in values, name, "given", "nothing")
        return cls(**values)


_PARTS = {
    "crop": CropSpec,
    "preprocessing": Preprocessing,
    "calibration": Calibration,
    "video_calibration": Calibration,
    "thresholds": Thresholds,
    "video_thresholds": Thresholds,
    "gates": QualityGates,
}
_Part = TypeVar("_Part", CropSpec, Preprocessing, Calibration, Thresholds, QualityGates)


def _read(name: str, value: Any) -> Any:
    if name in ("video_thresholds", "video_calibration") and value is None:
        return None
    if name in _PARTS:
        return _read_numbers(_PARTS[name], name, value)
    if name == "classes":
        _require(isinstance(value, list) and all(isinstance(one, str) for one in value), name, "a list of names", value)
        return tuple(value)
    if name == "mirrored":
        _require(isinstance(value, bool), name, "true or false", value)
        return value
    kind, words = {
        "metrics": (dict, "an object"),
        "training": (dict, "an object"),
        "input_size": (int, "a whole number of pixels from 16 to 1024"),
        "schema_version": (int, "a whole number"),
    }.get(name, (str, "text"))
    _require(isinstance(value, kind) and not isinstance(value, bool), name, words, value)
    return value


def _read_numbers(part: type[_Part], name: str, value: Any) -> _Part:
    _require(isinstance(value, dict), name, "an object with numbers", value)
    known = {one.name for one in dataclasses.fields(part)}
    numbers = {key: number for key, number in value.items() if key in known}
    for key, number in numbers.items():
        fine = isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number)
        _require(fine, f"{name}.{key}", "a number", number)
    return part(**numbers)
