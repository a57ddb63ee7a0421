"""Reports to JSON plus arrays and back, exactly: what the history keeps.

`Report.to_dict()` is for people and programs outside and rounds its figures; this is for ourselves and loses nothing.
Arrays (landmarks, activation maps) leave the JSON: those of one dtype and shape are stacked into one array, since a
video has tens of thousands of small ones, and the JSON holds {"$array": [stack, row]} in their place.
"""

import dataclasses
import json
import logging
import types
import typing
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, cast

import numpy as np
from numpy.typing import NDArray

from core.analysis.types import ImageReport, VideoReport

FORMAT = 1
ARRAY = "$array"
KINDS: dict[str, type[ImageReport] | type[VideoReport]] = {"image": ImageReport, "video": VideoReport}

Arrays = Mapping[str, NDArray[Any]]
log = logging.getLogger(__name__)


def write_report(folder: Path, report: ImageReport | VideoReport) -> None:
    """Write `report.json` and `arrays.npz` into `folder`, which is made when it is missing."""
    document, arrays = dump_report(report)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(json.dumps(document, separators=(",", ":")))
    np.savez(folder / "arrays.npz", allow_pickle=False, **arrays)


def read_report(folder: Path) -> ImageReport | VideoReport | None:
    """Read what `write_report` wrote; None when nothing is there or it is damaged. Nothing is ever unpickled."""
    try:
        document = json.loads((folder / "report.json").read_bytes())
        # Opened here, for numpy leaves its own file open when the zip is damaged.
        with (folder / "arrays.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as arrays:
            return load_report(document, dict(arrays))
    except FileNotFoundError:
        return None
    except Exception as error:  # noqa: BLE001  a damaged zip raises almost anything, and all of it means the same
        log.warning("the report in %s cannot be read and is left aside: %r", folder, error)
        return None


def dump_report(report: ImageReport | VideoReport) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Take a report apart.

    Returns:
        The part for `json.dump`, and the arrays for `numpy.savez`, by names that are valid there.
    """
    kind = next((kind for kind, cls in KINDS.items() if type(report) is cls), None)
    if kind is None:
        raise TypeError(f"report must be an ImageReport or a VideoReport, got {type(report).__name__}")
    stacks: dict[str, list[NDArray[Any]]] = {}
    document = {"format": FORMAT, "kind": kind, "report": _encode(report, stacks)}
    return document, {name: np.stack(rows) for name, rows in stacks.items()}


def load_report(document: Any, arrays: Arrays) -> ImageReport | VideoReport:
    """Put a report together again; equal to the dumped one in every field, arrays included.

    Raises:
        ValueError: The document is not one of this format, or an array is missing. Fields that it lacks take their
            defaults, fields that are unknown here are left out.
    """
    try:
        if document["format"] != FORMAT:
            raise ValueError(f"report format {document['format']!r} is not {FORMAT}")
        return cast("ImageReport | VideoReport", _decode(document["report"], KINDS[document["kind"]], arrays))
    except (KeyError, IndexError, TypeError, AttributeError) as error:
        raise ValueError(f"not a report: {error!r}") from error


def _encode(value: Any, stacks: dict[str, list[NDArray[Any]]]) -> Any:
    if isinstance(value, np.ndarray):
        name = "_".join([value.dtype.name, *map(str, value.shape)])
        rows = stacks.setdefault(name, [])
        rows.append(value)
        return {ARRAY: [name, len(rows) - 1]}
    if isinstance(value, np.generic):
        return value.item()
    if dataclasses.is_dataclass(value):
        return {field.name: _encode(getattr(value, field.name), stacks) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: _encode(item, stacks) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_encode(item, stacks) for item in value]
    return value


def _decode(value: Any, hint: Any, arrays: Arrays) -> Any:
    if value is None:
        return None
    if isinstance(value, dict) and ARRAY in value:
        name, row = value[ARRAY]
        return arrays[name][row]
    hint = _without_none(hint)
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if dataclasses.is_dataclass(hint):
        return _decode_dataclass(value, cast(type, hint), arrays)
    if origin is tuple:
        inner = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
        return tuple(_decode(item, item_hint, arrays) for item, item_hint in zip(value, inner, strict=True))
    if origin is dict:
        return {key: _decode(item, arguments[1], arrays) for key, item in value.items()}
    return _checked(value, hint)


def _decode_dataclass(value: dict[str, Any], cls: type, arrays: Arrays) -> Any:
    known = {name: hint for name, hint in _field_hints(cls).items() if name in value}
    return cls(**{name: _decode(value[name], hint, arrays) for name, hint in known.items()})


def _checked(value: Any, hint: Any) -> Any:
    """A plain value, as the type that its field promises: the file may have been edited or damaged."""
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if typing.get_origin(hint) is Literal:
        allowed = value in typing.get_args(hint)
    else:
        allowed = not isinstance(hint, type) or type(value) is hint
    if not allowed:
        raise ValueError(f"{value!r} is not of type {hint}")
    return value


def _without_none(hint: Any) -> Any:
    if typing.get_origin(hint) in (Union, types.UnionType):
        others = [argument for argument in typing.get_args(hint) if argument is not types.NoneType]
        return others[0] if len(others) == 1 else hint
    return hint


@cache
def _field_hints(cls: type) -> dict[str, Any]:
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls) if field.init}
