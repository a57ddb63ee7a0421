"""The first phase: only the head learns, on features that the frozen rest gives once for each picture."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import keras
import numpy as np
from numpy.typing import NDArray

from core.data.batches import EvalBatches, TrainBatches
from core.training.callbacks import Speedometer, Stopped, Watch
from core.training.checkpoints import HEAD
from core.training.hardware import cores

MAX_BYTES = 1 << 30
"""Features in memory; where an epoch's take more, the head learns on a part of the pictures."""

T = TypeVar("T")
Batch = tuple[NDArray[np.floating[Any]], ...]


@dataclass(frozen=True)
class Features:
    """Batches of frozen features with their labels, and the validation faces' features."""

    batches: list[Batch]
    val: NDArray[np.float16]
    images_per_s: float


def count_batches(base: keras.Model, batch_size: int, steps: int) -> int:
    """How many batches of features fit into memory, at most `steps`."""
    one = 2 * batch_size * int(np.prod(base.output_shape[1:]))
    return max(1, min(steps, MAX_BYTES // one))


def compute_features(base: keras.Model, batches: TrainBatches, count: int, val: EvalBatches, watch: Watch) -> Features:
    """Sends the first `count` batches and all validation faces through the frozen base.

    Raises:
        Stopped: The watch said so.
    """
    kept: list[Batch] = []
    speed, images_per_s = Speedometer(), 0.0
    for done, (inputs, *labels) in enumerate(ahead(batches.__getitem__, range(count), cores()), 1):
        kept.append((_predicted(base, inputs), *labels))
        images_per_s = speed.add(len(inputs))
        _tell(watch, done, count + len(val), images_per_s)
    seen = []
    for done, (inputs,) in enumerate(ahead(val.__getitem__, range(len(val)), cores()), 1):
        seen.append(_predicted(base, inputs))
        _tell(watch, count + done, count + len(val), images_per_s)
    return Features(kept, np.concatenate(seen), images_per_s)


class FeatureBatches(keras.utils.PyDataset):
    """Epochs over kept features, the batches in another order each time.

    Args:
        batches: Features with labels.
        seed: The same seed gives the same order.
        epoch: Where to go on from.
    """

    def __init__(self, batches: Sequence[Batch], seed: int, epoch: int) -> None:
        super().__init__(workers=1)
        self._batches, self._seed, self._epoch = batches, seed, epoch

    def __len__(self) -> int:
        return len(self._batches)

    def on_epoch_end(self) -> None:
        self._epoch += 1

    def __getitem__(self, index: int) -> Batch:
        order = np.random.default_rng([self._seed, self._epoch]).permutation(len(self._batches))
        features, *labels = self._batches[order[index]]
        return (features.astype(np.float32), *labels)


def ahead(work: Callable[[int], T], indices: Sequence[int], workers: int) -> Iterator[T]:
    """`map` in threads that are a few results ahead and no more, since results are large."""
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[T]] = deque()
        for index in indices:
            waiting.append(pool.submit(work, index))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _predicted(base: keras.Model, inputs: NDArray[np.float32]) -> NDArray[np.float16]:
    """Not by `predict_on_batch`: on several devices that gives the whole batch from each of them."""
    return base.predict(inputs, batch_size=len(inputs), verbose=0).astype(np.float16)


def _tell(watch: Watch, done: int, total: int, images_per_s: float) -> None:
    watch.update(
        phase=HEAD,
        message="Computing the features that the head learns on.",
        done=done,
        total=total,
        images_per_s=round(images_per_s, 2),
    )
    if watch.stop_requested():
        raise Stopped
