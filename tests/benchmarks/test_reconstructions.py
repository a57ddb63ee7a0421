"""PyTorch files read without PyTorch, the autoencoder made of them, and the pairs of pictures."""

import csv
import io
import pickle
import sys
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.autoencoder import LATENTS, SHRINKS, _Layers, decoder_of, encoder_of
from benchmarks.reconstructions import LARGEST, STEP, main, noise_for, pairs, small, write
from benchmarks.torch_file import read_tensors
from core.data.sample import Sample
from core.errors import DetectorError


class Storage:
    def __init__(self, key: str, values: NDArray[np.float32]) -> None:
        self.key, self.values = key, values


class Tensor:
    def __init__(self, storage: Storage, size: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.parts = storage, 0, size, strides, False, OrderedDict()

    def __reduce__(self) -> Any:
        return sys.modules["torch._utils"]._rebuild_tensor_v2, self.parts


@pytest.fixture
def save(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Writes a file as `torch.save` does."""
    torch, utils = ModuleType("torch"), ModuleType("torch._utils")

    def rebuild() -> None: ...

    rebuild.__module__, rebuild.__qualname__, rebuild.__name__ = "torch._utils", *["_rebuild_tensor_v2"] * 2
    kind = type("FloatStorage", (), {"__module__": "torch"})
    utils._rebuild_tensor_v2, torch.FloatStorage = rebuild, kind
    monkeypatch.setitem(sys.modules, "torch", torch)
    monkeypatch.setitem(sys.modules, "torch._utils", utils)

    class Pickler(pickle.Pickler):
        def persistent_id(self, obj: Any) -> Any:
            return ("storage", kind, obj.key, "cpu", obj.values.size) if isinstance(obj, Storage) else None

    def write_file(content: Mapping[str, Any], name: str = "weights.pth") -> Path:
        path, file, tensors, storages = tmp_path / name, io.BytesIO(), OrderedDict(), []
        for key, value in content.items():
            if isinstance(value, np.ndarray):
                storages.append(Storage(str(len(storages)), np.ascontiguousarray(value, np.float32)))
                strides = tuple(step // 4 for step in storages[-1].values.strides)
                value = Tensor(storages[-1], value.shape, strides)
            tensors[key] = value
        Pickler(file, protocol=2).dump(tensors)
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("weights/data.pkl", file.getvalue())
            for one in storages:
                archive.writestr(f"weights/data/{one.key}", one.values.tobytes())
        return path

    return write_file


def test_tensors_are_read_as_they_were_saved(save: Any) -> None:
    given = {"0.weight": np.arange(24, dtype=np.float32).reshape(2, 3, 4), "0.bias": np.array([0.5], np.float32)}
    read = read_tensors(save(given))
    assert list(read) == list(given)
    for name, values in given.items():
        np.testing.assert_array_equal(read[name], values)


def test_what_is_no_file_of_tensors_is_refused_and_never_run(save: Any, tmp_path: Path) -> None:
    other = tmp_path / "other.pth"
    other.write_bytes(b"no archive")
    for path, words in (
        (other, "is no PyTorch file of tensors"),
        (tmp_path / "missing.pth", "is no PyTorch file of tensors"),
        (save({"0.weight": Path("/")}, "code.pth"), "holds something else than tensors: pathlib"),
    ):
        with pytest.raises(DetectorError, match=words):
            read_tensors(path)


ENCODER = {
    "convs": {0: 3, 2: 8, 6: 8, 10: 8, 14: 8},
    "residuals": (1, 3, 4, 5, 7, 8, 9, 11, 12, 13),
    "detours": (11, 12, 13),
}
DECODER = {
    "convs": {1: LATENTS, 7: 8, 12: 8, 17: 8, 19: 8},
    "residuals": (3, 4, 5, 8, 9, 10, 13, 14, 15, 18),
    "detours": (3, 4, 5),
}


def tensors(plan: Mapping[str, Any], out: int) -> dict[str, NDArray[np.float32]]:
    """Weights of an autoencoder of 8 channels, a normalised detour in the blocks of the smallest maps.

    Args:
        plan: Places in PyTorch's sequence: of convolutions with their channels, of blocks, of those with a detour.
        out: Channels that come out.
    """
    rng = np.random.default_rng(0)
    made: dict[str, NDArray[np.float32]] = {}

    def conv(name: str, given: int, channels: int, kernel: int = 3) -> None:
        made[f"{name}.weight"] = rng.normal(0, 0.1, (channels, given, kernel, kernel)).astype(np.float32)

    last = max(plan["convs"])
    for place, given in plan["convs"].items():
        conv(f"{place}", given, out if place == last else 8)
        made[f"{place}.bias"] = np.zeros(out if place == last else 8, np.float32)
    for place in plan["residuals"]:
        for part in (0, 2, 4):
            conv(f"{place}.conv.{part}", 8, 8)
    for place in plan["detours"]:
        conv(f"{place}.pool.0", 8, 32, 1)
        made.update({f"{place}.pool.1.{part}": np.ones(32, np.float32) for part in ("weight", "bias")})
        conv(f"{place}.pool.3", 32, 8, 1)
    return made


def test_the_networks_take_and_give_what_they_say() -> None:
    latents = encoder_of(tensors(ENCODER, LATENTS)).predict(np.zeros((2, 32, 48, 3), np.float32), verbose=0)
    assert latents.shape == (2, 4, 6, LATENTS)
    assert decoder_of(tensors(DECODER, 3)).predict(latents, verbose=0).shape == (2, 32, 48, 3)


def test_a_convolution_that_halves_begins_with_the_first_pixel_as_pytorch_does() -> None:
    """Keras's own padding would begin with the second, and shift the picture."""
    middle = np.zeros((32, 8, 3, 3), np.float32)
    middle[:, 0, 1, 1] = 1
    layers = _Layers({"0.weight": middle})
    given = keras.Input((4, 6, 8))
    picture = np.random.default_rng(0).random((1, 4, 6, 8)).astype(np.float32)
    halved = layers.model(given, layers.conv(given, stride=2)).predict(picture, verbose=0)
    np.testing.assert_allclose(halved[..., 0], picture[:, ::2, ::2, 0], atol=1e-6)


def test_files_that_are_not_there_are_said_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "none.pth")
    monkeypatch.setattr("sys.argv", ["", "--encoder", missing, "--decoder", missing, "--out", str(tmp_path / "out")])
    with pytest.raises(SystemExit):
        main()
    assert "none.pth is no PyTorch file of tensors" in capsys.readouterr().err


def test_weights_of_another_network_are_refused() -> None:
    given = tensors(ENCODER, LATENTS)
    with pytest.raises(DetectorError, match=r"99\.weight has no place"):
        encoder_of({**given, "99.weight": given["0.weight"]})
    with pytest.raises(DetectorError, match=r"1\.weight is missing"):
        decoder_of({})


def test_pictures_become_smaller_by_chance_and_never_larger() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        picture = small(np.zeros((224, 160, 3), np.uint8), rng)
        assert picture.shape[0] % STEP == picture.shape[1] % STEP == 0
        assert 112 - STEP <= picture.shape[0] <= 224
    assert max(small(np.zeros((900, 3000, 3), np.uint8), rng).shape) <= LARGEST


def test_pairs_are_written_with_what_they_are(tmp_path: Path) -> None:
    samples = []
    for number, size in enumerate(((64, 64), (64, 96), (64, 64))):
        path = tmp_path / f"face{number}.png"
        Image.new("RGB", size, (90, 20, 200)).save(path)
        samples.append(Sample(path, "real", "web", "val", f"person{number}"))
    given: list[tuple[int, ...]] = []

    def rebuild(pictures: NDArray[np.uint8], noise: NDArray[np.float32]) -> NDArray[np.uint8]:
        given.append((pictures.shape, noise.shape))
        return 255 - pictures

    rng = np.random.default_rng(0)
    assert write(tmp_path / "out", pairs(samples, rebuild, rng), rng) == 3
    assert all(noise[1:] == (shape[1] // SHRINKS, shape[2] // SHRINKS, LATENTS) for shape, noise in given)
    with (tmp_path / "out" / "manifest.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [(row["label"], row["group"]) for row in rows[:2]] == [("real", "person0"), ("diffusion", "person0")]
    assert {(row["source"], row["split"]) for row in rows} == {("web", "val")}
    real, fake = (np.asarray(Image.open(tmp_path / "out" / row["path"])) for row in rows[:2])
    assert real.shape == fake.shape
    assert real[..., 2].mean() > 190
    assert fake[..., 2].mean() < 65


def test_noise_disturbs_most_pictures_and_not_all() -> None:
    noise = noise_for(np.zeros((200, 16, 16, 3), np.uint8), np.random.default_rng(0))
    still = (noise == 0).all(axis=(1, 2, 3)).mean()
    assert 0.3 < still < 0.5
