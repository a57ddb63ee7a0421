"""core.analysis.track_rule: tracks whose truth is planted."""

import math

import numpy as np
import pytest

from core.analysis.stretches import find_stretches
from core.analysis.track_rule import TrackEvidence, judge_track, judge_tracks
from core.analysis.verdict import percent
from tests.analysis.fakes import FakeThresholds

LIMITS = FakeThresholds(0.3, 0.7)


def p(log_odds):
    return 1 / (1 + math.exp(-log_odds))


def track(log_odds, fps=5.0, failed=None, number=1, start_s=0.0):
    evidence = TrackEvidence(number)
    for i, value in enumerate(log_odds):
        evidence.add(start_s + i / fps, p(value), failed[i] if failed else ())
    return evidence


def planted(seconds, fps, start_s, length_s, clean=-3.0, fake=4.0):
    times = np.arange(round(seconds * fps)) / fps
    return [fake if start_s - 1e-9 <= t < start_s + length_s - 1e-9 else clean for t in times]


@pytest.mark.parametrize(
    ("log_odds", "fps", "verdict", "probability"),
    [
        ([-3] * 50, 5, "real", p(-3)),
        ([3] * 50, 5, "fake", p(3)),
        ([0] * 50, 5, "uncertain", 0.5),
        ([-3] * 45 + [13] * 5, 50, "real", p(-3)),  # a tenth of bad frames, a tenth of a second, is trimmed away
        ([3] * 45 + [-13] * 5, 50, "fake", p(3)),
        ([-3, -3, -3], 5, "real", p(-3)),  # three faces are the fewest that are judged
        ([3, 3, 3], 5, "fake", p(3)),
        ([3, 3], 5, "uncertain", p(3)),
        ([3], 5, "uncertain", p(3)),
        ([3, 3, 3], 0.1, "fake", p(3)),  # three frames spread over half a minute
    ],
)
def test_whole_track(log_odds, fps, verdict, probability):
    report = judge_track(track(log_odds, fps), LIMITS)
    assert report.verdict == verdict
    assert report.fake_probability == pytest.approx(probability, abs=1e-6)
    assert report.face_count == len(log_odds)


@pytest.mark.parametrize("fps", [5, 10, 25, 30, 60])
@pytest.mark.parametrize(("seconds", "start_s"), [(60, 20), (60, 0), (60, 57), (600, 300)])
def test_short_manipulated_stretch_in_a_long_clean_video(seconds, start_s, fps):
    report = judge_track(track(planted(seconds, fps, start_s, 3), fps), LIMITS)
    assert report.verdict == "fake"
    (stretch,) = report.stretches
    assert stretch.start_s == pytest.approx(start_s, abs=0.35)  # half the smoothing window
    assert stretch.end_s == pytest.approx(start_s + 3, abs=0.35)
    assert report.fake_probability == stretch.fake_probability
    assert "looks manipulated" in report.reasons[0]


@pytest.mark.parametrize(
    ("length_s", "fps"),
    [
        (0.2, 5),  # one bad frame
        (0.4, 5),
        (0.8, 25),  # twenty bad frames in a row: less than a second
        (1.0, 25),  # a second alone, in ten minutes, is what chance does
    ],
)
def test_a_few_bad_frames_are_not_a_stretch(length_s, fps):
    report = judge_track(track(planted(600, fps, 300, length_s, fake=3.0), fps), LIMITS)
    assert (report.verdict, report.stretches) == ("real", ())
    assert report.fake_probability == pytest.approx(p(-3), abs=1e-3)


def test_sparse_sampling_needs_three_in_a_row():
    two, three = ([-3] * 20 + [5] * n + [-3] * 20 for n in (2, 3))
    assert judge_track(track(two, fps=1), LIMITS).verdict == "real"
    assert judge_track(track(three, fps=1), LIMITS).stretches[0].start_s == 20
    scattered = [-3] * 10 + [5, -3] * 3 + [-3] * 20  # as many, never two in a row
    assert judge_track(track(scattered, fps=1), LIMITS).verdict == "real"


