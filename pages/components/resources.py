"""What all browser tabs of one server share: detectors, the finder of faces, the queue and the store."""

import os
from pathlib import Path

import streamlit as st

from core.detector import Detector, DetectorEntry, list_detectors, load_detector
from core.detector.in_use import in_use
from core.detector.library import models_folder
from core.errors import DetectorError, UserError
from core.faces import FaceFinder
from core.jobs import JobQueue
from core.store import Store
from pages.components.text import escape

CHOICE = "detector_choice"
"""Session state: the name of the detector in use, which is what the picker in the sidebar says."""
NEXT_CHOICE = "detector_next"
"""Session state: the detector that the picker shall change to; its own key cannot be set once it stands."""


@st.cache_resource
def queue() -> JobQueue:
    """One queue in front of the model: whoever comes first is served first, in however many tabs."""
    return JobQueue(workers=1)


@st.cache_resource(max_entries=4)
def _store(root: str | None) -> Store:
    return Store(Path(root) if root else None)


def store() -> Store:
    """What was analysed, on disk; follows $DEEPFAKE_HOME."""
    return _store(os.environ.get("DEEPFAKE_HOME"))


@st.cache_resource(show_spinner=False)
def finder() -> FaceFinder:
    return FaceFinder()


def detectors() -> list[DetectorEntry]:
    """Detectors that are there, `default` first; those that cannot be read carry their error."""
    entries = list_detectors()
    return sorted(entries, key=lambda entry: (entry.name != "default", entry.name.lower()))


def fingerprint(entry: DetectorEntry) -> str:
    """Changes whenever the detector on disk changes: a reload is due then, and old results are not its own."""
    folder = entry.path if entry.path.is_dir() else entry.path.parent
    files = [entry.path] if entry.path.is_file() else sorted(folder.iterdir())
    return "|".join(f"{file.name}:{file.stat().st_size}:{file.stat().st_mtime_ns}" for file in files if file.is_file())


@st.cache_resource(max_entries=2, show_spinner=False)
def _load(path: str, fingerprint: str) -> Detector:
    return load_detector(path)


def chosen() -> DetectorEntry | None:
    """The detector picked in the sidebar, else the one put into use, else the first; None where there is none."""
    entries = detectors()
    name = st.session_state.get(CHOICE) or in_use()
    picked = [entry for entry in entries if entry.name == name]
    return next(iter(picked or [entry for entry in entries if entry.error is None] or entries), None)


def detector() -> Detector:
    """The detector in use, loaded. Raises DetectorError with what to do where it cannot be."""
    entry = chosen()
    if entry is None:
        raise DetectorError(f"There is no detector in {models_folder()}: add one on the Detector page.")
    return load(entry)


def load(entry: DetectorEntry) -> Detector:
    """Any of the detectors, loaded. Raises DetectorError with what to do where it cannot be."""
    if entry.error is not None:
        raise DetectorError(str(entry.error))
    return _load(str(entry.path), fingerprint(entry))


def detector_or_stop() -> Detector:
    """As `detector`, for pages: shows what is wrong and ends the page where nothing can be analysed."""
    try:
        with st.spinner("Starting the detector…", show_time=True):
            return detector()
    except UserError as error:
        show_error(error)
        st.page_link("pages/detector.py", label="Go to detectors", icon=":material/neurology:")
        st.stop()


def show_error(error: UserError, name: str | None = None) -> None:
    """What went wrong and what to do; `name` is the file that it is about."""
    title = f"{escape(name)}: {error.title[:1].lower()}{error.title[1:]}" if name else error.title
    st.error(escape(str(error)), title=title, icon=":material/error:")


def dark() -> bool:
    """Whether the page is shown dark; light until the browser has told."""
    return st.context.theme.type == "dark"
