"""Batches are balanced, the same for the same seed, and of the classes and weights that were asked for."""

import cv2
import numpy as np
import pytest
import skimage.data

from core.data.batches import EvalBatches, TrainBatches
from core.data.blend_set import blend_set
from core.data.draw import BLENDED, Draw
from core.data.sample import Sample
from core.errors import Cancelled, DataError

SCALE, OFFSET = 1 / 127.5, -1.0


@pytest.fixture(scope="module")
def crops(tmp_path_factory):
    """Even pictures, one grey level for each class, and real ones that show a face."""
    folder = tmp_path_factory.mktemp("crops")
    for name, level in (("real", 20), ("gan", 120), ("swap", 220)):
        cv2.imwrite(str(folder / f"{name}.png"), np.full((40, 40, 3), level, np.uint8))
    face = skimage.data.astronaut()[60:190, 155:285]
    cv2.imwrite(str(folder / "face.png"), cv2.cvtColor(face, cv2.COLOR_RGB2BGR))
    return folder


def sample(crops, name, label=None, source="a", split="train"):
    return Sample(crops / f"{name}.png", label or name, source, split, name)


def batches(samples, **changes):
    values = {"size": 32, "batch_size": 8, "steps": 4, "blend_share": 0.0, "scale": SCALE, "offset": OFFSET, "seed": 0}
    return TrainBatches(samples, **{**values, **changes})


def test_half_of_each_batch_is_real(crops):
    inputs, labels = batches([sample(crops, "real"), sample(crops, "gan")])[0]
    assert inputs.shape == (8, 32, 32, 3)
    assert labels.shape == (8, 1)
    assert labels.dtype == inputs.dtype == np.float32
    assert labels.sum() == 4
    assert -1 <= inputs.min() <= inputs.max() <= 1
    # the label is that of its picture, whatever augmentation did to it
    assert inputs[labels[:, 0] == 0].mean() < inputs[labels[:, 0] == 1].mean()


def test_seed_epoch_and_index_alone_decide(crops):
    samples = [sample(crops, "real"), sample(crops, "gan")]
    first, again = batches(samples, workers=1), batches(samples, workers=4)
    np.testing.assert_array_equal(first[3][0], again[3][0])
    assert (first[3][0] != first[2][0]).any()
    again.on_epoch_end()
    assert (first[3][0] != again[3][0]).any()
    np.testing.assert_array_equal(again[3][0], batches(samples, epoch=1)[3][0])
    assert (first[3][0] != batches(samples, seed=1)[3][0]).any()


def test_several_classes(crops):
    samples = [sample(crops, name) for name in ("real", "gan", "swap")] + [sample(crops, "face", "real", "b")]
    data = batches(samples, classes=("real", "gan", "swap"), steps=30)
    inputs, labels = (np.concatenate([data[i][part] for i in range(30)]) for part in range(2))
    assert labels.shape == (240, 3)
    assert labels.sum(axis=1).tolist() == [1.0] * 240
    counts = labels.sum(axis=0)
    assert counts[0] == 120
    assert 40 <= counts[1] <= 80  # the kinds of fakes come alike
    levels = [inputs[labels[:, k] == 1].mean() for k in range(3)]
    assert levels == sorted(levels)


def test_a_source_without_both_classes_is_not_drawn(crops):
    samples = [sample(crops, "real"), sample(crops, "gan"), sample(crops, "swap", source="only fakes")]
    data = batches(samples)
    inputs = np.concatenate([data[i][0][1::2] for i in range(4)])
    assert inputs.mean() < 0.4  # "swap" would be 0.7


@pytest.mark.parametrize(
    ("weights", "classes", "expected"),
    [
        ({"real": 3.0}, ("real", "fake"), {"real": 3.0, "gan": 1.0, "swap": 1.0}),
        ({"fake": 2.0}, ("real", "fake"), {"real": 1.0, "gan": 2.0, "swap": 2.0}),  # by the name of the output
        ({"swap": 0.5}, ("real", "fake"), {"real": 1.0, "gan": 1.0, "swap": 0.5}),  # by that of the class in the data
        ({"gan": 4.0}, ("real", "gan", "swap"), {"real": 1.0, "gan": 4.0, "swap": 1.0}),
    ],
)
def test_class_weights(crops, weights, classes, expected):
    data = batches([sample(crops, name) for name in expected], classes=classes, class_weights=weights, steps=20)
    levels = {"real": -0.84, "gan": -0.06, "swap": 0.73}
    found = {name: set() for name in expected}
    for i in range(20):
        inputs, _, given = data[i]
        for picture, weight in zip(inputs, given, strict=True):
            spread = {name: abs(picture.mean() - level) for name, level in levels.items()}
            if min(spread.values()) < 0.1:  # recoloured ones may look like another class
                found[min(spread, key=spread.get)].add(float(weight))
    assert all(expected[name] in values for name, values in found.items())
    assert set().union(*found.values()) == set(expected.values())


