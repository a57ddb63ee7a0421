"""Judges val, test and their changed copies on a GPU's machine, in the rows that `evaluate.py` then goes on from.

    python -m benchmarks.gpu.weights --init RUN/model --out net.npz                         # here
    python -m benchmarks.gpu.judge --model RUN/model --weights net.npz --data DIR --share 3 16     # there, 16 processes

From file to views all is as evaluate.py has it, and so is what is said of a face; only the network runs in PyTorch, in
float32. Each process prints by how much its logits differ from those of the engine that ships, which judges the first
crops beside it. The rows lie in DEEPFAKE_HOME/evaluations/cache, all processes' in one file: put into the same folder
here, `evaluate.py --engine openvino --data DIR` takes what it finds (where it computes in float32, as those rows say).
Files are told by absolute path, size and time of change, so that DIR has to be the same on both machines: `tar
--format=posix` keeps times. Untouched pictures are left out, so that the engine that ships judges these by itself.
"""

import argparse
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.sample import Sample
from core.detector.engine import Detector
from core.detector.openvino_engine import OpenVinoEngine
from core.detector.source import open_source
from core.evaluation import scoring
from core.evaluation.cache import RowCache, detector_key
from core.evaluation.changes import KINDS, Change, all_changes
from core.evaluation.gates import gate_copies
from core.evaluation.selection import limited, select
from core.faces import FaceFinder

COMPARED = 24
"""Crops that the engine that ships judges as well."""
THREADS = 2
"""Pictures under way in a process: one waits for the GPU while another is read."""

Job = tuple[Change, list[Sample]]


class TorchEngine:
    """The network in PyTorch, for `Detector`; its evidence maps are empty, since no evaluation looks at them."""

    def __init__(self, net: Any, device: Any, shipped: OpenVinoEngine) -> None:
        self.name, self.precision = shipped.name, shipped.precision
        self._net, self._device, self._shipped = net.to(device).eval(), device, shipped
        self._lock, self._maps_shape = threading.Lock(), (1, 1, 1)
        self.compared, self.largest = 0, 0.0

    def run(self, crops: NDArray[np.uint8], batch_size: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Logits (n, k), and zeros (n, h, w, k)."""
        import torch

        from benchmarks.gpu.learning import floats

        with self._lock, torch.no_grad():
            there = torch.from_numpy(np.ascontiguousarray(crops)).to(self._device)
            logits: NDArray[np.float32] = self._net(floats(there))[0].float().cpu().numpy()
            if self.compared < COMPARED:
                theirs, maps = self._shipped.run(crops, batch_size)
                self._maps_shape = maps.shape[1:]
                self.compared += len(crops)
                self.largest = max(self.largest, float(np.abs(theirs - logits).max()))
        return logits, np.zeros((len(crops), *self._maps_shape), np.float32)


def jobs(data: str, limit: int, kinds: Sequence[str] = ()) -> list[Job]:
    """The copies that `--split val --gates` and `--split test --robustness` judge, with so many pictures a source."""
    val, test = (
        limited([one for one in select((data,), split=split).samples if not one.is_video], limit)
        for split in ("val", "test")
    )
    return [(change, val) for change in gate_copies()] + [(change, test) for change in all_changes(tuple(kinds))]


def judge(detector: Detector, found: Sequence[Job], share: int, of: int, finder: FaceFinder | None = None) -> None:
    """One process's share of all jobs, each said when it is done."""
    cache = RowCache.named(detector_key(detector))
    for change, samples in found:
        scoring.score_media(samples[share::of], detector, finder, cache=cache, change=change)
        print(change.key, len(samples[share::of]), flush=True)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True, help="the detector's folder")
    parser.add_argument("--weights", type=Path, required=True, help="its network as an npz")
    parser.add_argument("--data", required=True, help="as for evaluate.py, an absolute path")
    parser.add_argument("--limit", type=int, default=100, help="pictures a source; evaluate.py's --robustness-limit")
    parser.add_argument("--changes", nargs="*", default=[], choices=KINDS, help="of robustness; all when none is named")
    parser.add_argument("--share", type=int, nargs=2, default=(0, 1), metavar=("K", "N"), help="K of N processes")
    options = parser.parse_args(arguments)
    import torch

    from benchmarks.gpu.arrays import read
    from benchmarks.gpu.xception import Xception

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    scoring.MAX_WORKERS = THREADS
    source = open_source(Path(options.model))
    net = Xception(len(source.spec.classes)).load(read(options.weights)).to(memory_format=torch.channels_last)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    engine = TorchEngine(net, device, OpenVinoEngine(source, "f32"))
    judge(Detector(source, engine), jobs(options.data, options.limit, options.changes), *options.share)
    print(f"largest difference in {engine.compared} crops: {engine.largest:.6f}", flush=True)


if __name__ == "__main__":
    main()
