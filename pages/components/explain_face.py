"""Which face is explained: from a picture, a sample, or something in the history, be it a picture or a frame."""

from dataclasses import dataclass, replace

import numpy as np
import streamlit as st

from core.analysis.types import FaceScore, FrameReport, ImageReport, VideoReport
from core.detector import Detector
from core.errors import MediaError, UserError
from core.faces import Face, crop_face
from core.faces.crop import crop_square
from core.faces.landmarks import default_mesh
from core.media import IMAGE_SUFFIXES, load_image, read_frame_at
from core.store import StoredMedia
from pages.components import pictures, resources, results, sample_pictures, sources, verdict
from pages.components.text import clock, escape

PAGE = "explain"
TYPES = sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES)
PICTURE, HISTORY = "Picture", "History"
LISTED = 60
AROUND = 2.0
"""What is kept of a picture around a face, in crop sides to each side: enough for every change, and quick to change."""
GRID = 16
"""Parts begin on this grid, so that JPEG's blocks lie in them as in the whole picture."""
MESH_CONFIDENCE = 0.5


@dataclass(frozen=True)
class ChosenFace:
    """One face, and the pixels around it.

    Attributes:
        item: The file that it is from.
        report: Of that file.
        rgb: The part of the picture around the face, in its own pixels.
        score: The face as it was judged, its box in `rgb`.
        crop: uint8 (s, s, 3), what the network gets.
        key: Short and unique, for widgets and caches.
        title: For people.
    """

    item: StoredMedia
    report: ImageReport | VideoReport
    rgb: pictures.Rgb
    score: FaceScore
    crop: pictures.Rgb
    key: str
    title: str

    @property
    def still(self) -> bool:
        """Whether it is judged as stills are."""
        return isinstance(self.report, ImageReport)


def choose(detector: Detector) -> ChosenFace | None:
    """The face that is picked; None while there is none, and the page then says what to do."""
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    source = row.segmented_control(
        "Source",
        [PICTURE, HISTORY],
        default=None if "explain_source" in st.session_state else PICTURE,
        required=True,
        key="explain_source",
        persist_state="session",
        label_visibility="collapsed",
    )
    found = _from_history() if source == HISTORY else _from_picture(detector)
    if found and source == PICTURE:
        row.button("Start over", icon=":material/restart_alt:", on_click=sources.start_over, args=(PAGE,))
    if found is None:
        return None
    item, report = found
    view = _of_picture(item, report) if isinstance(report, ImageReport) else _of_video(item, report)
    if view is None:
        return None
    try:
        return _cut(item, report, *view, detector)
    except UserError as error:
        resources.show_error(error, item.name)
        return None


def _from_picture(detector: Detector) -> tuple[StoredMedia, ImageReport] | None:
    upload = st.file_uploader(
        "Drop a picture here, or choose one",
        type=TYPES,
        key=sources.uploader_key(PAGE),
        on_change=sources.replaced_by_uploads(PAGE),
    )
    sources.begin(PAGE)
    found = sources.store_all([upload] if upload else [])
    if found and not sources.items(PAGE):
        sources.set_items(PAGE, found)
    sources.name_in_address(PAGE)
    if not sources.items(PAGE):
        sample_pictures.offer(PAGE, key="explain_sample")
        return None
    item = sources.items(PAGE)[0]
    try:
        return item, results.image_report(item, detector)
    except UserError as error:
        resources.show_error(error, item.name)
        return None


def _from_history() -> tuple[StoredMedia, ImageReport | VideoReport] | None:
    entries = [one for one in resources.store().history() if one.media_path and one.verdict not in ("no_face", "error")]
    if not entries:
        st.info("Nothing with a face has been analysed yet: check a picture or a video first, or drop a picture here.")
        return None
    entry = st.selectbox(
        "What was analysed",
        entries[:LISTED],
        format_func=verdict.entry_words,
        key="explain_entry",
        persist_state="session",
    )
    item = resources.store().media(entry.digest)
    report = resources.store().load_report(entry.digest, entry.settings_key)
    if item is None or report is None:
        st.info("This result is no longer whole: analyse the file again, or choose another one.")
        return None
    return item, report


