"""From pictures and videos to face crops, by the very functions that detection uses; crops are cached by content."""

import logging
import os
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from core.data.crops import CropCache, face_crop, usable_as_is
from core.data.facts import Memory, Progress
from core.data.sample import Sample
from core.errors import Cancelled, DataError, MediaError
from core.faces import FaceFinder, default_finder
from core.faces.crop import TIGHT_SCALE, tight_face
from core.media import load_image

__all__ = ["Prepared", "face_crop", "is_tight_source", "prepare", "prepare_all"]

logger = logging.getLogger(__name__)

TIGHT_PROBES = 60
TIGHT_MAJORITY = 0.9
FRAMES_PER_VIDEO = 16


@dataclass(frozen=True)
class Prepared:
    """What has become of samples; each list is in the given order.

    Attributes:
        samples: Face crops, the frames of a video one after the other.
        no_face: Samples in which no face was found.
        unreadable: Samples that are missing, empty, damaged or cut off.
    """

    samples: list[Sample]
    no_face: list[Sample]
    unreadable: list[Sample]


def prepare(
    samples: Sequence[Sample],
    cache: Path,
    *,
    scale: float,
    frames_per_video: int = FRAMES_PER_VIDEO,
    finder: FaceFinder | None = None,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Sample]:
    """`prepare_all` without what was left out: that is logged, in numbers."""
    prepared = prepare_all(
        samples,
        cache,
        scale=scale,
        frames_per_video=frames_per_video,
        finder=finder,
        on_progress=on_progress,
        should_stop=should_stop,
    )
    for dropped, why in ((prepared.no_face, "no face was found"), (prepared.unreadable, "the file cannot be read")):
        if dropped:
            logger.warning("%d of %d left out: %s (the first: %s)", len(dropped), len(samples), why, dropped[0].path)
    return prepared.samples


def prepare_all(
    samples: Sequence[Sample],
    cache: Path,
    *,
    scale: float,
    frames_per_video: int = FRAMES_PER_VIDEO,
    finder: FaceFinder | None = None,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Prepared:
    """Samples whose paths are face crops.

    Pictures of sources that are tight crops already are kept as they are. Of the others, and of frames spread over each
    video, the largest face is cropped once into `cache`, named by the file's content and the crop scale: a second call,
    or one after a kill, only does what is missing.

    Args:
        samples: Pictures and videos.
        cache: Folder for the crops; made if missing.
        scale: Side of a crop in face-box heights.
        frames_per_video: How many frames of a video are looked at.
        finder: Finds faces; the process's own by default.
        on_progress: Called with samples done and in all.
        should_stop: Asked before each sample.

    Raises:
        DataError: No sample is left.
        SetupError: The cache cannot be written, such as when the disk is full.
        Cancelled: `should_stop` said so; what is done stays in the cache.
    """
    finder = finder or default_finder()
    by_source: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_source[sample.source].append(sample)
    tight = {source: is_tight_source(members, finder) for source, members in by_source.items()}
    prepared = Prepared([], [], [])
    with Memory() as memory:
        crops = CropCache(cache, scale, finder, memory)

        def one(sample: Sample) -> list[Sample]:
            if should_stop and should_stop():
                raise Cancelled
            if sample.is_video:
                frames = crops.of_video(sample.path, frames_per_video)
                return [replace(sample, path=path, time_s=time_s) for path, time_s in frames]
            if tight[sample.source] and scale >= TIGHT_SCALE and usable_as_is(sample.path):
                return [sample]
            crop = crops.of_picture(sample.path, tight=tight[sample.source])
            return [replace(sample, path=crop)] if crop else []

        _gather(samples, one, prepared, on_progress)
    if samples and not prepared.samples:
        raise DataError(_nothing_left(prepared))
    return prepared


def _gather(
    samples: Sequence[Sample],
    one: Callable[[Sample], list[Sample]],
    into: Prepared,
    on_progress: Progress | None,
) -> None:
    def tried(sample: Sample) -> list[Sample] | None:
        try:
            return one(sample)
        except MediaError as error:
            logger.info("left out: %s", error)
            return None

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for done, (sample, crops) in enumerate(zip(samples, pool.map(tried, samples)), 1):
                into.samples.extend(crops or ())
                if not crops:
                    (into.unreadable if crops is None else into.no_face).append(sample)
                if on_progress:
                    on_progress(done, len(samples))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise


def is_tight_source(samples: Sequence[Sample], finder: FaceFinder) -> bool:
    """Whether a source consists of tight crops, told from a random few: one rule for all its pictures and classes."""
    pictures = [sample for sample in samples if not sample.is_video]
    verdicts = []
    for sample in random.Random(0).sample(pictures, min(TIGHT_PROBES, len(pictures))):
        try:
            verdicts.append(tight_face(load_image(sample.path).rgb, finder) is not None)
        except MediaError:
            continue
    return bool(verdicts) and sum(verdicts) >= TIGHT_MAJORITY * len(verdicts)


def _nothing_left(prepared: Prepared) -> str:
    if not prepared.no_face:
        return f"None of the {len(prepared.unreadable)} pictures and videos can be read: copy or download them again."
    also = f" ({len(prepared.unreadable)} more cannot be read)" if prepared.unreadable else ""
    sources = ", ".join(sorted({sample.source for sample in prepared.no_face}))
    return (
        f"No faces were found in the {len(prepared.no_face)} pictures and videos of {sources}{also}: "
        "a detector needs pictures that show faces of 40 pixels or more."
    )
