"""The mean of a run's best and last weights, as its best checkpoint: `train.py --finish RUN` makes a detector of it.

    python -m benchmarks.average RUN                  # or, with what the run began from as a third:
    python -m benchmarks.average RUN --start FILE
    python -m benchmarks.average RUN --also FILE FILE  # copies that were kept of checkpoints/last.keras on the way
    python -m benchmarks.average RUN --last --start FILE  # without the best: the last and what the run began from

Weights of one trajectory lie in one basin, and their mean often generalises better than either (Izmailov et al., UAI
2018; Wortsman et al., ICML 2022). Whether it does is to be seen on val: the best checkpoint is kept as single.keras.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from core.training.checkpoints import State, load_checkpoint, read_state, save_checkpoint
from core.training.config import TrainConfig
from core.training.initial import initial_network, usual_network


def average(run: Path, start: Path | None = None, also: Sequence[Path] = (), *, with_best: bool = True) -> Path:
    """Replaces checkpoints/best.keras, and returns its path.

    Args:
        run: Folder of the run.
        start: A detector or a .keras file whose weights count too, as those of epoch 0.
        also: Checkpoints of other epochs.
        with_best: Whether the best epoch counts, or the last without it.
    """
    config, folder = TrainConfig.load(run / "config.json"), run / "checkpoints"
    best, single = folder / "best.keras", folder / "single.keras"
    if not single.exists():
        best.replace(single)
    first, state = load_checkpoint(single)[0], read_state(single)
    found = {state.epoch: first} if with_best else {}
    others = [load_checkpoint(path) for path in (*also, folder / "last.keras")]
    if start:
        others.append((initial_network(replace(config, init=str(start)), state.classes), State(epoch=0)))
    for model, its in others:
        folded = config.batch_norm == "fold"
        found.setdefault(its.epoch, usual_network(model, config, state.classes) if folded else model)
    weights = [model.get_weights() for model in found.values()]
    first.set_weights([sum(parts) / len(parts) for parts in zip(*weights, strict=True)])
    if not with_best:
        state = read_state(folder / "last.keras")
    state.averaged = tuple(sorted(found))
    save_checkpoint(first, best, state)
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--last", action="store_true", help="the best epoch does not count")
    parser.add_argument("--also", type=Path, nargs="+", default=[], metavar="FILE")
    options = parser.parse_args()
    print(average(options.run, options.start, options.also, with_best=not options.last))


if __name__ == "__main__":
    main()
