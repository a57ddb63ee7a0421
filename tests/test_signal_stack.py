"""A process that has made and dropped networks still takes a signal: OpenVINO alone leaves it with a freed stack."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = """
import gc, os, signal, time
import numpy as np
from core.detector import load_detector
from core.faces import FaceFinder
from core.faces.landmarks import FaceMesh

first, second, third = load_detector("default", engine="openvino"), FaceFinder(), FaceMesh()
first.predict(np.zeros((1, first.spec.input_size, first.spec.input_size, 3), np.uint8))
for name in ("first", "second", "third"):  # in the order in which they were made: the worst one
    del globals()[name]
    gc.collect()
signal.signal(signal.SIGTERM, lambda *_: print("taken", flush=True))
os.kill(os.getpid(), signal.SIGTERM)
time.sleep(0.1)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="no such signals on Windows")
def test_a_signal_after_networks_were_dropped():
    command = [sys.executable, "-c", SCRIPT]
    root = Path(__file__).parents[1]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (0, "taken\n"), done.stderr[-500:]
