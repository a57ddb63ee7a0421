"""All methods of explanation by name, the quick ones first.

Every one takes any layer with rows and columns by name (those that are drawn from one), "why fake", "why real" and each
class of a detector with several; see `core.explain.base.Method`.
"""

from __future__ import annotations

from core.explain.base import Method
from core.explain.methods.activation_map import ActivationMap
from core.explain.methods.grad_cam import GradCam
from core.explain.methods.grad_cam_plus_plus import GradCamPlusPlus
from core.explain.methods.layer_cam import LayerCam
from core.explain.methods.saliency import SmoothGrad, VanillaSaliency
from core.explain.methods.score_cam import FasterScoreCam, ScoreCam

METHODS: dict[str, Method] = {
    method.name: method
    for method in (
        ActivationMap(),
        GradCam(),
        GradCamPlusPlus(),
        LayerCam(),
        VanillaSaliency(),
        FasterScoreCam(),
        SmoothGrad(),
        ScoreCam(),
    )
}
DEFAULT_METHOD = "activation_map"
"""Where no measured table says otherwise; see `core.evaluation.explanations.default_method`."""


def find_method(name: str) -> Method:
    """The method of this name.

    Raises:
        ValueError: There is none.
    """
    if name not in METHODS:
        raise ValueError(f"method must be one of {', '.join(METHODS)}, got {name!r}")
    return METHODS[name]
