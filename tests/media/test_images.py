import io
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.errors import MediaError
from core.media import encode_image, load_image, media_kind
from tests.media.make_media import colours, png16, quadrants, saved

RAMP = np.tile(np.linspace(0, 1, 64), (48, 1))  # (48, 64), black to white from left to right
RAMP_8 = np.round(RAMP * 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("suffix", "options", "expected_format", "tolerance"),
    [
        ("jpg", {"quality": 95, "subsampling": 0}, "JPEG", 6),
        ("png", {}, "PNG", 0),
        ("webp", {"lossless": True}, "WEBP", 0),
        ("avif", {"quality": 95, "subsampling": "4:4:4"}, "AVIF", 10),
        ("heic", {"quality": 95, "chroma": 444}, "HEIF", 10),
        ("bmp", {}, "BMP", 0),
        ("tiff", {}, "TIFF", 0),
        ("tif", {"compression": "tiff_lzw"}, "TIFF", 0),
        ("gif", {}, "GIF", 0),
    ],
)
def test_formats(tmp_path, suffix, options, expected_format, tolerance):
    path = saved(tmp_path / f"a.{suffix}", Image.fromarray(quadrants()), **options)
    picture = load_image(path)
    assert picture.format == expected_format
    assert picture.rgb.dtype == np.uint8 and picture.rgb.flags.c_contiguous and picture.rgb.flags.writeable
    assert picture.warnings == ()
    # away from the inner borders, where lossy formats bleed
    error = np.abs(picture.rgb.astype(int) - quadrants())[4:20, 4:28]
    assert picture.rgb.shape == (48, 64, 3) and error.max() <= tolerance and colours(picture.rgb) == "rgbw"
    assert media_kind(path) == "image"


