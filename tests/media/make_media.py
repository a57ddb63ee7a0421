"""Makes the files that tests need: small pictures and videos whose content is known, and broken and odd ones.

Nothing here uses `core`: what a test expects must not come from what it tests.
"""

import struct
import zlib
from collections.abc import Iterable, Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

ODD_NAMES = ("two\nlines", "emoji 🎭👩‍🚀", "..", "right\u202eto left", "bell\x07", "a:b%03d", "x" * 150)


def quadrants(width: int = 64, height: int = 48) -> np.ndarray:
    """(H, W, 3) uint8: red, green, blue and white quarters (top left, top right, bottom left, bottom right)."""
    rgb = np.zeros((height, width, 3), np.uint8)
    top, left = height // 2, width // 2
    rgb[:top, :left], rgb[:top, left:] = (255, 0, 0), (0, 255, 0)
    rgb[top:, :left], rgb[top:, left:] = (0, 0, 255), (255, 255, 255)
    return rgb


def colours(rgb: np.ndarray) -> str:
    """The quarters of a picture by their first letters, in reading order: `quadrants()` gives "rgbw"."""
    height, width = rgb.shape[:2]
    letters = {(1, 0, 0): "r", (0, 1, 0): "g", (0, 0, 1): "b", (1, 1, 1): "w", (0, 0, 0): "k"}
    points = [(y, x) for y in (height // 4, 3 * height // 4) for x in (width // 4, 3 * width // 4)]
    return "".join(letters.get(tuple(int(value > 127) for value in rgb[point]), "?") for point in points)


def numbered(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A grey frame whose level tells its number (modulo 24); `number_of` reads it even after lossy coding."""
    return np.full((height, width, 3), 10 + 10 * (index % 24), np.uint8)


def number_of(rgb: np.ndarray) -> int:
    """The number modulo 24 of a `numbered` frame."""
    return round((float(rgb.mean()) - 10) / 10)


def saved(path: Path, image: Image.Image, **options: object) -> Path:
    """Save an image by Pillow."""
    image.save(path, **options)
    return path


def write_video(
    path: Path,
    frames: Iterable[np.ndarray],
    *,
    fps: float | Fraction = 25,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    times_s: Sequence[float] | None = None,
    rotation: int = 0,
    hflip: bool = False,
    pixel_aspect: Fraction | None = None,
    sound_s: float = 0.0,
    container: str | None = None,
    options: dict[str, str] | None = None,
    movflags: str | None = "+faststart",
) -> Path:
    """Write frames of one size; `times_s` makes the frame rate variable, `rotation` is counter-clockwise."""
    frames = iter(frames)
    first = next(frames)
    rate = Fraction(fps).limit_denominator(100_000)
    with av.open(f"file:{path}", "w", format=container, options=_flags(path, movflags)) as output:
        stream = output.add_stream(codec, rate, options or {})
        stream.height, stream.width = first.shape[:2]
        stream.pix_fmt = pix_fmt
        if times_s is not None:
            stream.codec_context.time_base = Fraction(1, 1000)
        if pixel_aspect:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        if rotation or hflip:
            stream.set_display_rotation(rotation, hflip=hflip)
        sound = output.add_stream("libopus" if "webm" in str(path) else "aac", 48000) if sound_s else None
        index, frame = 0, first
        while frame is not None:
            raw = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format=pix_fmt)
            raw.time_base = Fraction(1, 1000) if times_s is not None else 1 / rate
            raw.pts = round(times_s[index] * 1000) if times_s is not None else index
            output.mux(stream.encode(raw))
            index, frame = index + 1, next(frames, None)
        output.mux(stream.encode(None))
        if sound is not None:
            _write_tone(output, sound, sound_s)
    return path


def numbered_video(path: Path, count: int = 50, **options: object) -> Path:
    """`write_video` of `numbered` frames."""
    size = options.pop("size_wh", (64, 48))
    return write_video(path, (numbered(index, *size) for index in range(count)), **options)


def sound_only(path: Path, seconds: float = 1.0) -> Path:
    """A file with a sound track and nothing else."""
    with av.open(f"file:{path}", "w") as output:
        _write_tone(output, output.add_stream("aac", 48000), seconds)
    return path


def truncate(source: Path, target: Path, keep: float) -> Path:
    """The first part (0..1) of a file."""
    data = source.read_bytes()
    target.write_bytes(data[: int(len(data) * keep)])
    return target


def without_moov(source: Path, target: Path) -> Path:
    """An MP4 whose index never came: what a recording leaves that was cut off."""
    data = source.read_bytes()
    assert data.rfind(b"moov") > data.rfind(b"mdat"), "write the source with movflags=None"
    target.write_bytes(data[: data.rfind(b"moov") - 4])
    return target


def unknown_codec(source: Path, target: Path) -> Path:
    """An H.264 MP4 that claims a codec nobody knows."""
    target.write_bytes(source.read_bytes().replace(b"avc1", b"zz9z").replace(b"avcC", b"zz9C"))
    return target


def zero_frames(source: Path, target: Path) -> Path:
    """An MP4 with a video track that has no samples: every sample's data is gone and its count is zero."""
    data = bytearray(source.read_bytes())
    for box, offset in ((b"stsz", 12), (b"stts", 8), (b"stsc", 8), (b"stco", 8), (b"ctts", 8), (b"stss", 8)):
        if (start := data.find(box)) >= 0:
            data[start + offset : start + offset + 4] = bytes(4)
    target.write_bytes(bytes(data))
    return target


def damage(source: Path, target: Path, start: float, length: int) -> Path:
    """Overwrite `length` bytes at a part (0..1) of a file with noise."""
    data = bytearray(source.read_bytes())
    place = int(len(data) * start)
    data[place : place + length] = np.random.default_rng(0).bytes(length)
    target.write_bytes(bytes(data))
    return target


def large_png_header(path: Path, width: int = 50_000, height: int = 50_000) -> Path:
    """A PNG of some bytes that claims to be huge."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return _png(path, header, bytes(1000))


def png16(path: Path, samples: np.ndarray) -> Path:
    """A 16-bit PNG: (H, W) grey, (H, W, 3) RGB or (H, W, 4) RGBA, uint16."""
    height, width = samples.shape[:2]
    colour = {2: 0, 3: {3: 2, 4: 6}.get(samples.shape[-1])}[samples.ndim]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in samples)
    header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
    return _png(path, header, rows)


def large_gif(path: Path, count: int = 10_000, size_wh: tuple[int, int] = (320, 240), centiseconds: int = 4) -> Path:
    """A GIF with many frames, each of which paints one pixel; some kilobytes, gigabytes when all are decoded."""
    width, height = size_wh
    frame = b"!\xf9\x04\x04" + struct.pack("<H", centiseconds) + b"\0\0"
    frame += b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\0"
    palette = bytes((0, 0, 0, 255, 0, 0, 0, 255, 0, 255, 255, 255))
    path.write_bytes(b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF1, 0, 0) + palette + frame * count + b";")
    return path


def gif(path: Path, frames: Sequence[np.ndarray], milliseconds: int | Sequence[int] = 100) -> Path:
    """A GIF by Pillow; one frame makes a still one."""
    first, *rest = [Image.fromarray(frame) for frame in frames]
    first.save(path, save_all=bool(rest), append_images=rest, duration=milliseconds, loop=0)
    return path


def _flags(path: Path, movflags: str | None) -> dict[str, str]:
    return {"movflags": movflags} if movflags and path.suffix in (".mp4", ".mov") else {}


def _png(path: Path, header: bytes, rows: bytes) -> Path:
    chunks = (_chunk(b"IHDR", header), _chunk(b"IDAT", zlib.compress(rows)), _chunk(b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunks))
    return path


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _write_tone(output: "av.container.OutputContainer", stream: "av.AudioStream", seconds: float) -> None:
    rate, block = 48000, 960
    for start in range(0, round(seconds * rate), block):
        wave = 0.3 * np.sin(2 * np.pi * 440 * (start + np.arange(block)) / rate)
        frame = av.AudioFrame.from_ndarray(wave.astype(np.float32)[None], format="fltp", layout="mono")
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))
