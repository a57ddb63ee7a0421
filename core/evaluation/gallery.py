"""The pictures of the most confident mistakes: the face that decided, under the evidence that misled the detector."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analysis.image import analyze_image
from core.analysis.types import FaceScore, VideoReport
from core.analysis.verdict import MIN_TRACK_FACES, passed_gates, worst_face, worst_track
from core.analysis.video import DEFAULT_SAMPLING, analyze_video
from core.errors import MediaError, UserError
from core.evaluation.document import Document
from core.evaluation.mistakes import most_confident
from core.explain import draw_face
from core.faces import FaceFinder, crop_face, default_finder
from core.media import Sampling, encode_image, load_image, probe_video, read_frame_at

if TYPE_CHECKING:
    from core.detector import Detector

SHOWN = 12
CROP_SIDE, CARD_SIDE = 320, 256
MOST_FRAMES = 32
"""Of a video so many are looked at, evenly spread: one that lasts an hour must not hold up the others."""

OF_A_VIDEO = "Of a video the strongest face of the worst person is shown."


@dataclass(frozen=True)
class Evidence:
    """The face that decided.

    Attributes:
        crop: uint8 (320, 320, 3) RGB, the crop that its map is of.
        score: What was said of it, with its map.
        time_s: Moment in a video; None in a picture.
    """

    crop: NDArray[np.uint8]
    score: FaceScore
    time_s: float | None = None


@dataclass(frozen=True)
class Card:
    """A mistake with its picture, or with a sentence on why there is none.

    Attributes:
        at: Where in the document's item columns it stands.
        jpeg: The face under its map, 256 × 256; None where it cannot be had.
        time_s: Moment in a video; None in a picture.
        problem: Why there is no picture.
    """

    at: int
    jpeg: bytes | None = None
    time_s: float | None = None
    problem: str = ""


Look = Callable[[Path, bool], Evidence]
"""Finds the face that decided in a file that is a video (True) or a picture; raises UserError."""


def gallery(document: Document, look: Look, on_progress: Callable[[int, int, str], None] | None = None) -> list[Card]:
    """Cards of the most confident mistakes, at most 12; none for a document without paths.

    Args:
        document: An evaluation.
        look: `find_evidence` with the detector that was measured.
        on_progress: Told how many cards are done, of how many, and of what kind.
    """
    items = document["items"]
    found = most_confident(items, SHOWN) if "path" in items else []
    cards = []
    for at in found:
        cards.append(_card(at, Path(items["path"][at]), items["video"][at], look))
        if on_progress:
            on_progress(len(cards), len(found), "Pictures of the mistakes")
    return cards


def _card(at: int, path: Path, video: bool, look: Look) -> Card:
    try:
        evidence = look(path, video)
    except UserError as error:
        return Card(at, problem=str(error))
    drawn = cv2.resize(draw_face(evidence.crop, evidence.score), (CARD_SIDE, CARD_SIDE), interpolation=cv2.INTER_AREA)
    return Card(at, encode_image(drawn.astype(np.uint8), "jpeg", 85), evidence.time_s)


def find_evidence(path: Path, video: bool, detector: Detector, finder: FaceFinder | None = None) -> Evidence:
    """The face that decided, by the very path that users' media take.

    In a video it is the strongest face of the worst person, in at most 32 of its frames: those that a verdict takes, or
    of a video of more than some six seconds as many evenly spread.

    Args:
        path: Of the picture or video.
        video: Which of the two it is.
        detector: Who judges.
        finder: Who finds faces; the process's shared one when None.

    Raises:
        MediaError: The file is gone or cannot be read, or no face is found in it.
    """
    finder = finder or default_finder()
    if video:
        report = analyze_video(path, detector, finder, sampling=_sampling(path))
        time_s, score = _strongest(report, detector)
        rgb = read_frame_at(path, time_s).rgb
    else:
        faces = analyze_image(path, detector, finder).faces
        worst = worst_face(faces)
        if worst is None:
            raise MediaError("No face is found in this picture any more.")
        time_s, score, rgb = None, faces[worst], load_image(path).rgb
    return Evidence(crop_face(rgb, score.face, scale=detector.spec.crop.scale, size=CROP_SIDE), score, time_s)


def _sampling(path: Path) -> Sampling:
    info = probe_video(path)
    usual = DEFAULT_SAMPLING.expected_frames(info.frame_count, info.duration_s)
    return DEFAULT_SAMPLING if usual and usual <= MOST_FRAMES else Sampling.evenly(MOST_FRAMES)


def _strongest(report: VideoReport, detector: Detector) -> tuple[float, FaceScore]:
    """Time and face; of anyone where the frames lie too far apart to follow people.

    One that a quality gate held back had no say, and is taken only where there is no other.
    """
    person = worst_track(report.tracks, detector.spec.limits(video=True))
    if person is None:
        raise MediaError("No face is found in the frames of this video that were looked at.")
    followed = person.face_count >= MIN_TRACK_FACES
    seen = [
        (frame.time_s, score)
        for frame in report.frames
        for score in frame.faces
        if score.face.track_id == person.id or not followed
    ]
    judged = [view for view in seen if passed_gates(view[1])]
    return max(judged or seen, key=lambda view: view[1].fake_probability)