# What a viewer must see (quarters in reading order) when "rgbw" is stored: the table of the EXIF standard, tag 0x0112.
ORIENTATIONS = {1: "rgbw", 2: "grwb", 3: "wbgr", 4: "bwrg", 5: "rbgw", 6: "brwg", 7: "wgbr", 8: "gwrb"}


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "tiff", "avif", "heic"])
def test_exif_orientation(tmp_path, suffix, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = load_image(saved(tmp_path / f"a.{suffix}", Image.fromarray(quadrants()), exif=exif.tobytes()))
    assert colours(picture.rgb) == ORIENTATIONS[orientation]
    assert picture.rgb.shape == ((48, 64, 3) if orientation < 5 else (64, 48, 3))
    assert picture.rgb.flags.c_contiguous


def _ramp_image(mode: str) -> Image.Image:
    if mode == "CMYK":
        return Image.merge("CMYK", [Image.fromarray(np.zeros_like(RAMP_8))] * 3 + [Image.fromarray(255 - RAMP_8)])
    if mode == "P":
        return Image.fromarray(RAMP_8).convert("P")
    return Image.fromarray(RAMP_8).convert(mode)


@pytest.mark.parametrize(
    ("mode", "suffix", "options"),
    [
        ("L", "jpg", {"quality": 98}),  # greyscale
        ("L", "png", {}),
        ("P", "png", {}),  # palette
        ("P", "gif", {}),
        ("LA", "png", {}),  # alpha, but opaque everywhere
        ("RGBA", "webp", {"lossless": True}),
        ("CMYK", "jpg", {"quality": 98}),
        ("CMYK", "tiff", {}),
        ("YCbCr", "tiff", {}),
    ],
)
def test_modes_give_the_same_ramp(tmp_path, mode, suffix, options):
    picture = load_image(saved(tmp_path / f"a.{suffix}", _ramp_image(mode), **options))
    assert np.abs(picture.rgb.astype(int) - RAMP_8[:, :, None]).max() <= 3
    assert picture.warnings == ()


def _deep(tmp_path: Path, case: str) -> Path:
    grey = np.round(RAMP * 65535).astype(np.uint16)
    if case == "png grey":
        return png16(tmp_path / "a.png", grey)
    if case == "png rgb":
        return png16(tmp_path / "a.png", np.repeat(grey[:, :, None], 3, 2))
    if case == "png rgba":
        opaque = np.full_like(grey, 65535)
        return png16(tmp_path / "a.png", np.dstack([grey, grey, grey, opaque]))
    if case == "tiff grey":
        return saved(tmp_path / "a.tiff", Image.fromarray(grey))
    if case == "tiff white is zero":
        return saved(tmp_path / "a.tiff", Image.fromarray(65535 - grey), tiffinfo={262: 0})
    if case == "tiff float":
        return saved(tmp_path / "a.tiff", Image.fromarray(RAMP.astype(np.float32)))
    return saved(tmp_path / "a.tiff", Image.fromarray(np.round(RAMP * (2**31 - 1)).astype(np.int32)))


@pytest.mark.parametrize(
    "case", ["png grey", "png rgb", "png rgba", "tiff grey", "tiff white is zero", "tiff float", "tiff int32"]
)
def test_deep_samples_are_scaled_not_clipped(tmp_path, case):
    # Pillow's own convert("RGB") clips these at 255: everything but the left edge would be white.
    picture = load_image(_deep(tmp_path, case))
    assert np.abs(picture.rgb.astype(int) - RAMP_8[:, :, None]).max() <= 1


def test_cmyk_goes_through_its_profile(tmp_path, monkeypatch):
    # Pillow ships no CMYK profile: that the embedded one is asked for is what can be held here.
    asked = []
    monkeypatch.setattr(
        ImageCms, "profileToProfile", lambda image, source, *_, **__: asked.append(source.read()) or None
    )
    path = saved(tmp_path / "a.jpg", _ramp_image("CMYK"), icc_profile=b"a profile")
    assert load_image(path).rgb.shape == (48, 64, 3)
    assert asked == [b"a profile"]


def test_transparency_is_put_on_white(tmp_path):
    rgba = np.zeros((4, 4, 4), np.uint8)
    rgba[:2] = (200, 0, 0, 128)
    picture = load_image(saved(tmp_path / "a.png", Image.fromarray(rgba)))
    assert picture.rgb[3, 0].tolist() == [255, 255, 255]
    assert np.abs(picture.rgb[0, 0].astype(int) - (227, 127, 127)).max() <= 1  # half of it shines through
    assert picture.warnings == ('"a.png" is partly transparent: it was put on white.',)


@pytest.mark.parametrize("suffix", ["gif", "webp", "png", "tiff"])
def test_of_several_pictures_the_first_is_taken(tmp_path, suffix):
    first, second = Image.fromarray(quadrants()), Image.new("RGB", (64, 48))
    path = saved(tmp_path / f"a.{suffix}", first, save_all=True, append_images=[second])
    picture = load_image(path)
    assert colours(picture.rgb) == "rgbw"
    assert picture.warnings == (f'"a.{suffix}" holds several pictures: only the first was looked at.',)


def test_one_pixel():
    assert load_image(encode_image(np.full((1, 1, 3), 7, np.uint8))).rgb.tolist() == [[[7, 7, 7]]]


@pytest.mark.parametrize("kind", [Path, str, bytes, io.BytesIO, open])
def test_sources(tmp_path, kind):
    path = saved(tmp_path / "a.png", Image.fromarray(quadrants()))
    if kind is bytes:
        source = path.read_bytes()
    elif kind is io.BytesIO:
        source = io.BytesIO(path.read_bytes())
        source.read()  # an upload that was looked at before
    else:
        source = path.open("rb") if kind is open else kind(path)
    with source if kind is open else nullcontext():
        assert colours(load_image(source).rgb) == "rgbw"


def test_bytes_go_by_the_name_that_is_given():
    with pytest.raises(MediaError, match=r'^"upload\.jpg" is not an image'):
        load_image(b"nothing", name="../upload.jpg")
    with pytest.raises(MediaError, match=r'^"image" is empty'):
        load_image(b"")


@pytest.mark.parametrize("content", [b"", b"nothing"])
def test_a_kept_copy_goes_by_the_name_that_is_given(tmp_path, content):
    (tmp_path / "media.jpg").write_bytes(content)
    with pytest.raises(MediaError, match=r'^"upload\.jpg" is'):
        load_image(tmp_path / "media.jpg", name="upload.jpg")


@pytest.mark.parametrize(
    ("image_format", "tolerance"),
    [("png", 0), ("jpeg", 12), ("webp", 25)],
)
def test_encode_image(image_format, tolerance):
    smooth = np.repeat(RAMP_8[:, :, None], 3, 2)
    picture = load_image(encode_image(smooth, image_format))
    assert np.abs(picture.rgb.astype(int) - smooth).max() <= tolerance
    assert picture.format == image_format.upper()


@pytest.mark.parametrize(
    ("rgb", "image_format", "exception"),
    [
        (np.zeros((4, 4, 3)), "png", pytest.raises(ValueError, match=r"uint8.*float64")),
        (np.zeros((4, 4), np.uint8), "png", pytest.raises(ValueError, match="shape")),
        (np.zeros((4, 4, 3), np.uint8), "gif", pytest.raises(ValueError, match='got "gif"')),
    ],
)
def test_encode_image_checks(rgb, image_format, exception):
    with exception:
        encode_image(rgb, image_format)
