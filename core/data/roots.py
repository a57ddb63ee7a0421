"""Which folders a server may read training data from, and whether it may train at all.

`DEEPFAKE_DATA_ROOTS` (folders, separated as in PATH) and `DEEPFAKE_READ_ONLY=1` are for servers that strangers reach.
"""

import os
from pathlib import Path

from core.errors import DataError
from core.home import home_folder

ROOTS_VARIABLE = "DEEPFAKE_DATA_ROOTS"
READ_ONLY_VARIABLE = "DEEPFAKE_READ_ONLY"
_NO = {"", "0", "no", "false", "off"}


def data_roots() -> tuple[Path, ...]:
    """The folders named by DEEPFAKE_DATA_ROOTS, without symbolic links; empty when every folder may be read."""
    named = os.environ.get(ROOTS_VARIABLE, "")
    return tuple(Path(part).expanduser().resolve() for part in named.split(os.pathsep) if part.strip())


def datasets_folder() -> Path:
    """Where data sets lie that a browser brought; it may not exist yet."""
    return home_folder() / "datasets"


def sample_sets_folder() -> Path:
    """Where the sample set lies that the app makes; it may not exist yet."""
    return home_folder() / "sample-sets"


def check_allowed(path: str | Path) -> Path:
    """The path, if training data may be read from it.

    Where there are roots, only what lies in one of them, symbolic links followed, or among the uploaded data sets and
    the sample set.

    Returns:
        The path; without symbolic links where there are roots.

    Raises:
        DataError: It lies elsewhere. The sentence is the same whether it exists or not.
    """
    try:
        path = Path(path).expanduser()
        if not os.environ.get(ROOTS_VARIABLE):
            return path
        real = path.resolve()
    except (RuntimeError, OSError, ValueError) as error:  # no such user; a loop of links; a null byte
        raise DataError("This path cannot be read: check how it is written.") from error
    roots = data_roots()
    if any(real.is_relative_to(folder.resolve()) for folder in (*roots, datasets_folder(), sample_sets_folder())):
        return real
    places = ", ".join(map(str, roots)) or "none, so upload your data instead"
    raise DataError(f"This server does not read {path}: it only reads folders below {places}.")


def read_only() -> bool:
    """Whether DEEPFAKE_READ_ONLY forbids training and uploads of data."""
    return os.environ.get(READ_ONLY_VARIABLE, "").strip().lower() not in _NO
