"""The timeline under a heatmap video: the chart of the Video page, drawn as pixels, with a cursor that moves."""

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from core.analysis.types import VideoReport
from core.charts import DARK
from core.explain.frame_marks import paste, text_plate
from core.explain.overlay import SCALE_LOGITS, Picture, colour_map
from core.explain.shown_faces import MAX_GAP_S, ShownFace, State
from core.media import Sampling
from core.timeline_points import Point, points_by_track, usual_step_s

if TYPE_CHECKING:
    from core.detector.spec import Thresholds

Rgb = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

NOT_ANALYSED, EVERY_FRAME = "not analysed here", str(Sampling.every_frame())
BACKGROUND: Rgb = (18, 22, 28)
_BAND_SHARE, _STRETCH_SHARE = 0.10, 0.16
_DOTS_FROM_PX = 6  # analysed moments this far apart are told apart by a dot on the line
_TICKS_S = (0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600)


def rgb_of(colour: str) -> Rgb:
    """ "#ff7a80" as (255, 122, 128)."""
    red, green, blue = bytes.fromhex(colour.lstrip("#"))
    return red, green, blue


TEXT, MUTED = rgb_of(DARK.text), rgb_of(DARK.muted)


class TimelineStrip:
    """Fake probability over time for each person, with the thresholds, and where the video stands.

    Args:
        report: Whose frames and tracks are drawn.
        thresholds: Where the three verdicts part.
        width: In pixels; from 480 on the words have room.
        duration_s: Length of the axis of time.
    """

    def __init__(self, report: VideoReport, thresholds: "Thresholds", width: int, duration_s: float) -> None:
        self.width, self._thresholds = width, thresholds
        self.font_size = size = int(np.clip(round(width / 88), 11, 22))
        self.height = round(11.5 * size)
        self._duration_s = max(duration_s, 0.1)
        self._left, self._right = round(3.6 * size), width - size
        self._top, self._bottom = round(2.6 * size), self.height - round(1.9 * size)
        self._people = points_by_track(report.frames)
        self._colours = {
            track: rgb_of(DARK.people[order % len(DARK.people)]) for order, track in enumerate(self._people)
        }
        self._background = self._draw_background(report)

    def draw(self, canvas: Picture, time_s: float, state: State, faces: Sequence[ShownFace]) -> None:
        """Draw the strip of one moment over all of `canvas`, uint8 (height, width, 3)."""
        canvas[:] = self._background
        x, size = self._x(time_s), self.font_size
        cv2.line(canvas, (x, self._top), (x, self._bottom), TEXT, max(1, size // 8))
        for face in faces:
            colour = self._colours.get(face.score.face.track_id or 0, TEXT)
            centre = (x, self._y(face.score.fake_probability))
            cv2.circle(canvas, centre, max(4, round(size / 2.5)), TEXT, -1, cv2.LINE_AA)
            cv2.circle(canvas, centre, max(2, size // 4), colour, -1, cv2.LINE_AA)
        clock = text_plate(_clock(time_s, tenths=True), size, BACKGROUND, TEXT)
        paste(canvas, clock, self._left - 3, size // 2)
        words = NOT_ANALYSED if state == "not_analysed" else self._basis
        paste(canvas, text_plate(words, size, BACKGROUND, MUTED), self._left + 4 * size, size // 2)

    def _x(self, time_s: float) -> int:
        share = min(1.0, max(0.0, time_s / self._duration_s))
        return round(self._left + share * (self._right - self._left))

    def _y(self, fake_probability: float) -> int:
        return round(self._bottom - min(1.0, max(0.0, fake_probability)) * (self._bottom - self._top))

    def _draw_background(self, report: VideoReport) -> Picture:
        canvas = np.empty((self.height, self.width, 3), np.uint8)
        canvas[:] = BACKGROUND
        self._add_bands(canvas)
        canvas = self._with_band_words(canvas)
        for track in report.tracks:
            for stretch in track.stretches:
                x0, x1 = self._x(stretch.start_s), self._x(stretch.end_s)
                _tint(canvas[self._top : self._bottom, x0 : x1 + 1], rgb_of(DARK.fake), _STRETCH_SHARE)
        step_s = usual_step_s(report.frames)
        for track_id, points in self._people.items():
            for run in _runs(points, max(3 * step_s, 0.5)):
                self._add_line(canvas, run, self._colours[track_id])
        return self._with_words(canvas, report)

    def _add_bands(self, canvas: Picture) -> None:
        low, high = self._y(self._thresholds.real_below), self._y(self._thresholds.fake_above)
        bands = ((low, self._bottom, DARK.real), (high, low, DARK.uncertain), (self._top, high, DARK.fake))
        for top, bottom, colour in bands:
            _tint(canvas[top:bottom, self._left : self._right], rgb_of(colour), _BAND_SHARE)
        for y in (low, high):
            canvas[y, self._left : self._right : 4] = MUTED  # dotted

    def _with_band_words(self, canvas: Picture) -> Picture:
        """What the bands mean, by the thresholds, where they are high enough for a word; lines run over it."""
        image = Image.fromarray(canvas)
        draw, size = ImageDraw.Draw(image), max(10, round(0.85 * self.font_size))
        font, x = ImageFont.load_default(size=size), self._right - 4
        low, high = self._y(self._thresholds.real_below), self._y(self._thresholds.fake_above)
        words = (
            (high - self._top, high - 2, DARK.fake, "fake", "rs"),
            (low - high, (low + high) / 2, DARK.uncertain, "uncertain", "rm"),
            (self._bottom - low, low + 2, DARK.real, "no manipulation found", "ra"),
        )
        for room, y, colour, text, anchor in words:
            if room > size:
                draw.text((x, y), text, rgb_of(colour), font, anchor=anchor)
        return np.array(image)

    def _add_line(self, canvas: Picture, points: Sequence[Point], colour: Rgb) -> None:
        places = np.array([(self._x(one.time_s), self._y(one.fake_probability)) for one in points], np.int32)
        if len(places) == 1 or places[-1, 0] - places[0, 0] >= _DOTS_FROM_PX * (len(places) - 1):
            for place in places.tolist():
                cv2.circle(canvas, place, max(2, self.font_size // 5), colour, -1, cv2.LINE_AA)
        cv2.polylines(canvas, [places], False, colour, max(1, round(self.font_size / 8)), cv2.LINE_AA)

    def _with_words(self, canvas: Picture, report: VideoReport) -> Picture:
        image = Image.fromarray(canvas)
        draw, font = ImageDraw.Draw(image), ImageFont.load_default(size=self.font_size)
        small = ImageFont.load_default(size=max(10, round(0.85 * self.font_size)))
        edge = self._left - round(0.4 * self.font_size)
        for value in self._labelled():
            draw.text((edge, self._y(value)), f"{100 * value:.0f} %", MUTED, small, anchor="rm")
        for time_s in self._ticks():
            words = _clock(time_s)
            x = min(self._x(time_s), self.width - 2 - draw.textlength(words, small) / 2)
            draw.text((x, self._bottom + 3), words, MUTED, small, anchor="ma")
        if not self._people:
            middle = ((self._left + self._right) / 2, (self._top + self._bottom) / 2)
            draw.text(middle, "No face was found in the frames that were analysed", TEXT, font, anchor="mm")
        self._add_head(draw, font, report, self._add_scale(image, draw, small))
        return np.array(image)

    def _labelled(self) -> list[float]:
        """0, the thresholds and 1; of two that would cover each other only the first."""
        kept: list[float] = []
        for value in (self._thresholds.real_below, self._thresholds.fake_above, 0.0, 1.0):
            if all(abs(self._y(value) - self._y(other)) > 0.9 * self.font_size for other in kept):
                kept.append(value)
        return kept

    def _ticks(self) -> list[float]:
        room = max(2, (self._right - self._left) // (5 * self.font_size))
        step = next((one for one in _TICKS_S if self._duration_s / one <= room), self._duration_s)
        return [number * step for number in range(int(self._duration_s / step) + 1)]

    def _add_scale(self, image: Image.Image, draw: ImageDraw.ImageDraw, font: Font) -> int:
        """What the colours on the faces mean, at the top right; returns where it starts."""
        words = f"+{SCALE_LOGITS:g} logits: fake"
        wide, size = int(draw.textlength(words, font)), self.font_size
        bar, top, right = 6 * size, round(0.75 * size), self._right
        left = right - wide - size // 2 - bar
        evidence = np.tile(np.linspace(-SCALE_LOGITS, SCALE_LOGITS, bar, dtype=np.float32), (size, 1))
        colours, strength = colour_map(evidence)
        ground = np.array(BACKGROUND, np.float32)
        image.paste(
            Image.fromarray(np.rint(ground * (1 - strength) + colours * strength).astype(np.uint8)), (left, top)
        )
        draw.text((right, top + size / 2), words, MUTED, font, anchor="rm")
        lead = f"evidence: real -{SCALE_LOGITS:g}"
        draw.text((left - size // 2, top + size / 2), lead, MUTED, font, anchor="rm")
        return left - size - int(draw.textlength(lead, font))

    def _add_head(self, draw: ImageDraw.ImageDraw, font: Font, report: VideoReport, end: int) -> None:
        """Settle what stands beside the clock; name the people in the colours of their lines, if there is room."""
        size, start = self.font_size, self._left + 4 * self.font_size
        wordings = [report.sampling]
        if report.sampling != EVERY_FRAME and usual_step_s(report.frames) <= MAX_GAP_S:
            wordings.insert(0, f"{report.sampling}, interpolated between")
        room = end - start - size
        self._basis = next((one for one in wordings if draw.textlength(one, font) <= room), "")
        x = start + size + int(max(draw.textlength(one, font) for one in (self._basis, NOT_ANALYSED)))
        for track_id, colour in self._colours.items():
            words = f"person {track_id}"
            wide = int(draw.textlength(words, font))
            if x + wide > end:
                return
            draw.text((x, size // 2 + 1), words, colour, font)
            x += wide + size


def _runs(points: Sequence[Point], limit_s: float) -> list[list[Point]]:
    """The points of a person, parted where they were away: no line claims to know that time."""
    runs = [list(points[:1])]
    for before, after in pairwise(points):
        if after.time_s - before.time_s > limit_s:
            runs.append([])
        runs[-1].append(after)
    return [run for run in runs if run]


def _tint(part: NDArray[np.uint8], colour: Rgb, share: float) -> None:
    part[:] = np.rint(part * (1 - share) + np.array(colour) * share).astype(np.uint8)


def _clock(time_s: float, *, tenths: bool = False) -> str:
    minutes, seconds = divmod(max(0.0, time_s), 60)
    if tenths:
        return f"{int(minutes)}:{int(seconds * 10) / 10:04.1f}"
    return f"{int(minutes)}:{seconds:02.0f}" if seconds == int(seconds) else f"{int(minutes)}:{seconds:04.1f}"
