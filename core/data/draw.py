"""Training pictures by chance: balanced over classes and sources, augmented, and fakes made from reals."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from core.data.augment import MEAN_PART, augment, augment_both
from core.data.composite import composite, likeness
from core.data.retouch import retouch
from core.data.sample import REAL, Sample
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

Face = tuple[Rgb, Points]
"""A crop, and its mesh in the crop's pixels."""


def read_crop(path: Path) -> NDArray[np.uint8]:
    """A prepared crop as RGB uint8 (h, w, 3)."""
    bgr = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if bgr is None:
        raise DataError(f"The face crop {path.name} cannot be read any more: prepare the data again.")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB)


def seen_crop(path: Path, size: int) -> NDArray[np.uint8]:
    """What a detector judges of a prepared crop: its middle, as RGB uint8 (size, size, 3)."""
    return resize_crop(middle(read_crop(path), MEAN_PART), size)


class Drawn(NamedTuple):
    """A training picture uint8 (size, size, 3), its class, and where it was changed, (h, w) 0..1, if that is known."""

    crop: Rgb
    label: str
    mask: NDArray[np.float32] | None


class Draw:
    """Draws pictures, half of them real. What is drawn depends on the generator alone.

    Args:
        samples: Face crops of the train split.
        size: Side of a picture in pixels.
        blend_share: Share of the fakes that are self-blended from real crops, 0..1.
        composite_share: Share of the fakes that are put together from two real crops.
        retouch_share: Share of the fakes that are real crops retouched by hand's means. The three make at most 1, and
            where they make 1 the samples need no fakes.
        source_weights: By how much a source is drawn more often than the root of its size says.
        faces: Gives a real crop and its mesh, or None where no face is seen; looked for each time if not given.
    """

    def __init__(
        self,
        samples: Sequence[Sample],
        *,
        size: int,
        blend_share: float = 0.0,
        composite_share: float = 0.0,
        retouch_share: float = 0.0,
        source_weights: Mapping[str, float] | None = None,
        faces: Callable[[Path], Face | None] | None = None,
    ) -> None:
        made = blend_share + composite_share + retouch_share
        self._pools, self._weights = _by_source(samples, source_weights or {}, needs_fakes=made < 1)
        self._size, self._blend_share = size, blend_share
        self._composite_up_to, self._made_up_to = blend_share + composite_share, made
        self._mesh: FaceMesh | None = default_mesh() if made and not faces else None
        self._faces = faces or self._looked_for

    def __call__(self, fake: bool, rng: Generator) -> Drawn:
        """One picture."""
        chance = rng.random()
        if fake and chance < self._made_up_to:
            made = self._made(chance, rng)
            picture, mask = augment_both(made.fake, made.mask, self._size, rng)
            return Drawn(picture, BLENDED, mask)
        if not fake and chance < self._blend_share / 3:  # some real partners too, as in the paper
            crop, label = self_blend(*self._real_face(rng), rng).real, REAL
        else:
            sample = self._choose(fake, rng)
            crop, label = read_crop(sample.path), sample.label
        return Drawn(augment(crop, self._size, rng), label, None)

    def _made(self, chance: float, rng: Generator) -> Blend:
        if self._blend_share <= chance < self._composite_up_to:
            return self._composite(rng)
        make = self_blend if chance < self._blend_share else retouch
        return make(*self._real_face(rng), rng)

    def _looked_for(self, path: Path) -> Face | None:
        assert self._mesh is not None
        return blendable(read_crop(path), self._mesh)

    def _choose(self, fake: bool, rng: Generator, source: int | None = None) -> Sample:
        kinds = self._pools[fake][rng.choice(len(self._weights), p=self._weights) if source is None else source]
        if len(kinds) == 1:
            return kinds[0][rng.integers(len(kinds[0]))]
        roots = np.array([len(kind) ** SOURCE_BALANCE for kind in kinds])
        kind = kinds[rng.choice(len(kinds), p=roots / roots.sum())]
        return kind[rng.integers(len(kind))]

    def _real_face(self, rng: Generator, source: int | None = None) -> Face:
        for _ in range(MOST_TRIES):
            face = self._faces(self._choose(False, rng, source).path)
            if face:
                return face
        raise DataError(
            "The real pictures show no faces that can be blended: set self_blend, composite and retouch to 0."
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

    def _donor(self, points: Points, source: int, rng: Generator) -> Face:
        donors = [self._real_face(rng, source) for _ in range(DONORS)]
        return min(donors, key=lambda face: likeness(points, face[1]))


def blendable(crop: Rgb, mesh: FaceMesh) -> Face | None:
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
