"""A whole small run: two phases, its folder, its records; stopped, killed and resumed it goes the same way."""

import shutil
import threading
import zipfile

import cv2
import keras
import numpy as np
import pytest
import skimage.data

from core.data.sample import Sample
from core.errors import Cancelled, DataError, TrainingError
from core.training import checkpoints, initial, loop
from core.training.callbacks import Stopped
from core.training.checkpoints import State
from core.training.epochs import Keeper
from core.training.validation import Judged
from tests.training.tiny import Watcher, build, lines, made_up, settings


@pytest.fixture
def data(tmp_path):
    return made_up(tmp_path / "data")


@pytest.fixture(autouse=True)
def tiny(monkeypatch, tmp_path):
    monkeypatch.setattr(initial, "build_network", build)
    monkeypatch.setattr("core.data.prepare.is_tight_source", lambda *_: True)
    monkeypatch.setenv("DEEPFAKE_HOME", str(tmp_path / "home"))


def fit(config, run, watch=None, resume=False):
    return loop.fit(config, run, run.parent / "cache", resume=resume, watch=watch or Watcher())


def curve(run):
    return [(line["epoch"], line["step"], line["phase"], line["loss"], line["val_auc"]) for line in lines(run)]


def same(first, second):
    assert [point[:3] for point in first] == [point[:3] for point in second]
    np.testing.assert_allclose([point[3:] for point in first], [point[3:] for point in second], atol=1e-3)


def test_a_run_learns_and_leaves_its_folder(data, tmp_path):
    watch, run = Watcher(), tmp_path / "run"
    best = fit(settings(data, head_epochs=2), run, watch)
    history = lines(run)
    assert [(line["epoch"], line["phase"], line["step"]) for line in history] == [
        (1, "head", 5),
        (2, "head", 10),
        (3, "training", 15),
        (4, "training", 20),
        (5, "training", 25),
    ]
    assert history[-1]["val_auc"] > 0.95
    assert history[-1]["val_auc_by_source"] == {"data": history[-1]["val_auc"]}
    assert history[-1]["loss"] < history[0]["loss"]
    assert history[-1]["learning_rate"] < 0.005  # the cosine has come down
    assert history[-1]["classes"] == ["real", "fake"]
    assert np.sum(history[-1]["confusion"]) == 12
    assert keras.models.load_model(best).output_shape == (None, 1)
    assert not list((run / "checkpoints").glob("*.part*")) + list((run / "checkpoints").glob(".*"))
    assert {"head", "training", "preparing"} <= {told.get("phase") for told in watch.told}
    batches = [told for told in watch.told if "loss" in told]
    assert [told["step"] for told in batches] == list(range(1, 26))
    wanted = {"phase", "epoch", "epochs", "steps_total", "learning_rate", "images_per_s", "elapsed_s", "eta_s"}
    assert all(wanted <= set(told) for told in batches)
    assert batches[-1]["steps_total"] == 25
    assert batches[-1]["eta_s"] < batches[-5]["eta_s"] + 1


def test_folded_it_learns_resumes_and_leaves_a_usual_network(data, tmp_path):
    config, run = settings(data, batch_norm="fold", epochs=4), tmp_path / "run"
    whole = fit(config, tmp_path / "whole")
    with pytest.raises(Stopped):
        fit(config, run, Watcher(stop_after=12))
    assert not any(is_normalised(run / "checkpoints/last.keras"))
    best = fit(config, run, resume=True)
    same(curve(run), curve(whole.parents[1]))
    assert curve(run)[-1][4] > 0.95
    assert any(is_normalised(best))  # what others open: finish, --init, exports


def test_on_one_core_pictures_are_not_made_in_tensorflows_own_thread(data, tmp_path, monkeypatch):
    seen = []
    kept = loop.TrainBatches.__getitem__
    monkeypatch.setattr(loop, "cores", lambda: 1)
    monkeypatch.setattr(
        loop.TrainBatches,
        "__getitem__",
        lambda self, index: (seen.append(threading.current_thread().name), kept(self, index))[1],
    )
    fit(settings(data, epochs=1), tmp_path / "run")
    assert seen
    assert not any(name.startswith("Dummy") for name in seen)  # what Python calls a thread that it did not start


def is_normalised(path):
    return [isinstance(layer, keras.layers.BatchNormalization) for layer in keras.models.load_model(path).layers]


def test_what_is_wrong_with_the_data_is_said_before_training(data, tmp_path, capsys):
    shutil.copy(data / "train/Real/trainReal0.png", data / "train/Fake/same.png")
    loop.fit(settings(data, epochs=1), tmp_path / "run", tmp_path / "cache")
    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith("warning: ")]
    assert any("same.png" in line or "in both" in line or "classes" in line for line in told), told


