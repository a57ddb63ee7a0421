"""What lies over a face: watermarks of lines and of words, and the pixels of a screen that was photographed.

    python -m benchmarks.overlays --data ../shared/data/manifest.csv

Val pictures, some of each class and source, are changed as a whole and judged as users' pictures are, with gates and
the limits of stills. The marks are simulated: a picture has fourteen lines across its shorter side. The media are
licensed for research: only figures are printed.
"""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analysis.image import analyze_rgb
from core.analysis.types import FaceScore
from core.data.sample import Sample
from core.detector import Detector, load_detector
from core.evaluation.selection import select
from core.media import load_image
from core.metrics import roc_auc

OPACITY = 0.35
GRID = 0.2  # by how much every fourth row and column of a screen is darker

Rgb = NDArray[np.uint8]


def _laid_over(rgb: Rgb, marks: Rgb) -> Rgb:
    """White where the marks are, in part."""
    weight = OPACITY * marks[..., None].astype(np.float32) / 255
    return np.rint(rgb * (1 - weight) + 255 * weight).astype(np.uint8)


def lines(rgb: Rgb) -> Rgb:
    """White diagonal lines, as picture agencies draw them."""
    height, width = rgb.shape[:2]
    marks, step = np.zeros((height, width), np.uint8), max(8, min(height, width) // 14)
    for start in range(-height, width, step):
        cv2.line(marks, (start, 0), (start + height, height), 255, max(1, step // 14), cv2.LINE_AA)
    return _laid_over(rgb, marks)


def words(rgb: Rgb) -> Rgb:
    """White words all over."""
    height, width = rgb.shape[:2]
    marks, size = np.zeros((height, width), np.uint8), min(height, width) / 600
    for row, y in enumerate(range(0, height + 40, max(12, int(60 * size)))):
        for x in range(-row * 20 % 90 - 90, width, max(40, int(220 * size))):
            cv2.putText(marks, "AGENCY PHOTO", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 0.7 * size, 255, 1, cv2.LINE_AA)
    return _laid_over(rgb, marks)


def screen(rgb: Rgb) -> Rgb:
    """Seen on a screen: twice as large, its rows and columns in sight, made small again, JPEG of quality 88."""
    height, width = rgb.shape[:2]
    large = cv2.resize(rgb, (2 * width, 2 * height), interpolation=cv2.INTER_CUBIC).astype(np.float32)
    large[::4] *= 1 - GRID
    large[:, ::4] *= 1 - GRID
    small = cv2.resize(large, (int(1.3 * width), int(1.3 * height)), interpolation=cv2.INTER_AREA)
    _, data = cv2.imencode(".jpg", np.rint(small).astype(np.uint8)[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])
    return np.ascontiguousarray(cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1])


CHANGES: dict[str, Callable[[Rgb], Rgb]] = {
    "untouched": lambda rgb: rgb,
    "thin white lines, 35 %": lines,
    "white words all over, 35 %": words,
    "a screen's rows and columns": screen,
}


def judge(samples: Sequence[Sample], change: Callable[[Rgb], Rgb], detector: Detector) -> list[tuple[bool, FaceScore]]:
    """The largest face of each picture in which one is found."""
    found = []
    for sample in samples:
        faces = analyze_rgb(change(load_image(sample.path).rgb), detector, maps=False).faces
        if faces:
            found.append((sample.fake, max(faces, key=lambda score: score.face.height)))
    return found


def row(name: str, judged: Sequence[tuple[bool, FaceScore]]) -> str:
    fake = np.array([one for one, _ in judged], bool)
    logit, verdict = np.array([score.logit for _, score in judged]), np.array([score.verdict for _, score in judged])
    cells = [f"{(verdict[of] == said).mean():.0%}" for of in (~fake, fake) for said in ("real", "uncertain", "fake")]
    return f"| {name} | {(~fake).sum()} + {fake.sum()} | {roc_auc(logit, fake):.3f} | {' | '.join(cells)} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True, help="labelled data with a val split")
    parser.add_argument("--model", type=Path, default=Path("model/default"))
    parser.add_argument("--limit", type=int, default=30, help="pictures of each source, half of them real")
    args = parser.parse_args()
    chosen = select((args.data,), split="val", limit=args.limit).samples
    detector = load_detector(args.model)
    print("| over the face | real + fake | AUC | reals: real | uncertain | fake | fakes: real | uncertain | fake |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name, change in CHANGES.items():
        print(row(name, judge(chosen, change, detector)), flush=True)


if __name__ == "__main__":
    main()
