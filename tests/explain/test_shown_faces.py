"""core.explain.shown_faces: what is drawn on frames that were analysed, between them, and far from any."""

import pytest

from core.analysis.types import FaceScore, FrameReport, Quality
from core.explain.shown_faces import ShownFaces
from core.faces import Face


def face(left: float, probability: float, track: int | None = 1) -> FaceScore:
    box = (left, 10.0, left + 40, 60.0)
    return FaceScore(Face(box, 0.9, track_id=track), probability, 0.0, {}, "real", Quality(50, 30, 100))


FRAMES = (
    FrameReport(0, 0.0, (face(0, 0.1),)),
    FrameReport(5, 0.2, (face(20, 0.3),)),
    FrameReport(10, 0.4, (face(300, 0.5),)),  # after a cut
    FrameReport(15, 0.6, ()),
    FrameReport(90, 3.6, (face(50, 0.7),)),
)


@pytest.mark.parametrize(
    ("time_s", "state", "faces"),  # of each face its left edge and probability
    [
        (0.0, "analysed", [(0, 0.1)]),
        (0.2004, "analysed", [(20, 0.3)]),  # the same frame, its time stamp rounded
        (0.05, "between", [(5, 0.1)]),
        (0.15, "between", [(15, 0.3)]),  # the number of the nearer frame
        (0.25, "between", [(20, 0.3)]),  # a box does not glide across a cut
        (0.45, "between", [(300, 0.5)]),
        (0.55, "between", []),  # nobody on the nearer frame
        (2.0, "not_analysed", []),
        (3.5, "between", [(50, 0.7)]),  # so short before a frame that the face is still there
        (3.7, "between", [(50, 0.7)]),  # after the last
        (9.0, "not_analysed", []),
    ],
)
def test_at(time_s, state, faces):
    found, shown = ShownFaces(FRAMES).at(time_s)
    assert found == state
    assert [round(one.box_xyxy[0], 6) for one in shown] == [left for left, _ in faces]
    assert [one.score.fake_probability for one in shown] == [probability for _, probability in faces]


def test_faces_without_a_track_stay_where_they_were():
    frames = (FrameReport(0, 0.0, (face(0, 0.1, None),)), FrameReport(1, 0.2, (face(20, 0.3, None),)))
    assert ShownFaces(frames).at(0.05)[1][0].box_xyxy[0] == 0


def test_a_report_without_frames():
    assert ShownFaces(()).at(1.0) == ("not_analysed", ())
