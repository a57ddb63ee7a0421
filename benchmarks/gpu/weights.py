"""Networks between Keras and the arrays that benchmarks/gpu trains.

python -m benchmarks.gpu.weights --init default --out default.npz     # a detector, a file, "imagenet": as train.py
"""

import argparse
from pathlib import Path

import keras

from benchmarks.gpu.arrays import Arrays, read, save
from core.detector.network import build_network
from core.training.config import TrainConfig
from core.training.initial import initial_network

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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--init", required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    if options.init.endswith(".npz"):
        give(build_network(SIDE), read(Path(options.init))).save(options.out)
        return
    model = initial_network(TrainConfig(data=("",), init=options.init, input_size=SIDE), ("real", "fake"))
    save(options.out, arrays_of(model))


if __name__ == "__main__":
    main()
