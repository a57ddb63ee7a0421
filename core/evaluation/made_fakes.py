"""Fakes of which it is known where they were made: real faces, blended by us, and the masks of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Sample
from core.errors import DataError, MediaError
from core.explain.faithfulness import in_mask
from core.faces import FaceFinder, find_faces_or_tight
from core.faces.crop import cut_face, resize_crop
from core.faces.landmarks import default_mesh
from core.media import load_image

if TYPE_CHECKING:
    from core.data.self_blend import Blend, Points, Rgb
    from core.detector.engine import Detector

TRIES = 8
"""Fakes made for each one that is wanted, before those that the detector does not find are taken as well."""
CALLED_FAKE = 0.5
LARGEST_MASK = 1 / 3
"""Share of the crop; into a mask that covers more, a map by chance would point as well."""


@dataclass(frozen=True)
class MadeFake:
    """One face, manipulated in a known place.

    Attributes:
        crop: uint8 (s, s, 3), as the detector sees it.
        mask: (s, s) float32, how much of each pixel comes from elsewhere, 0..1.
        fake_probability: What the detector says, calibrated.
    """

    crop: NDArray[np.uint8]
    mask: NDArray[np.float32]
    fake_probability: float


def make_fakes(
    samples: Sequence[Sample],
    detector: Detector,
    finder: FaceFinder,
    count: int,
    *,
    seed: int = 0,
    on_progress: Callable[[int], None] | None = None,
) -> tuple[list[MadeFake], int]:
    """Self-blends and composites of real pictures drawn by chance, as far as the detector calls them fake.

    A map can only be asked where a manipulation is if the detector has seen it. Where too few of its fakes are found,
    the most suspicious of the others make up the number. Each real picture serves up to twice, and no more.

    Args:
        samples: Real pictures among others; videos are left alone.
        detector: Whose crops they become, and who judges them.
        finder: Finds the faces.
        count: How many are wanted.
        seed: Of all chance.
        on_progress: Told how many were found.

    Returns:
        The fakes, and how many were made for them.

    Raises:
        DataError: There are no real pictures with a face that can be blended.
    """
    found: list[MadeFake] = []
    others: list[MadeFake] = []
    made = 0
    for blend in _blends(samples, detector, finder, seed):
        one = _judged(blend, detector)
        if in_mask(one.mask).mean() > LARGEST_MASK:
            continue
        made += 1
        (found if one.fake_probability > CALLED_FAKE else others).append(one)
        if on_progress:
            on_progress(min(len(found), count))
        if len(found) == count or made == TRIES * count:
            break
    if not made:
        raise DataError("There is no real picture with a face that can be blended: explanations are measured on those.")
    others.sort(key=lambda one: -one.fake_probability)
    return [*found, *others][:count], made


def _blends(samples: Sequence[Sample], detector: Detector, finder: FaceFinder, seed: int) -> Iterator[Blend]:
    from core.data.composite import composite
    from core.data.draw import blendable
    from core.data.self_blend import self_blend

    rng, mesh = np.random.default_rng(seed), default_mesh()
    reals = [sample for sample in samples if not sample.fake and not sample.is_video]
    random.Random(seed).shuffle(reals)
    donors: dict[str, tuple[Rgb, Points]] = {}  # by source: a part from elsewhere would be told by its resolution alone
    for sample in reals:
        crop = _crop(sample, detector, finder)
        face = None if crop is None else blendable(crop, mesh)
        if face is None:
            continue
        yield self_blend(*face, rng)
        if donor := donors.get(sample.source):
            yield composite(*face, *donor, rng)
        donors[sample.source] = face


def _crop(sample: Sample, detector: Detector, finder: FaceFinder) -> NDArray[np.uint8] | None:
    try:
        rgb = load_image(sample.path).rgb
    except MediaError:
        return None
    faces = find_faces_or_tight(rgb, finder)
    return cut_face(rgb, faces[0], detector.spec.crop.scale) if faces else None


def _judged(blend: Blend, detector: Detector) -> MadeFake:
    size = detector.spec.input_size
    crop = resize_crop(blend.fake, size)
    mask = cv2.resize(blend.mask, (size, size), interpolation=cv2.INTER_AREA)
    logit = detector.predict(crop[None]).logits
    return MadeFake(crop, np.asarray(mask, np.float32), float(detector.probability(logit)[0]))
