"""Networks between Keras and the arrays that benchmarks/gpu trains.

python -m benchmarks.gpu.weights --init default --out default.npz     # a detector, a file, "imagenet": as train.py
"""

import argparse
from pathlib import Path

import keras

from benchmarks.gpu.arrays import Arrays, read, save
from core.detector.loading import load_keras
from core.detector.network import HEAD_LAYER, build_network
from core.training.config import TrainConfig
from core.training.initial import WEIGHTS_SUFFIX, initial_network, starting_file

SIDE = 160  # of no account: weights fit any


def arrays_of(model: keras.Model) -> Arrays:
    """By layer; the shortcuts by their order, since Keras numbers them anew in each process."""
    return {name: layer.get_weights() for name, layer in _named(model)}


def give(model: keras.Model, arrays: Arrays) -> keras.Model:
    """Puts arrays into a network of the same graph."""
    for name, layer in _named(model):
        layer.set_weights(arrays[name])
    return model


def _named(model: keras.Model) -> list[tuple[str, keras.layers.Layer]]:
    found, convolutions, norms = [], 0, 0
    for layer in model.layers:
        if not layer.weights:
            continue
        name = layer.name
        if name.startswith("conv2d"):
            name, convolutions = f"shortcut{convolutions}", convolutions + 1
        elif name.startswith("batch_normalization"):
            name, norms = f"shortcut{norms}_bn", norms + 1
        found.append((name, layer))
    return found


def names(units: int) -> tuple[str, ...]:
    """Classes for a head of so many outputs; what they are called is of no account here."""
    return ("real", "fake") if units == 1 else ("real", *(f"fake{place}" for place in range(1, units)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.init.endswith(".npz"):
        arrays = read(Path(options.init))
        give(build_network(SIDE, names(arrays[HEAD_LAYER][0].shape[1])), arrays).save(options.out)
        return
    given = options.init.endswith(WEIGHTS_SUFFIX) or options.init in ("imagenet", "none")
    units = 1 if given else load_keras(starting_file(options.init)).output_shape[-1]
    config = TrainConfig(data=("",), init=options.init, input_size=SIDE)
    save(options.out, arrays_of(initial_network(config, names(units))))


if __name__ == "__main__":
    main()
