"""Reports come back from disk exactly: every field, every array, no rounding."""

import dataclasses
import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.analysis.serialize import dump_report, load_report, read_report, write_report
from core.analysis.types import (
    FaceScore,
    FrameReport,
    ImageReport,
    Quality,
    Report,
    Stretch,
    TrackReport,
    VideoReport,
)
from core.faces.types import Face

RANDOM = np.random.default_rng(3)


def face_score(map_side: int | None = 10, track_id: int | None = 1, **changes: Any) -> FaceScore:
    face = Face(
        box_xyxy=(1 / 3, -2.5, 100.0000001, 1e-9),
        score=0.1 + 0.2,
        landmarks=RANDOM.normal(size=(5, 2)).astype(np.float32),
        track_id=track_id,
        interpolated=True,
    )
    values: dict[str, Any] = {
        "face": face,
        "fake_probability": 2 / 3,
        "logit": -1e-17,
        "class_probabilities": {"real": 1 / 3, "fake": 2 / 3},
        "verdict": "uncertain",
        "quality": Quality(face_px=41.7, sharpness=12.345678901234567, brightness=101.0, turn=None),
        "reasons": ("Too small: 39 px – “judged” anyway", "zweiter Grund\n☃"),
        "activation_map": None if map_side is None else RANDOM.normal(size=(map_side, map_side)).astype(np.float32),
    }
    return FaceScore(**{**values, **changes})


def image_report(**changes: Any) -> ImageReport:
    values: dict[str, Any] = {
        "path": "a folder/\U0001f600 picture\n.jpg",
        "verdict": "fake",
        "fake_probability": 0.1,
        "size_wh": (1280, 720),
        "warnings": ("truncated",),
        "model": "default",
        "model_sha256": "ab" * 32,
        "seconds": 0.30000000000000004,
        "faces": (face_score(), face_score(map_side=None, track_id=None), face_score(map_side=7)),
    }
    return ImageReport(**{**values, **changes})


def video_report(frame_count: int = 3) -> VideoReport:
    return VideoReport(
        path="clip.mp4",
        verdict="fake",
        fake_probability=0.97,
        fps=30000 / 1001,
        duration_s=10.01,
        sampling="every frame",
        frames=tuple(FrameReport(i, i * 1001 / 30000, (face_score(),) * (i % 3)) for i in range(frame_count)),
        tracks=(
            TrackReport(1, 0.0, 10.01, "fake", 0.97, (Stretch(4.0, 7.0, 0.99, (0.91, 0.08)),), ("why",), face_count=7),
        ),
    )


def arrays_of(report: ImageReport | VideoReport) -> list[np.ndarray | None]:
    """All arrays of a report in order; `==` leaves them out."""
    frames = [report.faces] if isinstance(report, ImageReport) else [frame.faces for frame in report.frames]
    return [array for faces in frames for score in faces for array in (score.face.landmarks, score.activation_map)]


def assert_same(loaded: Report | None, saved: ImageReport | VideoReport) -> None:
    assert type(loaded) is type(saved)
    assert loaded == saved
    assert repr(loaded) == repr(saved)  # 1 == 1.0 == np.float32(1): the types must come back as well
    for there, here in zip(arrays_of(loaded), arrays_of(saved), strict=True):
        if here is None:
            assert there is None
        else:
            assert there is not None and there.dtype == here.dtype
            np.testing.assert_array_equal(there, here)


@pytest.mark.parametrize(
    "report",
    [
        image_report(),
        image_report(faces=(), verdict="no_face", fake_probability=None),
        image_report(verdict="error", error="It cannot be read.", size_wh=None, faces=(), fake_probability=None),
        video_report(),
        video_report(frame_count=0),
    ],
    ids=["faces with and without maps", "no face", "error", "video", "video without frames"],
)
def test_round_trip(report: ImageReport | VideoReport, tmp_path: Path) -> None:
    write_report(tmp_path / "new" / "folder", report)
    assert_same(read_report(tmp_path / "new" / "folder"), report)


