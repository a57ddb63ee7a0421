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
    """The looks as a run's journal has its epochs, one after the other."""
    return [
        {
            "epoch": number,
            "phase": "training",
            "step": look["step"],
            "elapsed_s": look["seconds"],
            "val_auc": round(mean(value for key, value in look["val"].items() if key != "composites"), 5),
            "val_auc_by_source": {key: value for key, value in look["val"].items() if key != "composites"},
            "classes": list(classes),
        }
        for number, look in enumerate(looks, 1)
    ]


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
    if not found < set(classes):
        parser.error(f"{options.data} should tell the kinds of fakes apart: {', '.join(classes)}")
    looks, before = list[dict[str, Any]](), 0.0
    for path in options.looks:
        part = [json.loads(text) for text in path.read_text().splitlines()]
        looks += [look | {"seconds": look["seconds"] + before} for look in part]
        before = looks[-1]["seconds"]
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
        epochs=len(looks),
        minutes=round(before / 60, 1),
        epoch_pictures=looks[0]["pictures"],
        val_pictures=ALL,
        warmup=round(WARMUP_STEPS / max(look["step"] for look in looks), 3),
        batch_size=BATCH,
        learning_rate=PEAK,
        weight_decay=0.02,
        ema=EMA,
        self_blend=MAIN.blend,
        composite=MAIN.composite,
        localise=LOCALISE,
        source_weights=tuple(f"{source}={weight:g}" for source, weight in MAIN.weights.items()),
    )
    (options.run / "checkpoints").mkdir(parents=True)
    config.save(options.run / "config.json")
    for line in lines(looks, classes):
        append_line(options.run / METRICS, line)
    network = give(build_network(MAIN.size, classes), mean_of([read(path) for path in options.weights]))
    state = State(epoch=len(looks), step=looks[-1]["step"], classes=classes, averaged=tuple(options.epochs))
    save_checkpoint(network, options.run / "checkpoints" / "best.keras", state)


if __name__ == "__main__":
    main()
