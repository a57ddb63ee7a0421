"""More pictures for a training set, without those that it has already, in its val and test splits above all.

    python -m benchmarks.more_faces --data MANIFEST --out OUT --without 'eklenen_*' \\
        --add stylegan_ffhq:real:FOLDER --add stylegan_ffhq:gan:FOLDER --quality stylegan_ffhq=75 \\
        --add ciplab:real:FOLDER --add ciplab:blended:FOLDER

Data sets are cut from one another, so the same photograph may lie in both. Pictures are compared as a whole, in the way
of a survey of training data (`core/data/duplicates.py`): near-copies of pictures of the same sources in MANIFEST, or of
other new ones, are left out. That finds other sizes and qualities and mirrored copies, not other crops. OUT gets the
pictures and a manifest.csv: MANIFEST's rows and the new ones, all of train.
The media are licensed for research: they stay outside the repository.
"""

import argparse
import csv
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.dataset import find_samples
from core.data.duplicates import joined, mirrored_hash, near_copies, perceptual_hash, small_copy
from core.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
COLUMNS = ("path", "label", "source", "split", "group")


class Added(NamedTuple):
    """A folder of pictures of one source and class."""

    source: str
    label: str
    folder: Path


class Seen(NamedTuple):
    """What near-copies are told by."""

    hash: int
    mirrored: int
    small: NDArray[np.uint8]


def look(path: Path) -> Seen | None:
    """None where it is no picture."""
    grey = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if grey is None:
        return None
    pixels = np.asarray(grey, np.uint8)
    return Seen(perceptual_hash(pixels), mirrored_hash(pixels), small_copy(pixels))


def new_ones(known: Sequence[Seen], found: Sequence[Seen]) -> list[bool]:
    """Of each found one, whether neither a known one nor one found before it is nearly the same."""
    every = [*known, *found]
    if not every:
        return []
    pairs = near_copies(
        [one.hash for one in every], np.stack([one.small for one in every]), [s.mirrored for s in every]
    )
    groups = joined(len(every), pairs)
    taken = set(groups[: len(known)].tolist())
    fresh = []
    for group in groups[len(known) :].tolist():
        fresh.append(group not in taken)
        taken.add(group)
    return fresh


def copy(path: Path, to: Path, quality: int | None) -> None:
    """As it is, or as a JPEG of that quality."""
    to.parent.mkdir(parents=True, exist_ok=True)
    if quality is None:
        to.write_bytes(path.read_bytes())
    else:
        cv2.imwrite(str(to), cv2.imread(str(path)), [cv2.IMWRITE_JPEG_QUALITY, quality])


def add(
    rows: list[list[str]],
    several: Sequence[Added],
    known: Sequence[Seen],
    out: Path,
    qualities: dict[str, int],
    without: str,
) -> Counter[tuple[str, str, str]]:
    """Appends rows of what is new; counts by source, class and what became of it."""
    counts: Counter[tuple[str, str, str]] = Counter()
    found: list[tuple[Added, Path, Seen]] = []
    for one in several:
        for path in sorted(one.folder.rglob("*")):
            if path.suffix.lower() not in SUFFIXES or (without and path.match(without)):
                continue
            seen = look(path)
            if seen is None:
                counts[one.source, one.label, "unreadable"] += 1
            else:
                found.append((one, path, seen))
    for (one, path, _), fresh in zip(found, new_ones(known, [seen for *_, seen in found]), strict=True):
        counts[one.source, one.label, "new" if fresh else "known"] += 1
        if fresh:
            quality = qualities.get(one.source)
            target = out / one.source / one.label / (path.stem + (path.suffix if quality is None else ".jpg"))
            copy(path, target, quality)
            rows.append([str(target), one.label, one.source, "train", f"{one.source}-{one.label}-{path.stem}"])
    return counts


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Exits with 2 on wrong usage."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)

    def added(text: str) -> Added:
        source, label, folder = (*text.split(":", 2), "", "")[:3]
        if not (source and label and Path(folder).is_dir()):
            raise argparse.ArgumentTypeError(f"{text!r} is not SOURCE:CLASS:FOLDER, or there is no such folder")
        return Added(source, label, Path(folder))

    def quality(text: str) -> tuple[str, int]:
        source, _, value = text.partition("=")
        if not value.isdecimal() or not 1 <= int(value) <= 100:
            raise argparse.ArgumentTypeError(f"{text!r} is not SOURCE=QUALITY, from 1 to 100")
        return source, int(value)

    option: Any = parser.add_argument
    option("--data", required=True, help="what there is already: a folder or manifest.csv, as train.py takes it")
    option("--add", type=added, action="append", required=True, metavar="SOURCE:CLASS:FOLDER")
    option("--quality", type=quality, action="append", default=[], metavar="SOURCE=QUALITY", help="of its JPEG copies")
    option("--without", default="", metavar="PATTERN", help="names of files that are left out")
    option("--out", type=Path, required=True, help="outside the repository")
    options = parser.parse_args(arguments)
    try:
        options.samples = find_samples([options.data])
    except UserError as error:
        parser.error(str(error))
    return options


def main(arguments: Sequence[str] | None = None) -> None:
    options = parse(arguments)
    sources = {one.source for one in options.add}
    rows = [[str(s.path.resolve()), s.label, s.source, s.split, s.group] for s in options.samples]
    members = [sample.path for sample in options.samples if sample.source in sources and not sample.is_video]
    known = [seen for seen in map(look, members) if seen]
    counts = add(rows, options.add, known, options.out, dict(options.quality), options.without)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    for key, count in sorted(counts.items()):
        print(*key, count)


if __name__ == "__main__":
    main()
