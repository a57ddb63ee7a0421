"""The most confident mistakes, each with the evidence that misled the detector."""

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from core.detector import Detector
from core.errors import MediaError, UserError
from core.evaluation.cache import detector_key, stamp
from core.evaluation.gallery import OF_A_VIDEO, SHOWN, Card, Evidence, find_evidence
from core.evaluation.gallery import gallery as cards_of
from core.evaluation.mistakes import most_confident
from core.explain import LEGEND, draw_face
from pages.components import faces, pictures, resources, verdict
from pages.components.text import escape

KINDS = {"Both": None, "Reals called fake": False, "Fakes called real": True}


def detector_of(document: dict[str, Any]) -> Detector | None:
    """The one that was measured, where it is still there with the same weights."""
    for entry in resources.detectors():
        if entry.spec and entry.spec.weights_sha256 == document["detector"]["sha256"]:
            try:
                return resources.load(entry)
            except UserError:
                return None
    return None


@st.cache_data(max_entries=64, show_spinner=False)
def _evidence(path: str, video: bool, file_stamp: str, key: str, _detector: Detector) -> Evidence:
    return find_evidence(Path(path), video, _detector, resources.finder())


def evidence(path: Path, video: bool, detector: Detector) -> Evidence:
    """The face that decided; raises MediaError where the file is gone."""
    return _evidence(str(path), video, stamp(path), detector_key(detector), detector)


def cards(document: dict[str, Any]) -> list[Card]:
    """For the HTML file; none where no paths are known or the detector is gone."""
    detector = detector_of(document) if "path" in document["items"] else None
    return cards_of(document, partial(evidence, detector=detector)) if detector else []


@st.fragment
def gallery(document: dict[str, Any]) -> None:
    """A card for each; the switch and the slider redraw only these."""
    items = document["items"]
    if "path" not in items:
        st.caption(
            "These figures came without the media they were measured on. Measure the detector on a folder of your "
            "own to see its mistakes."
        )
        return
    left, right = st.columns([3, 2], gap="medium", vertical_alignment="bottom")
    kind = left.segmented_control("Mistakes", list(KINDS), default="Both", required=True, key="evaluation_mistakes")
    found = most_confident(items, SHOWN, fake=KINDS[kind or "Both"])
    if not found:
        st.caption("No wrong verdict: what it was not sure of, it left uncertain.")
        return
    with right:
        opacity = faces.opacity_slider("evaluation")
    with st.spinner("Starting the detector…"):
        detector = detector_of(document)
    if detector is None:
        st.caption("The detector is no longer there, or was changed: without it there are no evidence maps.")
    with st.grid("auto", min_column_width=220):
        for at in found:
            card(items, at, detector, opacity)
    videos = detector is not None and any(items["video"][at] for at in found)
    st.caption(f"{LEGEND} {OF_A_VIDEO}" if videos else LEGEND)


def card(items: dict[str, list[Any]], at: int, detector: Detector | None, opacity: float) -> None:
    path, fake, when = Path(items["path"][at]), items["fake"][at], ""
    with st.container(border=True, height="stretch", gap="small"):
        try:
            if detector is not None:
                with st.skeleton(height=220):
                    found = evidence(path, items["video"][at], detector)
                when = "" if found.time_s is None else f" · second\N{NO-BREAK SPACE}{found.time_s:.1f}"
                picture = draw_face(found.crop, found.score, opacity=opacity)
                st.image(picture, alt="The face under its evidence map", width="stretch")
            elif items["video"][at]:
                st.caption(":material/movie: A video: open it on the Video page to see when.")
            else:
                st.image(pictures.preview(str(path)), alt="The picture", width="stretch")
        except MediaError as error:
            st.caption(escape(str(error)))
        verdict.badge(items["verdict"][at])
        said = verdict.percent(items["fake_probability"][at])
        st.markdown(f"Given {said}, is **{'fake' if fake else 'real'}**")
        st.caption(f"{escape(items['source'][at])} · {escape(path.name)}{when}")
