"""From pictures to face crops, by the very functions that detection uses; crops are cached by content."""

import hashlib
import os
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from core.data.dataset import Sample
from core.errors import MediaError
from core.faces import FaceFinder, default_finder, find_faces_or_tight
from core.faces.crop import cut_face, tight_face
from core.media import encode_image, load_image

TIGHT_PROBES = 60
TIGHT_MAJORITY = 0.9


def face_crop(
    rgb: NDArray[np.uint8], finder: FaceFinder, scale: float, tight: bool | None = None
) -> NDArray[np.uint8] | None:
    """The crop of the largest face in the picture's own pixels, or None where there is no face."""
    faces = find_faces_or_tight(rgb, finder, tight=tight)
    if not faces:
        return None
    return cut_face(rgb, max(faces, key=lambda face: face.box_xyxy[3] - face.box_xyxy[1]), scale)


def is_tight_source(samples: Sequence[Sample], finder: FaceFinder) -> bool:
    """Whether a source consists of tight crops, told from a random few: one rule for all its pictures and classes."""
    probes = random.Random(0).sample(list(samples), min(TIGHT_PROBES, len(samples)))
    return sum(tight_face(load_image(s.path).rgb, finder) is not None for s in probes) >= TIGHT_MAJORITY * len(probes)


def prepare(
    samples: Sequence[Sample],
    cache: Path,
    *,
    scale: float,
    finder: FaceFinder | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> list[Sample]:
    """Samples whose paths are face crops.

    Sources that are tight crops already keep their files. The others' faces are cropped once into `cache`, named by
    the picture's content and the crop scale, so a second call, or one after a kill, only does what is missing.

    Returns:
        The samples that have a face, in the given order.
    """
    finder = finder or default_finder()
    cache.mkdir(parents=True, exist_ok=True)
    by_source: dict[str, list[Sample]] = defaultdict(list)
    for sample in samples:
        by_source[sample.source].append(sample)
    tight = {source: is_tight_source(members, finder) for source, members in by_source.items()}

    def crop(sample: Sample) -> Sample | None:
        if tight[sample.source]:
            return sample
        target = _cached_crop(sample.path, cache, scale, finder)
        return replace(sample, path=target) if target else None

    kept: list[Sample] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for done, result in enumerate(pool.map(crop, samples), 1):
            if result:
                kept.append(result)
            if on_progress:
                on_progress(done, len(samples))
    return kept


def _cached_crop(path: Path, cache: Path, scale: float, finder: FaceFinder) -> Path | None:
    try:
        data = path.read_bytes()
        target = cache / f"{hashlib.sha256(data).hexdigest()[:32]}-{scale:.3f}.png"
        if target.exists():
            return target if target.stat().st_size else None  # empty: looked at before, no face
        crop = face_crop(load_image(data, name=path.name).rgb, finder, scale, tight=False)
    except (OSError, MediaError):
        return None
    partial = target.with_suffix(f".{os.getpid()}.part")
    partial.write_bytes(b"" if crop is None else encode_image(crop, "png"))
    partial.replace(target)
    return None if crop is None else target
