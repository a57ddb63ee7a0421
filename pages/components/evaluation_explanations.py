"""The section of an evaluation that asks which kind of heatmap can be trusted."""

import streamlit as st

from core import evaluation_charts as charts
from core.evaluation.text import EXPLANATION_HEAD, explanation_rows, explanation_words
from pages.components import layout, resources
from pages.components.evaluation_views import STILL, Document
from pages.components.text import escape

HELP = {
    "deletion": "Area under the curve of the fake probability while the most important pixels are blurred away: lower "
    "is better.",
    "insertion": "The same while they come back into a blurred face: higher is better.",
    "gain": "Insertion minus deletion, with its standard error. Maps that know nothing stand at the end.",
    "pointing game": "How often the strongest place of the map lies in the manipulated part.",
    "overlap": "Intersection over union of the manipulated part and as many of the map's strongest pixels.",
    "all": "Rank correlation with the map of the same network with all its weights shuffled: a map that stays the same "
    "does not show what was learnt.",
}
DECIDING = ("method", "s a face", "gain", "pointing game", "overlap", "all")
"""Columns that come first, since a narrow table ends within the others: by these the rule below it chooses."""
LABELS = {"s a face": "Seconds a face", "half": "Shuffled: half", "all": "Shuffled: all"}


def label(name: str) -> str:
    """A column's name by itself: in the text's table the last three stand under one word."""
    return LABELS.get(name, name[:1].upper() + name[1:])


def table(document: Document) -> None:
    """Methods against each other: curves, known masks, shuffled weights, time."""
    measured = document.get("explanations")
    if not measured:
        st.caption("Explanations were not measured: tick them above, or run `evaluate.py --explanations 24`.")
        return
    st.markdown(escape(explanation_words(measured)))
    given = dict(zip(EXPLANATION_HEAD, zip(*explanation_rows(measured), strict=True), strict=True))
    columns = {name: given[name] for name in sorted(given, key=lambda name: name not in DECIDING)}
    formats = {
        name: st.column_config.TextColumn(label(name), alignment="right", help=HELP.get(name))
        for name in EXPLANATION_HEAD[1:]
    }
    formats["method"] = st.column_config.TextColumn(label("method"), pinned=True)
    st.dataframe(columns, hide_index=True, column_config=formats, alt="Methods of explanation")
    st.caption(escape(measured["rule"]))
    left, right = layout.halves()
    for slot, which, title in ((left, "deletion", "Deletion"), (right, "insertion", "Insertion")):
        with slot, st.container(border=True):
            st.markdown(f"**{title}**")
            figure = charts.faithfulness(measured, which, dark=resources.dark())
            st.plotly_chart(figure, key=f"evaluation_{which}", config=STILL, alt=f"{title} curves by method")
            st.caption("Lower is better." if which == "deletion" else "Higher is better.")
