"""What a training folder holds: pictures and videos with class, source, split and group."""

import os
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import NamedTuple

from core.data.facts import Progress, look_at_all
from core.data.folders import Found, few, read_folder, read_manifest
from core.data.roots import check_allowed, data_roots
from core.data.sample import REAL, SPLITS, Sample
from core.data.splits import by_film, divide
from core.errors import DataError

__all__ = [
    "REAL",
    "SPLITS",
    "Labelled",
    "Sample",
    "classes_of",
    "find_labelled",
    "find_samples",
    "index_data",
    "subset",
]

CHECKED_SPLITS = ("train", "val")
SELF_BLEND_ADVICE = "add others in a folder beside it, or let fakes be made from the real ones (--self-blend 1)"


class Labelled(NamedTuple):
    """What was found, and whether any of it came with a split; otherwise all splits were drawn here."""

    samples: list[Sample]
    names_splits: bool


def index_data(
    folders: Iterable[Path | str],
    *,
    blended: bool = False,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Sample]:
    """All samples below the folders, in a stable order, fit to train on.

    A `manifest.csv` (path, label, and optionally split, source and group) rules where there is one; otherwise class
    folders are looked for: `Real` (any case) and whatever stands beside it, such as `Fake`, or `FaceSwap` and `GAN`.
    Folders named train, val or test above or below them are respected; where no split is named it is drawn by group
    (80, 10 and 10 %), and for that all pictures are looked at once. A folder below a class that holds the frames of
    one video is one group, whether or not splits are named.

    Args:
        folders: Data folders or manifests.
        blended: Allow a folder that holds only real ones: the fakes are made from them.
        on_progress: Called with pictures looked at and in all; only where splits are drawn.
        should_stop: Asked before each of these.

    Raises:
        DataError: A folder is missing or may not be read, nothing was found, or train or val lacks a class.
        Cancelled: `should_stop` said so.
    """
    samples = find_samples(folders, on_progress=on_progress, should_stop=should_stop)
    _check_there(samples)
    check_classes(samples, blended)
    return samples


