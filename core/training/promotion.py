"""A run's detector handed on: as a file to keep, or as the detector in use on this machine."""

from __future__ import annotations

import dataclasses
import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

from core.detector.artifact import load_spec
from core.detector.in_use import use
from core.detector.library import add_uploaded, list_detectors, user_models_folder
from core.detector.spec import SPEC_FILE, DetectorSpec
from core.errors import TrainingError

if TYPE_CHECKING:
    from core.training.runs import Run


EXPORT_FOLDER = "export"
"""Within a detector's folder: its other formats."""


def file_name(run: Run) -> str:
    """The run's name as files can bear it on any system."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]+', "-", run.name).strip(" .-") or "detector"


def archive_model(run: Run) -> bytes:
    """The run's detector as a ZIP file, which the detector page and `predict.py --model` on another machine take.

    What stands in model/export/ is left out: an archive holds one detector, with one file of weights.

    Raises:
        TrainingError: The run has no detector (yet).
    """
    folder = run.folder / "model"
    if not (folder / SPEC_FILE).is_file():
        raise TrainingError(f"{run.name} has no detector yet: let it finish, or make one of its best epoch.")
    out = io.BytesIO()
    try:
        with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:  # weights do not get smaller
            for path in sorted(folder.iterdir()):
                if path.is_file() and not path.name.startswith("."):
                    archive.write(path, f"{file_name(run)}/{path.name}")
    except OSError as error:
        raise TrainingError(f"The detector of {run.name} cannot be read ({error.strerror}): {folder}.") from error
    return out.getvalue()


def promote(run: Run, models_dir: Path | None = None) -> str:
    """Makes the run's detector the one in use: a copy is installed among the user's own, and chosen.

    A copy that is there already is chosen again. The run may be deleted afterwards; `in_use.undo` goes back.

    Args:
        run: It has a detector.
        models_dir: Where the detectors that ship lie, whose names are taken.

    Returns:
        The detector's name.

    Raises:
        TrainingError: The run has no detector (yet).
        DetectorError: Its detector is damaged.
        SetupError: The user's folder cannot be written to.
    """
    archive = archive_model(run)
    name = _installed(load_spec(run.folder / "model"), models_dir)
    name = name or add_uploaded(f"{file_name(run)}.zip", io.BytesIO(archive), models_dir).name
    use(name, models_dir)
    return name


def _installed(spec: DetectorSpec, models_dir: Path | None) -> str | None:
    """The name of a copy of exactly this detector among the user's own."""
    for entry in list_detectors(models_dir):
        own = entry.path.parent == user_models_folder()
        if own and entry.spec and dataclasses.replace(entry.spec, name=spec.name) == spec:
            return entry.name
    return None
