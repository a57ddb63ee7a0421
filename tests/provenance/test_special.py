"""core.provenance.special: the two views against what is known of them."""

import io

import numpy as np
import pytest
from PIL import Image

from core.provenance import error_levels, spectrum


def test_a_wave_is_two_spots_where_theory_puts_them():
    x = np.arange(128)
    wave = np.tile(128 + 60 * np.sin(2 * np.pi * 16 * x / 128), (128, 1)).astype(np.uint8)
    shown = spectrum(np.repeat(wave[..., None], 3, axis=2))[..., 0].astype(int)
    spots = {tuple(spot) for spot in np.argwhere(shown == shown.max())}
    assert {(64, 64 - 16), (64, 64 + 16)} <= spots  # 16 periods beside the middle


def test_a_pasted_patch_stands_out():
    rng = np.random.default_rng(2)
    noise = rng.integers(0, 255, (128, 128, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, "JPEG", quality=90)
    picture = np.array(Image.open(buffer).convert("RGB"))
    picture[32:64, 32:64] = rng.integers(0, 255, (32, 32, 3))  # never compressed before
    levels = error_levels(picture).astype(float)
    assert levels[32:64, 32:64].mean() > 1.5 * levels[80:].mean()


@pytest.mark.parametrize("shape", [(1, 1, 3), (2, 700, 3), (700, 3, 3), (1500, 1500, 3)])
def test_any_size(shape):
    rgb = np.full(shape, 200, np.uint8)
    assert spectrum(rgb).dtype == error_levels(rgb).dtype == np.uint8
    assert max(error_levels(rgb).shape) <= 1024
    assert spectrum(rgb).shape[0] == min(512, *shape[:2])
