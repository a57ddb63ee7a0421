"""What is in the training data and what is wrong with them; looked at in the background, and remembered."""

import os
from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from core import training_charts
from core.data.sample import REAL, SPLITS
from core.data.survey import DataWarning, Survey, survey
from core.jobs import JobContext
from pages.components import resources, training_jobs
from pages.components.text import escape, megabytes

MOST_PATHS = 200
TITLES = {
    "one_class": "One class only",
    "class_duplicates": "The same picture in two classes",
    "split_copies": "The same picture on two sides",
    "unreadable": "Files that cannot be used",
    "few": "Few pictures",
    "size": "The classes differ in size",
    "format": "The classes differ in format",
    "compression": "The classes differ in compression",
    "imbalance": "Uneven classes",
}


def key_of(chosen: Sequence[str]) -> str:
    return "survey:" + os.pathsep.join(chosen)


def of(chosen: Sequence[str]) -> Survey | None:
    """What is in the data. None while they are being looked at or where they cannot be used: the page says which."""
    folders = tuple(chosen)

    def work(context: JobContext) -> Survey:
        return survey(folders, on_progress=context.report, should_stop=lambda: context.cancelled)

    job = training_jobs.submit(key_of(chosen), work)
    if not job.ended:
        training_jobs.wait(job, "Looking at the data")
        return None
    if job.state == "failed":
        st.error(escape(job.error or ""), title=job.error_title, icon=":material/error:")
        again("Look again", key_of(chosen))
    return job.result


def usable(chosen: Sequence[str], found: Survey | None) -> bool:
    """Whether nothing is known that speaks against a start; it need not wait until all has been looked at."""
    job = training_jobs.known(key_of(chosen))
    return bool(chosen) and (job is None or job.state != "failed") and (found is None or REAL in found.classes)


def again(label: str, key: str) -> None:
    """A button that has the data looked at anew, as when files were added."""
    st.button(label, icon=":material/refresh:", key="training_again", on_click=training_jobs.forget, args=(key,))


def by_split(found: Survey) -> dict[str, dict[str, int]]:
    """Split -> class -> how many pictures and videos, over all sources; train, val, test."""
    table: dict[str, dict[str, int]] = {}
    for (_, split, label), number in found.counts.items():
        row = table.setdefault(split, {})
        row[label] = row.get(label, 0) + number
    return {split: table[split] for split in (*SPLITS, *table) if split in table}


def details(found: Survey) -> list[dict[str, Any]]:
    """A row for each class of each split of each source."""
    return [
        {
            "Source": one.source,
            "Split": one.split,
            "Class": one.label,
            "Pictures": one.pictures,
            "Videos": one.videos,
            "Side": f"{one.side_px} px" if one.side_px else "–",
            "Formats": _formats(one.formats),
        }
        for one in found.facts
    ]


def _formats(formats: Mapping[str, int]) -> str:
    total = sum(formats.values()) or 1
    return ", ".join(f"{name} {number / total:.0%}" for name, number in formats.items())


def _facts(found: Survey) -> str:
    parts = [f"**{found.pictures:,}** pictures"] if found.pictures else []
    parts += [f"**{found.videos:,}** videos"] if found.videos else []
    sources = len({one.source for one in found.facts})
    parts += [f"{sources} sources"] if sources > 1 else []
    return " · ".join([*parts, megabytes(found.size_bytes), _formats(found.formats)])


def _warning(kind: str, found: Sequence[DataWarning]) -> None:
    """All warnings of one kind: a title, a sentence each, and the files that they are about."""
    sentences = "  \n".join(escape(warning.sentence) for warning in found)
    paths = [str(path) for warning in found for path in warning.paths]
    left, right = st.columns([5, 1])
    left.markdown(f":orange[:material/warning:] **{TITLES.get(kind, 'To know')}.** {sentences}")
    if paths:
        with right.popover("Files", width="stretch"):
            st.code("\n".join(paths[:MOST_PATHS]), language=None, height=240)
            if len(paths) > MOST_PATHS:
                st.caption(f"The first {MOST_PATHS} of {len(paths):,}.")


def _warnings(found: Sequence[DataWarning]) -> None:
    kinds = list(dict.fromkeys(warning.kind for warning in found))
    for kind in kinds:
        _warning(kind, [warning for warning in found if warning.kind == kind])


def only_real(found: Survey) -> bool:
    return found.classes == (REAL,)


def show(found: Survey, key: str) -> None:
    """Counts, the table behind them, and what to know before training."""
    st.markdown(_facts(found))
    counts = by_split(found)
    st.plotly_chart(
        training_charts.holdings(counts, dark=resources.dark()),
        key="training_holdings",
        config={"displayModeBar": False},
        alt="; ".join(
            f"{split}: " + ", ".join(f"{number} {label}" for label, number in row.items())
            for split, row in counts.items()
        ),
    )
    _warnings([warning for warning in found.warnings if not (warning.kind == "one_class" and only_real(found))])
    with st.expander("By source and class", icon=":material/table_rows:"):
        st.dataframe(details(found), hide_index=True, alt="Pictures by source, split and class")
        again("Look at the files again", key)
