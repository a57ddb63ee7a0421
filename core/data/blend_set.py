"""Self-blends to validate and test on, where the data hold reals alone: made once, and always the same."""

import hashlib
import uuid
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np

from core.data.dataset import Sample
from core.data.draw import BLENDED, blendable, read_crop
from core.data.self_blend import self_blend
from core.errors import Cancelled, DataError, SetupError
from core.faces.landmarks import default_mesh
from core.media import encode_image

VERSION = 1
"""Part of a blend's name: raise it when self-blending changes."""
BLENDS = "blends"


def blend_set(samples: Sequence[Sample], cache: Path, *, should_stop: Callable[[], bool] | None = None) -> list[Sample]:
    """For each real face crop a pair: the blend's real partner, and the blend. Both are files of the same making.

    The partner and not the crop itself stands for the real class: else the transform alone would tell them apart.

    Args:
        samples: Face crops of reals.
        cache: Where the pictures are kept, named by the crop's content.
        should_stop: Asked before each crop.

    Returns:
        Reals and fakes with their crop's source, split and group; crops without a face mesh are left out.

    Raises:
        DataError: No crop shows a face that can be blended.
        SetupError: The cache cannot be written.
        Cancelled: `should_stop` said so.
    """
    mesh, folder = default_mesh(), cache / BLENDS

    def pair(sample: Sample) -> list[Sample]:
        if should_stop and should_stop():
            raise Cancelled
        digest = hashlib.sha256(sample.path.read_bytes()).hexdigest()[:32]
        real, fake = (folder / f"{digest}-{VERSION}-{kind}.png" for kind in ("real", "fake"))
        if not (real.exists() and fake.exists()):
            face = blendable(read_crop(sample.path), mesh)
            if face is None:
                return []
            made = self_blend(*face, np.random.default_rng(int(digest, 16)))
            for path, picture in ((real, made.real), (fake, made.fake)):
                half = path.with_suffix(f".{uuid.uuid4().hex}.part")
                half.write_bytes(encode_image(picture, "png"))
                half.replace(path)
        return [replace(sample, path=real), replace(sample, path=fake, label=BLENDED)]

    try:
        folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor() as pool:
            pairs = [one for both in pool.map(pair, samples) for one in both]
    except OSError as error:
        raise SetupError(f"Nothing can be written to {folder} ({error.strerror}): make room there.") from error
    if samples and not pairs:
        raise DataError("The real pictures show no faces that can be blended: bring fake ones, or other real ones.")
    return pairs
