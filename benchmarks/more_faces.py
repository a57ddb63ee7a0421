"""More pictures for a training set, without those that it has already, in its val and test splits above all.

    python -m benchmarks.more_faces --data MANIFEST --out OUT --without 'eklenen_*' \\
        --add stylegan_ffhq:real:FOLDER --add stylegan_ffhq:gan:FOLDER --quality stylegan_ffhq=75 \\
        --add ciplab:real:FOLDER --add ciplab:blended:FOLDER

Data sets are cut from one another, so the same photograph may lie in both. Pictures are compared as a whole, by a
difference hash of 256 bits; what is at most 24 bits from a picture of the same sources in MANIFEST, or from another new
one, is left out (strangers differ in 32 and more, and in 80 to 140 mostly). That finds copies of other sizes and
qualities, not other crops. OUT gets the pictures and a manifest.csv: MANIFEST's rows and the new ones, all of train.
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
from core.errors import UserError

SIDE = 16
BITS_APART = 24  # of SIDE x SIDE
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
COLUMNS = ("path", "label", "source", "split", "group")


class Added(NamedTuple):
    """A folder of pictures of one source and class."""

    source: str
    label: str
    folder: Path


def difference_hash(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Whether each place of a picture (h, w) is brighter than its left neighbour, at 16 x 16: (32,) packed bits."""
    small = cv2.resize(grey, (SIDE + 1, SIDE), interpolation=cv2.INTER_AREA).astype(int)
    return np.packbits((small[:, 1:] > small[:, :-1]).ravel())


class Known:
    """Pictures that are there already."""

    def __init__(self) -> None:
        self._hashes: list[NDArray[np.uint8]] = []

    def take(self, found: NDArray[np.uint8]) -> bool:
        """Whether it is new; it is known from here on."""
        if self._hashes:
            apart = np.bitwise_count(np.stack(self._hashes) ^ found).sum(axis=1)
            if apart.min() <= BITS_APART:
                return False
        self._hashes.append(found)
        return True


def hash_of(path: Path) -> NDArray[np.uint8] | None:
    """None where it is no picture."""
    grey = cv2.imread(str(path), cv2.IMREAD_REDUCED_GRAYSCALE_2)
    return None if grey is None else difference_hash(np.asarray(grey, np.uint8))


def copy(path: Path, to: Path, quality: int | None) -> None:
    """As it is, or as a JPEG of that quality."""
    to.parent.mkdir(parents=True, exist_ok=True)
    if quality is None:
        to.write_bytes(path.read_bytes())
    else:
        cv2.imwrite(str(to), cv2.imread(str(path)), [cv2.IMWRITE_JPEG_QUALITY, quality])


def add(
    rows: list[list[str]], several: Sequence[Added], known: Known, out: Path, qualities: dict[str, int], without: str
) -> Counter[tuple[str, str, str]]:
    """Appends rows of what is new; counts by source, class and what became of it."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for one in several:
        for path in sorted(one.folder.rglob("*")):
            if path.suffix.lower() not in SUFFIXES or (without and path.match(without)):
                continue
            found = hash_of(path)
            if found is None:
                counts[one.source, one.label, "unreadable"] += 1
            elif not known.take(found):
                counts[one.source, one.label, "known"] += 1
            else:
                counts[one.source, one.label, "new"] += 1
                quality = qualities.get(one.source)
                name = path.stem + (path.suffix if quality is None else ".jpg")
                target = out / one.source / one.label / name
                copy(path, target, quality)
                group = f"{one.source}-{one.label}-{path.stem}"
                rows.append([str(target), one.label, one.source, "train", group])
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
    sources, known = {one.source for one in options.add}, Known()
    rows = [[str(s.path.resolve()), s.label, s.source, s.split, s.group] for s in options.samples]
    for sample in options.samples:
        if sample.source in sources and not sample.is_video and (found := hash_of(sample.path)) is not None:
            known.take(found)
    counts = add(rows, options.add, known, options.out, dict(options.quality), options.without)
    options.out.mkdir(parents=True, exist_ok=True)
    with (options.out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    for key, count in sorted(counts.items()):
        print(*key, count)


if __name__ == "__main__":
    main()
