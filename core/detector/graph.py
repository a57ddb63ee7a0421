"""The layers of a saved Keras model as plain data: read from its configuration, flattened, nothing of it ever run.

Only known layers with known settings pass, so a file from a stranger cannot bring code: no Lambda, no custom class, no
Keras deserialiser. Keras 2 and Keras 3 spell their configurations differently; here both become the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import DetectorError

LAYERS: dict[str, tuple[str, ...]] = {
    "Conv2D": ("filters", "kernel_size", "strides", "padding", "dilation_rate", "activation", "use_bias"),
    "DepthwiseConv2D": (
        "kernel_size",
        "strides",
        "padding",
        "depth_multiplier",
        "dilation_rate",
        "activation",
        "use_bias",
    ),
    "SeparableConv2D": (
        *("filters", "kernel_size", "strides", "padding", "depth_multiplier", "dilation_rate"),
        *("activation", "use_bias"),
    ),
    "BatchNormalization": ("momentum", "epsilon", "center", "scale"),
    "Activation": ("activation",),
    "ReLU": ("max_value",),
    "MaxPooling2D": ("pool_size", "strides", "padding"),
    "AveragePooling2D": ("pool_size", "strides", "padding"),
    "ZeroPadding2D": ("padding",),
    "Add": (),
    "Rescaling": ("scale", "offset"),
    "Dropout": ("rate",),
    "GlobalAveragePooling2D": (),
    "Dense": ("units", "activation", "use_bias"),
}
"""Layers that a detector may have, and the settings that matter when it runs."""
FIXED = {"data_format": "channels_last", "groups": 1, "keepdims": False, "negative_slope": 0.0, "threshold": 0.0}
ACTIVATIONS = ("linear", "relu", "sigmoid", "softmax", "swish", "silu", "elu", "tanh")
TRAINING_ONLY = {"GaussianNoise", "GaussianDropout", "ActivityRegularization", "SpatialDropout2D"}
TRAINING_ONLY_PREFIX = "Random"  # RandomFlip, RandomRotation, ...: they do nothing when a model predicts
MODELS = ("Functional", "Model", "Sequential")
MAX_DEPTH = 8
INPUT = "input"
DEFAULT_INPUT_SIZE = 299
"""Xception's own, for models that take pictures of any size."""


@dataclass(frozen=True)
class Layer:
    """One layer: its kind and settings, the layers it reads from, and where a .keras file keeps its variables."""

    name: str
    kind: str
    settings: Mapping[str, Any]
    inputs: tuple[str, ...]
    store_path: str

    @property
    def variables(self) -> tuple[str, ...]:
        """Names of its variables, in Keras's order."""
        bias = ("bias",) if self.settings.get("use_bias", True) else ()
        if self.kind == "SeparableConv2D":
            return ("depthwise_kernel", "pointwise_kernel", *bias)
        if self.kind == "BatchNormalization":
            gamma = ("gamma",) if self.settings.get("scale", True) else ()
            beta = ("beta",) if self.settings.get("center", True) else ()
            return (*gamma, *beta, "moving_mean", "moving_variance")
        return ("kernel", *bias) if self.kind in ("Conv2D", "DepthwiseConv2D", "Dense") else ()


@dataclass(frozen=True)
class Head:
    """The end of a detector: features, global average pooling, one dense layer.

    Attributes:
        features: Name of the layer whose (n, h, w, c) output is pooled.
        dense: Name of the last dense layer.
        units: 1 (sigmoid) or the number of classes (softmax).
    """

    features: str
    dense: str
    units: int


@dataclass(frozen=True)
class Graph:
    """A flat network: layers in the order in which they run, by name; `INPUT` stands for its input."""

    layers: Mapping[str, Layer]
    output: str
    input_size: int | None
    head: Head = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "head", _find_head(self.layers, self.output))


def flatten(config: Any) -> Graph:
    """The flat network that a Keras configuration describes, nested models resolved.

    Args:
        config: `{"class_name": ..., "config": ...}` as in a .keras archive's config.json or an .h5 file's attribute.

    Raises:
        DetectorError: It holds a layer that a detector may not have, or does not end as one does.
    """
    builder = _Builder()
    try:
        output = builder.model(config, INPUT, "", 0)
        return Graph(builder.layers, output, builder.size())
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise DetectorError(
            "The description of its network is damaged or of a kind unknown to this program: save the model again "
            "with Keras 3."
        ) from error


