"""Trains on a GPU from parcels that may still be arriving, then runs the short comparisons while there is time.

    python -m benchmarks.gpu.train --pack PACK --out OUT --minutes 5 --until 0      # the long run alone
    python -m benchmarks.gpu.train --pack PACK --out OUT --minutes 0 --seeds 0      # the comparisons

PACK holds part*.tar and default.npz (and imagenet.npz for the comparisons), each under its last name only when it is
whole. OUT gets log.txt, ARM-STEP.npz (means of the weights on the way), and recipes/NAME-SEED/figures.json:
fetch them as they come, a lent machine may go back at any time. Both commands may run beside each other, each with a
WORK of its own: the long run is bound by the GPU and the comparisons by the drawing.
"""

import argparse
import json
import math
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.composites import composites
from benchmarks.gpu import rebuild, short
from benchmarks.gpu.drawing import Drawers, Job, judged_crops
from benchmarks.gpu.learning import Feed, Trainer, by_source, floats, odds, outputs
from benchmarks.gpu.parcels import Parcels, unpack
from core.metrics import roc_auc

WEIGHTS = {"dfdc": 2.5, "stylegan_ffhq": 1.3, "stylegan2_unsplash": 1.2, "sd21_web": 0.9}
BATCH, PEAK, WARMUP_STEPS, LOCALISE = 192, 3e-4, 120, 0.2
EMA = 0.998
MAIN = Job("main", 224, 0.15, 0.22, WEIGHTS, kinds=True, rebuilt=0.15)


class Arm(NamedTuple):
    """One of the networks that learn from the same pictures."""

    name: str
    reach: float  # of sharpness-aware minimisation; 0 for plain AdamW


ARMS = (Arm("plain", 0.0), Arm("sharp", 0.05))