def test_fakes_made_from_reals_alone(crops):
    reals = [sample(crops, "face", "real")]
    inputs, labels = batches(reals, blend_share=1.0)[0]
    assert labels[:, 0].tolist() == [0, 1] * 4
    assert np.isfinite(inputs).all()
    inputs, labels = batches(reals, blend_share=0.5, composite_share=0.5, classes=("real", "gan", BLENDED))[0]
    assert labels.sum(axis=0).tolist() == [4, 0, 4]


@pytest.mark.parametrize("weights", [None, {"real": 2.0}])
def test_with_a_grid_made_fakes_say_where_they_were_changed(crops, weights):
    samples = [sample(crops, "face", "real"), sample(crops, "gan")]
    data = batches(samples, blend_share=0.3, composite_share=0.3, grid=4, class_weights=weights, steps=6)
    found = 0
    for inputs, (labels, places), *rest in map(data.__getitem__, range(6)):
        assert places.shape == (8, 4, 4)
        np.testing.assert_allclose(places.sum(axis=(1, 2)), 0, atol=1e-5)
        assert not places[labels[:, 0] == 0].any()
        changed = places.any(axis=(1, 2))
        assert (inputs[changed].std(axis=(1, 2, 3)) > 0.1).all()  # the fakes of the data are even
        found += int(changed.sum())
        assert [one.shape for one in rest[0]] == [(8,), (8,)] if weights else not rest
    assert found > 5


def test_a_composite_of_two_donors_has_the_mask_of_both(crops, monkeypatch):
    monkeypatch.setattr("core.data.draw.SECOND_PART", 1.0)
    draw = Draw([sample(crops, "face", "real")], size=32, composite_share=1.0)
    for seed in range(20):
        fake, real, mask = draw._composite(np.random.default_rng(seed))
        x, y, width, height = cv2.boundingRect((mask > 0).astype(np.uint8))
        outside = np.ones(mask.shape, bool)
        outside[max(0, y - 2) : y + height + 2, max(0, x - 2) : x + width + 2] = False
        assert (fake[outside] == real[outside]).all()


@pytest.mark.parametrize(
    ("names", "share", "sentence"),
    [
        (["face"], 0.5, "both real and fake"),  # some fakes would have to come from the data
        (["gan"], 1.0, "both real and fake"),  # nothing to blend
        (["real"], 1.0, "no faces that can be blended"),  # an even picture shows no face
    ],
)
def test_what_cannot_be_drawn_is_a_sentence(crops, names, share, sentence):
    samples = [sample(crops, name, "real" if name == "face" else None) for name in names]
    with pytest.raises(DataError, match=sentence):
        batches(samples, blend_share=share)[0]


def test_evaluation_keeps_order_and_pixels(crops):
    samples = [sample(crops, name) for name in ("swap", "real", "gan")]
    data = EvalBatches(samples, size=20, scale=1.0, offset=0.0, batch_size=2)
    assert len(data) == 2
    means = [round(float(picture.mean())) for i in range(2) for picture in data[i][0]]
    assert means == [220, 20, 120]


def test_a_vanished_crop_is_named(crops):
    with pytest.raises(DataError, match=r"gone\.png cannot be read any more"):
        EvalBatches([sample(crops, "gone")], size=20, scale=1.0, offset=0.0)[0]


def test_blends_to_validate_on_are_made_once(crops, tmp_path):
    reals = [sample(crops, "face", "real", split="val"), sample(crops, "real", split="val")]  # the second has no face
    pairs = blend_set(reals, tmp_path)
    assert [(one.label, one.split, one.source, one.group) for one in pairs] == [
        ("real", "val", "a", "face"),
        (BLENDED, "val", "a", "face"),
    ]
    real, fake = (cv2.imread(str(one.path)) for one in pairs)
    assert real.shape == fake.shape
    assert (real != fake).any()
    before = [one.path.stat().st_mtime_ns for one in pairs]
    assert blend_set(reals, tmp_path) == pairs
    assert [one.path.stat().st_mtime_ns for one in pairs] == before
    assert not list(tmp_path.rglob("*.part"))
    other = blend_set(reals, tmp_path / "elsewhere")
    np.testing.assert_array_equal(cv2.imread(str(other[1].path)), fake)


def test_nothing_to_blend(crops, tmp_path):
    with pytest.raises(DataError, match="no faces that can be blended"):
        blend_set([sample(crops, "real")], tmp_path)
    with pytest.raises(Cancelled):
        blend_set([sample(crops, "face", "real")], tmp_path, should_stop=lambda: True)
