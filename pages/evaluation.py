"""How good a detector is, in the open: figures that ship with it, and the same on any labelled folder."""

from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

from core.errors import UserError
from core.evaluation import read_document, to_json
from core.evaluation.results import StoredEvaluation, finished, remove, shipped, titles_of
from core.evaluation.shape import moment_of
from core.evaluation_html import as_html
from pages.components import evaluation_explanations, evaluation_mistakes, evaluation_strength, resources, routing
from pages.components import evaluation_form as form
from pages.components import evaluation_views as views
from pages.components.text import count, escape, moment

CHOICE = "evaluation_choice"
LISTED = 30
PARTS = {
    "Robustness": "robustness",
    "Comparison": "comparison",
    "Face quality": "gates",
    "Explanations": "explanations",
}  # what an evaluation may leave out, by the section that shows it

Found = list[tuple[StoredEvaluation, dict[str, Any]]]


@st.cache_data(max_entries=8, show_spinner=False)
def load(path: str, modified_ns: int) -> dict[str, Any]:
    return read_document(Path(path))


def stored() -> Found:
    """What can be opened, with its document: the chosen detector's own first, then those made here, then the others."""
    chosen = resources.chosen()
    own = sorted(shipped(resources.detectors()), key=lambda one: one.detector != (chosen.name if chosen else None))
    found = []
    for one in [*own[:1], *finished()[:LISTED], *own[1:]]:
        try:
            found.append((one, load(str(one.path), one.modified_ns)))
        except UserError as error:
            damaged(one, error)
    return found


def damaged(one: StoredEvaluation, error: UserError) -> None:
    """Why it is not among the others, and the way to be rid of it."""
    resources.show_error(error, one.path.name)
    if one.detector is None:
        key = f"evaluation_remove_{one.path.name}"
        st.button("Remove this file", icon=":material/delete:", key=key, on_click=remove, args=(one,))


def pick(found: Found, titles: dict[str, str]) -> tuple[StoredEvaluation, dict[str, Any]]:
    by_path = {str(one.path): (one, document) for one, document in found}
    wanted = st.session_state.pop(form.OPEN_NEXT, None)
    if wanted in by_path:
        st.session_state[CHOICE] = wanted
    path = st.selectbox(
        "Evaluation",
        list(by_path),
        format_func=titles.__getitem__,
        key=CHOICE,
        persist_state="session",
        label_visibility="collapsed",
    )
    return by_path[path]


def file_name(document: dict[str, Any], suffix: str) -> str:
    words = f"{document['detector']['name']}-{document['data']['name']}-{document['data']['split']}"
    return "".join(char if char.isalnum() or char in "-_." else "-" for char in words)[:80] + f"-evaluation{suffix}"


def html(document: dict[str, Any]) -> str:
    return as_html(document, evaluation_mistakes.cards(document))


def exports(one: StoredEvaluation, document: dict[str, Any]) -> None:
    for label, make, suffix, media_type in (
        ("HTML", partial(html, document), ".html", "text/html"),
        ("JSON", partial(to_json, document, indent=1), ".json", "application/json"),
    ):
        st.download_button(
            label,
            make,
            file_name(document, suffix),
            media_type,
            key=f"evaluation_{label}",
            icon=":material/download:",
            on_click="ignore",
        )
    if one.detector is None:
        st.button("Remove", icon=":material/delete:", key="evaluation_remove", on_click=remove, args=(one,))


def facts(document: dict[str, Any]) -> str:
    """What was measured, on what, when, in one line."""
    detector, pooled = document["detector"], document["figures"]["all"]
    videos = f", {pooled['videos']} of them videos" if pooled["videos"] else ""
    return (
        f"{escape(detector['name'])} ({detector['sha256'][:8]}, {detector['engine']} {detector['precision']}) · "
        f"{pooled['real']} real and {pooled['fake']} fake with a face{videos}, {pooled['no_face']} without · "
        f"measured {moment(moment_of(document))}"
    )


def elsewhere(part: str, document: dict[str, Any], found: Found, titles: dict[str, str]) -> None:
    """The way to the first evaluation of the same detector that has what this one leaves out."""
    detector = document["detector"]["sha256"]
    paths = (str(one.path) for one, other in found if other.get(part) and other["detector"]["sha256"] == detector)
    if not document.get(part) and (path := next(paths, None)):
        choose = partial(st.session_state.__setitem__, CHOICE, path)
        st.button(f"Measured in: {titles[path]}", icon=":material/arrow_forward:", on_click=choose, key=f"has_{part}")


def show(one: StoredEvaluation, document: dict[str, Any], found: Found, titles: dict[str, str]) -> None:
    if document.get("unreadable"):
        with st.expander(f"{count(len(document['unreadable']), 'file')} could not be read", icon=":material/warning:"):
            for file in document["unreadable"][:LISTED]:
                st.caption(escape(file["reason"] or ""))
    for note in document.get("notes") or []:
        st.caption(escape(note))
    key = f"{one.path.name}_{one.modified_ns}"
    sections = {
        "Figures": views.overview,
        "Curves": views.curves,
        "Verdicts": partial(views.decisions, key=key),
        "Robustness": evaluation_strength.robustness,
        "Comparison": evaluation_strength.comparison,
        "Face quality": evaluation_strength.face_quality,
        "Explanations": evaluation_explanations.table,
        "Mistakes": evaluation_mistakes.gallery,
    }
    tabs = st.tabs(list(sections), on_change="rerun", key="evaluation_tabs")
    for tab, (name, section) in zip(tabs, sections.items(), strict=True):
        if tab.open:
            with tab:
                section(document)
                if name in PARTS:
                    elsewhere(PARTS[name], document, found, titles)


routing.require_router()
st.title("Evaluation", anchor=False)
st.caption("How often a detector is right, and how sure that is. What you measure stays on this machine.")

with st.container():  # messages come and go in a place of their own: below it nothing is mounted anew
    busy = form.running()
    found = stored()
st.session_state.setdefault(form.OPEN, not found and not busy)
with st.expander("Measure a detector", icon=":material/science:", key=form.OPEN, on_change="rerun"):
    form.form(resources.detectors())
    form.opener()
if not found:
    if not busy:
        st.markdown("Nothing was measured yet. Name a labelled folder above, or open a finished evaluation.")
    st.stop()
titles = dict(zip((str(one.path) for one, _ in found), titles_of(found, moment), strict=True))
one, document = pick(found, titles)
with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.caption(facts(document))
    with st.container(horizontal=True, width="content"):
        exports(one, document)
show(one, document, found, titles)
