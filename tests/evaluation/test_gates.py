"""Where a detector errs, with a detector that is planted to err on small and on turned faces."""

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.types import Quality
from core.detector.spec import DetectorSpec, QualityGates, Thresholds
from core.evaluation.gates import GATES, asked, gate_copies, gate_figures, suggested_gates
from tests.evaluation.support import one

SPEC = DetectorSpec(name="x", input_size=32, thresholds=Thresholds(0.3, 0.7))
GOOD = Quality(face_px=150, sharpness=18, brightness=110, turn=0.05)


def faces(count, right, seed=0, **quality):
    """Faces of one quality, judged rightly with this probability; every answer is a confident one."""
    rng = np.random.default_rng(seed)
    found = []
    for at in range(count):
        fake = at % 2 == 1
        said = fake if rng.random() < right else not fake
        p = float(np.clip((0.9 if said else 0.1) + rng.normal(0, 0.03), 0.01, 0.99))
        verdict = "fake" if p >= 0.7 else "real"
        label = "fake" if fake else "real"
        found.append(one(label, p, verdict, name=f"{seed}-{at}", quality=replace(GOOD, **quality)))
    return found


def test_the_limit_stands_where_the_promise_is_first_kept():
    scored = [
        *faces(120, 0.7, 1, face_px=20),
        *faces(120, 0.75, 2, face_px=36),
        *faces(200, 0.99, 3, face_px=60),
        *faces(200, 0.7, 4, face_px=90),  # bad again, but what comes before is kept: no reason to hold back
        *faces(300, 0.99, 5, turn=0.1),
        *faces(120, 0.7, 6, turn=0.65),
    ]
    figures = gate_figures(scored, {}, SPEC)
    assert figures["min_face_px"]["suggested"] == 40
    assert figures["max_turn"]["suggested"] == pytest.approx(0.6)
    sides = figures["min_face_px"]["at_suggested"]
    assert sides["held_back"]["real"] + sides["held_back"]["fake"] == 240
    assert sides["held_back"]["real_called_fake"] > 4 * sides["judged"]["real_called_fake"] * 0.5


def test_a_bin_too_uncertain_to_tell_goes_with_what_comes_after_it():
    """As 53 faces of 16 to 24 pixels did: an AUC of .65 [.51, .79] refutes nothing and keeps nothing."""
    rng = np.random.default_rng(0)
    unsure = [
        one(
            "fake" if at % 2 else "real",
            float(np.clip(rng.normal(0.52 if at % 2 else 0.49, 0.05), 0.35, 0.65)),
            "uncertain",
            name=f"{at}",
            quality=replace(GOOD, face_px=20),
        )
        for at in range(60)
    ]
    scored = [*unsure, *faces(400, 0.7, 1, face_px=36), *faces(400, 0.99, 3, face_px=60)]
    figures = gate_figures(scored, {}, SPEC)["min_face_px"]
    low, high = figures["bins"][1]["auc_95"]
    assert low < 0.75 < high
    assert figures["suggested"] == 40


def test_suggested_limits_replace_those_that_were_asked_for():
    figures = gate_figures([*faces(120, 0.7, 1, face_px=20), *faces(3000, 0.99, 3)], {}, SPEC)
    gates = suggested_gates(figures, QualityGates(min_face_px=99, min_sharpness=7))
    assert gates == QualityGates(min_face_px=24, min_sharpness=7)


def test_words_for_a_limit_tell_enough_apart_from_too_few():
    few, good = (gate_figures(faces(count, 0.99, 3), {}, SPEC)["min_face_px"] for count in (30, 600))
    bad = gate_figures([*faces(120, 0.7, 1, face_px=20), *faces(600, 0.99, 3)], {}, SPEC)["min_face_px"]
    assert [asked(gate) for gate in (few, good, bad)] == ["too few faces to tell", "none", "24"]


def test_ranking_no_better_than_chance_asks_for_a_gate_even_where_all_of_it_is_uncertain():
    rng = np.random.default_rng(0)
    unsure = [
        one(
            "fake" if at % 2 else "real",
            float(rng.uniform(0.4, 0.6)),
            "uncertain",
            name=f"{at}",
            quality=replace(GOOD, sharpness=1.5),
        )
        for at in range(200)
    ]
    figures = gate_figures([*unsure, *faces(200, 0.99, 3)], {}, SPEC)
    assert figures["min_sharpness"]["suggested"] == 2


def test_a_few_faces_ask_for_nothing():
    figures = gate_figures([*faces(20, 0.0, 1, face_px=20), *faces(200, 0.99, 3)], {}, SPEC)
    assert figures["min_face_px"]["suggested"] is None
    assert figures["min_face_px"]["at_suggested"] is None


def test_faces_told_apart_without_an_error_ask_for_nothing():
    # their AUC has no interval, as none of one has, and that is no doubt about them
    figures = gate_figures([*faces(120, 1.0, 1, face_px=20), *faces(200, 1.0, 3)], {}, SPEC)
    assert np.isnan(figures["min_face_px"]["bins"][1]["auc_95"][1])
    assert figures["min_face_px"]["suggested"] is None


def test_copies_fill_their_own_gate_only():
    copies = {GATES[0].copies[0].key: faces(100, 0.7, 1, face_px=20)}
    figures = gate_figures(faces(200, 0.99, 3), copies, SPEC)
    assert sum(one["real"] + one["fake"] for one in figures["min_face_px"]["bins"]) == 300
    assert sum(one["real"] + one["fake"] for one in figures["min_brightness"]["bins"]) == 200
    assert figures["min_brightness"]["suggested"] is None


def test_an_unknown_turn_is_left_out():
    figures = gate_figures(faces(100, 0.9, 1, turn=None), {}, SPEC)
    assert all(one["real"] + one["fake"] == 0 for one in figures["max_turn"]["bins"])


def test_faces_of_films_answer_to_the_limits_of_films():
    (of_films,) = (gate for gate in GATES if gate.film)
    spec = replace(SPEC, video_thresholds=Thresholds(0.05, 0.95))  # most answers, .1 or .9, are none there
    copies = {of_films.copies[0].key: faces(100, 0.7, 1, quantiser=40.0)}
    stills = faces(200, 0.99, 3)
    assert all(one.quality.quantiser is None for one in stills)
    judged, lax = (gate_figures(stills, copies, one)["max_quantiser"] for one in (spec, SPEC))
    assert [one["real"] + one["fake"] for one in judged["bins"] if one["from"] == 38] == [100]
    assert sum(one["real"] + one["fake"] for one in judged["bins"]) == 100
    shares = [one["bins"][6]["fake_called_real"] for one in (judged, lax)]
    assert shares[0] < 0.1 < 0.2 < shares[1]
    assert (lax["suggested"], lax["in_use"]) == (38, QualityGates().max_quantiser)


def test_every_gate_of_the_spec_is_looked_at_and_every_copy_works():
    by_hand = {"max_tilt"}  # benchmarks.tilt: tight crops cannot be turned
    assert {gate.limit for gate in GATES} == set(vars(QualityGates())) - by_hand
    picture = np.random.default_rng(0).integers(0, 255, (120, 120, 3)).astype(np.uint8)
    for change in gate_copies():
        assert change.apply(picture).dtype == np.uint8
