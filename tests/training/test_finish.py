"""A run's best checkpoint becomes a detector: calibrated on val, measured, described, and loadable by name."""

import json
from dataclasses import replace
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
import skimage.data

from core.data.sample import Sample
from core.detector import load_detector
from core.detector.artifact import load_spec, save_artifact
from core.detector.network import attach_head
from core.detector.spec import DetectorSpec
from core.errors import TrainingError
from core.evaluation import Scored
from core.faces import Face
from core.training import finish as finishing
from core.training import judging
from core.training.ancestry import ancestor_of, licence_of
from core.training.callbacks import Stopped
from core.training.checkpoints import State, save_checkpoint
from core.training.config import TrainConfig
from tests.training.tiny import Watcher


class WholeFinder:
    """Takes every picture for one large face."""

    def find(self, rgb, **_):
        height, width = rgb.shape[:2]
        return [Face((0.0, 0.0, float(width), float(height)), 0.9)]


def brightness_network(size, *_, **__):
    """Calls bright pictures fake: logit = 4 × mean of the preprocessed pixels."""
    inputs = keras.Input((size, size, 3))
    features = keras.layers.Conv2D(2, 8, strides=8, name="block14_sepconv2_act")(inputs)
    network = attach_head(inputs, features, ("real", "fake"))
    network.get_layer("block14_sepconv2_act").set_weights([np.full((8, 8, 3, 2), 1 / 192, np.float32), np.zeros(2)])
    network.get_layer("predictions").set_weights([np.full((2, 1), 2.0, np.float32), np.zeros(1)])
    return network


@pytest.fixture
def run(tmp_path, monkeypatch):
    rng = np.random.default_rng(0)
    for split, count in (("train", 2), ("val", 30), ("test", 12)):
        for label, level in (("Real", 110), ("Fake", 145)):
            folder = tmp_path / "data" / split / label
            folder.mkdir(parents=True)
            for i in range(count):
                shade = np.clip(rng.normal(level, 15), 30, 250)
                noise = rng.normal(shade, 25, (96, 96, 3)).clip(0, 255).astype(np.uint8)
                cv2.imwrite(str(folder / f"{i}.png"), noise)
    run = tmp_path / "run"
    (run / "checkpoints").mkdir(parents=True)
    brightness_network(80).save(run / "checkpoints/best.keras")
    (run / "metrics.jsonl").write_text(json.dumps({"epoch": 1, "val_auc": 0.9, "elapsed_s": 60}) + "\n")
    monkeypatch.setattr(judging, "default_finder", WholeFinder)
    return run


def test_finish(run, tmp_path):
    config = TrainConfig(data=(str(tmp_path / "data"),), name="bright", input_size=80, licence="CC0")
    watch = Watcher()
    folder = finishing.finish(run, config, tmp_path / "cache", watch=watch)
    told = [(one["phase"], one["total"]) for one in watch.told if one.get("done") and one["done"] == one["total"]]
    assert told == [("calibrating", 60), ("measuring", 24)]  # each picture is judged once
    detector = load_detector(folder)
    spec = detector.spec
    assert (spec.name, spec.input_size, spec.licence) == ("bright", 80, "CC0")
    # 35 levels apart at a spread of 15: AUC Φ(35 / 15√2) = .95
    assert 0.85 < spec.metrics["test"]["all"]["auc"] <= 1.0
    assert spec.metrics["test"]["data"]["real"] == 12
    # chosen on val: at most 5 % of its reals are called fake, and of its fakes real
    assert spec.metrics["val"]["all"]["real_called_fake"] <= 0.05
    assert spec.metrics["val"]["all"]["fake_called_real"] <= 0.05
    assert spec.calibration.slope != 1.0
    assert spec.video_calibration not in (None, spec.calibration)  # frames are judged by one view
    assert str(tmp_path) not in (folder / "model.json").read_text()  # nothing of the user's folders gets out
    card = (folder / "MODEL_CARD.md").read_text()
    assert "Limits first" in card
    assert f"{spec.metrics['test']['data']['auc']:.3f}" in card
    assert "CC0" in card
    by_video = spec.metrics["by_video_thresholds"]["test"]["data"]
    assert by_video["real_called_fake"] >= spec.metrics["test"]["data"]["real_called_fake"]
    assert "| test, single pictures judged as frames, by these | real called fake |" in card


