"""Validation and test data judged by the finished detector, each once, by the path that users' pictures take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from core.analysis.image import analyze_image
from core.analysis.scoring import score_crops, score_stills
from core.analysis.types import FaceScore
from core.analysis.verdict import judge_face, judge_image, worst_face
from core.data.augment import LEAST_PART, MEAN_PART
from core.data.dataset import Sample
from core.data.draw import read_crop
from core.detector.spec import DetectorSpec, Thresholds
from core.errors import MediaError
from core.evaluation import Scored
from core.faces import Face, FaceFinder, default_finder
from core.faces.crop import corners, middle, resize_crop
from core.training.callbacks import Stopped, Watch
from core.training.hardware import cores

if TYPE_CHECKING:
    from core.detector.engine import Detector


@dataclass(frozen=True)
class Seen:
    """A sample and its faces as the detector sees them, whatever its calibration."""

    sample: Sample
    faces: tuple[FaceScore, ...]

    def scored(self, spec: DetectorSpec) -> Scored:
        """What a detector with this spec's calibration, thresholds and gates says of it."""
        limits = spec.limits(video=self.sample.time_s is not None)
        faces = [_judged(face, spec, limits) for face in self.faces]
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
        return Seen(self.sample, analyze_image(self.sample.path, self.detector, self.finder, maps=False).faces)


@dataclass(frozen=True)
class _Crop:
    sample: Sample
    detector: Detector

    def __call__(self) -> Seen:
        crop = read_crop(self.sample.path)
        face = Face((0.0, 0.0, float(crop.shape[1]), float(crop.shape[0])), 1.0, tight=True)
        cuts, size = [middle(crop, MEAN_PART), crop, *corners(crop, LEAST_PART)], self.detector.spec.input_size
        views = np.stack([resize_crop(cut, size) for cut in cuts])  # as `core.training.finish.crop_spec` has them
        if self.sample.time_s is None:
            return Seen(self.sample, tuple(score_stills(self.detector, [views], [face], maps=False)))
        return Seen(self.sample, tuple(score_crops(self.detector, views[:1], [face], maps=False)))


def _tried(work: Callable[[], Seen]) -> Seen | None:
    try:
        return work()
    except MediaError:
        return None


def _judged(face: FaceScore, spec: DetectorSpec, limits: Thresholds) -> FaceScore:
    probability = float(expit(spec.calibration.slope * face.logit + spec.calibration.intercept))
    verdict, reasons = judge_face(probability, face.quality, limits, spec.gates)
    return replace(face, fake_probability=probability, verdict=verdict, reasons=reasons)
