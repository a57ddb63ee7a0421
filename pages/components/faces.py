"""Faces one by one: crop, evidence map, probability, reasons."""

import streamlit as st

from core.analysis.types import FaceScore, ImageReport
from core.detector import Detector
from core.explain import LEGEND, draw_face
from core.faces import Face
from core.store import StoredMedia
from pages.components import pictures, verdict
from pages.components.text import escape


def opacity_slider(key: str) -> float:
    """How strongly the evidence map covers the face, 0..1."""
    percent = st.slider(
        "Strength of the map",
        0,
        100,
        60,
        step=5,
        format="%d %%",
        key=f"opacity_{key}",
        persist_state="session",
        help="How strongly the map covers the face. Its colours mean the same on every picture.",
    )
    return percent / 100


def upright_words(face: Face) -> str:
    """Of a face that lies: how it was judged."""
    return f"Judged upright, turned clockwise by {face.rotation_deg}°."


def line(title: str, score: FaceScore, *, reasons: bool = True) -> None:
    """One face in words: who, the verdict, the reasons."""
    st.markdown(f"**{title}**")
    verdict.badge(score.verdict)
    # not in the badge, whose end is cut off in a narrow card
    st.caption(f"Fake probability {verdict.percent(score.fake_probability)}")
    if score.face.rotation_deg:
        st.caption(upright_words(score.face))
    for reason in score.reasons if reasons else ():
        st.caption(escape(reason))


def _card(number: int, score: FaceScore, crop: pictures.Rgb, opacity: float, *, alone: bool) -> None:
    with st.container(border=True, height="stretch"):
        picture = draw_face(crop, score, opacity=opacity)
        st.image(picture, alt=f"Face {number} with its evidence map", width="stretch")
        line(f"Face {number}", score, reasons=not alone)  # of a single face the verdict's card has said them


@st.fragment
def gallery(item: StoredMedia, report: ImageReport, detector: Detector) -> None:
    """A card for each face of a picture, in the order of their numbers; the slider redraws only these."""
    if not report.faces:
        return
    if not item.path.exists():
        st.rerun()  # the page says what became of it
    words, slider = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    with words:
        st.subheader("The face" if len(report.faces) == 1 else "The faces", anchor=False)
        st.caption(LEGEND)
    with slider:
        opacity = opacity_slider(item.digest)
    crops = pictures.crops(item.digest, str(item.path), report, detector.spec.crop.scale)
    with st.grid("auto", min_column_width=220):
        for number, (score, crop) in enumerate(zip(report.faces, crops, strict=True), start=1):
            _card(number, score, crop, opacity, alone=len(report.faces) == 1)
