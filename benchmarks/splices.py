"""How well a spliced stretch is found, and how often one is seen where none is: the rule for what stands out.

    python -m benchmarks.splices                            # the detector that ships; about eight minutes on two cores

Each clip of ../shared/data/videos is encoded anew at several CRFs and its faces are judged once, five a second. Then
films are put together of these scores, at random places: of FaceForensics++'s clip and the deepfake that was made of it
("spliced"), of one clip at two CRFs ("quality changes", in which nothing was manipulated), and of the clips that are
not labelled fake as they are ("untouched"). Printed are the share of films in which a stretch is marked, and for
spliced ones its intersection over union with the truth. The media are licensed for research.
"""

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.stretches import CLIPS, DEEPFAKES
from core.analysis import analyze_video
from core.analysis.stretches import find_stretches
from core.analysis.verdict import MIN_TRACK_FACES, failed_gates
from core.detector import Detector, load_detector
from core.media import H264Writer, Sampling, VideoReader

CRFS, WORSE = (18, 24, 30), (35, 40)
FPS, LONGEST_S = 5, 30
FILMS = 100
LENGTHS_S = (1.6, 2.0, 3.0, 4.0, 6.0)


class Track(NamedTuple):
    """One person's faces: (n,) seconds, and (n,) calibrated log-odds of fake, NaN where a gate holds one back."""

    times_s: NDArray[np.float64]
    log_odds: NDArray[np.float64]

    def part(self, start_s: float, length_s: float) -> "Track":
        here = (self.times_s >= start_s) & (self.times_s < start_s + length_s)
        return Track(self.times_s[here], self.log_odds[here])


def judged(clip: Path, crf: int, folder: Path, detector: Detector) -> Track:
    """The scores of a clip that was encoded anew."""
    made = folder / "made.mp4"
    with (
        VideoReader(clip, Sampling.every_frame()) as reader,
        H264Writer(made, reader.info.size_wh, reader.info.fps, quality=crf) as writer,
    ):
        for frame in reader:
            if frame.time_s >= LONGEST_S:
                break
            writer.write(frame.rgb)
    report = analyze_video(made, detector, sampling=Sampling.per_second(FPS))
    faces = [
        (frame.time_s, np.nan if failed_gates(face.quality, detector.spec.gates) else face.fake_probability)
        for frame in report.frames
        for face in frame.faces
    ]
    times, p = np.array(faces).T
    return Track(times, np.log(p) - np.log1p(-p))


def film(one: Track, other: Track, seconds: float, length_s: float, rng: np.random.Generator) -> tuple[Track, float]:
    """A piece of one track in which a stretch is the other's, and where that begins."""
    count = min(len(one.times_s), len(other.times_s))
    start = rng.uniform(0, max(0.0, one.times_s[count - 1] - seconds))
    begin = start + rng.uniform(0, seconds - length_s)
    times = one.times_s[:count]
    inside = (times >= begin) & (times < begin + length_s)
    mixed = np.where(inside, other.log_odds[:count], one.log_odds[:count])
    return Track(times, mixed).part(start, seconds), begin


def marked(track: Track, detector: Detector) -> list[tuple[float, float]]:
    """The stretches that are found, each face standing for its share of a second."""
    known = np.isfinite(track.log_odds)
    if known.sum() < MIN_TRACK_FACES:
        return []
    watched = float(track.times_s[-1] - track.times_s[0]) + 1 / FPS
    found = find_stretches(
        track.times_s[known], track.log_odds[known], detector.spec.limits(video=False), watched_s=watched
    )
    return [(one.start_s, one.end_s + 1 / FPS) for one in found]


def spliced(real: Track, fake: Track, seconds: float, detector: Detector) -> Iterator[str]:
    """For each length, the share of stretches that are found, and the mean overlap of those that are."""
    for length_s in LENGTHS_S:
        rng, overlaps = np.random.default_rng(0), []
        for _ in range(FILMS):
            track, begin = film(real, fake, seconds, length_s, rng)
            found = marked(track, detector)
            both = sum(max(0.0, min(end, begin + length_s) - max(start, begin)) for start, end in found)
            if found:
                overlaps.append(both / (sum(end - start for start, end in found) + length_s - both))
        mean = f"{np.mean(overlaps):.2f}" if overlaps else "–"
        yield f"{length_s:g} s {len(overlaps) / FILMS:.0%} (IoU {mean})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=Path("model/default"))
    options = parser.parse_args()
    detector = load_detector(options.model)
    clips = [clip for clip in sorted(CLIPS.parent.glob("*/*.mp4")) if clip.parent.name != "Fake"]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        genuine = {(clip.stem, crf): judged(clip, crf, folder, detector) for clip in clips for crf in CRFS + WORSE}
        fakes = {(stem, crf): judged(fake, crf, folder, detector) for stem, fake in DEEPFAKES.items() for crf in CRFS}
    for (stem, crf), fake in fakes.items():
        for seconds in (10, 30):
            print(
                f"{stem} spliced, CRF {crf}, {seconds} s:",
                ", ".join(spliced(genuine[stem, crf], fake, seconds, detector)),
            )
    variances = [float(np.nanvar(track.log_odds)) for track in genuine.values() if np.isfinite(track.log_odds).any()]
    print(f"variance of the log-odds within a person: {min(variances):.1f} to {max(variances):.1f}")
    windows = [
        track.part(start, 10) for track in genuine.values() for start in np.arange(0, track.times_s[-1] - 9, 1.0)
    ]
    print(f"untouched, 10 s: {sum(bool(marked(track, detector)) for track in windows)} of {len(windows)} marked")
    for worse in (CRFS[-1], *WORSE):
        rng, seen, count = np.random.default_rng(0), 0, 0
        for clip in clips:
            for crf in CRFS[:2]:
                for length_s in LENGTHS_S * (FILMS // 10):
                    track, _ = film(genuine[clip.stem, crf], genuine[clip.stem, worse], 10, length_s, rng)
                    seen, count = seen + bool(marked(track, detector)), count + 1
        print(f"quality changes from CRF {CRFS[0]} or {CRFS[1]} to {worse}, 10 s: {seen} of {count} marked")


if __name__ == "__main__":
    main()
