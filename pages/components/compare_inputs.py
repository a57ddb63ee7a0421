"""What is compared: a file for each side, from an upload, the history or the samples; kept while pages change."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from core.detector import DetectorEntry
from core.media import IMAGE_SUFFIXES, VIDEO_SUFFIXES
from core.samples import sample_images, sample_video
from core.store import StoredMedia
from pages.components import live, resources, sources, verdict
from pages.components.text import escape

TYPES = sorted(suffix.lstrip(".") for suffix in IMAGE_SUFFIXES | VIDEO_SUFFIXES)
SIDES = ("A", "B")
UPLOAD, HISTORY, SAMPLE = "Upload", "History", "Sample"
SAMPLES: dict[str, Callable[[], Path]] = {
    "Untouched portrait": lambda: sample_images()["original"],
    "Manipulated portrait": lambda: sample_images()["manipulated"],
    "Clip, manipulated for three seconds": lambda: sample_video().path,
}


@dataclass(frozen=True)
class Chosen:
    """The file of one side; with a settings key where an entry of the history was chosen, shown as it was made."""

    item: StoredMedia
    settings_key: str | None = None


def _key(side: str) -> str:
    return f"compare_{side}"


def chosen(side: str) -> Chosen | None:
    """What this side shows; None once the file is gone, as after the history was cleared."""
    found: Chosen | None = st.session_state.get(_key(side))
    return found if found is not None and found.item.path.exists() else None


def choose(side: str, what: Chosen | None) -> None:
    """For callbacks: let a side show something, or nothing; its uploader is emptied with it."""
    st.session_state[_key(side)] = what
    if what is None:
        sources.start_anew(_key(side))


def clear() -> None:
    """For callbacks: nothing on either side."""
    for side in SIDES:
        choose(side, None)


def swap() -> None:
    """For callbacks: A becomes B."""
    first, second = (chosen(side) for side in SIDES)
    st.session_state[_key("A")], st.session_state[_key("B")] = second, first


def choose_samples() -> None:
    """For callbacks: the untouched portrait beside the manipulated one."""
    for side, make in zip(SIDES, list(SAMPLES.values())[:2], strict=True):
        choose(side, Chosen(resources.store().add(make())))


def _upload(side: str) -> None:
    upload = st.file_uploader(
        "Drop a picture or a video here, or choose one", type=TYPES, key=sources.uploader_key(_key(side))
    )
    for item in sources.store_all([upload] if upload else []):
        choose_now(side, Chosen(item))


def choose_now(side: str, what: Chosen) -> None:
    """Within a run of the page: show it at once, whatever became of an earlier try with this file."""
    live.forget_failed(what.item.digest)
    st.session_state[_key(side)] = what
    st.rerun()


def _from_history(side: str) -> None:
    entries = [entry for entry in resources.store().history() if entry.media_path is not None]
    if not entries:
        st.caption("The history is empty: what you check on the Image and Video pages is found here.")
        return
    entry = st.selectbox(
        "An earlier result",
        entries,
        index=None,
        format_func=verdict.entry_words,
        key=f"{_key(side)}_history",
        placeholder="Choose a result",
        help="It is shown as it was made, with the detector of that time.",
    )
    if entry is None:
        return
    item = resources.store().media(entry.digest)
    if item is None:
        st.error("The file is no longer there, or has changed since. Choose another one.", icon=":material/error:")
        return
    choose_now(side, Chosen(item, entry.settings_key))


def _from_samples(side: str) -> None:
    with st.container(horizontal=True):
        for name, make in SAMPLES.items():
            if st.button(name, key=f"{_key(side)}_{name}", icon=":material/play_circle:"):
                choose_now(side, Chosen(resources.store().add(sources.made(make))))


def pick(side: str, title: str, *, word: str | None = None) -> None:
    """The card of one side: what it shows and how to change that, or where to take it from.

    `word` stands before the name of a file instead of the side's letter.
    """
    with st.container(border=True):
        now = chosen(side)
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            named = f"**{word or side}** · {escape(now.item.name)}" if now else f"**{title}**"
            st.markdown(named, width="stretch")
            if now is not None:
                st.button(
                    "Change", icon=":material/close:", key=f"{_key(side)}_change", on_click=choose, args=(side, None)
                )
        slot = st.empty()  # emptied at once when a file is chosen, or the uploader shone through its analysis
        if now is not None:
            return
        with slot.container():
            source = st.segmented_control(
                "Source",
                [UPLOAD, HISTORY, SAMPLE],
                default=UPLOAD,
                required=True,
                key=f"{_key(side)}_source",
                label_visibility="collapsed",
            )
            {UPLOAD: _upload, HISTORY: _from_history, SAMPLE: _from_samples}[source or UPLOAD](side)


def pick_detectors(columns: Sequence[DeltaGenerator]) -> tuple[DetectorEntry, DetectorEntry] | None:
    """Two detectors, the one in use first, each in its column; None, with the way to another, where there is one."""
    entries = [entry for entry in resources.detectors() if entry.error is None]
    if len(entries) < 2:
        st.info("There is only one detector here. Add another one, or train one, to compare the two.")
        st.page_link("pages/detector.py", label="Add a detector", icon=":material/add:")
        return None
    in_use = resources.chosen()
    names = [entry.name for entry in entries]
    first = names.index(in_use.name) if in_use and in_use.name in names else 0
    others = (first, next(place for place in range(len(names)) if place != first))
    picked = [
        column.selectbox(
            f"Detector {side}", names, index=index, key=f"compare_detector_{side}", persist_state="session"
        )
        for side, index, column in zip(SIDES, others, columns, strict=True)
    ]
    return entries[names.index(picked[0])], entries[names.index(picked[1])]
