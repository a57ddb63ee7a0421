"""core.charts: what a figure says, read back from its traces and shapes."""

import pytest

from core import charts
from core.analysis.types import FaceScore, FrameReport, Quality, Stretch, TrackReport
from core.detector.spec import Thresholds
from core.faces.types import Face
from core.timeline_points import Point, uncertain_stretches

THRESHOLDS = Thresholds(real_below=0.3, fake_above=0.7)


def score(track: int, fake_probability: float, verdict: str) -> FaceScore:
    face = Face((0, 0, 10, 10), 0.9, track_id=track)
    return FaceScore(face, fake_probability, 0.0, {}, verdict, Quality(80, 30, 120))  # type: ignore[arg-type]


def frames(*rows: tuple[float, list[FaceScore]]) -> list[FrameReport]:
    return [FrameReport(index, time_s, tuple(faces)) for index, (time_s, faces) in enumerate(rows)]


TWO_PEOPLE = frames(
    (0.0, [score(1, 0.1, "real"), score(2, 0.9, "fake")]),
    (0.25, [score(1, 0.5, "uncertain"), score(2, 0.8, "fake")]),
    (0.5, [score(1, 0.6, "uncertain")]),
    (0.75, [score(1, 0.2, "real")]),
    (3.0, [score(2, 0.95, "fake")]),
)
TRACKS = [TrackReport(2, 0.0, 3.0, "fake", 0.93, stretches=(Stretch(0.0, 0.25, 0.85),))]


@pytest.mark.parametrize(
    ("uncertain", "expected"),
    [
        ([], []),  # no frame at all
        ([False, False, False], []),  # sure throughout
        ([True, False, True], [(0.0, 0.5), (1.5, 2.5)]),  # two runs of one frame; none starts before the video
        ([True, True, True], [(0.0, 2.5)]),  # one run
    ],
)
def test_uncertain_stretches(uncertain: list[bool], expected: list[tuple[float, float]]) -> None:
    points = [Point(float(time_s), 0.5, value) for time_s, value in enumerate(uncertain)]
    assert uncertain_stretches(points, 1.0) == expected


def test_timeline_has_one_clickable_line_a_person_and_breaks_it_where_nobody_was_seen() -> None:
    figure = charts.timeline(TWO_PEOPLE, TRACKS, THRESHOLDS, duration_s=4.0)
    people = [trace for trace in figure.data if trace.name.startswith("Person")]
    assert [trace.name for trace in people] == ["Person 1", "Person 2"]
    assert all(trace.mode == "lines+markers" for trace in people)  # Plotly selects nothing on lines alone
    assert people[1].x == (0.0, 0.25, None, 3.0)
    assert people[0].marker.symbol == ("circle", "diamond-open", "diamond-open", "circle")
    assert figure.layout.xaxis.range == (0, 4.0)


def test_timeline_marks_uncertain_and_manipulated_stretches() -> None:
    figure = charts.timeline(TWO_PEOPLE, TRACKS, THRESHOLDS)
    (strip,) = [trace for trace in figure.data if trace.name == "Uncertain"]
    assert strip.x == (0.125, 0.625, None)
    shaded = [shape for shape in figure.layout.shapes if shape.yref == "y domain" and shape.type == "rect"]
    assert [(shape.x0, shape.x1) for shape in shaded] == [(0.0, 0.25)]


@pytest.mark.parametrize("dark", [False, True])
def test_bands_meet_at_the_thresholds_of_the_detector(dark: bool) -> None:
    figure = charts.timeline([], [], Thresholds(real_below=0.2, fake_above=0.8), dark=dark)
    bands = [
        (shape.y0, shape.y1) for shape in figure.layout.shapes if shape.xref == "x domain" and shape.type == "rect"
    ]
    assert bands == [(0.0, 0.2), (0.2, 0.8), (0.8, 1.0)]
    assert {shape.fillcolor for shape in figure.layout.shapes if shape.type == "rect"} <= {
        charts.palette(dark).real,
        charts.palette(dark).uncertain,
        charts.palette(dark).fake,
    }


@pytest.mark.parametrize(
    ("levels", "place"),
    [
        ((0.05, 0.05, 0.05), (0.3, "top", "right")),
        ((0.05, 0.05, 0.25), (0.3, "top", "left")),
        ((0.25, 0.05, 0.25), (0.3, "top", "center")),
        ((0.25, 0.25, 0.25), (0.0, "bottom", "right")),
    ],
)
def test_words_of_a_band_stand_where_fewest_points_are(levels: tuple[float, ...], place: tuple[object, ...]) -> None:
    thirds = frames(*((at / 3, [score(1, levels[at // 10], "real")]) for at in range(30)))
    words, uncertain, fake = charts.timeline(thirds, [], THRESHOLDS).layout.annotations
    assert (words.y, words.yanchor, words.xanchor) == place
    assert (uncertain.xanchor, fake.xanchor) == ("right", "right")


def test_cursor_is_drawn_only_where_asked_for() -> None:
    def vertical(cursor_s: float | None) -> list[float]:
        figure = charts.timeline(TWO_PEOPLE, [], THRESHOLDS, cursor_s=cursor_s)
        return [shape.x0 for shape in figure.layout.shapes if shape.type == "line" and shape.x0 == shape.x1]

    assert vertical(None) == []
    assert vertical(0.5) == [0.5]


def test_many_points_are_drawn_by_webgl() -> None:
    many = frames(*[(index / 30, [score(1, 0.1, "real")]) for index in range(charts.WEBGL_FROM + 1)])
    assert charts.timeline(many, [], THRESHOLDS).data[0].type == "scattergl"


def test_strip_shows_the_probability_on_a_scale_with_the_thresholds() -> None:
    figure = charts.probability_strip(0.42, THRESHOLDS)
    assert figure.data[0].x == (0.42,)
    assert figure.layout.xaxis.tickvals == (0.0, 0.3, 0.7, 1.0)


def test_a_limit_near_an_end_takes_the_end_s_number():
    figure = charts.probability_strip(0.42, Thresholds(real_below=0.05, fake_above=0.94))
    assert figure.layout.xaxis.tickvals == (0.05, 0.94)
    assert figure.layout.xaxis.tickangle == 0
