"""One run of benchmarks/recipes.py, in a process of its own: trains, judges, leaves figures.json.

python -m benchmarks.recipe_run NAME SEED FOLDER PICTURES RATE
"""

import csv
import json
import os
import sys
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.recipes import KINDS, RECIPES, SHARED, SOURCES, Recipe, kinds, settings

COPY_PX, COPY_QUALITY = 112, 50
JUDGED = 150
"""Val pictures of each source and class."""
CLASSIC_RATE = 1e-3

Crops = NDArray[np.uint8]


def outputs(model: Any, scale: float, offset: float, crops: Crops) -> NDArray[np.float32]:
    """The network's answers to RGB crops."""
    given: NDArray[np.float32] = model.predict(crops.astype(np.float32) * scale + offset, batch_size=32, verbose=0)
    return given


def write_manifest(recipe: Recipe, path: Path) -> None:
    """Train and val of ../shared/data; of the source that is left out only val."""
    from core.data.dataset import find_samples

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["path", "label", "source", "split", "group"])
        for one in find_samples([SHARED / "data"]):
            if one.split in ("train", "val") and not (one.split == "train" and one.source == recipe.without):
                label = KINDS[one.source] if recipe.kinds and one.fake else one.label
                lines.writerow([one.path, label, one.source, one.split, one.group])


def trained(config: Any, folder: Path, cache: Path) -> tuple[Any, tuple[str, ...]]:
    """The network after its one epoch, and its classes."""
    from core.training.checkpoints import load_checkpoint
    from core.training.loop import fit

    model, state = load_checkpoint(fit(config, folder, cache))
    return model, state.classes


