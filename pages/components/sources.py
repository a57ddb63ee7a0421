"""Where media come from: uploads, the camera, a path on this machine, the samples. All end in the store, by digest."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import streamlit as st

from core.errors import MediaError, UserError
from core.store import StoredMedia
from pages.components import live, resources
from pages.components.text import escape

T = TypeVar("T")
KEPT = "kept_uploads"
"""Session state: file_id of an upload -> what the store made of it, so that a rerun copies nothing again."""
OPENED = "opened_reports"
"""Session state: digest -> settings key of a report opened from the history; it is shown as it was made."""
NAMED_MAX = 60
"""Files that a page's address names, so that a reload brings them back: by digest, under the name of the page."""


def keep(upload: Any) -> StoredMedia:
    """An uploaded file in the store; the same upload is stored once, however often the page runs."""
    kept: dict[str, StoredMedia] = st.session_state.setdefault(KEPT, {})
    known = kept.get(upload.file_id)
    if known is None or not known.path.exists():
        kept[upload.file_id] = resources.store().add(upload, upload.name)
    return kept[upload.file_id]


def store_all(uploads: Sequence[Any]) -> list[StoredMedia]:
    """Uploads in the store; one that cannot be stored says why and the others go on. The same file stands once."""
    found: dict[str, StoredMedia] = {}
    again: list[str] = []
    for upload in uploads:
        try:
            item = keep(upload)
        except UserError as error:
            resources.show_error(error)
        else:
            if found.setdefault(item.digest, item) is not item:
                again.append(f"{escape(upload.name)} is the same file as {escape(found[item.digest].name)}.")
    if again:
        st.caption(" ".join(again))
    return list(found.values())


def from_path(text: str) -> StoredMedia:
    """A file on this machine by its path, quotes and ~ allowed. Raises MediaError saying what is wrong with it."""
    if re.match(r"\s*[\"']?(https?|ftp)://", text, re.IGNORECASE):
        raise MediaError(
            "Addresses are not fetched, for nothing leaves this machine: download the file and name it here."
        )
    return resources.store().add(Path(text.strip().strip("\"'")).expanduser())


def uploader_key(page: str) -> str:
    """Key of a page's uploader; `start_over` moves it on, which empties the widget."""
    return f"{page}_upload_{st.session_state.get(f'{page}_round', 0)}"


def items(page: str) -> list[StoredMedia]:
    """What the page shows, kept under our own key: a widget forgets its files when the page changes."""
    return list(st.session_state.get(f"{page}_items", []))


def set_items(page: str, found: Sequence[StoredMedia]) -> None:
    """Let the page show these; who gives a file anew wants a result, whatever became of the last try."""
    for item in found:
        live.forget_failed(item.digest)
    st.session_state[f"{page}_items"] = list(found)


def begin(page: str) -> None:
    """For the start of a page: bring back what its address names, as after a reload, and let go of what is gone."""
    named = st.query_params.get_all(page)
    if named and f"{page}_items" not in st.session_state:
        found = [item for digest in named[:NAMED_MAX] if (item := _known(digest))]
        set_items(page, found)
        if len(found) < len(named):
            st.info(
                "Not all that this address names is still in the history: to see it again, give the file once more.",
                icon=":material/info:",
            )
    drop_gone(page)


def name_in_address(page: str) -> None:
    """For when a page knows what it shows. More than 60 files have no room in an address."""
    digests = [item.digest for item in items(page)]
    named = digests if len(digests) <= NAMED_MAX else []
    if st.query_params.get_all(page) != named:
        if named:
            st.query_params[page] = named
        else:
            st.query_params.pop(page, None)


def _known(digest: str) -> StoredMedia | None:
    try:
        return resources.store().media(digest)
    except ValueError:  # whatever somebody typed there
        return None


def drop_gone(page: str) -> None:
    """For the start of a page: let go of files that are no longer there, and say so."""
    shown = items(page)
    gone = [item for item in shown if not item.path.exists()]
    if gone:
        start_over(page)
        set_items(page, [item for item in shown if item not in gone])
        names = ", ".join(f"“{escape(item.name)}”" for item in gone)
        st.info(
            f"{names} {'is' if len(gone) == 1 else 'are'} no longer there: removed from the history, moved or deleted. "
            "To see the evidence again, give the file once more.",
            icon=":material/info:",
        )


def _close_reports(page: str) -> None:
    """What the page shows is no longer a report of the history."""
    for item in items(page):
        close_report(item.digest)


def close_report(digest: str) -> None:
    """For callbacks: show this file by the settings in use, and not as it was opened from the history."""
    st.session_state.get(OPENED, {}).pop(digest, None)


def start_anew(page: str) -> None:
    """For callbacks: an empty uploader."""
    st.session_state[f"{page}_round"] = st.session_state.get(f"{page}_round", 0) + 1


def start_over(page: str) -> None:
    """For callbacks: an empty page. The history keeps what was there."""
    start_anew(page)
    _clear(page)


def made(make: Callable[[], T]) -> T:
    """The samples, which are drawn on first use; ends the page with the reason where they cannot be."""
    try:
        with st.spinner("Preparing the sample…"):
            return make()
    except UserError as error:
        resources.show_error(error)
        st.stop()


def show_sample(page: str, path: Path) -> None:
    """For callbacks: let the page show a sample."""
    start_over(page)
    set_items(page, [resources.store().add(path)])


def open_report(page: str, item: StoredMedia, settings_key: str) -> None:
    """Let the page show a report of the history, whatever detector is in use now."""
    start_over(page)
    set_items(page, [item])
    st.session_state.setdefault(OPENED, {})[item.digest] = settings_key


def replaced_by_uploads(page: str) -> Callable[[], None]:
    """The callback of an uploader: what it holds replaces what the page showed, and nothing does so as well."""

    return partial(_clear, page)


def added_by_uploads(page: str) -> Callable[[], None]:
    """The same for an uploader of many files. It forgets them when another page is shown: they stay, before the new."""

    def callback() -> None:
        held = {upload.file_id for upload in st.session_state.get(uploader_key(page)) or ()}
        before = st.session_state.get(f"{page}_held", set())
        kept = earlier(page)
        if held and before and not held & before:
            uploaded = {item.digest for item in st.session_state.get(KEPT, {}).values()}
            kept = [item for item in items(page) if item.digest in uploaded]
        _clear(page)
        st.session_state[f"{page}_earlier"], st.session_state[f"{page}_held"] = kept, held

    return callback


def all_given(page: str, uploads: Sequence[Any]) -> list[StoredMedia]:
    """What the uploader held before and holds now; the same file stands once."""
    both = {item.digest: item for item in [*earlier(page), *store_all(uploads)]}
    return list(both.values())


def earlier(page: str) -> list[StoredMedia]:
    """What the uploader held before another page was shown, and is still to be shown beside what it holds now."""
    return list(st.session_state.get(f"{page}_earlier", []))


def _clear(page: str) -> None:
    _close_reports(page)
    set_items(page, [])
    st.session_state[f"{page}_earlier"], st.session_state[f"{page}_held"] = [], set()
