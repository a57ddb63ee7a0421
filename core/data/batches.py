"""Batches for `fit` and `predict`, on any Keras backend."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from core.data.dataset import REAL, Sample
from core.data.draw import Draw, seen_crop
from core.data.places import contrast


class TrainBatches(keras.utils.PyDataset):
    """Endless epochs of random batches, half of each real and half fake.

    Args:
        samples: Face crops of the train split.
        size: Input side in pixels.
        batch_size: Pictures a batch; even.
        steps: Batches an epoch.
        blend_share: Share of the fakes that are self-blended from real crops, 0..1.
        composite_share: Share of the fakes that are put together from two real crops.
        retouch_share: Share of the fakes that are real crops retouched by hand's means. The three make at most 1, and
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
        retouch_share: float = 0.0,
        classes: Sequence[str] = (REAL, "fake"),
        class_weights: Mapping[str, float] | None = None,
        source_weights: Mapping[str, float] | None = None,
        epoch: int = 0,
        workers: int = 2,
        grid: int = 0,
    ) -> None:
        super().__init__(workers=workers, use_multiprocessing=False, max_queue_size=8)
        self._draw = Draw(
            samples,
            size=size,
            blend_share=blend_share,
            composite_share=composite_share,
            retouch_share=retouch_share,
            source_weights=source_weights,
        )
        self._batch_size, self._steps = batch_size, steps
        self._scale, self._offset = scale, offset
        self._classes, self._class_weights = tuple(classes), dict(class_weights or {})
        self._seed, self._epoch, self._grid = seed, epoch, grid

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
