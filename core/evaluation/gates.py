"""Where a detector errs: by size, sharpness, turn, light and noise of the face; and the limits that this asks for.

Research pictures are mostly large, sharp, bright and clean, so smaller, blurred, darker and noisy copies of them are
judged as well, and frames of films made of them; how far heads are turned is taken as it comes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.analysis.types import Quality
from core.analysis.verdict import verdict_of
from core.detector.spec import DetectorSpec, QualityGates, Thresholds
from core.evaluation.changes import Change
from core.evaluation.figures import rankable
from core.evaluation.scoring import Scored
from core.metrics import auc_interval, roc_auc, wilson_interval

MAX_ERROR = 0.05
LEAST_AUC = 0.75
"""A bin whose AUC is surely lower ranks hardly better than chance: a verdict there would be luck."""
LEAST = 20
"""Faces of each class that a bin must hold before it says anything."""


@dataclass(frozen=True)
class Gate:
    """One of the limits in `QualityGates`.

    Attributes:
        limit: Its field there.
        figure: The field of `Quality` that it looks at.
        title: For people.
        edges: Of the bins, rising.
        copies: Changes whose copies fill the bins that research pictures leave empty.
        film: Faces of films alone have the figure, and are judged by the limits of films.
    """

    limit: str
    figure: str
    title: str
    edges: tuple[float, ...]
    copies: tuple[Change, ...] = ()
    film: bool = False

    @property
    def from_above(self) -> bool:
        """Whether large figures are the bad ones."""
        return self.limit.startswith("max")


GATES = (
    Gate(
        "min_face_px",
        "face_px",
        "Face height, pixels",
        (0, 16, 24, 32, 40, 56, 80, 120, 200, 100_000),
        tuple(Change("downscale", factor) for factor in (0.5, 0.25, 0.18, 0.12, 0.09)),
    ),
    Gate(
        "min_sharpness",
        "sharpness",
        "Sharpness",
        (0, 1, 2, 3, 4, 6, 9, 14, 22, 1_000),
        tuple(Change("blur", kernel) for kernel in (7, 13, 21, 31, 45)),
    ),
    Gate("max_turn", "turn", "Turn of the head, 0 frontal to 1 profile", (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 1.01)),
    Gate(
        "min_brightness",
        "brightness",
        "Brightness, 0 to 255",
        (0, 10, 20, 30, 40, 60, 90, 130, 256),
        tuple(Change("brightness", factor) for factor in (0.5, 0.3, 0.2, 0.1)),
    ),
    Gate(
        "max_noise",
        "noise",
        "Noise, grey levels",
        (0, 1, 2, 3, 4, 6, 8, 10, 12, 16, 256),
        tuple(Change("noise", variance) for variance in (0.001, 0.005, 0.01, 0.02, 0.05)),
    ),
    Gate(
        "max_quantiser",
        "quantiser",
        "Quantiser of films (QP), 0 to 51",
        (0, 27, 30, 32, 34, 36, 38, 41, 44, 52),
        tuple(Change("h264", rate_factor, film=True) for rate_factor in (24, 30, 33, 36, 38, 40, 43)),
        film=True,
    ),
)


def gate_figures(clean: Sequence[Scored], copies: Mapping[str, Sequence[Scored]], spec: DetectorSpec) -> dict[str, Any]:
    """For each gate: figures by bin, those on both sides of the limit in use, and the limit that the bins ask for.

    Args:
        clean: What the detector said of the pictures.
        copies: What it said of changed copies, by `Change.key`.
        spec: Thresholds and limits in use.
    """
    return {
        gate.limit: _one_gate(
            gate, [*clean, *(one for change in gate.copies for one in copies.get(change.key, ()))], spec
        )
        for gate in GATES
    }


def gate_copies() -> list[Change]:
    """All changes whose copies are judged."""
    return [change for gate in GATES for change in gate.copies]


def suggested_gates(figures: dict[str, Any], gates: QualityGates) -> QualityGates:
    """The gates with every limit that the figures ask for; the others as they were."""
    return replace(gates, **{name: one["suggested"] for name, one in figures.items() if one["suggested"] is not None})


def asked(gate: Mapping[str, Any]) -> str:
    """The limit that the bins of a measured gate ask for, in words: "40", "none", or "too few faces to tell"."""
    if gate["suggested"] is not None:
        return f"{gate['suggested']:g}"
    told = any(min(one["real"], one["fake"]) >= LEAST for one in gate["bins"])
    return "none" if told else "too few faces to tell"


def _one_gate(gate: Gate, scored: Sequence[Scored], spec: DetectorSpec) -> dict[str, Any]:
    judged = [(value, one) for one in scored if one.quality and (value := _value(one.quality, gate)) is not None]
    thresholds = spec.limits(video=gate.film)
    bins = []
    for low, high in zip(gate.edges, gate.edges[1:], strict=False):
        part = [one for value, one in judged if low <= value < high]
        bins.append({"from": low, "to": high, **_errors(part, thresholds)})
    in_use, suggested = float(getattr(spec.gates, gate.limit)), _suggest(gate, bins)
    return {
        "title": gate.title,
        "bins": bins,
        "in_use": in_use,
        "suggested": suggested,
        "at_limit_in_use": _sides(gate, judged, in_use, thresholds),
        "at_suggested": None if suggested is None else _sides(gate, judged, suggested, thresholds),
    }


def _value(quality: Quality, gate: Gate) -> float | None:
    value: float | None = getattr(quality, gate.figure)
    return value


def _errors(part: Sequence[Scored], thresholds: Thresholds) -> dict[str, Any]:
    """Counts, AUC and shares of wrong verdicts if no gate stood in the way."""
    logits, fake, groups = rankable(part)
    both = bool(fake.any() and not fake.all())
    verdicts = [verdict_of(one.fake_probability or 0.0, thresholds) for one in part]
    wrong_reals = sum(v == "fake" and not f for v, f in zip(verdicts, fake, strict=True))
    wrong_fakes = sum(v == "real" and bool(f) for v, f in zip(verdicts, fake, strict=True))
    reals, fakes = int((~fake).sum()), int(fake.sum())
    return {
        "real": reals,
        "fake": fakes,
        "auc": round(roc_auc(logits, fake), 4) if both else None,
        "auc_95": [round(edge, 4) for edge in auc_interval(logits, fake, groups=groups, rounds=300)] if both else None,
        "real_called_fake": round(wrong_reals / reals, 4) if reals else None,
        "real_called_fake_95": [round(edge, 4) for edge in wilson_interval(wrong_reals, reals)],
        "fake_called_real": round(wrong_fakes / fakes, 4) if fakes else None,
        "fake_called_real_95": [round(edge, 4) for edge in wilson_interval(wrong_fakes, fakes)],
    }


def _sides(gate: Gate, judged: Sequence[tuple[float, Scored]], limit: float, thresholds: Thresholds) -> dict[str, Any]:
    bad = [(value > limit) if gate.from_above else (value < limit) for value, _ in judged]
    return {
        name: _errors([one for (_, one), out in zip(judged, bad, strict=True) if out == held], thresholds)
        for name, held in (("held_back", True), ("judged", False))
    }


def _suggest(gate: Gate, bins: Sequence[dict[str, Any]]) -> float | None:
    """The limit up to which a verdict cannot be relied on, None where it can everywhere.

    From the bad end on: a bin breaks the promise when even the lower end of the 95 % interval of one class's errors
    lies above the share that the thresholds were chosen for, or when even the upper end of that of its AUC lies below
    0.75. The first bin that keeps it, by the lower end of its AUC as well, ends the search. Bins too small or too
    uncertain to tell go with what comes after them.
    """
    limit = None
    for one in reversed(bins) if gate.from_above else bins:
        if min(one["real"], one["fake"]) < LEAST:
            continue
        errs = max(one["real_called_fake_95"][0], one["fake_called_real_95"][0]) > MAX_ERROR
        low, high = one["auc_95"]
        if errs or high < LEAST_AUC:
            limit = one["from"] if gate.from_above else one["to"]
        elif low >= LEAST_AUC or one["auc"] == 1:  # without an error there is no interval, nor with a few groups alone
            break
    return limit
