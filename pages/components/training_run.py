"""One run: what it is, what can be done with it, its settings, its note."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import streamlit as st

from core.detector import in_use
from core.detector.artifact import load_spec
from core.errors import DetectorError
from core.training import promotion, queue, runs
from core.training.config import TrainConfig
from core.training.promotion import EXPORT_FOLDER
from core.training.runs import Run
from core.training.status import RunState
from pages.components import resources, training_form, training_live
from pages.components import training_runs as all_runs
from pages.components import training_words as words
from pages.components.actions import act, decide
from pages.components.text import escape, moment

SHARES = {"Real called fake": "real_called_fake", "Fake called real": "fake_called_real", "Uncertain": "uncertain"}
FIGURES = {
    "AUC": st.column_config.NumberColumn(format="%.3f"),
    "95 %": st.column_config.TextColumn(help="Interval in which the AUC lies with a confidence of 95 %"),
    **{label: st.column_config.NumberColumn(format="percent") for label in SHARES},
}


def promote(run: Run) -> str:
    """Make the run's detector the one in use, here and in the sidebar of this tab; its name."""
    name = promotion.promote(run)
    st.session_state[resources.NEXT_CHOICE] = name
    return name


def undo() -> str:
    """Go back to the detector in use before; its name."""
    name = in_use.undo() or "default"
    st.session_state[resources.NEXT_CHOICE] = name
    return name


def is_used(run: Run) -> bool:
    """Whether the detector in use is this run's, told by its weights."""
    name = in_use.in_use()
    entry = next((entry for entry in resources.detectors() if entry.name == name), None)
    try:
        mine = load_spec(run.folder / "model").weights_sha256
    except DetectorError:
        return False
    return bool(entry and entry.spec and entry.spec.weights_sha256 == mine)


def stop(run: Run) -> None:
    runs.request_stop(run.folder)


def resume(run: Run) -> None:
    queue.start(run.folder)


def finish(run: Run) -> None:
    """Make a detector of the best epoch, and train no further."""
    queue.start(run.folder, "finish")


def delete(run: Run) -> None:
    runs.delete_run(run.folder)
    all_runs.choose(None)


@st.dialog("Delete this run?", icon=":material/delete_forever:")
def confirm_delete(run: Run) -> None:
    st.write(
        f"**{escape(run.name)}** is removed from this machine with its curves, checkpoints and detector. "
        "A detector that was put into use from it stays, since that is a copy."
    )
    decide("Delete", partial(act, done="The run is deleted."), delete, run, key="delete")


def _button(label: str, icon: str, action: Callable[..., Any], run: Run, *, done: str = "", **look: Any) -> None:
    key = "run_" + label.split()[0].lower()
    st.button(label, icon=icon, key=key, on_click=act, args=(action, run), kwargs={"done": done}, **look)


def _ended_actions(run: Run) -> None:
    if run.has_model:
        if is_used(run):
            st.badge("In use", icon=":material/check:", color="blue")
            st.button(
                "Undo",
                icon=":material/undo:",
                key="run_undo",
                on_click=act,
                args=(undo,),
                kwargs={"done": "{} is in use again."},
            )
        else:
            _button("Use this detector", ":material/verified:", promote, run, done="{} is in use.", type="primary")
    else:
        _button("Resume" if run.has_checkpoint else "Start again", ":material/play_arrow:", resume, run, type="primary")
        if run.has_checkpoint:
            _button("Make a detector of the best epoch", ":material/build:", finish, run)


def actions(run: Run) -> None:
    """What can be done with a run in its state, the likeliest first."""
    with st.container(horizontal=True, vertical_alignment="center"):
        if run.state is RunState.RUNNING:
            _button("Stop", ":material/stop_circle:", stop, run)
        elif run.state is RunState.QUEUED:
            _button("Take out of the queue", ":material/stop_circle:", stop, run)
        elif run.state is not RunState.STOPPING:
            _ended_actions(run)
        if run.has_model:
            st.download_button(
                "Download",
                lambda: promotion.archive_model(run),
                f"{promotion.file_name(run)}.zip",
                "application/zip",
                key="run_download",
                icon=":material/download:",
                on_click="ignore",
            )
        if run.config and not all_runs.is_live(run):
            st.button(
                "New run with these settings",
                icon=":material/content_copy:",
                key="run_again",
                on_click=training_form.begin_with,
                args=(run.config,),
            )
        if not all_runs.is_live(run) and st.button("Delete", icon=":material/delete:", key="run_delete"):
            confirm_delete(run)
    exports = run.folder / "model" / EXPORT_FOLDER
    if run.has_model and exports.is_dir():
        st.caption(f"Its other formats lie in {escape(str(exports))}")


