"""Retouched faces are changed where their masks say, and by all means."""

import cv2
import numpy as np
import pytest
import skimage.data

from core.data.draw import BLENDED, Draw
from core.data.retouch import KINDS, retouch
from core.data.sample import Sample
from core.faces.landmarks import default_mesh


@pytest.fixture(scope="module")
def face():
    return np.ascontiguousarray(skimage.data.astronaut()[60:190, 155:285])


@pytest.fixture(scope="module")
def points(face):
    return default_mesh().points(face)[0]


@pytest.mark.parametrize("kind", KINDS)
def test_only_what_the_mask_shows_is_changed(kind, face, points):
    for seed in range(12):
        fake, real, mask = KINDS[kind][1](face, points, np.random.default_rng(seed))
        assert fake.shape == face.shape
        assert fake.dtype == np.uint8
        assert (real == face).all()
        assert mask.shape == face.shape[:2]
        assert mask.dtype == np.float32
        assert 0 <= mask.min() <= mask.max() <= 1
        assert mask.max() > 0.3
        changed = np.abs(fake.astype(int) - face).max(axis=2)
        assert changed.max() > 8
        assert changed[mask == 0].max(initial=0) <= 1
        assert 0.001 < (mask > 0.5).mean() < 0.8


def test_all_kinds_come_and_the_same_chance_gives_the_same_picture(face, points):
    assert sum(share for share, _ in KINDS.values()) == pytest.approx(1)
    one, again, other = (retouch(face, points, np.random.default_rng(seed)).fake for seed in (1, 1, 2))
    assert (one == again).all()
    assert (one != other).any()


def test_a_draw_retouches_the_share_of_fakes_that_is_asked(face, tmp_path):
    path = tmp_path / "real.png"
    cv2.imwrite(str(path), face[..., ::-1])
    draw = Draw([Sample(path, "real", "all", "train", "a")], size=64, retouch_share=1.0)
    picture, label, mask = draw(True, np.random.default_rng(0))
    assert picture.shape == (64, 64, 3)
    assert label == BLENDED
    assert mask is not None
    assert draw(False, np.random.default_rng(0)).label == "real"
