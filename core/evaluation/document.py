"""An evaluation as one JSON document: what pages, HTML files, model cards and other programs read.

    schema_version, kind      1, "deepfake-evaluation"
    created, seconds          when (UTC), and how long it took
    detector                  name, sha256, engine, precision, input_size, crop_scale, calibration, thresholds,
                              video_calibration, video_thresholds, gates
    data                      name, split, limit, folders
    figures                   by part ("all" and each source): counts, areas with intervals, shares
    columns                   by further column of the manifest, by value: the same
    curves                    by part: roc and pr as x, y, low, high
    calibration               by part: ece, ece_95, ece_plain, rms, brier, bins
    baseline                  by source: what the spectrum alone reaches; {} if not asked for
    robustness                untouched and levels, each with figures by part; null if not asked for
    comparison                the other detector and figures by part; null if not asked for
    gates                     by limit; null if not asked for
    explanations              see `core.evaluation.explanations`; null if not asked for
    items                     columns of equal length, one entry for each picture or video that could be read
    unreadable                path and reason of those that could not
    notes                     sentences on what was chosen or left out; documents made before there were any lack it

Figures that cannot be known (an AUC without reals) are null.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from core.analysis.verdict import failed_gates, verdict_of
from core.errors import DataError
from core.evaluation.scoring import Scored
from core.evaluation.selection import GROUP
from core.evaluation.shape import fault_in

if TYPE_CHECKING:
    from core.detector.engine import Detector

SCHEMA_VERSION = 1
KIND = "deepfake-evaluation"
NO_NAME = "labelled media"
Document = dict[str, Any]


def describe_detector(detector: Detector) -> dict[str, Any]:
    """What of a detector its figures depend on."""
    spec = detector.spec.to_dict()
    return {
        "name": detector.name,
        "sha256": detector.sha256,
        "engine": detector.engine,
        "precision": detector.precision,
        "input_size": spec["input_size"],
        "crop_scale": spec["crop"]["scale"],
        **{name: spec[name] for name in ("calibration", "thresholds", "gates")},
        "video_calibration": asdict(detector.spec.calibration_for(video=True)),
        "video_thresholds": asdict(detector.spec.limits(video=True)),
    }


def item_columns(scored: Sequence[Scored], detector: Detector) -> dict[str, list[Any]]:
    """One entry for each item in each list; `held` is true where a quality gate keeps it uncertain."""
    return {
        "path": [str(one.sample.path) for one in scored],
        "source": [one.sample.source for one in scored],
        "label": [one.sample.label for one in scored],
        "fake": [one.sample.fake for one in scored],
        "verdict": [one.verdict for one in scored],
        # not rounded: a limit is set a hair above some real face's, which would come to lie on its other side
        "fake_probability": [one.fake_probability for one in scored],
        "logit": [_short(one.logit) for one in scored],
        "held": [_held(one, detector) for one in scored],
        "video": [one.video for one in scored],
    }


def _held(one: Scored, detector: Detector) -> bool:
    if one.quality is not None:
        return bool(failed_gates(one.quality, detector.spec.gates))
    if one.fake_probability is None:
        return False
    said = verdict_of(one.fake_probability, detector.spec.limits(video=one.video))
    return one.verdict == "uncertain" and said != "uncertain"


def _short(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def stamped(parts: Mapping[str, Any], seconds: float) -> Document:
    """The parts with their head; numbers that are none become null."""
    created = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    head = {"schema_version": SCHEMA_VERSION, "kind": KIND, "created": created, "seconds": round(seconds, 1)}
    document: Document = plain({**head, **parts})
    return document


def plain(value: Any) -> Any:
    """The same with Python's own types, and null for what is not a number."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_json(document: Document, *, indent: int | None = None) -> str:
    """As a file holds it."""
    separators = None if indent else (",", ":")
    return json.dumps(document, indent=indent, ensure_ascii=False, allow_nan=False, separators=separators) + "\n"


def anonymous(document: Document) -> Document:
    """Without names of files, folders and groups, and reasons that name files: what may be shipped with a detector.

    The values of other columns of a manifest stay: figures stand by them.
    """
    items = {name: column for name, column in document["items"].items() if name != "path"}
    data = {key: value for key, value in document["data"].items() if key != "folders"} | {"name": NO_NAME}
    columns = {name: figures for name, figures in document["columns"].items() if name != GROUP}
    return {**document, "items": items, "data": data, "columns": columns, "unreadable": []}


def read_document(path: Path) -> Document:
    """A document from disk.

    Raises:
        DataError: It cannot be read, or is no evaluation that this program knows.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path.name} cannot be read ({error.strerror}): check the path.") from error
    return parse_document(data, path.name)


def parse_document(data: bytes, name: str) -> Document:
    """A document from a file's bytes; `name` is the file's.

    Raises:
        DataError: It is no evaluation that this program knows.
    """
    try:
        document = json.loads(data, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name} is not valid JSON: measure again, or take the original file.") from error
    return checked(document, name)


def _finite(text: str) -> float:
    """NaN and what is too large for a float are no JSON, and could not be stored again."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(text)
    return value


def checked(document: Any, name: str) -> Document:
    """The document if it is one, whole.

    Raises:
        DataError: It is not, is damaged, or of a newer kind.
    """
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise DataError(f"{name} is no evaluation: take a file that evaluate.py --json or the Evaluation page wrote.")
    if document.get("schema_version") != SCHEMA_VERSION:
        raise DataError(
            f"{name} is an evaluation of schema version {document.get('schema_version')}, and this program reads "
            f"{SCHEMA_VERSION}: update the program, or measure again."
        )
    if fault := fault_in(document):
        raise DataError(f"{name} is damaged at {fault[:60]}: measure again, or take the original file.")
    return document
