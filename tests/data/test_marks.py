"""What is laid over training pictures covers little enough that the face stays, and leaves most pictures alone."""

import cv2
import numpy as np
import pytest
import skimage.data

from core.data import marks
from core.data.augment import augment
from core.data.marks import laid_over, lines, marked, screened, words


@pytest.fixture(scope="module")
def face():
    return np.ascontiguousarray(skimage.data.astronaut()[60:190, 155:285])


def test_most_pictures_stay_as_they_were(face):
    untouched = sum(marked(face, np.random.default_rng(seed)) is face for seed in range(600))
    assert 0.8 < untouched / 600 < 0.9


@pytest.mark.parametrize("drawing", [lines, words])
def test_lines_and_words_differ_and_leave_the_face_in_sight(drawing):
    covered = np.array([(drawing(120, np.random.default_rng(seed)) > 127).mean() for seed in range(100)])
    assert len(np.unique(covered)) > 50
    assert np.median(covered) > 0.01
    assert np.quantile(covered, 0.9) < 0.5


@pytest.mark.parametrize("shape", [(24, 24), (90, 90), (224, 224), (60, 75)])
@pytest.mark.parametrize("drawing", [lines, words])
def test_what_is_laid_over_changes_only_what_it_covers(drawing, shape):
    grey = np.full((*shape, 3), 90, np.uint8)
    for seed in range(20):
        coverage = drawing(max(shape), np.random.default_rng(seed))
        result = laid_over(grey, lambda side, rng, coverage=coverage: coverage, np.random.default_rng(seed))
        assert result.shape == grey.shape
        assert result.dtype == np.uint8
        assert (result[coverage[: shape[0], : shape[1]] == 0] == 90).all()


def test_a_screen_has_rows_or_columns_at_one_distance():
    flat = np.full((200, 200, 3), 180, np.uint8)
    for seed in range(30):
        taken = screened(flat, np.random.default_rng(seed)).astype(float)[..., 0]
        assert 0.69 * 200 < taken.shape[0] < 1.51 * 200
        assert taken.mean() < 180
        assert max(np.ptp(taken.mean(axis=0)), np.ptp(taken.mean(axis=1))) > 0.5


def test_the_face_below_a_mark_stays_recognisable(face, monkeypatch):
    monkeypatch.setattr(marks, "MARKED_SHARE", 1)
    small = cv2.resize(face, (32, 32), interpolation=cv2.INTER_AREA).mean(axis=2).ravel()
    alike = []
    for seed in range(100):
        seen = cv2.resize(marked(face, np.random.default_rng(seed)), (32, 32), interpolation=cv2.INTER_AREA)
        alike.append(np.corrcoef(small, seen.mean(axis=2).ravel())[0, 1])
    assert np.quantile(alike, 0.1) > 0.7


def test_training_pictures_are_marked(face, monkeypatch):
    usual = augment(face, 96, np.random.default_rng(3))
    monkeypatch.setattr(marks, "MARKED_SHARE", 1)
    assert (augment(face, 96, np.random.default_rng(3)) != usual).any()