def test_the_frozen_rest_stays_as_it_is_while_the_head_learns(data, tmp_path):
    config = settings(data, head_epochs=2, epochs=0, head_learning_rate=0.05)
    keras.utils.set_random_seed(config.seed)
    before = build(71, dropout=config.dropout)
    after = keras.models.load_model(fit(config, tmp_path / "run"))
    convolution = [model.layers[1].get_weights()[0] for model in (before, after)]
    np.testing.assert_array_equal(*convolution)
    assert not np.allclose(before.layers[-1].get_weights()[0], after.layers[-1].get_weights()[0])
    moving = [model.layers[2].get_weights() for model in (before, after)]
    np.testing.assert_array_equal(moving[0], moving[1])  # batch normalisation as well


@pytest.mark.parametrize(
    ("changes", "stop_after"),
    [
        ({"head_epochs": 3, "epochs": 2}, 8),  # while the head learns: its optimizer goes on as well
        ({"ema": 0.9, "dropout": 0.5}, 12),  # so do the mean of the weights and the chance in the network
        # in the first batch of the second phase; a network with two outputs is trained, the one with one is saved
        ({"localise": 0.5, "head_epochs": 1, "epochs": 2, "class_weights": ("real=1.5",)}, 6),
        ({"patience": 1, "epochs": 6, "learning_rate": 1e-6}, 7),  # ends early at the same epoch
    ],
)
def test_stopped_and_resumed_it_continues_the_same_curve(data, tmp_path, changes, stop_after):
    config = settings(data, **changes)
    fit(config, tmp_path / "whole")
    run = tmp_path / "stopped"
    with pytest.raises(Stopped):
        fit(config, run, Watcher(stop_after))
    done = stop_after // 5
    assert [line["epoch"] for line in lines(run)] == list(range(1, done + 1))
    fit(config, run, resume=True)
    same(curve(tmp_path / "whole"), curve(run))
    # and once it has ended, it is not trained any further
    assert fit(config, run, resume=True).is_file()
    same(curve(tmp_path / "whole"), curve(run))


def test_what_was_written_beyond_the_checkpoint_is_dropped(data, tmp_path):
    config, run = settings(data), tmp_path / "run"
    with pytest.raises(Stopped):
        fit(config, run, Watcher(7))
    with (run / "metrics.jsonl").open("a") as file:  # killed between the line and its checkpoint, and within a line
        file.write('{"epoch": 2, "step": 10, "val_auc": 1.0}\n{"epoch": 3, "st')
    with (run / "batches.jsonl").open("a") as file:
        file.write('{"step": 9}\n')
    fit(config, run, resume=True)
    assert [line["step"] for line in lines(run)] == [5, 10, 15]
    steps = [line["step"] for line in lines(run, "batches.jsonl")]
    assert steps == sorted(set(steps))


def test_a_full_disk_leaves_the_last_checkpoint_whole(data, tmp_path, monkeypatch):
    config, run = settings(data), tmp_path / "run"
    plain = keras.Model.save

    def full(model, path, **options):
        plain(model, path, **options)
        if lines(run)[-1]["epoch"] == 2 and ".last" in str(path):
            raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch, pytest.raises(OSError, match="No space"):
        patch.setattr(keras.Model, "save", full)
        fit(config, run)
    assert not list((run / "checkpoints").glob(".*"))
    assert checkpoints.read_state(run / "checkpoints/last.keras").epoch == 1
    fit(config, run, resume=True)
    assert [line["epoch"] for line in lines(run)] == [1, 2, 3]