class _Builder:
    def __init__(self) -> None:
        self.layers: dict[str, Layer] = {}
        self._shapes: list[Sequence[int | None]] = []

    def model(self, config: Mapping[str, Any], source: str, path: str, depth: int) -> str:
        """Adds a model's layers behind `source`; returns the name of its output layer."""
        if config["class_name"] not in MODELS:
            raise DetectorError(f"It holds a {config['class_name']}, and not a Functional or Sequential Keras model.")
        if depth > MAX_DEPTH:
            raise DetectorError(f"Its models are nested more than {MAX_DEPTH} deep: save one flat model.")
        inner = config["config"]
        if isinstance(inner, list):  # a Sequential of Keras before 2.2
            inner = {"layers": inner}
        paths = _store_paths([layer["class_name"] for layer in inner["layers"]], path)
        walk = self._sequential if config["class_name"] == "Sequential" else self._functional
        return walk(inner, paths, source, depth)

    def size(self) -> int | None:
        """The side of the input where a model states it; None where any will do."""
        for shape in self._shapes:
            if len(shape) != 4 or shape[3] != 3:
                raise DetectorError(f"Its input is {list(shape)}, and must be RGB pictures [None, side, side, 3].")
            if shape[1] != shape[2]:
                raise DetectorError(f"Its input of {shape[1]} × {shape[2]} is not square, as a detector's must be.")
            if shape[1] is not None:
                return int(shape[1])
        return None

    def _sequential(self, inner: Mapping[str, Any], paths: Sequence[str], source: str, depth: int) -> str:
        if inner.get("build_input_shape"):
            self._shapes.append(inner["build_input_shape"])
        for layer, path in zip(inner["layers"], paths, strict=True):
            source = self._layer(layer, (source,), path, depth)
        return source

    def _functional(self, inner: Mapping[str, Any], paths: Sequence[str], source: str, depth: int) -> str:
        ends = [_references(inner[key]) for key in ("input_layers", "output_layers")]
        if any(len(end) != 1 for end in ends):
            raise DetectorError("It has several inputs or outputs, and must have one of each.")
        produced: dict[str, str] = {}
        for layer, path in zip(inner["layers"], paths, strict=True):
            calls = layer.get("inbound_nodes", [])
            if len(calls) > 1:
                raise DetectorError(f'Its layer "{layer["config"]["name"]}" is used more than once: use each once.')
            inputs = tuple(produced[name] for name in _references(calls[0])) if calls else (source,)
            produced[layer.get("name") or layer["config"]["name"]] = self._layer(layer, inputs, path, depth)
        return produced[ends[1][0]]

    def _layer(self, layer: Mapping[str, Any], inputs: tuple[str, ...], path: str, depth: int) -> str:
        kind, config = layer["class_name"], layer["config"]
        if kind in MODELS:
            return self.model(layer, inputs[0], path, depth + 1)
        shape = config.get("batch_shape") or config.get("batch_input_shape")
        if shape:
            self._shapes.append(shape)
        if kind == "InputLayer" or kind in TRAINING_ONLY or kind.startswith(TRAINING_ONLY_PREFIX):
            return inputs[0]
        name = str(config["name"])
        if name in self.layers or name == INPUT:
            raise DetectorError(f'Two of its layers are called "{name}": give each its own name and save it again.')
        self.layers[name] = Layer(name, kind, _settings(kind, name, config), inputs, path)
        return name


def _settings(kind: str, name: str, config: Mapping[str, Any]) -> dict[str, Any]:
    if kind == "Lambda":
        raise DetectorError(
            f'Its layer "{name}" is a Lambda, which holds Python code, and code in a detector is never run: '
            "build the network without it and save it again."
        )
    if kind not in LAYERS:
        raise DetectorError(
            f'Its layer "{name}" is a {kind}, and this is no Xception: a detector has convolutions, normalisation and '
            "pooling, then GlobalAveragePooling2D and one Dense layer."
        )
    for key, value in FIXED.items():
        if config.get(key, value) not in (value, None):
            raise DetectorError(f'Its layer "{name}" has {key}={config[key]!r}, and only {value!r} is supported.')
    settings = {key: config[key] for key in LAYERS[kind] if key in config}
    activation = settings.get("activation", "linear")
    if activation not in ACTIVATIONS:
        raise DetectorError(
            f'Its layer "{name}" has an activation that is not supported: use {", ".join(ACTIVATIONS)}.'
        )
    axis = config.get("axis", -1)
    if kind == "BatchNormalization" and (axis if isinstance(axis, int) else axis[0]) not in (-1, 3):
        raise DetectorError(f'Its layer "{name}" normalises axis {axis}, and only the channels (3) are supported.')
    return settings


def _references(value: Any) -> list[str]:
    """Names of the layers that a call or an `input_layers` entry refers to, in either spelling of Keras."""
    if isinstance(value, Mapping):
        if value.get("class_name") == "__keras_tensor__":
            return [str(value["config"]["keras_history"][0])]
        return _references(value.get("args", []))
    if not isinstance(value, Sequence) or isinstance(value, str):
        return []
    if len(value) >= 3 and isinstance(value[0], str) and isinstance(value[1], int):
        return [str(value[0])]
    return [name for one in value for name in _references(one)]


def _store_paths(kinds: Sequence[str], parent: str) -> list[str]:
    """Where Keras keeps each layer of a model in model.weights.h5: by class name, counted, never by layer name."""
    counts: dict[str, int] = {}
    paths = []
    for kind in kinds:
        name = re.sub("([a-z])([A-Z])", r"\1_\2", re.sub("(.)([A-Z][a-z]+)", r"\1_\2", kind)).lower()
        count = counts[name] = counts.get(name, -1) + 1
        paths.append(f"{parent}layers/{name}_{count}/" if count else f"{parent}layers/{name}/")
    return paths


def _find_head(layers: Mapping[str, Layer], output: str) -> Head:
    last, activation = layers[output], "linear"
    if last.kind == "Activation":
        activation, last = last.settings["activation"], _source(layers, last)
    pool = _source(layers, last)
    if last.kind != "Dense" or pool.kind != "GlobalAveragePooling2D" or pool.inputs[0] not in layers:
        raise DetectorError(
            "It is no Xception detector: it must end in convolutions, GlobalAveragePooling2D and one Dense layer, as "
            "heatmaps need it."
        )
    units = int(last.settings["units"])
    own = last.settings.get("activation", "linear")
    if {own, activation} != {"linear", "sigmoid" if units == 1 else "softmax"}:
        raise DetectorError(
            f"Its last layer is Dense({units}, {own}), and must be Dense(1, sigmoid) or, with a unit for each "
            "class, softmax."
        )
    return Head(pool.inputs[0], last.name, units)


def _source(layers: Mapping[str, Layer], layer: Layer) -> Layer:
    """The layer that feeds `layer`, dropout passed over; `layer` itself where there is none."""
    source = layers.get(layer.inputs[0], layer)
    while source.kind == "Dropout" and source.inputs[0] in layers:
        source = layers[source.inputs[0]]
    return source
