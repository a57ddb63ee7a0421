"""How many results of each verdict there are, as pills that show only those."""

from collections import Counter
from collections.abc import Sequence

import streamlit as st

from core.analysis.types import Verdict
from pages.components import verdict
from pages.components.text import count


def chosen(verdicts: Sequence[Verdict], noun: str, *, key: str) -> Verdict | None:
    """The verdict that is to be shown; None for all. `noun` is what is counted, such as "picture"."""
    counts = Counter(verdicts)
    present = [name for name in verdict.LOOKS if counts[name]]

    def label(name: Verdict) -> str:
        look = verdict.LOOKS[name]
        return f":{look.colour}[{look.icon} {counts[name]}] {look.word}"

    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{count(len(verdicts), noun)}**", width="content")
        return st.pills("Show only", present, format_func=label, key=key, label_visibility="collapsed", wrap=True)
