import io
import os
import resource
import threading
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from core.errors import MediaError
from core.media import MAX_PIXELS, encode_image, load_image, media_kind, shown_name
from tests.media.make_media import ODD_NAMES, colours, large_gif, large_png_header, png16, quadrants, truncate

RAMP = np.tile(np.linspace(0, 1, 64), (48, 1))  # (48, 64), black to white from left to right
RAMP_8 = np.round(RAMP * 255).astype(np.uint8)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    image.save(path, **options)
    return path


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


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # core.media switches it off; pytest sets filters of its own
def test_damaged_exif_is_ignored(tmp_path):
    path = saved(tmp_path / "a.jpg", Image.fromarray(quadrants()), exif=b"Exif\0\0MM\0*\0\0\xff\xff" + b"\xff" * 40)
    assert colours(load_image(path).rgb) == "rgbw"


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


@pytest.mark.parametrize("progressive", [False, True])
def test_truncated_jpeg_gives_what_is_there(tmp_path, progressive):
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    whole = saved(tmp_path / "whole.jpg", Image.fromarray(noise), quality=90, progressive=progressive)
    picture = load_image(truncate(whole, tmp_path / "cut.jpg", 0.5))
    assert picture.rgb.shape == (256, 256, 3)
    assert picture.warnings == ('"cut.jpg" is cut off: only a part of it could be decoded, the rest is blank.',)
    if not progressive:  # the upper part is the same to the bit; a decoder that gives up at once would leave it grey
        assert np.array_equal(picture.rgb[:64], load_image(whole).rgb[:64])


def test_truncated_png_gives_what_is_there(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (256, 256, 3), np.uint8)
    picture = load_image(truncate(saved(tmp_path / "a.png", Image.fromarray(noise)), tmp_path / "cut.png", 0.5))
    assert np.array_equal(picture.rgb[:64], noise[:64])
    assert len(picture.warnings) == 1


@pytest.mark.parametrize("keep", [0.3, 0.6, 0.9])
@pytest.mark.parametrize("suffix", ["webp", "avif", "heic", "gif", "bmp", "tiff"])
def test_other_truncated_formats_warn_or_say_so(tmp_path, suffix, keep):
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    path = truncate(saved(tmp_path / f"a.{suffix}", Image.fromarray(noise)), tmp_path / f"cut.{suffix}", keep)
    try:
        assert load_image(path).warnings
    except MediaError as error:
        assert f'"cut.{suffix}"' in str(error)


def _broken(tmp_path: Path, case: str) -> Path:
    path = tmp_path / "a.jpg"
    if case == "empty":
        path.touch()
    elif case == "text":
        path.write_text("This is no picture.\n" * 100)
    elif case == "folder":
        path.mkdir()
    elif case == "pipe":
        os.mkfifo(path)
    elif case == "header only":
        truncate(saved(tmp_path / "whole.jpg", Image.new("RGB", (64, 64))), path, 0.02)
    elif case == "postscript":
        path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n")
    return path


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("missing", "does not exist"),
        ("empty", "is empty (0 bytes)"),
        ("text", "is not an image that can be read"),
        ("postscript", "is not an image that can be read"),  # Pillow would run Ghostscript for it
        ("folder", "is a folder"),
        ("pipe", "is not a regular file"),  # opening it would wait for ever
        ("header only", "is not an image that can be read"),
    ],
)
def test_broken_files_say_what_is_wrong(tmp_path, case, words):
    with pytest.raises(MediaError) as caught:
        load_image(_broken(tmp_path, case))
    message = str(caught.value)
    assert message.startswith('"a.jpg" ') and words in message and message.endswith(".") and "\n" not in message


def test_unreadable_file_says_so(tmp_path, monkeypatch):
    path = saved(tmp_path / "a.png", Image.new("RGB", (8, 8)))
    path.chmod(0)
    if os.access(path, os.R_OK):  # root may read everything: refuse as the system would
        monkeypatch.setattr(Path, "open", lambda *_: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
    with pytest.raises(MediaError, match=r'"a\.png" may not be read: change its permissions'):
        load_image(path)


def test_huge_header_is_refused_before_decoding(tmp_path):
    path = large_png_header(tmp_path / "huge.png")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(MediaError, match="more than 100 megapixels"):
        load_image(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 20_000  # kilobytes; decoded: 7 gigabytes


@pytest.mark.parametrize(
    ("size", "exception"),
    [
        ((10_000, 10_000), pytest.raises(MediaError, match=r"is damaged|cut off")),  # allowed, and then it is empty
        ((10_001, 10_000), pytest.raises(MediaError, match="100 megapixels")),
        ((MAX_PIXELS, 2), pytest.raises(MediaError, match="100 megapixels")),  # where Pillow itself would only warn
    ],
)
def test_limit_of_pixels(tmp_path, monkeypatch, size, exception):
    def load(_: object) -> None:
        raise OSError("decoding is not what this test is about")

    monkeypatch.setattr(Image.Image, "load", load)
    with exception:
        load_image(large_png_header(tmp_path / "a.png", *size))


def test_gif_bomb_is_refused(tmp_path):
    with pytest.raises(MediaError, match="100 megapixels"):
        load_image(large_gif(tmp_path / "a.gif", 3, (65_000, 65_000)))


@pytest.mark.parametrize("name", ODD_NAMES)
def test_odd_names(tmp_path, name):
    path = saved(tmp_path / f"{name}.png", Image.fromarray(quadrants()), format="PNG")
    assert colours(load_image(path).rgb) == "rgbw"
    path.write_text("broken")
    with pytest.raises(MediaError) as caught:
        load_image(path)
    assert (
        str(caught.value).replace("\u200d", "").isprintable()
    )  # but for the joiner within an emoji: no control character


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/a/b.png", "b.png"),
        ("../../etc/passwd", "passwd"),
        ("C:\\photos\\me.jpg", "me.jpg"),
        ("a\nb\x1b[31m.png", "a�b�[31m.png"),  # would start a line of its own, or colour a terminal
        ("a\u202egpj.exe", "a�gpj.exe"),  # would read backwards
        ("🎭👩‍🚀.png", "🎭👩‍🚀.png"),
        (os.fsdecode(b"a\xff.png"), "a�.png"),  # not UTF-8: printing it would fail
        ("", "file"),
        ("folder/", "folder"),
    ],
)
def test_shown_name(path, expected):
    assert shown_name(path) == expected
    shown_name(path).encode()


def test_long_names_are_shortened():
    shown = shown_name("x" * 300 + ".png")
    assert len(shown) == 80 and shown.endswith(".png") and "…" in shown


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


def test_threads_do_not_disturb_each_other(tmp_path):
    # A switch that is global (as Pillow's for cut files is) would let whole files pass as cut, or cut ones as whole.
    noise = np.random.default_rng(0).integers(0, 255, (200, 200, 3), np.uint8)
    whole = saved(tmp_path / "whole.jpg", Image.fromarray(noise))
    cut = truncate(whole, tmp_path / "cut.jpg", 0.5)
    seen: dict[Path, set[int]] = {whole: set(), cut: set()}

    def work(path: Path) -> None:
        for _ in range(10):
            seen[path].add(len(load_image(path).warnings))

    threads = [threading.Thread(target=work, args=(path,)) for path in (whole, cut) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {whole: {0}, cut: {1}}
