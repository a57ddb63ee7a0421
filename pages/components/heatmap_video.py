"""The heatmap video of a report: one button makes it in the queue, then it plays and can be saved."""

from functools import partial
from pathlib import Path, PurePath
from typing import Any

import streamlit as st

from core.analysis.types import VideoReport
from core.detector import Detector
from core.explain.heatmap_video import write_heatmap_video
from core.jobs import Job, JobContext
from core.store import StoredMedia
from pages.components import live, pictures, player, resources
from pages.components.text import escape, megabytes

WHAT = (
    "The clip with boxes, probabilities and evidence on every frame, the timeline below and its sound: an MP4 file "
    "that plays anywhere. It shows this result; nothing is analysed again."
)
WIDEST, NARROWEST = 720, 320


def path_of(item: StoredMedia, key: str) -> Path:
    """Where the film of a report belongs: beside the report, so that it goes when that goes."""
    return resources.store().report_folder(item.digest, key) / "heatmap-video.mp4"


def _work(item: StoredMedia, path: Path, report: VideoReport, detector: Detector) -> Any:
    store, spec = resources.store(), detector.spec

    def work(context: JobContext) -> None:
        with store.pinned(item.digest):
            path.parent.mkdir(parents=True, exist_ok=True)
            write_heatmap_video(
                report,
                item.path,
                path,
                thresholds=spec.limits(video=True),
                crop_scale=spec.crop.scale,
                should_cancel=lambda: context.cancelled,
                on_progress=context.report,
            )

    return work


def _start(job_key: str, item: StoredMedia, path: Path, report: VideoReport, detector: Detector) -> None:
    live.try_again(job_key)
    live.job_for(job_key, _work(item, path, report, detector), label=f"Heatmap video of {item.name}")


def _running(job: Job[None]) -> None:
    @st.fragment(run_every=live.POLL_S)
    def poll() -> None:
        if job.ended:
            st.rerun()
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            queued = job.state == "queued"
            words = live.waiting(job) if queued else f"Heatmap video: {live.describe(job.progress)}"
            st.progress(job.progress.fraction or 0.0, text=words, width="stretch")
            st.button("Cancel", icon=":material/close:", key=f"cancel_{job.id}", on_click=job.cancel)

    poll()


def _width(report: VideoReport) -> int:
    """Of the player, so that it fits a screen together with its timeline."""
    width = pictures.shape_of(report.size_wh, tallest=400)
    return WIDEST if isinstance(width, str) else max(NARROWEST, width)


def _made(path: Path, item: StoredMedia, report: VideoReport) -> None:
    size_bytes = path.stat().st_size
    with st.expander("Heatmap video", expanded=True, icon=":material/movie_edit:"):
        if size_bytes <= player.LARGE_BYTES:
            st.video(str(path), alt=f"The heatmap video of {item.name}", width=_width(report))
        else:
            st.caption("It is too large to be played here. Save it, and open it with a player.")
        st.download_button(
            f"Save the video ({megabytes(size_bytes)})",
            path.read_bytes,  # read on the click only
            f"{PurePath(item.name).stem or 'video'}-heatmap.mp4",
            "video/mp4",
            key=f"film_save_{item.digest}",
            icon=":material/download:",
            on_click="ignore",
        )


def offer(item: StoredMedia, key: str, report: VideoReport, detector: Detector) -> None:
    """The button, while the film is neither there nor being made."""
    path, job_key = path_of(item, key), _job_key(item, key)
    job = live.known_job(job_key)
    if path.exists() or (job is not None and not job.ended):
        return
    st.button(
        "Make a heatmap video",
        icon=":material/movie_edit:",
        key=f"film_{item.digest}",
        help=WHAT,
        on_click=partial(_start, job_key, item, path, report, detector),
    )


def panel(item: StoredMedia, key: str, report: VideoReport) -> None:
    """The film of the report that is kept under `key`, how far it is, or why there is none."""
    path = path_of(item, key)
    if path.exists():
        _made(path, item, report)
        return
    job = live.known_job(_job_key(item, key))
    if job is not None and not job.ended:
        _running(job)
    elif job is not None and job.state == "failed":
        st.error(escape(job.error or ""), title=job.error_title, icon=":material/error:")


def _job_key(item: StoredMedia, key: str) -> str:
    return f"film:{item.digest}:{key}"
