"""From content to a file."""

import os
from pathlib import Path

from core.errors import UserError
from core.report.content import Content
from core.report.document import document
from core.report.html import as_html
from core.words import words

SUFFIXES = (".html", ".pdf")


def report_bytes(content: Content, suffix: str, language: str = "en") -> bytes:
    """A report as the bytes of a file.

    Args:
        content: From `gather`.
        suffix: `.html` or `.pdf`.
        language: One of `core.words.LANGUAGES`.

    Raises:
        ValueError: Another suffix or language.
    """
    to = words(language)
    if suffix == ".html":
        return as_html(document(content, to), language).encode("utf-8", "replace")
    if suffix != ".pdf":
        raise ValueError(f"suffix must be one of {', '.join(SUFFIXES)}, got {suffix!r}")
    from core.report.pdf import as_pdf  # late: fontTools takes half a second to import

    return as_pdf(document(content, to), to, content.made_at)


def write_report(content: Content, path: str | Path, language: str = "en") -> None:
    """Write a report; the suffix of `path` says what it becomes. The file appears whole or not at all.

    Raises:
        UserError: The suffix is another one, or the place cannot be written to.
    """
    path = Path(path)
    check_place(path)
    data = report_bytes(content, path.suffix.lower(), language)
    half = path.with_name(f".{path.name[:40]}.part")
    try:
        half.write_bytes(data)
        half.replace(path)
    except OSError as error:
        half.unlink(missing_ok=True)
        raise UserError(f'"{path}" cannot be written ({error.strerror}): choose another place.') from error


def check_place(path: Path) -> None:
    """Say before the work that a report cannot be written there.

    Raises:
        UserError: The suffix is no report's, or the folder is missing or may not be written to.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise UserError(f'A report becomes .html or .pdf: let the name "{path.name}" end in one of them.')
    if not os.access(path.absolute().parent, os.W_OK | os.X_OK) or path.is_dir():
        raise UserError(f'"{path}" cannot be written: choose another place.')
