"""Settings that must stand before anything imports TensorFlow, and fixtures that many tests share."""

import gc
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"  # the same results on every machine
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
# For code that runs while tests are collected; every test session has a folder of its own and leaves none behind.
_HOME = tempfile.TemporaryDirectory(prefix="deepfake-tests-", ignore_cleanup_errors=True)
os.environ["DEEPFAKE_HOME"] = _HOME.name

import pytest  # noqa: E402

LONGEST = ("tests/e2e/", "tests/training/")
"""Their files come first: at the end of a run one of them would keep one process busy while the others have none."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST))


def pytest_collection_finish() -> None:
    """What all tests have imported stays: the collector need not look through TensorFlow's million objects each time.

    Keras and Streamlit ask for a whole collection again and again, which took half a second each.
    """
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def deepfake_home() -> Iterator[Path]:
    """$DEEPFAKE_HOME of this test session: never the one of the person who runs the tests."""
    yield Path(_HOME.name)
    _HOME.cleanup()


@pytest.fixture
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty $DEEPFAKE_HOME for one test alone."""
    home = tmp_path / "home"
    monkeypatch.setenv("DEEPFAKE_HOME", str(home))
    return home
