"""Reads the tensors of a PyTorch file (.pth) without PyTorch, and without running what stands in it."""

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from core.errors import DetectorError

KINDS = {"FloatStorage": np.dtype("<f4"), "HalfStorage": np.dtype("<f2")}


class _Kind(NamedTuple):
    dtype: np.dtype[Any]


def read_tensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """The state dict of a file as `torch.save` has written since version 1.6: name to array.

    Raises:
        DetectorError: It is no such file, or holds something else than 16- and 32-bit tensors.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            pickled = next(name for name in archive.namelist() if name.endswith("/data.pkl"))
            folder = pickled.removesuffix("data.pkl") + "data/"
            with archive.open(pickled) as file:
                found = _Unpickler(file, lambda key: archive.read(folder + key)).load()
        return {str(name): np.asarray(tensor, np.float32) for name, tensor in found.items()}
    except (OSError, zipfile.BadZipFile, StopIteration, KeyError, ValueError, AttributeError, TypeError) as error:
        raise DetectorError(f"{path.name} is no PyTorch file of tensors: {error}.") from error
    except (pickle.UnpicklingError, EOFError) as error:
        raise DetectorError(f"{path.name} holds something else than tensors: {error}.") from error


class _Unpickler(pickle.Unpickler):
    """Knows tensors, their storages and ordered dicts; anything else is refused."""

    def __init__(self, file: Any, read: Callable[[str], bytes]) -> None:
        super().__init__(file)
        self._read = read

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _tensor
        if module == "torch" and name in KINDS:
            return _Kind(KINDS[name])
        raise pickle.UnpicklingError(f"{module}.{name} is not read")

    def persistent_load(self, pid: Any) -> NDArray[Any]:
        _, kind, key, *_ = pid
        return np.frombuffer(self._read(key), kind.dtype)


def _tensor(storage: NDArray[Any], offset: int, size: Sequence[int], stride: Sequence[int], *_: Any) -> NDArray[Any]:
    if offset + sum((n - 1) * step for n, step in zip(size, stride, strict=True)) >= len(storage):
        raise ValueError("a tensor reaches beyond its storage")
    return as_strided(storage[offset:], size, [step * storage.itemsize for step in stride])
