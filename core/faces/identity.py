"""Who is who: faces of one moment are matched with the people seen before, by place, motion and colours.

Sharing a number between two people does harm (one person's verdict falls on another), splitting one person in two
does little; so where the evidence is thin, a new number is given.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from core.faces.cuts import Change
from core.faces.types import Box, Face

Colours = NDArray[np.float32]

FOREHEAD = 0.25  # how far above a face box hair and forehead are looked at, in box heights
BANDS, COLOUR_BINS = 3, (8, 10, 10)  # from hair to chin; lightness and the two colour axes of CIE Lab
BAND_WH = (24, 10)
# Distances, 0..1. One face after shifting, turning, relighting and noise: median 0.29, 99 % below 0.46 (FFHQ, 250
# people); one person within a clip of ../shared: at most 0.31; two people: 99 % above 0.57. A larger region or one
# with the chest tells people apart worse: it holds more background, which changes as they move.
SURELY_ALIKE_MAX, ALIKE_MAX = 0.42, 0.55  # the second for a face that hardly moved
RELIT_IOU_MIN = 0.5  # where the light changed, colours say nothing and the place must do
COASTING_S = 1.0  # a velocity is believed for about this long
MIXED_IOU = 0.05  # boxes that overlap more than this show each other's colours
NEVER = 1e3


def colours_of(rgb: NDArray[np.uint8], box_xyxy: Box) -> Colours | None:
    """Shares of the colours in three bands from hair to chin, (2400,) float32, sum 1; None if outside the picture."""
    height, width = rgb.shape[:2]
    left, top, right, bottom = box_xyxy
    top -= FOREHEAD * (bottom - top)
    rows, columns = slice(max(0, int(top)), min(height, int(bottom))), slice(max(0, int(left)), min(width, int(right)))
    face = rgb[rows, columns]
    if face.shape[0] < BANDS or face.shape[1] < 2:
        return None
    step = max(1, min(face.shape[:2]) // (BANDS * BAND_WH[1]))
    size_wh = (BAND_WH[0], BANDS * BAND_WH[1])
    small = cv2.resize(np.ascontiguousarray(face[::step, ::step]), size_wh, interpolation=cv2.INTER_AREA)
    lab = cv2.cvtColor(small, cv2.COLOR_RGB2LAB)
    lab[..., 1:] = lab[..., 1:].clip(96, 191)  # stronger colours count as the strongest; uncounted they would vanish
    ranges = [0, 256, 96, 192, 96, 192]
    counts = [cv2.calcHist([band], [0, 1, 2], None, list(COLOUR_BINS), ranges).ravel() for band in np.split(lab, BANDS)]
    shares = np.concatenate(counts)
    return (shares / max(1.0, float(shares.sum()))).astype(np.float32)


def iou(first: Box, second: Box) -> float:
    """Intersection over union of two boxes, 0..1."""
    wide = min(first[2], second[2]) - max(first[0], second[0])
    high = min(first[3], second[3]) - max(first[1], second[1])
    if wide <= 0 or high <= 0:
        return 0.0
    areas = sum((box[2] - box[0]) * (box[3] - box[1]) for box in (first, second))
    return wide * high / (areas - wide * high)


@dataclass(eq=False)
class Person:
    """What is known of one track."""

    id: int
    box_xyxy: Box
    time_s: float
    colours: Colours | None
    velocity: tuple[float, float] = (0.0, 0.0)  # of the centre, in pixels per second
    moved: bool = False  # the velocity has been measured
    missed: bool = False  # not found at the last look
    doubt: Change = "same"  # the worst that befell the picture since this person was last seen

    def expected_at(self, time_s: float) -> Box:
        """Where the face should be by now: its motion, fading out."""
        reach_s = COASTING_S * (1.0 - float(np.exp(-abs(time_s - self.time_s) / COASTING_S)))
        dx, dy = self.velocity[0] * reach_s, self.velocity[1] * reach_s
        left, top, right, bottom = self.box_xyxy
        return (left + dx, top + dy, right + dx, bottom + dy)

    def seen(self, face: Face, time_s: float, colours: Colours | None) -> None:
        """Takes over a new sighting; `colours` is None where somebody else was in the way."""
        elapsed = time_s - self.time_s
        if elapsed > 0 and self.doubt != "other":
            old, new = _centre(self.box_xyxy), _centre(face.box_xyxy)
            measured = ((new[0] - old[0]) / elapsed, (new[1] - old[1]) / elapsed)
            weight = 0.6 if self.moved else 1.0
            self.velocity = (
                weight * measured[0] + (1 - weight) * self.velocity[0],
                weight * measured[1] + (1 - weight) * self.velocity[1],
            )
            self.moved = True
        if colours is not None:
            fresh = self.colours is None or self.doubt == "relit"
            self.colours = colours if fresh else 0.8 * self.colours + 0.2 * colours  # type: ignore[operator]
        self.box_xyxy, self.time_s, self.missed, self.doubt = face.box_xyxy, time_s, False, "same"


class People:
    """Gives each face its person's number, from 1 in the order of appearance.

    Args:
        iou_min: Overlap of expected and found box from which the place alone agrees, 0..1.
        max_gap_s: How long a person may be out of sight and keep the number, in seconds.
    """

    def __init__(self, iou_min: float = 0.3, max_gap_s: float = 1.0) -> None:
        self._iou_min, self._max_gap_s = iou_min, max_gap_s
        self._people: list[Person] = []
        self._shelf: list[Person] = []
        self._given = 0

    def cut(self) -> None:
        """A new shot begins: nobody is carried over, but `resume` can bring the people of the last shot back."""
        self._shelf, self._people = self._people, []

    def resume(self) -> None:
        """The shot before the last cut goes on (what lay between was a flash or a short insert)."""
        self._people, self._shelf = self._shelf, self._people
        for person in self._people:
            person.missed = True

    def identify(
        self, rgb: NDArray[np.uint8], faces: list[Face], time_s: float, change: Change = "same"
    ) -> tuple[int, ...]:
        """Numbers for the faces found at one moment, in their order.

        Args:
            rgb: The frame, (H, W, 3) uint8, in which `faces` were found.
            faces: All faces of the frame.
            time_s: Its time stamp in seconds.
            change: What became of the picture since the last call.
        """
        colours = [colours_of(rgb, face.box_xyxy) for face in faces]
        for person in self._people:
            person.doubt = max(person.doubt, change, key=("same", "relit", "other").index)
        chosen = self._assign(faces, colours, time_s)
        hidden = [p.expected_at(time_s) for p in self._people if p not in chosen.values()]
        numbers = []
        for index, face in enumerate(faces):
            person = chosen.get(index) or self._newcomer(face, time_s, colours[index])
            others = hidden + [other.box_xyxy for other in faces if other is not face]
            mixed = any(iou(face.box_xyxy, other) > MIXED_IOU for other in others)
            person.seen(face, time_s, None if mixed else colours[index])
            numbers.append(person.id)
        self._forget(time_s, set(numbers))
        return tuple(numbers)

    def _newcomer(self, face: Face, time_s: float, colours: Colours | None) -> Person:
        self._given += 1
        person = Person(self._given, face.box_xyxy, time_s, colours)
        self._people.append(person)
        return person

    def _forget(self, time_s: float, seen: set[int]) -> None:
        for person in self._people:
            person.missed = person.id not in seen
        self._people = [p for p in self._people if not p.missed or abs(time_s - p.time_s) <= self._max_gap_s]

    def _assign(self, faces: list[Face], colours: list[Colours | None], time_s: float) -> dict[int, Person]:
        """Hungarian matching: index of the face -> person."""
        if not faces or not self._people:
            return {}
        costs = np.array(
            [[self._cost(p, f, c, time_s) for p in self._people] for f, c in zip(faces, colours, strict=True)]
        )
        rows, columns = linear_sum_assignment(costs)
        return {int(r): self._people[c] for r, c in zip(rows, columns, strict=True) if costs[r, c] < NEVER}

    def _cost(self, person: Person, face: Face, colours: Colours | None, time_s: float) -> float:
        expected = person.expected_at(time_s)
        overlap = iou(expected, face.box_xyxy)
        unlike = _distance(person.colours, colours)
        if person.doubt == "relit":
            return 1.0 - overlap if overlap >= RELIT_IOU_MIN else NEVER
        elapsed = abs(time_s - person.time_s)
        sure = unlike <= SURELY_ALIKE_MAX and _near(expected, face.box_xyxy, 1.0 + 2.0 * elapsed)
        steady = person.doubt == "same" and not person.missed
        allowed = SURELY_ALIKE_MAX + (ALIKE_MAX - SURELY_ALIKE_MAX) * overlap**2
        if sure or (steady and overlap >= self._iou_min and unlike <= allowed):
            return unlike + 0.5 * (1.0 - overlap)
        return NEVER


def _centre(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def _near(first: Box, second: Box, reach: float) -> bool:
    """Boxes of like size (within 1.6 : 1) whose centres lie within `reach` (at most 3) box heights of one another."""
    sizes = (first[3] - first[1], second[3] - second[1])
    (x0, y0), (x1, y1) = _centre(first), _centre(second)
    distance = float(np.hypot(x1 - x0, y1 - y0))
    return max(sizes) <= 1.6 * min(sizes) and distance <= min(3.0, reach) * sum(sizes) / 2


def _distance(first: Colours | None, second: Colours | None) -> float:
    """Hellinger distance of two colour distributions, 0..1; unknown colours are unlike."""
    if first is None or second is None:
        return 1.0
    return float(np.sqrt(max(0.0, 1.0 - float(np.sqrt(first * second).sum()))))
