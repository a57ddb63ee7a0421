"""Builds a flat Keras model from a detector's file, by our own hands: Keras's deserialiser never sees the file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.detector.graph import DEFAULT_INPUT_SIZE, INPUT, Graph, Layer, flatten
from core.detector.weights import Weights, about, read_config, read_weights
from core.errors import DetectorError, SetupError

if TYPE_CHECKING:
    import keras


def read_graph(path: Path) -> Graph:
    """The flat network of a .keras or .h5 file; needs neither Keras nor TensorFlow.

    Raises:
        DetectorError: The file is no detector; the sentence names it and says why.
    """
    config = read_config(path)
    with about(path):
        return flatten(config)


def load_keras(source: Path | str, input_size: int | None = None) -> keras.Model:
    """Load a detector's network as one flat float32 functional model, whatever Keras saved it and however nested.

    Args:
        source: A .keras or .h5 file, or a detector's folder.
        input_size: Side of the input in pixels; by default the file's own, 299 where it takes any.

    Returns:
        A model from (n, s, s, 3) floats, preprocessed as the detector's spec says, to its class probabilities.

    Raises:
        DetectorError: The file is missing, damaged, unsafe or no detector.
        SetupError: Keras or TensorFlow is not installed.
    """
    path = Path(source)
    if path.is_dir():
        from core.detector.artifact import load_spec

        spec = load_spec(path)
        path, input_size = path / spec.weights_file, input_size or spec.input_size
    graph = read_graph(path)
    weights = read_weights(path, graph)
    with about(path):
        return build_keras(graph, weights, input_size or graph.input_size or DEFAULT_INPUT_SIZE)


def build_keras(graph: Graph, weights: Weights, input_size: int) -> keras.Model:
    """The flat Keras model of a graph, with its weights, in float32 whatever policy it was trained under.

    Raises:
        DetectorError: The layers do not fit together, or the weights do not fit them.
        SetupError: Keras or TensorFlow is not installed.
    """
    keras = import_keras()
    inputs = keras.Input((input_size, input_size, 3), dtype="float32", name=INPUT)
    tensors: dict[str, Any] = {INPUT: inputs}
    try:
        for layer in graph.layers.values():
            made = getattr(keras.layers, layer.kind)(**layer.settings, name=layer.name, dtype="float32")
            sources = [tensors[name] for name in layer.inputs]
            tensors[layer.name] = made(sources if layer.kind == "Add" else sources[0])
            made.set_weights([weights[layer.name][variable] for variable in layer.variables])
    except (ValueError, TypeError) as error:
        raise DetectorError(
            f"Its layers do not fit together or do not fit {input_size} pixels: check its input size, or save it again."
        ) from error
    return keras.Model(inputs, tensors[graph.output], name="detector")


def graph_of(model: keras.Model) -> tuple[Graph, Weights]:
    """The flat graph and the float32 weights of a Keras model in memory, nested or under any precision policy."""
    keras = import_keras()
    graph = flatten(keras.saving.serialize_keras_object(model))
    leaves = {layer.name: layer for layer in _leaves(model)}
    weights = {
        layer.name: dict(zip(layer.variables, _arrays(leaves[layer.name], layer), strict=True))
        for layer in graph.layers.values()
    }
    return graph, weights


def _arrays(kept: Any, layer: Layer) -> list[np.ndarray[Any, np.dtype[np.float32]]]:
    return [np.asarray(array, dtype=np.float32) for array in kept.get_weights()] if layer.variables else []


def _leaves(model: Any) -> list[Any]:
    leaves = []
    for layer in model.layers:
        leaves += _leaves(layer) if hasattr(layer, "layers") else [layer]
    return leaves


def import_keras() -> Any:
    """Keras on TensorFlow; a SetupError sentence where one of them is missing."""
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    try:
        import keras
    except ImportError as error:
        raise SetupError(
            f"Keras and TensorFlow are needed for this, and {error.name or 'one of them'} is not installed: "
            "run pip install -r requirements.txt."
        ) from error
    return keras
