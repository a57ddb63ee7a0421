"""The mistakes worth looking at: wrong verdicts, the most confident first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def most_confident(items: Mapping[str, list[Any]], count: int, *, fake: bool | None = None) -> list[int]:
    """Where in the item columns they stand.

    Args:
        items: A document's `items`.
        count: At most so many.
        fake: Only fakes called real (True) or reals called fake (False); both when None.
    """
    wrong = [
        (abs(p - 0.5), at)
        for at, (p, is_fake, verdict) in enumerate(
            zip(items["fake_probability"], items["fake"], items["verdict"], strict=True)
        )
        if p is not None and verdict == ("real" if is_fake else "fake") and fake in (None, is_fake)
    ]
    return [at for _, at in sorted(wrong, key=lambda one: (-one[0], one[1]))[:count]]
