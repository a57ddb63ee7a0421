"""Names of programs that leave themselves in files, and what that says."""

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
    "imagen",
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
    lower = program.lower()
    kinds = {"generator": GENERATORS, "editor": EDITORS, "converter": CONVERTERS}
    return next((kind for kind, names in kinds.items() if any(name in lower for name in names)), "")
