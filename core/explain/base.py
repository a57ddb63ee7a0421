"""What all methods of explanation share: checks, batches, progress, cancelling, and what the colours may mean."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from core.errors import Cancelled
from core.explain.network import FAKE, ExplainedNetwork, MapLayer
from core.explain.overlay import SCALE_LOGITS

Unit = Literal["logits", "relative"]
Maps = NDArray[np.float32]
BATCH_SIZE = 8


@dataclass(frozen=True)
class Request:
    """What is asked of a method for one batch.

    Attributes:
        network: Whose answer is explained.
        pixels: (n, s, s, 3) float32 as the network takes them.
        target: `fake`, `real`, or a class of the detector.
        layer: Where the map is drawn from; of no meaning to methods that end at the pixels.
    """

    network: ExplainedNetwork
    pixels: NDArray[np.float32]
    target: str
    layer: MapLayer


class Method(ABC):
    """One way to say which parts of a face an answer rests on. A method overrides `parts`, and no more.

    Attributes:
        name: For commands and files.
        title: For people.
        unit: `logits`: the values are evidence on a scale that is the same for every face, so that faces can be
            compared. `relative`: each map is divided by its own maximum, and can say where but not how much.
        signed: Negative values speak against the target; else there are none.
        directed: Whether "why real" gives another map than "why fake".
        layered: Whether it is drawn from a layer, which can be chosen.
        slow: Takes more than a second or two a face, so that it is run as a job.
        alone: Faces go through it one by one.
        scale: Value at which a colour is full.
        note: One sentence on how to read it, limits included.
    """

    name: str
    title: str
    unit: Unit
    signed = False
    directed = True
    layered = True
    slow = False
    alone = False
    scale = 1.0
    note: str

    @abstractmethod
    def parts(self, request: Request) -> Iterator[Maps]:
        """Maps (n, h, w) that add up to the method's map; after each, progress is told and a wish to stop is heard."""

    def count(self, network: ExplainedNetwork, layer: MapLayer) -> int:
        """How many parts a batch has."""
        return 1

    def __call__(
        self,
        network: ExplainedNetwork,
        crops: NDArray[np.uint8],
        target: str = FAKE,
        layer: str | None = None,
        *,
        batch_size: int = BATCH_SIZE,
        on_progress: Callable[[int, int], None] | None = None,
        should_cancel: Callable[[], bool] | None = None,
    ) -> Maps:
        """Maps of crops of faces.

        Args:
            network: Whose answer is explained.
            crops: uint8 (n, s, s, 3) RGB, s being the detector's input size. n may be 0.
            target: What for: `fake`, `real`, or a class of the detector.
            layer: Name of a layer with rows and columns; the last convolution's when None.
            batch_size: Faces at once, where the method takes several.
            on_progress: Told how many parts are done, and of how many.
            should_cancel: Asked after each part.

        Returns:
            (n, h, w) float32, larger where more speaks for the target; h and w are the layer's, or the crop's own.

        Raises:
            ValueError: Crops, target or layer are none that the network has.
            Cancelled: `should_cancel` said so.
        """
        size, chosen = network.spec.input_size, network.layer(layer)
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[1:] != (size, size, 3):
            raise ValueError(f"crops must be uint8 with shape (n, {size}, {size}, 3), got {crops.dtype} {crops.shape}")
        network.score(target)  # complains of an unknown one before any work
        step = 1 if self.alone else max(1, batch_size)
        starts = range(0, len(crops), step)
        done, total, found = 0, len(starts) * self.count(network, chosen), []
        for start in starts:
            pixels = network.pixels(crops[start : start + step])
            maps: Maps | None = None
            for part in self.parts(Request(network, pixels, target, chosen)):
                maps = part if maps is None else maps + part
                done += 1
                if on_progress:
                    on_progress(done, total)
                if should_cancel and should_cancel():
                    raise Cancelled
            assert maps is not None
            found.append(self._finished(maps))
        return np.concatenate(found) if found else np.zeros((0, *self._shape(chosen, size)), np.float32)

    def _finished(self, maps: Maps) -> Maps:
        maps = np.nan_to_num(np.asarray(maps, np.float32))
        if not self.signed:
            maps = np.maximum(maps, 0)
        if self.unit == "relative":
            strongest = np.abs(maps).max(axis=(1, 2), keepdims=True)
            maps = maps / np.maximum(strongest, np.finfo(np.float32).tiny)
        return np.ascontiguousarray(maps, dtype=np.float32)

    def _shape(self, layer: MapLayer, size: int) -> tuple[int, int]:
        return layer.size_hw if self.layered else (size, size)


class LogitMethod(Method):
    """A method whose values are evidence in logits, the same for every face."""

    unit: Unit = "logits"
    scale = SCALE_LOGITS


class RelativeMethod(Method):
    """A method whose values mean something within one map only."""

    unit: Unit = "relative"
