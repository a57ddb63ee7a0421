"""What a detector inherits from the one that its training began from: its licence, and a line in its card."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from core.detector.artifact import load_spec
from core.detector.spec import SPEC_FILE
from core.errors import UserError
from core.training.config import UNSTATED, TrainConfig
from core.training.start import starting_file

LICENCE_FILE = "LICENSE"


@dataclass(frozen=True)
class Ancestor:
    """The detector that a run began from.

    Attributes:
        name, sha256, licence: Of its model.json.
        folder: Where it lies.
    """

    name: str
    sha256: str
    licence: str
    folder: Path

    def record(self) -> dict[str, str]:
        """What model.json keeps of it."""
        return {"name": self.name, "weights_sha256": self.sha256, "licence": self.licence}

    def copy_licence(self, target: Path) -> None:
        """Its licence's text, where there is one, beside the new weights."""
        if (self.folder / LICENCE_FILE).is_file():
            shutil.copyfile(self.folder / LICENCE_FILE, target / LICENCE_FILE)


def ancestor_of(config: TrainConfig) -> Ancestor | None:
    """The detector that `init` names; None for ImageNet's weights, none, a bare file, or what is gone by now."""
    if config.init in ("imagenet", "none"):
        return None
    try:
        path = starting_file(config.init)
    except UserError:
        return None
    folder = path if path.is_dir() else path.parent
    if folder.name == "checkpoints":  # of a run the best checkpoint was taken
        folder = folder.parent / "model"
    try:
        spec = load_spec(folder) if (folder / SPEC_FILE).is_file() else None
    except UserError:
        return None
    return Ancestor(spec.name, spec.weights_sha256, spec.licence, folder) if spec else None


def licence_of(config: TrainConfig, ancestor: Ancestor | None) -> str:
    """The terms of a detector: its own, and those of what it began from, which hold for it too."""
    if ancestor is None or not ancestor.licence or ancestor.licence in config.licence:
        return config.licence
    if config.licence in ("", UNSTATED):
        return ancestor.licence
    return f"{config.licence.rstrip('. ')}. Begun from {ancestor.name}, whose licence holds as well: {ancestor.licence}"
