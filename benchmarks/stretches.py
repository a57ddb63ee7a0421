"""Is a manipulated stretch found in time? Real clips of ../shared/data/videos, manipulated by us between known seconds.

    python -m benchmarks.stretches                           # the detector that ships, five frames a second
    python -m benchmarks.stretches --every-frame

The sample clip comes first, which tells its own seconds. In the others, from second 3 to before second 7 the frames are
those of the deepfake that FaceForensics++ made of the same clip, where there is one ("spliced"); or the face is swapped
for that of the other clip's person (a composite of the whole or the inner face), or blended with a changed copy of
itself; each frame anew, with the same settings. The clip is written as H.264 and analysed like any other. Printed are
the stretches that are marked and their intersection over union with the truth, which of an untouched clip should be 0.
A swap may begin a track of its own. The media are licensed for research.
"""

import argparse
import tempfile
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.random import default_rng
from numpy.typing import NDArray

from core.analysis import analyze_video
from core.analysis.types import VideoReport
from core.data.composite import PARTS, composite
from core.data.self_blend import self_blend
from core.detector import load_detector
from core.faces import default_finder
from core.faces.crop import crop_square
from core.faces.landmarks import default_mesh
from core.media import H264Writer, Sampling, VideoReader
from core.samples import sample_video

CLIPS = Path(__file__).parents[2] / "shared" / "data" / "videos" / "Real"
DEEPFAKES = {"ffpp_519": CLIPS.parent / "Fake" / "ffpp_deepfakes_519_515.mp4"}
"""Of the same clip, frame by frame."""
FROM_S, TO_S, LENGTH_S = 3.0, 7.0, 10.0
SEED, CRF = 3, 23
AROUND = 1.5
"""Side of what is manipulated, in face heights: all that a blend touches."""

Rgb = NDArray[np.uint8]
Face = tuple[Rgb, NDArray[np.float32], tuple[int, int]]
"""A face with what is around it, its mesh in those pixels, and where its left top corner lies in the frame."""


def face_of(frame: Rgb) -> Face | None:
    found = default_finder().find(frame)
    if not found:
        return None
    left, top, side = (round(edge) for edge in crop_square(max(found, key=lambda one: one.score), AROUND))
    x, y = max(0, left), max(0, top)
    part = np.ascontiguousarray(frame[y : top + side, x : left + side])
    points, confidence = default_mesh().points(part)
    return (part, points, (x, y)) if confidence >= 0.5 else None


@cache
def swapping_seed() -> int:
    """A seed by which `composite` takes the whole or the inner face."""
    for seed in range(1000):
        if default_rng(seed).choice(list(PARTS), p=list(PARTS.values())) in ("face", "inner"):
            return seed
    raise AssertionError("no part of the face is ever whole")


def self_blended(frame: Rgb) -> Rgb:
    """The frame with its face blended with a changed copy of itself."""
    return _changed(frame, lambda part, points: self_blend(part, points, default_rng(SEED)).fake)


def swapped(frame: Rgb, donor: Face) -> Rgb:
    """The frame with the donor's face in the place of its own."""
    seed = swapping_seed()
    return _changed(frame, lambda part, points: composite(part, points, donor[0], donor[1], default_rng(seed)).fake)


def _same(frame: Rgb) -> Rgb:
    return frame


def _changed(frame: Rgb, change: Callable[[Rgb, NDArray[np.float32]], Rgb]) -> Rgb:
    face = face_of(frame)
    if face is None:
        return frame
    part, points, (x, y) = face
    result = frame.copy()
    result[y : y + part.shape[0], x : x + part.shape[1]] = change(part, points)
    return result


def write(clip: Path, into: Path, change: Callable[[Rgb], Rgb], *, other: Path | None = None) -> None:
    """The clip's first seconds, encoded anew; the stretch taken from the other clip, if there is one, and changed."""
    with (
        VideoReader(clip, Sampling.every_frame()) as reader,
        VideoReader(other or clip, Sampling.every_frame()) as stretch,
        H264Writer(into, reader.info.size_wh, reader.info.fps, quality=CRF) as writer,
    ):
        for frame, instead in zip(reader, stretch, strict=False):
            if frame.time_s >= LENGTH_S:
                break
            writer.write(change(instead.rgb) if FROM_S <= frame.time_s < TO_S else frame.rgb)


def first_face(clip: Path) -> Face:
    with VideoReader(clip, Sampling.per_second(1)) as reader:
        return next(face for frame in reader if (face := face_of(frame.rgb)))


def overlap(marked: Sequence[tuple[float, float]], truth: tuple[float, float]) -> float:
    """Intersection over union with the truth, in time."""
    from_s, to_s = truth
    both = sum(max(0.0, min(end, to_s) - max(start, from_s)) for start, end in marked)
    return both / (sum(end - start for start, end in marked) + to_s - from_s - both)


def means(report: VideoReport, truth: tuple[float, float]) -> tuple[float, float]:
    """Calibrated fake probability of the faces in the manipulated stretch and outside of it."""
    faces = [(frame.time_s, face.fake_probability) for frame in report.frames for face in frame.faces]
    inside = [p for time_s, p in faces if truth[0] <= time_s < truth[1]]
    outside = [p for time_s, p in faces if not truth[0] <= time_s < truth[1]]
    return float(np.mean(inside)), float(np.mean(outside))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("model/default"))
    parser.add_argument("--every-frame", action="store_true", help="default: five a second")
    options = parser.parse_args()
    detector = load_detector(options.model)
    sampling = Sampling.every_frame() if options.every_frame else Sampling.per_second(5)
    sample = sample_video()
    report = analyze_video(sample.path, detector, sampling=sampling)
    print(f"{'sample clip':<30} {words(report, (sample.fake_start_s, sample.fake_end_s))}", flush=True)
    clips = sorted(CLIPS.glob("*.mp4"))
    donors = [first_face(clip) for clip in clips]
    with tempfile.TemporaryDirectory() as folder:
        for index, clip in enumerate(clips):
            ways: dict[str, Callable[[Rgb], Rgb]] = {
                "untouched": _same,
                **({"spliced": _same} if clip.stem in DEEPFAKES else {}),
                "self-blended": self_blended,
                "swapped": partial(swapped, donor=donors[index - 1]),
            }
            for name, change in ways.items():
                made = Path(folder) / f"{clip.stem}-{name}.mp4"
                write(clip, made, change, other=DEEPFAKES[clip.stem] if name == "spliced" else None)
                report = analyze_video(made, detector, sampling=sampling)
                print(f"{clip.stem:<16} {name:<13} {words(report, (FROM_S, TO_S))}", flush=True)


def words(report: VideoReport, truth: tuple[float, float]) -> str:
    marked = [(one.start_s, one.end_s) for track in report.tracks for one in track.stretches]
    said = ", ".join(f"{start:.1f}-{end:.1f} s" for start, end in marked) or "nothing"
    inside, outside = means(report, truth)
    return (
        f"{report.verdict:<10} marked {said} (IoU {overlap(marked, truth):.2f}), "
        f"mean fake probability {inside:.2f} inside and {outside:.2f} outside"
    )


if __name__ == "__main__":
    main()
