"""What a GPU machine is sent is what training sees here, and what comes back is the network that was trained there."""

import importlib
import json
import sys

import cv2
import keras
import numpy as np
import pytest
import skimage.data

from benchmarks.gpu import arrays, autoencoders, drawing, learning, pack, rebuild, run, short, train, weights
from benchmarks.gpu import parcels as parcels_of
from benchmarks.recipes import RECIPES
from core.data.draw import Draw, read_crop
from core.data.sample import Sample
from core.detector.network import build_network
from core.errors import DataError
from core.training.checkpoints import load_checkpoint
from core.training.config import TrainConfig
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


def test_rebuilt_faces_are_drawn_once_there_are_some(parcels):
    ring = rebuild.Ring(slots=300)
    train_split = parcels.of("train")
    draw = drawing.Draw(train_split, ring=ring, rebuilt_share=1.0, size=64)
    assert draw(True, np.random.default_rng(0)).label == "fake"
    for number in range(310):  # more than there is room for: the oldest go
        ring.add(np.full((40, 40, 3), number % 256, np.uint8))
    assert {ring.some(np.random.default_rng(seed))[0, 0, 0] for seed in range(99)} <= set(range(10, 256)) | set(
        range(54)
    )
    drawn = draw(True, np.random.default_rng(0))
    assert (drawn.label, drawn.crop.shape, drawn.mask) == ("diffusion", (64, 64, 3), None)
    assert draw(False, np.random.default_rng(0)).label == "real"


def test_autoencoders_learn_from_reals_of_the_train_split(parcels, tmp_path):
    faces = rebuild.Faces(tmp_path / "there")
    assert not faces
    faces.refresh()
    assert faces
    batch = faces.batch(32, np.random.default_rng(0))
    assert batch.shape == (rebuild.BATCH, 32, 32, 3)
    fake = next(one.path for one in parcels.samples if one.fake)
    assert fake not in faces._read


def test_fakes_made_by_hand_keep_their_class(samples):
    made = Sample(samples[0].path, "blended", "dfdc", "train", "9")
    swapped = Sample(samples[0].path, "fake", "dfdc", "train", "9")
    labels = [one.label for one in drawing.samples_of(drawing.Job("kinds", 96, kinds=True), [made, swapped])]
    assert labels == ["blended", "face_swap"]


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
    assert set(RECIPES) - set(names) == {"classic", "norm-folded", *continued}
    jobs = {job.name: job for job in short.JOBS}
    assert jobs["no-blends"].blend == jobs["no-blends"].composite == 0
    assert jobs["crop-.72"].scale == 0.72
    assert jobs["kinds-without-stylegan_ffhq"].classes == ("real", "diffusion", "face_swap", "gan", "blended")
    assert jobs["blends-apart"].classes == ("real", "fake", "blended")
    assert jobs["224px"].size == 224


@pytest.mark.parametrize("units", [1, 5])
def test_weights_travel_there_and_back(tmp_path, units):
    keras.utils.set_random_seed(1)
    model = build_network(96, weights.names(units))
    assert model.output_shape[-1] == units
    arrays.save(tmp_path / "w.npz", weights.arrays_of(model))
    keras.utils.set_random_seed(2)
    other = weights.give(build_network(128, weights.names(units)), arrays.read(tmp_path / "w.npz"))
    for one, two in zip(model.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-3, atol=1e-6)


def test_odds_are_those_of_any_fake():
    logits = np.log(np.float32([[0.7, 0.1, 0.2], [0.2, 0.5, 0.3]]))
    np.testing.assert_allclose(learning.odds(logits), np.log([0.3 / 0.7, 0.8 / 0.2]), rtol=1e-5)
    np.testing.assert_array_equal(learning.odds(np.float32([[1.5], [-2]])), [1.5, -2])


