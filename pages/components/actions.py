"""Buttons that do something for good: asked once more, done in a callback, and what came of it said by the page."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.errors import UserError
from pages.components import resources
from pages.components.text import escape

SAID = "action_said"
"""Session state: what the last action has to say, shown by the next run of the page."""


def act(action: Callable[..., Any], *arguments: Any, done: str = "") -> None:
    """For callbacks: do it; what went wrong, or `done`, is said when the page runs anew."""
    try:
        result = action(*arguments)
        st.session_state[SAID] = done.format(escape(str(result)))
    except UserError as error:
        st.session_state[SAID] = error


def say() -> None:
    """What the last action had to say."""
    said = st.session_state.pop(SAID, None)
    if isinstance(said, UserError):
        resources.show_error(said)
    elif said:
        st.toast(said, icon=":material/check:")


def decide(word: str, action: Callable[..., Any], *arguments: Any, key: str) -> None:
    """The two buttons of a dialog that asks once more: "Keep", and `word`, whose callback is `action`."""
    with st.container(horizontal=True, horizontal_alignment="right"):
        if st.button("Keep", key=f"{key}_no"):
            st.rerun()
        if st.button(
            word,
            key=f"{key}_yes",
            type="primary",
            icon=":material/delete_forever:",
            on_click=action,
            args=arguments,
        ):
            st.rerun()
