"""What can be saved and sent: the record that `predict.py` writes, and a table of a video's faces."""

import csv
import io
import json
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import PurePath
from typing import Any

import streamlit as st

from core.analysis.types import Report, VideoReport
from pages.components.text import count, duration, escape

COLUMNS = ("frame", "time_s", "person", "verdict", "fake_probability", "left", "top", "right", "bottom")


def file_name(report: Report, suffix: str) -> str:
    """ "holiday.jpg" gives "holiday-deepfake-report.json"."""
    return f"{PurePath(report.path).stem or 'media'}-deepfake-report{suffix}"


def as_json(report: Report) -> str:
    return json.dumps(report.to_dict(), indent=2, ensure_ascii=False)


def as_csv(report: VideoReport) -> str:
    """One row for each face in each analysed frame; a frame without a face is a row without a person."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for frame in report.frames:
        head = (frame.index, round(frame.time_s, 3))
        if not frame.faces:
            writer.writerow((*head, "", "no_face", "", "", "", "", ""))
        for score in frame.faces:
            edges = (round(float(edge), 1) for edge in score.face.box_xyxy)
            row = (score.face.track_id, score.verdict, round(score.fake_probability, 4), *edges)
            writer.writerow((*head, *row))
    return out.getvalue()


def facts(report: Report) -> str:
    """What was looked at, by whom, and how long it took, in one line."""
    parts = [escape(report.path)]
    if report.size_wh:
        parts.append(f"{report.size_wh[0]} × {report.size_wh[1]}")
    if isinstance(report, VideoReport):
        looked, faced = len(report.frames), report.faced_frames
        chosen = f"up to {report.sampling}" if report.sampling.endswith("per second") else report.sampling
        without = f", {faced} of them with a face" if faced < looked else ""
        parts += [duration(report.duration_s), f"{count(looked, 'frame')} looked at ({chosen}){without}"]
    return " · ".join([*parts, f"analysed in {report.seconds:.1f} s by the detector “{escape(report.model)}”"])


def row(
    report: Any,
    digest: str,
    others: Mapping[str, tuple[Callable[[Any], Any], str, str]],
    first: Callable[[], None] | None = None,
) -> None:
    """The facts, and buttons: JSON, and `others` by label as what makes them, suffix and media type.

    `first` draws what stands before them.
    """
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.caption(facts(report))
        with st.container(horizontal=True, width="content"):
            if first:
                first()
            for label, (make, suffix, media_type) in {"JSON": (as_json, ".json", "application/json"), **others}.items():
                st.download_button(
                    label,
                    partial(make, report),  # made on the click: every run of the page would pay for it otherwise
                    file_name(report, suffix),
                    media_type,
                    key=f"{label}_{digest}",
                    icon=":material/download:",
                    on_click="ignore",
                )
