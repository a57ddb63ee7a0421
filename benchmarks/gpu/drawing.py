"""Pictures drawn by many processes into shared memory, for whatever job is on; the parcels may still be arriving."""

import mmap
import multiprocessing
import queue
import time
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.parcels import Parcels  # before core: it stands in for what is missing there
from benchmarks.gpu.rebuild import Ring
from benchmarks.recipes import KINDS
from benchmarks.taken_away import take_away
from core.data import draw as drawing
from core.data.augment import MEAN_PART, augment
from core.data.draw import Drawn, read_crop
from core.data.places import contrast
from core.data.sample import REAL, Sample
from core.faces.crop import TIGHT_SCALE, middle, resize_crop

GROUP = 16  # pictures a process draws at a time
LARGEST, LARGEST_GRID = 224, 7
REBUILT = KINDS["sd21_web"]
"""The class of rebuilt faces: the decoders of diffusion's latent spaces leave such marks."""


@dataclass(frozen=True)
class Job:
    """What is drawn.

    Attributes:
        name: For figures.
        size: Side of a picture in pixels.
        blend, composite, retouch, rebuilt: Shares of the fakes.
        weights: Of sources, as `Draw` takes them.
        without: A source that is left out.
        kinds: Labels tell the kinds of fakes apart.
        scale: Side of the crops in face-box heights.
        patch: What is taken away, as in benchmarks/recipes.py.
        seed: Of all chance.
    """

    name: str
    size: int
    blend: float = 0.2
    composite: float = 0.25
    weights: Mapping[str, float] = field(default_factory=dict)
    without: str = ""
    kinds: bool = False
    scale: float = TIGHT_SCALE
    patch: str = ""
    seed: int = 0
    rebuilt: float = 0.0
    retouch: float = 0.0

    @property
    def classes(self) -> tuple[str, ...]:
        """The network's outputs."""
        if not self.kinds:
            return (REAL, "fake", drawing.BLENDED) if self.patch == "apart" else (REAL, "fake")
        kinds = sorted({kind for source, kind in KINDS.items() if source != self.without})
        return (REAL, *kinds, drawing.BLENDED) if self.blend + self.composite + self.retouch else (REAL, *kinds)


def set_up(job: Job) -> None:
    """In this process, what no argument of `Draw` says."""
    share = job.scale / TIGHT_SCALE
    drawing.read_crop = read_crop if share >= 1 else lambda path: middle(read_crop(path), share)
    take_away(job.patch)


def samples_of(job: Job, samples: Sequence[Sample]) -> list[Sample]:
    """Those that the job is trained or judged on, with its labels."""
    kept = [one for one in samples if not (one.split == "train" and one.source == job.without)]
    if not job.kinds:
        return kept
    return [Sample(one.path, _kind(one) if one.fake else one.label, one.source, one.split, one.group) for one in kept]


def _kind(fake: Sample) -> str:
    return drawing.BLENDED if fake.label == drawing.BLENDED else KINDS[fake.source]


class Draw(drawing.Draw):
    """Draws rebuilt faces too, while there are some.

    Args:
        samples: As the other one takes them.
        ring: The rebuilt faces.
        rebuilt_share: Of the fakes.
        options: As the other one takes them.
    """

    def __init__(self, samples: Sequence[Sample], *, ring: Ring, rebuilt_share: float, **options: Any) -> None:
        super().__init__(samples, **options)
        self._ring, self._rebuilt_share = ring, rebuilt_share

    def __call__(self, fake: bool, rng: np.random.Generator) -> Drawn:
        """One picture."""
        if fake and self._rebuilt_share and rng.random() < self._rebuilt_share:
            crop = self._ring.some(rng)
            if crop is not None:
                return Drawn(augment(crop, self._size, rng), REBUILT, None)
        return super().__call__(fake, rng)


