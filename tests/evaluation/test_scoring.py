"""Media through the product's own path, in order, several at a time, and never twice."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from core.data.dataset import Sample
from core.detector.spec import Thresholds
from core.errors import Cancelled
from core.evaluation import score_media, score_pictures
from core.evaluation.cache import RowCache, detector_key, stamp
from core.evaluation.changes import Change
from core.evaluation.scoring import in_parallel
from tests.evaluation.support import FINDER, clip, detector, picture

IN_FILM = Change("h264", 30, film=True)


@pytest.fixture
def samples(tmp_path):
    """A blue, a red, a black and a broken picture, and a red clip."""
    for name, rgb in (("blue", picture(-100)), ("red", picture(100)), ("black", np.zeros((64, 64, 3), np.uint8))):
        cv2.imwrite(str(tmp_path / f"{name}.png"), rgb[..., ::-1])
    (tmp_path / "broken.png").write_bytes(b"no picture")
    clip(tmp_path / "clip.mp4", 100)
    names = ("blue.png", "red.png", "black.png", "broken.png", "clip.mp4")
    return [Sample(tmp_path / name, "real" if name == "blue.png" else "fake", "s", "test", name) for name in names]


def test_each_is_judged_as_the_product_judges_it(samples):
    scored = score_media(samples, detector(), FINDER)
    assert [one.sample for one in scored] == samples
    assert [one.verdict for one in scored] == ["real", "fake", "no_face", "error", "fake"]
    assert "broken.png" in scored[3].error
    assert scored[4].video
    assert scored[4].quality is None
    # a video's probability is the track's, and its logit is the one that gives it
    assert scored[4].logit == pytest.approx(np.log(scored[4].fake_probability / (1 - scored[4].fake_probability)))
    assert scored[0].quality.face_px == 96  # the finder takes it for a tight crop


def test_unreadable_ones_are_left_out_for_training(samples):
    assert len(score_pictures(samples, detector(), FINDER)) == 4


def test_nothing_is_judged_twice_and_a_changed_file_is(samples, tmp_path):
    counted = detector()
    cache = RowCache(tmp_path / "cache.jsonl")
    first = score_media(samples, counted, FINDER, cache=cache)
    calls = counted.calls
    again = score_media(samples, counted, FINDER, cache=RowCache(tmp_path / "cache.jsonl"))
    assert counted.calls == calls
    assert again == first
    cv2.imwrite(str(samples[0].path), picture(100, seed=5)[..., ::-1])
    assert score_media(samples[:1], counted, FINDER, cache=cache)[0].verdict == "fake"


def test_changed_copies_have_answers_of_their_own(samples, tmp_path):
    cache = RowCache(tmp_path / "cache.jsonl")
    plain = score_media(samples[1:2], detector(), FINDER, cache=cache)
    grey = score_media(samples[1:2], detector(), FINDER, cache=cache, change=Change("saturation", 0.0))
    assert plain[0].verdict == "fake"
    assert grey[0].fake_probability == pytest.approx(0.5, abs=0.05)


def test_a_copy_in_a_film_is_judged_as_a_frame_of_one(samples, tmp_path):
    judge = detector(video_thresholds=Thresholds(0.99999, 0.999999))  # by which faces of films are genuine
    cache = RowCache(tmp_path / "cache.jsonl")
    red, black = samples[1:3]
    for _ in ("judged", "from the cache"):
        still, film, none = (
            score_media([sample], judge, FINDER, cache=cache, change=change)[0]
            for sample, change in ((red, Change("h264", 30)), (red, IN_FILM), (black, IN_FILM))
        )
        assert (still.verdict, film.verdict, none.verdict) == ("fake", "real", "no_face")
        assert still.quality.quantiser is None
        assert 20 < film.quality.quantiser < 40


def test_half_a_line_is_passed_over(tmp_path):
    path = tmp_path / "cache.jsonl"
    RowCache(path).put("a", {"x": 1})
    path.write_text(path.read_text() + '["b", {"x"')
    cache = RowCache(path)
    assert cache.get("a") == {"x": 1}
    assert cache.get("b") is None


def test_a_disk_that_is_full_costs_no_work(tmp_path, monkeypatch):
    cache = RowCache(tmp_path / "gone" / "cache.jsonl")  # the folder is not there: every write fails
    cache.put("a", {"x": 1})
    assert cache.get("a") == {"x": 1}


@pytest.mark.parametrize(
    ("changes", "same"),
    [
        ({}, True),
        ({"licence": "another"}, True),  # says nothing about the answers
        ({"metrics": {"auc": 1}}, True),
        ({"input_size": 48}, False),
        ({"gates": {"min_face_px": 80}}, False),
    ],
)
def test_a_cache_belongs_to_all_that_answers_depend_on(changes, same):
    from core.detector.spec import QualityGates

    changes = {key: QualityGates(**value) if key == "gates" else value for key, value in changes.items()}
    assert (detector_key(detector()) == detector_key(detector(**changes))) == same


def test_a_stamp_tells_no_path(tmp_path):
    assert str(tmp_path) not in stamp(tmp_path / "secret.png")
    assert stamp(Path("a")) != stamp(Path("b"))


def test_work_is_bounded_in_order_and_can_be_stopped():
    under_way, most, seen = set(), [0], []

    def work(number):
        under_way.add(number)
        most[0] = max(most[0], len(under_way))
        under_way.discard(number)
        return number * 2

    assert list(in_parallel(work, range(50), lambda done, total: seen.append((done, total)))) == list(range(0, 100, 2))
    assert seen[-1] == (50, 50)
    assert most[0] <= 16
    with pytest.raises(Cancelled):
        list(in_parallel(work, range(50), should_cancel=lambda: True))


def test_an_error_in_one_reaches_the_caller():
    def work(number):
        raise RuntimeError(f"planted {number}")

    with pytest.raises(RuntimeError, match="planted 0"):
        list(in_parallel(work, range(5)))
