"""LayerCAM (Jiang et al., TIP 2021), by tf-keras-vis."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.explain.base import LogitMethod, Maps, Request


class LayerCam(LogitMethod):
    """Each value of the layer times its own positive gradient, added up over the channels.

    Multiplied by the number of places its mean is what speaks for the target, to first order; what speaks against it
    is left out, so that a clean face is not calm: the scale is wider for that, and still the same on every face.
    """

    name, title = "layer_cam", "LayerCAM"
    scale = 3 * LogitMethod.scale
    note = "In logits, but only what speaks for the answer: what speaks against it is not set off, so no face is calm."

    def parts(self, request: Request) -> Iterator[Maps]:
        from tf_keras_vis.layercam import Layercam

        maps = Layercam(request.network.model)(
            request.network.score(request.target),
            request.pixels,
            penultimate_layer=request.layer.name,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        yield np.asarray(maps) * (request.layer.size_hw[0] * request.layer.size_hw[1])
