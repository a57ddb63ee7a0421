"""Real faces rebuilt by autoencoders that learn beside the detector: what networks leave behind, of many kinds.

A generator's decoder marks every pixel it paints, however it was taught (Zhang et al., WIFS 2019, who imitate GANs by
autoencoders of their own). Eight small autoencoders of different make learn to rebuild the real train faces, in a
process of their own, and what they rebuild lies in memory that the drawing processes read: fakes that show a face of a
photograph. They go on learning all the while, so no two rebuilt faces bear quite the same marks.
"""

import mmap
import multiprocessing
import time
import traceback
from collections import defaultdict
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.gpu.autoencoders import HASTY_STEPS, MAKES, Autoencoder, sight
from benchmarks.gpu.parcels import Parcels
from core.data.draw import read_crop

Rgb = NDArray[np.uint8]
LARGEST = 224
SIDES = (96, 112, 128, 160, 192, 224)
BATCH = 16
STEPS_A_SECOND = 8  # of all of them, after HASTY_STEPS of each at full speed
FEWEST = 256  # rebuilt faces, below which none is drawn: the same ones would come again and again
CACHED = 6000  # crops kept in memory


class Ring:
    """The last faces that were rebuilt, in memory that all processes see."""

    def __init__(self, slots: int = 4096) -> None:
        self._crops = np.frombuffer(mmap.mmap(-1, slots * LARGEST * LARGEST * 3), np.uint8).reshape(slots, -1)
        self._sides = np.frombuffer(mmap.mmap(-1, slots * 8), np.int64)
        self.made = multiprocessing.get_context("fork").Value("l", 0)

    def add(self, crop: Rgb) -> None:
        """One more, instead of the oldest; only one process may add."""
        place, side = self.made.value % len(self._sides), len(crop)
        self._sides[place] = 0
        self._crops[place, : side * side * 3] = crop.reshape(-1)
        self._sides[place] = side
        self.made.value += 1

    def some(self, rng: Generator) -> Rgb | None:
        """One of them, or None while there are few."""
        count = min(self.made.value, len(self._sides))
        if count < FEWEST:
            return None
        place = int(rng.integers(count))
        side = int(self._sides[place])
        return self._crops[place, : side * side * 3].reshape(side, side, 3).copy() if side else None


class Faces:
    """Real train crops, read once and drawn as often by source as the root of its size says."""

    def __init__(self, folder: Path) -> None:
        self._parcels, self._read = Parcels(folder), dict[Path, Rgb]()
        self._paths: dict[str, list[Path]] = {}

    def refresh(self) -> None:
        """Looks for new parcels."""
        if self._parcels.refresh():
            paths: dict[str, list[Path]] = defaultdict(list)
            for one in self._parcels.of("train"):
                if not one.fake:
                    paths[one.source].append(one.path)
            self._paths = dict(paths)

    def __bool__(self) -> bool:
        return bool(self._paths)

    def batch(self, side: int, rng: Generator) -> Rgb:
        """(n, side, side, 3)."""
        names = sorted(self._paths)
        roots = np.array([len(self._paths[name]) ** 0.5 for name in names])
        found = []
        for source in rng.choice(len(names), BATCH, p=roots / roots.sum()):
            paths = self._paths[names[source]]
            crop = self._crop(paths[rng.integers(len(paths))])
            least = max(1, int(min(crop.shape[:2]) * rng.uniform(0.8, 1)))
            top, left = (int(rng.integers(0, length - least + 1)) for length in crop.shape[:2])
            part = crop[top : top + least, left : left + least]
            way = cv2.INTER_AREA if least > side else cv2.INTER_CUBIC
            found.append(cv2.resize(part, (side, side), interpolation=way)[:, :: 1 - 2 * int(rng.integers(2))])
        return np.stack(found)

    def _crop(self, path: Path) -> Rgb:
        if path not in self._read:
            crop = read_crop(path)
            if len(self._read) >= CACHED:
                return crop
            self._read[path] = crop
        return self._read[path]


def work(folder: Path, ring: Ring, weights: Path, log: Path) -> None:
    """The process: waits for parcels and a detector's weights, and goes on until it is ended."""
    cv2.setNumThreads(1)
    try:
        import torch

        from benchmarks.gpu.arrays import read
        from benchmarks.gpu.xception import Xception

        faces, rng = Faces(folder), np.random.default_rng(1)
        while not faces or not weights.exists():
            faces.refresh()
            time.sleep(0.3)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(1)
        network = Xception(1).load(read(weights)).to(device).to(memory_format=torch.channels_last).eval()
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        several = [Autoencoder(make, device, sight(network)) for make in MAKES]
        count, begun, spoken = 0, time.monotonic(), time.monotonic()
        while True:
            started = time.monotonic()
            one = several[count % len(several)]
            rebuilt = one.step(faces.batch(int(rng.choice(SIDES)), rng))
            if one.ready:
                for crop in rebuilt:
                    ring.add(crop)
            count += 1
            now = time.monotonic()
            if now - spoken > 10:
                faces.refresh()
                spoken = now
                quality = " ".join(f"{one.psnr:.1f}" for one in several)
                with log.open("a") as file:
                    file.write(f"{now - begun:7.1f} rebuilt {ring.made.value}, steps {count}, PSNR {quality}\n")
            if count > HASTY_STEPS * len(several):
                time.sleep(max(0.0, 1 / STEPS_A_SECOND - (now - started)))
    except Exception:  # noqa: BLE001
        traceback.print_exc()


def start(folder: Path, ring: Ring, weights: Path, log: Path) -> Any:
    """The process, forked before anything here touches the GPU."""
    process = multiprocessing.get_context("fork").Process(target=work, args=(folder, ring, weights, log), daemon=True)
    process.start()
    return process
