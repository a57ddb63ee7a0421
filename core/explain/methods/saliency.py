"""Vanilla saliency (Simonyan et al. 2013) and SmoothGrad (Smilkov et al. 2017), by tf-keras-vis."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.explain.base import Maps, RelativeMethod, Request
from core.explain.network import ExplainedNetwork, MapLayer


def gradients(request: Request, pixels: NDArray[np.float32]) -> Any:
    """Size of the log-odds' gradient at each pixel, the largest of the three colours; (n, s, s)."""
    from tf_keras_vis.saliency import Saliency

    return Saliency(request.network.model)(request.network.score(request.target), pixels, normalize_map=False)


class VanillaSaliency(RelativeMethod):
    """How much the log-odds change with each pixel."""

    name, title = "saliency", "Saliency"
    directed = layered = False
    note = "Relative, and without a direction: where small changes matter, be it for fake or for real."

    def parts(self, request: Request) -> Iterator[Maps]:
        yield gradients(request, request.pixels)


class SmoothGrad(RelativeMethod):
    """Saliency, averaged over noisy copies of the face; the noise is the same each time.

    The noise is added here and not by tf-keras-vis, which tells nothing until all copies are done.
    """

    name, title = "smooth_grad", "SmoothGrad"
    directed = layered = False
    slow = True
    samples, noise = 12, 0.2
    note = "Relative, and without a direction: saliency averaged over twelve noisy copies of the face."

    def count(self, network: ExplainedNetwork, layer: MapLayer) -> int:
        return self.samples

    def parts(self, request: Request) -> Iterator[Maps]:
        rng, pixels = np.random.default_rng(0), request.pixels
        spread = self.noise * (pixels.max(axis=(1, 2, 3), keepdims=True) - pixels.min(axis=(1, 2, 3), keepdims=True))
        for _ in range(self.samples):
            grain = rng.normal(size=pixels.shape[1:]).astype(np.float32)  # the same for each face of a batch
            yield gradients(request, pixels + spread * grain) / self.samples
