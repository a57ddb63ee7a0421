"""Two detectors on the same media: does one rank better, and could that be chance?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.evaluation.figures import parts_of, rankable
from core.evaluation.scoring import Scored
from core.metrics import Difference, delong_test, paired_bootstrap

LEAST = 2


def compare(first: Sequence[Scored], second: Sequence[Scored]) -> dict[str, dict[str, Any]]:
    """AUC of both by source and pooled, on what has a face for both, with DeLong's test and the paired bootstrap.

    Args:
        first: What one detector said.
        second: What the other said of the same samples, in the same order.

    Returns:
        By part; parts with fewer than two reals or fakes are left out.
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
            delong = delong_test(logits, others, fake)
            bootstrap = paired_bootstrap(logits, others, fake, groups=groups)
            found[name] = {
                "items": len(part),
                "auc": round(delong.first, 4),
                "other_auc": round(delong.second, 4),
                "difference": round(delong.difference, 4),
                "delong": _plain(delong),
                "bootstrap": _plain(bootstrap),
            }
    return found


def _plain(difference: Difference) -> dict[str, Any]:
    return {
        "difference_95": [round(difference.low, 4), round(difference.high, 4)],
        "p": float(f"{difference.p_value:.3g}"),
    }
