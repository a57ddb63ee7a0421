"""Why a face was judged as it was: drawn."""

from core.explain.overlay import SCALE_LOGITS, add_legend, draw_boxes, draw_overlay, face_words

__all__ = ["SCALE_LOGITS", "add_legend", "draw_boxes", "draw_overlay", "face_words"]
