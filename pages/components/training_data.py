"""The data set panel: where the data come from, what is in them, what is wrong with them, how the network sees them."""

from collections.abc import Callable, Iterable
from pathlib import Path, PurePosixPath
from typing import Any

import streamlit as st

from core.data import intake
from core.data.roots import check_allowed, data_roots
from core.data.sample_set import sample_data_set
from core.errors import DataError, UserError
from pages.components import resources
from pages.components.text import escape, megabytes

DATA = "training_data"
"""Session state: the chosen folders, as strings."""
ROUND = "training_round"
"""Session state: counts up to empty the widgets that bring data."""
PATH, ZIP, FOLDER, KEPT = "Path on this machine", "ZIP file", "Folder", "Uploaded before"


def folders() -> tuple[str, ...]:
    """The chosen folders."""
    return tuple(st.session_state.get(DATA, ()))


def add(folder: Path | str) -> None:
    """Choose a folder besides those chosen already, and empty the widgets."""
    st.session_state[DATA] = list(dict.fromkeys([*folders(), str(folder)]))
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1


def drop(folder: str) -> None:
    st.session_state[DATA] = [one for one in folders() if one != folder]


def _key(name: str) -> str:
    return f"training_{name}_{st.session_state.get(ROUND, 0)}"


def _take(make: Callable[[], Path]) -> None:
    """Choose what `make` brings and run the page anew; say what is wrong where it brings nothing."""
    try:
        with st.spinner("Taking it in…"):
            add(make())
    except UserError as error:
        resources.show_error(error)
    else:
        st.rerun()


def existing(text: str) -> Path:
    """A folder or manifest on this machine by its path, quotes and ~ allowed. Raises DataError for anything else."""
    path = check_allowed(text.strip().strip("\"'"))
    try:
        if path.exists():
            return path.absolute()
    except (OSError, ValueError):  # no path at all
        pass
    raise DataError(f"There is no folder {path} on this machine: check how it is written.")


def _by_path() -> None:
    text = st.text_input("Folder or manifest.csv", key=_key("path"), placeholder="/home/me/faces")
    if allowed := data_roots():
        st.caption("This server reads folders below " + ", ".join(escape(str(root)) for root in allowed) + ".")
    if text.strip():
        _take(lambda: existing(text))


def _by_zip() -> None:
    upload = st.file_uploader("A ZIP of such a folder", type="zip", key=_key("zip"))
    if upload is not None:
        _take(lambda: intake.add_zip(upload, PurePosixPath(upload.name).stem))


def _by_folder() -> None:
    uploads = st.file_uploader(
        "Drop the folder here, or choose it", accept_multiple_files="directory", key=_key("folder")
    )
    if uploads:
        _take(lambda: intake.add_files(((upload.name, upload) for upload in uploads), top_of(uploads)))


def top_of(uploads: Iterable[Any]) -> str:
    """The name of the folder that was dropped: the first part of its files' relative paths."""
    tops = {PurePosixPath(upload.name.replace("\\", "/")).parts[0] for upload in uploads}
    return tops.pop() if len(tops) == 1 else "upload"


def _by_kept() -> None:
    for kept in intake.list_datasets():
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**{escape(kept.name)}** :gray[· {megabytes(kept.size_bytes)}]", width="content")
            with st.container(horizontal=True, width="content"):
                st.button("Use", key=f"use_{kept.name}", icon=":material/add:", on_click=add, args=(kept.path,))
                st.button(
                    "Remove", key=f"forget_{kept.name}", icon=":material/delete:", on_click=_forget, args=(kept.name,)
                )


def _forget(name: str) -> None:
    intake.remove_dataset(name)


def _bring() -> None:
    """The ways in which data come."""
    ways = {PATH: _by_path, ZIP: _by_zip, FOLDER: _by_folder}
    if intake.list_datasets():
        ways[KEPT] = _by_kept
    way = st.segmented_control(
        "Where the data are", list(ways), default=PATH, required=True, key="training_way", label_visibility="collapsed"
    )
    ways[way if way in ways else PATH]()


def _sample_set() -> None:
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("No data at hand?", width="content")
        if st.button("Use the sample set", key="training_sample_set", icon=":material/science:"):
            _take(sample_data_set)


def choose() -> tuple[str, ...]:
    """What was chosen, and the ways to choose more."""
    st.subheader("Data", anchor=False)
    st.caption(
        "A folder that holds Real and Fake, each with pictures or videos, nested as you like. With Real alone, the "
        "fakes can be made from it. Nothing leaves this machine."
    )
    found = folders()
    for folder in found:
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            words = f":material/folder: **{escape(Path(folder).name)}** :gray[{escape(folder)}]"
            st.markdown(words, width="stretch")
            st.button("Remove", key=f"drop_{folder}", icon=":material/close:", on_click=drop, args=(folder,))
    if not found:
        _bring()
        _sample_set()
    else:
        with st.expander("Add more data", icon=":material/add:"):
            _bring()
    return found
