"""One labelled picture or video, and the words for classes and splits."""

from dataclasses import dataclass
from pathlib import Path

from core.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES

SPLITS = ("train", "val", "test")
REAL = "real"
PICTURES = IMAGE_SUFFIXES
VIDEOS = VIDEO_SUFFIXES - IMAGE_SUFFIXES  # a GIF is taken for a picture


@dataclass(frozen=True)
class Sample:
    """One picture, one video, or one frame of a video.

    Attributes:
        path: The file.
        label: Its class in lower case; "real" is the only one that is real.
        source: The data set that it is from. Figures are given by source.
        split: "train", "val" or "test".
        group: What must never stand in two splits, such as the frames of one video.
        time_s: Seconds from the start of the video that it is a frame of.
    """

    path: Path
    label: str
    source: str
    split: str
    group: str
    time_s: float | None = None

    @property
    def fake(self) -> bool:
        """Whether it is of any class but "real"."""
        return self.label != REAL

    @property
    def is_video(self) -> bool:
        """Whether the file is a video, by its suffix."""
        return self.path.suffix.lower() in VIDEOS
