"""What a GPU machine is sent is what training sees here, and what comes back is the network that was trained there."""

import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest
import skimage.data

from benchmarks.gpu import arrays, drawing, learning, pack, short, weights
from benchmarks.gpu import parcels as parcels_of
from benchmarks.recipes import RECIPES
from core.data.draw import Draw, read_crop
from core.data.sample import Sample
from core.detector.network import build_network
from core.errors import DataError
from core.training.localise import MARGIN
from core.training.loop import OFFSET, SCALE


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    """Real faces with a mesh and without, a large one, and a fake."""
    folder = tmp_path_factory.mktemp("crops")
    face = cv2.cvtColor(skimage.data.astronaut()[60:190, 155:285], cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(folder / "face.png"), face)
    cv2.imwrite(str(folder / "large.png"), cv2.resize(face, (500, 500)))
    cv2.imwrite(str(folder / "grey.png"), np.full((90, 90, 3), 90, np.uint8))
    cv2.imwrite(str(folder / "fake.jpg"), np.full((224, 224, 3), 200, np.uint8))
    return [
        Sample(folder / "face.png", "real", "a", "train", "1"),
        Sample(folder / "large.png", "real", "a", "train", "2"),
        Sample(folder / "grey.png", "real", "a", "train", "3"),
        Sample(folder / "fake.jpg", "fake", "a", "train", "4"),
        Sample(folder / "face.png", "real", "a", "val", "5"),
    ]


@pytest.fixture
def parcels(samples, tmp_path):
    members = [pack.pack_one(one) for one in samples]
    pack.write(tmp_path / "part0.tar", members[:3])
    pack.write(tmp_path / "part1.tar", members[3:])
    parcels_of.unpack(tmp_path, tmp_path / "there")
    found = parcels_of.Parcels(tmp_path / "there")
    assert found.refresh()
    assert not found.refresh()
    return found


def test_parcels_hold_the_same_pixels(samples, parcels):
    assert [(s.label, s.source, s.split, s.group) for s in parcels.samples] == [
        (s.label, s.source, s.split, s.group) for s in samples
    ]
    there = [read_crop(one.path) for one in parcels.samples]
    np.testing.assert_array_equal(there[0], read_crop(samples[0].path))
    assert there[1].shape == (224, 224, 3)
    assert parcels.samples[3].path.read_bytes() == samples[3].path.read_bytes()


def test_meshes_come_with_real_faces_only(parcels):
    face, large, grey, fake, _ = (parcels.face(one.path) for one in parcels.samples)
    assert face is not None
    assert large is not None
    assert grey is None
    assert fake is None
    crop, points = face
    assert points.shape == (468, 2)
    inner, moved = parcels.face(parcels.samples[0].path, scale=0.72)
    np.testing.assert_array_equal(inner, crop)  # read_crop is not set up for another scale here
    np.testing.assert_array_equal(moved, points)


def test_a_narrower_crop_moves_its_mesh(parcels):
    path = parcels.samples[0].path
    whole, points = parcels.face(path)
    job = drawing.Job("narrow", 128, scale=0.72)
    try:
        drawing.set_up(job)
        inner, moved = parcels.face(path, job.scale)
    finally:
        drawing.set_up(drawing.Job("usual", 128))
    cut = (whole.shape[0] - inner.shape[0]) // 2
    assert cut > 5
    np.testing.assert_array_equal(inner, whole[cut : cut + len(inner), cut : cut + len(inner)])
    np.testing.assert_allclose(moved, points - cut)


def test_pictures_are_drawn_from_them(parcels):
    train = parcels.of("train")
    draw = Draw(train, size=64, blend_share=0.5, composite_share=0.5, faces=parcels.face)
    drawn = [draw(True, np.random.default_rng(seed)) for seed in range(6)]
    assert all(one.crop.shape == (64, 64, 3) and one.mask is not None for one in drawn)
    with pytest.raises(DataError, match="no faces that can be blended"):
        Draw(train, size=64, blend_share=1.0, faces=lambda path: None)(True, np.random.default_rng(0))


def test_shuffled_parcels_are_filled_in_order_and_fakes_bounded(samples):
    many = [samples[0]] * 20 + [samples[3]] * 50
    chosen = pack.order(many, fakes=10)
    assert sum(one.fake for one in chosen) == 10
    packed = [pack.pack_one(one) for one in samples[:1] * 9]
    parts = list(pack.parcels(iter(packed), [2 * packed[0].size, 3 * packed[0].size]))
    assert [len(part) for part in parts] == [2, 3]


def test_grids_are_those_of_the_network():
    for size in (96, 128, 160, 224):
        assert build_network(size).get_layer("avg_pool").input.shape[1] == drawing.grid_of(size)


def test_what_it_repeats_of_the_core_is_the_same():
    assert learning.MARGIN == MARGIN
    assert SCALE == 1 / 127.5  # and an offset of -1: `learning.floats`
    assert OFFSET == -1


def test_short_runs_are_those_of_the_recipes():
    names = [job.name for job in short.JOBS if job.seed == 0]
    assert len(names) == len(set(names)) == len(short.JOBS) / 2
    continued = {name for name in RECIPES if "continued" in name}
    assert set(RECIPES) - set(names) == {"classic", "norm-folded", "blends-apart", *continued}
    jobs = {job.name: job for job in short.JOBS}
    assert jobs["no-blends"].blend == jobs["no-blends"].composite == 0
    assert jobs["crop-.72"].scale == 0.72
    assert jobs["kinds-without-stylegan_ffhq"].classes == ("real", "diffusion", "face_swap", "gan", "blended")


def test_weights_travel_there_and_back(tmp_path):
    keras.utils.set_random_seed(1)
    model = build_network(96)
    arrays.save(tmp_path / "w.npz", weights.arrays_of(model))
    keras.utils.set_random_seed(2)
    other = weights.give(build_network(128), arrays.read(tmp_path / "w.npz"))
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-6)


def test_its_commands_say_what_they_take():
    for name in ("pack", "weights", "train"):
        command = [sys.executable, "-m", f"benchmarks.gpu.{name}", "-h"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "--out" in done.stdout


def test_the_network_is_the_same_in_pytorch():
    torch = pytest.importorskip("torch", reason="PyTorch is for GPU machines without TensorFlow")
    from benchmarks.gpu.xception import Xception

    keras.utils.set_random_seed(3)
    model = build_network(96)
    there = Xception().load(weights.arrays_of(model)).eval()
    x = np.random.default_rng(0).uniform(-1, 1, (2, 96, 96, 3)).astype(np.float32)
    with torch.no_grad():
        logits, _ = there(torch.from_numpy(x).permute(0, 3, 1, 2))
    np.testing.assert_allclose(torch.sigmoid(logits), model.predict(x, verbose=0), atol=1e-5)
    back = there.arrays()
    for name, several in weights.arrays_of(model).items():
        for one, two in zip(several, back[name], strict=True):
            np.testing.assert_array_equal(one, two)
