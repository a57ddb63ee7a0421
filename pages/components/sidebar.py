"""The sidebar: which detector judges, under which licence, and the way to its card."""

import streamlit as st

from core.detector import DetectorEntry
from pages.components import resources

NO_LICENCE = "none stated"


def licence(entry: DetectorEntry) -> str:
    return (entry.spec.licence if entry.spec else "") or NO_LICENCE


def _pick(entries: list[DetectorEntry]) -> DetectorEntry:
    names = [entry.name for entry in entries]
    wanted = st.session_state.pop(resources.NEXT_CHOICE, None)
    current = resources.chosen()
    st.session_state[resources.CHOICE] = wanted if wanted in names else current.name if current else names[0]
    name = st.selectbox(
        "Detector",
        names,
        key=resources.CHOICE,
        persist_state="session",
        help="The trained network that judges the faces. Results belong to the detector that gave them.",
    )
    return entries[names.index(name)]


def detector_picker() -> None:
    """The picker with licence and card; says where to add a detector when there is none."""
    entries = resources.detectors()
    with st.sidebar:
        if not entries:
            st.caption("No detector yet.")
            st.page_link("pages/detector.py", label="Add a detector", icon=":material/add:")
            return
        entry = _pick(entries)
        if entry.error is not None:
            st.badge("Cannot be loaded", icon=":material/error:", color="red")
        else:
            st.caption(f"Licence: {licence(entry)}")
        st.page_link("pages/detector.py", label="Model card and licence", icon=":material/description:")
