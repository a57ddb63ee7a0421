"""How heatmaps are spoken of."""

from core.explain.base import Method
from core.explain.network import MapLayer
from pages.components.text import class_words


def why(target: str) -> str:
    """ "Why fake", "Why real", or "Why FaceSwap" for a kind of fake."""
    return f"Why {class_words(target)}"


def direction_words(method: Method, target: str) -> str:
    return why(target).lower() if method.directed else "no direction"


def layer_words(layer: MapLayer) -> str:
    return f"{layer.name} · {layer.size_hw[0]} × {layer.size_hw[1]}"


def bar_words(method: Method, target: str) -> str:
    """What the two ends of the colour bar mean."""
    if method.unit == "relative":
        return "From nothing to this map's own maximum: strengths of two maps do not compare."
    if method.signed:
        return f"From −{method.scale:g} (against {target}) to +{method.scale:g} logits (for {target})."
    return f"From 0 to {method.scale:g} logits (for {target})."
