"""Are faces with a part of another's told from real ones? Composites of the val faces of ../shared/data, made by us.

    python -m benchmarks.composites                          # the detector that ships
    python -m benchmarks.composites --model RUN/model

Each real face of the sources with whole heads gets a part of another one of its source (`core/data/composite.py`, as in
training); printed is the AUC of the logits, judged once as a frame is, and as a still is. What hands make may be
harder. The media are licensed for research: only figures are printed.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.data.augment import MEAN_PART
from core.data.composite import composite, likeness
from core.data.dataset import find_samples
from core.data.draw import Face, blendable, read_crop
from core.data.prepare import prepare
from core.data.sample import Sample
from core.faces import Face as FoundFace
from core.faces.crop import TIGHT_SCALE, middle, resize_crop
from core.faces.landmarks import default_mesh
from core.metrics import auc_interval, roc_auc

if TYPE_CHECKING:
    from core.detector import Detector

DATA = Path(__file__).parents[2] / "shared" / "data"
WHOLE_HEADS = ("stylegan_ffhq", "stylegan2_unsplash", "sd21_web")
DONORS = 3

Crops = NDArray[np.uint8]


def composites(samples: Sequence[Sample], size: int, face_of: Callable[[Path], Face | None]) -> tuple[Crops, Crops]:
    """Real faces of prepared samples, and the same with a part of another's, (n, size, size, 3) each.

    Args:
        samples: Crops; only real ones with whole heads count.
        size: Side of the result.
        face_of: Gives a crop with its mesh, or None where no face is seen.
    """
    both = ([resize_crop(middle(crop, MEAN_PART), size) for crop in pair] for pair in pairs(samples, face_of))
    reals, fakes = (np.stack(side) for side in zip(*both, strict=True))
    return reals, fakes


def pairs(
    samples: Sequence[Sample], face_of: Callable[[Path], Face | None]
) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.uint8]]]:
    """The same as whole crops, uint8 (h, w, 3), pair by pair."""
    rng = np.random.default_rng(0)
    for source in WHOLE_HEADS:
        members = [face_of(one.path) for one in samples if one.source == source and not one.fake]
        faces = [face for face in members if face]
        for target, points in faces:
            donors = [faces[i] for i in rng.integers(0, len(faces), DONORS)]
            # a likeness of 0 is the face itself
            donor, donor_points = min(donors, key=lambda one: likeness(points, one[1]) or np.inf)
            yield target, composite(target, points, donor, donor_points, rng).fake


def looked_for(path: Path) -> Face | None:
    """A crop and its mesh, found now."""
    return blendable(read_crop(path), default_mesh())


def main() -> None:
    detector, cache = asked(__doc__)
    made = list(pairs(val_reals(cache), looked_for))
    judged = [scores(detector, side) for side in zip(*made, strict=True)]
    print(f"{len(made)} faces and their composites")
    for way, reals in judged[0].items():
        print(f"{way}: {told_apart(reals, judged[1][way])}")


def asked(description: str | None) -> tuple["Detector", Path]:
    """From the command line: the detector, and where face crops are kept."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("model/default"))
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where face crops are kept")
    options = parser.parse_args()
    # not at the top: benchmarks/gpu runs where there is no Keras
    from core.detector import load_detector

    return load_detector(options.model), options.cache


def val_reals(cache: Path) -> list[Sample]:
    """Crops of the val faces, kept in a cache."""
    reals = [one for one in find_samples([DATA]) if one.split == "val" and one.source in WHOLE_HEADS and not one.fake]
    return prepare(reals, cache, scale=TIGHT_SCALE)


def scores(detector: "Detector", crops: Sequence[NDArray[np.uint8]]) -> dict[str, NDArray[np.float64]]:
    """Log-odds of crops, (n,), judged once as a frame is, and as a still is."""
    from core.analysis.scoring import cut_views, score_stills

    faces = [FoundFace((0.0, 0.0, crop.shape[1], crop.shape[0]), 1.0, tight=True) for crop in crops]
    spec = detector.spec
    views = [cut_views(crop, face, spec.crop, spec.input_size) for crop, face in zip(crops, faces, strict=True)]
    once = detector.predict(np.stack([some[0] for some in views])).logits
    still = [score.logit for score in score_stills(detector, views, faces, maps=False)]
    return {"judged once": np.asarray(once, np.float64), "as stills are judged": np.array(still)}


def told_apart(reals: NDArray[np.float64], fakes: NDArray[np.float64]) -> str:
    """The AUC with its interval."""
    both, fake = np.concatenate([reals, fakes]), np.repeat([False, True], [len(reals), len(fakes)])
    low, high = auc_interval(both, fake)
    return f"AUC {roc_auc(both, fake):.3f} [{low:.3f}, {high:.3f}]"


if __name__ == "__main__":
    main()
