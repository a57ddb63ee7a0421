"""What no setting of a run takes away, taken away in this process; for benchmarks/recipe_run.py and benchmarks/gpu."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data import augment, draw
from core.faces.crop import middle, resize_crop

Crop = NDArray[np.uint8]
_usual = {
    "augment": draw.augment,
    "degrade": augment.degrade,
    "balance": draw.SOURCE_BALANCE,
    "hide": augment.HIDDEN_SHARE,
    "films": augment.FILMED_SHARE,
    "turns": augment.TURNED_SHARE,
}


def take_away(name: str) -> None:
    """Takes one thing away, and puts the others back; "" puts all back.

    Args:
        name: "degrade" (no smaller, softer or recompressed copies), "augment" (nothing at all is changed), "balance"
            (sources are drawn as often as they have pictures), "hide" (no part of a face is painted over), "films" (no
            copy goes through H.264) or "turns" (none leans). Any other takes nothing of the drawing away.
    """
    draw.augment = _plain if name == "augment" else _usual["augment"]
    augment.degrade = _undegraded if name == "degrade" else _usual["degrade"]
    augment.HIDDEN_SHARE = 0.0 if name == "hide" else _usual["hide"]
    augment.FILMED_SHARE = 0.0 if name == "films" else _usual["films"]
    augment.TURNED_SHARE = 0.0 if name == "turns" else _usual["turns"]
    draw.SOURCE_BALANCE = 1.0 if name == "balance" else _usual["balance"]


def _plain(crop: Crop, size: int, rng: Any) -> Crop:
    return resize_crop(middle(crop, augment.MEAN_PART), size)


def _undegraded(crop: Crop, size: int, rng: Any) -> Crop:
    return np.ascontiguousarray(crop)
