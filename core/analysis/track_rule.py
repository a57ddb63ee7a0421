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

Where it begins and ends. A stretch that counts, in a track that is not fake as a whole, is narrowed to the part at which
one step up from the rest of the track fits the log-odds best (least squares): faces beside it that look suspicious for
another reason lie above 0 too.

The constants come from `python -m benchmarks.track_rule`. With frames of AUC 0.95, 5 % of clean ones above `fake_above`
and a correlation time of 0.5 s, at 5 frames per second: a clean track of ten minutes is called fake in 1 % of cases
(14 % if the correlation time is 1 s in truth), 3 s of fake within a minute are found in 69 %, 5 s within ten minutes in
72 %. Many short shots are hard: of clean minutes cut every two seconds a third is `uncertain`, and none is fake.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.analysis.track_sentences import TOO_BRIEF, stretch_sentence, too_few_sentence
from core.analysis.types import Stretch, TrackReport, Verdict
from core.analysis.verdict import MIN_TRACK_FACES, Gate, between_sentence, verdict_of

if TYPE_CHECKING:
    from core.detector.spec import Thresholds

SMOOTHING_S = 0.6
MAX_GAP_S = 0.4
MIN_STRETCH_S = 1.0
MIN_STRETCH_FACES = 4  # where sampling gives that many in a second; otherwise 3 in a row
CORRELATION_S = 0.5
SELECTION_COST = 1.0
TRIMMED_SHARE = 0.1  # of the faces, at each end
MIN_JUDGED_SHARE = 0.2  # "real" needs more than a few lucky faces out of many
SEPARATION = 7.1  # v: d' = 2.66, an AUC of .97; the detector that ships has .98 on dfdc's test faces
WITHIN_PERSON = 2.0  # s^2 is taken for at least this: real clips have 0.4 to 2.7 (`python -m benchmarks.splices`)
SLOW_S = 1.0  # correlation time where two parts are compared: what changes in a shot changes for longer than noise does
MIN_CONTRAST_S = 1.5  # a hand before the face or a turn of the head lasts a second
MOST_CERTAIN = 0.99  # what standing out can say: the model above is cruder than the numbers that it gives
_ROUNDS = 20  # each makes the fit better, so that it ends: mostly after two
_CERTAIN = 1e-6  # probabilities are cut to this distance from 0 and 1: one face cannot outweigh all others

Floats = NDArray[np.float64]
Ends = NDArray[np.intp]


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
    watched_s = sum(_length(np.asarray(person.times_s)) for person in people)
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
    times, log_odds = np.asarray(evidence.times_s), _log_odds(np.asarray(evidence.probabilities))
    usable = np.asarray([not failed for failed in evidence.failed])
    judged = int(usable.sum())
    if judged < MIN_TRACK_FACES:
        whole = _sigmoid(_trimmed_mean(log_odds[usable] if judged else log_odds))
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
    plain = _trimmed_mean(log_odds)
    length, spacing = _length(times_s), _spacing(times_s)
    shrunk = _sigmoid(plain - _selection(length, watched_s) / independent_faces(len(times_s), spacing))
    proven = shrunk >= thresholds.fake_above
    if proven:
        found = find_stretches(times_s, log_odds, thresholds, watched_s=0.0)
    else:
        found = find_stretches(times_s, log_odds, picked, watched_s=max(watched_s, length))
    if found and not proven:
        strongest = max(stretch.fake_probability for stretch in found)
        return tuple(found), "fake", strongest, tuple(map(stretch_sentence, found))
    if not proven and _sigmoid(plain) >= thresholds.fake_above:
        return (), "uncertain", _sigmoid(plain), (TOO_BRIEF.format(_sigmoid(plain)),)
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


def find_stretches(times_s: Floats, log_odds: Floats, thresholds: Thresholds, *, watched_s: float) -> list[Stretch]:
    """Parts of a track that look manipulated, in order of time.

    Args:
        times_s: (n,) rising times of faces that can be judged, n >= 1; any spacing.
        log_odds: (n,) calibrated log-odds of fake.
        thresholds: A stretch counts when its shrunk probability reaches `fake_above`, or that of standing out does.
        watched_s: Face time out of which stretches are picked; 0 where the track is known to be fake and its stretches
            only say where: then nothing is shrunk, and nothing compared.
    """
    spacing = _spacing(times_s)
    smoothed = running_median(times_s, log_odds, SMOOTHING_S)
    level = min(0.0, float(_log_odds(np.asarray([thresholds.fake_above]))[0]))
    spans = [
        slice(first, last + 1)
        for first, last in _runs(times_s, smoothed >= level, MAX_GAP_S + spacing)
        if _long_enough(float(times_s[last] - times_s[first]) + spacing, last - first + 1, spacing)
    ]
    rest = np.ones(len(times_s), bool)
    for span in spans:
        rest[span] = False
    found = []
    for span in spans:
        start_s, end_s, faces = float(times_s[span.start]), float(times_s[span.stop - 1]), span.stop - span.start
        lasted = end_s - start_s + spacing
        picked = _selection(lasted, watched_s)
        strength = float(smoothed[span].mean()) - picked / independent_faces(faces, spacing)
        if watched_s:
            part = _narrowed(times_s, log_odds, span, rest)
            start_s, end_s = float(times_s[part.start]), float(times_s[part.stop - 1])
        if _sigmoid(strength) >= thresholds.fake_above:
            found.append(Stretch(start_s, end_s, _sigmoid(strength)))
        elif watched_s and lasted >= MIN_CONTRAST_S and rest.sum() >= MIN_STRETCH_FACES:
            made = min(_sigmoid(_standing_out(log_odds[span], log_odds[rest], spacing) - picked), MOST_CERTAIN)
            if made >= thresholds.fake_above:
                inside, outside = (_sigmoid(_trimmed_mean(some)) for some in (log_odds[part], log_odds[rest]))
                found.append(Stretch(start_s, end_s, made, (inside, outside)))
    return found


