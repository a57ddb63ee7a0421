"""What the gate on coarse films does to clips: written again as H.264 at several rate factors, judged with and without.

    python -m benchmarks.compression --clips ../shared/data/videos

The first four seconds of each are analysed like any other film. What counts for the gate is not the rate factor but the
mean quantisation parameter (QP) that the decoder tells of a frame. Errors by QP, face by face, are told by
`evaluate.py --gates`. The media are licensed for research: only figures are printed.
"""

import argparse
import tempfile
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.analysis import analyze_video
from core.detector import Detector, load_detector
from core.media import H264Writer, VideoReader

RATE_FACTORS = (23, 30, 34, 38, 42)
CLIP_S = 4.0
NO_LIMIT = 51

Rgb = NDArray[np.uint8]


def first_seconds(clip: Path) -> tuple[list[Rgb], float]:
    """The frames to write again, and how many there are a second."""
    with VideoReader(clip) as reader:
        fps = reader.info.fps or 25.0
        return [frame.rgb for frame in islice(reader, round(CLIP_S * fps))], fps


def line(path: Path, detector: Detector) -> str:
    """Cells of the table: QP, the verdict without the gate, and the one with it."""
    with_gate, shut = analyze_video(path, detector, maps=False), detector.spec
    detector.spec = replace(shut, gates=replace(shut.gates, max_quantiser=NO_LIMIT))
    without = analyze_video(path, detector, maps=False)
    detector.spec = shut
    known = [s.quality.quantiser for f in with_gate.frames for s in f.faces if s.quality.quantiser is not None]
    told = f"{without.verdict} ({without.fake_probability or 0:.2f}) | {with_gate.verdict}"
    return f"{np.median(known):.0f} | {told}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=Path, required=True, help="a folder of clips")
    args = parser.parse_args()
    detector = load_detector()
    print("| clip | CRF | QP | without the gate | with it |\n|---|---|---|---|---|")
    for clip in sorted(args.clips.rglob("*.mp4")):
        frames, fps = first_seconds(clip)
        height, width = frames[0].shape[:2]
        for rate_factor in RATE_FACTORS:
            with tempfile.TemporaryDirectory(prefix="clip-") as place:
                path = Path(place) / "clip.mp4"
                with H264Writer(path, (width, height), fps, quality=rate_factor) as writer:
                    for rgb in frames:
                        writer.write(rgb)
                print(f"| {clip.stem} | {rate_factor} | {line(path, detector)} |", flush=True)


if __name__ == "__main__":
    main()
