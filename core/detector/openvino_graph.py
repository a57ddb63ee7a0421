"""A detector's graph in OpenVINO's own operations: pixels in, logits and evidence out. TensorFlow is not needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as ops

from core.detector.graph import INPUT, Graph, Layer
from core.detector.spec import Preprocessing
from core.detector.weights import Weights
from core.errors import DetectorError

GRAPH_VERSION = 1
"""Part of the cache's key: raise it whenever a change here changes what the graph computes."""
Node = Any
Arrays = dict[str, NDArray[np.float32]]


def build_openvino(graph: Graph, weights: Weights, input_size: int, preprocessing: Preprocessing) -> ov.Model:
    """The graph of a detector with two outputs.

    The head is linear on pooled features, so it can be applied before pooling as well: that gives the evidence at each
    place (class activation mapping, Zhou et al., CVPR 2016), whose mean plus the bias is the logit.

    Returns:
        A model from uint8 (1, s, s, 3) RGB to `logits` (1, k) and `maps` (1, h, w, k), both float32, where k is 1 for
        a sigmoid head and the number of classes for a softmax.

    Raises:
        DetectorError: The layers do not fit together, or do not fit the input size.
    """
    try:
        return _build(graph, weights, input_size, preprocessing)
    except (RuntimeError, ValueError, KeyError, IndexError) as error:
        raise DetectorError(
            f"Its layers do not fit together or do not fit {input_size} pixels: check its input size, or save it again."
        ) from error


def _build(graph: Graph, weights: Weights, input_size: int, preprocessing: Preprocessing) -> ov.Model:
    pixels = ops.parameter([1, input_size, input_size, 3], np.uint8, name="pixels")
    scaled = ops.multiply(ops.convert(pixels, np.float32), _constant(preprocessing.scale))
    shifted = ops.add(scaled, _constant(preprocessing.offset))
    nodes: dict[str, Node] = {INPUT: ops.transpose(shifted, np.array([0, 3, 1, 2]))}
    for layer in graph.layers.values():
        nodes[layer.name] = _BUILDERS[layer.kind](
            layer, [nodes[name] for name in layer.inputs], dict(weights[layer.name])
        )
        if layer.name == graph.head.features:
            break
    head = weights[graph.head.dense]
    maps = ops.convolution(nodes[graph.head.features], _constant(head["kernel"].T[:, :, None, None]), *_window())
    logits = ops.reduce_mean(maps, np.array([2, 3]), keep_dims=False)
    if "bias" in head:
        logits = ops.add(logits, _constant(head["bias"][None]))
    outputs = [_named(logits, "logits"), _named(ops.transpose(maps, np.array([0, 2, 3, 1])), "maps")]
    return ov.Model(outputs, [pixels], "detector")


def _named(node: Node, name: str) -> Node:
    result = ops.result(node)
    result.output(0).tensor.set_names({name})
    return result


def _constant(value: NDArray[np.float32] | float) -> Node:
    return ops.constant(np.array(value, dtype=np.float32, order="C"))


def _channels(values: NDArray[np.float32] | float | list[float]) -> Node:
    """A constant for each channel (or one for all) of an (n, c, h, w) tensor."""
    return _constant(np.asarray(values, dtype=np.float32).reshape(1, -1, 1, 1))


def _window(strides: Any = 1, dilation: Any = 1, padding: str = "valid") -> tuple[Any, ...]:
    """Strides, pads, dilation and the padding rule of a convolution, as OpenVINO wants them."""
    rule = {"valid": "valid", "same": "same_upper"}[padding]
    return _pair(strides), [0, 0], [0, 0], _pair(dilation), rule


def _pair(value: Any) -> list[int]:
    return [value, value] if isinstance(value, int) else [int(one) for one in value]


def _finish(node: Node, layer: Layer, arrays: Arrays) -> Node:
    if "bias" in arrays:
        node = ops.add(node, _channels(arrays["bias"]))
    return _ACTIVATIONS[layer.settings.get("activation", "linear")](node)


def _strided(layer: Layer) -> tuple[Any, ...]:
    settings = layer.settings
    return _window(settings.get("strides", 1), settings.get("dilation_rate", 1), settings.get("padding", "valid"))


def _depthwise(node: Node, kernel: NDArray[np.float32], layer: Layer) -> Node:
    height, width, channels, multiplier = kernel.shape
    grouped = kernel.transpose(2, 3, 0, 1).reshape(channels, multiplier, 1, height, width)
    return ops.group_convolution(node, _constant(grouped), *_strided(layer))


