"""Grad-CAM++ (Chattopadhay et al., WACV 2018), by tf-keras-vis."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from core.explain.base import Maps, RelativeMethod, Request


class GradCamPlusPlus(RelativeMethod):
    """As Grad-CAM, but places of positive gradient weigh by higher derivatives of exp(log-odds)."""

    name, title = "grad_cam_plus_plus", "Grad-CAM++"
    note = "Relative: its weights grow with the exponential of the answer, so strengths of two faces do not compare."

    def parts(self, request: Request) -> Iterator[Maps]:
        from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus

        maps = GradcamPlusPlus(request.network.model)(
            request.network.score(request.target),
            request.pixels,
            penultimate_layer=request.layer.name,
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
        yield np.asarray(maps)
