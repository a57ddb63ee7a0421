"""Reports to write about: a picture and a clip with planted faces, analysed by the planted detector."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image

from core.analysis import analyze_image, analyze_video
from core.disk import digest_file
from core.media import Sampling
from core.report import Content, gather
from tests.analysis.fakes import FakeDetector, FakeFinder, boxes, picture
from tests.media.make_media import write_video

WHEN = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
DETECTOR = FakeDetector()


def picture_content(path: Path, *logits: float | None, **options: Any) -> Content:
    """A picture with faces of these logits, written to `path` and reported on."""
    Image.fromarray(picture(*logits)).save(path, "PNG")
    return content(path, analyze_image(path, DETECTOR, FakeFinder(*boxes(len(logits)))), **options)


def clip_content(path: Path, **options: Any) -> Content:
    """Two seconds of two people: the left one is fake in the second half."""
    frames = [picture(5.0 if i >= 10 else -5.0, -5.0) for i in range(20)]
    write_video(path, frames, fps=10, options={"crf": "8"})
    report = analyze_video(path, DETECTOR, FakeFinder(*boxes(2)), sampling=Sampling.every_frame())
    return content(path, report, **options)


def content(path: Path, report: Any, **options: Any) -> Content:
    sha256, size_bytes = digest_file(path)
    known = {"sha256": sha256, "size_bytes": size_bytes, "detector": DETECTOR, "analysed_at": WHEN, "made_at": WHEN}
    return gather(report, path, **(known | options))  # type: ignore[arg-type]
