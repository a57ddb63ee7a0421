"""People keep their numbers, and never share them."""

from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from core.faces import default_finder
from core.faces.cuts import compare, take_sketch
from core.faces.identity import iou
from core.faces.tracker import HELD_BYTES_MAX, track_faces
from core.media import VideoFrame
from tests.faces.film import Film, Place, between, bouncing, every, moving, picture, still

CLIPS = Path(__file__).parents[3] / "shared" / "data" / "videos"
CAST = [
    ([still(100)], 1, "one person, one number"),
    ([still(100), still(220)], 2, "side by side"),
    ([moving(60, 70), moving(260, -70)], 2, "crossing: one is hidden for a while"),
    ([bouncing(60, 155), bouncing(260, 165)], 2, "meeting and turning back: motion alone would swap them"),
    ([between(0, 1, still(100)), between(1.6, 3, still(104))], 1, "gone for 0.6 s"),
    ([between(0.5, 1.5, still(100)), between(1.0, 3, still(220))], 2, "entering and leaving"),
    ([between(0, 1.5, still(100)), between(1.5, 3, still(100))], 2, "another takes the same place at once"),
    ([between(0, 1.0, still(100)), between(1.4, 3, still(100))], 2, "another takes the same place after a while"),
    ([moving(20, 90)], 1, "fast"),
]


@pytest.mark.parametrize("fps", [30, 12.5, 4])
@pytest.mark.parametrize(("places", "tracks"), [row[:2] for row in CAST], ids=[row[2] for row in CAST])
def test_numbers_follow_people(places: list[Place], tracks: int, fps: float) -> None:
    same_person_twice = tracks < len(places)
    film = Film(every(fps, 3), places, colours=[Film.COLOURS[0]] * 2 if same_person_twice else Film.COLOURS)
    tracked = list(track_faces(film, film))
    owners = film.owners(tracked)
    assert [frame.index for frame, _ in tracked] == list(range(len(film.times_s)))
    if not same_person_twice:
        assert all(len(who) == 1 for who in owners.values()), owners
    assert sorted(owners) == list(range(1, tracks + 1))


def test_numbers_are_given_in_the_order_of_appearance() -> None:
    film = Film(every(30, 3), [between(1, 3, still(100)), between(2, 3, still(220)), still(40)])
    assert film.owners(list(track_faces(film, film))) == {1: {2}, 2: {0}, 3: {1}}


def test_people_who_look_alike_are_told_apart_by_motion() -> None:
    film = Film(every(30, 3), [moving(60, 70), moving(260, -70)], colours=[(90, 80, 70)] * 2)
    owners = film.owners(list(track_faces(film, film)))
    assert all(len(who) == 1 for who in owners.values()), owners


class TestBetweenKeyFrames:
    def test_boxes_and_landmarks_move_with_the_clock(self) -> None:
        times_s = [0, 0.01, 0.15, 0.16, 0.2, 0.21, 0.39, 0.4]  # index / count would put frame 1 at a quarter of the way
        film = Film(times_s, [moving(100, 40)])
        for frame, faces in track_faces(film, film):
            assert faces[0].box_xyxy == pytest.approx(film.boxes(frame.index)[0], abs=1e-6)
            assert faces[0].landmarks == pytest.approx(np.full((5, 2), faces[0].box_xyxy[0]), abs=1e-3)
            assert faces[0].interpolated == (frame.index not in film.seen)

    def test_the_finder_looks_at_key_frames_only(self) -> None:
        film = Film(every(30, 2), [still(100)])
        list(track_faces(film, film))
        assert film.seen == [*range(0, 60, 6), 59]

    @pytest.mark.parametrize("fps", [5, 2, 0.1])
    def test_sparse_frames_are_all_looked_at_and_keep_identity(self, fps: float) -> None:
        film = Film(every(fps, 6 / fps), [still(100), still(220)])
        tracked = list(track_faces(film, film))
        assert film.seen == list(range(6))
        assert sorted(film.owners(tracked).items()) == [(1, {1}), (2, {0})]  # numbered in the finder's order

    def test_the_middle_is_looked_at_where_someone_comes(self) -> None:
        film = Film(every(30, 1), [between(0.36, 1, still(100))])
        shown = [frame.index for frame, faces in track_faces(film, film) if faces]
        assert 9 in film.seen and shown[0] - 11 <= 2  # at 0.367 s

    def test_a_finder_that_fails_once_costs_a_gap_only(self) -> None:
        film = Film(every(30, 2), [still(100)])
        film.blind = {24}
        tracked = list(track_faces(film, film))
        assert film.owners(tracked) == {1: {0}}
        assert sum(not faces for _, faces in tracked) <= 6

    def test_a_false_face_on_one_frame_gets_a_number_and_disturbs_nobody(self) -> None:
        film = Film(every(30, 2), [still(100)])
        film.extra = {24: (110, 80, 150, 130)}
        assert film.owners(list(track_faces(film, film))) == {1: {0}, 2: {-1}}


