"""Names of programs that leave themselves in files, and what that says."""

import re

GENERATORS = (
    "stable diffusion",
    "stability ai",
    "midjourney",
    "dall-e",
    "dall·e",
    "openai",
    "chatgpt",
    "sora",
    "firefly",
    "comfyui",
    "automatic1111",
    "invokeai",
    "novelai",
    "flux.1",
    "ideogram",
    "google imagen",
    "google ai",
    "gemini",
    "runway",
    "kling",
    "leonardo.ai",
)
EDITORS = (
    "photoshop",
    "lightroom",
    "gimp",
    "affinity",
    "snapseed",
    "pixelmator",
    "picsart",
    "facetune",
    "faceapp",
    "reface",
    "canva",
    "luminar",
    "capture one",
    "darktable",
    "paint.net",
    "imagemagick",
    "premiere",
    "after effects",
    "davinci",
    "final cut",
    "capcut",
    "inshot",
    "imovie",
    "kdenlive",
    "shotcut",
    "vegas",
)
CONVERTERS = ("lavf", "lavc", "handbrake", "ffmpeg", "x264", "gstreamer", "google inc", "whatsapp", "mediacodec")


def kind_of(program: str) -> str:
    """`generator`, `editor`, `converter` or "" for a program's name as it stands in a file."""
    return next((kind for kind, pattern in _PATTERNS.items() if pattern.search(program)), "")


def _pattern(names: tuple[str, ...], end: str) -> re.Pattern[str]:
    return re.compile(rf"\b({'|'.join(map(re.escape, names))}){end}", re.IGNORECASE)


_PATTERNS = {
    "generator": _pattern(GENERATORS, r"\b"),  # whole words: "Sora" is not in "Sensora"
    "editor": _pattern(EDITORS, ""),
    "converter": _pattern(CONVERTERS, ""),
}
