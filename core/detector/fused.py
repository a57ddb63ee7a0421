"""TensorFlow's fused kernels in training, where Keras takes a step in parts.

Keras 3 normalises a batch by half a dozen operations in float32, each a pass over the feature map; TensorFlow has one
kernel for it, in 16 bits too. And the gradient of a 1x1 convolution takes TensorFlow's processor kernels longer than
that of the same matrix product. The numbers are the same but for rounding (tests/detector/test_fused.py), and so are
the layers, their variables and what is saved: only how they are computed changes.
"""

from collections.abc import Callable
from types import MethodType
from typing import Any

import keras

LAYERS = keras.layers


def fuse(model: keras.Model) -> keras.Model:
    """The same network, computed by fused kernels; in place, and for as long as it lives: a file does not keep it.

    For processors: on a GPU, XLA fuses by itself. A backend other than TensorFlow is left as it is.
    """
    if keras.backend.backend() == "tensorflow":
        for layer in model.layers:
            call = _call_of(layer)
            if call is not None:
                layer.call = MethodType(call, layer)
    return model


def separable_is_plain(conv: keras.layers.SeparableConv2D) -> bool:
    """Whether it is 3×3, of stride 1, not dilated, keeps the size, and has no bias, activation or depth multiplier."""
    plain = conv.kernel_size == (3, 3) and conv.strides == (1, 1) and conv.padding == "same"
    alone = not conv.use_bias and conv.activation is keras.activations.linear
    return plain and alone and conv.depth_multiplier == 1 and conv.dilation_rate in (1, (1, 1))


def separable_conv(x: Any, depthwise: Any, pointwise: Any, bias: Any = None) -> Any:
    """A plain separable convolution of (n, h, w, c) features whose pointwise half is a matrix product.

    As a convolution of 1×1 the gradient of the pointwise kernel takes TensorFlow's CPU kernels four times as long.

    Args:
        x: Features.
        depthwise: (3, 3, c, 1).
        pointwise: (c, filters).
        bias: (filters,).
    """
    x = keras.ops.depthwise_conv(x, depthwise, padding="same", data_format="channels_last")
    height, width, channels = x.shape[1:]
    x = keras.ops.matmul(keras.ops.reshape(x, (-1, channels)), pointwise)
    if bias is not None:
        x = _add_bias(x, bias)
    return keras.ops.reshape(x, (-1, height, width, pointwise.shape[-1]))


def _add_bias(x: Any, bias: Any) -> Any:
    """`x + bias`; as an addition its gradient costs TensorFlow a tenth of a training step more."""
    if keras.backend.backend() != "tensorflow":
        return x + bias
    import tensorflow as tf

    return tf.nn.bias_add(x, keras.ops.cast(bias, x.dtype))


def _call_of(layer: keras.layers.Layer) -> Callable[..., Any] | None:
    if isinstance(layer, LAYERS.BatchNormalization):
        usual = layer.center and layer.scale and not layer.renorm and not layer.synchronized
        return _normalise if usual and layer.axis in (-1, 3) and layer.input.ndim == 4 else None
    if isinstance(layer, LAYERS.SeparableConv2D) and separable_is_plain(layer):
        return _convolve
    return None


def _normalise(self: Any, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
    import tensorflow as tf

    learns = bool(training and self.trainable)
    given = (tf.zeros([0]), tf.zeros([0])) if learns else (self.moving_mean, self.moving_variance)
    y, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
        x=inputs,
        scale=tf.convert_to_tensor(self.gamma),
        offset=tf.convert_to_tensor(self.beta),
        mean=tf.convert_to_tensor(given[0]),
        variance=tf.convert_to_tensor(given[1]),
        epsilon=self.epsilon,
        is_training=learns,
    )
    if learns:
        for kept, seen in ((self.moving_mean, mean), (self.moving_variance, variance)):
            kept.assign(kept * self.momentum + seen * (1 - self.momentum))
    return y


def _convolve(self: Any, inputs: Any) -> Any:
    return separable_conv(inputs, self.depthwise_kernel, keras.ops.reshape(self.pointwise_kernel, (-1, self.filters)))
