"""A fault of the program that one file brings about: told of that file, so that it does not end the work on others."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike

from core.errors import Cancelled, MediaError, UserError
from core.media import shown_name

logger = logging.getLogger(__name__)


@contextmanager
def told_of(name: str | PathLike[str]) -> Iterator[None]:
    """What is no error for users becomes one that names the file; the log has its stack.

    Raises:
        MediaError: Something unforeseen went wrong within.
    """
    try:
        yield
    except (UserError, Cancelled):
        raise
    except Exception as error:
        logger.exception("%s could not be analysed", name)
        raise MediaError(
            f'"{shown_name(name)}" could not be analysed, by a fault of this program ({type(error).__name__}): '
            "save the picture or video anew by another program and try that, and report the fault."
        ) from error