def _conv(layer: Layer, inputs: list[Node], arrays: Arrays) -> Node:
    kernel = _constant(arrays["kernel"].transpose(3, 2, 0, 1))
    return _finish(ops.convolution(inputs[0], kernel, *_strided(layer)), layer, arrays)


def _depthwise_conv(layer: Layer, inputs: list[Node], arrays: Arrays) -> Node:
    return _finish(_depthwise(inputs[0], arrays["kernel"], layer), layer, arrays)


def _separable_conv(layer: Layer, inputs: list[Node], arrays: Arrays) -> Node:
    pointwise = _constant(arrays["pointwise_kernel"].transpose(3, 2, 0, 1))
    node = ops.convolution(_depthwise(inputs[0], arrays["depthwise_kernel"], layer), pointwise, *_window())
    return _finish(node, layer, arrays)


def _normalise(layer: Layer, inputs: list[Node], arrays: Arrays) -> Node:
    variance = arrays["moving_variance"].astype(np.float64) + layer.settings.get("epsilon", 1e-3)
    factor = arrays.get("gamma", np.float32(1)) / np.sqrt(variance)
    shift = arrays.get("beta", np.float32(0)) - arrays["moving_mean"] * factor
    return ops.add(ops.multiply(inputs[0], _channels(factor)), _channels(shift))


def _max_pool(layer: Layer, inputs: list[Node], _: Arrays) -> Node:
    strides, begin, end, dilation, rule = _pooled(layer)
    size = _pair(layer.settings.get("pool_size", 2))
    return ops.max_pool(inputs[0], strides, dilation, begin, end, size, "floor", rule).output(0)


def _average_pool(layer: Layer, inputs: list[Node], _: Arrays) -> Node:
    strides, begin, end, _dilation, rule = _pooled(layer)
    return ops.avg_pool(inputs[0], strides, begin, end, _pair(layer.settings.get("pool_size", 2)), True, "floor", rule)


def _pooled(layer: Layer) -> tuple[Any, ...]:
    settings = layer.settings
    strides = settings.get("strides") or settings.get("pool_size", 2)
    return _window(strides, 1, settings.get("padding", "valid"))


def _zero_pad(layer: Layer, inputs: list[Node], _: Arrays) -> Node:
    padding = layer.settings.get("padding", 1)
    (top, bottom), (left, right) = [_pair(one) for one in ([padding] * 2 if isinstance(padding, int) else padding)]
    return ops.pad(inputs[0], np.array([0, 0, top, left]), np.array([0, 0, bottom, right]), "constant", _constant(0.0))


def _relu(layer: Layer, inputs: list[Node], _: Arrays) -> Node:
    limit = layer.settings.get("max_value")
    return ops.relu(inputs[0]) if limit is None else ops.clamp(inputs[0], 0.0, float(limit))


def _add(_: Layer, inputs: list[Node], __: Arrays) -> Node:
    total = inputs[0]
    for one in inputs[1:]:
        total = ops.add(total, one)
    return total


def _rescale(layer: Layer, inputs: list[Node], _: Arrays) -> Node:
    scaled = ops.multiply(inputs[0], _channels(layer.settings["scale"]))
    return ops.add(scaled, _channels(layer.settings.get("offset", 0.0)))


_ACTIVATIONS: dict[str, Callable[[Node], Node]] = {
    "linear": lambda node: node,
    "relu": ops.relu,
    "sigmoid": ops.sigmoid,
    "softmax": lambda node: ops.softmax(node, 1),
    "swish": ops.swish,
    "silu": ops.swish,
    "elu": lambda node: ops.elu(node, 1.0),
    "tanh": ops.tanh,
}
_BUILDERS: dict[str, Callable[[Layer, list[Node], Arrays], Node]] = {
    "Conv2D": _conv,
    "DepthwiseConv2D": _depthwise_conv,
    "SeparableConv2D": _separable_conv,
    "BatchNormalization": _normalise,
    "Activation": lambda layer, inputs, _: _finish(inputs[0], layer, {}),
    "ReLU": _relu,
    "MaxPooling2D": _max_pool,
    "AveragePooling2D": _average_pool,
    "ZeroPadding2D": _zero_pad,
    "Add": _add,
    "Rescaling": _rescale,
    "Dropout": lambda _, inputs, __: inputs[0],
}
