"""Trains on a GPU from parcels that may still be arriving, then runs the short comparisons while there is time.

    python -m benchmarks.gpu.train --pack PACK --out OUT --minutes 9 --until 12

PACK holds part*.tar and default.npz (and imagenet.npz for the comparisons), each under its last name only when it is
whole. OUT gets log.txt, last.npz and best.npz (means of the weights on the way), and recipes/NAME-SEED/figures.json:
fetch them as they come, a lent machine may go back at any time.
"""

import argparse
import json
import math
import shutil
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.composites import composites
from benchmarks.gpu import short
from benchmarks.gpu.drawing import Drawers, Job, judged_crops
from benchmarks.gpu.learning import Feed, Trainer, by_source, floats, outputs
from benchmarks.gpu.parcels import Parcels, unpack
from core.faces.crop import TIGHT_SCALE
from core.metrics import roc_auc

WEIGHTS = {"dfdc": 2.5, "stylegan_ffhq": 2.0, "stylegan2_unsplash": 1.5, "sd21_web": 1.2}
SIZES = (160, 224)
LARGE_FROM = 0.4  # of the time
BATCH, PEAK, WARMUP_STEPS, LOCALISE = 192, 5e-4, 120, 0.2
EMA = 0.998
MAIN = [Job("main", size, 0.2, 0.25, WEIGHTS) for size in SIZES]


