"""The player, with a copy that browsers play where they cannot play the file itself."""

from functools import partial
from pathlib import Path

import streamlit as st

from core.analysis.types import VideoReport
from core.jobs import Job, JobContext
from core.media import make_preview, probe_video
from core.store import StoredMedia
from pages.components import live, pictures, resources
from pages.components.text import duration

LARGE_BYTES = 200_000_000
"""Streamlit holds what it plays in memory: from here on the smaller copy is played."""
PREVIEW_SIDE = 960
TALLEST = 330


@st.cache_data(max_entries=64, show_spinner=False)
def plays_as_it_is(digest: str, _path: str, size_bytes: int) -> bool:
    return size_bytes <= LARGE_BYTES and probe_video(_path).browser_playable


def _preview_work(item: StoredMedia) -> "partial[None]":
    store = resources.store()

    def work(context: JobContext) -> None:
        with store.pinned(item.digest):
            make_preview(
                item.path,
                store.preview_path(item.digest),
                max_side=PREVIEW_SIDE,
                should_cancel=lambda: context.cancelled,
                on_progress=lambda done_s, total_s: context.report(round(done_s), round(total_s) if total_s else None),
            )

    return partial(work)


def _waiting(job: Job[None]) -> None:
    @st.fragment(run_every=live.POLL_S)
    def poll() -> None:
        if job.ended:
            st.rerun()
        progress = job.progress
        left = f", about {duration(progress.seconds_left)} left" if progress.seconds_left else ""
        st.progress(progress.fraction or 0.0, text=f"Preparing a copy that your browser can play{left}")

    poll()


def show(item: StoredMedia, report: VideoReport, time_s: float) -> None:
    """The player at `time_s`; a progress bar while its copy is being made."""
    path: Path = item.path
    if not plays_as_it_is(item.digest, str(item.path), item.size_bytes):
        path = resources.store().preview_path(item.digest)
        if not path.exists():
            job = live.job_for(f"preview:{item.digest}", _preview_work(item), label=f"Preview of {item.name}")
            if job.state == "failed":
                st.info("There is no copy that your browser could play. The verdict does not need one.")
            elif job.state != "cancelled":
                _waiting(job)
            return
    width = pictures.shape_of(report.size_wh, tallest=TALLEST)
    st.video(str(path), start_time=int(time_s), alt=f"The video {item.name}", width=width)
