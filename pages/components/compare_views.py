"""Two results side by side: verdicts, pictures under their maps, and timelines that share one axis of time."""

from dataclasses import dataclass

import streamlit as st

from core.analysis.types import ImageReport, Report, VideoReport
from core.compare_charts import Row, compared_timelines
from core.detector.spec import DetectorSpec
from core.errors import UserError
from core.store import StoredMedia
from pages.components import exports, faces, opened, pictures, resources, timeline, verdict
from pages.components.text import clock, escape


@dataclass(frozen=True)
class Side:
    """One half of the page: "A" or "B", the file, its report, and the detector's card that goes with it."""

    side: str
    item: StoredMedia
    report: Report
    spec: DetectorSpec

    @property
    def key(self) -> str:
        return f"{self.side}_{self.item.digest}_{self.report.model_sha256[:8]}"

    @property
    def name(self) -> str:
        return f"{self.side} · {self.item.name} · {self.report.model}"


def card(one: Side) -> None:
    """The verdict of one side, and what was looked at."""
    opened.truth(one.item)
    verdict.card(
        one.report,
        one.spec.limits(video=isinstance(one.report, VideoReport)),
        dark=resources.dark(),
        key=f"compare_{one.key}",
    )
    st.caption(exports.facts(one.report))


def _image(one: Side, report: ImageReport, opacity: float) -> None:
    rgb = pictures.overlaid(one.item.digest, str(one.item.path), report, opacity, one.spec.crop.scale)
    width = pictures.shape_of(report.size_wh, tallest=520)
    st.image(rgb, alt=f"{one.side}: {pictures.describe(report)}, under their evidence maps", width=width)


def _frame(one: Side, report: VideoReport, time_s: float, opacity: float) -> None:
    """The frame of one side at a moment of its own video."""
    if not report.frames:
        return
    frame = timeline.nearest_frame(report, time_s)
    try:
        rgb = pictures.frame(one.item, frame, opacity, one.spec.crop.scale)
    except UserError as error:
        resources.show_error(error, one.item.name)
        return
    width = pictures.shape_of(report.size_wh, tallest=440)
    st.image(rgb, alt=f"{one.side} at {clock(frame.time_s)} with its faces and the evidence map", width=width)
    st.markdown(f"**{one.side} at {clock(frame.time_s)}**")
    if not frame.faces:
        st.caption("No face in this frame.")
    for score in frame.faces:
        faces.line(f"Person {score.face.track_id}", score, reasons=False)


def _strongest_s(report: VideoReport) -> float:
    strongest = timeline.strongest_frames(report, 1)
    return strongest[0].time_s if strongest else 0.0


def _chart(rows: tuple[Row, Row], key: str) -> None:
    chart_key = f"{key}_chart"

    def move() -> None:
        time_s = timeline.clicked_time(st.session_state.get(chart_key))
        if time_s is not None:
            st.session_state[key] = time_s

    st.plotly_chart(
        compared_timelines(rows, cursor_s=st.session_state[key], dark=resources.dark()),
        key=chart_key,
        on_select=move,
        selection_mode="points",
        config={"displayModeBar": False},
        alt="Fake probability over time of A above and of B below, on one axis",
    )


def _videos(left: Side, right: Side, first: VideoReport, second: VideoReport, opacity: float) -> None:
    key = f"compare_moment_{left.key}_{right.key}"
    st.session_state.setdefault(key, _strongest_s(second) if second.frames else _strongest_s(first))
    words, shift = st.columns([3, 1], gap="medium", vertical_alignment="bottom")
    words.caption("Both on one axis of time: zoom and pan move both. Click a point to see that moment on both sides.")
    starts_s = shift.number_input(
        "B starts at (seconds)",
        value=0.0,
        step=0.1,
        min_value=-36000.0,
        max_value=36000.0,
        format="%.1f",
        key=f"{key}_shift",
        help="Where on A's axis B begins, for a copy that was cut at its start or has something before it.",
    )
    rows = (
        Row(left.name, first, left.spec.limits(video=True)),
        Row(right.name, second, right.spec.limits(video=True), starts_s),
    )
    _chart(rows, key)
    columns = st.columns(2, gap="medium")
    for column, one, report, start_s in zip(columns, (left, right), (first, second), (0.0, starts_s), strict=True):
        with column:
            _frame(one, report, st.session_state[key] - start_s, opacity)


@st.fragment
def evidence(left: Side, right: Side) -> None:
    """What lies behind the two verdicts; the slider and a click on the timeline redraw only this."""
    words, slider = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    words.subheader("Side by side", anchor=False)
    words.caption(faces.LEGEND)
    with slider:
        opacity = faces.opacity_slider("compare")
    first, second = left.report, right.report
    if isinstance(first, VideoReport) and isinstance(second, VideoReport):
        _videos(left, right, first, second, opacity)
        return
    if isinstance(first, VideoReport) or isinstance(second, VideoReport):
        st.caption("A picture and a video share no axis of time: the video is shown at the moment that speaks loudest.")
    for column, one in zip(st.columns(2, gap="medium"), (left, right), strict=True):
        with column:
            st.markdown(f"**{escape(one.name)}**")
            if isinstance(one.report, ImageReport):
                _image(one, one.report, opacity)
            elif isinstance(one.report, VideoReport):
                _frame(one, one.report, _strongest_s(one.report), opacity)
