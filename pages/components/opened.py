"""What a reader must know before a result: the truth about a sample, or that another detector gave it."""

from pathlib import Path

import streamlit as st

from core.analysis.types import Report, VideoReport
from core.detector import Detector
from core.errors import MediaError
from core.media import Sampling, media_kind
from core.samples import truth_about
from core.store import StoredMedia
from pages.components.sources import OPENED, close_report
from pages.components.text import escape

PAGES = {
    "image": "This file holds a picture: check it on the Image page",
    "video": "This file holds a video: check it on the Video page",
}


def truth(item: StoredMedia) -> None:
    """For a sample what is known of it; nothing for any other file."""
    if known := truth_about(item.path):
        st.info(f"{known} Compare that with the verdict: detectors err.", title="A sample", icon=":material/science:")


def other_page(path: Path, kind: str) -> None:
    """Where a file that is none of this page's is looked at; nothing where no page could."""
    try:
        found = media_kind(path)
    except MediaError:  # empty, or gone: the page has said so
        return
    if found is not None and found != kind:
        st.page_link(f"pages/{found}.py", label=PAGES[found], icon=":material/arrow_forward:")


def note(item: StoredMedia, report: Report, detector: Detector, sampling: Sampling | None = None) -> None:
    """For a sample what is known of it; for a result that other settings gave than those in use, that it is one."""
    truth(item)
    if item.digest not in st.session_state.get(OPENED, {}):
        return
    if report.model_sha256 != detector.sha256:
        said = f"This result was given by the detector {escape(report.model)}, which is not the one in use."
        offer = f"Analyse with {escape(detector.name)}"
    elif isinstance(report, VideoReport) and sampling is not None and report.sampling != str(sampling):
        said = f"This result looked at other frames than are chosen above: {report.sampling}."
        offer = f"Analyse again: {sampling}"
    else:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(said)
        st.button(
            offer,
            icon=":material/refresh:",
            key=f"again_{item.digest}",
            on_click=close_report,
            args=(item.digest,),
        )
