"""What shall be measured, the job that measures it, and opening an evaluation that was made elsewhere."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

from core.detector import Detector, DetectorEntry
from core.errors import DataError, UserError
from core.evaluation import Request, anonymous, evaluate
from core.evaluation.document import parse_document
from core.evaluation.results import keep
from core.jobs import Job, JobContext
from pages.components import layout, live, resources
from pages.components.text import duration, escape

WATCHED, OPEN_NEXT, ROUND = "evaluation_jobs", "evaluation_next", "evaluation_round"
"""Session state: ids of jobs whose end is to be told; path of the evaluation to show next; number of the uploader."""
OPEN = "evaluation_form_open"
"""Session state: whether the form is folded out."""
PREFIX = live.EVALUATIONS
"""Of every measurement's key in the queue."""
POLL_S = 0.7
NOBODY = "No comparison"
EXPLAINED = 24
"""Faces on which methods of explanation are measured."""
SPLITS = {
    "auto": "Test split, or everything where there are no splits",
    "val": "Validation split",
    "train": "Training split",
    "all": "Everything",
}


def form(entries: list[DetectorEntry]) -> None:
    """Asks what to measure; the button queues it."""
    names = [entry.name for entry in entries if entry.error is None]
    if not names:
        st.caption("There is no detector to measure: add one on the Detector page.")
        return
    chosen = resources.chosen()
    left, right = layout.halves()
    with left:
        name = st.selectbox(
            "Detector to measure",
            names,
            index=names.index(chosen.name) if chosen and chosen.name in names else 0,
            key="evaluation_detector",
        )
        other = st.selectbox(
            "Compare with",
            [NOBODY, *(one for one in names if one != name)],
            key="evaluation_other",
            help="A second detector judges the same media: which is better, and could it be chance?",
        )
    with right:
        folder = st.text_input(
            "Labelled folder",
            key="evaluation_folder",
            persist_state="session",
            placeholder="/path/to/folder",
            help="A folder on this computer with Real and Fake inside, pictures or videos, or with a manifest.csv.",
        )
        split = st.selectbox("Which part", list(SPLITS), format_func=SPLITS.__getitem__, key="evaluation_split")
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        limit = st.number_input(
            "At most, a source",
            min_value=10,
            value=200,
            step=50,
            key="evaluation_limit",
            width=160,
            help="Half of them real, always the same ones. Empty the field to take all.",
        )
        baseline = st.checkbox(
            "Low-level baseline",
            value=True,
            key="evaluation_baseline",
            help="What a model that sees only the spectrum of the same crops can tell. Where that is much, a source is "
            "easy for the wrong reasons.",
        )
        robustness = st.checkbox(
            "Robustness",
            key="evaluation_robustness",
            help="Also JPEG, downscaling, blur, noise, colour and H.264 at 40 levels: about 40 times the work.",
        )
        gates = st.checkbox(
            "Face quality",
            key="evaluation_gates",
            help="Also where it errs by size, sharpness, turn, light and noise of the face, and by how strongly films "
            "are compressed: about 26 times the work.",
        )
        explanations = st.checkbox(
            "Explanations",
            key="evaluation_explanations",
            help=f"Also how faithful each kind of heatmap is, on {EXPLAINED} faces manipulated in known places: about "
            "ten minutes on two cores with AMX, and many times that without.",
        )
        pressed = st.button("Measure", type="primary", icon=":material/play_arrow:", key="evaluation_start")
    if pressed:
        request = Request(
            data=(folder.strip(),),
            split=split,
            limit=None if limit is None else int(limit),
            baseline=baseline,
            robustness=robustness,
            gates=gates,
            explanations=EXPLAINED if explanations else 0,
        )
        by_name = {entry.name: entry for entry in entries}
        start(request, by_name[name], by_name.get(other) if other != NOBODY else None)


