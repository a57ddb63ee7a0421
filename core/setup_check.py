"""What the machine must have before the rest of core is imported, said in words instead of a stack trace.

Imports nothing heavy and nothing that could fail, so that it can come first:

    from core.setup_check import check_system
    check_system()
"""

import importlib
import re
import sys

from core.errors import SetupError

OLDEST, NEWEST = (3, 11), (3, 13)

# shared library -> package of Debian and Ubuntu, package of Fedora and RHEL
SYSTEM_PACKAGES = {
    "libGL.so.1": ("libgl1", "mesa-libGL"),
    "libgthread-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libglib-2.0.so.0": ("libglib2.0-0", "glib2"),
    "libxcb.so.1": ("libxcb1", "libxcb"),
    "libgomp.so.1": ("libgomp1", "libgomp"),
}
MISSING_LIBRARY = re.compile(r"(?P<library>[\w.+-]+\.so[.\d]*): cannot open shared object file")


def check_system() -> None:
    """Check the Python version and that OpenCV, the pickiest of our packages, can be loaded.

    Raises:
        SetupError: With the command that installs what is missing.
    """
    _check_python(sys.version_info[:2])
    try:
        importlib.import_module("cv2")
    except ModuleNotFoundError as error:
        raise SetupError(
            f"The Python package {error.name} is not installed. "
            f"Run: {sys.executable} -m pip install -r requirements.txt (or start the app by: make app)"
        ) from error
    except ImportError as error:
        raise SetupError(_advice(str(error))) from error


def _check_python(version: tuple[int, ...]) -> None:
    if not OLDEST <= version[:2] <= NEWEST:
        raise SetupError(
            f"Python 3.11, 3.12 or 3.13 is needed, and this is {'.'.join(map(str, version))}. "
            "Make the environment anew with one of those, for example: make clean, then make app PYTHON=python3.12"
        )


def _advice(message: str) -> str:
    found = MISSING_LIBRARY.search(message)
    if not found:
        return (
            f"OpenCV cannot be loaded: {message}. Install it anew: {sys.executable} -m pip install -r requirements.txt"
        )
    library = found["library"]
    if library not in SYSTEM_PACKAGES:
        return f"The system library {library}, which OpenCV needs, is missing. Install the package that contains it."
    apt, dnf = SYSTEM_PACKAGES[library]
    return (
        f"The system library {library}, which OpenCV needs, is missing. "
        f"Debian and Ubuntu: sudo apt-get install {apt}. Fedora and RHEL: sudo dnf install {dnf}."
    )
