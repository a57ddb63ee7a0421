"""Reports that come back at once: by content digest and settings, from the session, then from the store on disk."""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from core.analysis import analyze_image, analyze_video
from core.analysis.faults import told_of
from core.analysis.types import RECIPE, ImageReport, Report, VideoReport
from core.detector import Detector
from core.jobs import JobContext
from core.media import Sampling
from core.store import Store, StoredMedia
from pages.components import pictures, resources
from pages.components.sources import OPENED

REMEMBERED = 24
"""Reports that one tab keeps in memory; the others come back from the disk."""


def settings_key(detector: Detector, *settings: str) -> str:
    """Names what a report depends on besides the media: weights, thresholds, calibration, engine, settings and way."""
    said = [RECIPE, detector.spec.to_dict(), detector.sha256, detector.engine, detector.precision, *settings]
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()[:16]


def _memory() -> OrderedDict[tuple[str, str], Report]:
    return st.session_state.setdefault("reports", OrderedDict())


def _remember(digest: str, key: str, report: Report) -> None:
    memory = _memory()
    memory[digest, key] = report
    memory.move_to_end((digest, key))
    while len(memory) > REMEMBERED:
        memory.popitem(last=False)


def shown_key(item: StoredMedia, key: str) -> str:
    """Under which settings the report of this file is shown: these, or those of the one opened from the history."""
    return str(st.session_state.get(OPENED, {}).get(item.digest, key))


def recall(item: StoredMedia, key: str, *, exactly: bool = False) -> Report | None:
    """The report of this file under these settings, or (unless `exactly`) the one opened from the history.

    None where there is none.
    """
    key = key if exactly else shown_key(item, key)
    report = _memory().get((item.digest, key)) or resources.store().load_report(item.digest, key)
    if report is None:
        return None
    if report.path != item.name:  # the same content may come back under another name
        report = replace(report, path=item.name)
    _remember(item.digest, key, report)
    return report


def forget() -> None:
    """For callbacks: nothing is remembered in this tab."""
    _memory().clear()
    st.session_state[OPENED] = {}


def image_report(item: StoredMedia, detector: Detector, *, exactly: bool = False) -> ImageReport:
    """The report of a picture, analysed if need be. Raises MediaError where it cannot be read.

    `exactly` by this detector, whatever was opened from the history.
    """
    key = settings_key(detector, "image")
    report = recall(item, key, exactly=exactly)
    if isinstance(report, ImageReport):
        return report
    store = resources.store()
    with store.pinned(item.digest):
        with told_of(item.name):
            report = analyze_image(item.path, detector, resources.finder(), name=item.name)
        store.save_report(item.digest, key, report, pictures.thumbnail(item.path))
    _remember(item.digest, key, report)
    return report


def video_work(
    item: StoredMedia, key: str, detector: Detector, sampling: Sampling
) -> Callable[[JobContext], VideoReport]:
    """The job that analyses a video and saves its report; it runs in a thread and touches no session."""
    store, finder = resources.store(), resources.finder()

    def work(context: JobContext) -> VideoReport:
        with store.pinned(item.digest), told_of(item.name):
            return _analyze(context, item, key, detector, sampling, store, finder)

    return work


def _analyze(
    context: JobContext, item: StoredMedia, key: str, detector: Detector, sampling: Sampling, store: Store, finder: Any
) -> VideoReport:
    report = analyze_video(
        item.path,
        detector,
        finder,
        name=item.name,
        sampling=sampling,
        on_progress=lambda now: context.report(now.done, now.total, partial=now.report),
        should_cancel=lambda: context.cancelled,
    )
    store.save_report(item.digest, key, report, pictures.video_thumbnail(item.path, report))
    return report