class TestCuts:
    def test_a_cut_ends_tracks_and_nothing_is_interpolated_across(self) -> None:
        film = Film(
            every(30, 3),
            [between(0, 1.5, still(100)), between(1.5, 3, still(104))],
            shot=lambda time_s: int(time_s >= 1.5),
            colours=[(200, 60, 50)] * 2,  # the same colours at the same place: only the cut tells
        )
        tracked = list(track_faces(film, film))
        assert {44, 45} <= set(film.seen)
        assert {f.track_id for frame, faces in tracked if frame.index < 45 for f in faces} == {1}
        assert {f.track_id for frame, faces in tracked if frame.index >= 45 for f in faces} == {2}
        assert all(len(faces) == 1 for _, faces in tracked)

    @pytest.mark.parametrize(
        ("insert_s", "tracks"),
        [
            (1 / 30, {1}),  # one frame of something else
            (0.5, {1}),  # the same shot is back in time
            (1.5, {1, 2}),  # too long ago: a new number
        ],
    )
    def test_the_same_shot_comes_back(self, insert_s: float, tracks: set[int]) -> None:
        film = Film(
            every(30, 4),
            [lambda time_s: None if 1 <= time_s < 1 + insert_s - 1e-9 else (100, 90)],
            shot=lambda time_s: int(1 <= time_s < 1 + insert_s - 1e-9),
        )
        assert set(film.owners(list(track_faces(film, film)))) == tracks

    def test_a_flash_is_no_cut(self) -> None:
        film = Film(every(30, 2), [still(100)])
        frames = [VideoFrame(f.index, f.time_s, _flashed(f.rgb) if f.index in (24, 25) else f.rgb) for f in film]
        assert film.owners(list(track_faces(frames, film))) == {1: {0}}

    @pytest.mark.parametrize(
        ("before", "after", "change"),
        [
            (picture(1), picture(1), "same"),
            (picture(1), picture(2), "other"),
            (picture(1, (1920, 1080)), np.roll(picture(1, (1920, 1080)), 40, axis=1), "same"),  # a pan
            (np.zeros((90, 160, 3), np.uint8), np.full((90, 160, 3), 3, np.uint8), "same"),  # a dark picture's noise
            (np.zeros((1, 1, 3), np.uint8), np.zeros((1, 1, 3), np.uint8), "same"),  # a single pixel
            (picture(1), np.zeros((180, 320, 3), np.uint8), "other"),  # to black
        ],
    )
    def test_compare(self, before: NDArray[np.uint8], after: NDArray[np.uint8], change: str) -> None:
        assert compare(take_sketch(before), take_sketch(after)) == change


