"""How quick training is: ours against a bare Keras `fit`, and what the two-minute preset reaches.

    python -m benchmarks.training                          # ../shared/data, about nine minutes on two cores
    python -m benchmarks.training --only speed --rounds 3
    python -m benchmarks.training --only quick

speed: the same network, size, precision and batch; the bare one has its tensors in memory, ours reads, decodes and
augments dfdc while it trains. They take turns, since a shared machine drifts. quick: `train.py --preset quick` on
stylegan_ffhq from the ImageNet weights, in a process of its own, faces prepared before. Give it an idle machine; the
processor time says what it would be on one. The media are licensed for research: only figures are printed.
"""

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.__main__ import machine

SHARED = Path(__file__).parents[2] / "shared"
WEIGHTS = SHARED / "weights" / "xception_imagenet_notop_fp16.weights.h5"
WARM_BATCHES = 5
MIN_SHARE, MIN_AUC, MAX_S = 0.9, 0.8, 120.0


class Speed(NamedTuple):
    """Pictures a second, milliseconds of processor time a picture, and seconds until the first batch was done."""

    images_per_s: float
    processor_ms: float
    first_s: float


class Timer:
    """A watch of `fit` that keeps when each batch ended, and stops it after so many."""

    def __init__(self, batches: int) -> None:
        self.ends: list[tuple[float, float]] = []  # by the clock, and in processor time
        self._batches, self._began = batches, 0.0

    def update(self, **fields: object) -> None:
        if fields.get("phase") == "training" and not self._began:
            self._began = time.perf_counter()
        if "loss" in fields:
            self.ends.append((time.perf_counter(), time.process_time()))

    def stop_requested(self) -> bool:
        return len(self.ends) >= self._batches

    def speed(self, batch_size: int) -> Speed:
        """Without the first batches, in which the graph is made and queues fill."""
        count = (len(self.ends) - WARM_BATCHES) * batch_size
        (last, last_cpu), (first, first_cpu) = self.ends[-1], self.ends[WARM_BATCHES - 1]
        return Speed(count / (last - first), 1000 * (last_cpu - first_cpu) / count, self.ends[0][0] - self._began)


def ours(config: object, cache: Path, batches: int) -> Speed:
    from core.training.callbacks import Stopped
    from core.training.loop import fit

    timer = Timer(batches + WARM_BATCHES)
    with tempfile.TemporaryDirectory() as folder, suppress(Stopped):
        fit(config, Path(folder), cache, watch=timer)
    return timer.speed(config.batch_size)


def bare(config: object, batches: int) -> Speed:
    """`fit` on arrays in memory, with nothing beside it."""
    import keras
    import numpy as np

    from core.detector.network import build_network
    from core.training.hardware import resolve_precision

    keras.mixed_precision.set_global_policy(resolve_precision(config.precision))
    model = build_network(config.input_size, imagenet=WEIGHTS, dropout=config.dropout)
    model.compile(
        keras.optimizers.AdamW(1e-5, weight_decay=config.weight_decay, clipnorm=5.0),
        keras.losses.BinaryCrossentropy(label_smoothing=config.label_smoothing),
        jit_compile=False,
    )
    count = (batches + WARM_BATCHES) * config.batch_size
    rng = np.random.default_rng(0)
    inputs = rng.uniform(-1, 1, (count, config.input_size, config.input_size, 3)).astype(np.float32)
    labels = (np.arange(count) % 2)[:, None].astype(np.float32)
    timer = Timer(count)
    marks = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: timer.update(loss=logs["loss"]))
    timer.update(phase="training")
    model.fit(inputs, labels, batch_size=config.batch_size, epochs=1, verbose=0, callbacks=[marks])
    return timer.speed(config.batch_size)


def speed(rounds: int, batches: int) -> None:
    from core.training.config import TrainConfig

    config = TrainConfig(
        data=(str(SHARED / "data" / "dfdc"),), init=str(WEIGHTS), head_epochs=0, self_blend=0.0, input_size=160
    )
    shares, processor = [], []
    with tempfile.TemporaryDirectory() as cache:
        for number in range(1, rounds + 1):
            plain, own = bare(config, batches), ours(config, Path(cache), batches)
            shares.append(own.images_per_s / plain.images_per_s)
            processor.append(plain.processor_ms / own.processor_ms)
            for name, one in (("bare Keras fit, tensors in memory", plain), ("ours on dfdc", own)):
                figures = f"{one.images_per_s:.1f} images/s, {one.processor_ms:.0f} ms of processor time an image"
                print(f"| round {number}: {name} | {figures}, first batch after {one.first_s:.0f} s |", flush=True)
    share = statistics.median(shares)
    print(f"| share of the bare one's speed, median | {100 * share:.0f} % ({_met(share >= MIN_SHARE)}) |")
    print(f"| the same by processor time | {100 * statistics.median(processor):.0f} % |")


def quick() -> None:
    from core.data.dataset import index_data
    from core.data.prepare import prepare

    data = SHARED / "data" / "stylegan_ffhq"
    with tempfile.TemporaryDirectory() as scratch:
        run, cache = Path(scratch) / "run", Path(scratch) / "cache"
        started = time.perf_counter()
        samples = [sample for sample in index_data([data]) if sample.split in ("train", "val")]
        faces = len(prepare(samples, cache, scale=0.88))
        print(f"| faces found and cropped before, {faces} | {time.perf_counter() - started:.0f} s |", flush=True)
        command = [sys.executable, "train.py", "--data", str(data), "--preset", "quick", "--init", str(WEIGHTS)]
        started, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([*command, "--run-dir", str(run), "--cache", str(cache)], check=True, stdout=subprocess.DEVNULL)
        taken, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        metrics = json.loads((run / "model" / "model.json").read_text(encoding="utf-8"))["metrics"]
    processor_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    print(f"| `train.py --preset quick`, start to detector | {taken:.0f} s ({_met(taken <= MAX_S)}) |")
    print(f"| processor time of it, divided by {os.cpu_count()} cores | {processor_s / (os.cpu_count() or 1):.0f} s |")
    for split in ("val", "test"):
        auc, (low, high) = metrics[split]["all"]["auc"], metrics[split]["all"]["auc_95"]
        print(f"| AUC on {split} | {auc:.3f}, 95 % interval {low:.3f} – {high:.3f} ({_met(auc >= MIN_AUC)}) |")


def _met(fine: bool) -> str:
    return "met" if fine else "MISSED"


def main() -> None:
    """Measures what is asked for and prints a Markdown table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=("speed", "quick"), default=["speed", "quick"])
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batches", type=int, default=20, help="measured in each round (default: %(default)s)")
    options = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    print(f"Measured by `python -m benchmarks.training` on {machine()}.\n\n| what | figure |\n|---|---|", flush=True)
    with tempfile.TemporaryDirectory() as home:  # what it measures is no advice for the app's estimates
        os.environ["DEEPFAKE_HOME"] = home
        if "speed" in options.only:
            speed(options.rounds, options.batches)
        if "quick" in options.only:
            quick()


if __name__ == "__main__":
    main()
