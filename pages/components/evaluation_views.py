"""The sections of an evaluation: figures, curves, verdicts at thresholds, robustness, comparison, face quality."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import streamlit as st

from core import evaluation_charts as charts
from core.detector.spec import Thresholds
from core.evaluation.parts import ALL, part_of
from core.evaluation.text import NONE, interval, number, percent
from core.metrics import confusion
from pages.components import layout, resources
from pages.components.text import escape

Document = dict[str, Any]
STILL = {"displayModeBar": False}
EASY = 0.75
"""From this AUC of the spectrum alone on, a source says little about manipulations."""
NEEDS_BOTH = "AUC, curves and calibration need real and fake faces; here are only those of one kind, or none."


def said(part: str) -> str:
    """A part's name for people."""
    return "All sources" if part == ALL else part


def _intervals(auc: Sequence[float | None], error: Sequence[float | None]) -> str:
    area, calibration = interval(auc), interval(error)
    if area == calibration == NONE:
        return "Too few files for intervals: these figures may be chance alone, and are no guide to other data."
    return (
        f"95 % intervals: AUC {area}, calibration error {calibration} (debiased, at equal base rates). They tell of "
        "chance, not of other data: on media unlike these a detector does worse."
    )


def overview(document: Document) -> None:
    """The pooled figures, then by source with the low-level baseline beside each AUC."""
    pooled, error = document["figures"][ALL], document["calibration"].get(ALL)
    with st.grid(3, min_column_width=150):
        st.metric("AUC", number(pooled["auc"]), border=True)
        st.metric("Equal error rate", percent(pooled["eer"]), border=True)
        st.metric("Reals called fake", percent(pooled["real_called_fake"]), border=True)
        st.metric("Fakes called real", percent(pooled["fake_called_real"]), border=True)
        st.metric("Uncertain", percent(pooled["uncertain"]), border=True)
        st.metric("Calibration error", number(error["ece"] if error else None), border=True)
    if error:
        st.caption(_intervals(pooled["auc_95"], error["ece_95"]))
    by_source(document)
    for column, values in (document.get("columns") or {}).items():
        st.subheader(f"By {escape(column)}", anchor=False)
        against = [figures["against"] or "each other" for figures in values.values()]
        table(values, column, {"Measured against": against}, alt=f"Figures by {column}")


def by_source(document: Document) -> None:
    figures, baseline = document["figures"], document.get("baseline") or {}
    st.subheader("By source", anchor=False)
    extra = {"Spectrum alone": [number(baseline.get(part, {}).get("auc")) for part in figures]} if baseline else {}
    table(figures, "Source", extra, alt="Figures by source")
    easy = [escape(part) for part, one in baseline.items() if (one["auc"] or 0) > EASY]
    if easy:
        st.caption(
            f":material/warning: {', '.join(easy)}: the spectrum of the crops alone tells the classes apart there. "
            "A high AUC proves little on such a source."
        )
    if all(one["auc"] is None for one in figures.values()):
        st.caption(NEEDS_BOTH)
        return
    st.plotly_chart(
        charts.areas({said(part): one for part, one in figures.items()}, baseline, dark=resources.dark()),
        key="evaluation_areas",
        config=STILL,
        alt="AUC with its 95 % interval by source, and that of the spectrum alone",
    )


def table(figures: dict[str, Any], name: str, extra: dict[str, list[Any]], *, alt: str) -> None:
    rows = list(figures.items())

    def shares(key: str) -> list[float | None]:
        return [None if one[key] is None else 100 * one[key] for _, one in rows]

    measured = {
        "AUC": [one["auc"] for _, one in rows],
        "95 % interval": [interval(one["auc_95"]) for _, one in rows],
        "Reals called fake": shares("real_called_fake"),
        "Fakes called real": shares("fake_called_real"),
        "Uncertain": shares("uncertain"),
        **extra,
        "EER": shares("eer"),
        "Real": [one["real"] for _, one in rows],
        "Fake": [one["fake"] for _, one in rows],
        "No face": [one["no_face"] for _, one in rows],
    }
    first = f"{name} (column)" if name in measured else name  # a manifest may call a column "Fake"
    columns = {first: [said(part) for part, _ in rows], **measured}
    area, share = st.column_config.NumberColumn(format="%.3f"), st.column_config.NumberColumn(format="%.1f %%")
    formats = dict.fromkeys(("EER", "Reals called fake", "Fakes called real", "Uncertain"), share)
    right = st.column_config.TextColumn(
        alignment="right", help="AUC of a logistic regression on nothing but the spectrum of the same crops"
    )
    formats |= {"AUC": area, "Spectrum alone": right, first: st.column_config.TextColumn(pinned=True)}
    formats |= dict.fromkeys(("Real", "Fake", "No face"), st.column_config.NumberColumn(width=60))
    st.dataframe(columns, hide_index=True, column_config=formats, placeholder=NONE, alt=alt)


