"""From which quantiser on is a film too coarse to judge? Faces of the val split, and clips, written again as H.264.

    python -m benchmarks.compression --data ../shared/data/manifest.csv
    python -m benchmarks.compression --clips ../shared/data/videos

Each face is written as a film of three equal frames, at several rate factors, and judged as a frame of a film is: once,
by the limits of films. What counts is not the rate factor but the mean quantisation parameter (QP) that the decoder
tells of the first frame, which hides the least. Of clips the first four seconds are written again, analysed like any
other, with the gate and without it. The media are licensed for research: only figures are printed.
"""

import argparse
import random
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.analysis import analyze_video
from core.data.augment import MEAN_PART
from core.data.dataset import Sample, find_samples
from core.data.draw import read_crop
from core.data.prepare import prepare
from core.detector import Detector, load_detector
from core.faces.crop import middle, resize_crop
from core.media import H264Writer, VideoReader
from core.metrics import roc_auc, wilson_interval

RATE_FACTORS = (30, 33, 36, 38, 40, 43)
CLIP_FACTORS = (23, 30, 34, 38, 42)
EDGES = (20, 27, 30, 32, 34, 36, 38, 41, 44)
LARGEST = 256  # as the sources' own crops are: a larger face is coded with less of its detail at the same QP
CLIP_S = 4.0
SEED = 3

Rgb = NDArray[np.uint8]


def through_h264(rgb: Rgb, rate_factor: int, frames: int = 3) -> tuple[Rgb, float]:
    """The last of a few equal frames, and the quantiser of the first."""
    with tempfile.TemporaryDirectory(prefix="still-") as folder:
        path = Path(folder) / "still.mp4"
        with H264Writer(path, (rgb.shape[1], rgb.shape[0]), 25, quality=rate_factor) as writer:
            for _ in range(frames):
                writer.write(rgb)
        with VideoReader(path) as reader:
            read = list(reader)
    quantiser = read[0].quantiser
    assert quantiser is not None  # it is H.264
    return np.ascontiguousarray(read[-1].rgb[: rgb.shape[0], : rgb.shape[1]]), quantiser


def probabilities(detector: Detector, crops: Sequence[Rgb]) -> NDArray[np.float64]:
    """P(fake) of crops, judged as frames of films are."""
    seen = np.stack([resize_crop(middle(crop, MEAN_PART), detector.spec.input_size) for crop in crops])
    return detector.probability(detector.predict(seen).logits, video=True)


def errors(p: NDArray[np.float64], fake: NDArray[np.bool_], detector: Detector) -> str:
    limits = detector.spec.limits(video=True)
    cells = [f"{int((~fake).sum())} + {int(fake.sum())}", f"{roc_auc(p, fake):.3f}"]
    for wrong in (p[~fake] >= limits.fake_above, p[fake] < limits.real_below):
        low, high = wilson_interval(int(wrong.sum()), len(wrong))
        cells.append(f"{100 * wrong.mean():.1f} % [{100 * low:.1f}, {100 * high:.1f}]")
    return " | ".join(cells)


def faces(samples: Sequence[Sample], detector: Detector) -> None:
    crops = []
    for sample in samples:
        crop = read_crop(sample.path)
        crops.append(resize_crop(crop, LARGEST) if max(crop.shape) > LARGEST else crop)
    fake = np.array([sample.fake for sample in samples])
    print("| QP | faces, real + fake | AUC | real called fake | fake called real |\n|---|---|---|---|---|")
    print("| untouched |", errors(probabilities(detector, crops), fake, detector), "|", flush=True)
    told, said = [], []
    for rate_factor in RATE_FACTORS:
        copies = [through_h264(crop, rate_factor) for crop in crops]
        said.append(probabilities(detector, [copy for copy, _ in copies]))
        told += [quantiser for _, quantiser in copies]
    p, quantisers, labels = np.concatenate(said), np.array(told), np.tile(fake, len(RATE_FACTORS))
    for low, high in pairwise(EDGES):
        inside = (quantisers > low) & (quantisers <= high)
        if labels[inside].any() and not labels[inside].all():
            print(f"| {low} to {high} |", errors(p[inside], labels[inside], detector), "|")


def clips(folder: Path, detector: Detector) -> None:
    open_gate = replace(detector.spec, gates=replace(detector.spec.gates, max_quantiser=51))
    print("| clip | CRF | QP | without the gate | with it |\n|---|---|---|---|---|")
    for clip in sorted(folder.rglob("*.mp4")):
        with VideoReader(clip) as reader:
            fps = reader.info.fps or 25.0
            frames = [frame.rgb for frame in islice(reader, round(CLIP_S * fps))]
        for rate_factor in CLIP_FACTORS:
            with tempfile.TemporaryDirectory(prefix="clip-") as place:
                path = Path(place) / "clip.mp4"
                with H264Writer(path, (frames[0].shape[1], frames[0].shape[0]), fps, quality=rate_factor) as writer:
                    for rgb in frames:
                        writer.write(rgb)
                with_gate = analyze_video(path, detector, maps=False)
                shut, detector.spec = detector.spec, open_gate
                without = analyze_video(path, detector, maps=False)
                detector.spec = shut
            known = [s.quality.quantiser for f in with_gate.frames for s in f.faces if s.quality.quantiser is not None]
            print(
                f"| {clip.stem} | {rate_factor} | {np.median(known):.0f} "
                f"| {without.verdict} ({without.fake_probability or 0:.2f}) | {with_gate.verdict} |",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", help="labelled data with a val split")
    parser.add_argument("--clips", type=Path, help="a folder of clips")
    parser.add_argument("--limit", type=int, default=110, help="faces of each class and source")
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where face crops are kept")
    args = parser.parse_args()
    detector = load_detector()
    if args.data:
        by_class: dict[tuple[str, bool], list[Sample]] = {}
        for sample in find_samples([args.data]):
            if sample.split == "val":
                by_class.setdefault((sample.source, sample.fake), []).append(sample)
        drawn = [s for some in by_class.values() for s in random.Random(SEED).sample(some, min(args.limit, len(some)))]
        faces(prepare(drawn, args.cache, scale=0.88), detector)
    if args.clips:
        clips(args.clips, detector)


if __name__ == "__main__":
    main()
