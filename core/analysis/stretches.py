"""Where in a track a face looks manipulated: stretches that stay suspicious, or stand out; the arithmetic of tracks.

Why they count, and how their constants were chosen, stands in `core.analysis.track_rule`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from core.analysis.types import Stretch
from core.analysis.verdict import MIN_TRACK_FACES

if TYPE_CHECKING:
    from core.detector.spec import Thresholds

SMOOTHING_S = 0.6
MAX_GAP_S = 0.4
MIN_STRETCH_S = 1.0
MIN_STRETCH_FACES = 4  # where sampling gives that many in a second; otherwise 3 in a row
CORRELATION_S = 0.5
SELECTION_COST = 1.0
TRIMMED_SHARE = 0.1  # of the faces, at each end
SEPARATION = 7.1  # v: d' = 2.66, an AUC of .97; the detector that ships has .98 on dfdc's test faces
WITHIN_PERSON = 2.0  # s^2 is taken for at least this: real clips have 0.4 to 2.7 (`python -m benchmarks.splices`)
SLOW_S = 1.0  # correlation time where two parts are compared: what changes in a shot changes for longer than noise does
MIN_CONTRAST_S = 1.5  # a hand before the face or a turn of the head lasts a second
MOST_CERTAIN = 0.99  # what standing out can say: the model of `track_rule` is cruder than the numbers that it gives
_EDGES = 500  # pairs of ends are tried, all with all: a quarter of a million
_CERTAIN = 1e-6  # probabilities are cut to this distance from 0 and 1: one face cannot outweigh all others

Floats = NDArray[np.float64]
Ends = NDArray[np.intp]


def find_stretches(times_s: Floats, log_odds: Floats, thresholds: Thresholds, *, watched_s: float) -> list[Stretch]:
    """Parts of a track that look manipulated, in order of time.

    Args:
        times_s: (n,) rising times of faces that can be judged, n >= 1; any spacing.
        log_odds: (n,) calibrated log-odds of fake.
        thresholds: A stretch counts when its shrunk probability reaches `fake_above`, or that of standing out does.
        watched_s: Face time out of which stretches are picked; 0 where the track is known to be fake and its stretches
            only say where: then nothing is shrunk, and nothing compared.
    """
    spacing = spacing_of(times_s)
    smoothed = running_median(times_s, log_odds, SMOOTHING_S)
    level = min(0.0, float(to_log_odds(np.asarray([thresholds.fake_above]))[0]))
    spans = [
        slice(first, last + 1)
        for first, last in _runs(times_s, smoothed >= level, MAX_GAP_S + spacing)
        if _long_enough(float(times_s[last] - times_s[first]) + spacing, last - first + 1, spacing)
    ]
    rest = np.ones(len(times_s), bool)
    for span in spans:
        rest[span] = False
    found = (_judged(times_s, log_odds, smoothed, span, rest, thresholds, watched_s) for span in spans)
    return [stretch for stretch in found if stretch]


def _judged(
    times_s: Floats,
    log_odds: Floats,
    smoothed: Floats,
    span: slice,
    rest: NDArray[np.bool_],
    thresholds: Thresholds,
    watched_s: float,
) -> Stretch | None:
    """The stretch that a span of high log-odds makes by its own strength, or because it stands out; None if neither."""
    spacing, faces = spacing_of(times_s), span.stop - span.start
    lasted = float(times_s[span.stop - 1] - times_s[span.start]) + spacing
    price = selection_price(lasted, watched_s)
    probability = to_probability(float(smoothed[span].mean()) - price / independent_faces(faces, spacing))
    stands_out = probability < thresholds.fake_above
    if stands_out:
        if not watched_s or lasted < MIN_CONTRAST_S or rest.sum() < MIN_STRETCH_FACES:
            return None
        made = to_probability(_standing_out(log_odds[span], log_odds[rest], spacing) - price)
        probability = min(made, MOST_CERTAIN)
        if probability < thresholds.fake_above:
            return None
    part = _narrowed(times_s, log_odds, span, rest) if watched_s else span
    contrast = None
    if stands_out:
        contrast = to_probability(trimmed_mean(log_odds[part])), to_probability(trimmed_mean(log_odds[rest]))
    return Stretch(float(times_s[part.start]), float(times_s[part.stop - 1]), probability, contrast)


def _narrowed(times_s: Floats, log_odds: Floats, span: slice, rest: NDArray[np.bool_]) -> slice:
    """The part of a span at which a step up from the rest of its track fits best; all of it where nothing is left over.

    Of a span of more than `_EDGES` faces both ends are looked for coarsely, then each in all places.
    """
    others = int(rest.sum())
    if others < MIN_STRETCH_FACES:
        return span
    size = span.stop - span.start
    sums = np.r_[0.0, np.cumsum(log_odds[span])]
    edges_s = np.r_[times_s[span], times_s[span.stop - 1] + spacing_of(times_s)]
    total = float(log_odds[rest].sum() + sums[-1])

    def gain(first: Ends | np.intp, last: Ends | np.intp) -> Floats:
        """By how much a step from the face `first` to before `last` lowers the sum of squares."""
        inside, outside = last - first, others + size - (last - first)
        step = (sums[last] - sums[first]) / inside - (total - sums[last] + sums[first]) / outside
        allowed = (inside >= MIN_TRACK_FACES) & (edges_s[last] - edges_s[first] >= MIN_STRETCH_S - 1e-6) & (step > 0)
        return np.where(allowed, inside * outside * step**2, 0.0)

    coarse = np.unique(np.linspace(0, size, min(size, _EDGES) + 1).round().astype(np.intp))
    firsts, lasts = (ends.ravel() for ends in np.meshgrid(coarse[:-1], coarse[1:]))
    firsts, lasts = firsts[firsts < lasts], lasts[firsts < lasts]
    gains = gain(firsts, lasts)
    if not gains.max() > 0:
        return span
    first, last = firsts[np.argmax(gains)], lasts[np.argmax(gains)]
    fine = np.arange(size + 1)
    last = fine[first + 1 :][np.argmax(gain(first, fine[first + 1 :]))]
    first = fine[:last][np.argmax(gain(fine[:last], last))]
    return slice(span.start + int(first), span.start + int(last))


def _standing_out(stretch: Floats, rest: Floats, spacing_s: float) -> float:
    """Log-odds that a stretch was made and the rest of its track was not, by the difference of their faces."""
    inside, outside = (independent_faces(len(part), spacing_s, SLOW_S) for part in (stretch, rest))
    squares = sum(float(((part - part.mean()) ** 2).sum()) for part in (stretch, rest))
    variance = max(WITHIN_PERSON, squares / (len(stretch) + len(rest) - 2)) * (1 / inside + 1 / outside)
    return SEPARATION * (trimmed_mean(stretch) - trimmed_mean(rest) - SEPARATION / 2) / variance


def _runs(times_s: Floats, high: NDArray[np.bool_], max_step_s: float) -> Iterator[tuple[int, int]]:
    """First and last index of each run of high values, over gaps in which time steps at most `max_step_s`."""
    indices = np.flatnonzero(high)
    if not len(indices):
        return
    breaks = np.flatnonzero(np.diff(times_s[indices]) > max_step_s + 1e-6)
    yield from zip(indices[np.r_[0, breaks + 1]], indices[np.r_[breaks, len(indices) - 1]], strict=True)


def _long_enough(lasted_s: float, faces: int, spacing_s: float) -> bool:
    dense = spacing_s * MIN_STRETCH_FACES <= MIN_STRETCH_S + 1e-6
    return lasted_s >= MIN_STRETCH_S - 1e-6 and faces >= (MIN_STRETCH_FACES if dense else MIN_TRACK_FACES)


def selection_price(length_s: float, watched_s: float) -> float:
    """The price in log-odds of having picked a part of this length out of `watched_s`."""
    return SELECTION_COST * math.log(watched_s / length_s) if watched_s > length_s > 0 else 0.0


def independent_faces(faces: int, spacing_s: float, correlation_s: float = CORRELATION_S) -> float:
    """How many independent faces `faces` correlated ones are worth, at least 1."""
    r = math.exp(-spacing_s / correlation_s)
    return max(1.0, faces * (1 - r) / (1 + r))


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


def spacing_of(times_s: Floats) -> float:
    """The usual time between two faces in seconds; 0 for a single one."""
    return float(np.median(np.diff(times_s))) if len(times_s) > 1 else 0.0


def length_of(times_s: Floats) -> float:
    """Seconds that the faces stand for: the last one counts as long as the others do."""
    return float(times_s[-1] - times_s[0]) + spacing_of(times_s)


def trimmed_mean(values: Floats) -> float:
    """The mean without `TRIMMED_SHARE` of the values at each end."""
    cut = int(len(values) * TRIMMED_SHARE)
    return float(np.sort(values)[cut : len(values) - cut].mean())


def to_log_odds(probabilities: NDArray[np.float64]) -> Floats:
    """log(p / (1 - p)), finite for every p from 0 to 1."""
    clipped = np.clip(probabilities.astype(np.float64), _CERTAIN, 1 - _CERTAIN)
    return np.asarray(np.log(clipped) - np.log1p(-clipped))


def to_probability(log_odds: float) -> float:
    """The probability of which these are the log-odds."""
    return 1 / (1 + math.exp(-log_odds))
