"""Why one face was judged as it was: what the network sees, heatmaps side by side, and what would change its mind."""

from pathlib import Path

import numpy as np
import streamlit as st

from core.detector import Detector
from core.errors import UserError
from core.evaluation import read_document
from core.evaluation.explanations import default_method
from core.evaluation.results import shipped
from core.explain.overlay import SCALE_LOGITS
from core.explain.regions import face_regions, in_words, top_regions
from core.faces.crop import resize_crop
from pages.components import explain_maps, explain_what_if, faces, opened, pictures, resources, routing, verdict
from pages.components.explain_face import ChosenFace, choose, mesh_points, sides
from pages.components.text import escape

CAUTION = (
    "A map shows what this detector rests its answer on. That may be the manipulation, or something that it takes for "
    "one: no map proves anything by itself."
)


@st.cache_data(max_entries=8, show_spinner=False)
def measured_default(name: str, stamps: tuple[tuple[str, int], ...]) -> str:
    """The method that the detector's own evaluation found most faithful."""
    documents = []
    for path, _ in stamps:
        try:
            documents.append(read_document(Path(path)))
        except UserError:
            continue
    return default_method(documents)


def default_for_chosen() -> str:
    entry = resources.chosen()
    own = shipped([entry]) if entry else []
    return measured_default(entry.name if entry else "", tuple((str(one.path), one.modified_ns) for one in own))


def _also(chosen: ChosenFace, detector: Detector) -> str:
    """What of the picture counts besides the crop."""
    if not (chosen.still and detector.spec.crop.wide):
        return "The rest of the picture is not looked at."
    return (
        "Of a still it also gets a slightly wider crop and that one's corners. The probability is that of all of them, "
        "the maps are of this crop."
    )


def head(chosen: ChosenFace, detector: Detector, regions: dict[str, np.ndarray] | None) -> None:
    """The crop that the network gets, and what it says of it in a number and in words."""
    score = explain_what_if.judged(chosen, detector)
    left, right = st.columns([1, 2], gap="large")
    with left:
        st.image(resize_crop(chosen.crop, pictures.CROP_SIDE), alt="What the network gets", width="stretch")
        side = detector.spec.input_size
        st.caption(f"What the network gets: {side} × {side} px, shown larger. {_also(chosen, detector)}")
    with right:
        st.subheader(chosen.title, anchor=False)
        verdict.badge(score.verdict)
        st.metric("Fake probability of this face", verdict.percent(score.fake_probability))
        heat = explain_maps.engine_map(chosen, detector)
        if regions is None:
            st.markdown("Parts of this face cannot be named: it is turned too far, or covered.")
        else:
            for words, one in (("Speaks for a fake", heat), ("Speaks against it", -heat)):
                st.markdown(f"**{words}:** {in_words(top_regions(one, regions, SCALE_LOGITS))}")
            st.caption(f"Where most of the evidence lies by the activation map. {sides(chosen)}")
        if score.face.rotation_deg:
            st.caption(faces.upright_words(score.face))
        for reason in score.reasons:
            st.caption(escape(reason))
        st.caption(CAUTION)


@st.fragment
def heatmaps(chosen: ChosenFace, detector: Detector, regions: dict[str, np.ndarray] | None, default: str) -> None:
    shown, opacity = explain_maps.controls(chosen, detector, default)
    explain_maps.grid(chosen, detector, shown, opacity, regions)


routing.require_router()
st.title("Explain a verdict", anchor=False)
st.caption("One face: what its verdict rests on, and what would change it. Everything is computed on this machine.")

detector = resources.detector_or_stop()
chosen = choose(detector)
if chosen is None:
    st.stop()
opened.truth(chosen.item)
points = mesh_points(chosen.crop)
regions = None if points is None else face_regions(points, *chosen.crop.shape[:2])
head(chosen, detector, regions)
st.subheader("What if", anchor=False)
st.caption(
    "Change the picture and see whether the verdict holds. One that a little compression overturns is worth little."
)
explain_what_if.panel(chosen, detector, regions)
st.subheader("Heatmaps", anchor=False)
st.caption("Red speaks for a fake, blue against it. In a map of why it may be real, blue is drawn in full.")
heatmaps(chosen, detector, regions, default_for_chosen())
