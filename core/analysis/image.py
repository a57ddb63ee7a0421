"""One picture to one report."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np
from numpy.typing import NDArray

from core.analysis.scoring import cut_views, score_stills
from core.analysis.types import ImageReport
from core.analysis.verdict import judge_image
from core.faces import FaceFinder, default_finder, find_faces_or_tight
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
    report = analyze_rgb(picture.rgb, detector, finder, maps=maps)
    return replace(
        report,
        path=name or (str(source) if isinstance(source, str | Path) else "image"),
        warnings=tuple(picture.warnings),
        seconds=time.perf_counter() - started,
    )


def analyze_rgb(
    rgb: NDArray[np.uint8], detector: Detector, finder: FaceFinder | None = None, *, maps: bool = True
) -> ImageReport:
    """The same for a picture that is decoded already, uint8 (H, W, 3); its report has no path."""
    started = time.perf_counter()
    faces = sorted(find_faces_or_tight(rgb, finder or default_finder()), key=lambda face: face.box_xyxy[0])
    spec = detector.spec
    views = [cut_views(rgb, face, spec.crop, spec.input_size) for face in faces]
    scores = score_stills(detector, views, faces, maps=maps)
    verdict, probability, reasons = judge_image(scores)
    return ImageReport(
        path="",
        verdict=verdict,
        fake_probability=probability,
        size_wh=(rgb.shape[1], rgb.shape[0]),
        faces=tuple(scores),
        reasons=reasons,
        model=detector.name,
        model_sha256=detector.sha256,
        seconds=time.perf_counter() - started,
    )