def test_every_field_of_every_type_is_carried() -> None:
    """A field added later, with a default, would be lost unseen: the types' own defaults must not appear here."""
    report, video = image_report(error="x", reasons=("x",)), video_report()
    frame = next(frame for frame in video.frames if frame.faces)
    for part in (video.tracks[0], video.tracks[0].stretches[0], frame, report.faces[0]):
        for field in dataclasses.fields(part):
            assert repr(getattr(part, field.name)) != repr(field.default), f"{type(part).__name__}.{field.name}"
    document, _ = dump_report(report)
    assert set(document["report"]) == {field.name for field in dataclasses.fields(ImageReport)}


def test_numpy_numbers_become_plain_ones() -> None:
    """What a network gives are numpy scalars, which json refuses."""
    score = face_score(fake_probability=np.float32(0.25), logit=np.float64(1.5), verdict="real")
    document, arrays = dump_report(image_report(faces=(score,), size_wh=(np.int64(4), np.int32(3))))
    loaded = load_report(json.loads(json.dumps(document)), arrays)
    assert isinstance(loaded, ImageReport)
    assert (loaded.size_wh, loaded.faces[0].fake_probability, loaded.faces[0].logit) == ((4, 3), 0.25, 1.5)
    assert type(loaded.faces[0].fake_probability) is float


def test_arrays_of_one_shape_share_a_stack() -> None:
    """Ten thousand maps as ten thousand members of a zip would take seconds and megabytes of headers."""
    _, arrays = dump_report(video_report(frame_count=300))
    assert {name: stack.shape for name, stack in arrays.items()} == {
        "float32_5_2": (300, 5, 2),
        "float32_10_10": (300, 10, 10),
    }


def edited(path: list[str | int], value: Any) -> Any:
    document = json.loads(json.dumps(dump_report(image_report())[0]))
    place = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    return document


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        {},
        edited(["format"], 2),  # of a later version
        edited(["kind"], "sound"),
        edited(["report"], []),
        edited(["report", "verdict"], "certainly"),  # not in the vocabulary
        edited(["report", "fake_probability"], "0.5"),
        edited(["report", "fake_probability"], True),
        edited(["report", "size_wh"], [1]),
        edited(["report", "faces"], [{}]),  # required fields missing
        edited(["report", "faces", 0, "activation_map"], {"$array": ["float32_10_10", 99]}),
        edited(["report", "faces", 0, "activation_map"], {"$array": ["nowhere", 0]}),
        edited(["report", "faces", 0, "activation_map"], {"$array": 1}),
    ],
)
def test_damage_is_a_value_error(document: Any) -> None:
    _, arrays = dump_report(image_report())
    with pytest.raises(ValueError):
        load_report(document, arrays)


def test_fields_of_another_version() -> None:
    document = edited(["report", "field_of_the_future"], 1)
    del document["report"]["warnings"]  # one that has a default
    loaded = load_report(document, dump_report(image_report())[1])
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("name", "content", "logged"),
    [
        ("report.json", None, False),  # nothing was saved: nothing to tell
        ("report.json", b"", True),
        ("report.json", b'{"format": 1, "kind": "image"', True),  # cut off
        ("report.json", b"\xff\xfe\x00", True),
        ("arrays.npz", None, False),
        ("arrays.npz", b"", True),
        ("arrays.npz", b"PK\x03\x04 not a zip", True),
    ],
)
def test_damaged_files_read_as_none(
    name: str, content: bytes | None, logged: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_report(tmp_path, image_report())
    (tmp_path / name).unlink()
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with caplog.at_level(logging.WARNING):
        assert read_report(tmp_path) is None
    assert bool(caplog.records) == logged


def test_a_pickle_is_never_opened(tmp_path: Path) -> None:
    class Bomb:
        def __reduce__(self) -> Any:
            return (Path.touch, (tmp_path / "exploded",))

    write_report(tmp_path, image_report())
    np.savez(tmp_path / "arrays.npz", float32_5_2=np.array([Bomb()], dtype=object))
    assert read_report(tmp_path) is None
    assert not (tmp_path / "exploded").exists()


def test_other_types_are_refused() -> None:
    with pytest.raises(TypeError, match="must be an ImageReport or a VideoReport, got Report"):
        dump_report(Report(path="x", verdict="real"))  # type: ignore[arg-type]
