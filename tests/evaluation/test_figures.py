"""Figures of judged media, worked out by hand, and weights."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from core.evaluation import balance_weights, even_weights, summarise
from core.evaluation.changes import all_changes
from core.evaluation.comparison import compare
from core.evaluation.figures import calibration_of, curves_of, figures_by_column, figures_of, rankable
from core.evaluation.mistakes import most_confident
from core.evaluation.robustness import level_figures
from core.metrics import delong_test
from tests.evaluation.support import judged, one

SCORED = [
    one("real", 0.1, "real"),
    one("real", 0.4, "uncertain"),
    one("real", 0.8, "fake"),  # a real called fake
    one("real", None, "no_face"),
    one("real", None, "error"),
    one("fake", 0.9, "fake"),
    one("fake", 0.2, "real"),  # a fake called real
    one("real", 0.3, "real", "b"),
    one("fake", 0.7, "fake", "b"),
]


def test_figures_by_source():
    figures = summarise(SCORED)
    a = figures["a"]
    assert (a["real"], a["fake"], a["no_face"]) == (3, 2, 1)
    # fakes .9 and .2 against reals .1 .4 .8: .9 beats all three, .2 beats one
    assert a["auc"] == pytest.approx(4 / 6, abs=1e-4)
    assert (a["real_called_fake"], a["fake_called_real"], a["uncertain"]) == (0.333333, 0.5, 0.2)
    # of the verdicts given: one of two reals and one of two fakes are right
    assert a["accuracy"] == 0.5
    assert figures["b"]["auc"] == 1.0
    assert figures["all"]["real"] == 4
    assert {"ece", "ece_95"} <= set(figures["all"])


def test_verdicts_count_and_not_probabilities():
    # a gate kept a face uncertain whose probability is beyond the threshold
    figures = figures_of([one("real", 0.95, "uncertain"), one("fake", 0.96, "fake")])
    assert figures["real_called_fake"] == 0.0
    assert figures["uncertain"] == 0.5


@pytest.mark.parametrize("label", ["real", "fake"])
def test_one_class_gives_no_area_and_no_curve(label):
    scored = [one(label, p, "uncertain") for p in (0.4, 0.5, 0.6)]
    figures = figures_of(scored)
    assert np.isnan(figures["auc"])
    assert np.isnan(figures["eer"])
    assert curves_of(scored) is None
    assert calibration_of(scored) is None


def test_nothing_with_a_face_gives_counts_only():
    figures = summarise([one("real", None, "no_face")])["all"]
    assert figures["no_face"] == 1
    assert figures["uncertain"] is None
    assert figures["ece"] is None


def test_a_source_called_all_does_not_hide_the_pooled_figures():
    figures = summarise([*judged(20), *judged(10, sources=("all",))])
    assert figures["all"]["real"] == 15
    assert figures["all (source)"]["real"] == 5


def test_items_of_one_group_widen_the_interval():
    scored = judged(60)
    copies = [
        one(s.sample.label, s.fake_probability, s.verdict, group=s.sample.group) for s in scored for _ in range(5)
    ]
    alone = [one(s.sample.label, s.fake_probability, s.verdict, name=f"{i}") for i, s in enumerate(copies)]
    assert np.ptp(figures_of(copies)["auc_95"]) > 1.6 * np.ptp(figures_of(alone)["auc_95"])


def test_calibration_is_weighed_to_equal_base_rates():
    # nine reals to one fake, and every probability right for even odds
    rng = np.random.default_rng(0)
    scored = []
    for label, middle, count in (("real", -1, 9000), ("fake", 1, 1000)):
        # two unit normals two apart: the log-odds for even base rates are 2 z
        said = 1 / (1 + np.exp(-2 * rng.normal(middle, 1, count)))
        scored += [one(label, float(p), "uncertain", name=f"{label}{at}") for at, p in enumerate(said)]
    error = calibration_of(scored)
    assert error["ece"] < 0.015
    assert error["ece_95"][0] <= error["ece"] <= error["ece_95"][1]
    assert len(error["bins"]) == 10


def test_a_method_that_only_fakes_have_is_measured_against_the_reals():
    scored = judged(40)
    method = {id(s): ("swap" if i % 4 == 1 else "gan") for i, s in enumerate(scored) if s.sample.fake}
    figures = figures_by_column(scored, {"method": lambda s: method.get(id(s))})["method"]
    assert set(figures) == {"swap", "gan"}
    swap = [s for s in scored if not s.sample.fake or method[id(s)] == "swap"]
    expected = roc_auc_score([s.sample.fake for s in swap], [s.logit for s in swap])
    assert figures["swap"]["auc"] == pytest.approx(expected, abs=1e-4)
    assert figures["swap"]["against"] == "all reals of its sources"


def test_figures_by_group_draw_faces():
    # a person is one cluster: drawn as a whole, there is nothing else to draw, and nothing that an interval rests on
    scored = judged(80)
    person = [one(s.sample.label, s.fake_probability, s.verdict, group=f"p{at // 40}") for at, s in enumerate(scored)]
    figures = figures_by_column(person, {"group": lambda s: s.sample.group, "camera": lambda s: s.sample.group})
    low, high = figures["group"]["p0"]["auc_95"]
    assert high - low > 0.05
    assert np.isnan(figures["camera"]["p0"]["auc_95"]).all()


def test_a_group_of_one_class_against_all_of_the_other_has_an_interval():
    scored = [s for s in judged(120) if s.sample.fake or s.logit < 1]
    grouped = [
        one(s.sample.label, s.fake_probability, s.verdict, group="swap" if s.sample.fake else "people") for s in scored
    ]
    figures = figures_by_column(grouped, {"group": lambda s: s.sample.group})["group"]["swap"]
    assert figures["against"]
    assert np.ptp(figures["auc_95"]) > 0.02


COUNTS = [("big", "real", 100), ("big", "fake", 300), ("small", "real", 50), ("small", "fake", 50)]


def totals(weigh, counts):
    samples = [one(label, 0.5, "real", source).sample for source, label, n in counts for _ in range(n)]
    weights = weigh(samples)
    return {
        (source, label): sum(w for w, s in zip(weights, samples, strict=True) if (s.source, s.label) == (source, label))
        for source, label, _ in counts
    }


def test_weights_balance_classes_and_damp_large_sources():
    total = totals(balance_weights, COUNTS)
    assert total["big", "real"] == pytest.approx(total["big", "fake"])
    assert total["big", "real"] / total["small", "real"] == pytest.approx((400 / 100) ** 0.5)


def test_even_weights_keep_a_source_s_size():
    total = totals(even_weights, COUNTS)
    assert total["big", "real"] == pytest.approx(total["big", "fake"])
    assert total["big", "real"] / total["small", "real"] == pytest.approx(400 / 100)


def test_even_weights_with_a_source_of_one_class():
    total = totals(even_weights, [*COUNTS, ("only", "fake", 70)])
    fakes = sum(value for (_, label), value in total.items() if label == "fake")
    assert fakes == pytest.approx(sum(total.values()) / 2)


def test_comparison_is_paired_and_on_what_both_judged():
    first = judged(200, sources=("a", "b"))
    rng = np.random.default_rng(1)
    second = []
    for at, s in enumerate(first):
        p = None if at == 0 else float(1 / (1 + np.exp(-(s.logit + rng.normal(0, 3)))))
        second.append(type(s)(s.sample, s.verdict, p, None if p is None else float(np.log(p / (1 - p)))))
    figures = compare(first, second)
    assert set(figures) == {"all", "a", "b"}
    assert figures["all"]["items"] == 399  # one has no face for the second
    assert figures["all"]["difference"] > 0.1
    assert figures["all"]["delong"]["p"] < 0.001
    low, high = figures["all"]["delong"]["difference_95"]
    assert low < figures["all"]["difference"] < high


def film_pair(films, frames, seed=0):
    """Two detectors that are equally good: each film shifts both, each in its own way."""
    rng = np.random.default_rng(seed)
    logits = []
    for _ in range(2):
        shift = np.repeat(rng.normal(size=films), frames)
        logits.append(np.repeat(np.arange(films) % 2, frames) * 1.0 + shift + 0.3 * rng.normal(size=films * frames))
    return [
        [
            one(
                "fake" if at // frames % 2 else "real",
                float(1 / (1 + np.exp(-x))),
                "uncertain",
                group=f"g{at // frames}",
            )
            for at, x in enumerate(column)
        ]
        for column in logits
    ]


def test_frames_of_films_are_compared_by_the_bootstrap_alone():
    # DeLong takes frames for independent: it saw a difference between equals in 70 of 100 trials
    found = 0
    for seed in range(20):
        figures = compare(*film_pair(20, 15, seed))["all"]
        assert figures["delong"] == {"difference_95": [None, None], "p": None}
        found += figures["bootstrap"]["p"] < 0.05
    assert found <= 4
    few = compare(*film_pair(6, 15))["all"]
    assert few["bootstrap"] == {"difference_95": [None, None], "p": None}


@pytest.mark.parametrize(("frames", "wide"), [(1, False), (15, True)])
def test_a_loss_by_films_is_as_sure_as_the_films_are_many(frames, wide):
    clean, changed = film_pair(30, frames)
    named = [
        [replace(s, sample=replace(s.sample, path=Path(str(n)))) for n, s in enumerate(x)] for x in (clean, changed)
    ]
    figures = level_figures(*named, all_changes()[0])["figures"]["all"]
    low, high = figures["loss_95"]
    assert low < figures["loss"] < high
    logits, fake, _ = rankable(named[0])
    alone = delong_test(logits, rankable(named[1])[0], fake)
    assert (high - low > 1.5 * (alone.high - alone.low)) == wide


def test_comparison_of_other_media_is_refused():
    with pytest.raises(ValueError, match="same samples"):
        compare(judged(10), judged(12))


@pytest.mark.parametrize(
    ("fake", "expected"),
    [
        (None, [2, 1]),  # the most confident first
        (False, [2]),  # reals called fake
        (True, [1]),  # fakes called real
    ],
)
def test_most_confident_mistakes(fake, expected):
    items = {
        "fake_probability": [0.99, 0.2, 0.9, 0.95, None],
        "fake": [True, True, False, False, False],
        "verdict": ["fake", "real", "fake", "uncertain", "no_face"],
    }
    assert most_confident(items, 5, fake=fake) == expected
    assert most_confident(items, 1) == [2]
