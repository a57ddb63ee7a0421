"""How often the rule for a person in a video is wrong by chance, and what it finds: its constants rest on this.

    python -m benchmarks.track_rule                 # the table, about five minutes on one core
    python -m benchmarks.track_rule --trials 100    # quicker, coarser
    python -m benchmarks.track_rule --costs 0.4 0.6 0.8 1.0 1.2

Frame scores are drawn from two normal distributions (clean, fake) with the AUC asked for and turned into calibrated
log-odds, which for equal variances are linear in the score: l = d x - d² / 2, d = sqrt(2) * probit(AUC). Neighbouring
frames are correlated like exp(-dt / tau). `fake_above` is set where 5 % of clean frames lie above it.
"""

import argparse
import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from core.analysis import stretches
from core.analysis.track_rule import TrackEvidence, judge_tracks
from core.analysis.types import TrackReport
from core.analysis.verdict import judge_video

AUC = 0.95
FRAME_FALSE_POSITIVES = 0.05
SPACINGS_S = (1 / 30, 1 / 5, 1 / 2, 1.0)


@dataclass(frozen=True)
class Limits:
    """Stands in for a detector's thresholds."""

    real_below: float
    fake_above: float


def separation() -> float:
    """d': the distance of both distributions in standard deviations."""
    return math.sqrt(2) * NormalDist().inv_cdf(AUC)


def limits() -> Limits:
    """`fake_above` at the false-positive rate wanted, `real_below` its mirror image."""
    d = separation()
    fake_above = 1 / (1 + math.exp(-(d * NormalDist().inv_cdf(1 - FRAME_FALSE_POSITIVES) - d * d / 2)))
    return Limits(1 - fake_above, fake_above)


def draw(times_s: NDArray[np.float64], fake: NDArray[np.bool_], tau_s: float, rng: np.random.Generator) -> list[float]:
    """Calibrated probabilities of a track with evenly spaced faces."""
    d, r = separation(), math.exp(-(times_s[1] - times_s[0]) / tau_s)
    noise = rng.standard_normal(len(times_s)) * math.sqrt(1 - r * r)
    noise[0] = rng.standard_normal()
    scores = lfilter([1.0], [1.0, -r], noise) + d * fake
    return list(1 / (1 + np.exp(-(d * scores - d * d / 2))))


def film(
    seconds: float, spacing_s: float, rng: np.random.Generator, *, fake_s: float = 0.0, shot_s: float = 0.0,
    tau_s: float = 0.5,
) -> tuple[tuple[TrackReport, ...], tuple[float, float]]:  # fmt: skip
    """One film of one person, in shots of `shot_s` (0: in one), with one fake stretch; and where that is."""
    times = np.arange(0, seconds, spacing_s)
    start = rng.uniform(0, seconds - fake_s)
    fake = (times >= start) & (times < start + fake_s)
    shots = (
        np.array_split(np.arange(len(times)), max(1, round(seconds / shot_s))) if shot_s else [np.arange(len(times))]
    )
    tracks = []
    for number, shot in enumerate(shots, start=1):
        probabilities = draw(times[shot], fake[shot], tau_s, rng)
        tracks.append(TrackEvidence(number, list(times[shot]), probabilities, [()] * len(shot)))
    return judge_tracks(tracks, limits()), (start, start + fake_s)


def rates(trials: int, seconds: float, spacing_s: float, **options: float) -> tuple[float, float, float]:
    """Share of films called fake, share called uncertain, and how well the stretches found cover the truth (IoU)."""
    rng = np.random.default_rng(7)
    verdicts, overlaps = [], []
    for _ in range(trials):
        tracks, truth = film(seconds, spacing_s, rng, **options)
        verdicts.append(judge_video(tracks, limits())[0])
        found = [stretch for track in tracks for stretch in track.stretches]
        if found and truth[1] > truth[0]:
            overlaps.append(_iou([(s.start_s, s.end_s + spacing_s) for s in found], truth))
    share = [verdicts.count(verdict) / trials for verdict in ("fake", "uncertain")]
    return share[0], share[1], float(np.mean(overlaps)) if overlaps else math.nan


def _iou(found: list[tuple[float, float]], truth: tuple[float, float]) -> float:
    common = sum(max(0.0, min(end, truth[1]) - max(start, truth[0])) for start, end in found)
    return common / (sum(end - start for start, end in found) + truth[1] - truth[0] - common)


CASES: list[tuple[str, float, dict[str, float]]] = [
    ("clean, 10 min", 600, {}),
    ("clean, 10 min, correlation 1 s instead of 0.5", 600, {"tau_s": 1.0}),
    ("clean, 10 min in shots of 2 s", 600, {"shot_s": 2.0}),
    ("clean, 1 min in shots of 2 s", 60, {"shot_s": 2.0}),
    ("3 s fake in 1 min", 60, {"fake_s": 3.0}),
    ("3 s fake in 10 min", 600, {"fake_s": 3.0}),
    ("5 s fake in 10 min", 600, {"fake_s": 5.0}),
    ("10 s fake throughout", 10, {"fake_s": 10.0}),
]


def main() -> None:
    """Print one table for each selection cost."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=400, help="films for each figure (default: 400)")
    parser.add_argument("--costs", type=float, nargs="*", default=[stretches.SELECTION_COST])
    arguments = parser.parse_args()
    print(f"fake_above {limits().fake_above:.3f}; AUC of frames {AUC}; fake % / uncertain % / IoU of stretches")
    for cost in arguments.costs:
        stretches.SELECTION_COST = cost
        print(f"\nselection cost {cost:g}".ljust(52), *(f"{1 / spacing:>10.0f} fps" for spacing in SPACINGS_S))
        for name, seconds, options in CASES:
            cells = [rates(arguments.trials, seconds, spacing, **options) for spacing in SPACINGS_S]
            print(name.ljust(51), *(f"{f:6.1%}/{u:4.0%}/{i:.2f}".replace("/nan", "").rjust(16) for f, u, i in cells))


if __name__ == "__main__":
    main()
