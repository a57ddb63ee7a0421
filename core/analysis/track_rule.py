"""The rule that makes one verdict of all faces of one person in a video.

Two views of the same track, in calibrated log-odds l = log(p / (1 - p)):

- the whole: the trimmed mean of l over all faces that pass the quality gates. A few bad frames move it little.
- stretches: l smoothed by a running median over 0.6 s stays above 0 (gaps up to 0.4 s allowed) for at least a second.
  A stretch counts by its own strength, or because it stands out from the rest of the same track.

What is picked out of many places must be stronger than what stands alone: the strength of a stretch, and of a track
among the tracks of a video, is its mean shrunk by

    SELECTION_COST * ln(watched / length) / independent faces

where `watched` is the face time of the whole video (ten minutes hold more chance peaks than ten seconds; sixty short
shots more than one). With faces spaced by dt, n of them count as n (1 - r) / (1 + r) independent ones,
r = exp(-dt / CORRELATION_S) (the variance of the mean of an AR(1) process). Summed log-odds are the evidence for
"fake here", and ln(watched / length) is the price of having had that many places to choose from, as in scan statistics.

Standing out. What makes a genuine face look fake (its skin, its camera, its codec) mostly stays for the length of a
track: it lifts a stretch and the rest alike, and falls out of their difference d. With single faces whose calibrated
log-odds have the means -v/2 and v/2 (equal variances, v = d'^2), d has the mean 0 where nothing was done and v where
the stretch was made, and the variance s^2 (1/n + 1/m): n and m independent faces in the stretch and in the rest, s^2
the variance within a person. The log-odds of "made" are then v (d - v/2) / (s^2 (1/n + 1/m)), less
ln(watched / length). A change of less than v/2 never counts, whatever its length: poses and light do that much.

Where it begins and ends. In a track that is not fake as a whole, a stretch that counts is narrowed to the part at
which one step up from the rest fits the log-odds best (least squares): faces beside it that look suspicious for another
reason lie above 0 too.

The constants come from `python -m benchmarks.track_rule`. With frames of AUC 0.95, 5 % of clean ones above `fake_above`
and a correlation time of 0.5 s, at 5 frames per second: a clean track of ten minutes is called fake in 1 % of cases
(14 % if the correlation time is 1 s in truth), 3 s of fake within a minute are found in 69 %, 5 s within ten minutes in
72 %. Many short shots are hard: of clean minutes cut every two seconds a third is `uncertain`, and none is fake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.analysis.stretches import (
    find_stretches,
    independent_faces,
    length_of,
    selection_price,
    spacing_of,
    to_log_odds,
    to_probability,
    trimmed_mean,
)
from core.analysis.track_sentences import TOO_BRIEF, stretch_sentence, too_few_sentence
from core.analysis.types import Stretch, TrackReport, Verdict
from core.analysis.verdict import MIN_TRACK_FACES, Gate, between_sentence, percent, verdict_of

if TYPE_CHECKING:
    from core.detector.spec import Thresholds

MIN_JUDGED_SHARE = 0.2  # "real" needs more than a few lucky faces out of many

Floats = NDArray[np.float64]


@dataclass
class TrackEvidence:
    """What is kept of one person while a video is read: three numbers a face.

    Attributes:
        id: Number of the person, from 1.
        times_s: Time of each face, rising.
        probabilities: Calibrated P(fake) of each face.
        failed: Quality gates that each face fails; one that fails any has no weight.
    """

    id: int
    times_s: list[float] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)
    failed: list[tuple[Gate, ...]] = field(default_factory=list)

    def add(self, time_s: float, probability: float, failed: tuple[Gate, ...] = ()) -> None:
        """Take in one more face."""
        self.times_s.append(time_s)
        self.probabilities.append(probability)
        self.failed.append(failed)


def judge_tracks(
    evidences: Iterable[TrackEvidence], thresholds: Thresholds, *, picked: Thresholds | None = None
) -> tuple[TrackReport, ...]:
    """The verdicts on all people of a video, each in view of how much there was to choose from; by number.

    Args:
        evidences: All people, in any order.
        thresholds: Of a whole track.
        picked: Of a stretch that makes a track fake by itself; None: the same.
    """
    people = sorted(evidences, key=lambda evidence: evidence.id)
    watched_s = sum(length_of(np.asarray(person.times_s)) for person in people)
    return tuple(judge_track(person, thresholds, picked=picked, watched_s=watched_s) for person in people)


def judge_track(
    evidence: TrackEvidence, thresholds: Thresholds, *, picked: Thresholds | None = None, watched_s: float = 0.0
) -> TrackReport:
    """The verdict on one person.

    Args:
        evidence: At least one face.
        thresholds: Two limits on calibrated probabilities, for the whole of the track.
        picked: Those for a stretch of it, which has fewer faces to speak for it; None: the same.
        watched_s: Face time of the whole video in seconds; at least this track's own is taken.

    Returns:
        A report whose probability is the higher one of the whole and the strongest stretch, each shrunk. `uncertain`,
        with the reason: fewer than three faces that can be judged, and a track that looks fake but is so short that
        chance explains it (its probability is then not shrunk).
    """
    times, log_odds = np.asarray(evidence.times_s), to_log_odds(np.asarray(evidence.probabilities))
    usable = np.asarray([not failed for failed in evidence.failed])
    judged = int(usable.sum())
    if judged < MIN_TRACK_FACES:
        whole = to_probability(trimmed_mean(log_odds[usable] if judged else log_odds))
        return _report(evidence, "uncertain", whole, (), (too_few_sentence(evidence.failed, judged),))
    found, verdict, probability, reasons = _weigh(
        times[usable], log_odds[usable], thresholds, picked or thresholds, watched_s
    )
    if verdict == "real" and judged < MIN_JUDGED_SHARE * len(times):
        verdict, reasons = "uncertain", (too_few_sentence(evidence.failed, judged),)
    return _report(evidence, verdict, probability, found, reasons)


def _weigh(
    times_s: Floats, log_odds: Floats, thresholds: Thresholds, picked: Thresholds, watched_s: float
) -> tuple[tuple[Stretch, ...], Verdict, float, tuple[str, ...]]:
    """Stretches, verdict, probability and reasons of a track, from its faces that can be judged."""
    plain = trimmed_mean(log_odds)
    length, spacing = length_of(times_s), spacing_of(times_s)
    shrunk = to_probability(plain - selection_price(length, watched_s) / independent_faces(len(times_s), spacing))
    proven = shrunk >= thresholds.fake_above
    if proven:
        found = find_stretches(times_s, log_odds, thresholds, watched_s=0.0)
    else:
        found = find_stretches(times_s, log_odds, picked, watched_s=max(watched_s, length))
    if found and not proven:
        strongest = max(stretch.fake_probability for stretch in found)
        return tuple(found), "fake", strongest, tuple(map(stretch_sentence, found))
    if not proven and to_probability(plain) >= thresholds.fake_above:
        return (), "uncertain", to_probability(plain), (TOO_BRIEF.format(percent(to_probability(plain))),)
    verdict = verdict_of(shrunk, thresholds)
    probability = max([shrunk, *(stretch.fake_probability for stretch in found)])
    return tuple(found), verdict, probability, (between_sentence(shrunk, thresholds),) if verdict == "uncertain" else ()


def _report(
    evidence: TrackEvidence,
    verdict: Verdict,
    probability: float,
    stretches: tuple[Stretch, ...],
    reasons: tuple[str, ...],
) -> TrackReport:
    return TrackReport(
        id=evidence.id,
        start_s=float(evidence.times_s[0]),
        end_s=float(evidence.times_s[-1]),
        verdict=verdict,
        fake_probability=probability,
        stretches=stretches,
        reasons=reasons,
        face_count=len(evidence.times_s),
    )
