"""The runs of this machine: which one the URL holds, the table of all, and several over each other."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import streamlit as st

from core import training_charts
from core.errors import TrainingError
from core.training import queue, records, runs
from core.training.runs import Run
from core.training.status import RunState
from pages.components import resources
from pages.components import training_words as words
from pages.components.text import escape, moment

POLL_S = 3.0
MEASURES = {"AUC": "val_auc", "Validation loss": "val_loss", "Training loss": "loss"}
COMPARED = "training_compared"
"""Session state: ids of the runs that are ticked."""
SHOWN = "training_shown"
"""Session state: ids of the table's rows, from the top, as the browser has them."""
OPEN = "training_open"
LEAVE = "training_leave"
"""Session state: a run was opened from the table, which only the whole page can show."""
NEW = "new"
"""In the URL instead of a run's id: the form for another one."""


def chosen() -> str | None:
    """What the URL holds: a run's id, `NEW`, or nothing."""
    return st.query_params.get("run")


def choose(run_id: str | None) -> None:
    """Let the URL hold a run, `NEW`, or nothing."""
    if run_id is None:
        st.query_params.pop("run", None)
    else:
        st.query_params["run"] = run_id


def is_live(run: Run) -> bool:
    """Whether something is going to happen to it by itself: it runs, or waits for its turn."""
    return run.live or run.state is RunState.QUEUED


def find(run_id: str) -> Run | None:
    """The run with this id, None where there is none (an id comes from the URL: it is looked up, never opened)."""
    return next((run for run in runs.list_runs() if run.id == run_id), None)


@st.cache_data(max_entries=64, show_spinner=False)
def _lines(path: str, size: int, mtime_ns: int) -> list[dict[str, Any]]:
    return records.read_lines(Path(path))[0]


def lines(run: Run, name: str) -> list[dict[str, Any]]:
    """The complete lines of a JSONL file of a run, none while it is not there; read again only when it has changed."""
    path = run.folder / name
    try:
        stat = path.stat()
        return _lines(str(path), stat.st_size, stat.st_mtime_ns)
    except OSError:
        return []


def epochs(run: Run) -> str:
    """How many epochs have ended, "6 of 16"."""
    return f"{run.epochs_done} of {run.config.all_epochs}" if run.config else str(run.epochs_done)


def _row(run: Run) -> dict[str, Any]:
    return {
        "open": ":material/open_in_full: Open",
        "Name": run.name,
        "State": [words.look(run.state).word],
        "Best val AUC": run.best_auc,
        "Curve": training_charts.points(lines(run, "metrics.jsonl"), "epoch", "val_auc")[1],
        "Data": ", ".join(run.data),
        "Epochs": epochs(run),
        "Time": words.span(None if run.minutes is None else 60 * run.minutes),
        "Started": moment(run.created),
        "Note": run.note,
    }


def _columns() -> dict[str, Any]:
    column = st.column_config
    looks = list(words.LOOKS.values())
    return {
        "open": column.ButtonColumn("", type="tertiary", on_click=_note_open, key=OPEN, width=95),
        "State": column.MultiselectColumn(options=[look.word for look in looks], color=[look.colour for look in looks]),
        "Best val AUC": column.NumberColumn(
            format="%.3f", help="On validation data: 0.5 is chance, 1 tells every real from every fake."
        ),
        "Curve": column.LineChartColumn("AUC by epoch", y_min=0.5, y_max=1.0),
    }


def _note_open() -> None:
    choose(st.session_state[SHOWN][st.session_state[OPEN].row])
    st.session_state[LEAVE] = True


def _note_ticks(key: str) -> None:
    shown = st.session_state[SHOWN]
    st.session_state[COMPARED] = [shown[row] for row in st.session_state[key].selection.rows if row < len(shown)]


