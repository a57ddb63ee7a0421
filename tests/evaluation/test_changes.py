"""What is done to pictures: sizes, strengths and repeatability, measured on the outcome."""

import cv2
import numpy as np
import pytest

from core.evaluation.changes import FILM_SIDE, KINDS, Change, all_changes, film_frame
from core.media import load_image
from core.samples import sample_image

PORTRAIT = load_image(sample_image()).rgb[40:241, 100:301]  # sides of odd length


def distance(one, other):
    return float(np.abs(one.astype(float) - other).mean())


@pytest.mark.parametrize("change", all_changes(), ids=lambda change: change.key)
def test_every_level_gives_a_picture_and_the_same_one_again(change):
    changed = change.apply(PORTRAIT)
    assert changed.dtype == np.uint8
    assert changed.flags["C_CONTIGUOUS"]
    np.testing.assert_array_equal(changed, change.apply(PORTRAIT.copy()))
    if change.kind != "downscale":
        assert changed.shape == PORTRAIT.shape


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"downscale"}))
def test_levels_run_from_mild_to_strong(kind):
    levels = [level for level in KINDS[kind].levels if (kind, level) != ("brightness", 1.5)]  # the other direction
    harm = [distance(PORTRAIT, Change(kind, level).apply(PORTRAIT)) for level in levels]
    assert harm == sorted(harm)
    assert harm[0] > 0.2


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (Change("downscale", 0.5), (100, 100, 3)),  # 100.5, to even
        (Change("downscale", 0.25), (50, 50, 3)),
        (Change("downscale", 0.001), (8, 8, 3)),  # never to nothing
    ],
)
def test_downscaled_pictures_stay_small(change, expected):
    assert change.apply(PORTRAIT).shape == expected


def test_noise_has_the_variance_it_names():
    grey = np.full((200, 200, 3), 128, np.uint8)
    assert np.var(Change("noise", 0.002).apply(grey) / 255) == pytest.approx(0.002, rel=0.03)


def test_colour_changes_do_what_they_say():
    grey = Change("saturation", 0).apply(PORTRAIT)
    assert np.ptp(grey, axis=2).max() <= 1
    assert Change("brightness", 0.5).apply(PORTRAIT).mean() == pytest.approx(PORTRAIT.mean() / 2, rel=0.02)
    flat = cv2.cvtColor(Change("contrast", 0.35).apply(PORTRAIT), cv2.COLOR_RGB2GRAY)
    assert flat.std() == pytest.approx(0.35 * cv2.cvtColor(PORTRAIT, cv2.COLOR_RGB2GRAY).std(), rel=0.03)


def test_labels_are_for_people():
    assert Change("jpeg", 50).label == "JPEG, quality 50"
    assert Change("h264", 23).label == "H.264, CRF 23"
    assert Change("h264", 38, film=True).label == "Film, H.264, CRF 38"
    assert Change("h264", 38, film=True).key != Change("h264", 38).key
    assert len({change.key for change in all_changes()}) == len(all_changes())
    assert {change.kind for change in all_changes(("jpeg", "blur"))} == {"jpeg", "blur"}


def test_a_frame_of_a_film_tells_how_coarse_it_is():
    fine, coarse = (film_frame(PORTRAIT, crf) for crf in (20, 40))
    assert fine.rgb.shape == PORTRAIT.shape  # 201 px: small enough as it is
    assert distance(fine.rgb, PORTRAIT) < distance(coarse.rgb, PORTRAIT)
    assert fine.quantiser is not None
    assert fine.quantiser + 15 < coarse.quantiser


def test_large_pictures_are_made_as_small_as_faces_in_films():
    assert film_frame(np.zeros((600, 900, 3), np.uint8), 30).rgb.shape == (171, FILM_SIDE, 3)
