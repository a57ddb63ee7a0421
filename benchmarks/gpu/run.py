"""A run's folder from what a GPU machine sent back, so that `train.py --finish RUN` makes a detector of it.

    python -m benchmarks.gpu.run --weights A.npz B.npz --looks OUT/main.jsonl --data MANIFEST --run RUN

The weights are the mean of those given. Each look at val counts as an epoch.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from benchmarks.gpu.arrays import Arrays, read
from benchmarks.gpu.train import BATCH, EMA, LOCALISE, MAIN, PEAK, WARMUP_STEPS
from benchmarks.gpu.weights import give
from core.data.dataset import find_samples
from core.detector.network import build_network
from core.training.checkpoints import State, save_checkpoint
from core.training.config import TrainConfig
from core.training.journal import METRICS, append_line

ALL = 100_000
"""Val pictures of each source and class: as many as there are."""


def mean_of(several: Sequence[Arrays]) -> Arrays:
    """The mean of networks of one graph."""
    return {
        name: [sum(parts) / len(parts) for parts in zip(*(one[name] for one in several), strict=True)]
        for name in several[0]
    }


def lines(looks: Sequence[dict[str, Any]], classes: Sequence[str]) -> list[dict[str, Any]]:
    """The looks as a run's journal has its epochs; of networks that are looked at together, the best."""
    found: dict[float, list[dict[str, Any]]] = {}
    for look in looks:
        found.setdefault(look["epoch"], []).append(look)
    return [
        {
            "epoch": number,
            "phase": "training",
            "step": look["step"],
            "elapsed_s": look["seconds"],
            "val_auc": round(worth(look), 5),
            "val_auc_by_source": {key: value for key, value in look["val"].items() if key != "composites"},
            "classes": list(classes),
        }
        for number, several in found.items()
        for look in [max(several, key=worth)]
    ]


def worth(look: dict[str, Any]) -> float:
    """The mean over the sources."""
    return mean(value for key, value in look["val"].items() if key != "composites")


def numbered(parts: Sequence[Sequence[dict[str, Any]]]) -> list[dict[str, Any]]:
    """The looks of all parts of a run, with the number of their epoch, and pictures, steps and seconds added up."""
    found: list[dict[str, Any]] = []
    epoch, before = 0, {"pictures": 0, "step": 0, "seconds": 0.0}
    for part in parts:
        last_step = None
        for look in part:
            epoch, last_step = epoch + (look["step"] != last_step), look["step"]
            found.append(look | {key: look[key] + before[key] for key in before} | {"epoch": epoch})
        before = {key: found[-1][key] for key in before}
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, nargs="+", required=True)
    parser.add_argument("--looks", type=Path, nargs="+", required=True, help="main.jsonl of each part of the run")
    parser.add_argument("--epochs", type=int, nargs="*", default=[], help="the looks that the weights are of")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--description", default="")
    parser.add_argument("--licence", default="")
    options = parser.parse_args(arguments)
    classes = MAIN.classes
    found = {one.label for one in find_samples([options.data])}
    if not found <= set(classes):
        parser.error(f"{options.data} should tell the kinds of fakes apart: {', '.join(classes)}")
    looks = numbered([[json.loads(text) for text in path.read_text().splitlines()] for path in options.looks])
    last = looks[-1]
    config = TrainConfig(
        data=(str(options.data),),
        name="default",
        description=options.description,
        licence=options.licence,
        init="default",
        input_size=MAIN.size,
        batch_norm="train",
        multi_class="yes",
        head_epochs=0,
        epochs=last["epoch"],
        minutes=round(last["seconds"] / 60, 1),
        epoch_pictures=round(last["pictures"] / last["epoch"]),
        val_pictures=ALL,
        warmup=round(WARMUP_STEPS / last["step"], 3),
        batch_size=BATCH,
        learning_rate=PEAK,
        weight_decay=0.02,
        ema=EMA,
        self_blend=MAIN.blend,
        composite=MAIN.composite,
        retouch=MAIN.retouch,
        localise=LOCALISE,
        source_weights=tuple(f"{source}={weight:g}" for source, weight in MAIN.weights.items()),
    )
    (options.run / "checkpoints").mkdir(parents=True)
    config.save(options.run / "config.json")
    for line in lines(looks, classes):
        append_line(options.run / METRICS, line)
    network = give(build_network(MAIN.size, classes), mean_of([read(path) for path in options.weights]))
    state = State(epoch=last["epoch"], step=last["step"], classes=classes, averaged=tuple(options.epochs))
    save_checkpoint(network, options.run / "checkpoints" / "best.keras", state)


if __name__ == "__main__":
    main()
