"""Parcels of crops with their meshes: unpacked as they arrive, and read."""

import csv
import subprocess
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data import draw
from core.data.draw import read_crop
from core.data.sample import Sample
from core.faces.crop import TIGHT_SCALE

INDEX, MESHES = "index.csv", "meshes.npy"
MESH_UNIT = 32
"""Meshes are stored in parts of a pixel, of which one has so many."""


def unpack(pack: Path, into: Path) -> None:
    """Unpacks what has arrived; a parcel counts once its folder has its last name."""
    for tar in sorted(pack.glob("part*.tar")):
        folder = into / tar.stem
        if not folder.exists():
            half = into / f".{tar.stem}"
            half.mkdir(parents=True, exist_ok=True)
            subprocess.run(["tar", "xf", tar, "-C", half], check=True)  # in a process of its own: threads would wait
            half.rename(folder)


class Parcels:
    """The crops that have arrived, and the meshes of the real ones."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: list[str] = []
        self.samples: list[Sample] = []
        self._meshes: dict[Path, NDArray[np.int16]] = {}

    def refresh(self) -> bool:
        """Whether there is something new."""
        new = sorted(one for one in self._folder.glob("part*") if one.name not in self.names)
        for part in new:
            meshes = np.load(part / MESHES)
            with (part / INDEX).open() as file:
                for row in csv.DictReader(file):
                    path = part / row["file"]
                    self.samples.append(Sample(path, row["label"], row["source"], row["split"], row["group"]))
                    if row["mesh"] != "-1":
                        self._meshes[path] = meshes[int(row["mesh"])]
            self.names.append(part.name)
        return bool(new)

    def of(self, split: str) -> list[Sample]:
        """The samples of a split."""
        return [one for one in self.samples if one.split == split]

    def face(self, path: Path, scale: float = TIGHT_SCALE) -> draw.Face | None:
        """A crop of that scale, as `draw.read_crop` gives it, and its mesh."""
        mesh = self._meshes.get(path)
        if mesh is None:
            return None
        crop = draw.read_crop(path)
        points = mesh.astype(np.float32) / MESH_UNIT
        if scale < TIGHT_SCALE:
            whole = read_crop(path)
            points = points - np.float32([(whole.shape[1] - crop.shape[1]) // 2, (whole.shape[0] - crop.shape[0]) // 2])
        return crop, points
