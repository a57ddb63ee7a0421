"""What a reader must know before a result: the truth about a sample, or that another detector gave it."""

import streamlit as st

from core.analysis.types import Report
from core.detector import Detector
from core.samples import truth_about
from core.store import StoredMedia
from pages.components.sources import OPENED
from pages.components.text import escape


def _close(digest: str) -> None:
    st.session_state.get(OPENED, {}).pop(digest, None)


def truth(item: StoredMedia) -> None:
    """For a sample what is known of it; nothing for any other file."""
    if known := truth_about(item.path):
        st.info(f"{known} Compare that with the verdict: detectors err.", title="A sample", icon=":material/science:")


def note(item: StoredMedia, report: Report, detector: Detector) -> None:
    """For a sample what is known of it; for a result of another detector than the one in use, that it is one."""
    truth(item)
    if item.digest not in st.session_state.get(OPENED, {}) or report.model_sha256 == detector.sha256:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(f"This result was given by the detector {escape(report.model)}, which is not the one in use.")
        st.button(
            f"Analyse with {escape(detector.name)}",
            icon=":material/refresh:",
            key=f"again_{item.digest}",
            on_click=_close,
            args=(item.digest,),
        )
