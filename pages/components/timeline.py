"""A video's evidence: player and timeline, the frame of the chosen moment, the strongest frames, the people."""

from collections.abc import Sequence
from typing import Any

import streamlit as st

from core import charts
from core.analysis.types import FaceScore, FrameReport, TrackReport, VideoReport
from core.analysis.verdict import passed_gates
from core.detector import Detector
from core.store import StoredMedia
from core.words import words
from pages.components import faces, layout, pictures, player, resources, verdict
from pages.components.text import clock, count, escape

STRONGEST = 6
GALLERY_OPACITY = 0.4
CHART = "timeline"


def moment_key(report: VideoReport, item: StoredMedia) -> str:
    return f"moment_{item.digest}_{report.sampling}"


def strength(score: FaceScore) -> tuple[bool, float]:
    """Faces that can be judged come before those that cannot, whatever their number."""
    return passed_gates(score), score.fake_probability


def strongest_face(frame: FrameReport) -> FaceScore:
    return max(frame.faces, key=strength)


def strongest_frames(report: VideoReport, number: int = STRONGEST) -> list[FrameReport]:
    """The frames that speak loudest for a manipulation, some time apart, since neighbours show the same."""
    apart_s = max(0.4, report.duration_s / (4 * number))
    picked: list[FrameReport] = []
    with_faces = (frame for frame in report.frames if frame.faces)
    for frame in sorted(with_faces, key=lambda frame: strength(strongest_face(frame)), reverse=True):
        if all(abs(frame.time_s - other.time_s) >= apart_s for other in picked):
            picked.append(frame)
        if len(picked) == number:
            break
    return picked


def nearest_frame(report: VideoReport, time_s: float) -> FrameReport:
    return min(report.frames, key=lambda frame: abs(frame.time_s - time_s))


def clicked_time(event: Any) -> float | None:
    """The moment of the point that was clicked on the timeline, None where the click hit none."""
    points = event.selection.points if event else []
    return float(points[0]["x"]) if points and points[0].get("x") is not None else None


def _move_to_click(chart_key: str, key: str) -> None:
    time_s = clicked_time(st.session_state.get(chart_key))
    if time_s is not None:
        st.session_state[key] = time_s


def _move_to(key: str, time_s: float) -> None:
    st.session_state[key] = time_s


def _chart(report: VideoReport, item: StoredMedia, detector: Detector, key: str) -> None:
    figure = charts.timeline(
        report.frames,
        report.tracks,
        detector.spec.limits(video=True),
        duration_s=report.duration_s,
        cursor_s=st.session_state[key],
        dark=resources.dark(),
        height=330,
    )
    chart_key = f"{CHART}_{item.digest}"
    st.plotly_chart(
        figure,
        key=chart_key,
        on_select=lambda: _move_to_click(chart_key, key),
        selection_mode="points",
        config={"displayModeBar": False},
        alt=f"Fake probability over {clock(report.duration_s)}: {verdict.LOOKS[report.verdict].word}",
    )
    whole, stretch = (detector.spec.limits(video=video).fake_above for video in (True, False))
    if stretch != whole:
        limits = {"whole": verdict.percent(whole), "stretch": verdict.percent(stretch)}
        st.caption(words("en")("report.stretch_threshold", **limits))


def _frame(
    report: VideoReport,
    item: StoredMedia,
    frame: FrameReport,
    strongest: Sequence[FrameReport],
    detector: Detector,
) -> None:
    left, right = layout.halves()
    with right:
        st.markdown(f"**Frame at {clock(frame.time_s)}**")
        opacity = faces.opacity_slider(f"frame_{item.digest}")
        if not frame.faces:
            st.caption("No face in this frame.")
        else:
            st.caption("This frame by itself; the verdict on a person weighs all of theirs.")
        for score in frame.faces:
            faces.line(f"Person {score.face.track_id}", score)
        if frame.faces:
            st.caption(faces.LEGEND)
    with left:
        picture = pictures.frame(item, frame, opacity, detector.spec.crop.scale, strongest)
        shape = pictures.shape_of(report.size_wh, tallest=440)
        st.image(picture, alt=f"Frame at {clock(frame.time_s)} with its faces and the evidence map", width=shape)


def _gallery(item: StoredMedia, frames: Sequence[FrameReport], key: str, scale: float) -> None:
    st.subheader("Strongest frames", anchor=False)
    st.caption("The moments that speak loudest for a manipulation. Open one to see it above.")
    with st.grid("auto", min_column_width=120):
        for frame in frames:
            score = strongest_face(frame)
            with st.container(gap="small"):
                st.image(
                    pictures.frame_face(item, frame, score, GALLERY_OPACITY, scale, frames),
                    alt=f"Person {score.face.track_id} at {clock(frame.time_s)}",
                    width="stretch",
                )
                st.button(
                    f"{clock(frame.time_s)} · {verdict.percent(score.fake_probability)}",
                    key=f"open_{item.digest}_{frame.index}",
                    on_click=_move_to,
                    args=(key, frame.time_s),
                    width="stretch",
                )


def _person(track: TrackReport, key: str, digest: str) -> None:
    with st.container(border=True, height="stretch"):
        st.markdown(f"**Person {track.id}**")
        verdict.badge(track.verdict, track.fake_probability)
        st.caption(f"{clock(track.start_s)} to {clock(track.end_s)}, {count(track.face_count, 'face')} judged")
        for reason in track.reasons:
            st.caption(escape(reason))
        for stretch in track.stretches:
            st.button(
                f"{clock(stretch.start_s)} to {clock(stretch.end_s)} · {verdict.percent(stretch.fake_probability)}",
                icon=":material/flag:",
                key=f"stretch_{digest}_{track.id}_{stretch.start_s}",
                help="A stretch that looks manipulated. Click to go there.",
                on_click=_move_to,
                args=(key, (stretch.start_s + stretch.end_s) / 2),
            )


def people(report: VideoReport, item: StoredMedia, key: str) -> None:
    """One card a person, the most suspicious first."""
    st.subheader("People", anchor=False)
    order = {"fake": 0, "uncertain": 1, "real": 2}
    with st.grid("auto", min_column_width=240):
        for track in sorted(report.tracks, key=lambda track: (order.get(track.verdict, 3), -track.fake_probability)):
            _person(track, key, item.digest)


@st.fragment
def evidence(item: StoredMedia, report: VideoReport, detector: Detector) -> None:
    """Player and timeline, and what they point at; a click moves all of it without running the page anew."""
    if not item.path.exists():
        st.rerun()  # the page says what became of it
    key = moment_key(report, item)
    strongest = strongest_frames(report)
    start = strongest[0].time_s if strongest else 0.0
    st.session_state.setdefault(key, start)
    left, right = layout.halves()
    with left:
        player.show(item, report, st.session_state[key])
    with right:
        if strongest:
            _chart(report, item, detector, key)
            st.caption("Click a point to see that frame and to move the player there.")
        else:
            st.caption("There is no timeline, since no face was found.")
    if not strongest:
        return
    _frame(report, item, nearest_frame(report, st.session_state[key]), strongest, detector)
    _gallery(item, strongest, key, detector.spec.crop.scale)
    people(report, item, key)
