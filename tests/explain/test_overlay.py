"""core.explain.overlay: evidence lands on the pixels it is about, on a scale that is the same everywhere."""

from dataclasses import replace

import numpy as np
import pytest

from core.analysis.types import FaceScore, Quality
from core.explain import SCALE_LOGITS, add_legend, colour_bar, draw_boxes, draw_overlay
from core.explain.overlay import AGAINST_SHARE, FAKE_RGB, REAL_RGB, VERDICT_RGB
from core.faces import Face, crop_face
from core.faces.crop import crop_pixels

GREY = np.full((240, 320, 3), 100, np.uint8)


def changed(drawn, original=GREY):
    return np.abs(drawn.astype(int) - original).sum(axis=2)


def centre_of(weights):
    rows, columns = np.indices(weights.shape)
    return (weights * columns).sum() / weights.sum(), (weights * rows).sum() / weights.sum()


@pytest.mark.parametrize(
    "box",
    [
        (100, 60, 180, 160),
        (100.4, 60.7, 180.2, 161.1),  # halves of pixels are rounded as the crop rounds them
        (-30, -20, 50, 80),  # reaching over the corner
        (280, 180, 340, 260),
    ],
)
def test_a_planted_patch_is_drawn_where_the_crop_was_cut(box):
    """The ends meet: a bright patch is seen in one cell of the crop, and that cell's evidence is drawn on the patch."""
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 60, (240, 320, 3), dtype=np.uint8)
    x, y = np.clip((box[0] + box[2]) / 2 + 12, 5, 314), np.clip((box[1] + box[3]) / 2 - 17, 5, 234)
    rgb[round(y) - 4 : round(y) + 5, round(x) - 4 : round(x) + 5] = 255
    crop = crop_face(rgb, Face(box, 0.9), scale=1.3, size=130)
    cells = crop.mean(axis=2).reshape(13, 10, 13, 10).mean(axis=(1, 3))
    peak = np.where(cells > 120, 20.0, 0.0).astype(np.float32)
    assert peak.any()
    drawn = draw_overlay(rgb, peak, pixels=crop_pixels(Face(box, 1.0), 1.3), opacity=1.0)
    red = np.clip(drawn[..., 0].astype(float) - drawn[..., 1] - 100, 0, None)
    red[red.argmax() // 320, red.argmax() % 320] += 1e-6
    assert centre_of(red) == pytest.approx((x, y), abs=130 * 1.3 / 13)


def test_cells_tile_the_square_exactly():
    # box 100 high, scale 1: the square is (90, 60)..(190, 160); of 2 x 2 cells only the right lower one speaks
    evidence = np.array([[0, 0], [0, 99]], np.float32)
    drawn = changed(draw_overlay(GREY, evidence, pixels=crop_pixels(Face((110, 60, 170, 160), 1.0), 1.0)))
    rows, columns = np.nonzero(drawn)
    assert (columns.max(), rows.max()) == (189, 159)
    assert drawn[159, 189] == drawn.max()
    assert columns.min() >= 114  # bilinear: nothing left of the other cell's centre
    assert rows.min() >= 84


def test_outside_of_the_square_nothing_changes():
    drawn = changed(draw_overlay(GREY, np.full((3, 3), 9.0), pixels=crop_pixels(Face((110, 60, 170, 160), 1.0), 1.0)))
    assert (drawn[60:160, 90:190] > 0).all()
    drawn[60:160, 90:190] = 0
    assert not drawn.any()


@pytest.mark.parametrize(
    ("evidence", "expected"),
    [
        (0.0, (100, 100, 100)),  # no evidence, no colour
        (SCALE_LOGITS, FAKE_RGB),
        (99.0, FAKE_RGB),  # full is full
        (SCALE_LOGITS / 2, tuple(round((100 + c) / 2) for c in FAKE_RGB)),
        (-99.0, tuple(round(100 + (c - 100) * AGAINST_SHARE) for c in REAL_RGB)),
        (float("nan"), (100, 100, 100)),
    ],
)
def test_scale_is_absolute(evidence, expected):
    drawn = draw_overlay(GREY, np.full((4, 4), evidence, np.float32), opacity=1.0)
    assert drawn[120, 160].tolist() == pytest.approx(expected, abs=1)
    assert (drawn == drawn[0, 0]).all()


def test_a_clean_face_looks_calm():
    """A map normalised by its own maximum would paint the weak one like the strong one."""
    pattern = np.random.default_rng(0).normal(size=(10, 10)).astype(np.float32)
    calm, loud = (changed(draw_overlay(GREY, pattern * size, opacity=0.6)).mean() for size in (0.3, 6.0))
    assert calm < 6
    assert loud > 8 * calm
    against = changed(draw_overlay(GREY, np.full((10, 10), -6, np.float32), opacity=0.6)).mean()
    for_fake = changed(draw_overlay(GREY, np.full((10, 10), 6, np.float32), opacity=0.6)).mean()
    assert against < for_fake / 2


def test_opacity_none_is_the_picture_itself():
    assert not changed(draw_overlay(GREY, np.full((4, 4), 9.0), opacity=0.0)).any()


@pytest.mark.parametrize("box", [(-500, -500, -400, -400), (900, 0, 990, 90), (50, 50, 50, 50), (0, 0, 1e5, 1e5)])
def test_odd_boxes_do_no_harm(box):
    drawn = draw_overlay(GREY, np.full((10, 10), 9.0, np.float32), pixels=crop_pixels(Face(box, 1.0), 0.88))
    assert drawn.shape == GREY.shape


@pytest.mark.parametrize(
    ("evidence", "options", "message"),
    [
        (np.zeros((4, 4, 1)), {}, r"must have shape \(h, w\), got \(4, 4, 1\)"),
        (np.zeros((4, 4)), {"scale_logits": 0.0}, "must be above 0"),
    ],
)
def test_wrong_use(evidence, options, message):
    with pytest.raises(ValueError, match=message):
        draw_overlay(GREY, evidence, **options)


def score(verdict, box=(100, 60, 180, 160), track=None):
    return FaceScore(Face(box, 0.9, track_id=track), 0.5, 0.0, {}, verdict, Quality(100, 20, 120))


@pytest.mark.parametrize("verdict", ["real", "fake", "uncertain"])
def test_boxes_have_the_colour_of_the_verdict_and_a_label(verdict):
    drawn = draw_boxes(GREY, [score(verdict)])
    assert drawn[110, 100].tolist() == list(VERDICT_RGB[verdict])
    assert drawn[110, 140].tolist() == [100, 100, 100]  # the face stays visible
    assert changed(drawn)[40:58, 102:140].any()  # a label above
    assert (GREY == 100).all()  # the picture given is left alone


def test_labels_and_words(monkeypatch):
    from core.explain import overlay

    said = []
    monkeypatch.setattr(overlay, "_label", lambda draw, box, texts, *rest: said.append(texts[0]) or box)
    draw_boxes(GREY, [score("real"), score("fake", track=7)])
    draw_boxes(GREY, [score("uncertain")], labels=["B"])
    assert said == ["1 no manipulation found 50 %", "7 likely fake 50 %", "B uncertain 50 %"]
    ends = [
        overlay.face_words(replace(score("fake"), fake_probability=value)) for value in (0.99, 0.997, 1.0, 0.01, 0.0)
    ]
    numbers = [words.removeprefix("likely fake ") for words in ends]
    assert numbers == ["99 %", "> 99 %", "> 99 %", "1 %", "< 1 %"]  # certainty is never claimed


def plates_of(monkeypatch, rgb, faces):
    """Where the labels lie, and where the boxes."""
    from core.explain import overlay

    plates, inner = [], overlay._label
    monkeypatch.setattr(overlay, "_label", lambda *args: plates.append(inner(*args)) or plates[-1])
    draw_boxes(rgb, faces)
    return plates, [tuple(map(int, one.face.box_xyxy)) for one in faces]


def test_labels_cover_neither_each_other_nor_other_faces(monkeypatch):
    from core.explain.overlay import _meets

    row = [score("fake", (x, y, x + 38, y + 50)) for y in (60, 130) for x in range(20, 290, 42)]
    plates, boxes = plates_of(monkeypatch, GREY, row)
    for place, plate in enumerate(plates):
        assert not _meets(plate, [*plates[:place], *boxes[:place], *boxes[place + 1 :]]), place


def test_a_label_larger_than_a_small_face_does_not_hide_it(monkeypatch):
    small = np.full((96, 96, 3), 100, np.uint8)
    ((x0, y0, x1, y1),), ((left, top, right, bottom),) = plates_of(monkeypatch, small, [score("real", (20, 2, 70, 90))])
    assert (x1 - x0) * (y1 - y0) < (right - left) * (bottom - top) / 10  # the number alone, in the corner


@pytest.mark.parametrize("box", [(-50, -50, 20, 20), (310, 230, 400, 300), (500, 500, 600, 600), (0, 0, 320, 240)])
def test_boxes_at_the_border_and_beyond(box):
    assert draw_boxes(GREY, [score("fake", box)]).shape == GREY.shape
    tiny = np.zeros((1, 1, 3), np.uint8)
    assert draw_boxes(tiny, [score("fake", (0, 0, 1, 1))]).shape == (1, 1, 3)


def test_why_real_is_drawn_in_blue_at_full_strength():
    for value, target, expected in (
        (99.0, "real", REAL_RGB),
        (99.0, "swap", FAKE_RGB),  # a kind of fake
        (-99.0, "real", tuple(round(100 + (c - 100) * AGAINST_SHARE) for c in FAKE_RGB)),
    ):
        drawn = draw_overlay(GREY, np.full((4, 4), value, np.float32), opacity=1.0, target=target)
        assert drawn[120, 160].tolist() == pytest.approx(expected, abs=1)


def test_colour_bar_has_the_colours_of_the_maps():
    signed, one_sided = colour_bar(signed=True), colour_bar(signed=False, target="real")
    assert signed.shape == one_sided.shape == (10, 240, 4)
    assert signed[0, -1].tolist() == [*FAKE_RGB, 255]
    assert signed[0, 0].tolist() == [*REAL_RGB, round(255 * AGAINST_SHARE)]  # a third as strong
    assert one_sided[0, -1].tolist() == [*REAL_RGB, 255]
    assert one_sided[0, 0, 3] == 0  # nothing is clear


def test_legend_stands_below_the_picture():
    with_legend = add_legend(GREY)
    assert with_legend.shape[1] == 320
    assert (with_legend[:240] == GREY).all()
    assert with_legend[246, 20].argmax() == 2  # blue on the left: against
    assert with_legend[246, 245].argmax() == 0  # red on the right: for a fake
    assert add_legend(np.zeros((10, 10, 3), np.uint8)).shape[1] == 260  # room for the words
