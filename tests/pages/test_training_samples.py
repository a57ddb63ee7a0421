"""Samples as the network will see them: strips of a made-up data set, from the portrait that ships with the samples."""

import random
from pathlib import Path

import numpy as np
import pytest
import streamlit as st

from core.data.sample import Sample
from core.media import load_image
from core.samples import sample_image
from pages.components import resources, training_samples
from tests.pages.support import noisy


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    st.cache_data.clear()
    st.cache_resource.clear()


def sample(path: Path, label: str) -> Sample:
    return Sample(path, label, "here", "train", path.name)


def test_tiles_stand_side_by_side_with_clear_gaps() -> None:
    made = training_samples.tile(noisy((200, 0, 0)), noisy((0, 200, 0), side=40), noisy((0, 0, 200), side=300))
    side, gap = training_samples.TILE, training_samples.GAP
    assert made.shape == (side, 3 * side + 2 * gap, 4)
    assert (made[:, side : side + gap, 3] == 0).all()
    assert (made[:, :side, 3] == 255).all()
    assert made[..., :3][:, :side].mean(axis=(0, 1)).argmax() == 0
    assert made[..., :3][:, -side:].mean(axis=(0, 1)).argmax() == 2


def test_strips_of_each_class_and_of_what_is_made_from_the_reals() -> None:
    portrait = sample_image()
    samples = [sample(portrait, "real"), sample(portrait, "real"), sample(portrait, "swap")]
    found = training_samples.strips("key", samples, 96, 0.88, 0)
    assert [strip.title for strip in found] == ["Real", "Swap", "Self-blended", "Composite", "Retouched"]
    assert [len(strip.tiles) for strip in found] == [2, 1, 2, 2, 2]
    assert all(tile.dtype == np.uint8 for strip in found for tile in strip.tiles)
    in_use = training_samples.strips("key3", samples, 96, 0.88, 0, made=["Composite"])
    assert [strip.title for strip in in_use] == ["Real", "Swap", "Composite"]
    again = training_samples.strips("key2", samples, 96, 0.88, 0)
    other = training_samples.strips("key", samples, 96, 0.88, 1)
    assert (again[0].tiles[0] == found[0].tiles[0]).all()  # the same seed shows the same
    assert (other[0].tiles[0] != found[0].tiles[0]).any()


@pytest.mark.parametrize(
    ("content", "why"), [(b"", "empty"), (b"text", "no picture"), (None, "missing"), (b"\xff\xd8\xff", "cut off")]
)
def test_files_without_a_face_are_passed_over(tmp_path: Path, content: bytes | None, why: str) -> None:
    path = tmp_path / "file.jpg"
    if content is not None:
        path.write_bytes(content)
    assert training_samples.crop_of(sample(path, "real"), 0.88) is None


def test_no_more_pictures_are_tried_than_a_page_can_wait_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []
    monkeypatch.setattr(training_samples, "crop_of", lambda one, scale: tried.append(one))
    samples = [sample(tmp_path / str(number), "real") for number in range(500)]
    assert training_samples.crops(samples, 0.88, random.Random(0)) == []
    assert len(tried) == training_samples.MOST_TRIED


def test_a_real_face_is_cropped(monkeypatch: pytest.MonkeyPatch) -> None:
    crop = training_samples.crop_of(sample(sample_image(), "real"), 0.88)
    assert crop is not None
    whole = load_image(sample_image()).rgb
    assert crop.shape[0] < whole.shape[0] / 2
    assert resources.finder().find(crop) is not None
