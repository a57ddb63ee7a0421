"""Made-up films of heads that move, with the truth about who is where, and the motions that they are made of."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from core.faces import Box, Face
from core.faces.identity import iou
from core.faces.tracker import Tracked
from core.media import VideoFrame

SIZE_WH = (320, 180)
HEAD_WH = (30, 40)
Place = Callable[[float], tuple[float, float] | None]  # seconds -> centre of the head, None while out of the picture


def picture(seed: int, size_wh: tuple[int, int] = SIZE_WH) -> NDArray[np.uint8]:
    """Something with structure and colours of its own, like a photograph in small."""
    coarse = np.random.default_rng(seed).integers(0, 256, (5, 8, 3), dtype=np.uint8)
    return cv2.resize(coarse, size_wh, interpolation=cv2.INTER_CUBIC)


class Film:
    """Heads drawn in different colours on a background; it also is the finder that knows the truth.

    Each head hides those drawn before it. The number of a frame stands in its first pixel, so that the finder knows
    what it is shown.
    """

    COLOURS = ((200, 60, 50), (60, 160, 60), (70, 80, 200))

    def __init__(
        self,
        times_s: Sequence[float],
        places: Sequence[Place],
        shot: Callable[[float], int] = lambda time_s: 0,
        colours: Sequence[tuple[int, int, int]] = COLOURS,
    ) -> None:
        self.times_s, self.places, self.shot, self.colours = times_s, places, shot, colours
        self.blind: set[int] = set()  # frames on which the finder finds nothing
        self.extra: dict[int, Box] = {}  # frames on which it finds something more
        self.seen: list[int] = []

    def __iter__(self) -> Iterator[VideoFrame]:
        for index, time_s in enumerate(self.times_s):
            rgb = picture(self.shot(time_s))
            for who, box in self.boxes(index).items():
                _draw_head(rgb, box, self.colours[who])
            rgb[0, 0] = (index % 256, index // 256, 0)
            yield VideoFrame(index, time_s, rgb)

    def boxes(self, index: int) -> dict[int, Box]:
        found: dict[int, Box] = {}
        for who, place in enumerate(self.places):
            if centre := place(self.times_s[index]):
                (x, y), (wide, high) = centre, HEAD_WH
                found[who] = (x - wide / 2, y - high / 2, x + wide / 2, y + high / 2)
        return found

    def visible(self, index: int) -> dict[int, Box]:
        boxes = self.boxes(index)
        return {w: b for w, b in boxes.items() if not any(o > w and iou(b, boxes[o]) > 0.25 for o in boxes)}

    def find(self, rgb: NDArray[np.uint8], /) -> list[Face]:
        index = int(rgb[0, 0, 0]) + 256 * int(rgb[0, 0, 1])
        self.seen.append(index)
        boxes = [] if index in self.blind else list(self.visible(index).values())
        boxes += [self.extra[index]] if index in self.extra else []
        return [Face(box, 0.9, np.full((5, 2), box[0], np.float32)) for box in reversed(boxes)]

    def owners(self, tracked: list[Tracked]) -> dict[int, set[int]]:
        """Track number -> whose faces bear it (-1: nobody's)."""
        owners = defaultdict(set)
        for frame, faces in tracked:
            if len(self.visible(frame.index)) < len(self.boxes(frame.index)):
                continue  # one hides the other: whose box an interpolated one is cannot be said
            for face in faces:
                overlaps = {who: iou(face.box_xyxy, box) for who, box in self.boxes(frame.index).items()}
                best = max(overlaps, key=overlaps.__getitem__, default=-1)
                owners[face.track_id or 0].add(best if overlaps.get(best, 0) > 0.3 else -1)
        return dict(owners)


def _draw_head(rgb: NDArray[np.uint8], box: Box, colour: tuple[int, int, int]) -> None:
    """Hair reaches above the box, as it does above what a face finder gives; skin is not of one colour."""
    left, top, right, bottom = (round(edge) for edge in box)
    high = bottom - top
    rows, columns = slice(max(0, top - high // 3), max(0, bottom)), slice(max(0, left), max(0, right))
    shades = np.linspace(0.5, 1.2, high + high // 3)[:, None, None] * np.array(colour)
    area = rgb[rows, columns]
    area[:] = np.clip(shades[-len(area) :] if len(area) else shades[:0], 0, 255)


def every(fps: float, seconds: float) -> list[float]:
    return [i / fps for i in range(round(fps * seconds))]


def still(x: float, y: float = 90) -> Place:
    return lambda time_s: (x, y)


def moving(x: float, speed: float, y: float = 90) -> Place:
    return lambda time_s: (x + speed * time_s, y)


def between(start_s: float, end_s: float, place: Place) -> Place:
    return lambda time_s: place(time_s) if start_s <= time_s < end_s else None


def bouncing(x: float, turn: float) -> Place:
    return lambda time_s: (turn + (x - turn) * abs(time_s - 1.5) / 1.5, 90)
