"""core.report: what a report tells, in which state of the file, and how to get the result again."""

import shlex
from dataclasses import replace
from types import SimpleNamespace

import pytest

import predict
from core.detector.spec import Thresholds
from core.errors import UserError
from core.media import Sampling
from core.report import SUFFIXES, Reporter, blocks, report_bytes, write_report
from core.report.document import document
from core.report.reproduce import command, sampling_kind
from core.words import LANGUAGES, words
from tests.report.support import DETECTOR, clip_content, picture_content


def text_of(found, language="en") -> str:
    """All text of a report, in order."""
    parts = []
    for block in document(found, words(language)):
        for value in vars(block).values():
            parts += [str(part) for part in (value if isinstance(value, tuple) else (value,))]
    return "\n".join(parts)


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return clip_content(tmp_path_factory.mktemp("clip") / "clip.mp4")


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    return picture_content(tmp_path_factory.mktemp("still") / "still.png", 4.0, -4.0)


def test_a_clip_from_verdict_to_limits(clip):
    text = text_of(clip)
    for needed in (
        "Likely fake",
        clip.sha256,
        "2026-05-04 03:02:01 UTC",
        "planted",
        "ab" * 32,
        "every frame",
        "--every",
    ):
        assert needed in text
    found = list(document(clip, words("en")))
    timelines = [block for block in found if isinstance(block, blocks.Timeline)]
    assert [timeline.title.split(" · ")[0] for timeline in timelines] == ["Person 1", "Person 2"]  # the fake one first
    assert len(timelines[0].points) == 20
    (figures,) = [block for block in found if isinstance(block, blocks.Figures)]
    assert len(figures.figures) == 6  # three a person
    assert "not proof" in text and "No result is proof" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_stretch_that_must_reach_more_than_a_person_is_explained(clip, language):
    to = words(language)
    sentence = to("report.stretch_threshold", whole=to.percent(0.7), stretch=to.percent(0.9))
    stricter = replace(clip.spec, thresholds=Thresholds(0.2, 0.9), video_thresholds=Thresholds(0.2, 0.7))
    assert sentence in text_of(replace(clip, spec=stricter), language)
    assert to("report.stretch_threshold", whole="", stretch="")[-40:] not in text_of(clip, language)


def test_a_picture_shows_itself_and_each_face(still):
    (figures,) = [block for block in document(still, words("en")) if isinstance(block, blocks.Figures)]
    assert [figure.wide for figure in figures.figures] == [True, False, False]
    assert "Face 1: Likely fake" in figures.figures[1].caption


@pytest.mark.parametrize("language", LANGUAGES)
def test_fixed_texts_are_of_one_language(clip, language):
    found = {block.text for block in document(clip, words(language)) if isinstance(block, blocks.Heading)}
    assert found == {
        words(language)(f"report.{key}")
        for key in (
            *("reasons", "file", "people", "timelines", "strongest", "metadata", "settings", "reproduce", "limits"),
        )
    }
    if language != "en":
        assert "looks manipulated" not in text_of(clip, language)  # the analysis's own sentence, told again


def test_a_file_that_is_gone_says_so_in_one_sentence(tmp_path):
    path = tmp_path / "a.png"
    before = picture_content(path, 4.0)
    stamp = {"sha256": before.sha256, "size_bytes": before.size_bytes}
    path.unlink()
    gone = gather_again(before, path, stamp)
    assert (gone.file, gone.findings, gone.views) == ("gone", None, ())
    assert "no longer where it was analysed" in text_of(gone)
    path.write_bytes(b"another")
    changed = gather_again(before, path, stamp)
    assert (changed.file, changed.findings, changed.views) == ("changed", None, ())
    assert f"its SHA-256 is now {changed.sha256_now}" in text_of(changed)
    assert before.sha256 in text_of(changed)
    for suffix in SUFFIXES:
        assert report_bytes(changed, suffix, "de")


def gather_again(before, path, stamp):
    from core.report import gather

    return gather(before.report, path, detector=DETECTOR, **stamp)


def test_another_detector_is_not_given_out_for_the_one_that_judged(tmp_path):
    other = SimpleNamespace(sha256="cd" * 32, spec=DETECTOR.spec, engine="x", precision="y")
    found = picture_content(tmp_path / "a.png", 4.0, detector=other)
    assert found.spec is None
    text = text_of(found)
    assert "not the one at hand" in text
    assert "Thresholds" not in text
    assert report_bytes(found, ".pdf")


