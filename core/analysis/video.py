"""One video to one report: decode, find and track, crop, classify in batches, aggregate, in memory that does not grow.

The decoder runs in a thread of its own. Of a frame nothing stays but its crops until their batch is full, and then its
scores.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from core.analysis.feed import FrameFeed, queue_depth
from core.analysis.scoring import score_crops
from core.analysis.track_rule import TrackEvidence, judge_tracks
from core.analysis.types import FaceScore, FrameReport, VideoReport
from core.analysis.verdict import failed_gates, judge_video
from core.errors import Cancelled, MediaError
from core.faces import Face, FaceFinder, crop_face, default_finder
from core.faces.any_way_up import FilmFinder
from core.faces.tracker import Tracked, track_faces
from core.media import Sampling, VideoFrame, VideoReader, shown_name

if TYPE_CHECKING:
    from core.detector.engine import Detector

DEFAULT_SAMPLING = Sampling.per_second(5)
BATCH = 16  # crops of several frames are judged together
PROGRESS_EVERY_S = 1 / 3
PROGRESS_SHARE = 0.05  # of the time, at most, goes into snapshots: they grow with the video


@dataclass(frozen=True)
class VideoProgress:
    """Where an analysis stands.

    Attributes:
        done: Frames analysed.
        total: Frames expected; None when the file does not say.
        time_s: Time in the video up to which it is analysed.
        frames_per_second: Speed of the analysis.
        seconds_left: Until it ends; None when unknown.
        report: The report as of now, with the verdict as of now.
    """

    done: int
    total: int | None
    time_s: float
    frames_per_second: float
    seconds_left: float | None
    report: VideoReport


def analyze_video(
    path: str | Path,
    detector: Detector,
    finder: FaceFinder | None = None,
    *,
    sampling: Sampling = DEFAULT_SAMPLING,
    on_progress: Callable[[VideoProgress], None] | None = None,
    should_cancel: Callable[[], bool] | None = None,
    maps: bool = True,
    name: str | None = None,
) -> VideoReport:
    """Find, follow and judge all faces of a video.

    Args:
        path: The video.
        detector: Who judges.
        finder: Who finds faces; the process's shared one when None.
        sampling: Which frames are analysed.
        on_progress: Gets a snapshot at most three times a second, and one at the end; called in this thread.
        should_cancel: Asked before each frame and each batch.
        maps: Keep the activation maps (0.4 kB a face).
        name: What the report calls the video; its path when None.

    Raises:
        MediaError: The file cannot be read as a video or has no frame that decodes.
        Cancelled: `should_cancel` said so; everything is closed.
    """
    finder = finder or default_finder()
    with VideoReader(path, sampling, name=name) as reader:
        run = _Run(reader, detector, name or str(path), on_progress, should_cancel, maps)
        with (
            FrameFeed(reader, queue_depth(reader.info.size_wh)) as feed,
            closing(cast("Generator[Tracked]", track_faces(feed, FilmFinder(finder)))) as tracked,
        ):
            for frame, faces in tracked:
                run.add(frame, faces)
            run.finish()
        if not run.frames:
            raise MediaError(
                f'"{shown_name(name or path)}" has no frame that can be decoded: copy or download it again.'
            )
        return run.report(final=True)


class _Run:
    """The state of one analysis: what waits for the detector, and what is known so far."""

    def __init__(
        self,
        reader: VideoReader,
        detector: Detector,
        name: str,
        on_progress: Callable[[VideoProgress], None] | None,
        should_cancel: Callable[[], bool] | None,
        maps: bool,
    ) -> None:
        self._reader, self._detector, self._name = reader, detector, name
        self._on_progress, self._should_cancel, self._maps = on_progress, should_cancel, maps
        self._started = time.perf_counter()
        self._next_progress = self._started
        self._waiting: deque[tuple[int, float, int]] = deque()  # frames whose faces are not all judged
        self._crops: list[NDArray[np.uint8]] = []
        self._faces: list[Face] = []
        self._quantisers: list[float | None] = []
        self._scores: deque[FaceScore] = deque()
        self.frames: list[FrameReport] = []
        self._tracks: dict[int, TrackEvidence] = {}

    def add(self, frame: VideoFrame, faces: tuple[Face, ...]) -> None:
        """Take in one frame; judges a batch when enough crops have come together."""
        self._check()
        spec = self._detector.spec
        self._waiting.append((frame.index, frame.time_s, len(faces)))
        self._faces += faces
        self._quantisers += [frame.quantiser] * len(faces)
        self._crops += [crop_face(frame.rgb, face, scale=spec.crop.scale, size=spec.input_size) for face in faces]
        while len(self._crops) >= BATCH:
            self._judge(BATCH)
        self._settle()
        self._tell()

    def finish(self) -> None:
        """Judge what still waits."""
        if self._crops:
            self._judge(len(self._crops))
        self._settle()
        self._tell(last=True)

    def report(self, *, final: bool = False) -> VideoReport:
        """What is known so far; `final` warnings are known only at the end of the file."""
        spec, info = self._detector.spec, self._reader.info
        thresholds = spec.limits(video=True)
        # a stretch has few faces, as a still has one: both answer to the stricter limit
        tracks = judge_tracks(self._tracks.values(), thresholds, picked=spec.limits(video=False))
        verdict, probability, reasons = judge_video(tracks, thresholds)
        return VideoReport(
            path=self._name,
            verdict=verdict,
            fake_probability=probability,
            size_wh=info.size_wh,
            fps=info.fps,
            duration_s=info.duration_s or (self.frames[-1].time_s if self.frames else 0.0),
            sampling=str(self._reader.sampling),
            frames=tuple(self.frames),
            tracks=tracks,
            reasons=reasons,
            warnings=tuple(self._reader.warnings) if final else (),
            model=self._detector.name,
            model_sha256=self._detector.sha256,
            seconds=time.perf_counter() - self._started,
        )

    def _judge(self, count: int) -> None:
        self._check()
        crops, faces, quantisers = np.stack(self._crops[:count]), self._faces[:count], self._quantisers[:count]
        del self._crops[:count], self._faces[:count], self._quantisers[:count]
        self._scores += score_crops(self._detector, crops, faces, quantisers=quantisers, maps=self._maps)

    def _settle(self) -> None:
        """Move frames whose faces are all judged into the report."""
        while self._waiting and len(self._scores) >= self._waiting[0][2]:
            index, time_s, count = self._waiting.popleft()
            scores = tuple(self._scores.popleft() for _ in range(count))
            self.frames.append(FrameReport(index, time_s, scores))
            for score in scores:
                number = score.face.track_id or 1
                failed = failed_gates(score.quality, self._detector.spec.gates)
                evidence = self._tracks.setdefault(number, TrackEvidence(number))
                evidence.add(time_s, score.fake_probability, failed)

    def _check(self) -> None:
        if self._should_cancel and self._should_cancel():
            raise Cancelled

    def _tell(self, *, last: bool = False) -> None:
        now = time.perf_counter()
        if not self._on_progress or not self.frames or (now < self._next_progress and not last):
            return
        done, total, speed = len(self.frames), self._reader.expected_frames, len(self.frames) / (now - self._started)
        if total is not None:
            total = done if last else max(total, done)  # the file's own count is an estimate
        left = None if total is None else (total - done) / speed
        self._on_progress(VideoProgress(done, total, self.frames[-1].time_s, speed, left, self.report()))
        ended = time.perf_counter()
        self._next_progress = ended + max(PROGRESS_EVERY_S, (ended - now) / PROGRESS_SHARE)
