"""Are retouched faces told from untouched ones? The val faces of ../shared/data, retouched by us in several ways.

    python -m benchmarks.retouched                           # the detector that ships
    python -m benchmarks.retouched --model RUN/model

Each real face of the sources with whole heads is changed by each means of `core/data/retouch.py`, as in training (other
faces, other chance); printed is the AUC of the logits, judged once as a frame is, and as a still is. "smoothed" and
"recoloured" are of kinds that training does not show, and say how far a filter or make-up is taken for a manipulation.
What hands make may be harder. The media are licensed for research: only figures are printed.
"""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.composites import asked, looked_for, scores, told_apart, val_reals
from core.data.composite import LEFT_EYE, LIPS, NOSE, RIGHT_EYE
from core.data.retouch import KINDS
from core.data.self_blend import Points, Rgb

Change = Callable[[Rgb, Points, Generator], Rgb]


def smoothed(face: Rgb, points: Points, rng: Generator) -> Rgb:
    """Skin as cameras' filters leave it: a bilateral filter over the whole face."""
    unit = max(face.shape) / 256
    filtered = cv2.bilateralFilter(face, 0, rng.uniform(15, 45), 5 * unit)
    return _mixed(face, filtered, _soft(face, points, 6 * unit))


def recoloured(face: Rgb, points: Points, rng: Generator) -> Rgb:
    """Lips, an eye or the nose lighter, darker or of another colour, as make-up does."""
    part = points[list((LEFT_EYE, RIGHT_EYE, NOSE, LIPS)[rng.integers(4)])]
    gain = rng.choice([rng.uniform(0.7, 0.9), rng.uniform(1.1, 1.3)])
    other = np.clip(face * np.float32(gain) + rng.uniform(-15, 15, 3), 0, 255).astype(np.uint8)
    return _mixed(face, other, _soft(face, part, rng.uniform(2, 6) * max(face.shape) / 256))


def _soft(face: Rgb, points: Points, sigma: float) -> NDArray[np.float32]:
    mask = np.zeros(face.shape[:2], np.float32)
    cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 1.0)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma), np.float32)[..., None]


def _mixed(face: Rgb, other: Rgb, mask: NDArray[np.float32]) -> Rgb:
    return np.rint(mask * other + (1 - mask) * face).astype(np.uint8)


def changes() -> dict[str, Change]:
    """Each way, by name."""

    def blend(kind: str) -> Change:
        return lambda face, points, rng: KINDS[kind][1](face, points, rng).fake

    return {kind: blend(kind) for kind in KINDS} | {"smoothed": smoothed, "recoloured": recoloured}


def main() -> None:
    detector, cache = asked(__doc__)
    faces = [face for one in val_reals(cache) if (face := looked_for(one.path))]
    untouched = scores(detector, [face for face, _ in faces])
    print(f"{len(faces)} faces and their retouched copies")
    for name, change in changes().items():
        rng = np.random.default_rng(0)
        made = scores(detector, [change(face, points, rng) for face, points in faces])
        print(f"{name}: " + "; ".join(f"{way} {told_apart(untouched[way], made[way])}" for way in made), flush=True)


if __name__ == "__main__":
    main()
