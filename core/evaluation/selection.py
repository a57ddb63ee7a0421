"""Which of a folder's media are judged: a split, at most so many a source, and the columns they are grouped by."""

from __future__ import annotations

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from core.data.dataset import SPLITS, Sample, find_samples
from core.errors import DataError

SplitChoice = Literal["auto", "test", "val", "train", "all"]
KNOWN = {"path", "label", "source", "split", "time_s"}
VALUES = range(2, 41)
LEAST_ROWS = 10
"""Of a column's value: fewer give no figures worth a line."""


@dataclass(frozen=True)
class Selection:
    """What is judged.

    Attributes:
        samples: Pictures and videos.
        train: The same sources' training pictures, for what has to be fitted; empty where there are none.
        split: `test`, `val`, `train` or `all`.
        columns: Value by path, for each further column of a manifest that sorts the samples into a few groups.
    """

    samples: tuple[Sample, ...]
    train: tuple[Sample, ...]
    split: str
    columns: dict[str, dict[Path, str]]

    def value_of(self, column: str) -> Callable[[Sample], str | None]:
        return lambda sample: self.columns[column].get(sample.path)


def select(
    folders: Sequence[Path | str], *, split: SplitChoice = "auto", limit: int | None = None, seed: int = 0
) -> Selection:
    """Look a labelled folder or manifest through.

    Args:
        folders: As for `find_samples`: class folders, or a manifest.csv.
        split: `auto` takes test where folders or manifest name splits, else all there is.
        limit: At most so many a source, half of them real, drawn by `seed`; the training pictures likewise.
        seed: Of that choice.

    Raises:
        DataError: Nothing labelled is there, or not in this split.
    """
    if split not in get_args(SplitChoice):
        raise ValueError(f"split must be one of {', '.join(get_args(SplitChoice))}, got {split!r}")
    if limit is not None and limit < 2:
        raise DataError(f"The limit must be at least 2, one real and one fake a source, and is {limit}.")
    samples = find_samples(folders)
    named = _names_splits(folders, samples)
    wanted = ("test" if named else "all") if split == "auto" else split
    chosen = [sample for sample in samples if wanted in ("all", sample.split)]
    if not chosen:
        there = ", ".join(f"{count} {name}" for name, count in Counter(s.split for s in samples).items())
        raise DataError(f"There are no {wanted} pictures in this folder (there are {there}): choose another split.")
    sources = {sample.source for sample in chosen}
    train = [s for s in samples if named and wanted in ("test", "val") and s.split == "train" and s.source in sources]
    columns = _columns(folders, chosen)
    return Selection(tuple(limited(chosen, limit, seed)), tuple(train), wanted, columns)


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


def _names_splits(folders: Sequence[Path | str], samples: Sequence[Sample]) -> bool:
    """Whether splits were given and not drawn by ourselves."""
    if any(_manifest(Path(folder)) for folder in folders):
        return len({sample.split for sample in samples}) > 1
    roots = [Path(folder) for folder in folders]
    for sample in samples:
        root = next((root for root in roots if sample.path.is_relative_to(root)), None)
        above = sample.path.relative_to(root).parts[:-1] if root else ()
        if any(part.lower() in SPLITS for part in above):
            return True
    return False


def _columns(folders: Sequence[Path | str], samples: Sequence[Sample]) -> dict[str, dict[Path, str]]:
    """Columns of the manifests, and the group itself, where they hold a few values with enough rows each."""
    found: dict[str, dict[Path, str]] = defaultdict(dict)
    wanted = {sample.path for sample in samples}
    for manifest in filter(None, map(_manifest, map(Path, folders))):
        with manifest.open(newline="", encoding="utf-8-sig", errors="replace") as file:
            for row in csv.DictReader(file):
                path = manifest.parent / (row.get("path") or "")
                if path in wanted:
                    for name, value in row.items():
                        if name and name.lower() not in KNOWN and isinstance(value, str) and value.strip():
                            found[name][path] = value.strip()
    return {name: values for name, values in found.items() if _groups_well(values)}


def _groups_well(values: dict[Path, str]) -> bool:
    counts = Counter(values.values())
    return len(counts) in VALUES and min(counts.values()) >= LEAST_ROWS


def _manifest(folder: Path) -> Path | None:
    path = folder if folder.is_file() else folder / "manifest.csv"
    return path if path.is_file() else None
