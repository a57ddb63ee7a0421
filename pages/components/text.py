"""Names and sentences from outside, made safe to stand in Markdown; sizes, times and numbers for people."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import streamlit as st

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~$:])")
# Markdown makes links of these however they are escaped, for it looks for them last of all.
_ADDRESS = re.compile(r"(?<=www)(?=\.)|(?<=:)(?=//)|(?=@)", re.IGNORECASE)
_JOINER = "\u2060"  # has no width and breaks no line


def escape(text: str) -> str:
    """File names may hold anything, line breaks, addresses and Markdown too: they shall read as they are.

    A percent sign stays on the line of its figure.
    """
    return _SPECIAL.sub(r"\\\1", _ADDRESS.sub(_JOINER, " ".join(text.split()))).replace(" %", "\u00a0%")


def class_words(name: str) -> str:
    """A class of a detector for people: "face swap", "GAN"."""
    return "GAN" if name == "gan" else name.replace("_", " ")


def megabytes(size_bytes: int) -> str:
    """A size for people: "3.4 MB", "1.2 GB"."""
    if size_bytes >= 1_000_000_000:
        return f"{size_bytes / 1e9:.1f} GB"
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes >= 100_000 else f"{max(1, round(size_bytes / 1e3))} kB"


def clock(time_s: float) -> str:
    """A moment in a video: "0:07.4", "12:03.0"."""
    minutes, seconds = divmod(max(0.0, time_s), 60)
    return f"{int(minutes)}:{seconds:04.1f}"


def moment(unix_s: float) -> str:
    """A moment on the clock of the one who reads it: "3 Mar 2026, 14:05"."""
    try:
        zone = ZoneInfo(st.context.timezone or "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        zone = ZoneInfo("UTC")
    then = datetime.fromtimestamp(unix_s, UTC).astimezone(zone)
    return f"{then.day} {then:%b %Y, %H:%M}"


def duration(seconds: float) -> str:
    """A length of time in words: "8 s", "3 min 20 s"."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"


def count(number: int, noun: str) -> str:
    """`count(1, "face")` is "1 face", `count(3, "face")` is "3 faces"; "person" becomes "people"."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {'people' if noun == 'person' else noun + 's'}"
