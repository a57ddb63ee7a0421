import os
import resource
import threading
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from core.errors import MediaError
from core.media import MAX_PIXELS, load_image, shown_name
from tests.media.make_media import ODD_NAMES, colours, large_gif, large_png_header, quadrants, saved, truncate


@pytest.mark.filterwarnings("ignore:Corrupt EXIF")  # core.media switches it off; pytest sets filters of its own
def test_damaged_exif_is_ignored(tmp_path):
    path = saved(tmp_path / "a.jpg", Image.fromarray(quadrants()), exif=b"Exif\0\0MM\0*\0\0\xff\xff" + b"\xff" * 40)
    assert colours(load_image(path).rgb) == "rgbw"


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
