"""Compare: an original and a suspected copy, or one file under two detectors, side by side on the same axis."""

import streamlit as st

from core.analysis.types import ImageReport, Report, VideoReport
from core.detector import Detector, DetectorEntry
from core.detector.spec import DetectorSpec
from core.errors import MediaError, UserError
from core.media import Sampling, media_kind
from pages.components import compare_inputs, live, resources, results, routing
from pages.components import sampling as samplings
from pages.components.compare_inputs import SIDES, Chosen
from pages.components.compare_views import Side, card, evidence
from pages.components.text import escape

FILES, DETECTORS = "Two files", "One file, two detectors"
TITLES = {"A": "A, such as the original", "B": "B, such as the suspected copy"}


def controls() -> tuple[str, Sampling]:
    """What is compared, and how closely videos are looked at."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        mode = st.segmented_control(
            "Compare", [FILES, DETECTORS], default=FILES, required=True, key="compare_mode", persist_state="session"
        )
        sampling = samplings.choose("compare_sampling")
        if any(compare_inputs.chosen(side) for side in SIDES):
            if mode == FILES:
                st.button("Swap", icon=":material/swap_horiz:", key="compare_swap", on_click=compare_inputs.swap)
            st.button("Start over", icon=":material/restart_alt:", key="compare_clear", on_click=compare_inputs.clear)
    return mode or FILES, sampling


def sample() -> None:
    """What stands there before the first file."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Nothing to compare at hand? Try the samples.", width="content")
        st.button(
            "Compare the two portraits",
            key="compare_samples",
            icon=":material/play_circle:",
            type="primary",
            on_click=compare_inputs.choose_samples,
        )


def spec_of(report: Report, detector: Detector) -> DetectorSpec:
    """The card of the detector that gave a report, or else of the one in use, which is said."""
    if report.model_sha256 == detector.sha256:
        return detector.spec
    for entry in resources.detectors():
        if entry.spec and entry.spec.weights_sha256 == report.model_sha256:
            return entry.spec
    st.caption(
        f"The detector {escape(report.model)} is no longer here: thresholds are those of {escape(detector.name)}."
    )
    return detector.spec


def analysed(side: str, chosen: Chosen, detector: Detector, sampling: Sampling) -> Report | None:
    """The report of one side; None while there is none, and the side shows why. Raises UserError with what to do."""
    item = chosen.item
    if chosen.settings_key and (kept := results.recall(item, chosen.settings_key, exactly=True)):
        return kept
    kind = media_kind(item.path)
    if kind is None:
        raise MediaError(f'"{item.name}" is neither an image nor a video that can be read here.')
    if kind == "image":
        return results.image_report(item, detector, exactly=True)
    return video_report(side, chosen, detector, sampling)


def video_report(side: str, chosen: Chosen, detector: Detector, sampling: Sampling) -> VideoReport | None:
    item, key = chosen.item, results.settings_key(detector, "video", str(sampling))
    kept = results.recall(item, key, exactly=True)
    if isinstance(kept, VideoReport):
        return kept
    job_key = f"{item.digest}:{key}"
    job = live.job_for(job_key, results.video_work(item, key, detector, sampling), label=item.name)
    if isinstance(job.result, VideoReport):
        return job.result
    if not job.ended:
        live.panel(job, detector.spec.limits(video=True), title=item.name, side=side)
        return None
    live.ended_without(job, job_key, key=f"compare_again_{side}")
    return None


def half(side: str, chosen: Chosen | None, entry: DetectorEntry | None, sampling: Sampling) -> Side | None:
    """One side from its file to its verdict; what is wrong with it stays on its side."""
    if chosen is None:
        return None
    try:
        with st.spinner("Starting the detector…", show_time=True):
            detector = resources.load(entry) if entry else resources.detector()
        report = analysed(side, chosen, detector, sampling)
    except UserError as error:
        resources.show_error(error, chosen.item.name)
        return None
    if not isinstance(report, ImageReport | VideoReport):
        return None
    one = Side(side, chosen.item, report, spec_of(report, detector))
    card(one)
    return one


routing.require_router()
st.title("Compare", anchor=False)
st.caption("An original beside a suspected copy, or two detectors on one file. Nothing is sent anywhere.")

mode, sampling = controls()
entries: tuple[DetectorEntry | None, DetectorEntry | None] = (None, None)
# A verdict stands in the column of its file or detector, and so below it in a narrow window.
if mode == FILES:
    columns = st.columns(2, gap="medium")
    for column, side in zip(columns, SIDES, strict=True):
        with column:
            compare_inputs.pick(side, TITLES[side])
    chosen = [compare_inputs.chosen(side) for side in SIDES]
else:
    compare_inputs.pick("A", "The file", word="The file")
    columns = st.columns(2, gap="medium")
    picked = compare_inputs.pick_detectors(columns)
    if picked is None:
        st.stop()
    entries = picked
    one_file = compare_inputs.chosen("A")
    chosen = [Chosen(one_file.item) if one_file else None] * 2
if not any(chosen):
    sample()
    st.stop()

halves: list[Side | None] = []
for column, side, what, entry in zip(columns, SIDES, chosen, entries, strict=True):
    with column:
        halves.append(half(side, what, entry, sampling))
left, right = halves
if left is not None and right is not None:
    evidence(left, right)
