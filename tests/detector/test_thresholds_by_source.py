"""Thresholds from judged validation pictures: the worst source counts."""

import numpy as np
import pytest

from core.detector.calibration import choose_thresholds, choose_thresholds_by_source


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


def errors(p, fake, source, thresholds):
    found = {}
    for name in sorted(set(source)):
        here = np.array([one == name for one in source])
        found[name] = (
            float((p[here & ~fake] >= thresholds.fake_above).mean()),
            float((p[here & fake] < thresholds.real_below).mean()),
        )
    return found


def test_every_source_keeps_the_promise_where_pooled_thresholds_break_it():
    p, fake, source = two_sources(shift=4.0)
    pooled = errors(p, fake, source, choose_thresholds(p, fake))
    assert pooled["shifted"][0] > 0.05  # what this is about
    fitted = choose_thresholds_by_source(p, fake, source)
    assert all(share <= 0.05 for pair in errors(p, fake, source, fitted.thresholds).values() for share in pair)
    assert fitted.fake_above_set_by == "shifted"
    assert fitted.unmet == ()


def test_one_source_gets_what_pooled_thresholds_give():
    p, fake, _ = two_sources()
    assert choose_thresholds_by_source(p, fake, ["x"] * len(p)).thresholds == choose_thresholds(p, fake)


def test_what_is_told_apart_keeps_the_band_of_even_odds():
    fitted = choose_thresholds_by_source([0.01] * 30 + [0.99] * 30, [0] * 30 + [1] * 30, ["a"] * 60)
    assert (fitted.thresholds.real_below, fitted.thresholds.fake_above) == (0.4, 0.6)
    assert (fitted.real_below_set_by, fitted.fake_above_set_by) == ("", "")


def test_a_source_that_cannot_be_met_sets_nothing_and_is_named():
    p, fake, source = two_sources()
    hopeless = np.full(40, 0.9999)
    fitted = choose_thresholds_by_source(
        np.r_[p, hopeless], np.r_[fake, np.zeros(40, bool)], [*source, *["hopeless"] * 40]
    )
    assert fitted.unmet == ("hopeless: reals",)
    assert fitted.thresholds.fake_above < 0.995


def test_where_nothing_can_be_promised_all_stays_uncertain():
    fitted = choose_thresholds_by_source([0.999] * 30 + [0.001] * 30, [0] * 30 + [1] * 30, ["a"] * 60)
    assert (fitted.thresholds.real_below, fitted.thresholds.fake_above) == (0.0, 1.0)
    assert fitted.unmet == ("a: reals", "a: fakes")


def test_small_sources_are_taken_together():
    p, fake, source = two_sources()
    # five sources of four reals each: alone, none could lose one, and the highest of all would set the limit
    small = np.r_[np.full(19, 0.3), 0.98]
    names = [f"small{at // 4}" for at in range(20)]
    fitted = choose_thresholds_by_source(np.r_[p, small], np.r_[fake, np.zeros(20, bool)], [*source, *names])
    assert fitted.thresholds.fake_above < 0.98


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
        choose_thresholds_by_source(p, labels, sources)