class Session:
    """One session on the machine: the processes that draw, the val samples, the long run."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.begun = options, time.monotonic()
        self.folder: Path = options.work
        self.folder.mkdir(parents=True, exist_ok=True)
        (options.out / "recipes").mkdir(parents=True, exist_ok=True)
        jobs = [*MAIN, *short.JOBS]
        self.drawers = Drawers(self.folder, jobs, options.processes, options.slots)
        self.best = 0.0
        self.parcels, self.judged = Parcels(self.folder), list[Any]()
        self._seen: dict[Any, Any] = {}
        threading.Thread(target=self._unpacking, daemon=True).start()
        import torch

        self.torch = torch
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        self.say(f"torch {torch.__version__} on {self.device}")
        self.feed = Feed(self.drawers, self.device)

    def say(self, *what: object) -> None:
        """To the log, with the seconds."""
        line = f"{time.monotonic() - self.begun:7.1f} " + " ".join(map(str, what))
        print(line, flush=True)
        with (self.options.out / "log.txt").open("a") as file:
            file.write(line + "\n")

    def _unpacking(self) -> None:
        while True:
            try:
                unpack(self.options.pack, self.folder)
                self.parcels.refresh()
                found = self.parcels.of("val")
                if len(found) > len(self.judged):
                    sizes = {job.size for job in self.drawers.jobs}
                    self._seen = {("val", size, TIGHT_SCALE): judged_crops(found, size) for size in sizes}
                    self.judged = found
            except Exception:  # noqa: BLE001
                traceback.print_exc()
            time.sleep(0.5)

    def arrays(self, name: str) -> Any:
        """Waits for a network."""
        from benchmarks.gpu.arrays import read

        path = self.options.pack / name
        while not path.exists():
            time.sleep(0.2)
        return read(path)

    def val(self, job: Job) -> tuple[list[Any], NDArray[np.uint8]]:
        """Val samples that have arrived, and what a detector sees of them."""
        return self.judged, self.seen(
            ("val", job.size, job.scale), lambda: judged_crops(self.judged, job.size, job.scale)
        )

    def seen(self, key: Any, make: Callable[[], Any]) -> Any:
        """Made once for all networks, until more val samples arrive."""
        if key not in self._seen:
            self._seen[key] = make()
        return self._seen[key]

    def main(self) -> None:
        """The long run."""
        from benchmarks.gpu.xception import Xception

        options = self.options
        net = Xception(1, dropout=0.2).load(self.arrays("default.npz"))
        trainer = Trainer(net, self.device, PEAK, EMA)
        self.feed.start(0, BATCH)
        first = self.feed.next()
        if not net.settled:
            net.settle([floats(self.feed.next().crops) for _ in range(3)])
        begun, seconds, pictures, losses = time.monotonic(), 60 * options.minutes, 0, []
        self.say("first batch", tuple(first.crops.shape))
        trainer.net.train()
        spoken, next_look, batch = begun, options.look_first, first
        large = False
        while (part := (time.monotonic() - begun) / seconds) < 1:
            if part >= LARGE_FROM and not large:
                large = True
                self.feed.start(1, BATCH)
            losses.append(trainer.learn(batch, part, WARMUP_STEPS, LOCALISE))
            pictures += len(batch.crops)
            now = time.monotonic()
            if now - spoken > 10:
                mean = float(self.torch.stack(losses).mean())
                rate = len(losses) * BATCH / (now - spoken)
                self.say(
                    f"step {trainer.step} px {batch.crops.shape[1]} pictures {pictures} loss {mean:.4f} "
                    f"{rate:.0f}/s part {part:.3f} waited {self.feed.waited:.1f} s parcels {len(self.parcels.names)}"
                )
                losses, spoken = [], now
                if not math.isfinite(mean):
                    raise ArithmeticError("the loss is no number")
            if part > next_look:
                next_look += options.look_every
                self.look(trainer, MAIN[large], pictures)
            batch = self.feed.next()
        self.look(trainer, MAIN[1], pictures, final=True)

    def look(self, trainer: Trainer, job: Job, pictures: int, final: bool = False) -> None:
        """Judges the mean of the weights on val, and keeps it."""
        from benchmarks.gpu.arrays import save

        samples, crops = self.val(job)
        if not samples:
            self.say("no val yet")
            return
        if final:
            live = outputs(trainer.net, crops, self.device, mirrored=True)
            self.say("VAL last weights, mirrored", job.size, pictures, json.dumps(by_source(samples, live)))
            save(self.options.out / "raw.npz", trainer.net.arrays())
        with trainer.swapped():
            found = by_source(samples, outputs(trainer.net, crops, self.device, mirrored=final))
            reals, fakes = composites(samples, job.size, self.parcels.face) if final else (crops[:0], crops[:0])
            if final:
                scores = outputs(trainer.net, np.concatenate([reals, fakes]), self.device)
                found["composites"] = round(roc_auc(scores, np.repeat([False, True], [len(reals), len(fakes)])), 4)
            save(self.options.out / "half.npz", trainer.net.arrays())
        (self.options.out / "half.npz").rename(self.options.out / "last.npz")
        worth = (found.get("dfdc", 0) + found.get("stylegan_ffhq", 0)) / 2  # the sources that choose
        if worth > self.best:
            self.best = worth
            shutil.copy(self.options.out / "last.npz", self.options.out / "best.npz")
        self.say("VAL mean weights", "mirrored" if final else "", job.size, pictures, json.dumps(found))
        with (self.options.out / "main.jsonl").open("a") as file:
            line = {"pictures": pictures, "size": job.size, "final": final, "step": trainer.step, "val": found}
            file.write(json.dumps(line) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/parcels"))
    parser.add_argument("--minutes", type=float, default=9.0, help="of the long run; 0 for none")
    parser.add_argument("--until", type=float, default=12.0, help="minutes after which no comparison begins")
    parser.add_argument("--processes", type=int, default=15)
    parser.add_argument("--slots", type=int, default=160)
    parser.add_argument("--look-first", type=float, default=0.15)
    parser.add_argument("--look-every", type=float, default=0.17)
    options = parser.parse_args()
    session = Session(options)
    if options.minutes:
        session.main()
    for index in range(len(MAIN), len(session.drawers.jobs)):
        if time.monotonic() - session.begun > 60 * options.until:
            break
        short.run(session, index)
    session.say("done")
    session.drawers.close()


if __name__ == "__main__":
    main()
