"""Reads .keras and .h5 files: the configuration and the numbers in them, and nothing that could run.

Both are HDF5 underneath (a .keras file is a ZIP archive around one), read here with h5py. What could make a reader run
code, read other files or fill the memory is refused first: pickles, links out of the file, archives that swell.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, Any

import h5py
import numpy as np
from numpy.typing import NDArray

from core.detector.graph import Graph, Layer
from core.errors import DetectorError

Weights = Mapping[str, Mapping[str, NDArray[np.float32]]]
"""Layer name -> variable name -> float32 array in Keras's layout."""

Finder = Callable[[Layer, int], Any]
"""Gives the dataset of a layer's n-th variable, None where there is none."""

MAX_BYTES = 1 << 30
MAX_CONFIG_BYTES = 32 << 20
CONFIG_MEMBER, METADATA_MEMBER, WEIGHTS_MEMBER = "config.json", "metadata.json", "model.weights.h5"
PICKLE_SUFFIXES = (".pkl", ".pickle", ".joblib", ".pt", ".pth", ".npy", ".npz", ".dill")
HDF5_MAGIC, ZIP_MAGIC = b"\x89HDF\r\n\x1a\n", b"PK\x03\x04"


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Name the file in every DetectorError that does not yet, and turn what damaged files raise into one."""
    try:
        yield
    except DetectorError as error:
        if path.name in str(error):
            raise
        raise DetectorError(f"{path.name} cannot be used. {error}") from error
    except (OSError, ValueError, KeyError, TypeError, RuntimeError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        reason = f" ({error.strerror})" if isinstance(error, OSError) and error.strerror else ""
        raise DetectorError(
            f"{path.name} is damaged or is no Keras model{reason}: take the original file, or save it again with Keras."
        ) from error


def sha256_of(path: Path) -> str:
    """Hexadecimal hash of a file; remembered for as long as the file does not change."""
    status = path.stat()
    return _sha256(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _sha256(path: Path, _size: int, _modified_ns: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def refuse_pickle(name: str, start: bytes) -> None:
    """Refuse what Python would run code from while reading it, told by its name or its first bytes.

    Raises:
        DetectorError: It is a pickle.
    """
    protocol = len(start) > 1 and start[0] == 0x80 and 2 <= start[1] <= 5
    if protocol or start.startswith((b"(dp0", b"(lp0", b"ccopy_reg")) or name.lower().endswith(PICKLE_SUFFIXES):
        raise DetectorError(
            f'"{name}" is a pickle or may hold one, which can run code while it is read, and so it is never opened: '
            "save the detector with Keras as .keras or .h5."
        )


def read_config(path: Path) -> dict[str, Any]:
    """The Keras configuration of the model in a file.

    Raises:
        DetectorError: The file is missing, damaged, a pickle, or holds weights alone.
    """
    with about(path), _opened(path) as source:
        if isinstance(source, zipfile.ZipFile):
            return _json_object(_member(source, CONFIG_MEMBER))
        if "model_config" not in source.attrs:
            raise DetectorError(
                "It holds weights without their network: save the whole model with model.save(...), not save_weights."
            )
        return _json_object(source.attrs["model_config"])


def read_metadata(path: Path) -> dict[str, Any]:
    """metadata.json of a .keras archive; empty for an .h5 file."""
    with about(path), _opened(path) as source:
        return _json_object(_member(source, METADATA_MEMBER)) if isinstance(source, zipfile.ZipFile) else {}


def read_weights(path: Path, graph: Graph) -> Weights:
    """The variables of every layer of `graph`, as float32.

    Raises:
        DetectorError: Some are missing or are no finite numbers.
    """
    with about(path), _opened(path) as source:
        if not isinstance(source, zipfile.ZipFile):
            return _read_layers(graph, _by_name(source))
        # read whole: HDF5 jumps about, and jumping back within an archive starts it anew
        with _checked_h5(io.BytesIO(source.read(WEIGHTS_MEMBER))) as h5:
            return _read_layers(graph, _by_place(h5))


@contextmanager
def _opened(path: Path) -> Iterator[h5py.File | zipfile.ZipFile]:
    if not path.is_file():
        raise DetectorError("There is no such file: check the path.")
    with path.open("rb") as stream:
        start = stream.read(16)
        refuse_pickle(path.name, start)
        stream.seek(0)
        if start.startswith(ZIP_MAGIC):
            with zipfile.ZipFile(stream) as archive:
                check_archive(archive)
                if not {CONFIG_MEMBER, WEIGHTS_MEMBER} <= set(archive.namelist()):
                    raise DetectorError(
                        "It is an archive, but not one that Keras 3 saved: save it with model.save(...)."
                    )
                yield archive
        elif start.startswith(HDF5_MAGIC):
            with _checked_h5(stream) as h5:
                yield h5
        else:
            raise DetectorError("It is damaged, or neither a .keras nor an .h5 file: save it with Keras again.")


def check_archive(archive: zipfile.ZipFile) -> None:
    """Refuse archives that hold pickles or swell beyond `MAX_BYTES` when unpacked."""
    if sum(member.file_size for member in archive.infolist()) > MAX_BYTES:
        raise DetectorError(f"It unpacks to more than {MAX_BYTES >> 30} GB, which no detector needs.")
    for member in archive.infolist():
        if not member.is_dir():
            with archive.open(member) as stream:
                refuse_pickle(member.filename, stream.read(16))


@contextmanager
def _checked_h5(stream: IO[bytes]) -> Iterator[h5py.File]:
    with h5py.File(stream, "r") as h5:
        # collected first and judged then: h5py does not let an exception through its walk
        links: list[Any] = []
        found: list[Any] = []
        h5.visititems_links(lambda _, link: links.append(link))
        h5.visititems(lambda _, one: found.append(one))
        data = [one for one in found if isinstance(one, h5py.Dataset)]
        elsewhere = any(one.external or one.is_virtual for one in data)
        if elsewhere or not all(isinstance(link, h5py.HardLink) for link in links):
            raise DetectorError("It points to other files, which is not followed: save it again with Keras.")
        if sum(one.nbytes for one in data) > MAX_BYTES:
            raise DetectorError(f"It unpacks to more than {MAX_BYTES >> 30} GB, which no detector needs.")
        yield h5


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    if name not in archive.namelist():
        return b"{}"
    if archive.getinfo(name).file_size > MAX_CONFIG_BYTES:
        raise DetectorError(f"Its {name} is far too large: save it again with Keras.")
    return archive.read(name)


def _json_object(text: bytes | str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except RecursionError as error:
        raise DetectorError("Its description is nested too deep: save it again with Keras.") from error
    if not isinstance(document, dict):
        raise DetectorError("Its description is no JSON object: save it again with Keras.")
    return document


def _by_name(h5: h5py.File) -> Finder:
    """An .h5 model: variables by name. Keras 2 adds ":0", nested models and Keras 3 put groups before the layer."""
    if "model_weights" not in h5:
        raise DetectorError("It holds no weights: save the whole model with model.save(...).")
    found: dict[str, h5py.Dataset] = {}

    def collect(name: str, one: Any) -> None:
        if isinstance(one, h5py.Dataset):
            found["/".join(name.split("/")[-2:]).removesuffix(":0")] = one

    h5["model_weights"].visititems(collect)

    def find(layer: Layer, index: int) -> Any:
        variable = layer.variables[index]
        if layer.kind == "DepthwiseConv2D" and variable == "kernel":  # Keras 2 calls it by its longer name
            return found.get(f"{layer.name}/kernel", found.get(f"{layer.name}/depthwise_kernel"))
        return found.get(f"{layer.name}/{variable}")

    return find


def _by_place(h5: h5py.File) -> Finder:
    """A .keras archive: variables by the place of their layer in its model."""
    return lambda layer, index: h5.get(f"{layer.store_path}vars/{index}")


def _read_layers(graph: Graph, find: Finder) -> Weights:
    return {
        layer.name: {variable: _array(find(layer, i), layer, variable) for i, variable in enumerate(layer.variables)}
        for layer in graph.layers.values()
    }


def _array(found: Any, layer: Layer, variable: str) -> NDArray[np.float32]:
    if not isinstance(found, h5py.Dataset) or found.dtype.kind != "f":
        raise DetectorError(
            f'The weights "{variable}" of its layer "{layer.name}" are missing: save it again with Keras.'
        )
    array = np.asarray(found[()], dtype=np.float32)
    if not np.isfinite(array).all():
        raise DetectorError(f'Its layer "{layer.name}" holds weights that are not numbers: its training has failed.')
    wanted = layer.settings.get("filters", layer.settings.get("units"))
    if variable in ("kernel", "pointwise_kernel") and wanted not in (None, array.shape[-1]):
        raise DetectorError(f'The weights of its layer "{layer.name}" do not fit it: save it again with Keras.')
    return array
