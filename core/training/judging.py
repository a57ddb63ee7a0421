"""Validation and test data judged by the finished detector, each once, by the path that users' pictures take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from core.analysis.image import analyze_rgb
from core.analysis.scoring import cut_views, score_crops, score_stills
from core.analysis.types import FaceScore
from core.analysis.verdict import judge_face, judge_image, worst_face
from core.data.augment import LEAST_PART, MEAN_PART
from core.data.dataset import Sample
from core.data.draw import read_crop
from core.detector.spec import Calibration, CropSpec, DetectorSpec, Thresholds
from core.errors import MediaError
from core.evaluation import Scored
from core.faces import Face, FaceFinder, crop_face, default_finder
from core.faces.crop import TIGHT_SCALE
from core.media import load_image
from core.training.callbacks import Stopped, Watch
from core.training.hardware import cores

if TYPE_CHECKING:
    from core.detector.engine import Detector


def crop_spec(trained_on: float) -> CropSpec:
    """Views of every size that training shows of its crops, which are `trained_on` face heights wide.

    What they and mirroring are worth: `python -m benchmarks.inference`.
    """
    mean, least = (round(share * trained_on, 4) for share in (MEAN_PART, LEAST_PART))
    return CropSpec(scale=mean, wide=trained_on, corner=least)


@dataclass(frozen=True)
class Seen:
    """A sample and its faces as the detector sees them, whatever its calibration."""

    sample: Sample
    faces: tuple[FaceScore, ...]
    once: tuple[float, ...] = ()
    """The logits of the faces of a still by one view; none where they were judged so anyway."""

    def by_one_view(self) -> Seen:
        """As if it were a frame of a video."""
        if not self.once:
            return self
        return Seen(self.sample, tuple(replace(f, logit=z) for f, z in zip(self.faces, self.once, strict=True)))

    def scored(self, spec: DetectorSpec) -> Scored:
        """What a detector with this spec's calibration, thresholds and gates says of it."""
        video = self.sample.time_s is not None
        faces = [
            _judged(face, spec, spec.calibration_for(video=video), spec.limits(video=video)) for face in self.faces
        ]
        verdict, probability, _ = judge_image(faces)
        worst = worst_face(faces)
        return Scored(self.sample, verdict, probability, None if worst is None else faces[worst].logit)


def look(
    pictures: Sequence[Sample], crops: Sequence[Sample], detector: Detector, watch: Watch, phase: str
) -> list[Seen]:
    """Shows the detector pictures, in which faces are looked for, and crops of faces. Unreadable files are left out.

    Raises:
        Stopped: The watch said so.
    """
    finder = default_finder()
    work: list[Callable[[], Seen]] = [_Picture(sample, detector, finder) for sample in pictures]
    work += [_Crop(sample, detector) for sample in crops]
    seen: list[Seen] = []
    with ThreadPoolExecutor(cores()) as pool:
        try:
            for done, one in enumerate(pool.map(_tried, work), 1):
                seen += [one] if one else []
                watch.update(phase=phase, done=done, total=len(work))
                if watch.stop_requested():
                    raise Stopped
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return seen


@dataclass(frozen=True)
class _Picture:
    sample: Sample
    detector: Detector
    finder: FaceFinder

    def __call__(self) -> Seen:
        rgb, spec = load_image(self.sample.path).rgb, self.detector.spec
        faces = analyze_rgb(rgb, self.detector, self.finder, maps=False).faces
        crops = [crop_face(rgb, one.face, scale=spec.crop.scale, size=spec.input_size) for one in faces]
        return Seen(self.sample, faces, _logits(self.detector, crops))


@dataclass(frozen=True)
class _Crop:
    sample: Sample
    detector: Detector

    def __call__(self) -> Seen:
        crop = read_crop(self.sample.path)
        face = Face((0.0, 0.0, float(crop.shape[1]), float(crop.shape[0])), 1.0, tight=True)
        # however wide it was cut: of a tight crop's size the shares are the same
        views = cut_views(crop, face, crop_spec(TIGHT_SCALE), self.detector.spec.input_size)
        if self.sample.time_s is None:
            faces = tuple(score_stills(self.detector, [views], [face], maps=False))
            return Seen(self.sample, faces, _logits(self.detector, [views[0]]))
        return Seen(self.sample, tuple(score_crops(self.detector, views[:1], [face], maps=False)))


def _logits(detector: Detector, crops: Sequence[NDArray[np.uint8]]) -> tuple[float, ...]:
    return tuple(map(float, detector.predict(np.stack(crops)).logits)) if crops else ()


def _tried(work: Callable[[], Seen]) -> Seen | None:
    try:
        return work()
    except MediaError:
        return None


def _judged(face: FaceScore, spec: DetectorSpec, calibration: Calibration, limits: Thresholds) -> FaceScore:
    probability = float(expit(calibration.slope * face.logit + calibration.intercept))
    verdict, reasons = judge_face(probability, face.quality, limits, spec.gates)
    return replace(face, fake_probability=probability, verdict=verdict, reasons=reasons)
