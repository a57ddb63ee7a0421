"""What is said of the validation faces after an epoch, against scikit-learn and by hand."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import confusion_matrix, log_loss, roc_auc_score

from core.data.sample import Sample
from core.errors import TrainingError
from core.training.config import TrainConfig
from core.training.validation import Judged, check_weights, class_names

KINDS = ("real", "gan", "swap")


def judged(count=60, several=False, seed=0):
    rng = np.random.default_rng(seed)
    labels = [KINDS[i] for i in rng.integers(0, 3, count)]
    samples = [Sample(Path(f"{i}.png"), label, "ab"[i % 2], "val", str(i)) for i, label in enumerate(labels)]
    if several:
        return Judged(samples, KINDS, rng.dirichlet(np.ones(3), count).astype(np.float32))
    return Judged(samples, ("real", "fake"), rng.random((count, 1)).astype(np.float32))


@pytest.mark.parametrize("several", [False, True])
def test_figures_agree_with_scikit_learn(several):
    one = judged(several=several)
    fake = np.array([sample.fake for sample in one.samples])
    scores = 1 - one.outputs[:, 0] if several else one.outputs[:, 0]
    truth = [KINDS.index(sample.label) for sample in one.samples] if several else fake.astype(int)
    probabilities = one.outputs if several else np.stack([1 - one.outputs[:, 0], one.outputs[:, 0]], axis=1)
    for offset, source in enumerate("ab"):
        assert one.aucs()[source] == pytest.approx(roc_auc_score(fake[offset::2], scores[offset::2]))
    assert one.loss() == pytest.approx(log_loss(truth, probabilities / probabilities.sum(1, keepdims=True)), rel=1e-4)
    assert one.confusion() == confusion_matrix(truth, probabilities.argmax(1)).tolist()


def test_sources_of_one_class_each_are_judged_together():
    samples = [Sample(Path("x"), label, label, "val", "x") for label in ("real", "gan")]
    one = Judged(samples, ("real", "fake"), np.array([[0.2], [0.7]], np.float32))
    assert one.aucs() == {"all": 1.0}


def test_a_class_that_no_face_is_of_has_its_row_all_the_same():
    samples = [Sample(Path("x"), "real", "a", "val", "x")]
    one = Judged(samples, (*KINDS, "blended"), np.array([[0.1, 0.2, 0.3, 0.4]], np.float32))
    assert one.confusion() == [[0, 0, 0, 1], [0] * 4, [0] * 4, [0] * 4]


def test_the_most_wrong_faces_come_first():
    labels, outputs = ["real", "fake", "real", "fake", "fake"], [0.6, 0.1, 0.99, 0.4, 0.9]
    samples = [Sample(Path(f"{i}.png"), label, "a", "val", str(i)) for i, label in enumerate(labels)]
    one = Judged(samples, ("real", "fake"), np.array(outputs, np.float32)[:, None])
    assert [row["path"] for row in one.mistakes()] == ["2.png", "1.png", "0.png", "3.png"]  # 4 is right
    assert one.mistakes(1) == [{"path": "2.png", "label": "real", "fake_probability": 0.99}]


@pytest.mark.parametrize(
    ("labels", "setting", "blends", "expected"),
    [
        (("real", "fake"), "auto", True, ("real", "fake")),
        (("real", "gan"), "yes", True, ("real", "fake")),  # two are two, whatever their names
        (KINDS, "auto", False, KINDS),
        (KINDS, "auto", True, (*KINDS, "blended")),  # made fakes are a class of their own
        (KINDS, "no", True, ("real", "fake")),
        (("real",), "auto", True, ("real", "fake")),  # reals alone
    ],
)
def test_what_the_outputs_mean(labels, setting, blends, expected):
    assert class_names(labels, setting, blends) == expected


def test_weights_of_what_the_data_do_not_have_are_refused():
    samples = judged().samples  # sources a and b
    check_weights(TrainConfig(class_weights=("Real=2", "gan=2", "blended=2"), source_weights=("a=2",)), samples)
    with pytest.raises(TrainingError, match=r"class_weights name 'reel', .* they have real, gan, swap"):
        check_weights(TrainConfig(class_weights=("reel=2",)), samples)
    with pytest.raises(TrainingError, match=r"source_weights name 'c', .* they have a, b"):
        check_weights(TrainConfig(source_weights=("c=2",)), samples)
    with pytest.raises(TrainingError, match="blended"):  # none are made
        check_weights(TrainConfig(class_weights=("blended=2",), self_blend=0.0), samples)
