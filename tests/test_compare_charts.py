"""core.compare_charts: two timelines on one axis of time."""

import pytest

from core import charts
from core.analysis.types import FaceScore, FrameReport, Quality, Stretch, TrackReport, VideoReport
from core.compare_charts import Row, compared_timelines
from core.detector.spec import Thresholds
from core.faces import Face


def score(probability: float) -> FaceScore:
    return FaceScore(Face((0, 0, 9, 9), 0.9, track_id=1), probability, 0.0, {}, "real", Quality(50, 30, 100))


def report(count: int, duration_s: float, *stretches: Stretch) -> VideoReport:
    frames = tuple(FrameReport(i, i * duration_s / count, (score(0.2),)) for i in range(count))
    tracks = (TrackReport(1, 0, duration_s, "fake", 0.9, stretches),) if stretches else ()
    return VideoReport(path="a", verdict="real", duration_s=duration_s, frames=frames, tracks=tracks)


LEFT = Row("A · original", report(10, 10.0), Thresholds(0.3, 0.7))
RIGHT = Row("B · copy <b>", report(5, 5.0, Stretch(1.0, 2.0, 0.9)), Thresholds(0.2, 0.8), starts_s=8.0)


@pytest.mark.parametrize("dark", [False, True])
def test_one_axis_of_time_for_both(dark: bool) -> None:
    figure = compared_timelines((LEFT, RIGHT), cursor_s=9.0, dark=dark)
    assert figure.layout.xaxis.range == (0.0, 13.0)
    assert "xaxis2" not in figure.layout.to_plotly_json()
    assert {trace.yaxis for trace in figure.data} == {"y", "y2"}
    assert figure.layout.yaxis.domain[0] > figure.layout.yaxis2.domain[1]  # A above, and no overlap
    lower = next(trace for trace in figure.data if trace.yaxis == "y2" and "Person" in trace.name)
    assert list(lower.x) == [8.0, 9.0, 10.0, 11.0, 12.0]


def test_each_keeps_its_own_thresholds_and_stretches() -> None:
    figure = compared_timelines((LEFT, RIGHT))
    bands = {axis: [] for axis in ("y", "y2")}
    for shape in figure.layout.shapes:
        if shape.type == "rect" and shape.xref == "x domain":
            bands[shape.yref].append(shape.y1)
    assert bands == {"y": [0.3, 0.7, 1.0], "y2": [0.2, 0.8, 1.0]}
    shaded = [(s.x0, s.x1, s.yref) for s in figure.layout.shapes if s.type == "rect" and s.xref == "x"]
    assert shaded == [(9.0, 10.0, "y2 domain")]


def test_names_stand_above_and_are_no_markup() -> None:
    texts = [note.text for note in compared_timelines((LEFT, RIGHT)).layout.annotations]
    assert "<b>A · original</b>" in texts
    assert "<b>B · copy &lt;b></b>" in texts


def test_a_video_without_faces_and_one_that_starts_before() -> None:
    empty = Row("B", VideoReport(path="b", verdict="no_face", duration_s=4.0), Thresholds(), starts_s=-2.0)
    figure = compared_timelines((LEFT, empty))
    assert figure.layout.xaxis.range == (-2.0, 10.0)


def test_the_pages_own_timeline_is_left_as_it_was() -> None:
    before = charts.timeline(RIGHT.report.frames, RIGHT.report.tracks, RIGHT.thresholds).to_plotly_json()
    compared_timelines((LEFT, RIGHT))
    assert charts.timeline(RIGHT.report.frames, RIGHT.report.tracks, RIGHT.thresholds).to_plotly_json() == before
