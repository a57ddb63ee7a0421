"""How much a detector loses when pictures are compressed, shrunk, blurred: the same pictures at each level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from core.evaluation.changes import KINDS, Change
from core.evaluation.comparison import edges_of
from core.evaluation.figures import figures_of, parts_of, rankable
from core.evaluation.scoring import Scored
from core.metrics import clustered, delong_test, paired_bootstrap

ROUNDS = 400
SHOWN = ("auc", "auc_95", "real_called_fake", "fake_called_real", "uncertain", "no_face")


def level_figures(clean: Sequence[Scored], changed: Sequence[Scored], change: Change) -> dict[str, Any]:
    """Figures at one level by source and pooled, and what it costs.

    Args:
        clean: What the detector said of the untouched pictures.
        changed: What it said of the same ones after the change, in the same order.
        change: Which it was.

    Returns:
        `kind`, `level`, `label`, and by part: AUC with its bootstrap interval, shares, and `loss`: AUC before minus
        AUC after on what has a face both times, with the 95 % interval of DeLong's paired comparison, or, where a group
        has several pictures, of the paired bootstrap by groups.
    """
    after = {one.sample.path: one for one in changed}
    found = {}
    for name, part in parts_of(clean).items():
        members = [after[one.sample.path] for one in part if one.sample.path in after]
        figures = figures_of(members, rounds=ROUNDS)
        found[name] = {key: figures[key] for key in SHOWN} | _loss(part, members)
    return {"kind": change.kind, "level": change.level, "label": change.label, "figures": found}


def untouched_figures(clean: Sequence[Scored]) -> dict[str, Any]:
    """The same figures of the same pictures as they are, by source and pooled."""
    every = {name: figures_of(part, rounds=ROUNDS) for name, part in parts_of(clean).items()}
    return {name: {key: figures[key] for key in ("real", "fake", *SHOWN)} for name, figures in every.items()}


def _loss(before: Sequence[Scored], after: Sequence[Scored]) -> dict[str, Any]:
    pairs = [(a, b) for a, b in zip(before, after, strict=True) if a.logit is not None and b.logit is not None]
    first, fake, groups = rankable([a for a, _ in pairs])
    second, _, _ = rankable([b for _, b in pairs])
    if min(fake.sum(), (~fake).sum()) < 2:
        return {"loss": None, "loss_95": None}
    if clustered(groups):
        difference = paired_bootstrap(first, second, fake, groups=groups, rounds=ROUNDS)
    else:
        difference = delong_test(first, second, fake)
    return {"loss": round(difference.difference, 4), "loss_95": edges_of(difference)}


def kinds_in(levels: Sequence[dict[str, Any]]) -> list[str]:
    """The kinds that were measured, in the order of `KINDS`."""
    there = {level["kind"] for level in levels}
    return [kind for kind in KINDS if kind in there]
