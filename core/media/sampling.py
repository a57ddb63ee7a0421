"""Which frames of a video are looked at."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import ceil
from typing import Literal

MOST_FRAMES = 100_000
"""Of a video, evenly spread: more than an hour of it has."""


@dataclass(frozen=True)
class Sampling:
    """A choice of frames; make one with `every_frame()`, `per_second(f)` or `evenly(n)`.

    `str()` gives what a person reads: "every frame", "4 per second", "32 evenly spread".
    """

    mode: Literal["every", "per_second", "evenly"] = "every"
    value: float = 0.0

    def __post_init__(self) -> None:
        if self.mode == "per_second" and not 0 < self.value <= 1000:
            raise ValueError(f"frames per second must be above 0 and at most 1000, got {self.value:g}")
        if self.mode == "evenly" and (not 1 <= self.value <= MOST_FRAMES or self.value != int(self.value)):
            raise ValueError(f"the number of frames must be a whole number from 1 to {MOST_FRAMES}, got {self.value:g}")

    @classmethod
    def every_frame(cls) -> "Sampling":
        """All frames."""
        return cls("every")

    @classmethod
    def per_second(cls, frames: float) -> "Sampling":
        """The frames that are on screen at 0, 1/frames, 2/frames, … seconds; each frame once."""
        return cls("per_second", float(frames))

    @classmethod
    def evenly(cls, frames: int) -> "Sampling":
        """The frames on screen in the middle of each of so many equal parts of the video; each frame once."""
        return cls("evenly", float(frames))

    def __str__(self) -> str:
        if self.mode == "every":
            return "every frame"
        return f"{self.value:g} per second" if self.mode == "per_second" else f"{self.value:g} evenly spread"

    def moments(self, duration_s: float) -> Iterator[float]:
        """Seconds from the start of the video at which a frame is wanted, ascending; endless for `per_second`."""
        if self.mode == "evenly":
            return ((part + 0.5) * duration_s / self.value for part in range(int(self.value)))
        return (number / self.value for number in count())

    def expected_frames(self, frame_count: int | None, duration_s: float | None) -> int | None:
        """About how many frames will come, from what the file says of itself; None where it says nothing."""
        if self.mode == "every":
            return frame_count
        wanted = int(self.value) if self.mode == "evenly" else ceil(duration_s * self.value) if duration_s else None
        return min((number for number in (wanted, frame_count) if number), default=None)
