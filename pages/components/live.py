"""Work in progress: a panel that polls a job while it lives, and lets the page run anew when it has ended."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core import charts
from core.analysis.types import VideoReport
from core.detector.spec import Thresholds
from core.jobs import Job, JobContext, Progress
from pages.components import resources, settled
from pages.components.text import clock, count, duration, escape

POLL_S = 0.7
CHART_S = 1.4
"""A chart that grows is drawn half as often as its bar: server and browser share the cores with the analysis."""
EVALUATIONS = "evaluation-"
"""How the keys of evaluations begin: they share the queue, but keep nothing of what visitors bring."""
JOBS = "job_ids"
"""Session state: job key -> id of the job that this tab has asked for; ended ones stay until asked for anew."""


def job_for(key: str, work: Callable[[JobContext], Any], *, label: str) -> Job[Any]:
    """The job with this key, submitted once: one that failed or was cancelled is returned as it ended."""
    ids: dict[str, str] = st.session_state.setdefault(JOBS, {})
    job = resources.queue().get(ids[key]) if key in ids else None
    if job is None or job.state == "done":  # done, yet asked for again: its result is gone
        job = resources.queue().submit(key, work, label=label)
        ids[key] = job.id
    return job


def known_job(key: str) -> Job[Any] | None:
    """The job that this tab has asked for under this key; None where it has not, or where that was long ago."""
    job_id = st.session_state.get(JOBS, {}).get(key)
    return resources.queue().get(job_id) if job_id else None


def try_again(key: str) -> None:
    """For callbacks: the next run of the page submits this job anew."""
    st.session_state.get(JOBS, {}).pop(key, None)


def forget_failed(digest: str) -> None:
    """For callbacks: what was tried with this file and gave nothing is tried anew when a page next asks for it."""
    ids: dict[str, str] = st.session_state.get(JOBS, {})
    for key, job in _analyses_of(digest):
        if job is None or job.state in ("failed", "cancelled") or job.cancel_requested.is_set():
            ids.pop(key)


def cancel_analyses(digest: str) -> None:
    """For callbacks: stop the analyses of a file that this tab has asked for, as before other frames are looked at."""
    for key, job in _analyses_of(digest):
        if job is not None and not job.ended:
            job.cancel()
            try_again(key)


def _analyses_of(digest: str) -> list[tuple[str, Job[Any] | None]]:
    ids: dict[str, str] = st.session_state.get(JOBS, {})
    return [(key, resources.queue().get(job_id)) for key, job_id in ids.items() if key.startswith(f"{digest}:")]


def cancel_all() -> None:
    """For callbacks: stop what looks at media, whichever tab asked for it, as before all media are removed."""
    for job in resources.queue().jobs():
        if not job.key.startswith(EVALUATIONS):
            job.cancel()


def describe(progress: Progress) -> str:
    """How far, how fast and how long, in one line."""
    parts = [f"{progress.done} of {progress.total} frames" if progress.total else count(progress.done, "frame")]
    if progress.per_second:
        parts.append(f"{progress.per_second:.0f} frames per second" if progress.per_second >= 1 else "starting")
    if progress.seconds_left is not None and progress.per_second:
        parts.append(f"about {duration(progress.seconds_left)} left")
    return " · ".join(parts)


def at_work() -> list[Job[Any]]:
    """The jobs that are running, whoever asked for them."""
    return [job for job in resources.queue().jobs() if job.state == "running"]


def waiting(job: Job[Any]) -> str:
    """Of a queued job: how many come before it, and which is at work."""
    names = ", ".join(escape(running.label) for running in at_work())
    return f"Waiting: {count(job.position, 'job')} to go first" + (f" · at work now: {names}" if names else "")


def _bar(job: Job[Any], key: str) -> None:
    progress = job.progress
    if job.state == "queued":
        st.progress(0.0, text=waiting(job))
        for running in at_work():
            label = f"Cancel {escape(running.label)}"
            st.button(label, icon=":material/close:", key=f"{key}_{running.id}", on_click=running.cancel)
    elif progress.done == 0:
        st.progress(0.0, text="Opening the video and looking for faces…")
    else:
        st.progress(progress.fraction or 0.0, text=describe(progress))


def ended_without(job: Job[Any], job_key: str, key: str | None = None) -> None:
    """Why there is no report: it failed, or was cancelled; and the way to another try."""
    if job.state == "failed":
        st.error(escape(job.error or ""), title=job.error_title, icon=":material/error:")
    else:
        st.info("The analysis was cancelled, and nothing of it was kept.", icon=":material/cancel:")
    st.button("Analyse again", icon=":material/refresh:", key=key, on_click=try_again, args=(job_key,))


def panel(job: Job[Any], thresholds: Thresholds, *, title: str, side: str = "") -> None:
    """Progress, cancel and the chart as it grows; runs the page anew as soon as the job has ended.

    `side` tells two panels of one page apart, which may even watch the same job.
    """

    @st.fragment(run_every=POLL_S)
    def progress() -> None:
        if job.ended:
            st.rerun()
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"**Analysing {escape(title)}**", width="stretch")
            st.button("Cancel", icon=":material/close:", key=f"cancel_{job.id}{side}", on_click=job.cancel)
        _bar(job, f"ahead_{job.id}{side}")

    @st.fragment(run_every=CHART_S)
    def chart() -> None:
        settled.settle()  # what the analysis has loaded
        partial = job.partial
        if not isinstance(partial, VideoReport):
            st.skeleton(height=300)
            return
        # No shading yet: stretches are settled by the whole track, and would come and go.
        figure = charts.timeline(
            partial.frames, (), thresholds, duration_s=partial.duration_s, dark=resources.dark(), height=300
        )
        alt = f"Fake probability up to {clock(partial.frames[-1].time_s)}" if partial.frames else "No frame yet"
        st.plotly_chart(figure, key=f"live_timeline_{job.id}{side}", config={"displayModeBar": False}, alt=alt)

    with st.container(border=True):
        progress()
        chart()
