"""A network's weights as arrays in Keras's layout by layer name: what travels."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, list[NDArray[np.float32]]]
"""`{"block2_sepconv1": [depthwise, pointwise], ...}`; shortcuts, which Keras does not name, are shortcut0 and so on."""


def save(path: Path, arrays: Arrays) -> None:
    """To an npz; kernels as float16, vectors as they are."""
    np.savez(
        path,
        **{
            f"{name}/{place}": one.astype(np.float16 if one.ndim > 1 else np.float32)
            for name, several in arrays.items()
            for place, one in enumerate(several)
        },
    )


def read(path: Path) -> Arrays:
    """From an npz."""
    found: Arrays = {}
    with np.load(path) as stored:
        for key in sorted(stored.files):
            found.setdefault(key.split("/")[0], []).append(stored[key].astype(np.float32))
    return found
