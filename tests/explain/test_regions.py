"""core.explain.regions and what_if: parts of a face by name, whole and without overlap; what is erased."""

import numpy as np
import pytest

from core.detector import CropSpec
from core.explain.regions import NAMES, evidence_by_region, face_regions, in_words, top_regions
from core.explain.what_if import blurred, erase, mask_views
from core.samples import sample_image
from tests.explain.face import PLACES, mesh

SIDE = 200


@pytest.mark.parametrize("turn", [0, 15, -25])
def test_parts_tile_the_crop(turn):
    parts = face_regions(mesh(SIDE, turn), SIDE, SIDE)
    assert tuple(parts) == NAMES
    assert (np.sum(list(parts.values()), axis=0) == 1).all()
    assert all(mask.any() for mask in parts.values())


@pytest.mark.parametrize("turn", [0, 20])
@pytest.mark.parametrize("name", list(PLACES))
def test_each_part_lies_where_it_is(name, turn):
    parts, angle = face_regions(mesh(SIDE, turn), SIDE, SIDE), np.deg2rad(turn)
    x, y = np.array(PLACES[name]) - 0.5
    x, y = x * np.cos(angle) - y * np.sin(angle) + 0.5, x * np.sin(angle) + y * np.cos(angle) + 0.5
    if name != "around the face":  # its corner turns out of the square
        assert parts[name][int(y * SIDE), int(x * SIDE)]


@pytest.mark.parametrize(
    ("places", "words"),
    [
        ([(0.5, 0.72)], "mouth"),
        ([(0.2, 0.6)], "left cheek"),
        ([(0.7, 0.38), (0.5, 0.9)], "right eye, chin and jaw line"),
        ([], "no single part"),
    ],
)
def test_top_regions_in_words(places, words):
    heat = np.zeros((SIDE, SIDE), np.float32)
    for number, (x, y) in enumerate(places):
        row, column = int(y * SIDE), int(x * SIDE)
        heat[row - 8 : row + 9, column - 8 : column + 9] = 9 - number
    found = top_regions(heat, face_regions(mesh(SIDE), SIDE, SIDE), 8.0)
    assert in_words(found) == words


def test_faint_and_even_maps_name_nothing():
    parts = face_regions(mesh(SIDE), SIDE, SIDE)
    faint = np.zeros((10, 10), np.float32)
    faint[7, 5] = 0.3
    assert top_regions(faint, parts, 8.0) == []  # a clean face: its strongest place says next to nothing
    assert top_regions(np.full((10, 10), 5, np.float32), parts, 8.0) == []  # no part holds more than its size
    assert top_regions(-faint * 99, parts, 8.0) == []  # what speaks against is not what speaks for


def test_shares_add_up():
    parts = face_regions(mesh(SIDE), SIDE, SIDE)
    heat = np.random.default_rng(0).normal(size=(10, 10)).astype(np.float32)
    found = evidence_by_region(heat, parts)
    assert sum(one.share for one in found) == pytest.approx(1)
    assert sum(one.area for one in found) == pytest.approx(1)


def test_the_real_mesh_on_the_portrait():
    """MediaPipe's own points, so that an index that is wrong shows: eyes above mouth, left of right."""
    from core.faces import crop_face, default_finder
    from core.faces.landmarks import default_mesh
    from core.media import load_image

    rgb = load_image(sample_image()).rgb
    (face,) = default_finder().find(rgb)
    crop = crop_face(rgb, face, scale=0.88, size=160)
    parts = face_regions(default_mesh().points(crop)[0], 160, 160)
    at = {name: np.argwhere(mask).mean(axis=0) for name, mask in parts.items()}
    assert at["forehead"][0] < at["left eye"][0] < at["nose"][0] < at["mouth"][0] < at["chin and jaw line"][0]
    assert at["left eye"][1] < at["nose"][1] < at["right eye"][1]
    assert at["left cheek"][1] < at["mouth"][1] < at["right cheek"][1]
    assert all(0.005 < parts[name].mean() < 0.35 for name in NAMES[:-1])


def test_erasing_takes_detail_away_inside_and_leaves_the_rest():
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 256, (96, 96, 3), dtype=np.uint8)
    mask = np.zeros((96, 96), bool)
    mask[30:60, 30:60] = True
    found = erase(rgb, mask)
    assert found[38:52, 38:52].std() < 0.3 * rgb[38:52, 38:52].std()
    assert (found[:20] == rgb[:20]).all()
    assert erase(rgb, np.zeros_like(mask)) is rgb
    assert blurred(rgb).mean() == pytest.approx(rgb.mean(), abs=3)  # light and colour stay
    with pytest.raises(ValueError, match="mask must have shape"):
        erase(rgb, mask[:5])


def test_a_mask_covers_the_same_skin_in_every_view():
    from core.analysis.scoring import cut_views
    from core.faces import Face

    spec, face = CropSpec(0.8, wide=0.88, corner=0.7), Face((100.0, 100.0, 300.0, 300.0), 0.9)
    picture = np.zeros((400, 400, 3), np.uint8)
    picture[180:220, 220:260] = 255
    views = cut_views(picture, face, spec, 128)[..., 0] > 127
    masks = mask_views(views[0], spec)
    assert len(masks) == len(views) == 6
    for mask, view in zip(masks, views, strict=True):
        assert mask.shape == view.shape
        assert (mask != view).mean() < 0.01  # of edges, a pixel wide


def test_what_lies_around_the_crop_goes_with_its_edge():
    wide = mask_views(np.ones((64, 64), bool), CropSpec(0.8, wide=0.88, corner=0.7))[1]
    assert wide.all()


def test_one_view_has_one_mask():
    mask = np.eye(16, dtype=bool)
    assert [one is mask for one in mask_views(mask, CropSpec(0.8))] == [True]
