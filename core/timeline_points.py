"""What a timeline shows, whatever draws it: the faces of each person over time, and where nothing sure can be said."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from core.analysis.types import FrameReport


@dataclass(frozen=True)
class Point:
    """One face of one person at one moment."""

    time_s: float
    fake_probability: float
    uncertain: bool


def points_by_track(frames: Iterable[FrameReport]) -> dict[int, list[Point]]:
    """The faces of each person in the order of time; faces that belong to no track are person 0."""
    people: dict[int, list[Point]] = {}
    for frame in frames:
        for score in frame.faces:
            point = Point(frame.time_s, score.fake_probability, score.verdict == "uncertain")
            people.setdefault(score.face.track_id or 0, []).append(point)
    return dict(sorted(people.items()))


def usual_step_s(frames: Sequence[FrameReport]) -> float:
    """The median time between two analysed frames in seconds; 0 for fewer than two."""
    steps = [after.time_s - before.time_s for before, after in pairwise(frames)]
    return median(steps) if steps else 0.0


def uncertain_stretches(points: Sequence[Point], step_s: float) -> list[tuple[float, float]]:
    """Start and end in seconds of each run of uncertain points, half a step wider on both sides so that one shows."""
    half = step_s / 2 or 0.05
    runs: list[tuple[float, float]] = []
    open_run = False
    for point in points:
        if point.uncertain and open_run:
            runs[-1] = (runs[-1][0], point.time_s + half)
        elif point.uncertain:
            runs.append((max(0.0, point.time_s - half), point.time_s + half))
        open_run = point.uncertain
    return runs