class Session:
    """One session on the machine: the processes that draw, the val samples, the long run."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.begun = options, time.monotonic()
        self.folder: Path = options.work
        self.folder.mkdir(parents=True, exist_ok=True)
        (options.out / "recipes").mkdir(parents=True, exist_ok=True)
        self.shorts = [job for job in short.JOBS if job.seed in options.seeds]
        long_run = replace(MAIN, seed=options.seed, rebuilt=options.rebuilt)
        ring = rebuild.Ring()
        self.drawers = Drawers(self.folder, [long_run, *self.shorts], options.processes, options.slots, ring)
        self._rebuilder = None
        if options.minutes and long_run.rebuilt:
            self._rebuilder = rebuild.start(
                self.folder, ring, options.pack / options.start, options.out / "rebuilt.txt"
            )
        self.parcels, self.judged = Parcels(self.folder), list[Any]()
        self._seen: dict[Any, Any] = {}
        threading.Thread(target=self._unpacking, daemon=True).start()
        import torch

        self.torch = torch
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.backends.cudnn.benchmark = options.tune
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        self.say(f"torch {torch.__version__} on {self.device}")
        self.feed = Feed(self.drawers, self.device)

    def say(self, *what: object) -> None:
        """To the log, with the seconds."""
        line = f"{time.monotonic() - self.begun:7.1f} " + " ".join(map(str, what))
        print(line, flush=True)
        with (self.options.out / "log.txt").open("a") as file:
            file.write(line + "\n")

    def wait(self) -> None:
        """Until all parcels are unpacked that have arrived."""
        while len(self.parcels.names) < len(list(self.options.pack.glob("part*.tar"))) or not self.judged:
            time.sleep(0.2)

    def _unpacking(self) -> None:
        while True:
            try:
                unpack(self.options.pack, self.folder)
                self.parcels.refresh()
                found = self.parcels.of("val")
                if len(found) > len(self.judged):
                    self._seen = {}
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
        """The long run: all arms from the same weights, on the same pictures."""
        from benchmarks.gpu.xception import Xception

        options, begins = self.options, self.arrays(self.options.start)
        arms = [arm for arm in ARMS if arm.name in options.arms]
        self.feed.start(0, BATCH)
        batch = self.feed.next()
        self.say("first batch", tuple(batch.crops.shape))
        some = [floats(self.feed.next().crops) for _ in range(3)]
        trainers: dict[str, Trainer] = {}
        for arm in arms:
            net = Xception(len(MAIN.classes), dropout=0.2).load(begins)
            trainers[arm.name] = trainer = Trainer(net, self.device, options.peak, EMA, arm.reach)
            if not net.settled:
                net.settle(some)
            trainer.net.train()
        begun, seconds, pictures = time.monotonic(), 60 * options.minutes, 0
        losses: list[list[Any]] = []
        spoken, next_look = begun, options.look_first
        while (part := (time.monotonic() - begun) / seconds) < 1:
            losses.append([one.learn(batch, part, WARMUP_STEPS, LOCALISE) for one in trainers.values()])
            pictures += len(batch.crops)
            now = time.monotonic()
            if now - spoken > 8:
                means = [float(self.torch.stack(one).mean()) for one in zip(*losses, strict=True)]
                rate = len(losses) * BATCH / (time.monotonic() - spoken)
                self.say(
                    f"step {pictures // BATCH} pictures {pictures} losses "
                    f"{' '.join(f'{mean:.4f}' for mean in means)} {rate:.0f}/s part {part:.3f} "
                    f"waited {self.feed.waited:.1f} s parcels {len(self.parcels.names)}"
                )
                losses, spoken = [], time.monotonic()
                if not all(map(math.isfinite, means)):
                    raise ArithmeticError("a loss is no number")
            if part > next_look:
                next_look += options.look_every
                for arm in arms:
                    self.look(arm.name, trainers[arm.name], pictures)
            batch = self.feed.next()
        for arm in arms:
            self.look(arm.name, trainers[arm.name], pictures, final=True)

    def look(self, name: str, trainer: Trainer, pictures: int, final: bool = False) -> None:
        """Judges the mean of the weights on val, and keeps it."""
        from benchmarks.gpu.arrays import save

        with trainer.swapped():
            half = self.options.out / "half.npz"
            save(half, trainer.net.arrays())
            half.rename(self.options.out / f"{name}-{trainer.step}.npz")
            if not self.judged:
                self.say("no val yet")
                return
            samples, crops = self.val(MAIN)
            found = by_source(samples, odds(outputs(trainer.net, crops, self.device, mirrored=final)))
            if final:
                reals, fakes = self.seen("composites", lambda: composites(samples, MAIN.size, self.parcels.face))
                scores = odds(outputs(trainer.net, np.concatenate([reals, fakes]), self.device))
                found["composites"] = round(roc_auc(scores, np.repeat([False, True], [len(reals), len(fakes)])), 4)
        self.say("VAL", name, trainer.step, "mirrored" if final else "", pictures, json.dumps(found))
        with (self.options.out / "main.jsonl").open("a") as file:
            seconds = round(time.monotonic() - self.begun, 1)
            line = {"arm": name, "pictures": pictures, "step": trainer.step, "seconds": seconds, "val": found}
            file.write(json.dumps(line) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/parcels"))
    parser.add_argument("--minutes", type=float, default=5.0, help="of the long run; 0 for none")
    parser.add_argument("--arms", nargs="+", choices=[arm.name for arm in ARMS], default=[arm.name for arm in ARMS])
    parser.add_argument("--start", default="default.npz", help="what the long run starts from; in PACK")
    parser.add_argument("--peak", type=float, default=PEAK, help="its learning rate after the warm-up")
    parser.add_argument("--seed", type=int, default=0, help="of its pictures")
    parser.add_argument("--rebuilt", type=float, default=MAIN.rebuilt, help="share of autoencoders' faces in its fakes")
    parser.add_argument("--until", type=float, default=12.0, help="minutes after which no comparison begins")
    parser.add_argument("--seeds", type=int, nargs="*", default=list(short.SEEDS), help="of the comparisons")
    parser.add_argument("--processes", type=int, default=15)
    parser.add_argument("--slots", type=int, default=160)
    parser.add_argument("--tune", action="store_true", help="let cuDNN try its kernels: seconds for each new size")
    parser.add_argument("--look-first", type=float, default=0.3)
    parser.add_argument("--look-every", type=float, default=0.175)
    options = parser.parse_args()
    session = Session(options)
    if options.minutes:
        session.main()
    else:
        session.wait()
    for index in range(1, len(session.shorts) + 1):
        if time.monotonic() - session.begun > 60 * options.until:
            break
        short.run(session, index, index + 1 if index < len(session.shorts) else None)
    session.say("done")
    session.drawers.close()


if __name__ == "__main__":
    main()