@pytest.mark.parametrize("fakes", [3, 0])
def test_what_so_few_test_pictures_cannot_tell_is_a_dash(run, tmp_path, fakes):
    for path in sorted((tmp_path / "data/test/Fake").iterdir())[fakes:]:
        path.unlink()
    config = TrainConfig(data=(str(tmp_path / "data"),), input_size=80)
    folder = finishing.finish(run, config, tmp_path / "cache")
    text = (folder / "model.json").read_text()
    assert "NaN" not in text  # which is no JSON
    assert json.loads(text)["metrics"]["test"]["all"]["auc_95"] == [None, None]
    card = (folder / "MODEL_CARD.md").read_text()
    assert "| – |" in card
    assert "nan" not in card.lower()
    assert "None" not in card


def test_reals_alone_are_judged_by_blends_and_the_card_says_so(run, tmp_path, monkeypatch):
    data = tmp_path / "reals"
    face = cv2.cvtColor(skimage.data.astronaut()[60:190, 155:285], cv2.COLOR_RGB2BGR)
    for split, count in (("train", 1), ("val", 4), ("test", 3)):
        (data / split / "Real").mkdir(parents=True)
        for i in range(count):
            cv2.imwrite(str(data / split / "Real" / f"{split}{i}.png"), np.roll(face, 2 * i, axis=1))
    monkeypatch.setattr("core.data.prepare.is_tight_source", lambda *_: True)
    config = TrainConfig(data=(str(data),), input_size=80, self_blend=1.0)
    folder = finishing.finish(run, config, tmp_path / "cache")
    spec = load_detector(folder).spec
    assert [spec.metrics[split]["all"][kind] for split in ("val", "test") for kind in ("real", "fake")] == [4, 4, 3, 3]
    card = (folder / "MODEL_CARD.md").read_text()
    assert "The data hold no fakes. Those of the val and test split were made" in card
    assert "| reals | 1 | 0 |" in card


def test_videos_are_judged_by_the_faces_in_their_frames(run, tmp_path, monkeypatch):
    (tmp_path / "data/val/Real/clip.mp4").write_bytes(b"film")
    asked = []

    def frames(samples, cache, *, frames_per_video, **_):
        asked.extend(sample.path.name for sample in samples)
        crop = tmp_path / "data/val/Real/0.png"
        return [replace(one, path=crop, time_s=float(t)) for one in samples for t in range(frames_per_video)]

    monkeypatch.setattr(finishing, "prepare", frames)
    config = TrainConfig(data=(str(tmp_path / "data"),), input_size=80, frames_per_video=5)
    folder = finishing.finish(run, config, tmp_path / "cache")
    assert asked == ["clip.mp4"]
    assert load_detector(folder).spec.metrics["val"]["all"]["real"] == 30 + 5


def test_stop_while_it_is_measured(run, tmp_path):
    watch = Watcher()
    watch.stop_requested = lambda: any(fields.get("done") == 5 for fields in watch.told)
    with pytest.raises(Stopped):
        finishing.finish(run, TrainConfig(data=(str(tmp_path / "data"),), input_size=80), tmp_path / "c", watch=watch)


def test_exports_are_written_and_old_ones_go(run, tmp_path):
    config = TrainConfig(data=(str(tmp_path / "data"),), input_size=80, export=("openvino",))
    export = finishing.finish(run, config, tmp_path / "cache") / "export"
    assert (export / "model.xml").is_file()
    finishing.finish(run, replace(config, export=("h5",)), tmp_path / "cache")
    assert sorted(path.name for path in export.iterdir()) == ["model.h5", "model.txt"]


def test_the_classes_are_those_of_the_checkpoint(run, tmp_path):
    inputs = keras.Input((80, 80, 3))
    features = keras.layers.Conv2D(2, 8, strides=8, name="block14_sepconv2_act")(inputs)
    network = attach_head(inputs, features, ("real", "gan", "swap"))
    save_checkpoint(network, run / "checkpoints/best.keras", State(classes=("real", "gan", "swap")))
    folder = finishing.finish(run, TrainConfig(data=(str(tmp_path / "data"),), input_size=80), tmp_path / "cache")
    assert load_detector(folder).spec.classes == ("real", "gan", "swap")


def test_no_checkpoint_and_no_faces_are_sentences(run, tmp_path):
    config = TrainConfig(data=(str(tmp_path / "data"),), input_size=80)
    sample = Sample(tmp_path / "x.png", "fake", "data", "val", "x")
    with pytest.raises(TrainingError, match="real validation pictures"):
        finishing.calibrated(DetectorSpec(name="x", input_size=80), [Scored(sample, "fake", 0.9, 2.0)])
    (run / "checkpoints/best.keras").unlink()
    with pytest.raises(TrainingError, match="No epoch has ended"):
        finishing.finish(run, config, tmp_path / "cache")


