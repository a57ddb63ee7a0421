"""The detector in use: what it is good for, its limits, its figures, its licence. And how to add another."""

import re
from functools import partial
from typing import Any

import streamlit as st

from core.detector import DetectorEntry, DetectorSpec, add_uploaded
from core.detector.library import is_own, remove_detector
from core.errors import DetectorError, UserError
from core.report.document import input_words, least_quality
from core.words import words
from pages.components import actions, resources, routing, sidebar, verdict
from pages.components.text import class_words, escape

TYPES = ["keras", "h5", "hdf5", "zip"]


def beside(entry: DetectorEntry, name: str) -> str | None:
    """The text of a file in the detector's folder, None where there is none."""
    folder = entry.path if entry.path.is_dir() else None
    path = folder / name if folder else None
    return path.read_text(encoding="utf-8", errors="replace") if path and path.is_file() else None


def facts(spec: DetectorSpec) -> dict[str, str]:
    return {
        "Licence": spec.licence or sidebar.NO_LICENCE,
        "Input": input_words(spec, words("en"), still=True),
        "Classes": ", ".join(map(class_words, spec.classes)),
        **_verdicts(spec),
        "Least quality of a face": f"{least_quality(spec.gates, words('en'))}; beyond one of these it is uncertain",
        "Fingerprint": f"{spec.weights_sha256[:16]}…",
    }


def _verdicts(spec: DetectorSpec) -> dict[str, str]:
    """Where the verdicts part, once for all media or for stills and videos apart."""
    still, video = (
        f"below {verdict.percent(limits.real_below)} no manipulation found, from "
        f"{verdict.percent(limits.fake_above)} likely fake, between them uncertain"
        for limits in (spec.limits(video=False), spec.limits(video=True))
    )
    return {"Verdicts": still} if still == video else {"Verdicts on stills": still, "Verdicts on videos": video}


def rows(metrics: dict[str, Any], prefix: str = "") -> list[dict[str, str]]:
    """Nested figures as rows, "dfdc/test › auc"."""
    found: list[dict[str, str]] = []
    for name, value in metrics.items():
        if isinstance(value, dict):
            found += rows(value, f"{prefix}{name} › ")
        else:
            shown = f"{value:.3f}" if isinstance(value, float) else str(value)
            found.append({"Figure": f"{prefix}{name}", "Value": shown})
    return found


def show_spec(spec: DetectorSpec) -> None:
    with st.container(border=True):
        st.subheader("At a glance", anchor=False)
        for name, value in facts(spec).items():
            st.markdown(f":gray[{name}]  \n{escape(value)}")


def show_metrics(spec: DetectorSpec) -> None:
    with st.expander("All figures", icon=":material/monitoring:"):
        if spec.metrics:
            st.dataframe(rows(spec.metrics), hide_index=True, alt="Figures that were measured for this detector")
        else:
            st.caption("Nothing was measured: take every verdict of this detector as a guess.")


def demoted(markdown: str) -> str:
    """The same text with its headings two levels lower, for a card within a page; code blocks stay as they are."""
    parts = markdown.split("```")
    return "```".join(part if index % 2 else re.sub(r"(?m)^#", "###", part) for index, part in enumerate(parts))


def show_blocks(markdown: str) -> None:
    """Markdown, its tables as data frames: those scroll where the screen is narrow, and others run over its edge."""
    for block in re.split(r"\n{2,}", demoted(markdown)):
        if block.startswith("|") and block.count("\n") >= 2:
            head, _, *body = ([cell.strip() for cell in line.strip("| ").split("|")] for line in block.splitlines())
            st.dataframe(
                [dict(zip(head, row, strict=False)) for row in body], hide_index=True, alt="A table of the card"
            )
        else:
            st.markdown(block)


def show_card(entry: DetectorEntry) -> None:
    card = beside(entry, "MODEL_CARD.md")
    with st.container(border=True):
        if card:
            show_blocks(card)
        else:
            st.markdown(
                "This detector came without a model card: what it was trained on and where it fails is unknown."
            )
    licence = beside(entry, "LICENSE")
    if licence:
        with st.expander("Licence of this detector", icon=":material/gavel:"):
            st.text(licence)


def add(upload: Any) -> None:
    try:
        with st.spinner("Checking the detector…"):
            entry = add_uploaded(upload.name, upload)
        if entry.error is not None:
            raise DetectorError(str(entry.error))
    except UserError as error:
        resources.show_error(error)
        return
    st.session_state[resources.NEXT_CHOICE] = entry.name
    st.session_state["detector_round"] = st.session_state.get("detector_round", 0) + 1
    st.toast(f"{escape(entry.name)} is added and in use.", icon=":material/check:")
    st.rerun()


def remove(entry: DetectorEntry) -> str:
    """Delete it, and have the sidebar choose another one; its name."""
    remove_detector(entry)
    st.session_state[resources.NEXT_CHOICE] = next((one.name for one in resources.detectors()), None)
    return entry.name


@st.dialog("Remove this detector?", icon=":material/delete:")
def confirm_remove(entry: DetectorEntry) -> None:
    st.write(
        f"{escape(entry.name)} is deleted from this machine. What it has said stays in the history, and so does a "
        "training run that it came from."
    )
    actions.decide("Remove", partial(actions.act, done="{} is removed."), remove, entry, key="detector_remove")


def uploader() -> None:
    with st.container(border=True):
        st.subheader("Add a detector", anchor=False)
        st.caption(
            "A Keras file (.keras or .h5) of an Xception that ends in real or fake, such as model.h5 of the classic "
            "script. It is checked before it is used; code inside such a file is never run."
        )
        upload = st.file_uploader(
            "Detector file",
            type=TYPES,
            key=f"detector_upload_{st.session_state.get('detector_round', 0)}",
            label_visibility="collapsed",
        )
        if upload is not None:
            add(upload)


routing.require_router()
st.title("Detector", anchor=False)
actions.say()
entry = resources.chosen()
if entry is None:
    st.caption("There is no detector yet: add one here.")
    uploader()
    st.stop()

with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
    st.caption(f"In use: {escape(entry.name)}")
    if is_own(entry) and st.button("Remove", icon=":material/delete:", key="detector_remove"):
        confirm_remove(entry)
if entry.error is not None:
    resources.show_error(DetectorError(str(entry.error)))
left, right = st.columns([3, 2], gap="medium")
with left:
    if entry.spec is not None:
        show_spec(entry.spec)
with right:
    uploader()
show_card(entry)
if entry.spec is not None:
    show_metrics(entry.spec)
