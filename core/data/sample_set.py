"""A small labelled data set that the app makes itself, so that training can be tried with nothing at hand, offline.

From one portrait (Eileen Collins, NASA, public domain; see `core.samples`): other framings, light and noise, and fakes
by self-blending. One face teaches nothing about other people, and a file in the set says so.
"""

import tempfile
import threading
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.data.augment import recolour
from core.data.duplicates import (
    HASH_BITS_APART,
    LIKENESS_MIN,
    likeness,
    mirrored_copies,
    mirrored_hash,
    perceptual_hash,
    small_copy,
)
from core.data.roots import sample_sets_folder
from core.data.self_blend import Points, self_blend
from core.errors import SetupError
from core.faces import default_finder
from core.faces.crop import crop_square
from core.faces.landmarks import default_mesh
from core.home import make_folder
from core.media import encode_image, load_image
from core.samples import sample_image

Rgb = NDArray[np.uint8]

NAME = "sample-set"
RECIPE = "2"
"""Part of the folder's path: a set that was made by an older recipe is not taken for one of this."""
PICTURES_A_CLASS = {"train": 100, "val": 30, "test": 30}
SIDE_PX = 256
HEAD = 1.9  # side of a picture in face-box heights: the whole head, as photographs show it
REACH = 0.9  # of HEAD: how far from the face's middle a shifted, turned picture can see
SEED = 20260301
DRAWS = 50
MARGIN_BITS, MARGIN = 4, 0.01  # saving as JPEG changes hashes and small copies a little
NOTE = """This data set was made by the app to try out training. It is no real data.

All pictures come from one public-domain portrait (Eileen Collins, NASA): Real holds it in other framings and light,
Fake the same with the face blended with an altered copy of itself (self-blending). The splits share that one face, so
every figure measured on this set is far better than what the detector would do on other people.
"""
_lock = threading.Lock()


def sample_data_set() -> Path:
    """The set's folder: train, val and test with Real and Fake, 320 pictures of 256 px. Made on first use, in seconds.

    Raises:
        SetupError: scikit-image is not installed, or the folder cannot be written to.
    """
    folder = make_folder(sample_sets_folder() / RECIPE) / NAME
    with _lock:  # two tabs may ask for it at once
        if not folder.exists():
            _make(folder)
    return folder


def _make(folder: Path) -> None:
    portrait, points = _head()
    rng = np.random.default_rng(SEED)
    try:
        with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as scratch:
            made = Path(scratch) / NAME
            made.mkdir()
            (made / "README.txt").write_text(NOTE, encoding="utf-8")
            unlike = Unlike()
            for split, label in product(PICTURES_A_CLASS, ("Real", "Fake")):
                (made / split / label).mkdir(parents=True)
                for number in range(PICTURES_A_CLASS[split]):
                    picture = unlike.first(partial(_picture, portrait, points, label == "Fake", rng))
                    (made / split / label / f"{number:03d}.jpg").write_bytes(encode_image(picture, "jpeg", 92))
            made.rename(folder)
    except OSError as error:
        raise SetupError(
            f"The sample set cannot be made in {folder.parent} ({error.strerror}): make room there, or set "
            "DEEPFAKE_HOME to another folder."
        ) from error


class Unlike:
    """Picks pictures of which none is a near-copy of another: the set must not earn the warning that it is to show."""

    def __init__(self) -> None:
        self._hashes: list[int] = []
        self._small: list[NDArray[np.uint8]] = []

    def first(self, draw: Callable[[], Rgb]) -> Rgb:
        """The first picture drawn that is unlike all before; the last of many draws where none is."""
        picture = draw()
        for _ in range(DRAWS):
            if not self._is_near(_grey(picture)):
                break
            picture = draw()
        self._hashes.append(perceptual_hash(_grey(picture)))
        self._small.append(small_copy(_grey(picture)))
        return picture

    def _is_near(self, grey: NDArray[np.uint8]) -> bool:
        if not self._small:
            return False
        known, before = np.array(self._hashes, np.uint64), np.array(self._small)
        small = small_copy(grey)[None]
        for value, seen in ((perceptual_hash(grey), small), (mirrored_hash(grey), mirrored_copies(small))):
            close = np.bitwise_count(known ^ np.uint64(value)) <= HASH_BITS_APART + MARGIN_BITS
            if (close & (likeness(before, np.repeat(seen, len(before), axis=0)) >= LIKENESS_MIN - MARGIN)).any():
                return True
        return False


def _grey(picture: Rgb) -> NDArray[np.uint8]:
    return cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.uint8)


def _head() -> tuple[Rgb, Points]:
    """The part of the portrait that pictures can show (to blend it is most of the work), and the mesh in its pixels."""
    portrait = load_image(sample_image()).rgb
    face = default_finder().find(portrait)[0]
    left, top, side = (round(value) for value in crop_square(face, 1.0))
    points = default_mesh().points(portrait[top : top + side, left : left + side])[0]
    points = points + np.array([left, top], np.float32)
    x, y = points.mean(axis=0).astype(int).tolist()
    reach = round(HEAD * side * REACH)
    left, top = max(0, x - reach), max(0, y - reach)
    return portrait[top : y + reach, left : x + reach], points - np.array([left, top], np.float32)


def _picture(portrait: Rgb, points: Points, fake: bool, rng: Generator) -> Rgb:
    """One view of the head, uint8 (256, 256, 3)."""
    if fake or rng.random() < 0.5:  # half of the reals are a fake's partner, so that the changes alone tell nothing
        pair = self_blend(portrait, points, rng)
        portrait = pair.fake if fake else pair.real
    low, high = points.min(axis=0), points.max(axis=0)
    height = float(high[1] - low[1])
    centre = (low + high) / 2 + rng.uniform(-0.2, 0.2, 2) * height
    zoom = SIDE_PX / (HEAD * height * rng.uniform(0.8, 1.2))
    matrix = cv2.getRotationMatrix2D((float(centre[0]), float(centre[1])), rng.uniform(-12, 12), zoom)
    matrix[:, 2] += SIDE_PX / 2 - centre
    view = cv2.warpAffine(portrait, matrix, (SIDE_PX, SIDE_PX), borderMode=cv2.BORDER_REFLECT_101)
    view = view[:, ::-1] if rng.random() < 0.5 else view
    noisy = recolour(np.ascontiguousarray(view), rng) + rng.normal(0, rng.uniform(0, 4), view.shape)
    return np.clip(noisy, 0, 255).astype(np.uint8)
