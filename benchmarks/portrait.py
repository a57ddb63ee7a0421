"""Why does the detector take the samples' untouched portrait for a fake? The same face, changed in one way at a time.

    python -m benchmarks.portrait                            # the detector that ships
    python -m benchmarks.portrait --picture FILE

Printed is the calibrated fake probability of the largest face, judged mirrored too, as stills are. The portrait is the
public-domain one of scikit-image (NASA, 1993, scanned from film).
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from numpy.typing import NDArray
from scipy.special import expit

from core.data.augment import recompress, recompress_video
from core.detector import load_detector
from core.faces import default_finder
from core.faces.crop import crop_face
from core.media import load_image

Rgb = NDArray[np.uint8]


def scaled(picture: Rgb, factor: float) -> Rgb:
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)


def smaller_and_back(picture: Rgb, factor: float) -> Rgb:
    return cv2.resize(scaled(picture, factor), picture.shape[1::-1], interpolation=cv2.INTER_CUBIC)


def noisy(picture: Rgb, sigma: float) -> Rgb:
    noise = np.random.default_rng(0).normal(0, sigma, picture.shape)
    return np.clip(picture + noise, 0, 255).astype(np.uint8)


def levels(picture: Rgb, gain: float) -> Rgb:
    return np.clip(picture.astype(np.float32) * gain, 0, 255).astype(np.uint8)


def grey(picture: Rgb) -> Rgb:
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)


def cooler(picture: Rgb, red: float) -> Rgb:
    return np.clip(picture * np.array([red, 1, 2 - red]), 0, 255).astype(np.uint8)


WAYS: dict[str, Callable[[Rgb], Rgb]] = {
    "as it is": lambda picture: picture,
    "JPEG 90": lambda picture: recompress(picture, 90),
    "JPEG 50": lambda picture: recompress(picture, 50),
    "H.264 CRF 30": lambda picture: recompress_video(picture, 30),
    "half size": lambda picture: scaled(picture, 0.5),
    "half size and back": lambda picture: smaller_and_back(picture, 0.5),
    "blur 1 px": lambda picture: cv2.GaussianBlur(picture, (0, 0), 1.0),
    "noise 3": lambda picture: noisy(picture, 3),
    "noise 8": lambda picture: noisy(picture, 8),
    "darker by a third": lambda picture: levels(picture, 0.67),
    "brighter by a fifth": lambda picture: levels(picture, 1.2),
    "grey": grey,
    "less red": lambda picture: cooler(picture, 0.85),
    "more red": lambda picture: cooler(picture, 1.1),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("model/default"))
    parser.add_argument("--picture", type=Path, help="default: the portrait")
    options = parser.parse_args()
    picture = load_image(options.picture).rgb if options.picture else skimage.data.astronaut()
    detector = load_detector(options.model)
    spec = detector.spec
    for name, change in WAYS.items():
        changed = np.ascontiguousarray(change(picture))
        faces = default_finder().find(changed)
        if not faces:
            print(f"{name:<22} no face", flush=True)
            continue
        face = max(faces, key=lambda one: one.box_xyxy[3] - one.box_xyxy[1])
        crop = crop_face(changed, face, scale=spec.crop.scale, size=spec.input_size)
        logits = detector.predict(np.stack([crop, np.ascontiguousarray(crop[:, ::-1])])).logits
        calibrated = expit(spec.calibration.slope * np.asarray(logits) + spec.calibration.intercept)
        both = expit(spec.calibration.slope * float(np.mean(logits)) + spec.calibration.intercept)
        print(f"{name:<22} {both:.2f}   one way {calibrated[0]:.2f}, mirrored {calibrated[1]:.2f}", flush=True)


if __name__ == "__main__":
    main()
