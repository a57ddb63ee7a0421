"""Media to reports: verdicts with their evidence."""

from core.analysis.image import analyze_image
from core.analysis.scan import Found, collect, scan, scan_file
from core.analysis.types import (
    FaceScore,
    FrameReport,
    ImageReport,
    Quality,
    Report,
    Stretch,
    TrackReport,
    Verdict,
    VideoReport,
)
from core.analysis.verdict import VERDICT_WORDS
from core.analysis.video import DEFAULT_SAMPLING, VideoProgress, analyze_video

__all__ = [
    "DEFAULT_SAMPLING",
    "VERDICT_WORDS",
    "FaceScore",
    "Found",
    "FrameReport",
    "ImageReport",
    "Quality",
    "Report",
    "Stretch",
    "TrackReport",
    "Verdict",
    "VideoProgress",
    "VideoReport",
    "analyze_image",
    "analyze_video",
    "collect",
    "scan",
    "scan_file",
]
