"""Which of a folder's media are judged: a split, at most so many a source, and the columns they are grouped by."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from core.data.dataset import Sample, file_keys, find_labelled, names_splits
from core.data.folders import few
from core.errors import DataError

SplitChoice = Literal["auto", "test", "val", "train", "all"]
KNOWN = {"path", "label", "source", "split", "time_s"}
VALUES = range(2, 41)
LEAST_ROWS = 10
"""Of a column's value: fewer give no figures worth a line."""
GROUP = "group"
Columns = dict[str, dict[Path, str]]


@dataclass(frozen=True)
class Selection:
    """What is judged.

    Attributes:
        samples: Pictures and videos.
        train: The same sources' training pictures, for what has to be fitted; empty where there are none.
        split: `test`, `val`, `train` or `all`.
        columns: Value by path, for each further column of a manifest that sorts the samples into a few groups.
        notes: What its user should know of the choice, in sentences.
    """

    samples: tuple[Sample, ...]
    train: tuple[Sample, ...]
    split: str
    columns: Columns
    notes: tuple[str, ...] = ()

    def value_of(self, column: str) -> Callable[[Sample], str | None]:
        return lambda sample: self.columns[column].get(sample.path)


def select(
    folders: Sequence[Path | str], *, split: SplitChoice = "auto", limit: int | None = None, seed: int = 0
) -> Selection:
    """Look a labelled folder or manifest through.

    Args:
        folders: As for `find_samples`: class folders, or a manifest.csv.
        split: `auto` takes test where folders or manifest name splits, else all there is. Any other of data without
            splits is the one that training draws, and `notes` says so.
        limit: At most so many a source, half of them real, drawn by `seed`; of training pictures, which the baseline is
            fitted on, there are as many as ever.
        seed: Of that choice.

    Raises:
        DataError: Nothing labelled is there, or not in this split.
    """
    if split not in get_args(SplitChoice):
        raise ValueError(f"split must be one of {', '.join(get_args(SplitChoice))}, got {split!r}")
    check_limit(limit)
    samples, named = find_labelled(folders)
    wanted = ("test" if named else "all") if split == "auto" else split
    chosen = [sample for sample in samples if wanted in ("all", sample.split)]
    if not chosen:
        there = ", ".join(f"{count} {name}" for name, count in Counter(s.split for s in samples).items())
        raise DataError(f"There are no {wanted} pictures in this folder (there are {there}): choose another split.")
    sources = {sample.source for sample in chosen}
    train = [s for s in samples if wanted in ("test", "val") and s.split == "train" and s.source in sources]
    notes = _drawn(folders, wanted, named)
    judged = limited(chosen, limit, seed)
    columns, left_out = _columns(folders, judged)
    if left_out:
        notes.append(
            f"No figures by {few(left_out) or 'further columns'}: a column needs {VALUES[0]} to {VALUES[-1]} values, "
            f"each on at least {LEAST_ROWS} of the media that are judged."
        )
    return Selection(tuple(judged), tuple(train), wanted, columns, tuple(notes))


def _drawn(folders: Sequence[Path | str], wanted: str, named: bool) -> list[str]:
    """Which data name no splits, so that the one that is judged was drawn of them."""
    if wanted == "all":
        return []
    if not named:
        return [f"These data name no splits: {wanted} is what training draws of them."]
    without = [str(folder) for folder in folders if len(folders) > 1 and not names_splits(folder)]
    return [f"{folder} names no splits: {wanted} is what training draws of it." for folder in without]


def check_limit(limit: int | None, name: str = "limit") -> None:
    """Raises DataError where it cannot hold one of each class."""
    if limit is not None and limit < 2:
        raise DataError(f"The {name} must be at least 2, one real and one fake a source, and is {limit}.")


def limited(samples: Sequence[Sample], limit: int | None, seed: int = 0) -> list[Sample]:
    """At most `limit` of each source, as many reals as fakes where there are enough, in the order given."""
    if limit is None:
        return list(samples)
    members: dict[str, dict[bool, list[int]]] = defaultdict(lambda: {True: [], False: []})
    for index, sample in enumerate(samples):
        members[sample.source][sample.fake].append(index)
    kept: set[int] = set()
    for source in sorted(members):
        rng = random.Random(f"{seed}{source}")
        fakes, reals = members[source][True], members[source][False]
        share = min(len(fakes), max(limit // 2, limit - len(reals)))
        kept |= {*rng.sample(fakes, share), *rng.sample(reals, min(len(reals), limit - share))}
    return [samples[index] for index in sorted(kept)]


def _columns(folders: Sequence[Path | str], samples: Sequence[Sample]) -> tuple[Columns, list[str]]:
    """Columns of the manifests, and the group itself, without the values that have too few rows.

    Returns:
        Those with enough values, and the names of the others; not that of the group, which mostly tells videos apart
        and is not meant for figures.
    """
    found: Columns = defaultdict(dict)
    key_of = file_keys()
    wanted = {key_of(sample.path): sample.path for sample in samples}
    for manifest in filter(None, map(_manifest, map(Path, folders))):
        for path, cells in _rows(manifest):
            if sample_path := wanted.get(key_of(path)):
                for name, value in cells.items():
                    found[name][sample_path] = value
    columns = {name: _common(values) for name, values in found.items()}
    kept = {name: values for name, values in columns.items() if len(set(values.values())) in VALUES}
    return kept, [name for name in columns if name not in kept and name != GROUP]


def _rows(manifest: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    """The path of each row, and its further cells that are filled."""
    with manifest.open(newline="", encoding="utf-8-sig", errors="replace") as file:
        for row in csv.DictReader(file):
            cells = {name: value.strip() for name, value in row.items() if name and isinstance(value, str)}
            path = manifest.parent / cells.get("path", "").replace("\\", "/")
            yield path, {name: value for name, value in cells.items() if value and name.lower() not in KNOWN}


def _common(values: dict[Path, str]) -> dict[Path, str]:
    counts = Counter(values.values())
    return {path: value for path, value in values.items() if counts[value] >= LEAST_ROWS}


def _manifest(folder: Path) -> Path | None:
    path = folder if folder.is_file() else folder / "manifest.csv"
    return path if path.is_file() else None
