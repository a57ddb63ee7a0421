"""What no setting of a run takes away, taken away in this process; for benchmarks/recipe_run.py and benchmarks/gpu."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.data import augment, draw, marks
from core.faces.crop import middle, resize_crop

Crop = NDArray[np.uint8]
_SHARES = {
    "hide": (augment, "HIDDEN_SHARE"),
    "films": (augment, "FILMED_SHARE"),
    "turns": (augment, "TURNED_SHARE"),
    "marks": (marks, "MARKED_SHARE"),
}
_usual: dict[str, Any] = {"augment": draw.augment, "degrade": augment.degrade, "balance": draw.SOURCE_BALANCE} | {
    name: getattr(*place) for name, place in _SHARES.items()
}


def take_away(name: str) -> None:
    """Takes one thing away, and puts the others back; "" puts all back.

    Args:
        name: "degrade" (no smaller, softer or recompressed copies), "augment" (nothing at all is changed), "balance"
            (sources are drawn as often as they have pictures), "hide" (no part of a face is painted over), "films" (no
            copy goes through H.264), "turns" (none leans) or "marks" (no lines, words or screens lie over any). Any
            other takes nothing of the drawing away.
    """
    draw.augment = _plain if name == "augment" else _usual["augment"]
    augment.degrade = _undegraded if name == "degrade" else _usual["degrade"]
    draw.SOURCE_BALANCE = 1.0 if name == "balance" else _usual["balance"]
    for other, (module, share) in _SHARES.items():
        setattr(module, share, 0.0 if name == other else _usual[other])


def _plain(crop: Crop, size: int, rng: Any) -> Crop:
    return resize_crop(middle(crop, augment.MEAN_PART), size)


def _undegraded(crop: Crop, size: int, rng: Any) -> Crop:
    return np.ascontiguousarray(crop)
