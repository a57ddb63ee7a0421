"""What an evaluation holds, as its readers need it: the page, the text and the HTML file go by this and check no more.

A shape is a type; a set of words; a dict of what must be there; a list of one shape, for as many as there are; a tuple,
for just as many; `Maybe`; or `Each`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, get_args

from core.analysis.types import Verdict
from core.detector.spec import Thresholds
from core.errors import DetectorError
from core.evaluation.parts import ALL


@dataclass(frozen=True)
class Maybe:
    """Null, missing, or of this shape."""

    shape: Any


@dataclass(frozen=True)
class Each:
    """A dict whose values are all of this shape, under any names, those that are `needed` among them."""

    shape: Any
    needed: tuple[str, ...] = ()


NUMBER = int | float
SHARE = Maybe(NUMBER)
EDGES = Maybe((SHARE, SHARE))
AREA = {"auc": SHARE, "auc_95": EDGES}
WRONG = {"real_called_fake": SHARE, "fake_called_real": SHARE}
UNDECIDED = {"uncertain": SHARE, "no_face": int}
RANKED = {"eer": SHARE, "average_precision": SHARE, "accuracy": SHARE}
PART = {"real": int, "fake": int, "videos": int, **AREA, **WRONG, **UNDECIDED, **RANKED}
NAMED = {"name": str, "sha256": str}
CURVE = {key: [SHARE] for key in ("x", "y", "low", "high")}
CURVES = Maybe({"roc": CURVE, "pr": CURVE})
CALIBRATION_BIN = {"count": int, "predicted": NUMBER, "observed": NUMBER, "observed_95": EDGES}
CALIBRATION = {"ece": SHARE, "ece_95": EDGES, "ece_plain": SHARE, "brier": SHARE, "bins": [CALIBRATION_BIN]}
LEVEL = {"kind": str, "level": NUMBER, "label": str, "figures": Each({**AREA, **UNDECIDED, "loss": SHARE}, (ALL,))}
ROBUSTNESS = {"untouched": Each({"real": int, "fake": int, **AREA, **UNDECIDED}, (ALL,)), "levels": [LEVEL]}
TEST = {"difference_95": EDGES, "p": SHARE}
AREAS = dict.fromkeys(("auc", "other_auc", "difference"), NUMBER)
COMPARED = {"items": int, **AREAS, "delong": TEST, "bootstrap": TEST}
COMPARISON = {"other": NAMED, "figures": Each(COMPARED), "other_curves": Maybe(Each(CURVES))}
BIN = {
    "from": NUMBER,
    "to": NUMBER,
    "real": int,
    "fake": int,
    **AREA,
    **WRONG,
    **{f"{name}_95": EDGES for name in WRONG},
}
GATE = {"title": str, "in_use": NUMBER, "suggested": SHARE, "bins": [BIN]}
FAITHFULNESS = {
    "faces": int,
    **dict.fromkeys(("deletion", "insertion", "gain", "gain_error", "pointing", "overlap"), SHARE),
    **{key: [NUMBER] for key in ("deletion_curve", "insertion_curve")},
}
EXPLANATIONS = {
    **dict.fromkeys(("faces", "tried", "called_fake"), int),
    **dict.fromkeys(("layer", "default", "rule"), str),
    "methods": Each({"title": str, "seconds": SHARE, "agreement": Each(SHARE), **FAITHFULNESS}),
    "baselines": {"chance": FAITHFULNESS, "middle": FAITHFULNESS},
}
ITEMS = {
    **{key: [str] for key in ("source", "label")},
    **{key: [bool] for key in ("fake", "held", "video")},
    "verdict": [frozenset(get_args(Verdict))],
    "fake_probability": [SHARE],
    "path": Maybe([str]),
}
DOCUMENT = {
    "created": str,
    "seconds": NUMBER,
    "detector": {
        **NAMED,
        "engine": str,
        "precision": str,
        "thresholds": Each(NUMBER),
        "video_thresholds": Maybe(Each(NUMBER)),
    },
    "data": {"name": str, "split": str, "limit": SHARE},
    "figures": Each(PART, (ALL,)),
    "columns": Maybe(Each(Each({**PART, "against": Maybe(str)}))),
    "curves": Each(CURVES),
    "calibration": Each(Maybe(CALIBRATION)),
    "baseline": Maybe(Each(AREA)),
    "robustness": Maybe(ROBUSTNESS),
    "comparison": Maybe(COMPARISON),
    "gates": Maybe(Each(GATE)),
    "explanations": Maybe(EXPLANATIONS),
    "items": ITEMS,
    "notes": Maybe([str]),
    "unreadable": Maybe([{"reason": Maybe(str)}]),
}
"""Without what every document has and `checked` has looked at: its kind and schema version."""


def fault_in(document: Any) -> str | None:
    """Where a document is not as its readers need it, such as "figures.all.auc"; None where it is."""
    return next(_faults(document, DOCUMENT, ""), None) or next(_contradictions(document), None)


def moment_of(document: Any) -> float:
    """When it was measured, in seconds since 1970."""
    return datetime.fromisoformat(document["created"]).timestamp()


def _faults(value: Any, shape: Any, at: str) -> Iterator[str]:
    if isinstance(shape, Maybe):
        if value is not None:
            yield from _faults(value, shape.shape, at)
    elif not _fits(value, shape):
        yield at
    else:
        for name, item, inner in _inside(value, shape):
            yield from _faults(item, inner, f"{at}.{name}".lstrip("."))


def _fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, dict | Each):
        return isinstance(value, dict)
    if isinstance(shape, list | tuple):
        return isinstance(value, list) and (isinstance(shape, list) or len(value) == len(shape))
    if isinstance(shape, frozenset):
        return isinstance(value, str) and value in shape
    return isinstance(value, shape) and (shape is bool or not isinstance(value, bool))  # true is an int to Python


def _inside(value: Any, shape: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(shape, Each):
        yield from ((name, value.get(name), shape.shape) for name in dict.fromkeys([*shape.needed, *value]))
    elif isinstance(shape, dict):
        yield from ((name, value.get(name), inner) for name, inner in shape.items())
    elif isinstance(shape, list | tuple):
        inners = shape * len(value) if isinstance(shape, list) else shape
        yield from ((str(at), item, inner) for at, (item, inner) in enumerate(zip(value, inners, strict=True)))


def _contradictions(document: Any) -> Iterator[str]:
    """What each is as it should be, and yet does not fit together."""
    try:
        readable = 0 < moment_of(document) < 2**32
    except (ValueError, OverflowError):
        readable = False
    if not readable:
        yield "created"
    for name in ("thresholds", "video_thresholds"):  # the latter are younger than the first documents
        try:
            Thresholds(**(document["detector"].get(name) or {}))
        except (DetectorError, TypeError):
            yield f"detector.{name}"
    if len({len(column) for column in document["items"].values() if isinstance(column, list)}) != 1:
        yield "items"
    for measured in (document.get("explanations") or {"methods": {}})["methods"].values():
        if min(len(measured["deletion_curve"]), len(measured["insertion_curve"])) < 2:
            yield "explanations.methods"