def test_a_gap_of_less_than_half_a_second_does_not_end_a_stretch():
    dip = [-3] * 100 + [5] * 40 + [-3] * 9 + [5] * 40 + [-3] * 300  # 0.36 s at 25 per second
    split = [-3] * 100 + [5] * 50 + [-3] * 50 + [5] * 50 + [-3] * 300  # two seconds of clean frames between
    assert len(judge_track(track(dip, 25), LIMITS).stretches) == 1
    assert len(judge_track(track(split, 25), LIMITS).stretches) == 2


def test_stretch_is_shrunk_by_the_stated_formula():
    values = planted(60, 5, 20, 3, fake=4.0)
    times = np.arange(300) / 5
    (shrunk,) = find_stretches(times, np.array(values), LIMITS, watched_s=60.0)
    (plain,) = find_stretches(times, np.array(values), LIMITS, watched_s=0.0)
    r = math.exp(-0.2 / 0.5)
    expected = 4.0 - math.log(60 / 3) / (15 * (1 - r) / (1 + r))
    assert plain.fake_probability == pytest.approx(p(4.0), abs=1e-6)
    assert shrunk.fake_probability == pytest.approx(p(expected), abs=1e-6)


STRICT = FakeThresholds(0.2, 0.95)


def wavering(values, sd=1.2, seed=4):
    return list(np.asarray(values) + np.random.default_rng(seed).normal(0, sd, len(values)))


@pytest.mark.parametrize("seconds", [10, 30, 60])
def test_what_stands_out_from_the_rest_is_fake_though_no_face_alone_decides(seconds):
    values = wavering(planted(seconds, 5, 3, 4, clean=-2.5, fake=2.6))
    report = judge_track(track(values), STRICT)
    (stretch,) = report.stretches
    assert (stretch.start_s, stretch.end_s) == (pytest.approx(3, abs=0.41), pytest.approx(6.8, abs=0.41))
    assert (report.verdict, report.fake_probability) == ("fake", stretch.fake_probability)
    assert STRICT.fake_above <= stretch.fake_probability <= 0.99
    inside, outside = stretch.contrast
    assert p(1.5) < inside < STRICT.fake_above
    assert p(-3) < outside < p(-2)
    assert report.reasons[0].endswith(
        f"it stands out, with {percent(inside)} a face and {percent(outside)} in the rest."
    )


@pytest.mark.parametrize(
    "values",
    [
        planted(10, 5, 3, 4, clean=-0.5, fake=2.3),  # the whole person looks somewhat fake: 2.8 is what a pose does
        planted(10, 5, 3, 4, clean=2.3, fake=2.3),
        planted(10, 5, 3, 1.2, clean=-2.5, fake=2.3),  # as brief as a hand before the face
        planted(600, 5, 300, 2, clean=-2.5, fake=2.0),  # two seconds of many
        planted(10, 5, 0.6, 9.4, clean=-2.5, fake=2.3),  # three faces are no rest to compare with
        planted(10, 5, 3, 4, clean=-6, fake=-0.5),  # stands out, and yet looks real
    ],
)
def test_what_poses_light_or_chance_do_does_not_stand_out(values):
    report = judge_track(track(wavering(values)), STRICT)
    assert report.verdict != "fake"
    assert report.stretches == ()


def test_a_track_that_wavers_much_must_stand_out_more():
    values = planted(10, 5, 3, 4, clean=-2.5, fake=2.3)
    assert judge_track(track(wavering(values, sd=1.0)), STRICT).stretches
    assert not judge_track(track(wavering(values, sd=3.0)), STRICT).stretches


def test_a_fake_track_says_where_without_shrinking():
    values = [4.0] * 100 + [-3.0] * 40 + [4.0] * 60
    report = judge_track(track(values), LIMITS)
    assert [(s.start_s, s.end_s) for s in report.stretches] == [(0.0, 19.8), (28.0, 39.8)]
    assert report.stretches[1].fake_probability == pytest.approx(p(4), abs=1e-6)


