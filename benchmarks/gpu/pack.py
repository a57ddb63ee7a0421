"""Crops of a training set in parcels, each a tar that can be trained on alone, and the networks to start from.

    python -m benchmarks.gpu.pack --data MANIFEST --out PACK --parts 18 18 56 56 56 56 56

A parcel holds crops (JPEG as they are, others as lossless WebP of at most 224 px), meshes.npy with the mesh of each
real one, and index.csv. The crops are shuffled, so that each parcel is a fair sample; what fits into none is left out.
"""

import argparse
import csv
import io
import random
import tarfile
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.parcels import INDEX, MESH_UNIT, MESHES
from core.data.dataset import find_samples
from core.data.draw import MESH_CONFIDENCE, read_crop
from core.data.prepare import prepare
from core.data.sample import Sample
from core.faces.crop import TIGHT_SCALE, resize_crop
from core.faces.landmarks import default_mesh

SIDE = 224
COLUMNS = ("file", "label", "source", "split", "group", "mesh")
SEED = 0


class Packed(NamedTuple):
    """One crop's bytes, its file's suffix, and its mesh in 1/32 pixels, int16 (468, 2), if it has one."""

    sample: Sample
    data: bytes
    suffix: str
    mesh: NDArray[np.int16] | None

    @property
    def size(self) -> int:
        return -(-len(self.data) // 512) * 512 + 512 + (0 if self.mesh is None else self.mesh.nbytes) + 80


def pack_one(sample: Sample) -> Packed:
    """Reads, shrinks and encodes one prepared crop."""
    crop = read_crop(sample.path)
    raw = sample.path.read_bytes()
    if sample.path.suffix.lower() in (".jpg", ".jpeg") and max(crop.shape) <= SIDE:
        data, suffix = raw, ".jpg"
    else:
        crop = resize_crop(crop, SIDE) if max(crop.shape) > SIDE else crop
        lossless = [cv2.IMWRITE_WEBP_QUALITY, 101]
        data = cv2.imencode(".webp", cv2.cvtColor(crop, cv2.COLOR_RGB2BGR), lossless)[1].tobytes()
        suffix = ".webp"
    if sample.fake:
        return Packed(sample, data, suffix, None)
    points, confidence = default_mesh().points(crop)
    mesh = np.round(points * MESH_UNIT).astype(np.int16) if confidence >= MESH_CONFIDENCE else None
    return Packed(sample, data, suffix, mesh)


def order(samples: Sequence[Sample], fakes: int) -> list[Sample]:
    """Train crops, shuffled, of each source at most so many fakes; val crops are set in early, test ones come last."""
    chance = random.Random(SEED)
    train = [one for one in samples if one.split == "train"]
    chance.shuffle(train)
    seen: Counter[str] = Counter()
    chosen = []
    for one in train:
        seen[one.source] += one.fake
        if not one.fake or seen[one.source] <= fakes:
            chosen.append(one)
    chance.shuffle(chosen)
    val = [one for one in samples if one.split == "val"]
    place = len(chosen) // 4
    return chosen[:place] + val + chosen[place:] + [one for one in samples if one.split == "test"]


def parcels(packed: Iterator[Packed], sizes: Sequence[int]) -> Iterator[list[Packed]]:
    """Filled one after the other."""
    left = iter(sizes)
    room, current = next(left), list[Packed]()
    for one in packed:
        if one.size > room:
            yield current
            try:
                room, current = next(left), []
            except StopIteration:
                return
        current.append(one)
        room -= one.size
    yield current


def write(path: Path, members: Sequence[Packed]) -> None:
    """One tar."""
    meshes = [one.mesh for one in members if one.mesh is not None]
    lines, place = [], 0
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:

        def add(name: str, data: bytes) -> None:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))

        for number, one in enumerate(members):
            name = f"{number:05d}{one.suffix}"
            add(name, one.data)
            s = one.sample
            lines.append((name, s.label, s.source, s.split, s.group, place if one.mesh is not None else -1))
            place += one.mesh is not None
        text = io.StringIO()
        csv.writer(text).writerows([COLUMNS, *lines])
        add(INDEX, text.getvalue().encode())
        array = io.BytesIO()
        np.save(array, np.stack(meshes) if meshes else np.zeros((0, 468, 2), np.int16))
        add(MESHES, array.getvalue())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--cache", type=Path, default=Path("runs/cache"), help="where face crops are kept")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--parts", type=float, nargs="+", default=[56.0] * 7, help="MiB of each parcel")
    parser.add_argument("--fakes", type=int, default=22000, help="at most so many of a source")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    found = [one for one in find_samples([options.data]) if one.split in ("train", "val")]
    samples = order(prepare(found, options.cache, scale=TIGHT_SCALE), options.fakes)
    with ThreadPoolExecutor(2) as pool:
        packed = pool.map(pack_one, samples)
        for number, members in enumerate(parcels(packed, [int(size * 2**20) for size in options.parts])):
            write(options.out / f"part{number}.tar", members)
            kinds = Counter(f"{one.sample.source} {one.sample.split} {one.sample.label}" for one in members)
            print(number, len(members), dict(sorted(kinds.items())), flush=True)


if __name__ == "__main__":
    main()
