"""The mean of a run's best and last weights, as its best checkpoint: `train.py --finish RUN` makes a detector of it.

    python -m benchmarks.average RUN

Weights of one trajectory lie in one basin, and their mean often generalises better than either (Izmailov et al., UAI
2018; Wortsman et al., ICML 2022). Whether it does is to be seen on val: the best checkpoint is kept as single.keras.
"""

import argparse
from pathlib import Path

from core.training.checkpoints import load_checkpoint, read_state, save_checkpoint
from core.training.config import TrainConfig
from core.training.initial import usual_network


def average(run: Path) -> Path:
    """Replaces checkpoints/best.keras, and returns its path."""
    config, folder = TrainConfig.load(run / "config.json"), run / "checkpoints"
    best, single = folder / "best.keras", folder / "single.keras"
    if not single.exists():
        best.replace(single)
    first, state = load_checkpoint(single)[0], read_state(single)
    last, ended = load_checkpoint(folder / "last.keras")
    if config.batch_norm == "fold":
        last = usual_network(last, config, state.classes)
    first.set_weights([(a + b) / 2 for a, b in zip(first.get_weights(), last.get_weights(), strict=True)])
    state.averaged = state.epoch, ended.epoch
    save_checkpoint(first, best, state)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    print(average(parser.parse_args().run))


if __name__ == "__main__":
    main()
