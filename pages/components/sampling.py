"""Which frames of a video are looked at: one choice, the same on every page that analyses videos."""

from collections.abc import Callable

import streamlit as st

from core.analysis import DEFAULT_SAMPLING
from core.media import Sampling

SAMPLINGS: dict[str, Sampling] = {
    "Quick": Sampling.evenly(32),
    "Standard": DEFAULT_SAMPLING,
    "Every frame": Sampling.every_frame(),
}
HELP = (
    f"Which frames are looked at. Quick: {SAMPLINGS['Quick']}. Standard: {DEFAULT_SAMPLING}. "
    "A short manipulated stretch can hide between frames that are not looked at; Every frame misses none."
)


def choose(key: str, on_change: Callable[[], None] | None = None) -> Sampling:
    """The control, and what it says; the address of the page holds it under its key, so that a reload keeps it."""
    name = st.segmented_control(
        "Frames",
        list(SAMPLINGS),
        default="Standard",
        required=True,
        key=key,
        bind="query-params",
        help=HELP,
        on_change=on_change,
    )
    return SAMPLINGS[name or "Standard"]
