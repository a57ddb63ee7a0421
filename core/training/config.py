"""The settings of a training run, saved with it."""

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from core.errors import TrainingError

PRECISIONS = ("auto", "mixed_bfloat16", "float32")
STRATEGIES = ("none", "mirrored")
MULTI_CLASS = ("auto", "yes", "no")
BATCH_NORM = ("train", "fold")
EXPORTS = ("h5", "openvino", "onnx")
MIN_INPUT_PX, MAX_INPUT_PX = 71, 1024
UNSTATED = "Not stated; that of the training data applies."
BLOCKS = range(2, 15)  # of Xception


def _setting(default: Any, help_text: str, choices: Sequence[str] = ()) -> Any:
    return field(default=default, metadata={"help": help_text, "choices": tuple(choices)})


@dataclass(frozen=True)
class TrainConfig:
    """Every setting with its meaning; `train.py --help` and the training page show the same words.

    Raises:
        TrainingError: A value that cannot be; the sentence names the setting and its range.
    """

    data: tuple[str, ...] = _setting((), "folders or manifests with the data")
    name: str = _setting("detector", "name of the detector")
    description: str = _setting("A detector of manipulated faces.", "one or two sentences for the model picker")
    licence: str = _setting(UNSTATED, "terms of use of the weights, one line")
    preset: str = _setting("", "quick, standard or thorough: other settings begin with its values")
    init: str = _setting("imagenet", "starting weights: imagenet, none, a detector's name (default) or a file")
    input_size: int = _setting(160, "side of the network's input in pixels")
    blocks: int = _setting(14, "how many of Xception's 14 blocks are kept; fewer are quicker and see less")
    batch_norm: str = _setting(
        "train",
        "batch normalisation: train it, or fold it into the convolutions, twice as quick on a processor and good for "
        "starting weights that were trained on faces before",
        BATCH_NORM,
    )
    crop_scale: float = _setting(0.88, "side of the face crop in face-box heights; of it parts of 84 to 100 % are seen")
    frames_per_video: int = _setting(16, "frames taken from each video")
    multi_class: str = _setting(
        "auto", "tell the kinds of fakes apart: auto does where the data have several", MULTI_CLASS
    )
    head_epochs: int = _setting(1, "epochs in which only the head learns and the rest is frozen, first (0: none)")
    epochs: int = _setting(16, "epochs in which the whole network learns (0: the head alone)")
    epoch_pictures: int = _setting(2400, "pictures an epoch")
    minutes: float = _setting(0.0, "time budget; the learning rate falls to zero within it (0: none)")
    patience: int = _setting(0, "stop after so many epochs without a better validation AUC (0: never)")
    batch_size: int = _setting(24, "pictures a batch, half of them real")
    head_learning_rate: float = _setting(1e-3, "peak learning rate while only the head learns")
    learning_rate: float = _setting(3e-4, "peak learning rate of AdamW")
    warmup: float = _setting(0.05, "share of the training in which the learning rate rises")
    weight_decay: float = _setting(1e-4, "decoupled weight decay of AdamW")
    label_smoothing: float = _setting(0.02, "how far labels are drawn towards even odds")
    dropout: float = _setting(0.2, "share of pooled features dropped")
    ema: float = _setting(0.0, "momentum of a running mean of the weights, which is what is judged and kept (0: none)")
    class_weights: tuple[str, ...] = _setting((), "let a class weigh more in the loss than the others, as real=1.5")
    self_blend: float = _setting(0.25, "share of the fakes that are blended from real faces (1: only real ones needed)")
    composite: float = _setting(0.0, "share of the fakes that are put together from parts of two real faces")
    retouch: float = _setting(0.0, "share of the fakes that are real faces retouched as by hand: warped, stamped over")
    localise: float = _setting(
        0.0,
        "weight of the localisation loss: evidence of a fake made from reals shall lie where it was changed (0: none)",
    )
    source_weights: tuple[str, ...] = _setting((), "draw a source more often than the root of its size, as name=2.5")
    precision: str = _setting("auto", "auto computes in 16 bits where this machine gains by it", PRECISIONS)
    strategy: str = _setting("none", "mirrored trains on all GPUs of this machine", STRATEGIES)
    val_pictures: int = _setting(300, "at most this many pictures of each source and class in the check after an epoch")
    export: tuple[str, ...] = _setting((), "other formats that are written as well", EXPORTS)
    seed: int = _setting(0, "seed of all chance")

    def __post_init__(self) -> None:
        for wrong, sentence in self._problems():
            if wrong:
                raise TrainingError(f"{sentence}.")
        _ = self.emphasis, self.loss_weights

    def _problems(self) -> list[tuple[bool, str]]:
        return [
            (not _whole(self.input_size, MIN_INPUT_PX, MAX_INPUT_PX), "input_size must be from 71 to 1024 pixels"),
            (self.blocks not in BLOCKS, "blocks must be from 2 to 14"),
            (not _between(0.3, self.crop_scale, 3), "crop_scale must lie between 0.3 and 3"),
            (not _whole(self.frames_per_video, 1, 1000), "frames_per_video must be from 1 to 1000"),
            (
                not _whole(self.batch_size, 2, 4096) or self.batch_size % 2 == 1,
                "batch_size must be an even number from 2 to 4096",
            ),
            (not _whole(self.epochs), "epochs must be 0 or more"),
            (not _whole(self.head_epochs), "head_epochs must be 0 or more"),
            (self.epochs + self.head_epochs < 1, "epochs or head_epochs must be at least 1"),
            (not _whole(self.epoch_pictures, self.batch_size), "epoch_pictures must be at least one batch"),
            (not _between(0, self.minutes), "minutes must be 0 or more"),
            (not _whole(self.patience), "patience must be 0 or more epochs"),
            (not 0 < self.learning_rate < 1, "learning_rate must be above 0 and below 1"),
            (not 0 < self.head_learning_rate < 1, "head_learning_rate must be above 0 and below 1"),
            (not 0 <= self.warmup < 1, "warmup must be a share from 0 to below 1"),
            (not 0 <= self.weight_decay < 1, "weight_decay must be from 0 to below 1"),
            (not 0 <= self.label_smoothing < 0.5, "label_smoothing must be from 0 to below 0.5"),
            (not 0 <= self.dropout < 1, "dropout must be a share from 0 to below 1"),
            (not 0 <= self.ema < 1, "ema must be from 0 to below 1, such as 0.999"),
            (not _between(0, self.self_blend, 1), "self_blend must lie between 0 and 1"),
            (not _between(0, self.composite, 1), "composite must lie between 0 and 1"),
            (not _between(0, self.retouch, 1), "retouch must lie between 0 and 1"),
            (self.made_share > 1, "self_blend, composite and retouch together must not be more than 1"),
            (not _between(0, self.localise, 100), "localise must be from 0 to 100"),
            (not _whole(self.val_pictures, 1), "val_pictures must be at least 1"),
            (not _whole(self.seed), "seed must be a whole number, 0 or more"),
            *self._wrong_choices(),
        ]

    def _wrong_choices(self) -> list[tuple[bool, str]]:
        found = []
        for setting in fields(self):
            value, choices = getattr(self, setting.name), setting.metadata["choices"]
            given = value if isinstance(value, tuple) else (value,)
            wrong = bool(choices) and any(one not in choices for one in given)
            found.append((wrong, f"{setting.name} must be {' or '.join(choices)}, not {', '.join(map(str, given))}"))
        return found

    @property
    def steps(self) -> int:
        """Batches an epoch."""
        return self.epoch_pictures // self.batch_size

    @property
    def all_epochs(self) -> int:
        """Epochs of both phases."""
        return self.head_epochs + self.epochs

    @property
    def made_from_reals(self) -> bool:
        """Whether every fake is made from real pictures, so that the data need not hold any."""
        return self.made_share >= 1

    @property
    def made_share(self) -> float:
        """Share of the fakes that are made from real faces, in any way."""
        return self.self_blend + self.composite + self.retouch

    @property
    def emphasis(self) -> dict[str, float]:
        """`source_weights` by source; raises `TrainingError` for what is not name=number."""
        return _weights("source_weights", self.source_weights, "faces=2.5")

    @property
    def loss_weights(self) -> dict[str, float]:
        """`class_weights` by class; raises `TrainingError` for what is not name=number."""
        weights = _weights("class_weights", self.class_weights, "real=1.5")
        return {name.lower(): weight for name, weight in weights.items()}

    def save(self, path: Path) -> None:
        """Writes the settings as JSON, whole or not at all."""
        half = path.with_name(f".{path.name}.part")
        half.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")
        half.replace(path)

    @classmethod
    def load(cls, path: Path) -> "TrainConfig":
        """Raises `TrainingError` when the file is missing, is no configuration, or holds what cannot be."""
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            values.setdefault("head_epochs", 0)  # a run from before there were two phases
            known = {f.name: f.default for f in fields(cls)}
            return cls(**{name: _typed(value, known[name]) for name, value in values.items() if name in known})
        except (OSError, ValueError, TypeError, AttributeError) as error:
            raise TrainingError(
                f"{path} is not the configuration of a run: name the folder of a training run."
            ) from error
        except TrainingError as error:
            raise TrainingError(f"{path} cannot be used: {error}") from error


def _typed(value: Any, default: Any) -> Any:
    """A value out of a file as its setting's type; raises TypeError for what is of another."""
    if isinstance(default, tuple):
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise TypeError
        return tuple(value)
    if isinstance(default, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if type(value) is not type(default):
        raise TypeError
    return value


def _whole(value: Any, least: int = 0, most: float = math.inf) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _between(least: float, value: float, most: float = math.inf) -> bool:
    return math.isfinite(value) and least <= value <= most


def _weights(setting: str, entries: Sequence[str], example: str) -> dict[str, float]:
    try:
        pairs = [entry.rsplit("=", 1) for entry in entries]
        weights = {name: float(weight) for name, weight in pairs}
    except ValueError as error:
        raise TrainingError(f"{setting} are given as name=number, such as {example}.") from error
    if not all(0 < weight < math.inf for weight in weights.values()):
        raise TrainingError(f"{setting} must be numbers above 0, such as {example}.")
    return weights
