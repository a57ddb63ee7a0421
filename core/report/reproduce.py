"""The command that gives the same result again."""

import re
import shlex

from core.analysis.types import ImageReport, VideoReport
from core.media import shown_name

_SAMPLINGS = (
    (re.compile(r"every frame"), "--every-frame", "every"),
    (re.compile(r"([\d.]+) per second"), "--fps {}", "per_second"),
    (re.compile(r"([\d.]+) evenly spread"), "--frames {}", "evenly"),
)


def command(report: ImageReport | VideoReport, engine: str, language: str = "en") -> str:
    """For a shell, in the program's folder; `engine` is the one that ran, "" when it is not known."""
    words = ["python predict.py", shlex.quote(shown_name(report.path))]
    if report.model:
        words += ["--model", shlex.quote(report.model)]
    if engine in ("openvino", "tensorflow"):
        words += ["--engine", engine]
    if isinstance(report, VideoReport):
        words += sampling_options(report.sampling)
    words += ["--report report.html"]
    return " ".join([*words, *([] if language == "en" else ["--language", language])])


def sampling_options(sampling: str) -> list[str]:
    """Options for a `str(Sampling)`; none where it is not known."""
    for pattern, option, _ in _SAMPLINGS:
        if found := pattern.fullmatch(sampling):
            return [option.format(*found.groups())]
    return []


def sampling_kind(sampling: str) -> tuple[str, str] | None:
    """Which kind of sampling a `str(Sampling)` names, and its figure."""
    for pattern, _, kind in _SAMPLINGS:
        if found := pattern.fullmatch(sampling):
            return kind, found[1] if found.groups() else ""
    return None
