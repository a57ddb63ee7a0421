"""How many faces a second are found, cropped and kept, from pictures and from videos, and what a second time costs.

    python -m benchmarks.prepare                 # ../shared/data, about two minutes on two cores
    python -m benchmarks.prepare --pictures 600 --frames 48

dfdc is tight crops already, which are only looked through. Of a video sixteen frames are wanted, and nearly all have to
be decoded for them: with more frames a video, the rate rises. Give it an idle machine; the processor time, divided by
the cores, says what it would be on one. The media are licensed for research: only figures are printed.
"""

import argparse
import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from benchmarks.__main__ import machine
from core.data.dataset import Sample, find_samples
from core.data.prepare import prepare_all
from core.faces import default_finder

DATA = Path(__file__).parents[2] / "shared" / "data"
SCALE = 0.88
SEED = 0
TARGET = 25.0


def pictures(source: str, count: int) -> list[Sample]:
    samples = [sample for sample in find_samples([DATA]) if sample.source == source]
    return random.Random(SEED).sample(samples, min(count, len(samples)))


def videos() -> list[Sample]:
    return [replace(sample, source="videos") for sample in find_samples([DATA / "videos"])]


def row(name: str, samples: Sequence[Sample], frames: int, cache: Path) -> str:
    """Samples, faces and seconds of a first and of a second pass; a source of tight crops leaves no crop behind."""
    seconds, processor_s, faces = [], [], 0
    for _ in range(2):
        started, cpu_started = time.perf_counter(), time.process_time()
        faces = len(prepare_all(samples, cache, scale=SCALE, frames_per_video=frames).samples)
        seconds.append(time.perf_counter() - started)
        processor_s.append(time.process_time() - cpu_started)
    rate, processor_ms = faces / seconds[0], 1000 * processor_s[0] / faces
    met = "met" if rate >= TARGET else "MISSED"
    return f"| {name} | {len(samples)} | {faces} | {rate:.0f} ({met}) | {processor_ms:.0f} | {seconds[1]:.1f} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=400, help="pictures of each source (default: 400)")
    parser.add_argument("--frames", type=int, default=16, help="frames of each video (default: 16)")
    args = parser.parse_args()
    default_finder()
    print(f"Measured by `python -m benchmarks.prepare` on {machine()}; asked: {TARGET:.0f} faces a second.\n")
    print(
        "| source | files | faces | faces a second | processor ms a face | second time, s |\n|---|---|---|---|---|---|"
    )
    sources = {
        name: pictures(name, args.pictures) for name in ("stylegan_ffhq", "stylegan2_unsplash", "sd21_web", "dfdc")
    }
    for name, samples in {**sources, "videos": videos()}.items():
        with tempfile.TemporaryDirectory() as cache:
            print(row(name, samples, args.frames, Path(cache)), flush=True)


if __name__ == "__main__":
    main()
