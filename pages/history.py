"""What was analysed on this machine: open it again, remove it, or clear it all."""

import streamlit as st

from core.history_entry import HistoryEntry
from pages.components import (
    actions,
    by_verdict,
    compare_inputs,
    live,
    pictures,
    resources,
    results,
    routing,
    sources,
    verdict,
)
from pages.components.explain_face import PAGE as EXPLAIN
from pages.components.text import escape, megabytes

PER_PAGE = 12
PAGES = {"image": "pages/image.py", "video": "pages/video.py"}


def remove(entry: HistoryEntry) -> None:
    results.forget()
    resources.store().remove(entry)


@st.dialog("Remove this result?", icon=":material/delete:")
def confirm_remove(entry: HistoryEntry) -> None:
    st.write(
        f"The result for **{escape(entry.name)}** is removed from this machine, and with the last result of an upload "
        "the upload as well. Files that you opened by their path stay where they are."
    )
    actions.decide("Remove", remove, entry, key="remove")


def forget_everything() -> None:
    """Stop what looks at media, in other tabs too, then forget media, reports and what the pages show."""
    live.cancel_all()
    for page in (*PAGES, EXPLAIN):
        sources.start_over(page)
    compare_inputs.clear()
    st.session_state.pop(sources.KEPT, None)
    results.forget()
    resources.store().clear()
    pictures.forget()


@st.dialog("Clear my data?", icon=":material/delete_forever:")
def confirm_clear() -> None:
    store = resources.store()
    st.write(
        f"All uploads, results and previews that this app keeps are removed from this machine: "
        f"{megabytes(store.size_bytes())}. Analyses that still run are stopped. "
        "Files that you opened by their path stay where they are."
    )
    actions.decide("Clear my data", forget_everything, key="clear")


def open_entry(entry: HistoryEntry) -> None:
    item = resources.store().media(entry.digest)
    if item is None:
        st.toast("The file is no longer there, or has changed since.", icon=":material/error:")
        return
    sources.open_report(entry.kind, item, entry.settings_key)
    st.switch_page(PAGES[entry.kind])


def card(entry: HistoryEntry) -> None:
    key = f"{entry.digest[:16]}_{entry.settings_key}"
    with st.container(border=True, height="stretch", gap="small"):
        if entry.thumbnail_path:
            st.image(str(entry.thumbnail_path), alt=f"Thumbnail of {entry.name}", width="stretch")
        st.markdown(f"**{escape(entry.name)}**")
        verdict.badge(entry.verdict, entry.fake_probability)
        st.caption(f"{verdict.made_when(entry)} · {escape(entry.model)}")
        st.space("stretch")
        with st.container(horizontal=True):
            if st.button(
                "Open",
                key=f"open_{key}",
                icon=":material/open_in_new:",
                disabled=entry.media_path is None or entry.kind not in PAGES,
                help=None if entry.media_path else "The file is no longer where it was.",
            ):
                open_entry(entry)
            if st.button("Remove", key=f"remove_{key}", icon=":material/delete:"):
                confirm_remove(entry)


def disk_use() -> None:
    store = resources.store()
    used = store.size_bytes()
    with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
        with st.container(width=420):
            st.progress(
                min(1.0, used / store.cap_bytes),
                text=f"{megabytes(used)} of at most {megabytes(store.cap_bytes)}; the least used goes first",
            )
        if st.button("Clear my data", icon=":material/delete_forever:", key="clear"):
            confirm_clear()


def matching(entries: list[HistoryEntry]) -> list[HistoryEntry]:
    """The results that are looked for: of one verdict, and with a part of their names."""
    if len(entries) == 1:
        return entries
    said = ""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        only = by_verdict.chosen([entry.verdict for entry in entries], "result", key="history_verdict")
        if len(entries) > PER_PAGE:
            said = st.text_input(
                "Search by name",
                placeholder="Search by name",
                icon=":material/search:",
                key="history_name",
                width=230,
                label_visibility="collapsed",
            )
    sought = said.strip().casefold()
    found = [entry for entry in entries if only in (None, entry.verdict) and sought in entry.name.casefold()]
    if not found:
        st.info("No result fits. Choose another verdict, or search for another part of the name.")
    return found


routing.require_router()
st.title("History", anchor=False)
st.caption("Kept on this machine only, until you remove it or its room is used up.")

entries = resources.store().history()
if not entries:
    with st.container(border=True):
        st.markdown("Nothing has been analysed yet. Start with a picture or a video; both have a sample to try.")
        with st.container(horizontal=True):
            st.page_link("pages/image.py", label="Check a picture", icon=":material/image:")
            st.page_link("pages/video.py", label="Check a video", icon=":material/movie:")
    st.stop()

disk_use()
shown = matching(entries)
pages = -(-len(shown) // PER_PAGE)
number = st.pagination(pages, key="history_page") if pages > 1 else 1
with st.grid("auto", min_column_width=230):
    for entry in shown[(number - 1) * PER_PAGE : number * PER_PAGE]:
        card(entry)
