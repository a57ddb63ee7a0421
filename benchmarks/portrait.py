"""How does the samples' untouched portrait fare? The same picture, changed in one way at a time.

    python -m benchmarks.portrait                            # the detector that ships
    python -m benchmarks.portrait --picture FILE --kinds jpeg blur

Printed is the fake probability of the largest face after each change that `evaluate.py --robustness` knows. The
portrait is the public-domain one of scikit-image (NASA, 1993).
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.analysis.image import analyze_rgb
from core.detector import Detector, load_detector
from core.evaluation.changes import KINDS, all_changes
from core.media import load_image
from core.samples import sample_image


def line(name: str, rgb: NDArray[np.uint8], detector: Detector) -> str:
    faces = analyze_rgb(rgb, detector, maps=False).faces
    if not faces:
        return f"{name:<22} no face"
    face = max(faces, key=lambda one: one.quality.face_px)
    return f"{name:<22} {face.fake_probability:.2f} {face.verdict:<10} {'; '.join(face.reasons)}".rstrip()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("model/default"))
    parser.add_argument("--picture", type=Path, help="default: the portrait")
    parser.add_argument("--kinds", nargs="+", choices=tuple(KINDS), help="default: all")
    options = parser.parse_args()
    detector = load_detector(options.model)
    picture = load_image(options.picture or sample_image()).rgb
    print(line("as it is", picture, detector), flush=True)
    for change in all_changes(options.kinds and tuple(options.kinds)):
        print(line(change.label, change.apply(picture), detector), flush=True)


if __name__ == "__main__":
    main()
