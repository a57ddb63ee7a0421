"""Up to which tilt can a face be judged? Val portraits, turned as a whole, and DFDC's heads as they are held.

    python -m benchmarks.tilt --data ../shared/data/manifest.csv

Each turned portrait is enlarged to hold all of it, its face is looked for there and judged once, as in films, by the
limits of films. Turning by other than a quarter also resamples the picture, which takes away a part of what generators
leave. DFDC's crops are too tight to be turned. The media are licensed for research: only figures are printed.
"""

import argparse
import random
from collections.abc import Iterable, Sequence
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analysis.scoring import score_crops
from core.analysis.types import FaceScore
from core.data.dataset import Sample, find_samples
from core.detector import Detector, load_detector
from core.faces import default_finder, find_faces_or_tight
from core.faces.crop import crop_face
from core.media import load_image
from core.metrics import roc_auc

TURNS = (0, 15, 30, 45, 60, 90, 135, 180)
EDGES = (0, 10, 20, 30, 45, 60, 90, 135, 180)
HEADS = "dfdc"
SEED = 3

Rgb = NDArray[np.uint8]
Judged = tuple[bool, FaceScore]


def turned(rgb: Rgb, degrees: float) -> Rgb:
    """The whole picture turned to the left; half and quarter turns change no pixel."""
    if degrees % 90 == 0:
        return np.ascontiguousarray(np.rot90(rgb, int(degrees // 90)))
    height, width = rgb.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1)
    cos, sin = abs(matrix[0, 0]), abs(matrix[0, 1])
    size_wh = int(height * sin + width * cos), int(height * cos + width * sin)
    matrix[:, 2] += (size_wh[0] - width) / 2, (size_wh[1] - height) / 2
    return cv2.warpAffine(rgb, matrix, size_wh, borderMode=cv2.BORDER_REFLECT_101).astype(np.uint8)


def judge(samples: Iterable[Sample], degrees: float, detector: Detector) -> list[Judged]:
    """The largest face of each picture, where one is found whose tilt can be told."""
    found: list[Judged] = []
    for sample in samples:
        rgb = turned(load_image(sample.path).rgb, degrees)
        faces = find_faces_or_tight(rgb, default_finder(), tight=None if degrees == 0 else False)
        if faces:
            face = max(faces, key=lambda one: one.height)
            crop = crop_face(rgb, face, scale=detector.spec.crop.scale, size=detector.spec.input_size)
            (score,) = score_crops(detector, crop[None], [face], maps=False)
            found += [(sample.fake, score)] if score.quality.tilt is not None else []
    return found


def row(name: str, judged: Sequence[Judged], detector: Detector) -> str:
    limits = detector.spec.limits(video=True)
    fake = np.array([one for one, _ in judged], bool)
    p = np.array([score.fake_probability for _, score in judged])
    told = "– | – | –"
    if fake.any() and not fake.all():
        reals, fakes = (p[~fake] >= limits.fake_above).mean(), (p[fake] < limits.real_below).mean()
        told = f"{roc_auc(p, fake):.3f} | {100 * reals:.0f} % | {100 * fakes:.0f} %"
    return f"| {name} | {int((~fake).sum())} + {int(fake.sum())} | {told} |"


def by_tilt(judged: Sequence[Judged], detector: Detector) -> None:
    for low, high in pairwise(EDGES):
        part = [(fake, score) for fake, score in judged if low <= (score.quality.tilt or 0) < high]
        if part:
            print(row(f"tilt of {low} to {high}°", part, detector))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="labelled data with a val split")
    parser.add_argument("--model", type=Path, default=Path("model/default"))
    parser.add_argument("--limit", type=int, default=25, help="portraits of each class and source")
    parser.add_argument("--heads", type=int, default=900, help="of DFDC's crops")
    args = parser.parse_args()
    detector = load_detector(args.model)
    val = [sample for sample in find_samples([args.data]) if sample.split == "val"]
    by_class: dict[tuple[str, bool], list[Sample]] = {}
    for sample in val:
        by_class.setdefault((sample.source, sample.fake), []).append(sample)
    heads = [sample for sample in val if sample.source == HEADS]
    portraits = [
        sample
        for (source, _), some in sorted(by_class.items())
        if source != HEADS
        for sample in random.Random(SEED).sample(some, min(args.limit, len(some)))
    ]
    print("| faces | real + fake | AUC | real called fake | fake called real |\n|---|---|---|---|---|")
    every: list[Judged] = []
    for degrees in TURNS:
        judged = judge(portraits, degrees, detector)
        print(row(f"portraits turned by {degrees}°", judged, detector), flush=True)
        every += judged
    by_tilt(every, detector)
    print("| DFDC, as heads are held |")
    by_tilt(judge(random.Random(SEED).sample(heads, min(args.heads, len(heads))), 0, detector), detector)


if __name__ == "__main__":
    main()
