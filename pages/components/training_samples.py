"""Samples as the network will see them: crops beside what augmentation makes of them, and fakes made from reals."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import streamlit as st
from numpy.random import Generator
from numpy.typing import NDArray

from core.data.augment import augment
from core.data.composite import composite
from core.data.crops import face_crop
from core.data.dataset import REAL, Sample
from core.data.retouch import retouch
from core.data.self_blend import Blend, Points, self_blend
from core.errors import MediaError, UserError
from core.faces.crop import resize_crop
from core.faces.landmarks import default_mesh
from core.media import VIDEO_SUFFIXES, load_image, probe_video, read_frame_at
from pages.components import resources

A_CLASS = 4
"""Pictures shown of each class."""
MOST_TRIED = 16
"""Pictures of a class that are looked at for faces, so that a folder without any does not hold the page."""
MOST_CLASSES = 5
BLENDS = 4
TILE = 144
GAP = 4
MESH_CONFIDENCE = 0.5
SELF_BLENDED, COMPOSITE, RETOUCHED = "Self-blended", "Composite", "Retouched"
MADE = (SELF_BLENDED, COMPOSITE, RETOUCHED)

Rgb = NDArray[np.uint8]
Face = tuple[Rgb, Points]


@dataclass(frozen=True)
class Strip:
    """A row of tiles under one title; each tile shows several pictures side by side, uint8 (h, w, 4)."""

    title: str
    caption: str
    tiles: tuple[NDArray[np.uint8], ...]


def tile(*pictures: Rgb) -> NDArray[np.uint8]:
    """Pictures side by side as squares of `TILE` pixels, RGBA, with clear gaps between them."""
    parts: list[NDArray[np.uint8]] = []
    for picture in pictures:
        square = resize_crop(np.ascontiguousarray(picture), TILE)
        gap = np.zeros((TILE, GAP, 4), np.uint8)
        parts += [gap, np.dstack([square, np.full((TILE, TILE), 255, np.uint8)])]
    return np.hstack(parts[1:])


def crop_of(sample: Sample, scale: float) -> Rgb | None:
    """The face crop of a picture, or of the frame in the middle of a video; None where there is none to be had."""
    try:
        if sample.path.suffix.lower() in VIDEO_SUFFIXES:
            rgb = read_frame_at(sample.path, (probe_video(sample.path).duration_s or 0) / 2).rgb
        else:
            rgb = load_image(sample.path).rgb
        return face_crop(rgb, resources.finder(), scale)
    except (OSError, MediaError):
        return None


def crops(samples: Sequence[Sample], scale: float, rng: random.Random, most: int = A_CLASS) -> list[Rgb]:
    """At most `most` face crops, drawn by chance."""
    found: list[Rgb] = []
    for sample in rng.sample(list(samples), min(MOST_TRIED, len(samples))):
        crop = crop_of(sample, scale)
        if crop is not None:
            found.append(crop)
        if len(found) == most:
            break
    return found


def _faces(reals: Sequence[Rgb]) -> list[Face]:
    """Real crops with their meshes, those where the mesh is sure of a face."""
    mesh = default_mesh()
    meshed = [(crop, *mesh.points(crop)) for crop in reals]
    return [(crop, points) for crop, points, confidence in meshed if confidence >= MESH_CONFIDENCE]


def _grey(mask: NDArray[np.float32]) -> Rgb:
    return cv2.cvtColor((np.clip(mask, 0, 1) * 255).astype(np.uint8), cv2.COLOR_GRAY2RGB).astype(np.uint8)


def _blended(faces: Sequence[Face], make: Callable[[int], Blend]) -> tuple[NDArray[np.uint8], ...]:
    """Origin, fake and mask; without augmentation, so that the three lie over each other."""
    pairs = [(faces[index][0], make(index)) for index in range(min(BLENDS, len(faces)))]
    return tuple(tile(face, pair.fake, _grey(pair.mask)) for face, pair in pairs)


def made_from_reals(reals: Sequence[Rgb], rng: Generator, kinds: Sequence[str] = MADE) -> list[Strip]:
    """What is made of real crops, each fake beside its origin and its mask; of `kinds` those in use."""
    faces = _faces(reals) if kinds else []
    strips = []
    if faces and SELF_BLENDED in kinds:
        tiles = _blended(faces, lambda index: self_blend(*faces[index], rng))
        strips.append(
            Strip(SELF_BLENDED, "A real face, the fake made by blending it with itself, and the mask.", tiles)
        )
    if len(faces) > 1 and COMPOSITE in kinds:
        tiles = _blended(faces, lambda index: composite(*faces[index], *faces[(index + 1) % len(faces)], rng))
        strips.append(Strip(COMPOSITE, "A real face, the fake with a part of another face, and the mask.", tiles))
    if faces and RETOUCHED in kinds:
        tiles = _blended(faces, lambda index: retouch(*faces[index], rng))
        strips.append(Strip(RETOUCHED, "A real face, the same retouched, and where it was changed.", tiles))
    return strips


@st.cache_data(max_entries=8, show_spinner=False)
def strips(
    key: str, _samples: Sequence[Sample], size: int, scale: float, seed: int, made: Sequence[str] = MADE
) -> list[Strip]:
    """All strips of a data set: its classes, "real" first, and what is made from its reals.

    Args:
        key: Names the data set.
        _samples: Its samples.
        size: Input side of the network in pixels.
        scale: Side of a crop in face heights.
        seed: Another seed shows other samples.
        made: Which kinds of fakes the training makes of reals.
    """
    rng, chance = np.random.default_rng(seed), random.Random(seed)
    found = []
    by_class = {label: [s for s in _samples if s.label == label] for label in {s.label for s in _samples}}
    reals: list[Rgb] = []
    for label in sorted(by_class, key=lambda name: (name != REAL, name))[:MOST_CLASSES]:
        mine = crops(by_class[label], scale, chance)
        reals = mine if label == REAL else reals
        tiles = tuple(tile(crop, augment(crop, size, rng), augment(crop, size, rng)) for crop in mine)
        found.append(Strip(label.capitalize(), "The crop, and two of the versions that the network is shown.", tiles))
    return found + made_from_reals(reals, rng, made)


def show(key: str, samples: Sequence[Sample], size: int, scale: float, made: Sequence[str]) -> None:
    """The strips, and a button for others; only this part of the page is drawn anew."""

    @st.fragment
    def grid() -> None:
        with st.container(horizontal=True, vertical_alignment="bottom", horizontal_alignment="distribute"):
            with st.container(width="content", gap=None):
                st.markdown("**As the network will see them**")
                st.caption(f"Faces are cut out, changed by chance and brought to {size} × {size} pixels.")
            if st.button("Show others", icon=":material/shuffle:", key="training_reshuffle"):
                st.session_state["training_samples_seed"] = st.session_state.get("training_samples_seed", 0) + 1
        with st.skeleton(height=320):
            try:
                _draw(strips(key, samples, size, scale, st.session_state.get("training_samples_seed", 0), made))
            except UserError as error:
                resources.show_error(error)

    grid()


def _draw(found: Sequence[Strip]) -> None:
    for strip in found:
        with st.container(gap="small"):
            st.markdown(f"{strip.title} :gray[· {strip.caption}]")
            if not strip.tiles:
                st.caption("No face was found in the pictures of this class that were looked at.")
            with st.grid(max(A_CLASS, BLENDS), min_column_width=150, gap="small"):
                for number, picture in enumerate(strip.tiles, 1):
                    st.image(picture, alt=f"{strip.title}, sample {number}", width="stretch")