def test_a_run_is_made_of_what_comes_back(tmp_path, samples):
    manifest = tmp_path / "manifest.csv"
    real, fake = samples[0].path, samples[3].path
    manifest.write_text(f"path,label,source,split,group\n{real},real,a,val,1\n{fake},gan,a,val,2\n")
    made = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        made.append(weights.arrays_of(build_network(96, train.MAIN.classes)))
        arrays.save(tmp_path / f"{seed}.npz", made[-1])
    look = {
        "arm": "plain",
        "pictures": 96000,
        "step": 500,
        "seconds": 60.0,
        "val": {"a": 0.9, "b": 0.7, "composites": 0.1},
    }
    (tmp_path / "main.jsonl").write_text(json.dumps(look) + "\n")
    given = [
        "--weights",
        tmp_path / "1.npz",
        tmp_path / "2.npz",
        "--looks",
        *[tmp_path / "main.jsonl"] * 2,
        "--epochs",
        1,
        2,
    ]
    place = ["--data", manifest, "--run", tmp_path / "run"]
    run.main(list(map(str, given + place)))
    config = TrainConfig.load(tmp_path / "run" / "config.json")
    assert (config.input_size, config.batch_size, config.minutes) == (224, 192, 2.0)
    assert (config.epochs, config.epoch_pictures) == (2, 96000)
    lines = [json.loads(line) for line in (tmp_path / "run" / "metrics.jsonl").read_text().splitlines()]
    assert [(line["epoch"], line["step"], line["val_auc"]) for line in lines] == [(1, 500, 0.8), (2, 1000, 0.8)]
    assert lines[0]["val_auc_by_source"] == {"a": 0.9, "b": 0.7}
    network, state = load_checkpoint(tmp_path / "run" / "checkpoints" / "best.keras")
    assert (state.classes, state.averaged) == (train.MAIN.classes, (1, 2))
    kernel = network.get_layer("predictions").get_weights()[0]
    np.testing.assert_allclose(kernel, (made[0]["predictions"][0] + made[1]["predictions"][0]) / 2, atol=1e-3)


@pytest.mark.parametrize("name", ["pack", "weights", "train", "run", "classic", "judge"])
def test_its_commands_say_what_they_take(name, monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", [name, "-h"])
    with pytest.raises(SystemExit, match="0"):
        importlib.import_module(f"benchmarks.gpu.{name}").main()
    told = capsys.readouterr().out
    assert "--out" in told or "--run" in told or "--share" in told


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


def test_a_sharp_step_leaves_statistics_and_moves_weights_once():
    torch = pytest.importorskip("torch", reason="PyTorch is for GPU machines without TensorFlow")
    from benchmarks.gpu.xception import Xception

    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    crops = torch.from_numpy(rng.integers(0, 256, (4, 96, 96, 3), dtype=np.uint8))
    grid = drawing.grid_of(96)
    batch = learning.Batch(0, crops, torch.tensor([0, 1, 2, 1]), torch.zeros(4, grid, grid))
    net = Xception(3).fresh()
    before = [one.detach().clone() for one in net.parameters()]
    trainer = learning.Trainer(net, torch.device("cpu"), 1e-3, 0.0, reach=0.05)
    net.train()
    trainer.learn(batch, 0.0, 1, 0.0)
    with net.statistics_held():
        kept = [one.clone() for one in net.buffers()]
        net(learning.floats(crops))
        assert all(torch.equal(one, two) for one, two in zip(kept, net.buffers(), strict=True))
    moved = max(float((one - two).abs().max()) for one, two in zip(before, net.parameters(), strict=True))
    assert 0 < moved < 1.2e-3  # the step's rate; what was tried on the way is taken back


@pytest.mark.parametrize("make", autoencoders.MAKES)
def test_an_autoencoder_rebuilds_what_it_is_given(make):
    torch = pytest.importorskip("torch", reason="PyTorch is for GPU machines without TensorFlow")
    from benchmarks.gpu.xception import Xception

    torch.manual_seed(0)
    crops = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    learning_one = autoencoders.Autoencoder(make, torch.device("cpu"), autoencoders.sight(Xception().fresh().eval()))
    for _ in range(2):
        rebuilt = learning_one.step(crops)
    assert (rebuilt.shape, rebuilt.dtype, learning_one.steps) == (crops.shape, np.uint8, 2)
    assert not learning_one.ready
