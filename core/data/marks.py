"""What lies over a face without changing it: lines and words laid over a picture, the pixels of a photographed screen.

Drawn over real and fake training pictures alike, so that neither a watermark nor a screen says anything of the face.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
Drawing = Callable[[int, Generator], NDArray[np.uint8]]

MARKED_SHARE = 0.15  # of the training pictures
OPACITY = (0.15, 0.9)
WHITE_SHARE = 0.6  # of the lines and words; others are black or of any colour
LINES_ACROSS, LINE_WIDTH = (3.0, 24.0), (0.03, 0.25)  # on the side of a crop, and of the way from one to the next
WORD_HEIGHT = (0.03, 0.2)  # of the letters, in sides of a crop
FONTS = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_TRIPLEX, cv2.FONT_HERSHEY_SCRIPT_SIMPLEX)
LETTERS = tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.@-")
SCREEN_SCALE = (1.5, 3.0)  # of a screen's pixels to those of the crop
SCREEN_PERIOD = (2, 6)  # pixels of a screen from one dark row to the next
SCREEN_DARKER = (0.04, 0.35)


def marked(crop: Rgb, rng: Generator) -> Rgb:
    """A crop (h, w, 3) with something over it, of about its own size; mostly as it was."""
    if rng.random() >= MARKED_SHARE:
        return crop
    kind = rng.integers(3)
    return screened(crop, rng) if kind == 2 else laid_over(crop, (lines, words)[kind], rng)


def laid_over(crop: Rgb, drawing: Drawing, rng: Generator) -> Rgb:
    """In one colour and in part see-through, as large as before."""
    height, width = crop.shape[:2]
    marks = drawing(max(height, width), rng)[:height, :width, None]
    weight = marks * np.float32(rng.uniform(*OPACITY) / 255)
    colour = np.full(3, 255.0) if rng.random() < WHITE_SHARE else rng.choice([np.zeros(3), rng.uniform(0, 255, 3)])
    return np.rint(crop * (1 - weight) + colour.astype(np.float32) * weight).astype(np.uint8)


def lines(side: int, rng: Generator) -> NDArray[np.uint8]:
    """Equal lines in one direction or in two that cross: coverage uint8 (side, side)."""
    marks, angle = np.zeros((side, side), np.uint8), rng.uniform(0, np.pi)
    step = side / rng.uniform(*LINES_ACROSS)
    thick = max(1, round(step * rng.uniform(*LINE_WIDTH)))
    for turned in (angle, angle + np.pi / 2)[: rng.integers(1, 3)]:
        along, across = np.array([np.cos(turned), np.sin(turned)]), np.array([-np.sin(turned), np.cos(turned)])
        for away in np.arange(-side + rng.uniform(0, step), side, step):
            middle = np.full(2, side / 2) + away * across
            ends = [tuple(int(value) for value in np.rint(middle + way * side * along)) for way in (-1, 1)]
            cv2.line(marks, *ends, 255, thick, cv2.LINE_AA)
    return marks


def words(side: int, rng: Generator) -> NDArray[np.uint8]:
    """The same letters once or all over, leaning: coverage uint8 (side, side)."""
    text, font = "".join(rng.choice(LETTERS, rng.integers(3, 14))), FONTS[rng.integers(len(FONTS))]
    height = side * rng.uniform(*WORD_HEIGHT)
    scale, thick = height / 21, max(1, round(height / 21 * rng.uniform(0.7, 3)))  # OpenCV's letters are 21 px at 1
    wide = cv2.getTextSize(text, font, scale, thick)[0][0]
    marks, shift = np.zeros((2 * side, 2 * side), np.uint8), rng.uniform(0, side, 2)
    if rng.random() < 0.5:
        places = [shift + side / 2 - (wide / 2, 0)]
    else:
        apart = np.array([wide + height * rng.uniform(0.3, 4), height * rng.uniform(1.5, 6)])
        rows, columns = (int(2 * side / gap) + 2 for gap in apart[::-1])
        places = [apart * (column - row % 2 / 2, row) - shift for row in range(rows) for column in range(columns)]
    for x, y in places:
        cv2.putText(marks, text, (round(x), round(y)), font, scale, 255, thick, cv2.LINE_AA)
    lean = cv2.getRotationMatrix2D((side, side), rng.choice([0.0, rng.uniform(-60, 60)]), 1.0)
    return np.asarray(cv2.warpAffine(marks, lean, marks.shape)[side // 2 :, side // 2 :][:side, :side], dtype=np.uint8)


def screened(crop: Rgb, rng: Generator) -> Rgb:
    """Shown on a screen whose rows or columns can be seen, and photographed at 0.7 to 1.5 times the size."""
    scale, period = rng.uniform(*SCREEN_SCALE), int(rng.integers(*SCREEN_PERIOD, endpoint=True))
    shown = cv2.resize(crop, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC).astype(np.float32)
    which, gain = rng.integers(3), np.float32(1 - rng.uniform(*SCREEN_DARKER))
    if which != 1:
        shown[int(rng.integers(period)) :: period] *= gain
    if which != 0:
        shown[:, int(rng.integers(period)) :: period] *= gain
    small = rng.uniform(0.7, min(1.5, scale)) / scale
    way = (cv2.INTER_AREA, cv2.INTER_LINEAR, cv2.INTER_CUBIC)[rng.integers(3)]
    taken = cv2.resize(shown, None, fx=small, fy=small, interpolation=way)
    return np.clip(np.rint(taken), 0, 255).astype(np.uint8)
