"""core.analysis.stretches: where a stretch begins and ends, and the arithmetic of tracks."""

import math

import numpy as np
import pytest

from core.analysis.stretches import find_stretches, independent_faces, running_median
from tests.analysis.fakes import FakeThresholds

LIMITS = FakeThresholds(0.3, 0.7)


def found(log_odds, fps=5.0, limits=LIMITS):
    times_s = np.arange(len(log_odds)) / fps
    return find_stretches(times_s, np.asarray(log_odds, float), limits, watched_s=len(log_odds) / fps)


def test_independent_faces_follow_the_variance_of_an_ar1_mean():
    # 200 faces at 10 per second, correlation time 0.5 s, simulated: variance of the mean = 1 / independent faces
    rng, r = np.random.default_rng(1), math.exp(-0.1 / 0.5)
    noise = rng.standard_normal((4000, 200)) * math.sqrt(1 - r * r)
    noise[:, 0] = rng.standard_normal(4000)
    for i in range(1, 200):
        noise[:, i] += r * noise[:, i - 1]
    assert independent_faces(200, 0.1) == pytest.approx(1 / noise.mean(axis=1).var(), rel=0.1)
    assert independent_faces(3, 100.0) == pytest.approx(3)
    assert independent_faces(5, 0.0) == 1.0


@pytest.mark.parametrize(
    ("times", "window", "expected"),
    [
        ([0, 1, 2, 3, 4], 2.0, [3.0, 5, 1, 9, 6.0]),  # three samples each, two at the ends
        ([0, 10, 20, 30, 40], 2.0, [5, 1, 9, 0, 12]),  # alone in their windows
        ([0, 0.1, 0.2, 5.0, 5.1], 0.6, [5, 5, 5, 6, 6]),  # irregular: by time, not by count
        ([0], 0.6, [5]),
    ],
)
def test_running_median(times, window, expected):
    values = np.array([5.0, 1, 9, 0, 12])[: len(times)]
    assert running_median(np.array(times, float), values, window).tolist() == expected


@pytest.mark.parametrize(
    ("log_odds", "start_s", "end_s"),
    [
        (
            [-1] * 50 + [0.4] * 10 + [3.5] * 15 + [0.4] * 5 + [-1] * 50,
            12.0,
            14.8,
        ),  # suspicious beside it, for another reason
        ([-3] * 100 + [4] * 30 + [-3] * 170, 20.0, 25.8),  # of one strength: all of it
        ([-1] * 40 + [0.3] * 5 + [9] * 2 + [0.3] * 8 + [-1] * 40, 8.4, 9.2),  # never less than a second: five faces
        ([-3] * 100 + [3] * 20 + [-3] * 2 + [3] * 20 + [-3] * 100, 20.0, 28.2),  # a moment's lapse inside
        ([-3] + [3.5] * 30, 0.0, 6.0),  # too little is left over to compare with
    ],
)
def test_a_stretch_ends_where_the_step_is(log_odds, start_s, end_s):
    (stretch,) = found(log_odds, limits=FakeThresholds(0.3, 0.6))
    assert (stretch.start_s, stretch.end_s) == pytest.approx((start_s, end_s))


def test_what_counts_is_all_of_what_was_suspicious():
    """A part that is picked for its height would be stronger than chance allows."""
    (stretch,) = found([-1] * 50 + [0.4] * 10 + [3.5] * 10 + [0.4] * 10 + [-1] * 50)
    assert stretch.end_s - stretch.start_s == pytest.approx(1.8)
    mean = (20 * 0.4 + 10 * 3.5) / 30
    assert stretch.fake_probability < 1 / (1 + math.exp(-mean))


def test_a_stretch_of_thousands_of_faces_ends_at_the_very_face():
    """Not all pairs of its ends can be tried: what is found coarsely is looked for again in all places."""
    log_odds = [-1] * 5000 + [0.4] * 2503 + [3.5] * 4001 + [0.4] * 1999 + [-1] * 5000
    (stretch,) = found(log_odds, fps=30)
    assert (stretch.start_s, stretch.end_s) == pytest.approx((7503 / 30, 11_503 / 30))
