"""The names of files that come from elsewhere: which are taken, and under which name that no system stumbles over."""

import re
from collections.abc import Sequence
from pathlib import Path

from core.data.folders import SPLIT_NAMES
from core.data.sample import PICTURES, REAL, VIDEOS
from core.errors import DataError
from core.media import shown_name

MANIFEST = "manifest.csv"
PART_BYTES = 200  # file systems allow 255 for one part of a path
_ABSOLUTE = re.compile(r"^([/\\]|[A-Za-z]:[/\\])")
_FORBIDDEN = re.compile(r'[\x00-\x1f\x7f<>:"|?*]')
_WINDOWS_DEVICES = re.compile(r"(?i)^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$")


class SafeNames:
    """Turns the paths of one upload into paths that are safe, allowed everywhere, and all different.

    Args:
        shown: What sentences call the upload.
    """

    def __init__(self, shown: str) -> None:
        self._shown = shown
        self._taken: set[str] = set()

    def parts(self, path: str) -> list[str]:
        """The parts of a path as they came; raises `DataError` where it leads out of the upload."""
        parts = [part for part in re.split(r"[/\\]", path) if part not in ("", ".")]
        if ".." in parts or _ABSOLUTE.match(path):
            raise DataError(
                f'{self._shown} holds a file called "{shown_name(path)}" whose path leads out of it: it is refused.'
            )
        return parts

    def place(self, parts: Sequence[str]) -> Path:
        """Where to put it, relative; numbered where another file has that name, upper and lower case alike."""
        wanted = Path(*map(_allowed, parts))
        chosen, number = wanted, 1
        while str(chosen).lower() in self._taken:
            number += 1
            chosen = wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        self._taken.add(str(chosen).lower())
        return chosen


def is_wanted(parts: Sequence[str]) -> bool:
    """Whether a file belongs to a data set: a picture, a video or the manifest, and not what macOS adds."""
    if not parts or any(part.startswith((".", "__MACOSX")) for part in parts):
        return False
    return parts[-1].lower() == MANIFEST or Path(parts[-1]).suffix.lower() in PICTURES | VIDEOS


def without_lone_top(folder: Path) -> Path:
    """The folder below which more than one thing lies, or a class or a split: archives often hold one folder of all."""
    while True:
        (*others, only) = folder.iterdir()
        if others or not only.is_dir() or only.name.lower() in {REAL, "fake", *SPLIT_NAMES}:
            return folder
        if not any(child.is_dir() or child.name.lower() == MANIFEST for child in only.iterdir()):
            return folder  # it holds the files themselves: a class
        folder = only


def _allowed(part: str) -> str:
    part = _FORBIDDEN.sub("_", part).rstrip(". ") or "_"
    part = part.encode("utf-8", "replace").decode()
    if _WINDOWS_DEVICES.match(part):
        part = f"_{part}"
    if len(part.encode()) > PART_BYTES:
        suffix = Path(part).suffix[:10]
        part = part.encode()[: PART_BYTES - 10].decode("utf-8", "ignore") + suffix
    return part