def _narrowed(times_s: Floats, log_odds: Floats, span: slice, rest: NDArray[np.bool_]) -> slice:
    """The part of a span at which a step up from the rest of its track fits best; all of it where nothing is left over.

    Each end in turn is put at its best place until neither moves.
    """
    others = int(rest.sum())
    if others < MIN_STRETCH_FACES:
        return span
    size = span.stop - span.start
    sums = np.r_[0.0, np.cumsum(log_odds[span])]
    edges_s = np.r_[times_s[span], times_s[span.stop - 1] + _spacing(times_s)]
    total = float(log_odds[rest].sum() + sums[-1])

    def gain(first: Ends, last: Ends) -> Floats:
        """By how much a step from the face `first` to before `last` lowers the sum of squares."""
        inside, outside = last - first, others + size - (last - first)
        step = (sums[last] - sums[first]) / inside - (total - sums[last] + sums[first]) / outside
        allowed = (inside >= MIN_TRACK_FACES) & (edges_s[last] - edges_s[first] >= MIN_STRETCH_S - 1e-6) & (step > 0)
        return np.where(allowed, inside * outside * step**2, 0.0)

    first, last = 0, size
    for _ in range(_ROUNDS):
        lasts = np.arange(first + 1, size + 1)[::-1]  # of equals the longest
        better_last = int(lasts[np.argmax(gain(np.full_like(lasts, first), lasts))])
        firsts = np.arange(better_last)
        better_first = int(firsts[np.argmax(gain(firsts, np.full_like(firsts, better_last)))])
        if (better_first, better_last) == (first, last):
            break
        first, last = better_first, better_last
    return slice(span.start + first, span.start + last)


def _standing_out(stretch: Floats, rest: Floats, spacing_s: float) -> float:
    """Log-odds that a stretch was made and the rest of its track was not, by the difference of their faces."""
    inside, outside = (independent_faces(len(part), spacing_s, SLOW_S) for part in (stretch, rest))
    squares = sum(float(((part - part.mean()) ** 2).sum()) for part in (stretch, rest))
    variance = max(WITHIN_PERSON, squares / (len(stretch) + len(rest) - 2)) * (1 / inside + 1 / outside)
    return SEPARATION * (_trimmed_mean(stretch) - _trimmed_mean(rest) - SEPARATION / 2) / variance


def _selection(length_s: float, watched_s: float) -> float:
    """The price in log-odds of having picked a part of this length out of `watched_s`."""
    return SELECTION_COST * math.log(watched_s / length_s) if watched_s > length_s > 0 else 0.0


def running_median(times_s: Floats, values: Floats, window_s: float) -> Floats:
    """Median over `window_s` around each time stamp, whatever the spacing; shape (n,) like `values`."""
    half = window_s / 2 + 1e-6
    starts = np.searchsorted(times_s, times_s - half, side="left")
    ends = np.searchsorted(times_s, times_s + half, side="right")
    smoothed = np.empty_like(values)
    # windows of one length are done together: a loop over 18,000 frames would be felt
    for size in np.unique(ends - starts):
        rows = np.flatnonzero(ends - starts == size)
        smoothed[rows] = np.median(values[starts[rows, None] + np.arange(size)], axis=1)
    return smoothed


def independent_faces(faces: int, spacing_s: float, correlation_s: float = CORRELATION_S) -> float:
    """How many independent faces `faces` correlated ones are worth, at least 1."""
    r = math.exp(-spacing_s / correlation_s)
    return max(1.0, faces * (1 - r) / (1 + r))


def _long_enough(lasted_s: float, faces: int, spacing_s: float) -> bool:
    dense = spacing_s * MIN_STRETCH_FACES <= MIN_STRETCH_S + 1e-6
    return lasted_s >= MIN_STRETCH_S - 1e-6 and faces >= (MIN_STRETCH_FACES if dense else MIN_TRACK_FACES)


def _runs(times_s: Floats, high: NDArray[np.bool_], max_step_s: float) -> Iterator[tuple[int, int]]:
    """First and last index of each run of high values, over gaps in which time steps at most `max_step_s`."""
    indices = np.flatnonzero(high)
    if not len(indices):
        return
    breaks = np.flatnonzero(np.diff(times_s[indices]) > max_step_s + 1e-6)
    yield from zip(indices[np.r_[0, breaks + 1]], indices[np.r_[breaks, len(indices) - 1]], strict=True)


def _spacing(times_s: Floats) -> float:
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0


def _length(times_s: Floats) -> float:
    """Seconds that the faces stand for: the last one counts as long as the others do."""
    return float(times_s[-1] - times_s[0]) + _spacing(times_s)


def _trimmed_mean(values: Floats) -> float:
    cut = int(len(values) * TRIMMED_SHARE)
    return float(np.sort(values)[cut : len(values) - cut].mean())


def _log_odds(probabilities: NDArray[np.float64]) -> Floats:
    clipped = np.clip(probabilities.astype(np.float64), _CERTAIN, 1 - _CERTAIN)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def _sigmoid(log_odds: float) -> float:
    return 1 / (1 + math.exp(-log_odds))
