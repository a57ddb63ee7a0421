"""What a machine lacks is said in words, with the package to install."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from core import setup_check
from core.errors import SetupError
from core.setup_check import check_system

REPO = Path(__file__).parents[1]
# Word for word what the dynamic loader and Python say.
NO_LIBGL = ImportError("libGL.so.1: cannot open shared object file: No such file or directory")
NO_GLIB = ImportError("libgthread-2.0.so.0: cannot open shared object file: No such file or directory")
NO_OTHER = ImportError("libfoo.so.3: cannot open shared object file: No such file or directory")
NO_CV2 = ModuleNotFoundError("No module named 'cv2'", name="cv2")
NO_NUMPY = ModuleNotFoundError("No module named 'numpy'", name="numpy")
WRONG_ABI = ImportError("numpy.core.multiarray failed to import")


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (NO_LIBGL, ["libGL.so.1", "apt-get install libgl1", "dnf install mesa-libGL"]),
        (NO_GLIB, ["libgthread-2.0.so.0", "apt-get install libglib2.0-0", "dnf install glib2"]),
        (NO_OTHER, ["libfoo.so.3", "Install the package that contains it"]),  # a library that nobody foresaw
        (NO_CV2, ["package cv2 is not installed", "pip install -r requirements.txt"]),  # forgot the requirements
        (NO_NUMPY, ["package numpy is not installed"]),  # what OpenCV itself imports
        (WRONG_ABI, ["numpy.core.multiarray failed to import", "Install it anew"]),  # damaged packages
    ],
)
def test_a_failing_import_names_the_package(
    error: ImportError, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(name: str) -> None:
        assert name == "cv2"
        raise error

    monkeypatch.setattr(importlib, "import_module", failing)
    with pytest.raises(SetupError) as caught:
        check_system()
    assert all(words in str(caught.value) for words in said)


@pytest.mark.parametrize(
    ("version", "exception"),
    [
        ((3, 10), SetupError),
        ((3, 11), None),
        ((3, 13), None),
        ((3, 14), SetupError),
    ],
)
def test_python_version(version: tuple[int, int], exception: type[Exception] | None) -> None:
    if exception is None:
        setup_check._check_python(version)
    else:
        with pytest.raises(exception, match=rf"this is {version[0]}\.{version[1]}"):
            setup_check._check_python(version)


def test_this_machine_passes() -> None:
    check_system()


@pytest.mark.parametrize("name", ["core.setup_check", "predict", "evaluate"])
def test_nothing_heavy_or_failing_is_imported_first(name: str) -> None:
    """The check is worth nothing if importing it, or what calls it, needs what it checks for."""
    code = (
        f"import sys, {name}; "
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'av', 'cv2', 'numpy', 'tensorflow', 'openvino'}))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
