"""Sections of an evaluation that ask how far a detector carries: robustness, another detector, face quality."""

import streamlit as st

from core import evaluation_charts as charts
from core.evaluation.changes import KINDS
from core.evaluation.gates import asked
from core.evaluation.robustness import kinds_in
from core.evaluation.text import NONE, interval, percent, share_with_interval, signed_interval
from pages.components import layout, resources
from pages.components.evaluation_views import ALL, STILL, Document, said
from pages.components.text import escape


def robustness(document: Document) -> None:
    """One small chart a kind of change, the same pictures throughout."""
    measured = document.get("robustness")
    if not measured:
        st.caption("Robustness was not measured: tick it above, or run `evaluate.py --robustness`.")
        return
    clean, levels = measured["untouched"], measured["levels"]
    parts = st.multiselect("Sources", list(clean), default=[ALL], format_func=said, key="evaluation_robust_parts")
    st.caption(
        f"AUC on changed copies of the same {clean[ALL]['real'] + clean[ALL]['fake']} pictures, where a face is still "
        "found, 95 % bands. How many verdicts are lost stands under All figures."
    )
    untouched = {said(part): one for part, one in clean.items()}
    named = [{**one, "figures": {said(part): f for part, f in one["figures"].items()}} for one in levels]
    with st.grid("auto", min_column_width=320):
        for kind in kinds_in(levels):
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{KINDS[kind].title}**")
                figure = charts.robustness(named, kind, [*map(said, parts)], untouched, dark=resources.dark())
                st.plotly_chart(figure, key=f"robust_{kind}", config=STILL, alt=f"AUC by level: {KINDS[kind].title}")
    with st.expander("All figures", icon=":material/table:"):
        rows = [
            {
                "Change": level["label"],
                "Uncertain": percent(level["figures"][ALL]["uncertain"]),
                "No face": level["figures"][ALL]["no_face"],
                **{said(part): level["figures"].get(part, {}).get("auc") for part in clean},
            }
            for level in levels
        ]
        formats = {said(part): st.column_config.NumberColumn(format="%.3f") for part in clean}
        st.dataframe(rows, hide_index=True, placeholder=NONE, column_config=formats, alt="AUC by change and level")


def comparison(document: Document) -> None:
    """Two detectors on the same media."""
    measured = document.get("comparison")
    if not measured:
        st.caption("Nothing was compared: pick a second detector in the form above, or run evaluate.py --compare.")
        return
    name, other = document["detector"]["name"], measured["other"]["name"]
    other = f"{other} {measured['other']['sha256'][:8]}" if other == name else other
    st.markdown(f"**{escape(name)}** against **{escape(other)}**, on what has a face for both.")
    rows = [
        {
            "Source": said(part),
            "Faces": one["items"],
            f"AUC of {name}": one["auc"],
            f"AUC of {other}": one["other_auc"],
            "Difference": one["difference"],
            "95 % (DeLong)": signed_interval(one["delong"]["difference_95"]),
            "p (DeLong)": one["delong"]["p"],
            "95 % (bootstrap)": signed_interval(one["bootstrap"]["difference_95"]),
            "p (bootstrap)": one["bootstrap"]["p"],
        }
        for part, one in measured["figures"].items()
    ]
    area, signed = (st.column_config.NumberColumn(format=how) for how in ("%.3f", "%+.3f"))
    formats = {"Difference": signed, f"AUC of {name}": area, f"AUC of {other}": area}
    st.dataframe(rows, hide_index=True, placeholder=NONE, column_config=formats, alt="Both detectors' AUC by source")
    dark = resources.dark()
    left, right = layout.halves()
    with left, st.container(border=True):
        st.markdown("**Difference in AUC**")
        figure = charts.difference({said(part): one for part, one in measured["figures"].items()}, dark=dark)
        st.plotly_chart(figure, key="evaluation_difference", config=STILL, alt="Difference in AUC by source")
        st.caption("An interval that holds 0 shows no difference that chance could not make.")
    with right, st.container(border=True):
        st.markdown("**ROC, all sources**")
        both = {name: document["curves"].get(ALL), other: (measured.get("other_curves") or {}).get(ALL)}
        figure = charts.roc(both, dark=dark, height=320)
        st.plotly_chart(figure, key="evaluation_roc_both", config=STILL, alt="ROC curves of both detectors")


def face_quality(document: Document) -> None:
    """Where it errs, and what that asks of the quality gates."""
    gates = document.get("gates")
    if not gates:
        st.caption("Errors by face quality were not measured: tick them above, or run `evaluate.py --gates`.")
        return
    st.caption(
        "Wrong verdicts by size, sharpness, turn, light and noise of the face, and by how strongly films are "
        "compressed, as if no gate stood in the way; smaller, blurred, darker and noisy copies, and films made of the "
        "pictures, fill the bins that the pictures themselves leave empty."
    )
    for name, gate in gates.items():
        st.subheader(escape(gate["title"]), anchor=False)
        st.caption(f"`{name}` is {gate['in_use']:g}; asked for: {asked(gate)}.")
        rows = [
            {
                "Range": charts.bin_label(one, gate),
                "Real": one["real"],
                "Fake": one["fake"],
                "AUC": one["auc"],
                "95 %": interval(one["auc_95"]),
                "Reals called fake": share_with_interval(one, "real_called_fake"),
                "Fakes called real": share_with_interval(one, "fake_called_real"),
            }
            for one in gate["bins"]
            if one["real"] + one["fake"]
        ]
        with st.container(border=True):
            figure = charts.gate(gate, dark=resources.dark())
            st.plotly_chart(figure, key=f"gate_{name}", config=STILL, alt=f"AUC by {gate['title']}")
        area = {"AUC": st.column_config.NumberColumn(format="%.3f")}
        st.dataframe(rows, hide_index=True, placeholder=NONE, column_config=area, alt=f"Errors by {gate['title']}")
