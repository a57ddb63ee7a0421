"""Batches for `fit` and `predict`: balanced over classes and sources, augmented, on any Keras backend."""

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.data.augment import MEAN_PART, augment, augment_both
from core.data.composite import composite, likeness
from core.data.dataset import REAL, Sample
from core.data.places import contrast
from core.data.self_blend import Blend, Points, Rgb, self_blend
from core.errors import DataError
from core.faces.crop import middle, resize_crop
from core.faces.landmarks import FaceMesh, default_mesh

SOURCE_BALANCE = 0.5  # a source is drawn in proportion to its size to this power: 0 all alike, 1 as they are
BLEND_SIDE = 256  # self-blending works on crops no larger than this
MESH_CONFIDENCE = 0.5
MOST_TRIES = 200  # real faces without a mesh in a row before giving up: there are none then
BLENDED = "blended"  # the class of fakes that are made from real faces, where each class has an output
SECOND_PART = 0.35  # of composites have parts of two donors
DONORS = 3  # faces looked at for a composite; the one most alike in pose is taken


def read_crop(path: Path) -> NDArray[np.uint8]:
    """A prepared crop as RGB uint8 (h, w, 3)."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DataError(f"The face crop {path.name} cannot be read any more: prepare the data again.")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def seen_crop(path: Path, size: int) -> NDArray[np.uint8]:
    """What a detector judges of a prepared crop: its middle, as RGB uint8 (size, size, 3)."""
    return resize_crop(middle(read_crop(path), MEAN_PART), size)


class TrainBatches(keras.utils.PyDataset):
    """Endless epochs of random batches, half of each real and half fake.

    Args:
        samples: Face crops of the train split.
        size: Input side in pixels.
        batch_size: Pictures a batch; even.
        steps: Batches an epoch.
        blend_share: Share of the fakes that are self-blended from real crops, 0..1.
        composite_share: Share of the fakes that are put together from two real crops; with `blend_share` at most 1, and
            where they make 1 the samples need no fakes.
        scale, offset: The detector's preprocessing.
        classes: Names of the network's outputs, "real" first. With two, labels are (n, 1), 1 for fake; with more,
            (n, k) with one 1 a row, and fakes made from reals are of the class `BLENDED`.
        class_weights: By how much a class weighs more in the loss; batches have sample weights then.
        source_weights: By how much a source is drawn more often than the root of its size says.
        seed: The same seed gives the same pictures, whatever the number of workers.
        epoch: Where to go on from.
        grid: Side of the network's last feature maps. If given, labels are a pair: those, and (n, grid, grid) weights
            that give how much higher the evidence is where a made fake was changed (`contrast`); all 0 for other faces.
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
        composite_share: float = 0.0,
        classes: Sequence[str] = (REAL, "fake"),
        class_weights: Mapping[str, float] | None = None,
        source_weights: Mapping[str, float] | None = None,
        epoch: int = 0,
        workers: int = 2,
        grid: int = 0,
    ) -> None:
        super().__init__(workers=workers, use_multiprocessing=False, max_queue_size=8)
        made = blend_share + composite_share
        self._pools, self._weights = _by_source(samples, source_weights or {}, needs_fakes=made < 1)
        self._size, self._batch_size, self._steps = size, batch_size, steps
        self._blend_share, self._composite_share = blend_share, composite_share
        self._scale, self._offset = scale, offset
        self._classes, self._class_weights = tuple(classes), dict(class_weights or {})
        self._seed, self._epoch, self._grid = seed, epoch, grid
        self._mesh: FaceMesh | None = default_mesh() if made else None

    def __len__(self) -> int:
        return self._steps

    def on_epoch_end(self) -> None:
        self._epoch += 1

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rng = np.random.default_rng([self._seed, self._epoch, index])
        drawn = [self._draw(i % 2 == 1, rng) for i in range(self._batch_size)]
        inputs = np.stack([crop for crop, _, _ in drawn]).astype(np.float32)
        inputs = inputs * np.float32(self._scale) + np.float32(self._offset)
        labels = [label for _, label, _ in drawn]
        targets: Any = self._targets(labels)
        weights: Any = np.array([self._weight(label) for label in labels], np.float32)
        if self._grid:
            targets = targets, np.stack([contrast(mask, self._grid) for _, _, mask in drawn])
            weights = weights, np.ones_like(weights)
        return (inputs, targets, weights) if self._class_weights else (inputs, targets)

    def _targets(self, labels: Sequence[str]) -> NDArray[np.float32]:
        if len(self._classes) == 2:
            return np.array([[label != REAL] for label in labels], np.float32)
        return np.eye(len(self._classes), dtype=np.float32)[[self._classes.index(label) for label in labels]]

    def _weight(self, label: str) -> float:
        """By the name of the class in the data or, where there are two outputs, by that of the output."""
        output = label if label in self._classes else self._classes[-1]
        return self._class_weights.get(label, self._class_weights.get(output, 1.0))

    def _draw(self, fake: bool, rng: Generator) -> tuple[Rgb, str, NDArray[np.float32] | None]:
        """A training picture, its class, and where it was changed, as far as that is known."""
        chance = rng.random()
        if fake and chance < self._blend_share + self._composite_share:
            blends = chance < self._blend_share
            made = self_blend(*self._real_face(rng), rng) if blends else self._composite(rng)
            picture, mask = augment_both(made.fake, made.mask, self._size, rng)
            return picture, BLENDED, mask
        if not fake and chance < self._blend_share / 3:  # some real partners too, as in the paper
            crop, label = self_blend(*self._real_face(rng), rng).real, REAL
        else:
            sample = self._choose(fake, rng)
            crop, label = read_crop(sample.path), sample.label
        return augment(crop, self._size, rng), label, None

    def _choose(self, fake: bool, rng: Generator, source: int | None = None) -> Sample:
        kinds = self._pools[fake][rng.choice(len(self._weights), p=self._weights) if source is None else source]
        if len(kinds) == 1:
            return kinds[0][rng.integers(len(kinds[0]))]
        roots = np.array([len(kind) ** SOURCE_BALANCE for kind in kinds])
        kind = kinds[rng.choice(len(kinds), p=roots / roots.sum())]
        return kind[rng.integers(len(kind))]

    def _real_face(self, rng: Generator, source: int | None = None) -> tuple[Rgb, Points]:
        assert self._mesh is not None
        for _ in range(MOST_TRIES):
            face = blendable(read_crop(self._choose(False, rng, source).path), self._mesh)
            if face:
                return face
        raise DataError(
            "The real pictures show no faces that can be blended: turn self-blending and composites off (0)."
        )

    def _composite(self, rng: Generator) -> Blend:
        """A face with a part of another's, or with parts of two; all of one source, or resolution alone would tell."""
        source = int(rng.choice(len(self._weights), p=self._weights))
        target, points = self._real_face(rng, source)
        made = composite(target, points, *self._donor(points, source, rng), rng)
        if rng.random() >= SECOND_PART:
            return made
        again = composite(made.fake, points, *self._donor(points, source, rng), rng)
        return Blend(again.fake, target, np.maximum(made.mask, again.mask))

    def _donor(self, points: Points, source: int, rng: Generator) -> tuple[Rgb, Points]:
        donors = [self._real_face(rng, source) for _ in range(DONORS)]
        return min(donors, key=lambda face: likeness(points, face[1]))