def header(run: Run) -> None:
    """Name, state and what the state means."""
    look = words.look(run.state)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.subheader(escape(run.name), anchor=False, width="content")
        st.badge(look.word, icon=look.icon, color=look.colour)
    facts = [escape(", ".join(run.data))] if run.config else []
    facts.append(moment(run.created))
    meaning = look.meaning
    if run.state is RunState.FAILED and not run.has_checkpoint:
        meaning = "It ended by itself, before anything was saved."
    ended_quietly = run.message and run.state in (RunState.STOPPED, RunState.LOST)
    st.caption(" · ".join([*facts, escape(run.message) if ended_quietly else meaning]))


def reason(run: Run) -> None:
    """Why a run failed, in its own words; what cannot be read of a run that was edited by hand."""
    if run.state is RunState.FAILED:
        st.error(
            escape(run.message or "It did not say why; the log may."), title="This run failed", icon=":material/error:"
        )
    elif run.config is None:
        st.warning(escape(run.message), title="This run was damaged", icon=":material/warning:")


def measured(run: Run) -> None:
    """What the detector of a finished run did on pictures that it had never seen."""
    try:
        metrics = load_spec(run.folder / "model").metrics if run.has_model else {}
    except DetectorError:
        return
    split = next((name for name in ("test", "val") if isinstance(metrics.get(name), dict)), None)
    if split is None:
        return
    with st.container(border=True):
        st.markdown(f"**Measured on {'test' if split == 'test' else 'validation'} pictures**")
        st.dataframe(
            figures(metrics[split]), hide_index=True, column_config=FIGURES, alt="Figures of the finished detector"
        )


def figures(by_source: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each source with the figures that say most."""
    rows = []
    several = len(by_source) > 2  # of a single source, "all" says the same again
    for source, found in sorted(by_source.items(), key=lambda pair: pair[0] == "all"):
        if isinstance(found, Mapping) and (several or source != "all" or len(by_source) == 1):
            low, high = found.get("auc_95") or (None, None)
            interval = f"{low:.3f} – {high:.3f}" if isinstance(low, float) and isinstance(high, float) else "–"
            shares = {label: found.get(key) for label, key in SHARES.items()}
            pictures = sum(found.get(key) or 0 for key in ("real", "fake"))
            rows.append(
                {
                    "Source": "all together" if source == "all" else source,
                    "Pictures": pictures,
                    "AUC": found.get("auc"),
                    "95 %": interval,
                    **shares,
                }
            )
    return rows


def note(run: Run) -> None:
    """A line that its user keeps with the run."""
    key = f"training_note_{run.id}"
    st.session_state.setdefault(key, run.note)
    st.text_input(
        "Note",
        key=key,
        placeholder="What this run was for, or what it taught you",
        on_change=lambda: act(runs.set_note, run.folder, st.session_state[key], done="The note is kept."),
    )


def settings(run: Run) -> None:
    """All settings, those first that are not the usual ones."""
    if run.config is None:
        return
    usual, mine = asdict(TrainConfig()), asdict(run.config)
    rows = [
        {"Setting": words.setting_label(name), "Value": words.value(value), "Usually": words.value(usual[name])}
        for name, value in mine.items()
    ]
    changed = [row for row in rows if row["Value"] != row["Usually"]]
    with st.expander("Settings", icon=":material/tune:"):
        st.caption("Those that were changed come first.")
        st.dataframe(
            changed + [row for row in rows if row not in changed], hide_index=True, alt="The settings of this run"
        )


def show(run: Run) -> None:
    """The whole run."""
    header(run)
    actions(run)
    reason(run)
    measured(run)
    training_live.panels(run)
    note(run)
    settings(run)