def test_no_face(tmp_path):
    found = picture_content(tmp_path / "a.png", None)
    assert "No face found" in text_of(found)
    for suffix in SUFFIXES:
        assert report_bytes(found, suffix, "fr")


def test_time_that_nobody_wrote_down(still):
    assert "not known" in text_of(replace(still, analysed_at=None))


@pytest.mark.parametrize("sampling", [Sampling.every_frame(), Sampling.per_second(2.5), Sampling.evenly(32)])
def test_the_command_gives_the_same_sampling(clip, sampling):
    report = replace(clip.report, sampling=str(sampling), path="two words.mp4")
    line = shlex.split(command(report, "openvino"))
    assert line[:2] == ["python", "predict.py"]
    arguments = predict.build_parser().parse_args(line[2:])
    assert arguments.paths == ["two words.mp4"]
    assert (arguments.engine, arguments.model) == ("openvino", "planted")
    assert predict._sampling(arguments) == sampling
    assert sampling_kind(str(sampling))
    assert command(report, "", "de").endswith("--report report.html --language de")


@pytest.mark.parametrize("name", ["a; rm -rf ~.png", "$(id).png", "it's.png", "-rf.png", "new\nline.png"])
def test_a_name_cannot_become_a_command(still, name):
    line = command(replace(still.report, path=name), "")
    assert "\n" not in line
    assert len(shlex.split(line)) == 7


def test_places(still, tmp_path):
    with pytest.raises(UserError, match=r"\.html or \.pdf"):
        write_report(still, tmp_path / "report.docx")
    with pytest.raises(UserError, match="cannot be written"):
        write_report(still, tmp_path / "missing" / "report.pdf")
    with pytest.raises(ValueError, match="suffix"):
        report_bytes(still, ".docx")
    with pytest.raises(UserError, match="one file, and 2"):
        Reporter([tmp_path, tmp_path], tmp_path / "a.html", "en")
    write_report(still, tmp_path / "report.HTML", "es")
    assert [path.name for path in tmp_path.iterdir()] == ["report.HTML"]  # no half file stays


def test_many_people_are_bounded(clip):
    tracks = tuple(replace(clip.report.tracks[0], id=number) for number in range(1, 61))
    found = list(document(replace(clip, report=replace(clip.report, tracks=tracks)), words("en")))
    assert sum(isinstance(block, blocks.Timeline) for block in found) == 8
    assert any("8 most suspicious of 60" in getattr(block, "text", "") for block in found)
    assert report_bytes(replace(clip, report=replace(clip.report, tracks=tracks)), ".pdf")


@pytest.mark.parametrize(
    ("language", "said"), [("en", "turned clockwise by 90°"), ("de", "um 90° im Uhrzeigersinn gedreht")]
)
def test_a_face_that_was_turned_is_said_to_be(still, language, said):
    score, *others = still.report.faces
    turned = replace(score, face=replace(score.face, rotation_deg=90))
    assert said in text_of(replace(still, report=replace(still.report, faces=(turned, *others))), language)
    assert said not in text_of(still, language)


def test_whose_probability_it_is_and_which_faces_look_manipulated(clip, still):
    text = text_of(still)
    assert "Fake probability of the worst of 2 faces: 98\u00a0%" in text
    assert "Faces that look manipulated: 1." in text
    assert "Fake probability of the worst of 2 people: 9" in text_of(clip)


def test_a_frame_s_verdict_is_its_own(clip):
    (figures,) = [block for block in document(clip, words("en")) if isinstance(block, blocks.Figures)]
    said = [figure.caption for figure in figures.figures]
    assert any(one.startswith("Person 1, second ") and ": Likely fake, " in one for one in said)
    assert any(one.startswith("Person 2, second ") and ": No manipulation found, " in one for one in said)
    assert "Each frame is judged by itself here" in text_of(clip)


def test_frames_without_a_face_are_counted(clip):
    assert "Of these with a face" not in text_of(clip)
    frames = tuple(replace(frame, faces=()) if frame.index < 5 else frame for frame in clip.report.frames)
    fewer = replace(clip, report=replace(clip.report, frames=frames))
    assert "('Of these with a face', '15')" in text_of(fewer)
