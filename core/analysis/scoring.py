"""Crops of faces to scored faces: the one place where a detector's numbers become `FaceScore`s."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.analysis.quality import measure_quality
from core.analysis.types import FaceScore
from core.analysis.verdict import judge_face
from core.detector.head import Predictions
from core.faces.types import Face

if TYPE_CHECKING:
    from core.detector.engine import Detector


def score_crops(
    detector: Detector, crops: NDArray[np.uint8], faces: Sequence[Face], *, maps: bool = True, still: bool = False
) -> list[FaceScore]:
    """Judge each face by its crop.

    Args:
        detector: Gives probabilities, thresholds and quality gates.
        crops: uint8 (n, s, s, 3), one for each face, cut with the detector's own crop scale.
        faces: n faces.
        maps: Keep the activation maps.
        still: They are of a still picture and not of a video: by the thresholds of stills, and judged mirrored as well
            where the detector's spec says so.

    Returns:
        n scores in the order of `faces`.
    """
    if not len(crops):
        return []
    predictions = detector.predict(crops)
    if still and detector.spec.mirrored:
        predictions = _with_mirrored(predictions, detector.predict(np.ascontiguousarray(crops[:, :, ::-1])))
    probabilities = detector.probability(predictions.logits)
    spec = detector.spec
    scores = []
    for i, (crop, face) in enumerate(zip(crops, faces, strict=True)):
        probability, quality = float(probabilities[i]), measure_quality(crop, face)
        verdict, reasons = judge_face(probability, quality, spec.limits(video=not still), spec.gates)
        scores.append(
            FaceScore(
                face=face,
                fake_probability=probability,
                logit=float(predictions.logits[i]),
                class_probabilities=dict(
                    zip(spec.classes, map(float, predictions.class_probabilities[i]), strict=True)
                ),
                verdict=verdict,
                quality=quality,
                reasons=reasons,
                # a copy: a view would keep the whole batch alive
                activation_map=predictions.activation_maps[i].copy() if maps else None,
            )
        )
    return scores


def _with_mirrored(plain: Predictions, mirrored: Predictions) -> Predictions:
    """The mean of both; the mirrored maps are turned back, so that a map's mean still makes its logit."""
    half = np.float32(0.5)
    return Predictions(
        half * (plain.logits + mirrored.logits),
        half * (plain.class_probabilities + mirrored.class_probabilities),
        half * (plain.activation_maps + mirrored.activation_maps[:, :, ::-1]),
    )
