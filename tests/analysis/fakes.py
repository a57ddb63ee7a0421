"""Stand-ins for a detector and a finder, whose answers are planted in the pixels.

A crop's logit is (level of its left half - level of its right half) / 16. A fake and a clean face of opposite logits
have the same colours, so the tracker is in no doubt that both are one person.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace

import numpy as np

from core.faces.types import Box, Face


@dataclass(frozen=True)
class FakeThresholds:
    real_below: float = 0.3
    fake_above: float = 0.7


@dataclass(frozen=True)
class FakeGates:
    min_face_px: float = 40
    min_sharpness: float = 5.0
    max_turn: float = 0.7
    min_brightness: float = 30
    max_noise: float = 8.0
    max_quantiser: float = 38
    max_tilt: float = 45


OPEN_GATES = FakeGates(0, 0, 1, 0, 256, 51, 180)


@dataclass
class FakeSpec:
    input_size: int = 32
    classes: tuple[str, ...] = ("real", "fake")
    thresholds: FakeThresholds = FakeThresholds()
    gates: FakeGates = OPEN_GATES
    crop: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(scale=1.0, wide=0.0, corner=0.0))
    mirrored: bool = False
    licence: str = "For tests only"
    video_thresholds: FakeThresholds | None = None

    def limits(self, *, video: bool) -> FakeThresholds:
        """One pair for all, unless videos have their own."""
        return self.video_thresholds or self.thresholds if video else self.thresholds


class FakeDetector:
    """Reads the logit off the halves of the crop; remembers the sizes of its batches."""

    name, sha256, engine, precision = "planted", "ab" * 32, "fake", "f32"

    def __init__(self, gates: FakeGates = OPEN_GATES, fail_at: int | None = None) -> None:
        self.spec = FakeSpec(gates=gates)
        self.batches: list[int] = []
        self.fail_at = fail_at

    def predict(self, crops: np.ndarray, *, batch_size: int = 16) -> SimpleNamespace:
        assert crops.dtype == np.uint8
        assert crops.shape[1:] == (32, 32, 3)
        self.batches.append(len(crops))
        if self.fail_at == len(self.batches):
            raise RuntimeError("planted failure")
        left, right = (half.mean(axis=(1, 2, 3)) for half in np.split(crops, 2, axis=2))
        logits = ((left - right) / 16).astype(np.float32)
        fake = self.probability(logits)
        maps = np.repeat(logits, 4).reshape(-1, 2, 2)
        return SimpleNamespace(
            logits=logits, class_probabilities=np.stack([1 - fake, fake], axis=1), activation_maps=maps
        )

    def probability(self, logits: np.ndarray, *, video: bool = False) -> np.ndarray:
        return 1 / (1 + np.exp(-np.asarray(logits, dtype=np.float64)))


class FakeFinder:
    """Finds a face in each given box whose pixels are not black."""

    def __init__(self, *boxes: Box) -> None:
        self.boxes = boxes or ((40.0, 40.0, 104.0, 104.0),)

    def find(self, rgb: np.ndarray, **_: object) -> list[Face]:
        return [
            Face(box, 0.9)
            for box in self.boxes
            if box[3] <= rgb.shape[0] and rgb[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])].mean() > 8
        ]


def picture(*logits: float | None, size_wh: tuple[int, int] = (320, 240)) -> np.ndarray:
    """A dark picture with faces of these logits side by side, at the boxes that `boxes(n)` gives; None: no face."""
    rgb = np.zeros((size_wh[1], size_wh[0], 3), np.uint8)
    for box, logit in zip(boxes(len(logits)), logits, strict=True):
        if logit is not None:
            left, top, right, bottom = map(int, box)
            middle = (left + right) // 2
            rgb[top:bottom, left:middle] = round(128 + 8 * logit)
            rgb[top:bottom, middle:right] = round(128 - 8 * logit)
    return rgb


def boxes(count: int) -> tuple[Box, ...]:
    """Boxes of 64 px, from left to right."""
    return tuple((40.0 + 90 * i, 40.0, 104.0 + 90 * i, 104.0) for i in range(count))
