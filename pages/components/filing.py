"""The report that can be filed: one button, which asks for the language and gives HTML or PDF."""

from datetime import UTC, datetime
from functools import partial

import streamlit as st

from core.analysis.types import ImageReport, VideoReport
from core.detector import Detector
from core.report import gather, report_bytes
from core.store import Store, StoredMedia
from core.words import LANGUAGES
from pages.components import exports, resources

LANGUAGE = "report_language"
"""Session state: the language chosen last, on whichever page; who files in German does so every time."""
FORMATS = {"HTML": (".html", "text/html"), "PDF": (".pdf", "application/pdf")}


def button(item: StoredMedia, report: ImageReport | VideoReport, detector: Detector) -> None:
    """The button with what opens below it."""
    with st.popover("Report", icon=":material/article:", key=f"report_{item.digest}"):
        st.caption(
            "One document to file or to send: verdict and limits, hash, pictures with heatmaps, metadata, settings, "
            "and how to get the same result again. Nothing in it is fetched from anywhere."
        )
        key = f"report_language_{item.digest}"
        language = st.selectbox(
            "Language",
            list(LANGUAGES),
            index=list(LANGUAGES).index(st.session_state.get(LANGUAGE, "en")),
            format_func=LANGUAGES.__getitem__,
            key=key,
            on_change=lambda: st.session_state.update({LANGUAGE: st.session_state[key]}),
        )
        with st.container(horizontal=True):
            for label, (suffix, media_type) in FORMATS.items():
                st.download_button(
                    label,
                    partial(make, resources.store(), item, report, detector, suffix, language),
                    exports.file_name(report, suffix),
                    media_type,
                    key=f"report_{label}_{item.digest}",
                    icon=":material/download:",
                    on_click="ignore",
                )


def make(
    store: Store,
    item: StoredMedia,
    report: ImageReport | VideoReport,
    detector: Detector,
    suffix: str,
    language: str,
) -> bytes:
    """The report as a file; made on the click, outside of any session."""
    content = gather(
        report,
        item.path,
        sha256=item.digest,
        size_bytes=item.size_bytes,
        detector=detector,
        analysed_at=analysed_at(store, item, report),
    )
    return report_bytes(content, suffix, language)


def analysed_at(store: Store, item: StoredMedia, report: ImageReport | VideoReport) -> datetime | None:
    """When this result came about, as the history says; None where it was cleared."""
    said = (report.model, report.verdict, report.fake_probability)
    moments = [
        entry.analysed_at
        for entry in store.history()
        if entry.digest == item.digest and (entry.model, entry.verdict, entry.fake_probability) == said
    ]
    return datetime.fromtimestamp(moments[0], UTC) if moments else None