def _flashed(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    number = rgb[0, 0].copy()
    bright = np.clip(rgb.astype(np.float32) * 1.3 + 20, 0, 255).astype(np.uint8)
    bright[0, 0] = number
    return bright


class TestStream:
    def test_no_frames(self) -> None:
        assert list(track_faces([], Film([], []))) == []

    def test_one_frame(self) -> None:
        film = Film([0.0], [still(100)])
        ((frame, faces),) = track_faces(film, film)
        assert frame.index == 0 and [face.track_id for face in faces] == [1]

    @pytest.mark.parametrize(
        "times_s",
        [
            [0.0] * 40,  # a file without time stamps
            [i / 30 if i < 20 else (i - 20) / 30 for i in range(40)],  # the clock starts again
            [0.0, 0.3, 0.31, 0.9, 0.95, 4.0, 4.01, 4.02],  # irregular
        ],
    )
    def test_odd_clocks(self, times_s: list[float]) -> None:
        film = Film(times_s, [still(100)])
        tracked = list(track_faces(film, film))
        assert len(tracked) == len(times_s) and film.owners(tracked) == {1: {0}}

    @pytest.mark.parametrize(("shape", "fps"), [((1080, 1920, 3), 30), ((2160, 3840, 3), 60)])
    def test_frames_held_are_bounded(self, shape: tuple[int, int, int], fps: float) -> None:
        """How far the source runs ahead of what came out: counting at the end would not show it."""
        blank = np.zeros(shape, np.uint8)  # all frames share it: the test itself needs no memory
        taken = given = most = 0

        def source() -> Iterator[VideoFrame]:
            nonlocal taken, most
            for index in range(60):
                taken += 1
                most = max(most, taken - given)
                yield VideoFrame(index, 0.0, blank)  # the clock stands still: only the bytes bound it

        for _ in track_faces(source(), Film([], [])):
            given += 1
        assert given == 60 and most * blank.nbytes <= HELD_BYTES_MAX

    @pytest.mark.parametrize("settings", [{"detect_every_s": -1}, {"max_gap_s": -1}, {"iou_min": 2}])
    def test_settings_out_of_range(self, settings: dict[str, float]) -> None:
        with pytest.raises(ValueError, match="must be at least 0"):
            list(track_faces([], Film([], []), **settings))  # type: ignore[arg-type]


def _clip(name: str, count: int, size_wh: tuple[int, int]) -> list[NDArray[np.uint8]]:
    frames = []
    with av.open(str(CLIPS / name)) as container:
        for frame in container.decode(video=0):
            frames.append(cv2.resize(frame.to_ndarray(format="rgb24"), size_wh, interpolation=cv2.INTER_AREA))
            if len(frames) == count:
                break
    return frames


@pytest.mark.skipif(not CLIPS.is_dir(), reason="needs the clips in ../shared/data, which are not part of the project")
def test_two_real_people_side_by_side_crossing_and_cut() -> None:
    """Two clips glide over one another (2 s), then a cut shows the left one's person alone, then both again."""
    first, second = (_clip(n, 80, (480, 270)) for n in ("Real/dfdc_lynaeydofd.mp4", "Real/ffpp_519.mp4"))
    finder = default_finder()
    homes = [np.array(finder.find(clip[0])[0].box_xyxy) for clip in (first, second)]
    alone = np.array(finder.find(cv2.resize(first[60], (960, 540)))[0].box_xyxy)
    truth: list[dict[str, NDArray[np.float64]]] = []

    def source() -> Iterator[VideoFrame]:
        for index in range(100):
            canvas = np.full((540, 960, 3), 90, np.uint8)
            slide = min(index, 99 - index if index >= 75 else 60) / 60 * 480
            now = index % 80
            if 60 <= index < 75:
                canvas = cv2.resize(first[now], (960, 540))
                truth.append({"first": alone})
            else:
                corners = (int(480 - slide), 150), (int(slide), 110)
                for clip, (x, y) in zip((second, first), reversed(corners), strict=True):
                    canvas[y : y + 270, x : x + 480] = clip[now]
                shifts = [np.array([*corner, *corner]) for corner in corners]
                truth.append({"first": homes[0] + shifts[0], "second": homes[1] + shifts[1]})
            yield VideoFrame(index, index / 25, canvas)

    owners: dict[int, set[str]] = defaultdict(set)
    for frame, faces in track_faces(source(), finder):
        here = truth[frame.index]
        if len(here) == 2 and iou(tuple(here["first"]), tuple(here["second"])) > 0.2:
            continue  # one hides the other: whose face it is cannot be said
        for face in faces:
            overlaps = {who: iou(face.box_xyxy, tuple(box)) for who, box in here.items()}
            if max(overlaps.values()) > 0.3:
                owners[face.track_id or 0].add(max(overlaps, key=overlaps.__getitem__))
    assert {who for track in owners.values() for who in track} == {"first", "second"}
    assert all(len(who) == 1 for who in owners.values()), owners
    assert len(owners) <= 8  # two people in three shots; each coming out from behind the other may start anew
