"""core.analysis.quality: figures against their definitions."""

import cv2
import numpy as np
import pytest

from core.analysis.quality import head_tilt, head_turn, measure_quality, noise_level
from core.faces.types import Face


def marks(nose_x, tilt_deg=0.0):
    points = np.array([[-20, 0], [20, 0], [nose_x, 15], [-12, 30], [12, 30]], np.float32)
    angle = np.radians(tilt_deg)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return (points @ turn + 100).astype(np.float32)


@pytest.mark.parametrize(
    ("landmarks", "expected"),
    [
        (marks(0), 0.0),  # nose midway: frontal
        (marks(10), 0.5),
        (marks(-10), 0.5),  # either side
        (marks(20), 1.0),  # under one eye: profile
        (marks(45), 1.0),  # beyond it
        (np.zeros((5, 2), np.float32), None),  # both eyes in one place
        (np.full((5, 2), np.nan, np.float32), None),
    ],
)
def test_head_turn(landmarks, expected):
    assert head_turn(landmarks) == (None if expected is None else pytest.approx(expected, abs=1e-5))


def test_a_tilted_head_is_not_a_turned_one():
    # nose straight below the eyes of a tilted head: its x alone would say 0.4
    tilted = marks(0, tilt_deg=30)
    tilted[2] = tilted[:2].mean(axis=0) + (tilted[3:].mean(axis=0) - tilted[:2].mean(axis=0)) / 2
    assert head_turn(tilted) == pytest.approx(0.0, abs=1e-5)


@pytest.mark.parametrize("degrees", [0, 20, 45, 90, 135, 180])
@pytest.mark.parametrize("side", [1, -1])
def test_head_tilt(degrees, side):
    assert head_tilt(marks(0, tilt_deg=side * degrees)) == pytest.approx(degrees, abs=1e-3)


def test_a_tilt_that_cannot_be_told():
    assert head_tilt(np.zeros((5, 2), np.float32)) is None
    assert head_tilt(np.full((5, 2), np.nan, np.float32)) is None


def test_measure_quality():
    rng = np.random.default_rng(0)
    noise = rng.integers(60, 180, (112, 112, 1), dtype=np.uint8).repeat(3, axis=2)
    quality = measure_quality(noise, Face((10, 20, 50, 81.5), 0.9, marks(10)))
    laplacian = cv2.filter2D(noise[..., 0].astype(np.float64), -1, np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]]))
    assert quality.face_px == 61.5
    assert quality.brightness == pytest.approx(noise.mean(), abs=0.5)
    assert quality.sharpness == pytest.approx(laplacian.std(), rel=1e-3)
    assert quality.turn == pytest.approx(0.5)
    assert quality.tilt == pytest.approx(0, abs=1e-3)


def test_blur_lowers_sharpness_whatever_the_crop_size():
    sharp = cv2.resize(np.random.default_rng(0).integers(0, 255, (112, 112, 3), dtype=np.uint8), (299, 299))
    face = Face((0, 0, 100, 100), 0.9)
    values = [measure_quality(cv2.GaussianBlur(sharp, (0, 0), sigma), face).sharpness for sigma in (1, 3, 9)]
    assert values == sorted(values, reverse=True)
    assert measure_quality(np.full((299, 299, 3), 90, np.uint8), face).sharpness == 0.0
    assert measure_quality(sharp, face).turn is None


@pytest.mark.parametrize("sigma", [0, 2, 6, 20])
def test_noise_is_measured_beside_edges(sigma):
    rng = np.random.default_rng(0)
    drawing = np.full((112, 112, 3), 60, np.uint8)
    cv2.circle(drawing, (50, 60), 30, (200, 180, 160), -1)
    cv2.line(drawing, (0, 10), (111, 90), (10, 10, 10), 3)
    noise = rng.normal(0, sigma, (112, 112, 1)).repeat(3, axis=2)
    assert noise_level(np.clip(drawing + noise, 0, 255).astype(np.uint8)) == pytest.approx(sigma, rel=0.1, abs=0.3)


def test_noise_that_averages_out_on_the_way_to_the_network_is_no_matter():
    rng = np.random.default_rng(0)
    pixels = np.clip(rng.normal(128, 20, (896, 896, 1)), 0, 255).astype(np.uint8).repeat(3, axis=2)
    assert noise_level(pixels) == pytest.approx(20 / 8, rel=0.15)
