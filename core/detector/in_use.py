"""Which detector this machine's user has chosen: one small file, so that page and command line agree."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import NamedTuple

from core.detector.library import list_detectors
from core.errors import DetectorError, SetupError
from core.home import home_folder, make_folder


class Choice(NamedTuple):
    """Names of the detector in use and of the one before it; None is the app's own default."""

    name: str | None = None
    previous: str | None = None


def in_use(models_dir: Path | None = None) -> str | None:
    """The name of the detector that was chosen; None where none was, or where it can no longer be read."""
    name = _read().name
    good = {entry.name for entry in list_detectors(models_dir) if entry.error is None} if name else ()
    return name if name in good else None


def use(name: str, models_dir: Path | None = None) -> None:
    """Chooses a detector by its name in `list_detectors`; the one before is remembered for `undo`.

    Raises:
        DetectorError: There is none of this name, or it is damaged.
        SetupError: The choice cannot be written down.
    """
    entry = next((entry for entry in list_detectors(models_dir) if entry.name == name), None)
    if entry is None or entry.error:
        reason = entry.error if entry else "It was deleted or renamed: choose another one."
        raise DetectorError(f'The detector "{name}" cannot be used. {reason}')
    before = _read()
    if name != before.name:
        _write(Choice(name, before.name))


def can_undo() -> bool:
    """Whether `undo` would change anything."""
    choice = _read()
    return choice.name != choice.previous


def undo(models_dir: Path | None = None) -> str | None:
    """Goes back to the detector before; once more, and it is back again. Returns what `in_use` says now.

    Raises:
        SetupError: The choice cannot be written down.
    """
    choice = _read()
    _write(Choice(choice.previous, choice.name))
    return in_use(models_dir)


def _file() -> Path:
    return home_folder() / "in_use.json"


def _read() -> Choice:
    try:
        document = json.loads(_file().read_bytes())
        names = [document.get(field) for field in Choice._fields]
    except (OSError, ValueError, AttributeError, RecursionError):
        return Choice()
    return Choice(*(name if isinstance(name, str) else None for name in names))


def _write(choice: Choice) -> None:
    """Whole or not at all: whoever reads meanwhile gets the old choice or the new one."""
    path = make_folder(home_folder()) / "in_use.json"
    half = path.with_name(f".in_use-{uuid.uuid4().hex}.part")
    try:
        half.write_text(json.dumps(choice._asdict()) + "\n", encoding="utf-8")
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise SetupError(
            f"The choice of detector cannot be written to {path} ({error.strerror}): make room."
        ) from error
