"""Why a face was judged as it was: drawn, and measured.

The methods stand in `core.explain.cam`, which is imported where it is needed: most need TensorFlow.
"""

from core.explain.overlay import (
    LEGEND,
    SCALE_LOGITS,
    add_legend,
    colour_bar,
    draw_boxes,
    draw_face,
    draw_overlay,
    face_words,
    in_picture,
)

__all__ = [
    "LEGEND",
    "SCALE_LOGITS",
    "add_legend",
    "colour_bar",
    "draw_boxes",
    "draw_face",
    "draw_overlay",
    "face_words",
    "in_picture",
]