def start(request: Request, entry: DetectorEntry, other: DetectorEntry | None) -> None:
    """Queue the work; what is wrong with the folder is said by the job, which looks at it."""
    try:
        if not request.data[0]:
            raise DataError("Name a folder on this computer with Real and Fake inside, or with a manifest.csv.")
        with st.spinner("Starting the detector…", show_time=True):
            detectors = resources.load(entry), resources.load(other) if other else None
    except UserError as error:
        resources.show_error(error)
        return
    key = hashlib.sha256(repr((request, entry, other)).encode()).hexdigest()[:16]
    job = resources.queue().submit(f"{PREFIX}{key}", _work(request, *detectors), label=request.data[0])
    _watch([job])  # it may have failed before the page runs anew
    st.rerun()


def _work(request: Request, detector: Detector, other: Detector | None) -> Callable[[JobContext], Path]:
    finder = resources.finder()
    request = Request(**{**vars(request), "data": tuple(str(Path(one).expanduser()) for one in request.data)})

    def work(context: JobContext) -> Path:
        document = evaluate(
            request,
            detector,
            other,
            finder=finder,
            on_progress=context.report,
            should_cancel=lambda: context.cancelled,
        )
        return keep(document)

    return work


def running() -> bool:
    """Shows what is measured in this process, whichever tab asked for it: a reload is a new tab to Streamlit.

    True while there is anything. Of what has ended since this tab saw it, the result is shown or the reason told.
    """
    queue = resources.queue()
    living = [job for job in queue.jobs() if job.key.startswith(PREFIX) and not job.ended]
    for job in living:
        _panel(job)
    watched = _watch(living)
    ended = [job for job_id in watched if (job := queue.get(job_id)) and job not in living]
    st.session_state[WATCHED] = [job.id for job in living]
    for job in ended:
        _tell(job)
    return bool(living)


def _watch(jobs: list[Job[Any]]) -> list[str]:
    """Ids of all jobs whose end this tab is going to tell, these among them."""
    watched: list[str] = st.session_state.setdefault(WATCHED, [])
    watched += [job.id for job in jobs if job.id not in watched]
    return watched


def _tell(job: Job[Any]) -> None:
    """What came of it; where that is an error, the form stands open, for that is where it is mended."""
    if job.state == "done":
        st.session_state[OPEN_NEXT] = str(job.result)
        st.session_state[OPEN] = False
        st.toast("Measured.", icon=":material/check:")
    elif job.state == "failed":
        st.session_state[OPEN] = True
        st.error(escape(job.error or ""), title=job.error_title, icon=":material/error:")
    else:
        st.info("Stopped. What was judged so far is remembered: measuring again goes on from there.")


def _panel(job: Job[Any]) -> None:
    @st.fragment(run_every=POLL_S)
    def poll() -> None:
        if job.ended:
            st.rerun()
        progress = job.progress
        with st.container(border=True):
            with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
                st.markdown(f"**Measuring on {escape(job.label)}**", width="stretch")
                st.button("Stop", icon=":material/close:", key=f"stop_{job.id}", on_click=job.cancel)
            if job.state == "queued":
                st.progress(0.0, text=live.waiting(job))
            else:
                st.progress(progress.fraction or 0.0, text=_describe(job))

    poll()


def _describe(job: Job[Any]) -> str:
    progress = job.progress
    if not progress.total:
        return "Looking the folder through…"
    parts = [escape(progress.message)]
    if progress.done < progress.total:
        parts.append(f"{progress.done:,} of {progress.total:,} judgements")
    if progress.seconds_left:
        parts.append(f"about {duration(progress.seconds_left)} left")
    return " · ".join(part for part in parts if part)


def opener() -> None:
    """An evaluation made by evaluate.py, perhaps on another machine.

    Paths in it are dropped: on a server that several people use, a file could name any picture there, and be shown it.
    """
    upload = st.file_uploader(
        "Open an evaluation (JSON of evaluate.py or of this page)",
        type="json",
        key=f"evaluation_upload_{st.session_state.get(ROUND, 0)}",
    )
    if upload is None:
        return
    try:
        document = parse_document(upload.getvalue(), upload.name)
        st.session_state[OPEN_NEXT] = str(keep(anonymous(document)))
    except UserError as error:
        resources.show_error(error)
        return
    st.session_state[ROUND] = st.session_state.get(ROUND, 0) + 1
    st.rerun()
