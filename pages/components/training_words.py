"""How a run's state looks and reads, and how long things take, in the words of a clock on the wall."""

import re
from dataclasses import dataclass, fields
from typing import Literal

from core.training.config import TrainConfig

Colour = Literal["blue", "gray", "red", "orange", "green"]


@dataclass(frozen=True)
class Look:
    """Icon, word and colour of a run's state, and what it means for the one who looks."""

    icon: str
    word: str
    colour: Colour
    meaning: str


LOOKS: dict[str, Look] = {
    "queued": Look(":material/schedule:", "Queued", "gray", "It starts as soon as the run before it has ended."),
    "running": Look(
        ":material/play_circle:",
        "Running",
        "blue",
        "It goes on without this page: close the browser, and come back when you like.",
    ),
    "stopping": Look(":material/hourglass_bottom:", "Stopping", "gray", "It ends after the batch in hand."),
    "finished": Look(":material/check_circle:", "Finished", "green", "Its detector is calibrated, measured and ready."),
    "stopped": Look(
        ":material/stop_circle:", "Stopped", "gray", "It was stopped on request. It can go on where it was."
    ),
    "failed": Look(":material/error:", "Failed", "red", "It ended by itself. What it had saved is still there."),
    "lost": Look(
        ":material/link_off:",
        "Lost",
        "orange",
        "It has given no sign of life for a while: the machine was restarted or asleep, or the run was ended from "
        "outside. It can go on from its last checkpoint.",
    ),
}
PHASES = {
    "preparing": "Preparing the faces",
    "head": "Training the head",
    "training": "Training the whole network",
    "calibrating": "Calibrating",
    "measuring": "Measuring on the test pictures",
    "exporting": "Writing the detector",
}
"""What a run is doing, by the phase in its status."""


UNKNOWN = "–"
LABELS = {
    "init": "Start from",
    "input_size": "Input size in pixels",
    "crop_scale": "Crop in face heights",
    "blocks": "Blocks of Xception",
    "multi_class": "Kinds of fakes apart",
    "batch_norm": "Batch normalisation",
    "head_epochs": "Epochs of the head",
    "epochs": "Epochs of the whole",
    "epoch_pictures": "Pictures an epoch",
    "minutes": "Time budget in minutes",
    "val_pictures": "Validation pictures",
    "batch_size": "Pictures a batch",
    "head_learning_rate": "Learning rate of the head",
    "warmup": "Warm-up",
    "ema": "Running mean of weights",
    "self_blend": "Self-blended fakes",
    "composite": "Composite fakes",
    "retouch": "Retouched fakes",
    "localise": "Localisation loss",
    "frames_per_video": "Frames a video",
    "export": "Also write",
    "strategy": "Several GPUs",
}
"""Names of settings for people, where their own says too little."""


def look(state: str) -> Look:
    """The look of a state; one that nobody knows is shown by its own name."""
    return LOOKS.get(str(state), Look(":material/help:", str(state).capitalize(), "gray", ""))


def span(seconds: float | None) -> str:
    """A length of time as exact as it matters: "40 s", "12 min", "3 h 5 min"; a dash where it is not known."""
    if seconds is None or seconds < 0:
        return UNKNOWN
    if seconds < 90:
        return f"{round(seconds)} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60} min"


def memory(size_bytes: float | None) -> str:
    """So much memory, short: "860 MB", "2.3 GB"."""
    if size_bytes is None:
        return UNKNOWN
    return f"{size_bytes / 1e9:.1f} GB" if size_bytes >= 1e9 else f"{size_bytes / 1e6:.0f} MB"


def about(minutes: float) -> str:
    """A guess in words: "about 40 minutes", "about 3 hours"."""
    if minutes < 1.5:
        return "about a minute"
    if minutes < 20:
        return f"about {round(minutes)} minutes"
    if minutes < 90:
        return f"about {5 * round(minutes / 5)} minutes"
    if minutes > 48 * 60:
        return f"about {round(minutes / 1440):,} days"
    hours = round(minutes / 30) / 2
    return f"about {hours:g} hours"


def with_labels(sentence: str) -> str:
    """A sentence on settings as the form calls them: "learning_rate must be …" as "Learning rate must be …"."""
    names = sorted((one.name for one in fields(TrainConfig)), key=len, reverse=True)
    named = re.compile(rf"\b({'|'.join(name for name in names if '_' in name or sentence.startswith(name))})\b")
    return named.sub(lambda found: setting_label(found[1]), sentence)


def setting_label(name: str) -> str:
    """The name of a setting for people: "learning_rate" as "Learning rate"."""
    return LABELS.get(name, name.replace("_", " ").capitalize())


def value(setting: object) -> str:
    """A setting for people: lists by commas, yes and no for flags, a dash for nothing."""
    if isinstance(setting, bool):
        return "yes" if setting else "no"
    if isinstance(setting, float):
        return f"{setting:g}"
    if isinstance(setting, list | tuple):
        return ", ".join(map(str, setting)) or UNKNOWN
    return str(setting) if setting not in ("", None) else UNKNOWN
