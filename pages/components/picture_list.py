"""Several pictures at a glance: a list, the worst first, where one can be picked, and all their records in a file."""

import io
from collections.abc import Mapping, Sequence
from functools import partial

import streamlit as st

from core.analysis.formats import JsonList, SpreadsheetCsv, Writer
from core.analysis.types import ImageReport
from core.detector import Detector
from core.errors import UserError
from core.store import StoredMedia
from pages.components import verdict

UNFOLDED_FROM = 6  # pictures: fewer stand below it anyway
FILE = "deepfake-reports"
FORMS: dict[str, tuple[type[Writer], str]] = {
    "CSV": (SpreadsheetCsv, "text/csv"),
    "JSON": (JsonList, "application/json"),
}


def reported(item: StoredMedia, found: ImageReport | UserError, detector: Detector) -> ImageReport:
    """The report, or for a picture that could not be read what `predict.py` writes of it."""
    if isinstance(found, ImageReport):
        return found
    who = {"model": detector.name, "model_sha256": detector.sha256}
    return ImageReport(path=item.name, verdict="error", error=str(found), **who)


def written(reports: Sequence[ImageReport], form: type[Writer]) -> str:
    """All records as `predict.py` writes them."""
    out = io.StringIO()
    with form(out) as writer:
        for report in reports:
            writer.write(report)
    return out.getvalue()


def _badness(report: ImageReport) -> tuple[int, float]:
    return list(verdict.LOOKS).index(report.verdict), -(report.fake_probability or 0.0)


def _percent(report: ImageReport) -> float | None:
    return None if report.fake_probability is None else 100 * report.fake_probability


def chosen(
    items: Sequence[StoredMedia], found: Mapping[str, ImageReport | UserError], detector: Detector
) -> StoredMedia | None:
    """Draws the list, and tells the picture that was clicked in it."""
    listed = sorted(
        ((reported(item, found[item.digest], detector), item) for item in items), key=lambda one: _badness(one[0])
    )
    reports = [report for report, _ in listed]
    title, unfolded = "List of all pictures, and their records in one file", len(items) >= UNFOLDED_FROM
    with st.expander(title, icon=":material/list:", expanded=unfolded):
        event = st.dataframe(
            {
                "Picture": [report.path for report in reports],
                "Verdict": [verdict.LOOKS[report.verdict].word for report in reports],
                "Fake probability": [_percent(report) for report in reports],
                "Faces": [None if report.error else len(report.faces) for report in reports],
                "Why": [" ".join([*report.reasons, *([report.error] if report.error else [])]) for report in reports],
            },
            hide_index=True,
            placeholder="",
            column_config={
                "Fake probability": st.column_config.ProgressColumn(format="%.0f %%", min_value=0, max_value=100),
                "Why": st.column_config.TextColumn(width="large"),
            },
            on_select="rerun",
            selection_mode="single-row",
            key=f"image_list_{hash(tuple(item.digest for _, item in listed))}",  # another list has no row ticked
            alt="Pictures, their verdicts and the reasons",
        )
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.caption("Tick a row to see that picture alone.")
            with st.container(horizontal=True, width="content"):
                for label, form, media_type in (
                    ("CSV", SpreadsheetCsv, "text/csv"),
                    ("JSON", JsonList, "application/json"),
                ):
                    st.download_button(
                        f"{label} of all",
                        partial(written, reports, form),
                        f"{FILE}.{label.lower()}",
                        media_type,
                        key=f"all_{label}",
                        icon=":material/download:",
                        on_click="ignore",
                    )
    rows = event["selection"]["rows"]
    return listed[rows[0]][1] if rows and rows[0] < len(listed) else None
