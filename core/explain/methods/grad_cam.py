"""Grad-CAM (Selvaraju et al., ICCV 2017), by tf-keras-vis."""

from __future__ import annotations

from collections.abc import Iterator

from core.explain.base import LogitMethod, Maps, Request


class GradCam(LogitMethod):
    """The layer's channels, each weighted by the mean gradient of the log-odds; signed, so without the paper's ReLU.

    Multiplied by the number of places its mean is the channels' first-order contribution to the log-odds. On the last
    convolution, which is pooled and goes through one dense layer, that is exact: the map is the activation map.
    """

    name, title = "grad_cam", "Grad-CAM"
    signed = True
    note = "In logits. On the last convolution it is exact and equals the activation map; elsewhere an approximation."

    def parts(self, request: Request) -> Iterator[Maps]:
        from tf_keras_vis.gradcam import Gradcam

        maps = Gradcam(request.network.model)(
            request.network.score(request.target),
            request.pixels,
            penultimate_layer=request.layer.name,
            seek_penultimate_conv_layer=False,  # else it looks for a convolution of its own choice
            activation_modifier=None,
            expand_cam=False,
            normalize_cam=False,
        )
        yield maps * (request.layer.size_hw[0] * request.layer.size_hw[1])
