"""The types that travel: what analysis gives to pages, command lines, exports and the HTTP API.

`to_dict()` of a report is exactly the record that `predict.py` writes: one vocabulary everywhere.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from core.faces.types import Box, Face

Verdict = Literal["real", "fake", "uncertain", "no_face", "error"]


def _round(value: float | None, digits: int = 4) -> float | None:
    return None if value is None else round(float(value), digits)


RECIPE = 4
"""Raised when the way from a file to its verdict changes: the names of kept results hold it, so none is mistaken."""


def _box(box_xyxy: Box) -> list[float]:
    return [round(float(edge), 1) for edge in box_xyxy]


@dataclass(frozen=True)
class Quality:
    """How well a face can be judged; the verdict rules gate on these figures.

    Attributes:
        face_px: Height of the face box in pixels of the original picture.
        sharpness: Standard deviation of the Laplacian of the grey crop at 112 px, in grey levels (0..255).
        brightness: Mean grey level of the crop, 0..255.
        turn: How far the head is turned sideways, 0 (frontal) .. 1 (profile), from the five landmarks; None if unknown.
        noise: Standard deviation of the noise of the grey crop at 112 px, in grey levels; None if it was not measured.
        quantiser: How coarsely its frame was compressed, as H.264's mean quantisation parameter, 0 to 51; None for
            pictures and other codecs.
        tilt: How far the face leans to a side in the crop that is judged, in degrees from upright, 0..180 (upside
            down), by the line from its eyes to its mouth; None if unknown.
    """

    face_px: float
    sharpness: float
    brightness: float
    turn: float | None = None
    noise: float | None = None
    quantiser: float | None = None
    tilt: float | None = None

    def to_dict(self) -> dict[str, Any]:
        return {
            "face_px": _round(self.face_px, 1),
            "sharpness": _round(self.sharpness, 2),
            "brightness": _round(self.brightness, 1),
            "turn": _round(self.turn, 3),
            "noise": _round(self.noise, 2),
            "quantiser": _round(self.quantiser, 1),
            "tilt": _round(self.tilt, 1),
        }


@dataclass(frozen=True)
class FaceScore:
    """One face and what the detector says of it.

    Attributes:
        face: Where it is.
        fake_probability: Calibrated P(fake), 0..1.
        logit: Uncalibrated log-odds of fake, what is averaged over the frames of a track.
        class_probabilities: Raw probability for each class of the detector.
        verdict: `real`, `fake` or `uncertain`.
        quality: Figures that the quality gates look at.
        reasons: Sentences: why it is uncertain, or what limits the verdict.
        activation_map: (h, w) float32 evidence for fake in logits: its mean plus the head's bias is the logit of the
            crop, which a still's further views move (`core.analysis.scoring`); positive speaks for fake, negative for
            real. None when not asked for.
    """

    face: Face
    fake_probability: float
    logit: float
    class_probabilities: dict[str, float]
    verdict: Verdict
    quality: Quality
    reasons: tuple[str, ...] = ()
    activation_map: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    def to_dict(self) -> dict[str, Any]:
        return {
            "box_xyxy": _box(self.face.box_xyxy),
            "rotation_deg": self.face.rotation_deg,
            "fake_probability": _round(self.fake_probability),
            "verdict": self.verdict,
            "quality": self.quality.to_dict(),
            "reasons": list(self.reasons),
        }


@dataclass(frozen=True)
class FrameReport:
    """One analysed frame of a video; `index` counts the stream's frames from 0, `time_s` is its own time stamp."""

    index: int
    time_s: float
    faces: tuple[FaceScore, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        return {
            "index": self.index,
            "time_s": _round(self.time_s, 3),
            "faces": [
                {
                    "track": score.face.track_id,
                    "box_xyxy": _box(score.face.box_xyxy),
                    "rotation_deg": score.face.rotation_deg,
                    "fake_probability": _round(score.fake_probability),
                }
                for score in self.faces
            ],
        }


@dataclass(frozen=True)
class Stretch:
    """A part of a track that looks manipulated.

    Attributes:
        start_s, end_s: Times of its first and last face.
        fake_probability: That it was manipulated; of all that was suspicious before it was narrowed.
        contrast: The mean fake probability of its faces and of the track's others, where it counts because they differ.
    """

    start_s: float
    end_s: float
    fake_probability: float
    contrast: tuple[float, float] | None = None

    def to_list(self) -> list[float | None]:
        return [_round(self.start_s, 3), _round(self.end_s, 3), _round(self.fake_probability)]


@dataclass(frozen=True)
class TrackReport:
    """One person in a video: the faces of one track, judged together."""

    id: int
    start_s: float
    end_s: float
    verdict: Verdict
    fake_probability: float
    stretches: tuple[Stretch, ...] = ()
    reasons: tuple[str, ...] = ()
    face_count: int = 0

    def to_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "start_s": _round(self.start_s, 3),
            "end_s": _round(self.end_s, 3),
            "verdict": self.verdict,
            "fake_probability": _round(self.fake_probability),
            "stretches": [stretch.to_list() for stretch in self.stretches],
            "reasons": list(self.reasons),
            "faces": self.face_count,
        }


@dataclass(frozen=True, kw_only=True)
class Report:
    """What images and videos have in common. `fake_probability` is None only for `no_face` and `error`."""

    path: str
    verdict: Verdict
    fake_probability: float | None = None
    size_wh: tuple[int, int] | None = None
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    error: str | None = None
    model: str = ""
    model_sha256: str = ""
    seconds: float = 0.0

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "path": self.path,
            "kind": kind,
            "verdict": self.verdict,
            "fake_probability": _round(self.fake_probability),
        }

    def _tail(self) -> dict[str, Any]:
        return {
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
            "error": self.error,
            "model": self.model,
            "model_sha256": self.model_sha256,
            "seconds": _round(self.seconds, 3),
        }


@dataclass(frozen=True, kw_only=True)
class ImageReport(Report):
    """An image and its faces, worst (highest fake probability) decides."""

    faces: tuple[FaceScore, ...] = ()

    @property
    def deciding(self) -> tuple[int, ...]:
        """Of a picture of several that is called fake, the faces that look so, by their numbers from 1."""
        if self.verdict != "fake" or len(self.faces) < 2:
            return ()
        return tuple(number for number, score in enumerate(self.faces, start=1) if score.verdict == "fake")

    def to_dict(self) -> dict[str, Any]:
        return {
            **self._head("image"),
            "size_wh": list(self.size_wh) if self.size_wh else None,
            "faces": [score.to_dict() for score in self.faces],
            **self._tail(),
        }


@dataclass(frozen=True, kw_only=True)
class VideoReport(Report):
    """A video, its frames and the people in it; the worst person decides."""

    fps: float = 0.0
    duration_s: float = 0.0
    sampling: str = ""
    frames: tuple[FrameReport, ...] = ()
    tracks: tuple[TrackReport, ...] = ()

    @property
    def faced_frames(self) -> int:
        """How many of the frames show a face."""
        return sum(bool(frame.faces) for frame in self.frames)

    def to_dict(self) -> dict[str, Any]:
        return {
            **self._head("video"),
            "size_wh": list(self.size_wh) if self.size_wh else None,
            "fps": _round(self.fps, 3),
            "duration_s": _round(self.duration_s, 3),
            "sampling": self.sampling,
            "tracks": [track.to_dict() for track in self.tracks],
            "frames": [frame.to_dict() for frame in self.frames],
            **self._tail(),
        }