def trained_classic(samples: Sequence[Any], pictures: int, size: int, seed: int) -> tuple[Any, tuple[str, ...]]:
    """The classic script: the whole picture over 255, a sigmoid on ImageNet's Xception, Adam, cross-entropy.

    Pictures come as they lie in the folders, epoch by epoch, and are never changed.
    """
    import keras

    from benchmarks.recipes import WEIGHTS
    from core.detector.network import build_network

    keras.utils.set_random_seed(seed)
    train = [one for one in samples if one.split == "train"]
    rng, epochs = np.random.default_rng(seed), -(-pictures // len(train))
    order = np.concatenate([rng.permutation(len(train)) for _ in range(epochs)])[:pictures]

    class Batches(keras.utils.PyDataset):
        def __len__(self) -> int:
            return len(order) // 32

        def __getitem__(self, index: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
            members = [train[i] for i in order[index * 32 : (index + 1) * 32]]
            crops = np.stack([whole_picture(one.path, size) for one in members])
            return crops.astype(np.float32) / 255, np.array([[one.fake] for one in members], np.float32)

    model = build_network(size, imagenet=WEIGHTS)
    model.compile(optimizer=keras.optimizers.Adam(CLASSIC_RATE), loss="binary_crossentropy")
    model.fit(Batches(), epochs=1, shuffle=False, verbose=2)
    return model, ("real", "fake")


def whole_picture(path: Path, size: int) -> Crops:
    from core.data.draw import read_crop
    from core.faces.crop import resize_crop

    return resize_crop(read_crop(path), size)


def judge_left_out(folder: Path) -> None:
    """Adds "test" to a run's figures: AUC on the test faces of the source that it was trained without, and on copies.

    The copies, of half size and JPEG 50, are alike in resolution; sd21_web's real pictures are smaller than its fakes.
    """
    from core.data.dataset import find_samples
    from core.data.draw import seen_crop
    from core.data.prepare import prepare
    from core.training.checkpoints import load_checkpoint
    from core.training.config import TrainConfig
    from core.training.loop import OFFSET, SCALE
    from core.training.validation import Judged

    figures = json.loads((folder / "figures.json").read_text())
    config = TrainConfig.load(folder / "config.json")
    left_out = RECIPES[figures["recipe"]].without
    found = [one for one in find_samples([SHARED / "data"]) if one.split == "test" and one.source == left_out]
    members = prepare(found, folder.parent / "cache", scale=config.crop_scale)
    model, state = load_checkpoint(folder / "checkpoints" / "best.keras")
    crops = np.stack([seen_crop(one.path, config.input_size) for one in members])
    figures["test"] = {}
    for way, judged in (("as they are", crops), ("copies", np.stack([copy(crop) for crop in crops]))):
        aucs = Judged(members, state.classes, outputs(model, SCALE, OFFSET, judged)).aucs()
        figures["test"][way] = round(aucs[left_out], 4)
    (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")


def copy(crop: Crops) -> Crops:
    """What is left after half the size of a dfdc crop and JPEG 50."""
    from core.data.augment import recompress
    from core.faces.crop import resize_crop

    return resize_crop(recompress(resize_crop(crop, COPY_PX), COPY_QUALITY), crop.shape[0])


def run(name: str, seed: int, folder: Path, pictures: int, rate: float) -> dict[str, Any]:
    """Trains and judges."""
    import keras

    from benchmarks.recipe_copies import CHANGED
    from benchmarks.taken_away import take_away
    from core.data.dataset import subset
    from core.data.draw import BLENDED, seen_crop
    from core.metrics import roc_auc
    from core.training import loop
    from core.training.callbacks import Unwatched, WarmupCosine
    from core.training.config import TrainConfig
    from core.training.loop import OFFSET, SCALE, load_samples
    from core.training.validation import Judged

    recipe, cache, manifest = RECIPES[name], folder.parent / "cache", folder / "manifest.csv"
    write_manifest(recipe, manifest)
    config = TrainConfig(data=(str(manifest.resolve()),), **settings(recipe, pictures, rate, seed))
    take_away(recipe.patch)
    if recipe.patch == "schedule":
        WarmupCosine.on_train_batch_begin = lambda self, batch, logs=None: None
    if recipe.patch == "apart":
        loop.class_names = lambda labels, *_: (*labels, BLENDED)
    started = time.monotonic()
    if recipe.classic:
        from core.data.dataset import find_samples
        from core.training.hardware import resolve_precision

        keras.mixed_precision.set_global_policy(resolve_precision("auto"))
        model, classes = trained_classic(find_samples([manifest]), pictures, config.input_size, seed)
        samples, view, scale, offset = find_samples([manifest]), whole_picture, 1 / 255, 0.0
    else:
        model, classes = trained(config, folder, cache)
        samples, view, scale, offset = load_samples(config, cache, Unwatched()), seen_crop, SCALE, OFFSET
    figures: dict[str, Any] = {"recipe": name, "seed": seed, "pictures": pictures, "rate": config.learning_rate}
    figures["seconds"] = round(time.monotonic() - started)

    answers = partial(outputs, model, scale, offset)
    val = subset(samples, "val", JUDGED)
    for way, change in {"val": None, "copies": copy, **CHANGED}.items():
        sources = SOURCES[:2] if change else SOURCES
        members = [one for one in val if one.source in sources]
        crops = [view(one.path, config.input_size) for one in members]
        judged = Judged(members, classes, answers(np.stack([change(crop) for crop in crops] if change else crops)))
        figures[way] = {source: round(auc, 4) for source, auc in judged.aucs().items()}
        if recipe.kinds and way == "val":
            figures["kinds"] = kinds(judged.samples, judged.class_probabilities, judged.classes)
    if not recipe.classic:
        from benchmarks.composites import composites, looked_for

        pair = composites(val, config.input_size, looked_for)
        scores = [Judged([], classes, answers(part)).fake_probability for part in pair]
        truth = np.repeat([False, True], [len(part) for part in pair])
        figures["composites"] = round(roc_auc(np.concatenate(scores), truth), 4)
    return figures


def main() -> None:
    name, seed, folder, pictures, rate = sys.argv[1:]
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    figures = run(name, int(seed), Path(folder), int(pictures), float(rate))
    (Path(folder) / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
