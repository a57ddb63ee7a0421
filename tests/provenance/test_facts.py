"""core.provenance.exif and .container: facts and notes, whatever strangers have written into a file."""

import io

import av
import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from core.errors import MediaError
from core.provenance import examine
from core.provenance.clean import clean
from core.provenance.container import video_facts
from core.provenance.exif import picture_facts
from core.provenance.programs import kind_of
from core.provenance.types import Fact
from core.words import words

NOISE = np.random.default_rng(1).integers(0, 255, (48, 64, 3), np.uint8)


def save(path, kind="JPEG", **options):
    Image.fromarray(NOISE).save(path, kind, **options)
    return path


def read(path, facts_of=picture_facts):
    facts, notes = facts_of(path)
    return {fact.key: fact.value for fact in facts}, {note.key: note.text(words("en")) for note in notes}


def exif(**more):
    found = Image.Exif()
    found[0x010F], found[0x0110], found[0x0131] = "Canon", "Canon EOS R5", "Adobe Photoshop 25.0"
    found[0x0132] = "2024:05:02 10:00:00"
    inner = found.get_ifd(0x8769)
    inner[0x9003], inner[0x829A], inner[0x829D], inner[0x8827] = "2024:05:01 09:00:00", 0.004, 2.8, 400
    place = found.get_ifd(0x8825)
    place[1], place[2], place[3], place[4] = "N", (52.0, 30.0, 0.0), "W", (13.0, 24.0, 36.0)
    for tag, value in more.items():
        found[int(tag[1:], 16)] = value
    return found


def test_a_camera_and_an_editor(tmp_path):
    facts, notes = read(save(tmp_path / "a.jpg", quality=88, exif=exif()))
    assert facts["camera"] == "Canon EOS R5"  # not "Canon Canon EOS R5"
    assert facts["exposure"] == "1/250 s, f/2.8, ISO 400"
    assert facts["place"] == "52.50000, -13.41000"
    assert facts["jpeg_quality"] == "88"
    assert facts["taken"] == "2024-05-01 09:00:00"
    assert set(notes) == {"camera", "dates_differ", "place", "editor"}
    assert "not proof" in notes["camera"]
    assert "says nothing of manipulation" in notes["editor"]


def test_nothing_at_all_proves_nothing(tmp_path):
    facts, notes = read(save(tmp_path / "a.png", "PNG"))
    assert facts == {"format": "PNG", "size": "64 × 48"}
    assert list(notes) == ["no_camera"]


def test_a_generators_recipe(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "a face, masterpiece\nSteps: 30, Sampler: Euler a")
    info.add_text("Software", "ComfyUI")
    facts, notes = read(save(tmp_path / "a.png", "PNG", pnginfo=info))
    assert facts["recipe"] == "a face, masterpiece Steps: 30, Sampler: Euler a"
    assert {"recipe", "generator"} <= set(notes)


def test_what_xmp_says_of_the_source(tmp_path):
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description xmp:CreatorTool="DALL-E 3" '
        b'Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"><stEvt:action>saved</stEvt:action>'
        b"</rdf:Description></x:xmpmeta>"
    )
    facts, notes = read(save(tmp_path / "a.jpg", xmp=xmp))
    assert facts["software"] == "DALL-E 3"
    assert {"generator", "source_generated", "history"} <= set(notes)


@pytest.mark.filterwarnings("ignore")  # Pillow warns of some of these; what counts is that nothing comes of it
@pytest.mark.parametrize(
    "more",
    [
        {"x010F": "A" * 60_000},  # endless
        {"x010F": "<script>alert(1)</script>\x00\x1b[31m\u202eevil"},  # markup, escapes, right to left
        {"x010F": 12345},  # a number
        {"x010F": b"\xff\xfe\x00\x01"},  # bytes that are no text
        {"x0132": (1, 2, 3)},  # several
    ],
)
def test_hostile_exif_is_one_harmless_line(tmp_path, more):
    facts, notes = read(save(tmp_path / "a.jpg", exif=exif(**more)))
    for text in [*facts.values(), *notes.values()]:
        assert len(text) < 500
        assert text.isprintable()


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    "block",
    [
        b"Exif\0\0MM\0*\0\0\xff\xff" + b"\xff" * 40,  # a directory behind the end
        b"Exif\0\0II*\0\x08\0\0\0\xff\xff" + b"\x41" * 60,  # 65535 entries
        b"Exif\0\0II*\0\x08\0\0\0\x01\0\x69\x87\x04\0\x01\0\0\0\x08\0\0\0\0\0\0\0",  # a directory within itself
        b"Exif\0\0",  # none
    ],
)
def test_damaged_exif_loses_nothing_else(tmp_path, block):
    facts, notes = read(save(tmp_path / "a.jpg", exif=block))
    assert facts["format"] == "JPEG"
    assert "no_camera" in notes


