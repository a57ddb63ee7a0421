"""The errors that users may see: each message is one clear sentence (what was wrong, what to do), never a traceback.

Pages show them with `st.error(str(error), title=error.title)`; command lines print them and go on or exit.
Any other exception is a bug and is logged as one.
"""


class UserError(Exception):
    """Something that the user can mend. `str(error)` is the whole sentence to show; `title` is a short headline."""

    title = "That did not work"


class MediaError(UserError):
    """A file that cannot be read as an image or a video."""

    title = "This file cannot be read"


class DetectorError(UserError):
    """A detector that is missing, damaged, unsafe or of an unknown form."""

    title = "This detector cannot be loaded"


class DataError(UserError):
    """Training or evaluation data that cannot be used."""

    title = "This data cannot be used"


class TrainingError(UserError):
    """A training run that cannot start or go on."""

    title = "Training stopped"


class SetupError(UserError):
    """The machine lacks something: a system library, a package, disk space."""

    title = "Something is missing on this machine"


class Cancelled(Exception):
    """Work ended because its user asked for it; not a failure, and never shown as one."""
