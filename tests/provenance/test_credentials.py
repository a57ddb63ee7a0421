"""core.provenance.credentials: what a signature is worth, and that nobody is asked for anything."""

import io

import c2pa
import pytest

from core.errors import MediaError
from core.provenance import credentials, examine, read_credentials
from core.words import words
from tests.media.make_media import numbered_video
from tests.provenance.signing import identity, jpeg, listener, signed


def written(folder, data: bytes, name: str = "a.jpg"):
    path = folder / name
    path.write_bytes(data)
    return path


def said(found, language: str = "en") -> str:
    return " ".join(found.sentences(words(language)))


def test_a_signature_that_fits(tmp_path):
    found = read_credentials(written(tmp_path, signed()))
    assert (found.state, found.signer) == ("valid", "Test camera, Example <b>news</b>")
    assert found.tool == "Test editor 1.0"
    assert found.actions == ("created", "color_adjustments", "org.example.sprinkled")
    assert found.sources == ("trainedAlgorithmicMedia",)
    assert found.problems == ()  # that the signer is on no list is no fault of the file
    assert "was not checked" in said(found)
    assert "created, colours adjusted, org.example.sprinkled" in said(found)
    assert "made by artificial intelligence" in said(found)


def test_a_signer_on_a_given_list(tmp_path):
    found = read_credentials(written(tmp_path, signed()), trust_anchors=identity()[2])
    assert found.state == "trusted"


def test_a_missing_credential_proves_nothing(tmp_path):
    found = read_credentials(written(tmp_path, jpeg()))
    assert found.state == "none"
    assert "proves nothing" in said(found)


def test_one_changed_byte_does_not_validate_and_says_so(tmp_path):
    data = bytearray(signed())
    data[-200] ^= 0x55  # in the pixels, behind the credentials
    found = read_credentials(written(tmp_path, bytes(data)))
    assert found.state == "invalid"
    assert "assertion.dataHash.mismatch" in found.problems
    assert "do not validate" in said(found) and "Do not rely" in said(found)


def test_a_video_can_carry_them_too(tmp_path):
    clip = numbered_video(tmp_path / "plain.mp4", 5)
    found = read_credentials(written(tmp_path, signed(clip.read_bytes(), "video/mp4"), "clip.mp4"))
    assert found.state == "valid"


def test_the_name_does_not_decide_what_the_file_is(tmp_path):
    assert read_credentials(written(tmp_path, signed(), "a.mp4")).state == "valid"


def test_nobody_is_asked_for_a_manifest_elsewhere(tmp_path):
    with listener() as (address, asked):
        data = signed(address=address)
        found = read_credentials(written(tmp_path, data))
        assert (found.state, found.address) == ("remote", address)
        assert "was not asked" in said(found)
        examine(tmp_path / "a.jpg")
        assert asked == []
        # The library's own way does ask: without this the lines above could not fail.
        with pytest.raises(c2pa.C2paError):
            c2pa.Reader("image/jpeg", io.BytesIO(data))
        assert asked == ["/manifest.c2pa"]


@pytest.mark.parametrize("left", [["verify"], ["core"]])
def test_either_of_the_two_locks_is_enough(tmp_path, monkeypatch, left):
    """c2pa-python takes settings that it does not know in silence: a renamed one must not open the door."""
    monkeypatch.setattr(credentials, "OFFLINE", {key: credentials.OFFLINE[key] for key in left})
    with listener() as (address, asked):
        assert read_credentials(written(tmp_path, signed(address=address))).state == "remote"
        assert asked == []


@pytest.mark.parametrize("keep", [0.1, 0.3, 0.5, 0.9])
def test_cut_off_files_raise_nothing(tmp_path, keep):
    data = signed()
    found = read_credentials(written(tmp_path, data[: int(keep * len(data))]))
    assert found.state in ("none", "invalid", "unreadable")


def test_noise_in_the_credentials_raises_nothing(tmp_path):
    data = signed()
    start = data.index(b"jumb")
    for place in range(start, start + 1200, 61):
        broken = bytearray(data)
        broken[place : place + 4] = b"\xff\x00\xff\x7f"
        read_credentials(written(tmp_path, bytes(broken)))


@pytest.mark.parametrize(
    ("name", "data", "state"),
    [
        ("a.bin", b"\x00" * 100, "unreadable"),  # nothing known
        ("a.bmp", b"BM" + b"\x00" * 100, "unreadable"),  # a kind in which there are none
    ],
)
def test_other_files(tmp_path, name, data, state):
    assert read_credentials(written(tmp_path, data, name)).state == state


def test_a_file_that_is_gone_is_a_sentence(tmp_path):
    with pytest.raises(MediaError, match="does not exist"):
        read_credentials(tmp_path / "gone.jpg")
