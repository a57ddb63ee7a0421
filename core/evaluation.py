"""A detector measured on labelled pictures, by the very path that users' pictures take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.analysis.image import analyze_image
from core.analysis.types import Verdict
from core.data.dataset import Sample
from core.errors import MediaError
from core.faces import FaceFinder, default_finder
from core.metrics import auc_interval, expected_calibration_error, roc_auc

if TYPE_CHECKING:
    from core.detector.engine import Detector


@dataclass(frozen=True)
class Scored:
    """What a detector said of one labelled picture; `logit` and `fake_probability` are None without a face."""

    sample: Sample
    verdict: Verdict
    fake_probability: float | None
    logit: float | None


def score_pictures(
    samples: Sequence[Sample],
    detector: Detector,
    finder: FaceFinder | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Scored]:
    """Every sample through `analyze_image`; the worst face stands for the picture. Unreadable files are left out."""
    finder = finder or default_finder()
    scored = []
    for done, sample in enumerate(samples, 1):
        try:
            report = analyze_image(sample.path, detector, finder, maps=False)
        except MediaError:
            continue
        worst = max(report.faces, key=lambda face: face.fake_probability, default=None)
        scored.append(Scored(sample, report.verdict, report.fake_probability, None if worst is None else worst.logit))
        if on_progress:
            on_progress(done, len(samples))
    return scored


def summarise(scored: Sequence[Scored], *, seed: int = 0) -> dict[str, Any]:
    """Figures by source and pooled, ready for model.json.

    Returns:
        For `all` and each source: counts, AUC with its 95 % bootstrap interval, and the shares of reals called fake,
        fakes called real and pictures called uncertain, of those with a face; `all` has the expected calibration
        error as well.
    """
    sources = sorted({one.sample.source for one in scored})
    parts = {source: [one for one in scored if one.sample.source == source] for source in sources}
    figures = {source: _figures(part, seed) for source, part in parts.items()}
    return {"all": {**_figures(scored, seed), "ece": _calibration_error(scored)}, **figures}


def _figures(scored: Sequence[Scored], seed: int) -> dict[str, Any]:
    faced = [one for one in scored if one.logit is not None]
    logits = np.array([one.logit for one in faced], dtype=np.float64)
    fake = np.array([one.sample.fake for one in faced], dtype=bool)
    low, high = auc_interval(logits, fake, seed=seed)
    return {
        "real": int((~fake).sum()),
        "fake": int(fake.sum()),
        "no_face": len(scored) - len(faced),
        "auc": round(roc_auc(logits, fake), 4),
        "auc_95": [round(low, 4), round(high, 4)],
        "real_called_fake": _share(faced, lambda one: one.verdict == "fake", fake=False),
        "fake_called_real": _share(faced, lambda one: one.verdict == "real", fake=True),
        "uncertain": _share(faced, lambda one: one.verdict == "uncertain"),
    }


def _share(scored: Sequence[Scored], test: Callable[[Scored], bool], fake: bool | None = None) -> float | None:
    chosen = [one for one in scored if fake is None or one.sample.fake == fake]
    return round(sum(map(test, chosen)) / len(chosen), 4) if chosen else None


def _calibration_error(scored: Sequence[Scored]) -> float | None:
    judged = [(one.fake_probability, one.sample.fake) for one in scored if one.fake_probability is not None]
    if not judged:
        return None
    probabilities, labels = zip(*judged, strict=True)
    return round(expected_calibration_error(probabilities, labels), 4)


def balance_weights(samples: Sequence[Sample]) -> NDArray[np.float64]:
    """Weights (n,) under which each source's reals weigh as much as its fakes, and a source as the root of its size."""
    keys = [(sample.source, sample.fake) for sample in samples]
    sizes = {source: sum(key[0] == source for key in keys) for source in {key[0] for key in keys}}
    return np.array([sizes[source] ** 0.5 / keys.count((source, fake)) for source, fake in keys])