def test_no_source_s_reals_are_called_fake_too_often():
    """Pooled, the few reals of a hard source would drown among those of an easy one."""
    rng = np.random.default_rng(0)
    scored = []
    for source, count, reals_at in (("easy", 400, -3.0), ("hard", 60, 0.0)):
        for label, middle in (("real", reals_at), ("fake", 3.0)):
            sample = Sample(Path("x.png"), label, source, "val", "g")
            scored += [Scored(sample, "uncertain", 0.5, float(logit)) for logit in rng.normal(middle, 1, count)]
    spec = finishing.calibrated(DetectorSpec(name="x", input_size=80), scored)
    for source in ("easy", "hard"):
        logits = np.array([one.logit for one in scored if one.sample.source == source and not one.sample.fake])
        probabilities = 1 / (1 + np.exp(-(spec.calibration.slope * logits + spec.calibration.intercept)))
        assert (probabilities >= spec.thresholds.fake_above).mean() <= 0.05
    assert 0.6 <= spec.limits(video=True).fake_above < spec.thresholds.fake_above
    assert spec.limits(video=True).real_below == spec.thresholds.real_below


def test_the_card_names_the_views_of_a_still_and_a_source_whose_promise_was_not_kept():
    from core.detector.spec import CropSpec
    from core.training.model_card import model_card

    figures = {
        "real": 100, "fake": 100, "no_face": 0, "auc": 0.9, "auc_95": [0.8, 0.95],
        "real_called_fake": 0.02, "fake_called_real": 0.04, "uncertain": 0.3, "ece": 0.05, "ece_95": [0.01, 0.09],
    }  # fmt: skip
    val = {"all": figures, "good": figures, "scans": {**figures, "real_called_fake": 0.33}}
    spec = DetectorSpec(
        name="d",
        input_size=32,
        mirrored=True,
        crop=CropSpec(0.81, wide=0.88, corner=0.74),
        metrics={"date": "today", "command": "x", "val": val},
        training={"pictures": {}, "settings": {}, "epochs": 1, "minutes": 1, "best_epoch": 1},
    )
    card = model_card(spec)
    assert "the mean of eight views: the crop and a wider one of 0.88, each mirrored too" in card
    assert "That could not be kept for scans (33.0 %)." in card
    assert "Source by source: good 0.050 [0.010, 0.090], scans 0.050 [0.010, 0.090]." in card
    plain = model_card(
        DetectorSpec.from_dict(
            {
                **spec.to_dict(),
                "crop": {"scale": 0.81},
                "metrics": {**spec.metrics, "val": {"all": figures, "good": figures}},
            }
        )
    )
    assert "judged mirrored too" in plain
    assert "could not be kept" not in plain
    assert "promises little" not in plain
    few = {**spec.metrics, "val": {"all": {**figures, "real": 19}}}
    small = model_card(DetectorSpec.from_dict({**spec.to_dict(), "metrics": few}))
    assert "With 19 reals and 100 fakes there that promises little: take at least 20 of each." in small


def test_what_it_began_from_passes_on_its_licence(run, tmp_path):
    parent = tmp_path / "parent"
    spec = DetectorSpec(name="parent", input_size=80, licence="Research only")
    save_artifact(parent, brightness_network(80), spec)
    (parent / "LICENSE").write_text("The whole text.")
    config = TrainConfig(data=(str(tmp_path / "data"),), name="child", input_size=80, init=str(parent))
    folder = finishing.finish(run, config, tmp_path / "cache")
    child = load_spec(folder)
    assert child.licence == "Research only"
    assert child.training["started_from"]["name"] == "parent"
    assert (folder / "LICENSE").read_text() == "The whole text."
    assert "It started from the weights of parent" in (folder / "MODEL_CARD.md").read_text()
    assert licence_of(replace(config, licence="CC0"), ancestor_of(config)) == (
        "CC0. Begun from parent, whose licence holds as well: Research only"
    )


@pytest.mark.parametrize("init", ["none", "imagenet", "nowhere.weights.h5"])
def test_what_began_from_no_detector_inherits_nothing(init):
    config = TrainConfig(init=init)
    assert ancestor_of(config) is None
    assert licence_of(config, None) == config.licence