class Slots:
    """Groups of pictures in memory that all processes see."""

    def __init__(self, count: int) -> None:
        side = LARGEST
        self.crops = _shared((count, GROUP * side * side * 3), np.uint8)
        self.labels = _shared((count, GROUP), np.int64)
        self.places = _shared((count, GROUP * LARGEST_GRID**2), np.float32)

    def views(self, slot: int, size: int) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.float32]]:
        """(GROUP, size, size, 3), (GROUP,), (GROUP, grid, grid)."""
        grid = grid_of(size)
        crops = self.crops[slot, : GROUP * size * size * 3].reshape(GROUP, size, size, 3)
        return crops, self.labels[slot], self.places[slot, : GROUP * grid * grid].reshape(GROUP, grid, grid)


def grid_of(size: int) -> int:
    """Side of Xception's last maps."""
    side = (size - 3) // 2 + 1 - 2
    for _ in range(4):
        side = -(-side // 2)
    return side


def _shared(shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    memory = mmap.mmap(-1, int(np.prod(shape)) * np.dtype(dtype).itemsize)
    return np.frombuffer(memory, dtype).reshape(shape)


class Drawers:
    """The processes. Made before anything touches the GPU, since they are forked.

    Args:
        folder: Where parcels are unpacked.
        jobs: All that may be asked for.
        processes: How many.
        slots: Groups that may lie ready.
        ring: Rebuilt faces.
    """

    def __init__(self, folder: Path, jobs: Sequence[Job], processes: int, slots: int, ring: Ring) -> None:
        context = multiprocessing.get_context("fork")
        self.jobs, self.slots = list(jobs), Slots(slots)
        self.job = context.Value("i", -1)
        self.free, self.ready = context.Queue(), context.Queue()
        for slot in range(slots):
            self.free.put(slot)
        arguments = (folder, self.jobs, self.slots, self.job, self.free, self.ready, ring)
        self._processes = [
            context.Process(target=_work, args=(number, *arguments), daemon=True) for number in range(processes)
        ]
        for one in self._processes:
            one.start()

    def close(self) -> None:
        """Ends them."""
        for one in self._processes:
            one.terminate()


def _work(
    number: int, folder: Path, jobs: list[Job], slots: Slots, current: Any, free: Any, ready: Any, ring: Ring
) -> None:
    cv2.setNumThreads(1)
    parcels, prepared, draw, count = Parcels(folder), -1, None, 0
    looked = 0.0
    while True:
        try:
            index = current.value
            if index < 0:
                time.sleep(0.02)
                continue
            if time.monotonic() - looked > 2:
                new, looked = parcels.refresh(), time.monotonic()
            else:
                new = False
            job = jobs[index]
            if new or prepared != index:
                set_up(job)
                faces = partial(parcels.face, scale=job.scale)
                draw = Draw(
                    samples_of(job, parcels.of("train")),
                    ring=ring,
                    rebuilt_share=job.rebuilt,
                    size=job.size,
                    blend_share=job.blend,
                    composite_share=job.composite,
                    retouch_share=job.retouch,
                    source_weights=job.weights,
                    faces=faces,
                )
                count = 0 if prepared != index else count
                prepared = index
            assert draw is not None
            try:
                slot = free.get(timeout=0.2)
            except queue.Empty:
                continue
            rng = np.random.default_rng([job.seed, index, number, count])
            count += 1
            crops, labels, places = slots.views(slot, job.size)
            for place in range(GROUP):
                one = draw(place % 2 == 1, rng)
                crops[place] = one.crop
                labels[place] = job.classes.index(one.label) if len(job.classes) > 2 else one.label != REAL
                places[place] = contrast(one.mask, places.shape[1])
            ready.put((index, slot))
        except Exception:  # noqa: BLE001
            traceback.print_exc()
            time.sleep(1)


def judged_crops(samples: Sequence[Sample], size: int, scale: float = TIGHT_SCALE) -> NDArray[np.uint8]:
    """The middles that a detector judges, (n, size, size, 3)."""
    share = scale / TIGHT_SCALE * MEAN_PART
    return np.stack([resize_crop(middle(read_crop(one.path), share), size) for one in samples])