def find_samples(
    folders: Iterable[Path | str],
    *,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> list[Sample]:
    """As `index_data`, but whatever classes there are.

    Raises:
        DataError: A folder is missing or may not be read, nothing was found, or nothing says what is real.
        Cancelled: `should_stop` said so.
    """
    return find_labelled(folders, on_progress=on_progress, should_stop=should_stop).samples


def find_labelled(
    folders: Iterable[Path | str],
    *,
    on_progress: Progress | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Labelled:
    """As `find_samples`, and whether the data name splits themselves."""
    places: dict[Path, Path] = {}
    for path in map(existing, folders):
        places.setdefault(path.resolve(), path)
    found, names_splits = _all_in(list(places.values()))
    if data_roots():
        for one in found:  # a link or a line of a manifest may lead anywhere
            check_allowed(one.sample.path)
    if not found:
        raise DataError(_nothing_found(list(places.values())))
    _check_labels(found)
    samples = [one.sample for one in found]
    if not all(sample.split for sample in samples):
        samples = divide(found, look_at_all([sample.path for sample in samples], on_progress, should_stop))
    return Labelled(by_film(samples, found, lambda paths: look_at_all(paths, None, should_stop)), names_splits)


def names_splits(folder: Path | str) -> bool:
    """Whether a data folder or manifest says itself what is train, val and test. Raises as `find_samples` does."""
    path = existing(folder)
    return any(one.sample.split for one in _read(path, path.name))


def classes_of(samples: Iterable[Sample]) -> tuple[str, ...]:
    """The classes that occur, "real" first, the others by name."""
    return tuple(sorted({sample.label for sample in samples}, key=lambda label: (label != REAL, label)))


def existing(folder: Path | str) -> Path:
    """A folder or manifest that data were named by. Raises DataError where there is none, or it may not be used."""
    path = check_allowed(folder)
    try:
        if path.exists():
            return path
    except (OSError, ValueError):
        pass
    raise DataError(f"There is no folder {folder}: name one that holds Real/ and Fake/ or a manifest.csv.")


def _all_in(paths: Sequence[Path]) -> tuple[list[Found], bool]:
    """What the folders hold, each file once however its path is spelled, and whether any of it came with a split."""
    found: dict[Path, Found] = {}
    named = False
    key_of = file_keys()
    for path, name in zip(paths, _source_names(paths)):
        read = _read(path, name)
        named |= any(one.sample.split for one in read)
        here: dict[Path, Found] = {}
        for one in _with_val(read):
            _check_same_label(here.setdefault(key_of(one.sample.path), one), one)
        for key, one in here.items():
            found.setdefault(key, one)  # of several folders the one that was named first rules
    return list(found.values()), named


def _check_same_label(first: Found, second: Found) -> None:
    """One list that calls a file both is wrong in one place, and which one cannot be known here."""
    labels = first.sample.label, second.sample.label
    if labels[0] != labels[1]:
        raise DataError(
            f"{first.sample.path} has two labels ({few(labels) or 'neither of them a plain word'}): "
            "keep the right one, and delete the file's other line or copy."
        )


def file_keys() -> Callable[[Path], Path]:
    """A function that gives one key to all spellings of a path; it looks each folder up once, for there are few."""

    @cache
    def real(path: Path) -> Path:
        return Path(os.path.realpath(path))  # Path.resolve raises where links go in circles

    def key_of(path: Path) -> Path:
        plain = real(path.parent) / path.name
        return real(plain) if plain.is_symlink() else plain

    return key_of


def _check_there(samples: Sequence[Sample]) -> None:
    """A manifest that was moved without its files names none that is there."""
    if not any(sample.path.exists() for sample in samples):
        raise DataError(
            f"None of the {len(samples)} files that are named is there, the first: {samples[0].path}. "
            "Paths in a manifest count from its own folder: move it to its files, or mend its paths."
        )


def _check_labels(found: Sequence[Found]) -> None:
    """Without a real one among them, 0 and 1 or "authentic" and "generated" would all count as fakes."""
    labels = {one.sample.label for one in found}
    if REAL not in labels and labels != {"fake"}:
        said = few(sorted(labels))
        raise DataError(
            f"Nothing is labelled real{f' (the labels are {said})' if said else ''}: call real media "
            '"real", and the others "fake" or by their kind.'
        )


def _read(path: Path, name: str) -> list[Found]:
    manifest = path if path.is_file() else path / "manifest.csv"
    return read_manifest(manifest, name) if manifest.is_file() else read_folder(path, name)


def _source_names(paths: Sequence[Path]) -> list[str]:
    """The folders' names, with the one above where two are alike."""
    folders = [path.parent if path.is_file() else path for path in map(Path.absolute, paths)]
    names = [folder.name for folder in folders]
    return [
        f"{folder.parent.name}/{name}" if names.count(name) > 1 else name or "data"
        for folder, name in zip(folders, names)
    ]


def _with_val(found: list[Found]) -> list[Found]:
    """Training data without any to validate on are opened for drawing: train and test alone are a usual pair."""
    splits = {one.sample.split for one in found}
    if "train" not in splits or splits & {"val", ""}:
        return found
    return [one._replace(sample=replace(one.sample, split="")) if one.sample.split == "train" else one for one in found]


def _nothing_found(paths: Sequence[Path]) -> str:
    places = " or ".join(str(path) for path in paths) or "no folder at all"
    if any(path.name.lower() in (REAL, "fake") for path in paths):
        return f"{places} is a class itself: name the folder above it, which holds Real and the others."
    return (
        f"No pictures were found in class folders below {places}: put real pictures or videos into a folder named Real "
        "and the others beside it into Fake, or name a manifest.csv."
    )


def check_classes(samples: Sequence[Sample], blended: bool) -> None:
    """Whether a detector can be trained on these.

    Args:
        samples: What was found, with its splits.
        blended: Whether fakes are made from the real pictures, so that none are needed.

    Raises:
        DataError: A class is missing, altogether or in a split.
    """
    found = {sample.fake for sample in samples}
    if found == {True}:
        raise DataError("There are no real pictures: a detector needs both, so put real ones into a folder named Real.")
    if found == {False} and not blended:
        raise DataError(f"There are only real pictures: {SELF_BLEND_ADVICE}.")
    for split in CHECKED_SPLITS:
        for fake in sorted(found):
            if not any(sample.split == split and sample.fake == fake for sample in samples):
                _refuse(samples, split, "fake" if fake else "real")


def _refuse(samples: Sequence[Sample], split: str, kind: str) -> None:
    groups = {sample.group for sample in samples if sample.fake == (kind == "fake")}
    different = f"there are {len(groups)} different ones in all" if len(groups) > 1 else "there is only one in all"
    raise DataError(
        f"The {split} split has no {kind} pictures ({different}; copies and frames of one video count once): "
        "a detector needs both classes there, so add more."
    )


def subset(samples: Sequence[Sample], split: str, most: int) -> list[Sample]:
    """At most `most` samples of each source and class, the same ones each time."""
    drawn: list[Sample] = []
    for key in sorted({(s.source, s.label) for s in samples if s.split == split}):
        members = [s for s in samples if s.split == split and (s.source, s.label) == key]
        drawn += random.Random(0).sample(members, min(most, len(members)))
    return drawn
