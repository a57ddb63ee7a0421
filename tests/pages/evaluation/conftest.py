"""Data that are measured, and an evaluation with every section."""

import hashlib
from pathlib import Path

import pytest

from core.evaluation import Request, evaluate
from tests.evaluation.support import FINDER, labelled_folder
from tests.evaluation.support import detector as colour_detector


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return labelled_folder(tmp_path / "data", 10, sources=("one", "two"))


@pytest.fixture(scope="package")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """Everything measured, by the weights of the app's own detector and by another."""
    root = labelled_folder(tmp_path_factory.mktemp("measured") / "data", 10, sources=("one", "two"))
    folders = tuple(str(root / source) for source in ("one", "two"))
    request = Request(folders, baseline=True, robustness=True, robustness_limit=4, gates=True)
    found = evaluate(request, colour_detector(), colour_detector("other", gain=-0.2), finder=FINDER)
    found["detector"]["sha256"] = hashlib.sha256(b"weights").hexdigest()
    return found
