"""The gallery of mistakes: the face that decided, in pictures and videos, and a sentence where there is none."""

import io
import re
from functools import partial

import cv2
import numpy as np
import pytest
from PIL import Image

from core.errors import MediaError
from core.evaluation.gallery import CARD_SIDE, CROP_SIDE, MOST_FRAMES, SHOWN, find_evidence, gallery
from core.evaluation_html.mistakes import mistakes
from core.media import H264Writer
from tests.evaluation.support import FINDER, detector, picture

NASTY = '"><img src=x onerror=alert(1)> &.png'
look = partial(find_evidence, detector=detector(), finder=FINDER)


def wrong(path, *, video=False, probability=0.9):
    """One real that was called fake."""
    return {
        "path": str(path),
        "source": "<i>one</i>",
        "label": "real",
        "fake": False,
        "verdict": "fake",
        "fake_probability": probability,
        "video": video,
    }


def document(*items):
    return {"items": {name: [item[name] for item in items] for name in wrong("x")}}


def write(path, redness):
    path.parent.mkdir(exist_ok=True)
    cv2.imwrite(str(path), picture(redness)[..., ::-1])
    return path


def film(path, rednesses, fps=10):
    with H264Writer(path, (96, 96), fps) as writer:
        for number, redness in enumerate(rednesses):
            writer.write(np.zeros((96, 96, 3), np.uint8) if redness is None else picture(redness, number))
    return path


def test_of_a_picture_the_face_under_its_map(tmp_path):
    found = look(write(tmp_path / "a.png", 100), False)
    assert found.crop.shape == (CROP_SIDE, CROP_SIDE, 3)
    assert found.score.verdict == "fake"
    (card,) = gallery(document(wrong(tmp_path / "a.png")), look)
    drawn = np.asarray(Image.open(io.BytesIO(card.jpeg)), float)
    assert drawn.shape == (CARD_SIDE, CARD_SIDE, 3)
    # the map of a fake reddens it: less green than the bare crop has
    assert drawn[..., 1].mean() < found.crop[..., 1].mean() - 10


@pytest.mark.parametrize(
    ("rednesses", "fps", "low", "high"),
    [
        ([-100] * 10 + [100] * 4 + [-100] * 10, 10, 0.9, 1.5),  # the only frames that look fake
        ([-20] * 300 + [100] * 20 + [-20] * 80, 4, 74, 81),  # so long that its frames lie seconds apart
        ([None] * 10 + [60] * 10, 10, 0.9, 2.1),  # nobody is there at first
    ],
)
def test_of_a_video_the_strongest_frame(tmp_path, rednesses, fps, low, high):
    found = look(film(tmp_path / "a.mp4", rednesses, fps), True)
    assert low <= found.time_s <= high
    assert found.crop[..., 0].mean() > found.crop[..., 2].mean()  # and it is that frame that is shown


def test_a_long_video_costs_no_more_than_a_short_one(tmp_path):
    seen = []

    class Counting:
        def find(self, rgb):
            seen.append(rgb)
            return FINDER.find(rgb)

    find_evidence(film(tmp_path / "a.mp4", [60] * 400, 4), True, detector(), Counting())
    assert len(seen) <= MOST_FRAMES


def test_what_cannot_be_shown_says_why(tmp_path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "broken.mp4").write_bytes(b"no film")
    cv2.imwrite(str(tmp_path / "black.png"), np.zeros((96, 96, 3), np.uint8))
    found = document(
        wrong(tmp_path / "gone.png"),
        wrong(tmp_path / "gone.mp4", video=True),
        wrong(tmp_path / "broken.png"),
        wrong(tmp_path / "broken.mp4", video=True),
        wrong(tmp_path / "black.png"),
        wrong(film(tmp_path / "black.mp4", [None] * 5), video=True),
    )
    cards = gallery(found, look)
    assert [card.jpeg for card in cards] == [None] * 6
    assert "does not exist" in cards[0].problem
    assert "does not exist" in cards[1].problem
    assert all("No face is found" in card.problem for card in cards[4:])
    page = "".join(mistakes(found, cards))
    assert "<img" not in page
    assert page.count('class="none') == 6


def test_a_bug_is_not_taken_for_a_missing_file(tmp_path):
    def broken(path, video):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        gallery(document(wrong(tmp_path / "a.png")), broken)


def test_so_many_and_no_more(tmp_path):
    def never(path, video):
        raise MediaError("gone")

    told = []
    many = [wrong(f"{number}.png", probability=0.7 + number / 100) for number in range(SHOWN + 5)]
    cards = gallery(document(*many), never, lambda *at: told.append(at[:2]))
    assert [card.at for card in cards] == list(range(SHOWN + 4, 4, -1))  # the most confident first
    assert told[-1] == (SHOWN, SHOWN)


@pytest.mark.parametrize(
    "items",
    [
        {"fake": [False], "verdict": ["fake"], "fake_probability": [0.9], "video": [False]},  # no paths
        {**document(wrong("x"))["items"], "verdict": ["real"]},  # no mistake
    ],
)
def test_nothing_to_show(items):
    assert gallery({"items": items}, look) == []
    assert list(mistakes({"items": items}, [])) == []


def test_the_html_has_each_card_with_words_and_every_name_is_escaped(tmp_path):
    found = document(
        wrong(write(tmp_path / NASTY, 100), probability=0.973),
        wrong(film(tmp_path / "a.mp4", [60] * 5), video=True),
    )
    page = "".join(mistakes(found, gallery(found, look)))
    images = re.findall(r'<img alt="([^"]*)" src="data:image/jpeg;base64,[A-Za-z0-9+/=]+">', page)
    assert len(images) == page.count("<img") == 2
    assert images[1].startswith("Face in a.mp4 at second")
    assert "Called fake, 97.3\N{NO-BREAK SPACE}%" in page
    assert "Is real" in page
    assert "<i>" not in page
    assert "fake probability that was given" in page
    plain = "".join(mistakes(found, []))  # the detector is not there any more: names alone, as a table
    assert "<img" not in plain
    assert "a.mp4" in plain
