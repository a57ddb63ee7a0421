"""Labelled folders of coloured pictures, and the pages' detector, which reads its answer off the colour."""

from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np

from core.data.dataset import Sample
from core.detector.spec import DetectorSpec, QualityGates, Thresholds
from core.evaluation.scoring import Scored
from core.media import H264Writer
from tests.pages.support import ColourDetector, find_by_light

FINDER = SimpleNamespace(find=find_by_light)


def detector(name="tiny", gain=1.0, **spec):
    """Red is fake; a gain turns it the other way round or makes it blind."""
    values = {"input_size": 32, "gates": QualityGates(0, 0, 1, 0, 256), "thresholds": Thresholds(0.3, 0.7), **spec}
    found = ColourDetector(DetectorSpec(name=name, **values))
    found.name, found.sha256 = name, f"{name}-weights".encode().hex().ljust(64, "0")[:64]
    told = found.predict

    def predict(crops, **options):
        answer = told(crops, **options)
        answer.logits = answer.logits * gain
        return answer

    found.predict = predict
    return found


def picture(redness, seed=0, side=96):
    """A grained square, red for large figures and blue for negative ones; a face to `find_by_light`."""
    colour = np.clip([128 + redness, 100, 128 - redness], 0, 255)
    grain = np.random.default_rng(seed).normal(0, 25, (side, side, 1))
    return np.clip(colour + grain, 0, 255).astype(np.uint8)


def labelled_folder(root: Path, count=12, *, splits=("",), sources=("",), spread=40, shift=25):
    """Pictures under root/source/split/Real and Fake whose redness overlaps."""
    rng = np.random.default_rng(len(str(count)))
    for source in sources:
        for split in splits:
            for label, middle in (("Real", -shift), ("Fake", shift)):
                folder = root / source / split / label
                folder.mkdir(parents=True)
                for number in range(count):
                    rgb = picture(rng.normal(middle, spread), number)
                    cv2.imwrite(str(folder / f"{label}{number}.png"), rgb[..., ::-1])
    return root


def clip(path: Path, redness, frames=12):
    with H264Writer(path, (96, 96), 10) as writer:
        for number in range(frames):
            writer.write(picture(redness, number))
    return path


def one(label, probability, verdict, source="a", group=None, name="x", quality=None):
    """A judged picture."""
    logit = None if probability is None else float(np.log(probability / (1 - probability)))
    return Scored(Sample(Path(name), label, source, "test", group or name), verdict, probability, logit, quality)


def judged(count=60, sources=("a",), shift=2.0, seed=0, **thresholds):
    """Many judged pictures with a known separation in logits."""
    limits = Thresholds(**thresholds) if thresholds else Thresholds(0.3, 0.7)
    rng = np.random.default_rng(seed)
    found = []
    for source in sources:
        for number in range(count):
            label = "fake" if number % 2 else "real"
            logit = rng.normal(shift / 2 if label == "fake" else -shift / 2, 1.2)
            p = 1 / (1 + np.exp(-logit))
            verdict = "fake" if p >= limits.fake_above else "real" if p < limits.real_below else "uncertain"
            found.append(one(label, float(p), verdict, source, name=f"{source}{number}"))
    return found
