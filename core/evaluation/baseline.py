"""What low-level statistics alone can tell: the spectrum of the very crops that the detector sees.

Generators and data sets leave traces in the power spectrum (Durall et al. 2020; Frank et al. 2020). Where a logistic
regression on it comes near a detector, the source says little about manipulations: it may be the resampling, the
sharpening or the compression of one class that is recognised. So its AUC stands beside each source's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.analysis.types import RECIPE
from core.data.dataset import Sample
from core.errors import MediaError
from core.evaluation.cache import RowCache, stamp
from core.evaluation.logistic import Logistic, fit_logistic
from core.evaluation.parts import part_of
from core.evaluation.scoring import Progress, in_parallel
from core.evaluation.selection import limited
from core.faces import FaceFinder, crop_face, default_finder, find_faces_or_tight
from core.media import load_image
from core.metrics import auc_interval, roc_auc

Floats = NDArray[np.float64]
RINGS = 24
TRAIN_LIMIT = 1500
"""Training pictures a source: more do not move so small a model."""
LEAST_TRAIN = 40
FOLDS = 5


def spectrum_features(crop: NDArray[np.uint8]) -> Floats:
    """Log power of a face crop by spatial frequency.

    Args:
        crop: uint8 (s, s, 3), as the detector sees it.

    Returns:
        (24,) mean log power in rings of equal width up to the Nyquist frequency, without the constant part.
    """
    grey = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY).astype(np.float64)
    side = grey.shape[0]
    window = np.hanning(side)[:, None] * np.hanning(side)[None, :]  # the border would look like a sharp edge
    power = np.abs(np.fft.fftshift(np.fft.fft2((grey - grey.mean()) * window))) ** 2
    axis = np.arange(side) - side // 2
    radius = np.hypot(axis[:, None], axis[None, :]) / (side / 2)
    ring = np.minimum((radius * RINGS).astype(int), RINGS)  # the corners beyond the Nyquist frequency are left out
    ring[side // 2, side // 2] = RINGS
    total = np.bincount(ring.ravel(), np.log10(power + 1.0).ravel(), RINGS + 1)
    return np.asarray((total / np.maximum(np.bincount(ring.ravel(), minlength=RINGS + 1), 1))[:RINGS])


def measure_features(
    samples: Sequence[Sample],
    *,
    scale: float,
    size: int,
    finder: FaceFinder | None = None,
    cache: RowCache | None = None,
    on_progress: Progress | None = None,
    should_cancel: Callable[[], bool] | None = None,
) -> list[Floats | None]:
    """The features of each picture's largest face; None without a face, for videos and what cannot be read.

    Args:
        samples: Pictures.
        scale: Side of the crop in face heights, the detector's own.
        size: Side of the crop in pixels, the detector's input.
        finder: Who finds faces.
        cache: Features of the same files under the same crop.
        on_progress: Told how many are done, and of how many.
        should_cancel: Asked after each.
    """
    finder = finder or default_finder()

    def measure(sample: Sample) -> Floats | None:
        key = f"{stamp(sample.path)}|spectrum-{RECIPE}-{scale:g}-{size}-{RINGS}"
        row = cache.get(key) if cache else None
        if row is None:
            row = {"features": _features_of(sample, finder, scale, size)}
            if cache:
                cache.put(key, row)
        return None if row["features"] is None else np.array(row["features"], dtype=np.float64)

    return list(in_parallel(measure, samples, on_progress, should_cancel))


def _features_of(sample: Sample, finder: FaceFinder, scale: float, size: int) -> list[float] | None:
    if sample.is_video:
        return None
    try:
        rgb = load_image(sample.path).rgb
    except MediaError:
        return None
    faces = find_faces_or_tight(rgb, finder)
    if not faces:
        return None
    face = max(faces, key=lambda one: one.height)
    return [round(float(value), 5) for value in spectrum_features(crop_face(rgb, face, scale=scale, size=size))]


def train_sample(train: Sequence[Sample]) -> list[Sample]:
    """As many training pictures as are looked at."""
    return limited([one for one in train if not one.is_video], TRAIN_LIMIT)


def baseline_figures(
    samples: Sequence[Sample],
    features: Sequence[Floats | None],
    train: Sequence[Sample],
    train_features: Sequence[Floats | None],
) -> dict[str, dict[str, Any]]:
    """AUC of the baseline by source, each with a model of its own; `fitted_on` says on what.

    `train`: fitted on the source's training pictures, judged on the samples. `folds`: without enough of those, each
    fifth of the samples is judged by a model of the other four, whole groups together. Sources where neither works
    are left out: a class with fewer than five faces, or a fifth whose other four lack a class, as where each class is
    one group.
    """
    figures = {}
    for source in sorted({sample.source for sample in samples}):
        x, fake, groups = _rows(samples, features, source)
        known, known_fake, _ = _rows(train, train_features, source)
        if _rarer(fake) < FOLDS:
            continue
        if _rarer(known_fake) >= LEAST_TRAIN:
            scores, fitted_on = _fit(known, known_fake).logits(x), "train"
        elif (by_folds := _by_folds(x, fake, groups)) is not None:
            scores, fitted_on = by_folds, "folds"
        else:
            continue
        low, high = auc_interval(scores, fake, groups=groups, rounds=500)
        figures[part_of(source)] = {
            "auc": round(roc_auc(scores, fake), 4),
            "auc_95": [round(low, 4), round(high, 4)],
            "fitted_on": fitted_on,
            "pictures": len(fake),
        }
    return figures


def _rarer(fake: NDArray[np.bool_]) -> int:
    return int(min(fake.sum(), (~fake).sum()))


def _rows(
    samples: Sequence[Sample], features: Sequence[Floats | None], source: str
) -> tuple[Floats, NDArray[np.bool_], list[str]]:
    pairs = [(s, f) for s, f in zip(samples, features, strict=True) if s.source == source and f is not None]
    x = np.array([f for _, f in pairs]).reshape(len(pairs), RINGS)
    return x, np.array([s.fake for s, _ in pairs], dtype=bool), [s.group for s, _ in pairs]


def _fit(x: Floats, fake: NDArray[np.bool_]) -> Logistic:
    return fit_logistic(x, fake, sample_weight=np.where(fake, len(fake) / fake.sum(), len(fake) / (~fake).sum()) / 2)


def _by_folds(x: Floats, fake: NDArray[np.bool_], groups: Sequence[str]) -> Floats | None:
    """Scores (n,) of models that have not seen the item's group; None where one of them would know a single class."""
    names, member = np.unique(groups, return_inverse=True)
    fold = np.random.default_rng(0).permutation(len(names))[member] % FOLDS
    scores = np.zeros(len(x))
    for number in range(FOLDS):
        inside = fold == number
        others = fake[~inside]
        if not inside.any():
            continue
        if not others.any() or others.all():
            return None
        scores[inside] = _fit(x[~inside], others).logits(x[inside])
    return scores
