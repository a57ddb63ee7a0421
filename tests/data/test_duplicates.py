"""Perceptual hashes: near pictures get near hashes, and all near pairs are found without comparing all."""

import time

import cv2
import numpy as np
import pytest
import scipy.fft

from core.data.duplicates import joined, likeness, mirrored_hash, near_copies, near_pairs, perceptual_hash, small_copy
from tests.data.support import scene


def grey(seed, size=(96, 96)):
    return cv2.cvtColor(scene(seed, size), cv2.COLOR_RGB2GRAY)


def apart(a, b):
    return (perceptual_hash(a) ^ perceptual_hash(b)).bit_count()


@pytest.mark.parametrize(
    ("change", "most"),
    [
        (lambda g: g, 0),  # the same
        (lambda g: cv2.resize(g, (48, 48), interpolation=cv2.INTER_AREA), 4),  # half the size
        (lambda g: cv2.imdecode(cv2.imencode(".jpg", g, [1, 40])[1], 0), 4),  # JPEG at quality 40
        (lambda g: np.clip(g * 0.9 + 5.0, 0, 255).astype(np.uint8), 4),  # other contrast
    ],
)
def test_near_pictures_have_near_hashes(change, most):
    assert max(apart(grey(seed), change(grey(seed))) for seed in range(20)) <= most


def test_other_pictures_have_other_hashes():
    assert min(apart(grey(seed), grey(seed + 1)) for seed in range(50)) > 10


def test_the_hash_is_that_of_the_paper():
    """By another implementation of the transform; scipy's differs in scale, which the median takes out."""
    picture = grey(3, (32, 32))
    low = scipy.fft.dctn(picture.astype(float), norm="ortho")[:8, :8].ravel()
    expected = "".join("1" if value > np.median(low[1:]) else "0" for value in low)
    assert f"{perceptual_hash(picture):064b}" == expected


def test_near_pairs_are_those_of_comparing_all():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 300, np.uint64)
    for distance in range(10):  # near ones on purpose, around the limit too
        bits = [rng.choice(64, distance, replace=False) for _ in range(20)]
        flips = np.array([sum(1 << int(bit) for bit in some) for some in bits], np.uint64)
        hashes = np.concatenate([hashes, hashes[:20] ^ flips])
    hashes = np.unique(hashes)
    square = np.bitwise_count(hashes[:, None] ^ hashes[None]) <= 6
    expected = np.argwhere(np.triu(square, 1))
    assert len(expected) > 200
    assert (near_pairs(hashes) == expected).all()


@pytest.mark.parametrize("count", [0, 1])
def test_few_pictures_make_no_pairs(count):
    assert near_copies([5] * count, np.zeros((count, 256), np.uint8)).shape == (0, 2)


def test_pictures_with_one_hash_that_look_different_are_no_copies():
    first, second = small_copy(grey(1)), small_copy(grey(2))
    assert len(near_copies([7, 7], np.array([first, second]))) == 0
    assert near_copies([7, 7], np.array([first, first])).tolist() == [[0, 1]]


def test_blank_pictures_are_copies_of_each_other():
    blank = np.full((3, 256), 0, np.uint8)
    blank[2] = 200
    pairs = near_copies([0, 0, 0], blank)
    assert len(set(joined(3, pairs).tolist())) == 1


@pytest.mark.parametrize(
    ("change", "found"),
    [
        (lambda g: g[:, ::-1], True),  # mirrored
        (lambda g: cv2.resize(g[:, ::-1], (48, 48), interpolation=cv2.INTER_AREA), True),  # and at half the size
        (lambda g: cv2.imdecode(cv2.imencode(".jpg", g[:, ::-1], [1, 40])[1], 0), True),  # and as a JPEG
        (lambda g: g[::-1], False),  # upside down: nobody saves faces like that
    ],
)
def test_mirrored_copies_are_found(change, found):
    pictures = [grey(seed) for seed in range(20)]
    pictures += [np.ascontiguousarray(change(picture)) for picture in pictures]
    hashes, mirrored = ([made(one) for one in pictures] for made in (perceptual_hash, mirrored_hash))
    small = np.array([small_copy(one) for one in pictures])
    expected = [[index, index + 20] for index in range(20)] if found else []
    assert near_copies(hashes, small, mirrored).tolist() == expected
    assert near_copies(hashes, small).tolist() == []  # so it is the mirrored hash that finds them


def test_a_picture_that_is_its_own_mirror_image_is_no_copy_of_itself():
    half = grey(1)
    picture = np.hstack([half, half[:, ::-1]])
    assert perceptual_hash(picture) == mirrored_hash(picture)
    assert near_copies([perceptual_hash(picture)], small_copy(picture)[None], [mirrored_hash(picture)]).size == 0


def test_likeness_is_the_correlation():
    pair = np.array([small_copy(grey(1)), small_copy(grey(2))])
    expected = np.corrcoef(pair[0].astype(float), pair[1].astype(float))[0, 1]
    assert likeness(pair[:1], pair[1:])[0] == pytest.approx(expected, abs=1e-5)


def test_a_hundred_thousand_pictures_take_seconds():
    rng = np.random.default_rng(0)
    hashes = rng.integers(0, 2**63, 50_000, np.uint64)
    hashes = np.concatenate([hashes, hashes ^ np.uint64(0b1001)])
    small = np.tile(rng.integers(0, 256, (50_000, 256), np.uint8), (2, 1))
    started = time.process_time()
    pairs = near_copies(hashes.tolist(), small, rng.integers(0, 2**63, 100_000, np.uint64).tolist())
    assert time.process_time() - started < 20  # 4 s when nothing else runs; all pairs would take minutes
    assert len(pairs) == 50_000