def blendable(crop: Rgb, mesh: FaceMesh) -> tuple[Rgb, Points] | None:
    """A crop of at most `BLEND_SIDE` pixels with its face mesh; None where no face is seen in it."""
    if max(crop.shape) > BLEND_SIDE:
        crop = resize_crop(crop, BLEND_SIDE)
    points, confidence = mesh.points(crop)
    return (crop, points) if confidence >= MESH_CONFIDENCE else None


Pools = list[list[list[Sample]]]
"""Samples of one side by source and class."""


def _by_source(
    samples: Sequence[Sample], emphasis: Mapping[str, float], needs_fakes: bool
) -> tuple[dict[bool, Pools], NDArray[np.float64]]:
    """Pools of reals and of fakes, source by source and class by class, and how often each source is drawn.

    The draw is the same for both sides: a source whose fakes came more often than its reals would be a clue.
    """
    members: dict[str, dict[bool, dict[str, list[Sample]]]] = defaultdict(lambda: {False: {}, True: {}})
    for sample in samples:
        members[sample.source][sample.fake].setdefault(sample.label, []).append(sample)
    usable = {name: pair for name, pair in members.items() if pair[False] and (pair[True] or not needs_fakes)}
    if not usable:
        raise DataError("No source of the training data has both real and fake pictures; a detector needs both.")
    sizes = {
        name: min(sum(map(len, kinds.values())) for kinds in pair.values() if kinds) for name, pair in usable.items()
    }
    weights = [sizes[name] ** SOURCE_BALANCE * emphasis.get(name, 1.0) for name in usable]
    pools = {
        fake: [[pair[fake][label] for label in sorted(pair[fake])] for pair in usable.values()]
        for fake in (False, True)
    }
    return pools, np.array(weights) / sum(weights)


class EvalBatches(keras.utils.PyDataset):
    """The middle of the given face crops in order, as a detector will see it; inputs only."""

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
        crops = np.stack([seen_crop(path, self._size) for path in paths])
        return (crops.astype(np.float32) * np.float32(self._scale) + np.float32(self._offset),)