def test_a_run_from_before_there_were_phases_goes_on(data, tmp_path):
    config, run = settings(data), tmp_path / "run"
    with pytest.raises(Stopped):
        fit(config, run, Watcher(12))
    last = run / "checkpoints/last.keras"
    with zipfile.ZipFile(last) as archive:
        members = {name: archive.read(name) for name in archive.namelist() if name != checkpoints.STATE_MEMBER}
    with zipfile.ZipFile(last, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    (run / "checkpoints/state.json").write_text('{"epoch": 2, "step": 10, "elapsed_s": 3.5, "best": 0.5}')
    assert checkpoints.read_state(last) == State("training", 2, 10, 2, 10, 3.5, 0.5)
    fit(config, run, resume=True)
    assert [line["epoch"] for line in lines(run)] == [1, 2, 3]


def test_patience_ends_a_run_that_gains_no_more(data, tmp_path):
    # a rate so low that nothing changes: the first epoch stays the best
    fit(settings(data, epochs=9, learning_rate=1e-9, patience=2), tmp_path / "run")
    assert [line["epoch"] for line in lines(tmp_path / "run")] == [1, 2, 3]


def test_the_mean_of_the_weights_is_what_is_judged_and_kept(data, tmp_path):
    config = settings(data, ema=0.5, epochs=1)
    best = keras.models.load_model(fit(config, tmp_path / "run"))
    last = keras.models.load_model(tmp_path / "run/checkpoints/last.keras")
    mean = last.optimizer._model_variables_moving_average[0]
    np.testing.assert_allclose(best.layers[1].get_weights()[0], mean, atol=1e-5)
    assert not np.allclose(last.layers[1].get_weights()[0], mean, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "classes", "side"),
    [
        ({}, ["real", "faceswap", "gan"], 3),  # the data have several kinds of fakes
        ({"multi_class": "no"}, ["real", "fake"], 1),
    ],
)
def test_several_classes(tmp_path, changes, classes, side):
    data = made_up(tmp_path / "data", ("Real", "GAN", "FaceSwap"))
    config = settings(data, epochs=2, class_weights=("gan=2",), **changes)
    best = fit(config, tmp_path / "run")
    assert keras.models.load_model(best).output_shape == (None, side)
    last = lines(tmp_path / "run")[-1]
    assert last["classes"] == classes
    assert np.array(last["confusion"]).shape == (len(classes), len(classes))
    assert checkpoints.read_state(best).classes == tuple(classes)


def test_reals_alone_are_enough_when_every_fake_is_made(tmp_path):
    face = cv2.cvtColor(skimage.data.astronaut()[60:190, 155:285], cv2.COLOR_RGB2BGR)
    for split in ("train", "val"):
        (tmp_path / "data" / split / "Real").mkdir(parents=True)
        for i in range(3):
            cv2.imwrite(str(tmp_path / "data" / split / "Real" / f"{split}{i}.png"), np.roll(face, 3 * i, axis=1))
    config = settings(tmp_path / "data", self_blend=1.0, epochs=1, epoch_pictures=8)
    fit(config, tmp_path / "run")
    (line,) = lines(tmp_path / "run")
    assert np.sum(line["confusion"], axis=1).tolist() == [3, 3]
    with pytest.raises(DataError, match="only real pictures"):
        fit(settings(tmp_path / "data", self_blend=0.5), tmp_path / "other")


def test_a_loss_that_is_no_number_ends_the_run_in_words(data, tmp_path, monkeypatch):
    def broken(*arguments, **options):
        model = build(*arguments, **options)
        model.layers[1].set_weights([np.full((3, 3, 3, 4), np.nan, np.float32)])
        return model

    monkeypatch.setattr(initial, "build_network", broken)
    with pytest.raises(TrainingError, match="no number any more"):
        fit(settings(data), tmp_path / "run")


def test_nothing_to_resume_from(data, tmp_path):
    with pytest.raises(TrainingError, match="no checkpoint"):
        fit(settings(data), tmp_path / "run", resume=True)
    (tmp_path / "run/checkpoints/last.keras").write_bytes(b"PK\x03\x04 half")
    with pytest.raises(TrainingError, match="no checkpoint"):
        fit(settings(data), tmp_path / "run", resume=True)


def test_only_unusable_faces(data, tmp_path, monkeypatch):
    monkeypatch.setattr(loop, "prepare", lambda samples, *_, **__: [s for s in samples if not s.fake])
    with pytest.raises(DataError, match="train split has lost a class"):
        fit(settings(data), tmp_path / "run")


def test_a_batch_larger_than_the_data_draws_pictures_again(data, tmp_path):
    fit(settings(data, batch_size=64, epoch_pictures=64, epochs=1), tmp_path / "run")
    assert lines(tmp_path / "run")[0]["step"] == 1


def test_stop_while_faces_are_prepared(data, tmp_path):
    watch = Watcher()
    watch.stop_requested = lambda: any(told.get("phase") == "preparing" for told in watch.told)
    with pytest.raises(Cancelled):
        fit(settings(data), tmp_path / "run", watch)
    assert not (tmp_path / "run/metrics.jsonl").exists()


def test_the_first_epoch_is_the_best_so_far_even_when_all_are_wrong(tmp_path):
    samples = [Sample(tmp_path / label, label, "data", "val", label) for label in ("real", "fake")]
    judged = Judged(samples, ("real", "fake"), np.array([[0.9], [0.1]], np.float32))
    keeper = Keeper(tmp_path, settings(tmp_path), State(), [], Watcher())
    figures = {"loss": 1.0, "learning_rate": 0.1, "images_per_s": 1.0}
    assert [keeper.write(judged, figures) for _ in range(2)] == [True, False]
    assert keeper.state.best_epoch == 1
