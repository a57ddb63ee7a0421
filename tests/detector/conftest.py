"""Detectors that many tests read and none changes."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.detector import networks

CLASSIC_SIZE = 96


@pytest.fixture(scope="session")
def tiny(tmp_path_factory) -> Path:
    """A detector's folder with a tiny network."""
    folder = tmp_path_factory.mktemp("models") / "tiny"
    networks.saved(folder)
    return folder


@pytest.fixture(scope="session")
def keras2(tmp_path_factory) -> Path:
    """model.h5 and small.h5 as Keras 2 saves them, with the answers that Keras 2 itself gives, in .npy files."""
    pytest.importorskip("tf_keras", reason="tf-keras is not installed: pip install -r requirements-dev.txt")
    folder = tmp_path_factory.mktemp("keras2")
    np.save(folder / "pixels.npy", networks.crops(6, CLASSIC_SIZE))
    script = Path(__file__).with_name("make_keras2.py")
    made = subprocess.run(
        [sys.executable, script, folder], env={**os.environ}, capture_output=True, text=True, check=False, timeout=170
    )
    assert made.returncode == 0, made.stderr
    return folder
