"""How long a picture waits for its verdict while a training run goes on beside it, and with nothing beside it.

    python -m benchmarks.beside_training        # about three minutes on two cores

The run is a real one of the Training page's kind, started through the queue on the project's own sample set with random
weights, in a folder of its own that is thrown away.
"""

import os
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.__main__ import machine

ROUNDS = 15
MOST_S = 2.0
LIVE_AFTER_S = 240.0


def seconds_for_a_picture() -> tuple[float, float]:
    """Median and longest of several verdicts on the sample portrait, in seconds, warm."""
    from core.analysis import analyze_image
    from core.detector import load_detector
    from core.samples import sample_image

    detector, path = load_detector("default"), sample_image()
    analyze_image(path, detector)
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        analyze_image(path, detector)
        times.append(time.perf_counter() - started)
        time.sleep(0.3)  # as a person would: the run has the machine in between
    return statistics.median(times), max(times)


def started_run(root: Path) -> Path:
    """The folder of a run that has begun to learn."""
    from core.data.sample_set import sample_data_set
    from core.training import queue, runs
    from core.training.presets import PRESETS

    config = PRESETS["standard"].config(data=(str(sample_data_set()),), init="none", head_epochs=0)
    folder = queue.submit(config, root).folder
    deadline = time.monotonic() + LIVE_AFTER_S
    while time.monotonic() < deadline:
        run = runs.read_run(folder)
        if run.status.get("phase") == "training" and run.status.get("loss") is not None:
            return folder
        if not run.live:
            raise SystemExit(f"The run ended before it had begun: {run.message}")
        time.sleep(1)
    raise SystemExit("The run did not begin to learn in time.")


def main() -> int:
    from core.training import runs

    alone = seconds_for_a_picture()
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["DEEPFAKE_HOME"] = scratch
        folder = started_run(Path(scratch) / "runs")
        try:
            beside = seconds_for_a_picture()
            speed = runs.read_run(folder).status.get("images_per_s")
        finally:
            runs.request_stop(folder)
            while runs.read_run(folder).live:
                time.sleep(0.5)
    print(f"Measured by `python -m benchmarks.beside_training` on {machine()}.\n")
    print("| a picture's verdict, warm | median | longest |\n|---|---|---|")
    print(f"| with nothing beside it | {alone[0]:.3f} s | {alone[1]:.3f} s |")
    print(f"| while a run trains ({speed} images/s) | {beside[0]:.3f} s | {beside[1]:.3f} s |")
    return 0 if beside[1] < MOST_S else 1


if __name__ == "__main__":
    sys.exit(main())