def test_huge_png_text_is_cut(tmp_path):
    info = PngImagePlugin.PngInfo()
    info.add_text("parameters", "x" * 900_000)
    facts, _ = read(save(tmp_path / "a.png", "PNG", pnginfo=info))
    assert len(facts["recipe"]) == 160


def test_xmp_that_would_blow_up_a_parser(tmp_path):
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><x>&b;</x>' + b" CreatorTool=" * 3000
    facts, _ = read(save(tmp_path / "a.jpg", xmp=bomb))
    assert "software" not in facts


def clip(path, **tags):
    with av.open(str(path), "w", options={"movflags": "use_metadata_tags"}) as output:
        output.metadata.update(tags)
        stream = output.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(3):
            output.mux(stream.encode(av.VideoFrame.from_ndarray(NOISE, format="rgb24")))
        output.mux(stream.encode(None))
    return path


def test_a_phones_clip(tmp_path):
    tags = {"com.apple.quicktime.make": "Apple", "com.apple.quicktime.model": "iPhone 15", "comment": "hi\nthere"}
    path = clip(tmp_path / "a.mov", **tags)
    facts, notes = read(path, video_facts)
    assert facts["camera"] == "Apple iPhone 15"
    assert facts["codec"] == "h264"
    assert facts["comment"] == "hi there"
    assert "camera" in notes
    assert (
        "Lavf" in facts["software"] and "hardly the file that a camera wrote" in notes["converter"]
    )  # FFmpeg signs what it writes


def test_a_hostile_container(tmp_path):
    path = clip(tmp_path / "a.mp4", title="<img src=x onerror=alert(1)>\x1b[2J" + "A" * 9000, comment="\u202e" * 50)
    facts, _ = read(path, video_facts)
    assert len(facts["title"]) <= 160
    assert all(value.isprintable() for value in facts.values())


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"text, not a picture" * 9, "neither an image nor a video"),
        (b"\xff\xd8\xff" + b"\0" * 99, "cannot be read|not an image"),  # begins like a JPEG
        (b"", "empty"),
    ],
)
def test_files_that_are_none_are_a_sentence(tmp_path, data, sentence):
    path = tmp_path / "a.jpg"
    path.write_bytes(data)
    with pytest.raises(MediaError, match=sentence):
        examine(path)


def test_our_figures_are_written_as_the_reader_does_and_the_files_own_as_they_are():
    assert Fact("bit_rate", "2.31 Mbit/s").said(words("de")) == "2,31 Mbit/s"
    assert Fact("bit_rate", "2.31 Mbit/s").said(words("en")) == "2.31 Mbit/s"
    assert Fact("exposure", "1/50 s, f/2.8").said(words("de")) == "1/50 s, f/2.8"


def test_the_record_is_plain_json(tmp_path):
    import json

    record = json.loads(json.dumps(examine(save(tmp_path / "a.jpg", exif=exif())).to_dict()))
    assert record["facts"]["camera"] == "Canon EOS R5"
    assert record["content_credentials"]["state"] == "none"
    assert "proves nothing" in record["content_credentials"]["text"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("  a\n b\t", "a b"),
        (b"ASCII\0\0\0hello\0", "hello"),  # EXIF's comment
        (b"\xff\xfe", ""),  # no text
        ((1, 2.5, "x"), "1, 2.5, x"),
        (float("nan"), "nan"),
        (None, ""),
        ({"a": 1}, ""),
        ("x" * 500, "x" * 159 + "…"),
        ("a\u202eb\x00c", "a b c"),
        (["deep", ["er", ["est"]]], "deep, er, est"),
    ],
)
def test_clean(value, expected):
    assert clean(value) == expected


@pytest.mark.parametrize(
    ("program", "kind"),
    [
        ("Adobe Photoshop 25", "editor"),
        ("Lavf60.3.100", "converter"),
        ("Midjourney v6", "generator"),
        ("Firefly", "generator"),
        ("X-T5 2.0", ""),
        ("Klingon Camera", ""),  # only begins like one
    ],
)
def test_kind_of(program, kind):
    assert kind_of(program) == kind


def test_opening_does_not_decode(tmp_path, monkeypatch):
    data = io.BytesIO()
    Image.fromarray(NOISE).save(data, "JPEG")
    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", lambda *_: pytest.fail("decoded"))
    picture_facts(_written(tmp_path, data.getvalue()))


def _written(folder, data):
    (folder / "a.jpg").write_bytes(data)
    return folder / "a.jpg"
