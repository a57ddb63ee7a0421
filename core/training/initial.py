"""The network that a training starts from: its graph, and the weights that `--init` names."""

from collections.abc import Sequence
from pathlib import Path

import keras

from core.detector.folding import fold, unfold
from core.detector.loading import load_keras
from core.detector.network import HEAD_LAYER, NECK_LAYER, build_network
from core.errors import DetectorError, TrainingError
from core.training.config import TrainConfig
from core.training.start import REMEDY, starting_file

WEIGHTS_SUFFIX = ".weights.h5"


def initial_network(config: TrainConfig, classes: Sequence[str]) -> keras.Model:
    """A network for these classes with the weights that the settings name, folded if they say so; it is not compiled.

    Raises:
        TrainingError: The weights are not there, cannot be downloaded, or are of another network.
    """
    model = _with_weights(config, classes)
    return fold(model) if config.batch_norm == "fold" else model


def usual_network(folded: keras.Model, config: TrainConfig, classes: Sequence[str]) -> keras.Model:
    """The network that a folded one stands for, with batch normalisation: what detectors are made of."""
    return unfold(folded, _built(config, classes, None))


def _with_weights(config: TrainConfig, classes: Sequence[str]) -> keras.Model:
    if config.init == "none":
        return _built(config, classes, None)
    if config.init == "imagenet":
        try:
            return _built(config, classes, "imagenet")
        except Exception as error:  # Keras raises nothing narrower when a download fails
            if isinstance(error, MemoryError) or _is_local(error):
                raise
            raise TrainingError(
                f"The ImageNet weights cannot be downloaded ({_last_line(error)}): {REMEDY}."
            ) from error
    path = starting_file(config.init)
    if not path.name.endswith(WEIGHTS_SUFFIX):
        return _taken_over(_built(config, classes, None), path)
    try:
        return _built(config, classes, path)
    except (ValueError, OSError, KeyError) as error:
        raise TrainingError(
            f"{path} holds no weights of Xception without its top ({_last_line(error)}): {REMEDY}."
        ) from error


def _built(config: TrainConfig, classes: Sequence[str], imagenet: Path | str | None) -> keras.Model:
    return build_network(config.input_size, classes, imagenet=imagenet, dropout=config.dropout, blocks=config.blocks)


def _taken_over(model: keras.Model, path: Path) -> keras.Model:
    """`model` with the weights of a detector; its head's as well where it tells as many classes apart.

    A network of fewer blocks takes over the detector's first ones: what follows them begins anew.
    """
    try:
        other = load_keras(path)
    except DetectorError as error:
        raise TrainingError(f"The starting weights cannot be read. {error}") from error
    mine, theirs = ([layer for layer in one.layers if layer.weights] for one in (model, other))
    neck = next((place for place, layer in enumerate(mine) if layer.name == NECK_LAYER), None)
    if neck is not None and len(mine) != len(theirs):
        mine = mine[:neck]
        theirs = theirs[: len(mine)]
    if len(mine) != len(theirs):
        raise _another(path)
    for layer, source in zip(mine, theirs, strict=True):
        # by place: Keras numbers shortcuts anew for each network in a process, and a detector's head has any name
        if layer.name == HEAD_LAYER:
            if layer.units == source.units:
                layer.set_weights(source.get_weights())
            continue
        if type(layer) is not type(source) or [w.shape for w in layer.weights] != [w.shape for w in source.weights]:
            raise _another(path)
        layer.set_weights(source.get_weights())
    return model


def _another(path: Path) -> TrainingError:
    return TrainingError(f"{path} is another network than the one to be trained (see the setting blocks): {REMEDY}.")


def _is_local(error: Exception) -> bool:
    """A full disk is not a missing connection."""
    return isinstance(error, OSError) and error.errno is not None and "URL" not in str(error)


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return lines[0].rstrip(".")[:120] if lines else type(error).__name__
