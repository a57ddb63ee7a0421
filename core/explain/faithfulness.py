"""Whether a heatmap shows what the answer rests on: curves, known masks, and networks with shuffled weights.

Deletion and insertion after RISE (Petsiuk et al., BMVC 2018), the pointing game after Zhang et al. (IJCV 2018),
cascading randomisation after Adebayo et al. (NeurIPS 2018).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.detector.loading import import_keras
from core.explain.network import ExplainedNetwork
from core.explain.overlay import at_size
from core.explain.what_if import Rgb, blurred

Map = NDArray[np.float32]
Judge = Callable[[NDArray[np.uint8]], NDArray[np.floating]]
STEPS = 16
IN_MASK = 0.5
"""A pixel belongs to a soft mask from this share of the mask's maximum on."""
COMPARED_SIDE = 24
"""Maps are compared at this size, whatever theirs."""
STAGES: tuple[tuple[str, float], ...] = (("head", 0.0), ("half", 0.5), ("all", 1.0))
"""Share of the layers, from the head down, whose weights are shuffled; the head alone is the first."""


def perturbation_curves(crop: Rgb, heat: Map, judge: Judge, steps: int = STEPS) -> tuple[Map, Map]:
    """What becomes of an answer while a face is blurred away, and while it comes back.

    Args:
        crop: uint8 (s, s, 3).
        heat: (h, w): the largest values go, and come, first.
        judge: Crops (n, s, s, 3) to the probability of what is explained, 0..1.
        steps: Into how many equal shares of the pixels the crop is divided.

    Returns:
        Deletion and insertion, (steps + 1,) each: probabilities while 0, 1/steps … 1 of the pixels are blurred, and
        while they are sharp again. A good map makes the first fall and the second rise at once.
    """
    fill, order = blurred(crop), _ranks(at_size(heat, *crop.shape[:2]))
    limits = np.linspace(0, order.size, steps + 1)
    deleted = [np.where((order < limit)[..., None], fill, crop) for limit in limits]
    inserted = [np.where((order < limit)[..., None], crop, fill) for limit in limits]
    answers = np.asarray(judge(np.stack(deleted + inserted)), np.float32)
    return answers[: steps + 1], answers[steps + 1 :]


def area(curve: Map) -> float:
    """Area under a curve over 0..1, by trapezia."""
    return float(np.trapezoid(curve, dx=1 / (len(curve) - 1)))


def points_into(heat: Map, mask: Map) -> bool:
    """The pointing game: whether the strongest place of a map lies in the mask, float (H, W)."""
    inside = in_mask(mask)
    stretched = at_size(heat, *mask.shape)
    return bool(inside.flat[int(stretched.argmax())])


def overlap(heat: Map, mask: Map) -> float:
    """Intersection over union of the mask and as many of the map's strongest pixels as the mask has."""
    inside = in_mask(mask)
    chosen = _ranks(at_size(heat, *mask.shape)) < inside.sum()
    union = (inside | chosen).sum()
    return float((inside & chosen).sum() / union) if union else 0.0


def in_mask(mask: Map) -> NDArray[np.bool_]:
    """Where a soft mask counts as inside."""
    strongest = float(mask.max())
    return mask >= IN_MASK * strongest if strongest > 0 else np.zeros(mask.shape, np.bool_)


def agreement(heat: Map, other: Map) -> float:
    """Rank correlation (Spearman) of two maps of the same crop, at one size; 0 where one of them is flat."""
    first, second = (_ranks(_small(one)).ravel().astype(np.float64) for one in (heat, other))
    if min(float(np.ptp(_small(one))) for one in (heat, other)) == 0:
        return 0.0
    return float(np.corrcoef(first, second)[0, 1])


def randomised(network: ExplainedNetwork, seed: int = 0) -> Iterator[tuple[str, ExplainedNetwork]]:
    """The same network with more and more of its weights shuffled, from the head down: a name of each stage, and it.

    Kernels are shuffled in themselves, so that the spread of their values stays. What explains the network must change
    with it; a map that stays shows the picture's edges, and not what was learnt. It is one network that is shuffled
    further at each step: be done with a stage before asking for the next.
    """
    keras, rng = import_keras(), np.random.default_rng(seed)
    clone = keras.models.clone_model(network.model)
    clone.set_weights(network.model.get_weights())
    copy = ExplainedNetwork(clone, network.spec, network.features)
    layers = [layer for layer in reversed(clone.layers) if any(len(w.shape) > 1 for w in layer.weights)]
    done = 0
    for name, share in STAGES:
        until = max(1, round(share * len(layers)))
        for layer in layers[done:until]:
            layer.set_weights([_shuffled(array, rng) for array in layer.get_weights()])
        done = until
        yield name, copy


def _shuffled(array: Any, rng: np.random.Generator) -> Any:
    return rng.permutation(array.ravel()).reshape(array.shape) if array.ndim > 1 else array


def _small(heat: Map) -> Map:
    if max(heat.shape) > COMPARED_SIDE:
        return np.asarray(cv2.resize(heat, (COMPARED_SIDE, COMPARED_SIDE), interpolation=cv2.INTER_AREA), np.float32)
    return at_size(heat, COMPARED_SIDE, COMPARED_SIDE)


def _ranks(heat: Map) -> NDArray[np.intp]:
    """Each pixel's place when sorted, the largest first; pixels of equal value in an order drawn by chance."""
    chance = np.random.default_rng(0).random(heat.size)
    order = np.lexsort((chance, -heat.ravel()))
    ranks = np.empty(heat.size, np.intp)
    ranks[order] = np.arange(heat.size)
    return ranks.reshape(heat.shape)
