"""The localisation loss asks for evidence where a fake was changed, and for nothing else."""

import keras
import numpy as np
import pytest
import skimage.data

from core.data.places import contrast
from core.training.localise import MARGIN, place_loss, side_of_maps, with_evidence
from tests.training.tiny import build


@pytest.mark.parametrize("classes", [("real", "fake"), ("real", "gan", "swap")])
def test_the_logit_is_the_mean_of_the_evidence(classes):
    model = build(71, classes)
    twofold = with_evidence(model)
    crops = np.random.default_rng(0).normal(size=(3, 71, 71, 3)).astype(np.float32)
    outputs, evidence = map(np.asarray, twofold.predict(crops, verbose=0))
    assert evidence.shape == (3, side_of_maps(model), side_of_maps(model))
    logits = np.log(outputs)
    single = logits[:, 0] - np.log1p(-outputs[:, 0]) if len(classes) == 2 else logits[:, 1:].mean(1) - logits[:, 0]
    np.testing.assert_allclose(evidence.mean(axis=(1, 2)), single, atol=1e-4)
    assert {id(one) for one in twofold.variables} == {id(one) for one in model.variables}


def test_evidence_in_the_right_place_costs_less_and_without_a_mask_nothing():
    mask = np.zeros((50, 50), np.float32)
    mask[:10, :10] = 1
    weights = np.stack([contrast(mask, 5), contrast(mask, 5), contrast(mask, 5), contrast(None, 5)])
    evidence = np.zeros((4, 5, 5), np.float32)
    evidence[0, 0, 0] = evidence[1, 4, 4] = 10
    right, wrong, none, unknown = np.asarray(place_loss(weights, evidence))
    assert right < 0.01 < none < wrong
    assert unknown == 0
    everywhere = np.asarray(place_loss(weights, evidence + 7))
    np.testing.assert_allclose(everywhere, [right, wrong, none, unknown], atol=1e-5)
    assert none == pytest.approx(np.log1p(np.exp(MARGIN)) / MARGIN, abs=1e-5)


def test_training_brings_evidence_to_its_place():
    keras.utils.set_random_seed(0)
    model = build(71)
    face = skimage.data.astronaut()[60:131, 155:226]
    crops = np.repeat(face[None].astype(np.float32) / 127.5 - 1, 8, axis=0)
    mask = np.zeros((71, 71), np.float32)
    mask[20:50, 20:50] = 1
    crops[:, 20:50, 20:50] *= -1
    weights = np.repeat(contrast(mask, side_of_maps(model))[None], 8, axis=0)
    twofold = with_evidence(model)
    twofold.compile(optimizer=keras.optimizers.Adam(0.02), loss=["binary_crossentropy", place_loss])

    def lead():
        return float((weights[0] * np.asarray(twofold.predict(crops[:1], verbose=0)[1])[0]).sum())

    before = lead()
    twofold.fit(crops, [np.ones((8, 1), np.float32), weights], epochs=20, batch_size=8, verbose=0)
    assert lead() > before + 1
