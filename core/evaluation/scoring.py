"""Labelled media judged by the very path that users' media take, several at a time, and never twice."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.special import logit as log_odds

from core.analysis.faults import told_of
from core.analysis.image import analyze_image, analyze_rgb
from core.analysis.scoring import score_crops
from core.analysis.types import FaceScore, ImageReport, Quality, Report, Verdict
from core.analysis.verdict import worst_face
from core.analysis.video import analyze_video
from core.data.dataset import Sample
from core.errors import Cancelled, MediaError
from core.evaluation.cache import RowCache, stamp
from core.evaluation.changes import Change, film_frame
from core.faces import FaceFinder, default_finder, find_faces_or_tight
from core.faces.crop import crop_face
from core.media import load_image

if TYPE_CHECKING:
    from core.detector.engine import Detector

Progress = Callable[[int, int], None]
Item = TypeVar("Item")
Result = TypeVar("Result")
MAX_WORKERS = 8
SURE = 1e-6
"""A video's probability is taken back to log-odds from no nearer to 0 or 1 than this."""


@dataclass(frozen=True)
class Scored:
    """What a detector said of one labelled picture or video.

    Attributes:
        sample: What was judged, with its label.
        verdict: `error` for a file that cannot be read.
        fake_probability: Of the worst face or person; None without a face.
        logit: The same before calibration.
        quality: Of that face; None for videos and without a face.
        error: Why it could not be read.
    """

    sample: Sample
    verdict: Verdict
    fake_probability: float | None
    logit: float | None
    quality: Quality | None = None
    error: str | None = None

    @property
    def video(self) -> bool:
        return self.sample.is_video


def score_media(
    samples: Sequence[Sample],
    detector: Detector,
    finder: FaceFinder | None = None,
    *,
    cache: RowCache | None = None,
    change: Change | None = None,
    on_progress: Progress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> list[Scored]:
    """Every sample through `analyze_image` or `analyze_video`; the worst face or person stands for it.

    Several are judged at a time, in threads: decoding, finding faces and the network all run outside of Python's lock,
    and another process would need a copy of the network.

    Args:
        samples: Pictures and videos.
        detector: Who judges.
        finder: Who finds faces; the process's shared one when None.
        cache: Answers given before for the same files, and where new ones go.
        change: What is done to each picture before it is judged, such as JPEG at quality 50; for pictures only.
        on_progress: Told how many are done, and of how many.
        should_cancel: Asked after each.

    Returns:
        One for each sample, in their order; files that cannot be read have the verdict `error`.

    Raises:
        Cancelled: `should_cancel` said so. What was judged by then is in the cache.
    """
    finder = finder or default_finder()

    def judge(sample: Sample) -> Scored:
        key = f"{stamp(sample.path)}|{change.key if change else ''}"
        row = cache.get(key) if cache else None
        if row is not None:
            return _from_row(sample, row)
        scored = _judge(sample, detector, finder, change, should_cancel)
        if cache and scored.verdict != "error":  # what kept it from being read may pass
            cache.put(key, _to_row(scored))
        return scored

    return list(in_parallel(judge, samples, on_progress, should_cancel))


def score_pictures(
    samples: Sequence[Sample],
    detector: Detector,
    finder: FaceFinder | None = None,
    on_progress: Progress | None = None,
) -> list[Scored]:
    """As `score_media`, without those that cannot be read."""
    scored = score_media(samples, detector, finder, on_progress=on_progress)
    return [one for one in scored if one.verdict != "error"]


def in_parallel(
    work: Callable[[Item], Result],
    items: Sequence[Item],
    on_progress: Progress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> Iterator[Result]:
    """Results in the order of the items; no more are under way than there are workers, twice."""
    workers = min(MAX_WORKERS, os.cpu_count() or 1)
    waiting: deque[Future[Result]] = deque()
    left, done = iter(items), 0
    with ThreadPoolExecutor(workers) as pool:
        try:
            while True:
                while len(waiting) < 2 * workers and (item := next(left, None)) is not None:
                    waiting.append(pool.submit(work, item))
                if not waiting:
                    return
                yield waiting.popleft().result()
                done += 1
                if on_progress:
                    on_progress(done, len(items))
                if should_cancel and should_cancel():
                    raise Cancelled
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _judge(
    sample: Sample,
    detector: Detector,
    finder: FaceFinder,
    change: Change | None,
    should_cancel: Callable[[], bool] | None,
) -> Scored:
    report: Report
    try:
        with told_of(sample.path):
            if sample.is_video:
                report = analyze_video(sample.path, detector, finder, maps=False, should_cancel=should_cancel)
            elif change and change.film:
                return _of_faces(sample, _judge_in_film(load_image(sample.path).rgb, change, detector, finder))
            elif change:
                rgb = change.apply(load_image(sample.path).rgb)
                report = analyze_rgb(rgb, detector, finder, maps=False)
            else:
                report = analyze_image(sample.path, detector, finder, maps=False)
    except MediaError as error:
        return Scored(sample, "error", None, None, error=str(error))
    return of_report(sample, report, detector)


def _judge_in_film(rgb: NDArray[np.uint8], change: Change, detector: Detector, finder: FaceFinder) -> list[FaceScore]:
    """The faces of a frame, each judged once and by the limits of films, as `analyze_video` does."""
    frame, spec = film_frame(rgb, change.level), detector.spec
    faces = find_faces_or_tight(frame.rgb, finder)
    crops = [crop_face(frame.rgb, face, scale=spec.crop.scale, size=spec.input_size) for face in faces]
    quantisers = [frame.quantiser] * len(faces)
    return score_crops(detector, np.array(crops), faces, quantisers=quantisers, maps=False)


def of_report(sample: Sample, report: Report, detector: Detector) -> Scored:
    """What a report says of a sample."""
    if isinstance(report, ImageReport):
        return _of_faces(sample, report.faces)
    if report.fake_probability is None:
        return Scored(sample, report.verdict, None, None)
    calibration = detector.spec.calibration
    odds = float(log_odds(np.clip(report.fake_probability, SURE, 1 - SURE)))
    return Scored(sample, report.verdict, report.fake_probability, (odds - calibration.intercept) / calibration.slope)


def _of_faces(sample: Sample, faces: Sequence[FaceScore]) -> Scored:
    worst = worst_face(faces)
    if worst is None:
        return Scored(sample, "no_face", None, None)
    face = faces[worst]
    return Scored(sample, face.verdict, face.fake_probability, face.logit, face.quality)


def _to_row(scored: Scored) -> dict[str, object]:
    quality = scored.quality
    return {
        "verdict": scored.verdict,
        "p": scored.fake_probability,
        "logit": scored.logit,
        "quality": quality and list(astuple(quality)),
        "error": scored.error,
    }


def _from_row(sample: Sample, row: dict[str, object]) -> Scored:
    quality = row["quality"]
    return Scored(
        sample,
        row["verdict"],  # type: ignore[arg-type]
        row["p"],  # type: ignore[arg-type]
        row["logit"],  # type: ignore[arg-type]
        Quality(*quality) if isinstance(quality, list) else None,
        row["error"],  # type: ignore[arg-type]
    )
