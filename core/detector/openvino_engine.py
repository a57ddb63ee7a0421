"""Runs a detector with OpenVINO on the processor; what was built once starts from the disk without reading it again."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov
from numpy.typing import NDArray

import core.openvino_ready  # noqa: F401
from core.detector.openvino_graph import GRAPH_VERSION, build_openvino
from core.detector.source import Source
from core.detector.weights import about
from core.home import home_folder
from core.signal_stack import kept_signal_stack

MAX_CACHED = 6
"""Detectors kept ready on disk, about 85 MB each; the ones not used for longest go."""
CRASHED_AFTER_S = 3600
_GRAPH, _CHECK = "graph.xml", "sha256"


class OpenVinoEngine:
    """The graph of one detector, ready; any number of threads may call it at once.

    Pictures run one by one on as many streams as the processor likes best: measured on two cores, that is as fast as
    batches of 8 or 16 within 5 %, needs no padding, and gives a picture the same answer whatever runs beside it.
    """

    name = "openvino"

    def __init__(self, source: Source, precision: str | None = None) -> None:
        with kept_signal_stack():
            core = ov.Core()
            self.precision = precision or best_precision(core)
            settings = {
                "PERFORMANCE_HINT": "THROUGHPUT",
                "INFERENCE_PRECISION_HINT": self.precision,
                "ENABLE_CPU_PINNING": False,  # pinned threads of several detectors would all sit on the same cores
            }
            self._compiled = _from_cache(core, source, lambda graph: core.compile_model(graph, "CPU", settings))
        streams = int(self._compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS"))
        self._workers = ThreadPoolExecutor(streams, thread_name_prefix="detector")
        self._local = threading.local()

    def run(self, crops: NDArray[np.uint8], batch_size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (n, k) and evidence maps (n, h, w, k) of crops (n, s, s, 3)."""
        answers = list(self._workers.map(self._infer, crops))
        return np.concatenate([one[0] for one in answers]), np.concatenate([one[1] for one in answers])

    def _infer(self, crop: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if not hasattr(self._local, "request"):
            self._local.request = self._compiled.create_infer_request()
        answer = self._local.request.infer([crop[None]])
        return np.array(answer["logits"]), np.array(answer["maps"])


def best_precision(core: ov.Core) -> str:
    """`bf16` where the processor computes in it, else `f32`."""
    return "bf16" if "BF16" in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") else "f32"


def cache_folder(source: Source) -> Path:
    """Where the ready graph of this detector lies: one place for each weights, preprocessing and OpenVINO version."""
    spec = source.spec
    key = repr((source.sha256, spec.input_size, spec.preprocessing, len(spec.classes), GRAPH_VERSION, ov.__version__))
    return home_folder() / "engines" / hashlib.sha256(key.encode()).hexdigest()[:32]


def _from_cache(core: ov.Core, source: Source, compile_graph: Callable[[ov.Model], Any]) -> Any:
    folder = cache_folder(source)
    if _is_whole(folder):
        # a graph that another version wrote or that a disk has spoiled is built anew, and nobody need know
        with contextlib.suppress(RuntimeError, OSError):
            compiled = compile_graph(core.read_model(folder / _GRAPH))
            os.utime(folder)
            return compiled
    with about(source.weights_file):
        graph = build_openvino(source.graph, source.read_weights(), source.spec.input_size, source.spec.preprocessing)
    with contextlib.suppress(OSError, RuntimeError):  # no room on the disk: it starts slower next time, no more
        _keep(graph, folder)
    return compile_graph(graph)


def _is_whole(folder: Path) -> bool:
    try:
        return (folder / _CHECK).read_text() == _checksum(folder)
    except (OSError, UnicodeDecodeError):
        return False


def _checksum(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in (folder / _GRAPH, (folder / _GRAPH).with_suffix(".bin")):
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _keep(graph: ov.Model, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    half = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        ov.save_model(graph, half / _GRAPH, compress_to_fp16=False)
        (half / _CHECK).write_text(_checksum(half))
        shutil.rmtree(folder, ignore_errors=True)
        half.rename(folder)
    finally:
        shutil.rmtree(half, ignore_errors=True)
    _tidy(folder.parent)


def _tidy(engines: Path) -> None:
    """Remove the graphs not used for longest, and halves that a crash has left; not those being written now."""
    ages = {path: path.stat().st_mtime for path in engines.iterdir()}
    kept = sorted((path for path in ages if not path.name.startswith(".")), key=ages.__getitem__, reverse=True)
    crashed = [path for path in ages if path.name.startswith(".") and time.time() - ages[path] > CRASHED_AFTER_S]
    for path in kept[MAX_CACHED:] + crashed:
        shutil.rmtree(path, ignore_errors=True)
