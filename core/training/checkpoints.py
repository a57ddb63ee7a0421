"""What a run goes on from: the network with its optimizer, and how far it was, in one file, whole or not at all."""

import json
import os
import tempfile
import zipfile
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import keras

from core.errors import TrainingError
from core.training.journal import write_json

HEAD, TRAINING = "head", "training"
STATE_MEMBER, HEAD_MEMBER = "training_state.json", "head.keras"
"""Ride within the .keras archive, so that no kill can part them from the weights; Keras passes over them."""


@dataclass
class State:
    """How far a run is.

    Attributes:
        phase: "head" or "training".
        epoch: Epochs done, of both phases.
        step: Batches done, of both phases.
        phase_epoch, phase_step: Epochs and batches done in this phase.
        elapsed_s: Training time in seconds.
        best: Highest validation AUC so far.
        best_epoch: The epoch that had it, from 1.
        classes: What the network's outputs mean.
        averaged: The epochs of whose weights these are the mean; none where they are one epoch's.
    """

    phase: str = TRAINING
    epoch: int = 0
    step: int = 0
    phase_epoch: int = 0
    phase_step: int = 0
    elapsed_s: float = 0.0
    best: float = 0.0
    best_epoch: int = 0
    classes: tuple[str, ...] = ("real", "fake")
    averaged: tuple[int, ...] = ()

    @classmethod
    def of(cls, text: str | bytes) -> "State":
        """From JSON; that of a run from before there were two phases as well. Raises ValueError or TypeError."""
        values = json.loads(text)
        if "phase" not in values:
            values |= {"phase_epoch": values["epoch"], "phase_step": values["step"]}
        known = {one.name for one in fields(cls)}
        state = cls(**{name: value for name, value in values.items() if name in known})
        state.classes, state.averaged = tuple(state.classes), tuple(state.averaged)
        return state


def save_checkpoint(model: keras.Model, path: Path, state: State, head: keras.Model | None = None) -> None:
    """Replaces a checkpoint; a kill or a full disk leaves the old one.

    Args:
        model: The whole network.
        path: A .keras file.
        state: Stored with it.
        head: While the head learns alone: the part that is trained, whose optimizer is stored as well.
    """
    half = path.with_name(f".{path.stem}.part.keras")
    try:
        model.save(half)
        with zipfile.ZipFile(half, "a") as archive:
            archive.writestr(STATE_MEMBER, json.dumps(asdict(state)))
            if head is not None:
                archive.writestr(HEAD_MEMBER, _bytes(head, path.parent))
        if head is None:  # a power cut costs the head seconds, and waiting for the disk costs it more
            with half.open("rb+") as file:
                os.fsync(file.fileno())
        half.replace(path)
    except BaseException:
        half.unlink(missing_ok=True)
        raise


def save_state(folder: Path, state: State) -> None:
    """state.json beside the checkpoints: for readers, and the sign that there is one to go on from."""
    write_json(folder / "state.json", asdict(state))


def load_checkpoint(path: Path) -> tuple[keras.Model, State]:
    """The network, compiled as it was, and how far it is.

    Raises:
        TrainingError: There is none, or it is damaged.
    """
    try:
        return keras.models.load_model(path), read_state(path)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise TrainingError(
            f"There is no checkpoint to resume from in {path.parent.parent}: start the training anew."
        ) from error


def read_state(path: Path) -> State:
    """How far a checkpoint is; that of state.json beside it where it does not say. Raises OSError, ValueError."""
    with zipfile.ZipFile(path) as archive:
        if STATE_MEMBER in archive.namelist():
            return State.of(archive.read(STATE_MEMBER))
    return State.of((path.parent / "state.json").read_bytes())


def restore_head(head: keras.Model, path: Path) -> None:
    """Gives a compiled head the weights and the optimizer's state that a checkpoint of the first phase holds."""
    with zipfile.ZipFile(path) as archive:
        if HEAD_MEMBER not in archive.namelist():
            return
        with tempfile.TemporaryDirectory() as scratch:
            kept = keras.models.load_model(archive.extract(HEAD_MEMBER, scratch))
    head.set_weights(kept.get_weights())
    head.optimizer.build(head.trainable_variables)
    for variable, value in zip(head.optimizer.variables, kept.optimizer.variables, strict=True):
        variable.assign(value)


def _bytes(model: keras.Model, folder: Path) -> bytes:
    half = folder / ".head.part.keras"
    try:
        model.save(half)
        return half.read_bytes()
    finally:
        half.unlink(missing_ok=True)
