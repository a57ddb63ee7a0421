"""One picture to one report."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from core.analysis.scoring import score_crops
from core.analysis.types import ImageReport
from core.analysis.verdict import judge_image
from core.faces import FaceFinder, crop_face, default_finder, find_faces_or_tight
from core.media import load_image

if TYPE_CHECKING:
    from core.detector.engine import Detector


def analyze_image(
    source: str | Path | bytes | BinaryIO,
    detector: Detector,
    finder: FaceFinder | None = None,
    *,
    name: str | None = None,
    maps: bool = True,
) -> ImageReport:
    """Find and judge all faces of a picture.

    Args:
        source: A path, the bytes of a file, or an open file.
        detector: Who judges.
        finder: Who finds faces; the process's shared one when None.
        name: What the report calls the picture; its path when None.
        maps: Keep the activation maps.

    Returns:
        A report with faces from left to right; `no_face` when there are none.

    Raises:
        MediaError: The source cannot be read as a picture.
    """
    started = time.perf_counter()
    picture = load_image(source, name=name)
    rgb = picture.rgb
    faces = sorted(find_faces_or_tight(rgb, finder or default_finder()), key=lambda face: face.box_xyxy[0])
    spec = detector.spec
    crops = [crop_face(rgb, face, scale=spec.crop.scale, size=spec.input_size) for face in faces]
    scores = score_crops(detector, np.stack(crops), faces, maps=maps) if crops else []
    verdict, probability, reasons = judge_image(scores)
    return ImageReport(
        path=name or (str(source) if isinstance(source, str | Path) else "image"),
        verdict=verdict,
        fake_probability=probability,
        size_wh=(rgb.shape[1], rgb.shape[0]),
        faces=tuple(scores),
        reasons=reasons,
        warnings=tuple(picture.warnings),
        model=detector.name,
        model_sha256=detector.sha256,
        seconds=time.perf_counter() - started,
    )
