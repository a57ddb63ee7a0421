"""Which weights a training starts from: found without Keras, so that what is misspelt is said at once."""

from pathlib import Path

from core.detector.library import resolve_detector
from core.errors import DetectorError, TrainingError
from core.training.config import TrainConfig

REMEDY = "start from the detector that ships (--init default), from a file (--init FILE), or from chance (--init none)"


def check_start(config: TrainConfig) -> None:
    """Raises `TrainingError` where the weights to start from are not there: before the data are looked through."""
    if config.init not in ("imagenet", "none"):
        starting_file(config.init)


def starting_file(init: str) -> Path:
    """The file or the detector's folder that `--init` names, by path or by name; of a run, its best checkpoint.

    Raises:
        TrainingError: There is neither.
    """
    try:
        path = resolve_detector(init)
    except DetectorError as error:
        raise TrainingError(f"There are no weights at {init}, and no detector has that name: {REMEDY}.") from error
    best = path / "checkpoints" / "best.keras"
    return best if best.is_file() else path
