"""The most confident mistakes, each with the evidence that misled the detector."""

from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from core.analysis.image import analyze_image
from core.analysis.verdict import worst_face
from core.detector import Detector
from core.errors import MediaError, UserError
from core.evaluation.cache import stamp
from core.evaluation.mistakes import most_confident
from core.faces import crop_face
from core.media import load_image
from pages.components import faces, pictures, resources, verdict
from pages.components.text import escape

SHOWN = 12
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
def evidence(path: str, _stamp: str, sha256: str, _detector: Detector) -> tuple[NDArray[np.uint8], Any]:
    """Crop of the face that decided and its score; raises MediaError where the file is gone."""
    report = analyze_image(path, _detector, resources.finder())
    worst = worst_face(report.faces)
    if worst is None:
        raise MediaError("No face is found in this picture any more.")
    score = report.faces[worst]
    crop = crop_face(load_image(path).rgb, score.face, scale=_detector.spec.crop.scale, size=pictures.CROP_SIDE)
    return crop, score


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
    detector = detector_of(document)
    if detector is None:
        st.caption("The detector is no longer there, or was changed: without it there are no evidence maps.")
    with st.grid("auto", min_column_width=220):
        for at in found:
            card(items, at, detector, opacity)
    st.caption(faces.LEGEND)


def card(items: dict[str, list[Any]], at: int, detector: Detector | None, opacity: float) -> None:
    path, fake = Path(items["path"][at]), items["fake"][at]
    with st.container(border=True, height="stretch", gap="small"):
        try:
            if items["video"][at]:
                st.caption(":material/movie: A video: open it on the Video page to see when.")
            elif detector is not None:
                crop, score = evidence(str(path), stamp(path), detector.sha256, detector)
                picture = pictures.overlay(crop, score, opacity)
                st.image(picture, alt="The face under its evidence map", width="stretch")
            else:
                st.image(pictures.preview(str(path)), alt="The picture", width="stretch")
        except MediaError as error:
            st.caption(escape(str(error)))
        verdict.badge(items["verdict"][at])
        said = verdict.percent(items["fake_probability"][at])
        st.markdown(f"Given {said}, is **{'fake' if fake else 'real'}**")
        st.caption(f"{escape(items['source'][at])} · {escape(path.name)}")
