"""Text out of strangers' files, made harmless: one line, no control characters, of bounded length.

It is still text: whoever shows it escapes it for the place where it stands.
"""

from collections.abc import Iterable
from numbers import Number
from typing import Any

MAX_CHARS = 160
MAX_ITEMS = 8
_LOOKED_AT = 4096  # characters or bytes of a value that are looked at, however long it is
_JOINERS = "\u200d\ufe0f"  # they hold composed emoji together


def clean(value: Any, limit: int = MAX_CHARS) -> str:
    """Whatever stands in a file's metadata, as one line of at most `limit` characters; "" for what is no text."""
    if isinstance(value, bytes | bytearray):
        value = _decoded(bytes(value[:_LOOKED_AT]))
    elif isinstance(value, tuple | list):
        value = ", ".join(filter(None, (clean(item, 40) for item in value[:MAX_ITEMS])))
    elif isinstance(value, Number) and not isinstance(value, complex):
        value = _number(value)
    elif not isinstance(value, str):
        return ""
    line = "".join(char if char.isprintable() or char in _JOINERS else " " for char in value[:_LOOKED_AT])
    line = " ".join(line.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def cleaned(values: Iterable[Any], at_most: int = MAX_ITEMS) -> tuple[str, ...]:
    """Several values, each once, without the empty ones."""
    found = dict.fromkeys(filter(None, (clean(value) for value in values)))
    return tuple(found)[:at_most]


def _decoded(data: bytes) -> str:
    for prefix in (b"ASCII\0\0\0", b"UNICODE\0"):  # EXIF's comments name their encoding first
        data = data.removeprefix(prefix)
    return data.replace(b"\0", b" ").decode("utf-8", errors="replace").replace("\ufffd", " ")


def _number(value: Any) -> str:
    try:
        return f"{float(value):g}"
    except (ValueError, OverflowError, ZeroDivisionError, TypeError):  # EXIF's fractions may be anything over nothing
        return ""
