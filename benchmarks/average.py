"""The mean of a run's best and last weights, as its best checkpoint: `train.py --finish RUN` makes a detector of it.

    python -m benchmarks.average RUN                  # or, with what the run began from as a third:
    python -m benchmarks.average RUN --start FILE

Weights of one trajectory lie in one basin, and their mean often generalises better than either (Izmailov et al., UAI
2018; Wortsman et al., ICML 2022). Whether it does is to be seen on val: the best checkpoint is kept as single.keras.
"""

import argparse
from dataclasses import replace
from pathlib import Path

from core.training.checkpoints import load_checkpoint, read_state, save_checkpoint
from core.training.config import TrainConfig
from core.training.initial import initial_network, usual_network


def average(run: Path, start: Path | None = None) -> Path:
    """Replaces checkpoints/best.keras, and returns its path.

    Args:
        run: Folder of the run.
        start: A detector or a .keras file whose weights count too, as those of epoch 0.
    """
    config, folder = TrainConfig.load(run / "config.json"), run / "checkpoints"
    best, single = folder / "best.keras", folder / "single.keras"
    if not single.exists():
        best.replace(single)
    first, state = load_checkpoint(single)[0], read_state(single)
    last, ended = load_checkpoint(folder / "last.keras")
    folded = config.batch_norm == "fold"
    models, epochs = [first, usual_network(last, config, state.classes) if folded else last], (state.epoch, ended.epoch)
    if start:
        begun = initial_network(replace(config, init=str(start)), state.classes)
        models, epochs = [usual_network(begun, config, state.classes) if folded else begun, *models], (0, *epochs)
    weights = [model.get_weights() for model in models]
    first.set_weights([sum(parts) / len(parts) for parts in zip(*weights, strict=True)])
    state.averaged = epochs
    save_checkpoint(first, best, state)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--start", type=Path)
    options = parser.parse_args()
    print(average(options.run, options.start))


if __name__ == "__main__":
    main()
