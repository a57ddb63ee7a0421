"""A detector and a finder of faces that read their answer off the colours of a picture: no network, no weights.

Red pictures are fake, blue ones are real, grey ones lie between, black ones hold no face.
"""

import hashlib
import io
import json
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from PIL import Image
from streamlit.testing.v1 import AppTest

from core.detector.spec import DetectorSpec, QualityGates
from core.faces import Face

ROOT = Path(__file__).resolve().parents[2]
RED, BLUE, GREY, BLACK = (210, 60, 60), (60, 60, 210), (128, 128, 128), (0, 0, 0)


def noisy(rgb: tuple[int, int, int], side: int = 160) -> np.ndarray:
    """A picture of one colour, grained so that no quality gate finds it blurred; black stays black."""
    flat = np.full((side, side, 3), rgb, np.uint8)
    if rgb == BLACK:
        return flat
    grain = np.random.default_rng(7).integers(-40, 41, (side, side, 1))
    return np.clip(flat + grain, 0, 255).astype(np.uint8)


def png(rgb: tuple[int, int, int]) -> bytes:
    out = io.BytesIO()
    Image.fromarray(noisy(rgb)).save(out, "PNG")
    return out.getvalue()


def write_detector(folder: Path, **changes: Any) -> DetectorSpec:
    """A detector's folder as the pages see it: weights that nobody loads, a card, and every quality gate open."""
    folder.mkdir(parents=True)
    (folder / "model.keras").write_bytes(b"weights")
    (folder / "MODEL_CARD.md").write_text("# Tiny\n\nKnows colours only.\n")
    values = {
        "name": folder.name,
        "input_size": 32,
        "weights_sha256": hashlib.sha256(b"weights").hexdigest(),
        "gates": QualityGates(0, 0, 1, 0, 256, 51),
        "licence": "For tests only",
        "metrics": {"colours/test": {"auc": 0.987}},
        **changes,
    }
    spec = DetectorSpec(**values)
    (folder / "model.json").write_text(json.dumps(spec.to_dict()))
    return spec


class ColourDetector:
    """Speaks as a `Detector` does, and counts how often it was asked."""

    name = "tiny"
    sha256 = "ab" * 32
    engine = "tensorflow"
    precision = "float32"

    def __init__(self, spec: Any) -> None:
        self.spec = spec
        self.calls = 0

    def predict(self, crops: np.ndarray, *, batch_size: int | None = None) -> SimpleNamespace:
        self.calls += 1
        means = crops.astype(np.float32).mean(axis=(1, 2))
        logits = (means[:, 0] - means[:, 2]) / 30
        fake = 1 / (1 + np.exp(-logits))
        maps = np.repeat(logits, 16).reshape(-1, 4, 4).astype(np.float32)
        classes = np.stack([1 - fake, fake], axis=1).astype(np.float32)
        return SimpleNamespace(logits=logits, class_probabilities=classes, activation_maps=maps)

    def probability(self, logits: np.ndarray, *, video: bool = False) -> np.ndarray:
        return 1 / (1 + np.exp(-logits))


def find_by_light(rgb: np.ndarray, **_: Any) -> list[Face]:
    side = rgb.shape[0]
    eyes_and_mouth = np.array([[0.4, 0.4], [0.6, 0.4], [0.5, 0.5], [0.42, 0.6], [0.58, 0.6]], np.float32) * side
    box = (0.25 * side, 0.25 * side, 0.75 * side, 0.75 * side)
    middle = rgb[side // 2 - 4 : side // 2 + 4, side // 2 - 4 : side // 2 + 4]
    return [Face(box, 0.9, eyes_and_mouth)] if middle.max() > 60 else []


def open_app() -> AppTest:
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=30).run()


def words(app: AppTest) -> str:
    """All that the page says, for tests that ask whether it says something."""
    kinds = ("title", "subheader", "markdown", "caption", "metric", "info", "warning", "error", "badge")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def run_until(app: AppTest, ready: Callable[[AppTest], bool], seconds: float = 20) -> AppTest:
    """Run the page again and again, as its fragment does in a browser."""
    pause = threading.Event()
    for _ in range(int(seconds / 0.1)):
        if ready(app):
            return app
        pause.wait(0.1)
        app.run()
    raise AssertionError(f"the page never came so far; it says:\n{words(app)}")
