"""Thresholds from judged validation pictures: the worst source counts."""

import numpy as np
import pytest

from core.detector.calibration import choose_thresholds, fake_above_by_source


def two_sources(count=400, shift=1.5, seed=0):
    """Probabilities of an easy source, and of one whose reals and fakes are both given more."""
    rng = np.random.default_rng(seed)
    p, fake, source = [], [], []
    for name, offset in (("easy", 0.0), ("shifted", shift)):
        for label in (0, 1):
            z = rng.normal((4 if label else -4) + offset, 1.5, count)
            p += list(1 / (1 + np.exp(-z)))
            fake += [label] * count
            source += [name] * count
    return np.array(p), np.array(fake, bool), source


def called_fake(p, fake, source, limit):
    """Share of each source's reals."""
    of = np.array(source)
    return {name: float((p[(of == name) & ~fake] >= limit).mean()) for name in sorted(set(source))}


def test_every_source_keeps_the_promise_where_pooled_thresholds_break_it():
    p, fake, source = two_sources(shift=4.0)
    assert called_fake(p, fake, source, choose_thresholds(p, fake).fake_above)["shifted"] > 0.05  # what this is about
    shares = called_fake(p, fake, source, fake_above_by_source(p, fake, source))
    assert shares["shifted"] == pytest.approx(0.05)
    assert shares["easy"] < 0.05


def test_one_source_gets_what_pooled_thresholds_give():
    p, fake, _ = two_sources(shift=4.0)
    assert fake_above_by_source(p, fake, ["x"] * len(p)) == choose_thresholds(p, fake).fake_above


def test_a_source_that_cannot_be_met_sets_nothing():
    p, fake, source = two_sources()
    hopeless = np.full(40, 0.9999)
    limit = fake_above_by_source(np.r_[p, hopeless], np.r_[fake, np.zeros(40, bool)], [*source, *["hopeless"] * 40])
    assert limit == fake_above_by_source(p, fake, source) < 0.995


def test_where_nothing_can_be_promised_nothing_is_called_fake():
    assert fake_above_by_source([0.999] * 30 + [0.001] * 30, [0] * 30 + [1] * 30, ["a"] * 60) == 1.0


def test_small_sources_are_taken_together():
    p, fake, source = two_sources()
    # five sources of four reals each: alone, none could lose one, and the highest of all would set the limit
    small = np.r_[np.full(19, 0.3), 0.98]
    names = [f"small{at // 4}" for at in range(20)]
    assert fake_above_by_source(np.r_[p, small], np.r_[fake, np.zeros(20, bool)], [*source, *names]) < 0.98


@pytest.mark.parametrize(
    ("p", "labels", "sources"),
    [
        ([0.1, 0.9], [0, 1], ["a"]),  # a source is missing
        ([0.1, 1.9], [0, 1], ["a", "a"]),  # no probability
        ([0.1, 0.9], [1, 1], ["a", "a"]),  # one class
    ],
)
def test_wrong_input(p, labels, sources):
    with pytest.raises(ValueError, match=r"probabilities|classes"):
        fake_above_by_source(p, labels, sources)
