"""The pages of the app, and the guard that sends a page through the router.

Streamlit takes a folder called `pages` for its older kind of multipage app until somebody has called `st.navigation`.
The first visitor after a start who comes by the address of a page, not of the app, would get that page alone: without
the router, its sidebar and its page config.
"""

from pathlib import Path

import streamlit as st
from streamlit.navigation.page import Page

from core.data.roots import read_only

ROUTED = "came_through_the_router"
ICON = Path(__file__).with_name("icon.png")


def navigation() -> Page:
    """All pages in the order of the menu; the one to show now."""
    return st.navigation(
        [
            st.Page(
                "pages/image.py",
                title="Image",
                icon=":material/image:",
                default=True,
                help="Check pictures: every face is found and judged, with the evidence behind the verdict.",
            ),
            st.Page(
                "pages/video.py",
                title="Video",
                icon=":material/movie:",
                help="Check a video: who looks manipulated, and when, on a timeline beside the player.",
            ),
            st.Page(
                "pages/compare.py",
                title="Compare",
                icon=":material/compare:",
                help="An original beside a suspected copy, or two detectors on one file, on the same axis of time.",
            ),
            st.Page(
                "pages/explain.py",
                title="Explain",
                icon=":material/lightbulb:",
                help="Look into one face: heatmaps by several methods, and what would change the verdict.",
            ),
            st.Page(
                "pages/history.py",
                title="History",
                icon=":material/history:",
                help="What was analysed on this machine: open it again, remove it, or clear it all.",
            ),
            st.Page(
                "pages/evaluation.py",
                title="Evaluation",
                icon=":material/monitoring:",
                help="How often a detector is right, and how sure that is: measured in the open, on your folder too.",
            ),
            st.Page(
                "pages/detector.py",
                title="Detector",
                icon=":material/neurology:",
                help="The card of the detector in use: what it is good for, its limits, its licence. Add one here.",
            ),
            st.Page(
                "pages/training.py",
                title="Training",
                icon=":material/model_training:",
                # still there for those who come by its address: it says why there is nothing to be had
                visibility="hidden" if read_only() else "visible",
                help="Train a detector on your own pictures or videos: start, watch, stop, resume and compare runs.",
            ),
        ]
    )


def run(page: Page) -> None:
    """For the router: run a page that may know where it comes from."""
    st.session_state[ROUTED] = True
    page.run()


def require_router() -> None:
    """For the first line of a page: go through the router if this run did not."""
    if not st.session_state.pop(ROUTED, False):
        # else the menu's icon of the page became the tab's, and the browser asked a server of Google's for it
        st.set_page_config(page_icon=str(ICON))
        navigation()  # from here on Streamlit leaves the folder alone, for everybody
        st.rerun()
