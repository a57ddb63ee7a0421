"""People in a film: faces are found on key frames, followed between them, and keep one number each."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from core.faces.cuts import Sketch, compare, take_sketch
from core.faces.identity import People, iou
from core.faces.types import Box, Face
from core.media import VideoFrame

Tracked = tuple[VideoFrame, tuple[Face, ...]]

HELD_BYTES_MAX = 192 * 2**20
NEIGHBOUR_S = 0.5  # frames further apart than this are not neighbours: a difference between them need not be a cut
SETTLED_IOU = 0.5  # a face that overlaps less than this from one key frame to the next is looked for in between as well


class Finds(Protocol):
    """Whatever finds faces in one picture; `FaceFinder` does."""

    def find(self, rgb: NDArray[np.uint8], /) -> list[Face]: ...


def track_faces(
    frames: Iterable[VideoFrame],
    finder: Finds,
    *,
    detect_every_s: float = 0.2,
    iou_min: float = 0.3,
    max_gap_s: float = 1.0,
) -> Iterator[Tracked]:
    """Every frame with its faces, numbered by person, as a stream.

    Faces are looked for on key frames: the first and last frame of each shot, and one each `detect_every_s` between
    (all frames, if they come no closer). Where faces moved far, came or went from one key frame to the next, the
    middle is looked at as well. The frames between have linearly interpolated boxes and landmarks of the people that
    both sides show, so a face seen for less than half of `detect_every_s` can be missed.

    A number belongs to one person in one shot, and is kept over gaps of up to `max_gap_s`. A cut ends all tracks:
    someone who comes back after a cut gets a new number, unless the very shot returns within `max_gap_s` (a flash, a
    black frame, a short insert). Where colours and place leave doubt, a new number is given too: two people never
    share one if it can be helped. Slow dissolves between two faces at the same place cannot be told from one person.

    Held in memory: the frames between two key frames, at most `detect_every_s` of film and never more than 192 MiB
    (7 frames of 4K, 32 of 1080p); key frames come closer where that would be too little.

    Args:
        frames: Frames in the order of the film; time stamps may be irregular.
        finder: Finds the faces of one picture.
        detect_every_s: Seconds between key frames; 0 looks at every frame.
        iou_min: Overlap of expected and found box from which the place alone agrees, 0..1.
        max_gap_s: Seconds that a person may be out of sight.

    Yields:
        (frame, faces) for each frame, in order. Interpolated faces have `interpolated=True` and the lower score of
        both sides.

    Raises:
        ValueError: a setting is out of its range.
    """
    if detect_every_s < 0 or max_gap_s < 0 or not 0 <= iou_min <= 1:
        raise ValueError(
            "detect_every_s and max_gap_s must be at least 0 and iou_min within 0..1, "
            f"got {detect_every_s}, {max_gap_s}, {iou_min}"
        )
    walk = _Walk(finder, detect_every_s, People(iou_min, max_gap_s), max_gap_s)
    for frame in frames:
        yield from walk.advance(frame)
    yield from walk.settle()


class _Walk:
    """The state of one pass over a film."""

    def __init__(self, finder: Finds, detect_every_s: float, people: People, max_gap_s: float) -> None:
        self._finder, self._every_s, self._people, self._max_gap_s = finder, detect_every_s, people, max_gap_s
        self._key: Tracked | None = None  # the last key frame of this shot
        self._key_sketch: Sketch | None = None
        self._pending: list[tuple[VideoFrame, Sketch]] = []  # the frames after it
        self._sketch: Sketch | None = None  # of the last frame
        self._last_s = 0.0
        self._shot_before: tuple[Sketch, float] | None = None  # its last frame, and when it ended

    def advance(self, frame: VideoFrame) -> Iterator[Tracked]:
        sketch = take_sketch(frame.rgb)
        if self._sketch is not None and self._is_cut(sketch, frame.time_s):
            yield from self.settle()
            self._begin_shot(sketch, frame.time_s)
        self._sketch, self._last_s = sketch, frame.time_s
        self._pending.append((frame, sketch))
        if self._key is None or self._is_due(frame):
            yield from self.settle()

    def settle(self) -> Iterator[Tracked]:
        """Makes the last frame held a key frame, and gives out all that were held."""
        held, self._pending = self._pending, []
        if not held:
            return
        found = self._finder.find(held[-1][0].rgb)
        middle = (len(held) - 1) // 2
        if self._key is not None and len(held) > 1 and not _settled(self._key[1], found):
            yield from self._step(held[: middle + 1], self._finder.find(held[middle][0].rgb))
            held = held[middle + 1 :]
        yield from self._step(held, found)

    def _step(self, held: list[tuple[VideoFrame, Sketch]], found: list[Face]) -> Iterator[Tracked]:
        frame, sketch = held[-1]
        change = compare(self._key_sketch, sketch) if self._key_sketch is not None else "same"
        numbers = self._people.identify(frame.rgb, found, frame.time_s, change)
        now = frame, tuple(replace(face, track_id=n) for face, n in zip(found, numbers, strict=True))
        for position, (between, _) in enumerate(held[:-1], start=1):
            assert self._key is not None  # frames are held after a key frame only
            yield between, _between(self._key, now, between.time_s, position / len(held))
        self._key, self._key_sketch = now, sketch
        yield now

    def _is_cut(self, sketch: Sketch, time_s: float) -> bool:
        assert self._sketch is not None
        return abs(time_s - self._last_s) <= NEIGHBOUR_S and compare(self._sketch, sketch) == "other"

    def _begin_shot(self, sketch: Sketch, time_s: float) -> None:
        before, self._shot_before = self._shot_before, (self._sketch, self._last_s)  # type: ignore[assignment]
        self._key = self._key_sketch = None
        if before and time_s - before[1] <= self._max_gap_s and compare(before[0], sketch) != "other":
            self._people.resume()
        else:
            self._people.cut()

    def _is_due(self, frame: VideoFrame) -> bool:
        assert self._key is not None
        held_bytes = sum(held.rgb.nbytes for held, _ in self._pending)
        # Half a frame of 60 per second as slack: 0.2 s apart must hold for 0.19999 as well. Clocks may run backwards.
        waited = abs(frame.time_s - self._key[0].time_s)
        return waited >= self._every_s - 0.008 or held_bytes + frame.rgb.nbytes > HELD_BYTES_MAX


def _settled(before: tuple[Face, ...], after: list[Face]) -> bool:
    """Each face of one side overlaps one of the other well, and the other way round."""

    def covered(faces: Iterable[Face], others: Iterable[Face]) -> bool:
        others = list(others)
        return all(any(iou(f.box_xyxy, o.box_xyxy) >= SETTLED_IOU for o in others) for f in faces)

    return covered(before, after) and covered(after, before)


def _between(before: Tracked, after: Tracked, time_s: float, share_by_count: float) -> tuple[Face, ...]:
    """The faces that both sides show, at a moment between them."""
    elapsed = after[0].time_s - before[0].time_s
    share = (time_s - before[0].time_s) / elapsed if elapsed > 0 else share_by_count
    share = min(1.0, max(0.0, share))
    later = {face.track_id: face for face in after[1]}
    return tuple(_blend(face, later[face.track_id], share) for face in before[1] if face.track_id in later)


def _blend(first: Face, second: Face, share: float) -> Face:
    edges = [(1 - share) * a + share * b for a, b in zip(first.box_xyxy, second.box_xyxy, strict=True)]
    landmarks = None
    if first.landmarks is not None and second.landmarks is not None:
        landmarks = ((1 - share) * first.landmarks + share * second.landmarks).astype(np.float32)
    box: Box = (edges[0], edges[1], edges[2], edges[3])
    return replace(first, box_xyxy=box, score=min(first.score, second.score), landmarks=landmarks, interpolated=True)
