"""The short comparisons of benchmarks/recipes.py on a GPU; figures.json of each is what `--table` there reads."""

import json
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.composites import composites
from benchmarks.gpu.drawing import Job, samples_of
from benchmarks.gpu.learning import Trainer, by_source, outputs
from benchmarks.recipe_run import copy
from benchmarks.recipes import RECIPES, SOURCES, Recipe, kinds, settings
from core.faces.crop import TIGHT_SCALE
from core.metrics import roc_auc

if TYPE_CHECKING:
    from benchmarks.gpu.train import Session

BATCH, PEAK, PICTURES = 64, 4e-4, 16000
SEEDS = (0, 1)


def job_of(name: str, seed: int) -> Job:
    """What a recipe draws."""
    recipe = RECIPES[name]
    chosen = settings(recipe, PICTURES, PEAK, seed)
    weights = {key: float(value) for key, value in (one.split("=") for one in chosen["source_weights"])}
    return Job(
        name,
        chosen["input_size"],
        blend=chosen["self_blend"],
        composite=chosen["composite"],
        weights=weights,
        without=recipe.without,
        kinds=recipe.kinds,
        scale=chosen.get("crop_scale", TIGHT_SCALE),
        patch=recipe.patch,
        seed=seed,
    )


def can(recipe: Recipe) -> bool:
    """Folded networks, the classic script, what begins from the detector that ships and blends apart: processors."""
    changes: Mapping[str, Any] = recipe.changes
    if recipe.classic or recipe.patch == "apart" or changes.get("init") == "default":
        return False
    return bool(changes.get("batch_norm", "train") == "train")


JOBS = [job_of(name, seed) for seed in SEEDS for name, recipe in RECIPES.items() if can(recipe)]


def run(session: "Session", index: int) -> None:
    """One comparison: trains, judges, leaves figures.json."""
    import torch

    from benchmarks.gpu.xception import Xception

    job = session.drawers.jobs[index]
    chosen = settings(RECIPES[job.name], PICTURES, PEAK, job.seed)
    begun = time.monotonic()
    torch.manual_seed(job.seed)
    net = Xception(1 if not job.kinds else len(job.classes), dropout=0.2).fresh()
    if chosen["init"] != "none":
        net.load(session.arrays("imagenet.npz"))
    trainer = Trainer(net, session.device, PEAK, 0.0)
    session.feed.start(index, BATCH)
    steps, losses = PICTURES // BATCH, []
    constant, localise = job.patch == "schedule", chosen.get("localise", 0.0)
    net.train()
    while trainer.step < steps:
        batch = session.feed.next()
        if batch.job != index or len(batch.crops) != BATCH:
            continue
        part = 0.0 if constant else trainer.step / steps
        losses.append(trainer.learn(batch, part, 1 if constant else steps // 10, localise))
    if index + 1 < len(session.drawers.jobs):
        session.feed.start(index + 1, BATCH)  # is drawn while this one is judged
    samples, crops = session.val(job)
    samples = samples_of(job, samples)
    figures: dict[str, Any] = {"recipe": job.name, "seed": job.seed, "pictures": PICTURES, "rate": PEAK}

    def fake(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        given = outputs(net, crops, session.device)
        return given if given.ndim == 1 else 1 - given[:, 0]

    figures["val"] = by_source(samples, fake(crops))
    copied = [i for i, one in enumerate(samples) if one.source in SOURCES[:2]]
    copies = session.seen(("copies", job.size, job.scale), lambda: np.stack([copy(crops[i]) for i in copied]))
    figures["copies"] = by_source([samples[i] for i in copied], fake(copies))
    if job.scale == TIGHT_SCALE:
        reals, fakes = session.seen(
            ("composites", job.size), lambda: composites(session.judged, job.size, session.parcels.face)
        )
        figures["composites"] = round(
            roc_auc(fake(np.concatenate([reals, fakes])), np.repeat([False, True], [len(reals), len(fakes)])), 4
        )
    if job.kinds:
        figures["kinds"] = kinds(samples, outputs(net, crops, session.device), job.classes)
    figures["seconds"] = round(time.monotonic() - begun, 1)
    figures["loss"] = round(float(torch.stack(losses[-50:]).mean()), 4)
    folder = session.options.out / "recipes" / f"{job.name}-{job.seed}"
    folder.mkdir(exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    session.say(job.name, job.seed, json.dumps(figures))
