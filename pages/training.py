"""Train a detector: choose data, start, watch, stop, resume, compare, and put the best one into use."""

import streamlit as st

from core.data.roots import read_only
from core.training import runs
from pages.components import actions, routing, training_form, training_run, training_runs

routing.require_router()
chosen = training_runs.chosen()
if read_only():
    st.title("Training", anchor=False)
    st.info(
        "Its owner has turned training off. Install the app on a machine of your own to train there.",
        title="Nothing can be trained on this server",
        icon=":material/lock:",
    )
    st.stop()

there_are_runs = bool(runs.list_runs())
with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
    st.title("Training", anchor=False, width="content")
    if chosen is not None and there_are_runs:
        st.button("All runs", icon=":material/arrow_back:", key="all_runs", on_click=training_runs.choose, args=(None,))
    elif there_are_runs:
        st.button(
            "New run",
            key="new_run",
            icon=":material/add:",
            type="primary",
            on_click=training_runs.choose,
            args=(training_runs.NEW,),
        )
st.caption("Runs go on when this page is closed. They give way to pictures and videos that you check meanwhile.")
actions.say()

if chosen == training_runs.NEW or (chosen is None and not there_are_runs):
    training_form.show()
elif chosen is None:
    training_runs.overview()
elif run := training_runs.find(chosen):
    training_run.show(run)
else:
    training_runs.missing(chosen)
