"""How a verdict looks and reads: an icon, a word and a number, never colour alone."""

from dataclasses import dataclass
from typing import Literal

import streamlit as st

from core import charts
from core.analysis import verdict as rules
from core.analysis.types import ImageReport, Report, Verdict, VideoReport
from core.detector.spec import Thresholds
from core.history_entry import HistoryEntry
from core.words import words
from pages.components import layout
from pages.components.text import escape, moment

Colour = Literal["red", "orange", "green", "gray"]


@dataclass(frozen=True)
class Look:
    """Icon, word and colour of a verdict, and the one line that says how far it reaches."""

    icon: str
    word: str
    colour: Colour
    limit: str


_EN = words("en")
LOOKS: dict[Verdict, Look] = {
    "fake": Look(":material/gpp_maybe:", _EN("verdict.fake"), "red", _EN("limit.fake")),
    "uncertain": Look(":material/help:", _EN("verdict.uncertain"), "orange", _EN("limit.uncertain")),
    "real": Look(":material/check_circle:", _EN("verdict.real"), "green", _EN("limit.real")),
    "no_face": Look(":material/person_off:", _EN("verdict.no_face"), "gray", _EN("limit.no_face")),
    "error": Look(":material/error:", _EN("verdict.error"), "gray", _EN("limit.error")),
}


REASONS = 3
"""Reasons that stand there at once; the others open on a click."""


def percent(fake_probability: float | None) -> str:
    """0.873 as "87 %"; nothing where there is none."""
    return "" if fake_probability is None else rules.percent(fake_probability)


def entry_words(entry: HistoryEntry) -> str:
    """An earlier result in a pick-list; what tells two of one file apart comes before what is often the same."""
    said = f"{LOOKS[entry.verdict].word} {percent(entry.fake_probability)}".strip()
    return " · ".join(filter(None, [entry.name, said, made_when(entry), entry.model]))


def made_when(entry: HistoryEntry) -> str:
    """When an earlier result was made, and of a video from which frames."""
    return moment(entry.analysed_at) + (f" · frames: {entry.sampling}" if entry.sampling else "")


def badge(verdict: Verdict, fake_probability: float | None = None) -> None:
    """The verdict in one line, as for a face, a person or an entry of the history."""
    look = LOOKS[verdict]
    number = percent(fake_probability)
    st.badge(f"{look.word} · {number}" if number else look.word, icon=look.icon, color=look.colour)


def _meaning(report: Report) -> str:
    """What the number is about, in words."""
    worst = "person" if isinstance(report, VideoReport) else "face"
    parts = report.tracks if isinstance(report, VideoReport) else getattr(report, "faces", ())
    # short, for a metric's label is cut where its card ends
    plural = {"person": "people", "face": "faces"}[worst]
    return f"of the worst of {len(parts)} {plural}" if len(parts) > 1 else f"of the {worst}"


def _number(report: Report) -> None:
    if report.fake_probability is not None:
        st.metric(f"Fake probability {_meaning(report)}", percent(report.fake_probability))


def _scale(report: Report, thresholds: Thresholds, dark: bool, key: str) -> None:
    if report.fake_probability is None:
        return
    st.plotly_chart(
        charts.probability_strip(report.fake_probability, thresholds, dark=dark),
        key=f"strip_{key}",
        config={"staticPlot": True, "displayModeBar": False},
        alt=f"{percent(report.fake_probability)} on a scale with thresholds at "
        f"{percent(thresholds.real_below)} and {percent(thresholds.fake_above)}",
    )


def _who(report: Report) -> None:
    """Which of several faces in a picture the verdict is about: the reasons speak of those that do not decide."""
    fake = [str(number) for number in report.deciding] if isinstance(report, ImageReport) else []
    if fake:
        said = f"Face {fake[0]} looks" if len(fake) == 1 else f"Faces {', '.join(fake[:-1])} and {fake[-1]} look"
        st.markdown(f":material/chevron_right: {said} manipulated.")


def _words(report: Report) -> None:
    _who(report)
    for reason in report.reasons[:REASONS]:
        st.markdown(f":material/chevron_right: {escape(reason)}")
    if len(report.reasons) > REASONS:
        with st.expander(f"{len(report.reasons) - REASONS} more reasons"):
            for reason in report.reasons[REASONS:]:
                st.markdown(f":material/chevron_right: {escape(reason)}")
    st.caption(LOOKS[report.verdict].limit)


def card(report: Report, thresholds: Thresholds, *, dark: bool, key: str, wide: bool = False) -> None:
    """The verdict of one file: icon, word and number, then where the number lies, the reasons, and how far it reaches.

    `wide` puts the words beside the number instead of under it.
    """
    look = LOOKS[report.verdict]
    with st.container(border=True):
        left, right = layout.halves() if wide else (st.container(), st.container())
        with left:
            st.subheader(f":{look.colour}[{look.icon} {look.word}]", anchor=False)
            _number(report)
        with right:
            _scale(report, thresholds, dark, key)
            _words(report)
    for warning in report.warnings:
        st.warning(escape(warning), icon=":material/warning:")