def curves(document: Document) -> None:
    """ROC, precision-recall, calibration and the spread of the probabilities, of the parts that are picked."""
    there = [part for part, curve in document["curves"].items() if curve]
    if not there:
        st.caption(NEEDS_BOTH)
        return
    picked = st.multiselect(
        "Sources", there, default=there[:1], format_func=said, key="evaluation_curve_parts", placeholder="Pick some"
    )
    shown = {said(part): document["curves"][part] for part in picked}
    dark = resources.dark()
    left, right = layout.halves()
    with left, st.container(border=True):
        st.markdown("**ROC**")
        st.plotly_chart(charts.roc(shown, dark=dark), key="evaluation_roc", config=STILL, alt="ROC curves with bands")
        st.caption("Shaded: 95 % bands by bootstrap.")
    with right, st.container(border=True):
        st.markdown("**Precision and recall**")
        figure = charts.precision_recall(shown, dark=dark)
        st.plotly_chart(figure, key="evaluation_pr", config=STILL, alt="Precision over recall with bands")
        st.caption("For as many fakes as reals, whatever the folder holds.")
    one = picked[0] if picked else ALL
    calibration(document, one, dark)


def calibration(document: Document, part: str, dark: bool) -> None:
    error = document["calibration"].get(part)
    left, right = layout.halves()
    with left, st.container(border=True):
        st.markdown(f"**Calibration** · {escape(said(part))}")
        if error:
            figure = charts.calibration(error["bins"], dark=dark)
            st.plotly_chart(figure, key="evaluation_calibration", config=STILL, alt="Calibration curve")
            st.caption(
                f"Calibration error {number(error['ece'])} (95 % {interval(error['ece_95'])}), debiased, at equal base "
                f"rates; as measured {number(error['ece_plain'])}. Brier score {number(error['brier'])}."
            )
        else:
            st.caption("Needs real and fake media.")
    with right, st.container(border=True):
        st.markdown(f"**Spread of the probabilities** · {escape(said(part))}")
        probabilities, fake, *_ = judged(document, part)
        limits = Thresholds(**document["detector"]["thresholds"])
        figure = charts.histogram(probabilities, fake, limits, dark=dark)
        st.plotly_chart(figure, key="evaluation_histogram", config=STILL, alt="Spread of the probabilities by class")
        st.caption("Fakes upwards, reals downwards. Dashed: the thresholds in use.")


def judged(document: Document, part: str) -> tuple[list[float], list[bool], list[bool], list[bool]]:
    """Probability, label, whether a gate held it back and whether it is a video, of what has a face in this part."""
    items = document["items"]
    columns = (items[name] for name in ("fake_probability", "fake", "held", "video", "source"))
    rows = [row[:4] for row in zip(*columns, strict=True) if row[0] is not None and part in (ALL, part_of(row[4]))]
    return tuple([row[at] for row in rows] for at in range(4))  # type: ignore[return-value]


@st.fragment
def decisions(document: Document, key: str) -> None:
    """Who is called what at two thresholds that can be moved; only this part of the page runs anew."""
    in_use = document["detector"]["thresholds"]
    of_videos = document["detector"].get("video_thresholds") or in_use
    usual = (round(100 * in_use["real_below"]), round(100 * in_use["fake_above"]))
    left, chart = layout.halves()
    with left:
        part = st.selectbox(
            "Source",
            list(document["figures"]),
            format_func=said,
            key=f"confusion_part_{key}",
            persist_state="session",
        )
        low, high = st.slider(
            "Real below, fake from",
            0,
            100,
            usual,
            format="%d %%",
            key=f"confusion_{key}",
            persist_state="session",
            help="Between the two a face stays uncertain. This changes what is shown here, not the detector.",
        )
        gated = st.checkbox("With quality gates", value=True, key=f"confusion_gates_{key}", persist_state="session")
        st.caption(f"In use: real below {usual[0]} %, fake from {usual[1]} %.")
        if any(document["items"]["video"]) and of_videos != in_use:
            low_video, high_video = (round(100 * of_videos[name]) for name in ("real_below", "fake_above"))
            st.caption(f"Of videos, until a handle is moved: real below {low_video} %, fake from {high_video} %.")
    probabilities, fake, held, video = judged(document, part)
    # whole percents of a handle that was not moved stand for the exact limit in use
    fake_above = in_use["fake_above"] if high == usual[1] else high / 100
    limits = (min(in_use["real_below"] if low == usual[0] else low / 100, fake_above), fake_above)
    # where a handle was not moved, videos keep the limit that they have
    of_video = (
        of_videos["real_below"] if low == usual[0] else limits[0],
        of_videos["fake_above"] if high == usual[1] else limits[1],
    )
    below, above = (np.where(np.array(video, bool), own, limit) for own, limit in zip(of_video, limits, strict=True))
    counts = confusion(probabilities, fake, below, above, held_back=held if gated else None)
    with chart, st.container(border=True):
        figure = charts.confusion_matrix(counts.real, counts.fake, dark=resources.dark())
        st.plotly_chart(figure, key=f"confusion_chart_{key}", config={"staticPlot": True}, alt="Confusion matrix")
        with st.grid(2, min_column_width=130):
            st.metric(
                "Right when it decides",
                "–" if counts.accuracy != counts.accuracy else percent(counts.accuracy),
                help="Of the verdicts that were given, both classes weighing the same.",
            )
            st.metric("Reals called fake", percent(counts.real[2] / sum(counts.real) if sum(counts.real) else None))
            st.metric("Fakes called real", percent(counts.fake[0] / sum(counts.fake) if sum(counts.fake) else None))
            st.metric("Uncertain", "–" if counts.uncertain != counts.uncertain else percent(counts.uncertain))
    with st.container(border=True):
        st.markdown("**Where the probabilities lie**")
        figure = charts.histogram(probabilities, fake, Thresholds(*limits), dark=resources.dark(), height=280)
        st.plotly_chart(figure, key=f"verdict_spread_{key}", config=STILL, alt="Probabilities and both thresholds")
