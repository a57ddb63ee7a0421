"""What a run does right now and what it has reached: figures, curves, mistakes, log. Each part draws itself anew."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import streamlit as st

from core import training_charts
from core.errors import MediaError, TrainingError
from core.media import load_image
from core.training import queue, records, runs
from core.training.runs import Run
from core.training.status import RunState
from pages.components import layout, pictures, resources
from pages.components import training_runs as all_runs
from pages.components import training_words as words
from pages.components.text import count, escape
from pages.components.verdict import percent

FIGURES_S, CURVES_S = 2.0, 4.0
LOG_LINES = 40
MISTAKES = 8
NO_BAR = {"displayModeBar": False}


def poll(run: Run, every_s: float, draw: Callable[[Run], None]) -> None:
    """Draw a part of a run now, and again every so often while it lives; the page runs anew when its state changes."""

    @st.fragment(run_every=every_s if all_runs.is_live(run) else None)
    def part() -> None:
        try:
            now = runs.read_run(run.folder)
        except TrainingError:  # deleted while it was watched
            st.rerun()
        if now.state != run.state:
            st.rerun()
        draw(now)

    part()


def number(run: Run, key: str) -> float | None:
    return training_charts.number(run.status, key)


def progress(run: Run) -> tuple[float, str]:
    """How far, 0..1, and the line that says so."""
    phase = str(run.status.get("phase") or "")
    parts = [words.PHASES.get(phase, phase.capitalize() or "Starting")]
    done, total = number(run, "done"), number(run, "total")
    if phase in ("head", "training"):
        done, total = number(run, "step"), number(run, "steps_total")
        total = run.config.steps * run.config.all_epochs if run.config else total  # both phases are one bar
        if run.status.get("epoch") and run.status.get("epochs"):
            parts.append(f"epoch {run.status['epoch']} of {run.status['epochs']}")
    elif done is not None and total:
        parts.append(f"{done:,.0f} of {total:,.0f}")
    parts += [f"{words.span(60 * run.minutes)} so far"] if run.minutes else []
    return (min(1.0, done / total) if done is not None and total else 0.0), " · ".join(parts)


def figures(run: Run) -> None:
    """Progress, and a wall of small figures."""
    if run.state is RunState.QUEUED:
        with suppress(TrainingError):  # somebody else is at it; the next look tries again
            queue.tend(run.folder.parent)
        st.progress(0.0, text="Waiting for the run before it")
        return
    if all_runs.is_live(run):
        share, text = progress(run)
        st.progress(share, text=text)
    wall = _wall(run)
    with st.grid(max(4, len(wall)), min_column_width=125, gap="small"):
        for label, shown in wall.items():
            st.metric(label, shown, border=True)


def _wall(run: Run) -> dict[str, str]:
    """Small figures by name; what is not known (yet) is left out."""
    last = (all_runs.lines(run, "metrics.jsonl") or [{}])[-1]
    loss = number(run, "loss") if run.live else training_charts.number(last, "loss")
    wall = {"Best val AUC": _shown(run.best_auc, ".3f"), "Training loss": _shown(loss, ".3f")}
    if not run.live:
        wall |= {
            "Epochs": all_runs.epochs(run) if run.epochs_done else words.UNKNOWN,
            "Time": words.span(None if run.minutes is None else 60 * run.minutes),
        }
    else:
        wall["Images/s"] = _shown(number(run, "images_per_s"), ".3g")
        wall["Time left"] = words.span(number(run, "eta_s"))
        wall["Processor"] = _shown(number(run, "cpu_percent"), ".0f", " %")
        wall["Memory"] = words.memory(number(run, "memory_bytes"))
        wall |= _gpu(run.status.get("gpu"))
    return {label: shown for label, shown in wall.items() if shown != words.UNKNOWN}


def _shown(value: float | None, digits: str, unit: str = "") -> str:
    return words.UNKNOWN if value is None else f"{value:{digits}}{unit}"


def _gpu(gpus: Any) -> dict[str, str]:
    """A figure for each GPU that the status tells of."""
    wall = {}
    for order, gpu in enumerate(gpus if isinstance(gpus, list) else [], 1):
        if isinstance(gpu, dict) and (load := training_charts.number(gpu, "percent")) is not None:
            memory = words.memory(training_charts.number(gpu, "memory_bytes"))
            wall[f"GPU {order}" if len(gpus) > 1 else "GPU"] = f"{load:.0f} % · {memory}"
    return wall


def curves(run: Run) -> None:
    """Loss, AUC and learning rate."""
    epochs, batches = all_runs.lines(run, "metrics.jsonl"), all_runs.lines(run, "batches.jsonl")
    if not epochs and not batches:
        if all_runs.is_live(run):
            st.caption("The curves begin with the first batches.")
        else:
            st.caption("It ended before the first batch: there are no curves.")
        return
    dark = resources.dark()
    best = "" if run.best_auc is None else f", best {run.best_auc:.3f}"
    with st.grid(3, min_column_width=300):
        for key, title, figure in (
            ("auc", f"Validation AUC{best}", training_charts.auc(epochs, dark=dark)),
            ("loss", "Loss", training_charts.loss(epochs, batches, dark=dark)),
            ("rate", "Learning rate", training_charts.learning_rate(epochs, batches, dark=dark)),
        ):
            with st.container(border=True, height="stretch"):
                st.markdown(f"**{title.split(',')[0]}**")
                st.plotly_chart(
                    figure, key=f"training_{key}", config=NO_BAR, alt=f"{title}, {count(len(epochs), 'epoch')}"
                )


def latest_confusion(epochs: list[dict[str, Any]]) -> tuple[list[list[float]], list[str]] | None:
    """The newest matrix of counts with the names of its classes, None where there is none."""
    for line in reversed(epochs):
        matrix, names = line.get("confusion"), line.get("classes", ["real", "fake"])
        if isinstance(names, list) and len(names) > 1 and _are_counts(matrix, len(names)):
            return matrix, [str(name) for name in names]
    return None


def _are_counts(matrix: Any, size: int) -> bool:
    rows = matrix if isinstance(matrix, list) else []
    whole = [row for row in rows if isinstance(row, list) and len(row) == size]
    numbers = [value for row in whole for value in row if isinstance(value, int | float)]
    return len(rows) == size and len(numbers) == size * size


def in_words(matrix: list[list[float]], classes: list[str]) -> str:
    """What the matrix says, for two classes as for many."""
    wrong = [sum(row) - row[index] for index, row in enumerate(matrix)]
    of = [f"{missed:,.0f} of {sum(row):,.0f} {name}" for missed, row, name in zip(wrong, matrix, classes, strict=True)]
    return "Called wrongly: " + ", ".join(of) + "."


def mistakes_of(run: Run) -> list[dict[str, Any]]:
    """The most wrong validation faces, the worst first; none where the file is not there or is no list of faces."""
    try:
        found = json.loads((run.folder / "mistakes.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return []
    rows = found if isinstance(found, list) else []
    whole = [row for row in rows if isinstance(row, dict) and isinstance(row.get("path"), str)]
    return [row for row in whole if training_charts.number(row, "fake_probability") is not None]


def after_epoch(run: Run) -> None:
    """The confusion matrix and the most wrong faces of the last epoch."""
    table, mistakes = latest_confusion(all_runs.lines(run, "metrics.jsonl")), mistakes_of(run)
    if table is None and not mistakes:
        if all_runs.is_live(run):
            st.caption("After the first epoch the validation faces that it got most wrong appear here.")
        return
    left, right = layout.halves()
    with left.container(border=True, height="stretch"):
        st.markdown("**Confusion matrix** :gray[· last epoch]")
        if table:
            st.caption(in_words(*table))
            figure = training_charts.confusion(*table, dark=resources.dark())
            st.plotly_chart(figure, key="training_confusion", config=NO_BAR, alt="How validation pictures were called")
    with right.container(border=True, height="stretch"):
        st.markdown("**Most wrong** :gray[· validation faces]")
        with st.grid("auto", min_column_width=96, gap="small"):
            for row in mistakes[:MISTAKES]:
                _mistake(row)


@st.cache_data(max_entries=256, show_spinner=False)
def _thumbnail(path: str) -> pictures.Rgb | None:
    try:
        return pictures.fit(load_image(path).rgb, 160)[0]
    except (OSError, MediaError):
        return None


def _mistake(row: Mapping[str, Any]) -> None:
    picture = _thumbnail(str(row["path"]))
    if picture is None:  # the data were moved or removed since
        return
    label, probability = escape(str(row.get("label", ""))), percent(float(row["fake_probability"]))
    with st.container(gap=None):
        st.image(picture, alt=f"A face that is {row.get('label')}, called fake with {probability}", width="stretch")
        st.caption(f"{label.capitalize()}  \nsaid {probability} fake")


def log(run: Run) -> None:
    """The last lines of the log."""
    tail = records.tail_log(run.folder, LOG_LINES)
    if tail:
        st.code("\n".join(tail), language=None, height=260, wrap_lines=True)
    else:
        st.caption("Nothing has been written to the log yet.")


def panels(run: Run) -> None:
    """All of it, in the order in which it is looked at."""
    poll(run, FIGURES_S, figures)
    if run.state is not RunState.QUEUED:
        poll(run, CURVES_S, curves)
        poll(run, CURVES_S, after_epoch)
    with st.expander("Log", icon=":material/terminal:", on_change="rerun", key="training_log") as box:
        if box.open:
            poll(run, CURVES_S, log)
