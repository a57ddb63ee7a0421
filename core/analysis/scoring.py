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
from core.faces.crop import corners, cut_face, resize_crop
from core.faces.types import Face

if TYPE_CHECKING:
    from core.detector.engine import Detector
    from core.detector.spec import CropSpec

_WHOLE = 2  # of a still's views show the whole face, and are judged mirrored too
_AT_ONCE = 32  # faces of a still: their views take memory
_TURNED = (3, 4)  # of the corners, top right and bottom left, are mirrored: a mirror image is judged as its picture is


def score_crops(
    detector: Detector,
    crops: NDArray[np.uint8],
    faces: Sequence[Face],
    *,
    quantisers: Sequence[float | None] | None = None,
    maps: bool = True,
) -> list[FaceScore]:
    """Judge each face of a video's frames by its crop, once, by the calibration and the thresholds of videos.

    Args:
        detector: Gives probabilities, thresholds and quality gates.
        crops: uint8 (n, s, s, 3), one for each face, cut with the detector's own crop scale.
        faces: n faces.
        quantisers: Those of their frames, where they are known.
        maps: Keep the activation maps.

    Returns:
        n scores in the order of `faces`.
    """
    if not len(crops):
        return []
    return _scores(detector, detector.predict(crops), crops, faces, quantisers=quantisers, maps=maps, video=True)


def cut_views(rgb: NDArray[np.uint8], face: Face, crop: CropSpec, size: int) -> NDArray[np.uint8]:
    """What a still's face is judged by.

    Args:
        rgb: The picture, uint8 (H, W, 3).
        face: Whose views.
        crop: How wide they are.
        size: Their side in pixels.

    Returns:
        uint8 (1, size, size, 3), the crop; with `crop.wide` (6, size, size, 3): the crop, the wider one and the four
        corners of that, each enlarged.
    """
    cuts = [cut_face(rgb, face, crop.scale)]
    if crop.wide:
        wide = cut_face(rgb, face, crop.wide)
        cuts += [wide, *corners(wide, crop.corner / crop.wide)]
    return np.stack([resize_crop(cut, size) for cut in cuts])


def score_stills(
    detector: Detector, views: Sequence[NDArray[np.uint8]], faces: Sequence[Face], *, maps: bool = True
) -> list[FaceScore]:
    """Judge each face of a still picture by the mean of its views, by the thresholds of stills.

    Args:
        detector: Gives probabilities, thresholds and quality gates, and says whether mirrored views count too.
        views: n results of `cut_views`.
        faces: n faces.
        maps: Keep the activation maps, which are of the crop alone: the mean with that of its mirror image, turned
            back, so that without other views a map's mean still makes its logit.

    Returns:
        n scores in the order of `faces`.
    """
    scores: list[FaceScore] = []
    for start in range(0, len(views), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        scores += _score_some(detector, np.stack(views[part]), faces[part], maps)
    return scores


def _score_some(detector: Detector, seen: NDArray[np.uint8], faces: Sequence[Face], maps: bool) -> list[FaceScore]:
    given = seen.shape[1]
    crops = seen[:, 0]
    mirrored = detector.spec.mirrored
    if mirrored:
        turned = seen[:, :, :, ::-1]
        order = [one for one in _TURNED if one < seen.shape[1]]
        seen = np.concatenate([seen, turned[:, :_WHOLE]], axis=1)
        seen[:, order] = turned[:, order]
    count, each = seen.shape[:2]
    all_views = detector.predict(seen.reshape(-1, *seen.shape[2:]))
    logits, shares, all_maps = (
        part.reshape(count, each, *part.shape[1:])
        for part in (all_views.logits, all_views.class_probabilities, all_views.activation_maps)
    )
    whole_maps = all_maps[:, 0]
    if mirrored:
        whole_maps = np.float32(0.5) * (whole_maps + all_maps[:, given, :, ::-1])
    predictions = Predictions(logits.mean(axis=1), shares.mean(axis=1), whole_maps)
    return _scores(detector, predictions, crops, faces, maps=maps, video=False)


def _scores(
    detector: Detector,
    predictions: Predictions,
    crops: NDArray[np.uint8],
    faces: Sequence[Face],
    *,
    quantisers: Sequence[float | None] | None = None,
    maps: bool,
    video: bool,
) -> list[FaceScore]:
    probabilities = detector.probability(predictions.logits, video=video)
    spec = detector.spec
    scores = []
    for i, (crop, face) in enumerate(zip(crops, faces, strict=True)):
        probability = float(probabilities[i])
        quality = measure_quality(crop, face, quantisers[i] if quantisers else None)
        verdict, reasons = judge_face(probability, quality, spec.limits(video=video), spec.gates)
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
