"""Is the detector better than what anybody gets without one? The same faces, judged by plainer means.

    python -m benchmarks.detectors                            # ../shared/data, test split
    python -m benchmarks.detectors --split val --model RUN/model --limit 200

spectrum: a logistic regression on 24 numbers of each crop's power spectrum. ImageNet: another on the 2048 features of
an Xception that has seen no fakes. Each is fitted to the source's own training pictures, at most 1,500 of them, with
scikit-learn's default strength, nothing tuned; the detector is one for all sources. What benchmarks/detectors.md says
comes from here. The media are licensed for research: only figures are printed.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.inference import faces, inner
from core.data.sample import Sample
from core.detector import Detector, load_detector
from core.evaluation.baseline import spectrum_features, train_sample
from core.evaluation.logistic import fit_logistic
from core.evaluation.selection import select
from core.faces.crop import resize_crop
from core.metrics import auc_interval, roc_auc

SHARED = Path(__file__).parents[2] / "shared"
WEIGHTS = SHARED / "weights" / "xception_imagenet_notop_fp16.weights.h5"

Crops = NDArray[np.uint8]
Features = Callable[[Crops], NDArray[np.float64]]


def load_crops(samples: Sequence[Sample], scale: float, size: int) -> tuple[list[Sample], Crops]:
    """The samples that show a face, and their crops as the detector sees them."""
    found = list(faces(samples))
    return [sample for sample, _, _ in found], np.stack([resize_crop(inner(one, scale), size) for one in found])


def spectrum(crops: Crops) -> NDArray[np.float64]:
    return np.stack([spectrum_features(crop) for crop in crops])


def imagenet(size: int) -> Features:
    """Pooled features of Xception as it comes, (n, 2048)."""
    import keras

    from core.detector.network import POOL_LAYER, build_network

    network = build_network(size, imagenet=WEIGHTS)
    base = keras.Model(network.input, network.get_layer(POOL_LAYER).output)

    def features(crops: Crops) -> NDArray[np.float64]:
        parts = [crops[at : at + 256].astype(np.float32) / 127.5 - 1 for at in range(0, len(crops), 256)]
        return np.concatenate([base.predict(part, batch_size=32, verbose=0) for part in parts]).astype(np.float64)

    return features


def plain(
    features: Features, train: tuple[list[Sample], Crops], judged: tuple[list[Sample], Crops]
) -> NDArray[np.float64]:
    """Log-odds of the judged faces by a model for each source."""
    known, wanted = features(train[1]), features(judged[1])
    sources, known_sources = (np.array([sample.source for sample in one[0]]) for one in (judged, train))
    fake = np.array([sample.fake for sample in train[0]])
    scores = np.zeros(len(wanted))
    for source in np.unique(sources):
        of = known_sources == source
        balance = np.where(fake[of], 0.5 / fake[of].mean(), 0.5 / (~fake[of]).mean())
        model = fit_logistic(known[of], fake[of], sample_weight=balance)
        scores[sources == source] = model.logits(wanted[sources == source])
    return scores


def row(name: str, scores: NDArray[np.float64], samples: Sequence[Sample]) -> str:
    fake, source = (np.array([getattr(sample, field) for sample in samples]) for field in ("fake", "source"))
    groups = np.array([sample.group for sample in samples])
    cells = []
    for one in np.unique(source):
        here = source == one
        low, high = auc_interval(scores[here], fake[here], groups=list(groups[here]), rounds=500)
        cells.append(f"{roc_auc(scores[here], fake[here]):.3f} [{low:.3f}, {high:.3f}]")
    return f"| {name} | " + " | ".join(cells) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", default=str(SHARED / "data"))
    parser.add_argument("--split", choices=("test", "val"), default="test")
    parser.add_argument("--model", action="append", help="a detector; repeatable (default: the one that ships)")
    parser.add_argument("--limit", type=int, help="at most so many pictures a source")
    options = parser.parse_args()
    started = time.monotonic()
    detectors: list[Detector] = [load_detector(name) for name in options.model or ["default"]]
    spec = detectors[0].spec
    selection = select((options.data,), split=options.split, limit=options.limit)
    judged = load_crops([s for s in selection.samples if not s.is_video], spec.crop.scale, spec.input_size)
    train = load_crops(train_sample(selection.train), spec.crop.scale, spec.input_size)
    names = sorted({sample.source for sample in judged[0]})
    print(f"| AUC, {options.split} | " + " | ".join(names) + " |\n|" + "---|" * (len(names) + 1), flush=True)
    for name, features in (
        ("spectrum, logistic", spectrum),
        ("ImageNet features, logistic", imagenet(spec.input_size)),
    ):
        print(row(name, plain(features, train, judged), judged[0]), flush=True)
    for name, detector in zip(options.model or ["the detector that ships"], detectors):
        own = load_crops(judged[0], detector.spec.crop.scale, detector.spec.input_size)
        print(row(name, np.asarray(detector.predict(own[1]).logits, np.float64), own[0]), flush=True)
    print(f"{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
