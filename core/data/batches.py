"""Batches for `fit` and `predict`: balanced over classes and sources, augmented, on any Keras backend."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import keras
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.data.augment import augment
from core.data.dataset import Sample
from core.data.self_blend import self_blend
from core.errors import DataError
from core.faces.crop import resize_crop
from core.faces.landmarks import FaceMesh, default_mesh

SOURCE_BALANCE = 0.5  # a source is drawn in proportion to its size to this power: 0 all alike, 1 as they are
BLEND_SIDE = 256  # self-blending works on crops no larger than this
MESH_CONFIDENCE = 0.5


def read_crop(path: Path) -> NDArray[np.uint8]:
    """A prepared crop as RGB uint8 (h, w, 3)."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DataError(f"The face crop {path.name} cannot be read any more: prepare the data again.")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


class TrainBatches(keras.utils.PyDataset):
    """Endless epochs of random batches, half of each real and half fake.

    Args:
        samples: Face crops of the train split.
        size: Input side in pixels.
        batch_size: Pictures a batch; even.
        steps: Batches an epoch.
        blend_share: Share of the fakes that are self-blended from real crops, 0..1.
        scale, offset: The detector's preprocessing.
        source_weights: By how much a source is drawn more often than the root of its size says.
        seed: The same seed gives the same pictures, whatever the number of workers.
        epoch: Where to go on from.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        *,
        size: int,
        batch_size: int,
        steps: int,
        blend_share: float,
        scale: float,
        offset: float,
        seed: int,
        source_weights: Mapping[str, float] | None = None,
        epoch: int = 0,
        workers: int = 2,
    ) -> None:
        super().__init__(workers=workers, use_multiprocessing=False, max_queue_size=8)
        self._pools, self._weights = _by_source(samples, source_weights or {})
        self._size, self._batch_size, self._steps = size, batch_size, steps
        self._blend_share, self._scale, self._offset = blend_share, scale, offset
        self._seed, self._epoch = seed, epoch
        self._mesh: FaceMesh | None = default_mesh() if blend_share else None

    def __len__(self) -> int:
        return self._steps

    def on_epoch_end(self) -> None:
        self._epoch += 1

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        rng = np.random.default_rng([self._seed, self._epoch, index])
        labels = np.arange(self._batch_size) % 2
        crops = [self._draw(bool(label), rng) for label in labels]
        inputs = np.stack(crops).astype(np.float32) * np.float32(self._scale) + np.float32(self._offset)
        return inputs, labels[:, None].astype(np.float32)

    def _draw(self, fake: bool, rng: Generator) -> NDArray[np.uint8]:
        if fake and rng.random() < self._blend_share:
            crop = self._blend(rng, want_fake=True)
        elif not fake and rng.random() < self._blend_share / 3:  # some real partners too, as in the paper
            crop = self._blend(rng, want_fake=False)
        else:
            crop = read_crop(self._choose(fake, rng).path)
        return augment(crop, self._size, rng)

    def _choose(self, fake: bool, rng: Generator) -> Sample:
        pool = self._pools[fake][rng.choice(len(self._weights), p=self._weights)]
        return pool[rng.integers(len(pool))]

    def _blend(self, rng: Generator, want_fake: bool) -> NDArray[np.uint8]:
        assert self._mesh is not None
        while True:
            crop = read_crop(self._choose(False, rng).path)
            if max(crop.shape) > BLEND_SIDE:
                crop = resize_crop(crop, BLEND_SIDE)
            points, confidence = self._mesh.points(crop)
            if confidence >= MESH_CONFIDENCE:
                pair = self_blend(crop, points, rng)
                return pair.fake if want_fake else pair.real


def _by_source(
    samples: Sequence[Sample], emphasis: Mapping[str, float]
) -> tuple[dict[bool, list[list[Sample]]], NDArray[np.float64]]:
    """Pools of reals and of fakes, source by source, and how often each source is drawn.

    The draw is the same for both classes: a source whose fakes came more often than its reals would be a clue.
    """
    members: dict[str, dict[bool, list[Sample]]] = defaultdict(lambda: {False: [], True: []})
    for sample in samples:
        members[sample.source][sample.fake].append(sample)
    both = {source: pair for source, pair in members.items() if pair[False] and pair[True]}
    if not both:
        raise DataError("No source of the training data has both real and fake pictures; a detector needs both.")
    weights = [min(map(len, pair.values())) ** SOURCE_BALANCE * emphasis.get(name, 1.0) for name, pair in both.items()]
    pools = {fake: [pair[fake] for pair in both.values()] for fake in (False, True)}
    return pools, np.array(weights) / sum(weights)


class EvalBatches(keras.utils.PyDataset):
    """The given face crops in order, unchanged but for size and preprocessing; inputs only."""

    def __init__(
        self, samples: Sequence[Sample], *, size: int, scale: float, offset: float, batch_size: int = 32
    ) -> None:
        super().__init__(workers=1)
        self._paths = [sample.path for sample in samples]
        self._size, self._batch_size, self._scale, self._offset = size, batch_size, scale, offset

    def __len__(self) -> int:
        return math.ceil(len(self._paths) / self._batch_size)

    def __getitem__(self, index: int) -> tuple[NDArray[np.float32]]:
        paths = self._paths[index * self._batch_size : (index + 1) * self._batch_size]
        crops = np.stack([resize_crop(read_crop(path), self._size) for path in paths])
        return (crops.astype(np.float32) * np.float32(self._scale) + np.float32(self._offset),)