def _table(found: Sequence[Run]) -> None:
    ids = [run.id for run in found]
    st.session_state[SHOWN] = ids
    ticked = st.session_state.get(COMPARED, [])
    # Ticks are kept by row: another list of runs is another table, which starts with the ticks of those still there.
    key = "training_table_" + hashlib.sha256("|".join(ids).encode()).hexdigest()[:12]
    st.dataframe(
        [_row(run) for run in found],
        hide_index=True,
        placeholder="–",
        column_config=_columns(),
        key=key,
        on_select=lambda: _note_ticks(key),
        selection_mode="multi-row",
        selection_default={"selection": {"rows": [ids.index(run_id) for run_id in ticked if run_id in ids]}},
        alt="The training runs of this machine, the newest first",
    )


def differences(configs: Mapping[str, Mapping[str, Any]]) -> list[dict[str, str]]:
    """A row for each setting that is not the same in all runs: its name, and its value in each."""
    names = dict.fromkeys(name for config in configs.values() for name in config if name != "name")
    rows = []
    for name in names:
        values = {run: config.get(name) for run, config in configs.items()}
        if len({json.dumps(value, default=str) for value in values.values()}) > 1:
            shown = {run: words.value(value) for run, value in values.items()}
            rows.append({"Setting": words.setting_label(name), **shown})
    return rows


def _unique(found: Sequence[Run]) -> dict[str, Run]:
    """Runs by their name, with the id beside it where two are called the same."""
    names = [run.name for run in found]
    return {
        name if names.count(name) == 1 else f"{name} ({run.id})": run for name, run in zip(names, found, strict=True)
    }


def _compare(found: Sequence[Run]) -> None:
    ticked = _unique([run for run in found if run.id in st.session_state.get(COMPARED, [])])
    if not ticked:
        st.caption("Tick runs to lay their curves over each other and to see where their settings differ.")
        return
    with st.container(border=True):
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown("**Compared**", width="content")
            with st.container(horizontal=True, width="content"):
                measure = _control("Measure", list(MEASURES), "training_overlay_measure")
                by = _control("Over", ["Epochs", "Minutes"], "training_over")
        st.plotly_chart(
            training_charts.overlay(
                {name: lines(run, "metrics.jsonl") for name, run in ticked.items()},
                MEASURES[measure],
                by_minutes=by == "Minutes",
                dark=resources.dark(),
            ),
            key="training_overlay",
            config={"displayModeBar": False},
            alt=f"{measure} of {', '.join(ticked)} over {by.lower()}",
        )
        if len(ticked) > 1:
            _show_differences({name: asdict(run.config) for name, run in ticked.items() if run.config})


def _control(label: str, options: list[str], key: str) -> str:
    chosen = st.segmented_control(
        label, options, default=options[0], required=True, key=key, label_visibility="collapsed"
    )
    return chosen or options[0]


def _show_differences(configs: Mapping[str, Mapping[str, Any]]) -> None:
    rows = differences(configs)
    if not rows:
        st.caption("Their settings are the same.")
        return
    st.markdown("**Where their settings differ**")
    st.dataframe(rows, hide_index=True, alt="Settings that differ between the ticked runs")


def overview() -> None:
    """The table, kept up to date while a run goes on, and what is ticked over each other."""
    root = runs.runs_folder()
    live = any(is_live(run) for run in runs.list_runs(root))

    @st.fragment(run_every=POLL_S if live else None)
    def poll() -> None:
        with suppress(TrainingError):  # somebody else is at it; the next look tries again
            queue.tend(root)
        found = runs.list_runs(root)
        # Not by the URL: a timer's rerun brings the one that the browser had when the timer went off.
        if st.session_state.pop(LEAVE, False) or live != any(is_live(run) for run in found):
            st.rerun()
        _table(found)
        _compare(found)

    poll()


def missing(run_id: str) -> None:
    """For a run that is not there any more."""
    st.warning(
        f"There is no run called {escape(run_id)} on this machine: it was deleted, or lies in another folder of runs.",
        title="This run is not here",
        icon=":material/search_off:",
    )
