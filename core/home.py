"""Where the app keeps what it makes on this machine: history, samples, compiled models."""

import os
from pathlib import Path

from core.errors import SetupError


def home_folder() -> Path:
    """The folder named by the environment variable DEEPFAKE_HOME, else ~/.deepfake-detector; it may not exist yet."""
    named = os.environ.get("DEEPFAKE_HOME")
    return Path(named).expanduser().absolute() if named else Path.home() / ".deepfake-detector"


def make_folder(folder: Path) -> Path:
    """Create a folder with its parents, readable by its owner alone, and return it.

    Raises:
        SetupError: It cannot be created or written to.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(
            f"The folder {folder} cannot be created ({error.strerror}). "
            "Set the environment variable DEEPFAKE_HOME to a folder that you can write to."
        ) from error
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SetupError(
            f"The folder {folder} cannot be written to. "
            "Change its permissions, or set the environment variable DEEPFAKE_HOME to another folder."
        )
    return folder
