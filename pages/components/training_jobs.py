"""Looks at data sets and measures speeds: a queue of its own, so that no picture waits for it to be judged."""

from collections.abc import Callable
from typing import Any

import streamlit as st

from core.jobs import Job, JobContext, JobQueue

POLL_S = 0.7
IDS = "training_jobs"
"""Session state: key of a job -> its id; a job that has ended stays until it is forgotten."""


@st.cache_resource
def _queue() -> JobQueue:
    return JobQueue(workers=1, keep_ended=8)


def known(key: str) -> Job[Any] | None:
    """The job with this key that this tab has asked for, None where there is none."""
    return _queue().get(st.session_state.setdefault(IDS, {}).get(key, ""))


def submit(key: str, work: Callable[[JobContext], Any]) -> Job[Any]:
    """The job with this key, submitted once."""
    job = known(key)
    if job is None:
        job = _queue().submit(key, work, label=key)
        st.session_state[IDS][key] = job.id
    return job


def forget(key: str) -> None:
    """For callbacks: the next `submit` does the work anew."""
    st.session_state.get(IDS, {}).pop(key, None)


def wait(job: Job[Any], text: str) -> None:
    """A bar that fills, until the job has ended and the page runs anew."""

    @st.fragment(run_every=POLL_S)
    def poll() -> None:
        if job.ended:
            st.rerun()
        now = job.progress
        far = f": {now.done:,} of {now.total:,} files" if now.total else "…"
        st.progress(now.fraction or 0.0, text=f"{text}{far}")

    poll()
