"""Which frames of a video are looked at: one choice, the same on every page that analyses videos."""

from collections.abc import Callable

import streamlit as st

from core.analysis import DEFAULT_SAMPLING
from core.media import Sampling

STANDARD = "Standard"
FRAMES = "frames"
"""In a page's address: the name of a choice that is not the standard one."""
SAMPLINGS: dict[str, Sampling] = {
    "Quick": Sampling.evenly(32),
    STANDARD: DEFAULT_SAMPLING,
    "Every frame": Sampling.every_frame(),
}
HELP = (
    f"Which frames are looked at. Quick: {SAMPLINGS['Quick']}. Standard: {DEFAULT_SAMPLING}. "
    "A short manipulated stretch can hide between frames that are not looked at; Every frame misses none."
)


def choose(key: str, on_change: Callable[[], None] | None = None) -> Sampling:
    """The control, and what it says; the address of the page holds it, so that a reload keeps it."""
    asked = st.query_params.get(FRAMES)
    chosen = st.segmented_control(
        "Frames",
        list(SAMPLINGS),
        default=asked if asked in SAMPLINGS else STANDARD,
        required=True,
        key=key,
        persist_state="session",
        help=HELP,
        on_change=on_change,
    )
    name = chosen or STANDARD
    if name != STANDARD:
        st.query_params[FRAMES] = name
    elif asked is not None:
        st.query_params.pop(FRAMES, None)
    return SAMPLINGS[name]
