"""Indexing: manifests, class folders, splits by group, and data that cannot be used."""

import cv2
import numpy as np
import pytest

from core.data.batches import EvalBatches, TrainBatches
from core.data.dataset import Sample, index_data
from core.data.prepare import face_crop, prepare
from core.errors import DataError
from core.faces import Face, crop_face
from core.faces.crop import resize_crop


def picture(path, seed=0, size=(40, 40)):
    path.parent.mkdir(parents=True, exist_ok=True)
    noise = np.random.default_rng(seed).integers(0, 256, (*size, 3), np.uint8)
    cv2.imwrite(str(path), noise)
    return path


def test_class_folders_of_any_case_and_depth(tmp_path):
    picture(tmp_path / "train/Real/a.png")
    picture(tmp_path / "train/FAKE/deep/b.png")
    picture(tmp_path / "val/real/c.png")
    picture(tmp_path / "val/fake/d.png")
    (tmp_path / "train/Real/notes.txt").write_text("not a picture")
    picture(tmp_path / "train/other/e.png")
    found = {(s.path.name, s.label, s.split) for s in index_data([tmp_path])}
    assert found == {
        ("a.png", "real", "train"),
        ("b.png", "fake", "train"),
        ("c.png", "real", "val"),
        ("d.png", "fake", "val"),
    }


def test_without_split_folders_the_split_is_drawn_and_stays(tmp_path):
    for i in range(60):
        picture(tmp_path / "Real" / f"r{i}.png")
        picture(tmp_path / "Fake" / f"f{i}.png")
    first, again = index_data([tmp_path]), index_data([tmp_path])
    assert first == again
    assert {s.split for s in first} == {"train", "val", "test"}
    assert 80 <= sum(s.split == "train" for s in first) <= 112


def test_manifest(tmp_path):
    (tmp_path / "manifest.csv").write_text(
        "path,label,source,split,group\n"
        'x/1.jpg,Real,a,train,g1\nx/2.jpg,Fake,a,train,g1\n"x/3, odd.jpg",real,b,val,g2\nx/4.jpg,fake,b,val,g2\n'
    )
    samples = index_data([tmp_path])
    assert [(s.path.name, s.label, s.source, s.split, s.group) for s in samples][2] == (
        "3, odd.jpg",
        "real",
        "b",
        "val",
        "g2",
    )
    assert [s.fake for s in samples] == [False, True, False, True]


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([], "No pictures were found"),  # empty
        (["train/Real/a.png", "val/Real/b.png"], "has no fake pictures"),  # one class
        (["train/Fake/a.png", "val/Fake/b.png"], "has no real pictures"),  # the other
        (["train/Real/a.png", "train/Fake/b.png"], "The val split"),  # nothing to check on
    ],
)
def test_unusable_folders(tmp_path, files, sentence):
    for name in files:
        picture(tmp_path / name)
    with pytest.raises(DataError, match=sentence):
        index_data([tmp_path])


def test_missing_folder_and_wrong_manifest(tmp_path):
    with pytest.raises(DataError, match="There is no folder"):
        index_data([tmp_path / "nowhere"])
    (tmp_path / "manifest.csv").write_text("file,class\na,b\n")
    with pytest.raises(DataError, match="columns path, label and split"):
        index_data([tmp_path])


class HeadFinder:
    """Sees one face in the middle of every picture that is brighter than black."""

    calls = 0

    def find(self, rgb, **_):
        HeadFinder.calls += 1
        h, w = rgb.shape[:2]
        return [Face((w * 0.3, h * 0.3, w * 0.7, h * 0.7), 0.9)] if rgb.max() else []


def test_prepare_crops_once_and_drops_what_has_no_face(tmp_path):
    samples = [Sample(picture(tmp_path / f"{i}.png", i, (100, 100)), "real", "s", "train", str(i)) for i in range(3)]
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((50, 50, 3), np.uint8))
    samples.append(Sample(tmp_path / "black.png", "real", "s", "train", "black"))
    (tmp_path / "broken.png").write_bytes(b"no picture")
    samples.append(Sample(tmp_path / "broken.png", "real", "t", "train", "broken"))
    with pytest.raises(Exception, match="broken"):
        prepare(samples, tmp_path / "cache", scale=0.88, finder=HeadFinder())  # a source that is nothing but broken
    kept = prepare(samples[:4], tmp_path / "cache", scale=0.88, finder=HeadFinder())
    assert len(kept) == 3
    assert cv2.imread(str(kept[0].path)).shape == (35, 35, 3)  # 0.88 × 40
    before = HeadFinder.calls
    assert prepare(samples[:4], tmp_path / "cache", scale=0.88, finder=HeadFinder()) == kept
    assert HeadFinder.calls - before <= 4  # the look whether they are tight crops; none is cropped again


def test_prepared_crops_are_what_detection_cuts(tmp_path):
    path = picture(tmp_path / "a.png", 3, (120, 90))
    rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    finder = HeadFinder()
    (face,) = finder.find(rgb)
    crop = face_crop(rgb, finder, 0.88, tight=False)
    assert (resize_crop(crop, 32) == crop_face(rgb, face, scale=0.88, size=32)).all()


@pytest.fixture
def balanced(tmp_path):
    samples = []
    for i in range(6):
        for label in ("real", "fake"):
            path = tmp_path / f"{label}{i}.png"
            cv2.imwrite(str(path), np.full((40, 40, 3), 40 if label == "real" else 220, np.uint8))
            samples.append(Sample(path, label, "s", "train", str(i)))
    return samples


def test_train_batches_are_half_and_half_and_repeatable(balanced):
    options = {"size": 32, "batch_size": 8, "steps": 3, "blend_share": 0.0, "scale": 1 / 127.5, "offset": -1.0}
    batches = TrainBatches(balanced, **options, seed=1)
    inputs, labels = batches[0]
    assert inputs.shape == (8, 32, 32, 3)
    assert inputs.dtype == np.float32
    assert labels.sum() == 4
    # dark pictures are the reals: the labels belong to their pictures whatever the augmentation did
    means = inputs.mean(axis=(1, 2, 3))
    assert means[labels[:, 0] == 0].max() < means[labels[:, 0] == 1].min()
    assert (TrainBatches(balanced, **options, seed=1)[0][0] == inputs).all()
    batches.on_epoch_end()
    assert (batches[0][0] != inputs).any()
    assert (TrainBatches(balanced, **options, seed=1, epoch=1)[0][0] == batches[0][0]).all()


def test_eval_batches_keep_order_and_cover_the_rest(balanced):
    batches = EvalBatches(balanced, size=32, scale=1.0, offset=0.0, batch_size=5)
    parts = [batches[i][0] for i in range(len(batches))]
    assert [len(part) for part in parts] == [5, 5, 2]
    assert np.concatenate(parts)[:, 0, 0, 0].tolist() == [40.0, 220.0] * 6
