"""Which faces to draw on a frame of a video of which only some frames were analysed.

An analysed frame shows what was measured on it. A frame between two of them shows the nearer one's faces, numbers and
maps, its boxes moved along with the person; that it was not analysed itself is said. Where analysed frames lie too far
apart for a face to be followed, nothing is drawn.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.analysis.types import FaceScore, FrameReport
from core.faces.types import Box

State = Literal["analysed", "between", "not_analysed"]

MAX_GAP_S = 1.0
"""Analysed frames further apart than this say nothing about where a face is in between ..."""
HOLD_S = 0.15
"""... but for this long beside one of them, which is less than a head takes to leave its box."""
_SAME_S = 1e-3
_FAR_BOXES = 1.0  # a box that jumps by more than its own height was cut away from, and does not glide


@dataclass(frozen=True)
class ShownFace:
    """A face at one moment, which may lie between two analysed frames, and its box then."""

    score: FaceScore
    box_xyxy: Box


class ShownFaces:
    """The faces of a report at any moment.

    Args:
        frames: Analysed frames in the order of time.
    """

    def __init__(self, frames: Sequence[FrameReport]) -> None:
        self._frames = frames
        self._times_s = [frame.time_s for frame in frames]

    def at(self, time_s: float) -> tuple[State, tuple[ShownFace, ...]]:
        """What to draw at a moment, in seconds, and how it is known."""
        place = bisect_right(self._times_s, time_s + _SAME_S)
        before = self._frames[place - 1] if place else None
        after = self._frames[place] if place < len(self._frames) else None
        if before and abs(time_s - before.time_s) <= _SAME_S:
            return "analysed", tuple(ShownFace(score, score.face.box_xyxy) for score in before.faces)
        if before and after and after.time_s - before.time_s <= MAX_GAP_S:
            return "between", _between(before, after, time_s)
        near = [one for one in (before, after) if one and abs(time_s - one.time_s) <= HOLD_S]
        if not near:
            return "not_analysed", ()
        nearest = min(near, key=lambda one: abs(time_s - one.time_s))
        return "between", tuple(ShownFace(score, score.face.box_xyxy) for score in nearest.faces)


def _between(before: FrameReport, after: FrameReport, time_s: float) -> tuple[ShownFace, ...]:
    share = (time_s - before.time_s) / (after.time_s - before.time_s)
    near, far, towards = (before, after, share) if share < 0.5 else (after, before, 1 - share)
    others = {score.face.track_id: score.face.box_xyxy for score in far.faces if score.face.track_id}
    return tuple(
        ShownFace(score, _moved(score.face.box_xyxy, others.get(score.face.track_id or 0), towards))
        for score in near.faces
    )


def _moved(box: Box, other: Box | None, share: float) -> Box:
    """The box on its way to the other one, or where it is if that one is too far for the same movement."""
    if other is None:
        return box
    height = max(1.0, box[3] - box[1])
    if max(abs(there - here) for here, there in zip(box, other)) > _FAR_BOXES * height:
        return box
    left, top, right, bottom = (here + share * (there - here) for here, there in zip(box, other))
    return left, top, right, bottom
