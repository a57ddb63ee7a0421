"""The settings of a training run, saved with it."""

import json
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from core.errors import TrainingError


def _setting(default: Any, help_text: str) -> Any:
    return field(default=default, metadata={"help": help_text})


@dataclass(frozen=True)
class TrainConfig:
    """Every setting with its meaning; `train.py --help` and the training page show the same words."""

    data: tuple[str, ...] = _setting((), "folders or manifests with the data")
    name: str = _setting("detector", "name of the detector")
    description: str = _setting("A detector of manipulated faces.", "one or two sentences for the model picker")
    licence: str = _setting("Not stated; that of the training data applies.", "terms of use of the weights, one line")
    init: str = _setting("imagenet", "starting weights: imagenet, none, or a file without the top")
    input_size: int = _setting(160, "side of the network's input in pixels")
    crop_scale: float = _setting(0.88, "side of the face crop in face-box heights")
    epochs: int = _setting(16, "epochs; an epoch is a fixed number of pictures")
    epoch_pictures: int = _setting(2400, "pictures an epoch")
    minutes: float = _setting(0.0, "time budget; the learning rate falls to zero within it (0: none)")
    batch_size: int = _setting(24, "pictures a batch, half of them real")
    learning_rate: float = _setting(3e-4, "peak learning rate of AdamW")
    warmup: float = _setting(0.05, "share of the training in which the learning rate rises")
    weight_decay: float = _setting(1e-4, "decoupled weight decay of AdamW")
    label_smoothing: float = _setting(0.02, "how far labels are drawn towards one half")
    dropout: float = _setting(0.2, "share of pooled features dropped")
    self_blend: float = _setting(0.25, "share of the fakes that are blended from real faces")
    precision: str = _setting("mixed_bfloat16", "mixed_bfloat16 or float32")
    source_weights: tuple[str, ...] = _setting((), "draw a source more often than the root of its size, as name=2.5")
    val_pictures: int = _setting(300, "at most this many pictures of each source and class in the check after an epoch")
    seed: int = _setting(0, "seed of all chance")

    def __post_init__(self) -> None:
        problems = [
            (self.input_size < 71, "input_size must be at least 71 pixels"),
            (self.batch_size < 2 or self.batch_size % 2, "batch_size must be even and at least 2"),
            (self.epochs < 1, "epochs must be at least 1"),
            (self.epoch_pictures < self.batch_size, "epoch_pictures must be at least one batch"),
            (not 0 < self.learning_rate < 1, "learning_rate must lie between 0 and 1"),
            (not 0 <= self.self_blend <= 1, "self_blend must lie between 0 and 1"),
            (not 0.3 <= self.crop_scale <= 3, "crop_scale must lie between 0.3 and 3"),
            (self.precision not in ("mixed_bfloat16", "float32"), "precision must be mixed_bfloat16 or float32"),
        ]
        for wrong, sentence in problems:
            if wrong:
                raise TrainingError(f"{sentence}.")

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return self.epoch_pictures // self.batch_size

    @property
    def emphasis(self) -> dict[str, float]:
        """`source_weights` by source; raises `TrainingError` for what is not name=number."""
        try:
            pairs = [entry.rsplit("=", 1) for entry in self.source_weights]
            return {name: float(weight) for name, weight in pairs}
        except ValueError as error:
            raise TrainingError("source_weights are given as name=number, such as faces=2.5.") from error

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> "TrainConfig":
        """Raises `TrainingError` when the file is missing or is no configuration."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            known = {f.name for f in fields(cls)}
            settings: dict[str, Any] = {
                k: tuple(v) if isinstance(v, list) else v for k, v in values.items() if k in known
            }
            return cls(**settings)
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise TrainingError(
                f"{path} is not the configuration of a run: name the folder of a training run."
            ) from error