def test_a_stretch_may_have_to_reach_more_than_the_whole():
    loose, strict = FakeThresholds(0.3, 0.7), FakeThresholds(0.3, 0.999)
    weak = track(planted(60, 10, 20, 5, clean=-1.0, fake=2.5), 10)  # stands out too little to count for that
    assert judge_track(weak, loose).verdict == "fake"
    held = judge_track(weak, loose, picked=strict)
    assert (held.verdict, held.stretches) == ("real", ())
    assert judge_track(track([1.5] * 300, 10), loose, picked=strict).verdict == "fake"  # the whole needs no stretch


def test_gated_faces_have_no_weight():
    values = [9.0] * 30 + [-3.0] * 30  # the first half looks fake, and cannot be judged
    failed = [("small",)] * 30 + [()] * 30
    report = judge_track(track(values, failed=failed), LIMITS)
    assert (report.verdict, report.stretches) == ("real", ())
    assert report.fake_probability == pytest.approx(p(-3))


@pytest.mark.parametrize(
    ("values", "failed", "reason"),
    [
        ([-3], [()], "This face is seen in only one frame; at least 3 are needed for a verdict."),
        ([5, 5], [()] * 2, "This face is seen in only 2 frames; at least 3 are needed for a verdict."),
        (
            [5] * 9,
            [("small", "dark")] * 5 + [("dark",)] * 4,
            "None of this person's faces can be judged: they are mostly too dark.",
        ),
        (
            [-3] * 100,  # "nothing found" in a twentieth of the faces would say too much
            [("blurred",)] * 95 + [()] * 5,
            "Only 5 of this person's 100 faces can be judged; most others are too blurred.",
        ),
    ],
)
def test_too_few_faces_are_uncertain_with_a_reason(values, failed, reason):
    report = judge_track(track(values, failed=failed), LIMITS)
    assert (report.verdict, report.reasons) == ("uncertain", (reason,))


def test_a_fake_found_in_few_judged_faces_stands():
    report = judge_track(track([5] * 100, failed=[("blurred",)] * 90 + [()] * 10), LIMITS)
    assert report.verdict == "fake"


def test_a_short_track_among_many_is_not_proof():
    people = [track([-3] * 25, number=i, start_s=5 * i) for i in range(1, 60)]
    people.append(track([1.5] * 5, number=60, start_s=400))  # one second at 0.82
    alone = judge_track(track([1.5] * 5), LIMITS)
    among = judge_tracks(people, LIMITS)[-1]
    assert (alone.verdict, among.verdict) == ("fake", "uncertain")
    assert among.reasons[0].startswith("Looks fake (probability 82 %), but is seen too briefly")
    people[-1] = track([9.0] * 25, number=60, start_s=400)  # five clear seconds are
    assert judge_tracks(people, LIMITS)[-1].verdict == "fake"


def test_order_of_people_is_by_number():
    assert [t.id for t in judge_tracks([track([1] * 9, number=2), track([1] * 9, number=1)], LIMITS)] == [1, 2]


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_certain_probabilities_stay_finite(value):
    evidence = TrackEvidence(1, [i / 5 for i in range(20)], [value] * 20, [()] * 20)
    report = judge_track(evidence, LIMITS)
    assert report.fake_probability == pytest.approx(value, abs=1e-5)


def test_frames_at_one_time_stamp_do_not_break_the_rule():
    evidence = TrackEvidence(1, [1.0] * 20, [0.9] * 20, [()] * 20)
    assert judge_track(evidence, LIMITS).verdict == "fake"


@pytest.mark.slow
def test_a_clean_track_of_ten_minutes_is_rarely_called_fake():
    # The requirement itself: below 5 % at 5 % of single frames. 200 films: 12 or fewer at a true rate of 3 % in 99 %.
    from benchmarks.track_rule import rates

    assert rates(200, 600, 1 / 5)[0] <= 0.06
    assert rates(200, 60, 1 / 5, fake_s=3.0)[0] >= 0.5
