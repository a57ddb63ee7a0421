"""What stands side by side where there is room, and one below the other where there is not."""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

LEAST_WIDTH = 300  # pixels of a half; columns would stay side by side down to 110 px in a window of 900


def halves() -> tuple[DeltaGenerator, DeltaGenerator]:
    """Two halves of the width there is, left and right, or above and below."""
    grid = st.grid(2, min_column_width=LEAST_WIDTH, gap="medium")
    return grid.cell(), grid.cell()
