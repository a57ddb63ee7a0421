"""Check a video: who looks manipulated, and when. The analysis runs in the queue while the page draws."""

from functools import partial

import streamlit as st

from core.analysis.types import VideoReport
from core.detector import Detector
from core.errors import UserError
from core.media import VIDEO_SUFFIXES, Sampling
from core.samples import FAKE_END_S, FAKE_START_S, sample_image, sample_video
from core.store import StoredMedia
from pages.components import (
    exports,
    file_says,
    filing,
    heatmap_video,
    live,
    opened,
    pictures,
    resources,
    results,
    routing,
    sources,
    timeline,
    verdict,
)
from pages.components import sampling as sampling_choice
from pages.components.text import clock

PAGE = "video"
TYPES = sorted(suffix.lstrip(".") for suffix in VIDEO_SUFFIXES)
UPLOAD, PATH = "Upload", "Path on this machine"


def from_upload() -> list[StoredMedia]:
    upload = st.file_uploader(
        "Drop a video here, or choose one",
        type=TYPES,
        key=sources.uploader_key(PAGE),
        on_change=sources.replaced_by_uploads(PAGE),
    )
    return sources.store_all([upload] if upload else [])


def from_path() -> list[StoredMedia]:
    text = st.text_input(
        "Path of the video",
        key=f"path_{sources.uploader_key(PAGE)}",
        placeholder="/home/me/clip.mp4",
        help="For files too large to upload: they are read where they lie and not copied.",
        on_change=sources.replaced_by_uploads(PAGE),
    )
    if not text.strip() or sources.items(PAGE):
        return []
    try:
        with st.spinner("Reading the file…"):
            return [sources.from_path(text)]
    except UserError as error:
        resources.show_error(error)
        return []


def other_frames() -> None:
    """For callbacks: other frames are asked for; what was made or is being made with the former ones has to yield."""
    for item in sources.items(PAGE):
        sources.close_report(item.digest)
        live.cancel_analyses(item.digest)


def choose() -> tuple[StoredMedia | None, Sampling]:
    """Where the video comes from and how closely it is looked at; the one that was here before stays."""
    sources.begin(PAGE)
    row = st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute")
    with row.container(horizontal=True, vertical_alignment="bottom", width="content"):
        source = st.segmented_control("Source", [UPLOAD, PATH], default=UPLOAD, required=True, key="video_source")
        frames = sampling_choice.choose("video_sampling", other_frames)
    found = from_path() if source == PATH else from_upload()
    if found and not sources.items(PAGE):
        sources.set_items(PAGE, found)
    if sources.items(PAGE):
        row.button("Start over", icon=":material/restart_alt:", on_click=sources.start_over, args=(PAGE,))
    sources.name_in_address(PAGE)
    return next(iter(sources.items(PAGE)), None), frames


def sample() -> None:
    """What stands there before the first video: the sample, one click away; it is made when it is asked for."""
    with st.container(border=True):
        left, right = st.columns([1, 3], gap="medium", vertical_alignment="center")
        still = sources.made(sample_image)
        left.image(pictures.preview(str(still)), alt="The portrait that the sample clip shows", width="stretch")
        with right:
            st.markdown("No video at hand? Try the sample.")
            st.caption(
                "Ten seconds of a public-domain portrait. Its face was replaced by its own mirror image, coarser, from "
                f"{clock(FAKE_START_S)} to {clock(FAKE_END_S)}, so that the timeline can be checked against the truth."
            )
            if st.button("Try the sample", key="sample_video", icon=":material/play_circle:", type="primary"):
                sources.show_sample(PAGE, sources.made(sample_video).path)
                st.rerun()


def report_of(item: StoredMedia, detector: Detector, sampling: Sampling) -> VideoReport | None:
    """The report; while there is none, None, and the page shows how far it is, why it failed or that it was stopped."""
    slot = st.empty()  # emptied at once when the result is there: a panel grown stale would shine through it
    key = results.settings_key(detector, "video", str(sampling))
    report = results.recall(item, key)
    if isinstance(report, VideoReport):
        return report
    job_key = f"{item.digest}:{key}"
    job = live.job_for(job_key, results.video_work(item, key, detector, sampling), label=item.name)
    if isinstance(job.result, VideoReport):  # nothing was saved, as when the history was cleared meanwhile
        return job.result
    if not job.ended:
        with slot.container():
            live.panel(job, detector.spec.limits(video=True), title=item.name)
        return None
    live.ended_without(job, job_key)
    if job.state == "failed":
        opened.other_page(item.path, PAGE)
    return None


def made_on_a_click(item: StoredMedia, key: str, report: VideoReport, detector: Detector) -> None:
    """Buttons beside those that save what is there."""
    heatmap_video.offer(item, key, report, detector)
    filing.button(item, report, detector)


routing.require_router()
st.title("Check a video", anchor=False)
st.caption("Every person is followed and judged on this machine. Nothing is sent anywhere.")

item, sampling = choose()
if item is None:
    sample()
    st.stop()

detector = resources.detector_or_stop()
report = report_of(item, detector, sampling)
if report is None:
    st.stop()
opened.note(item, report, detector, sampling)
verdict.card(report, detector.spec.limits(video=True), dark=resources.dark(), key=item.digest, wide=True)
key = results.shown_key(item, results.settings_key(detector, "video", str(sampling)))
made = partial(made_on_a_click, item, key, report, detector)
exports.row(report, item.digest, {"CSV": (exports.as_csv, ".csv", "text/csv")}, made)
heatmap_video.panel(item, key, report)
timeline.evidence(item, report, detector)
file_says.panel(item, partial(pictures.still, item, report))
