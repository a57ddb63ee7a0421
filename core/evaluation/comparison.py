"""Two detectors on the same media: does one rank better, and could that be chance?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from core.evaluation.figures import parts_of, rankable
from core.evaluation.scoring import Scored
from core.metrics import Difference, clustered, delong_test, paired_bootstrap

LEAST = 2


def compare(first: Sequence[Scored], second: Sequence[Scored]) -> dict[str, dict[str, Any]]:
    """AUC of both by source and pooled, on what has a face for both, with DeLong's test and the paired bootstrap.

    Args:
        first: What one detector said.
        second: What the other said of the same samples, in the same order.

    Returns:
        By part; parts with fewer than two reals or fakes are left out. Where a group has several items, DeLong's test,
        which takes them for independent, would find differences that are none: its interval and p-value are None, and
        the bootstrap, which draws whole groups, is what counts. None is what neither can know, too.
    """
    if [one.sample for one in first] != [one.sample for one in second]:
        raise ValueError("both detectors must have judged the same samples in the same order")
    pairs = {id(one): other for one, other in zip(first, second, strict=True)}
    both = [one for one in first if one.logit is not None and pairs[id(one)].logit is not None]
    found = {}
    for name, part in parts_of(both).items():
        logits, fake, groups = rankable(part)
        others, _, _ = rankable([pairs[id(one)] for one in part])
        if min(fake.sum(), (~fake).sum()) >= LEAST:
            bootstrap = paired_bootstrap(logits, others, fake, groups=groups)
            delong = None if clustered(groups) else delong_test(logits, others, fake)
            found[name] = {
                "items": len(part),
                "auc": round(bootstrap.first, 4),
                "other_auc": round(bootstrap.second, 4),
                "difference": round(bootstrap.difference, 4),
                "delong": _plain(delong),
                "bootstrap": _plain(bootstrap),
            }
    return found


def _plain(difference: Difference | None) -> dict[str, Any]:
    if difference is None:
        return {"difference_95": [None, None], "p": None}
    p = None if math.isnan(difference.p_value) else float(f"{difference.p_value:.3g}")
    return {"difference_95": edges_of(difference), "p": p}


def edges_of(difference: Difference) -> list[float | None]:
    """The interval with four digits; None where it is not known."""
    return [None if math.isnan(edge) else round(edge, 4) for edge in (difference.low, difference.high)]