def _of_picture(item: StoredMedia, report: ImageReport) -> tuple[FaceScore, float | None, str] | None:
    if not report.faces:
        st.info("No face was found in this picture, and only faces are judged: choose another picture.")
        return None
    number = 0
    if len(report.faces) > 1:
        number = st.pills(
            "Face",
            list(range(len(report.faces))),
            default=_worst(report.faces),
            required=True,
            format_func=lambda i: f"Face {i + 1} · {verdict.percent(report.faces[i].fake_probability)}",
            key=f"explain_face_{item.digest}",
        )
    return report.faces[number or 0], None, f"Face {(number or 0) + 1} of {item.name}"


def _worst(faces: tuple[FaceScore, ...]) -> int:
    return max(range(len(faces)), key=lambda i: faces[i].fake_probability)


def _of_video(item: StoredMedia, report: VideoReport) -> tuple[FaceScore, float | None, str] | None:
    people: dict[int, list[tuple[FrameReport, FaceScore]]] = {}
    for frame in report.frames:
        for score in frame.faces:
            people.setdefault(score.face.track_id or 1, []).append((frame, score))
    if not people:
        st.info("No face was found in this video, and only faces are judged: choose something else.")
        return None
    person = min(people)
    if len(people) > 1:
        person = st.pills(
            "Person",
            sorted(people),
            default=person,
            required=True,
            format_func=lambda number: f"Person {number}",
            key=f"explain_person_{item.digest}",
        )
    views = people[person]
    strongest = max(range(len(views)), key=lambda i: views[i][1].fake_probability)
    chosen = strongest
    if len(views) > 1:
        chosen = st.select_slider(
            "Frame",
            list(range(len(views))),
            value=strongest,
            format_func=lambda i: f"{clock(views[i][0].time_s)} · {verdict.percent(views[i][1].fake_probability)}",
            key=f"explain_frame_{item.digest}_{person}",
            help="Frames that were analysed; the one that looks most like a fake comes first.",
        )
    frame, score = views[chosen]
    return score, frame.time_s, f"Person {person} of {item.name} at {clock(frame.time_s)}"


def _cut(
    item: StoredMedia,
    report: ImageReport | VideoReport,
    score: FaceScore,
    time_s: float | None,
    title: str,
    detector: Detector,
) -> ChosenFace:
    scale, face = detector.spec.crop.scale, score.face
    x0, y0, _, _ = face.box_xyxy
    part, (left, top) = _part(item.digest, str(item.path), time_s, crop_square(face, scale), face.tight)
    moved = face.shifted(-left, -top)
    crop = crop_face(part, moved, scale=scale, size=detector.spec.input_size)
    key = f"{item.digest[:16]}_{'' if time_s is None else f'{time_s:.3f}'}_{x0:.0f}_{y0:.0f}"
    return ChosenFace(item, report, part, replace(score, face=moved), crop, key, escape(title))


@st.cache_data(max_entries=12, show_spinner=False)
def _part(
    digest: str, _path: str, time_s: float | None, square: tuple[float, float, float], tight: bool
) -> tuple[pictures.Rgb, tuple[int, int]]:
    """The picture around a face, and where in it that begins."""
    rgb = load_image(_path).rgb if time_s is None else read_frame_at(_path, time_s).rgb
    if tight:
        return rgb, (0, 0)
    left, top, side = square
    x0, y0 = (max(0, int(edge - AROUND * side) // GRID * GRID) for edge in (left, top))
    x1, y1 = (int(edge + (1 + AROUND) * side) for edge in (left, top))
    part = rgb[y0 : max(y0 + 1, y1), x0 : max(x0 + 1, x1)]
    if part.size == 0:
        raise MediaError("The face lies outside of this picture: analyse it again.")
    return np.ascontiguousarray(part), (x0, y0)


@st.cache_data(max_entries=32, show_spinner=False)
def mesh_points(crop: pictures.Rgb) -> np.ndarray | None:
    """468 points on the face in a crop; None where no face can be made out, as in a profile."""
    points, confidence = default_mesh().points(crop)
    return points if confidence >= MESH_CONFIDENCE else None


def sides(chosen: ChosenFace) -> str:
    """What left and right mean where parts of the face are named."""
    return f"Left and right are those of {'the upright face' if chosen.score.face.rotation_deg else 'the picture'}."


def face_of(chosen: ChosenFace, factor_xy: tuple[float, float]) -> Face:
    """The face in a copy of the part that was resized by these factors."""
    return chosen.score.face.scaled(*factor_xy)
