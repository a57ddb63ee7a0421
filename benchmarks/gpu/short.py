"""The short comparisons of benchmarks/recipes.py on a GPU; figures.json of each is what `--table` there reads.

They see all parcels, and so more of dfdc than on processors, where ../shared/data's part of it is all.
"""

import json
import time
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.composites import composites
from benchmarks.gpu.drawing import Job, judged_crops, samples_of
from benchmarks.gpu.learning import Trainer, by_source, odds, outputs
from benchmarks.recipe_copies import CHANGED
from benchmarks.recipe_run import copy
from benchmarks.recipes import RECIPES, SOURCES, Recipe, kinds, settings
from core.faces.crop import TIGHT_SCALE
from core.metrics import roc_auc

if TYPE_CHECKING:
    from benchmarks.gpu.train import Session

BATCH, PEAK, PICTURES = 64, 4e-4, 12800
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
    """Not folded networks, the classic script (classic.py) and what begins from the detector that ships."""
    changes: Mapping[str, Any] = recipe.changes
    if recipe.classic or changes.get("init") == "default":
        return False
    return bool(changes.get("batch_norm", "train") == "train")


JOBS = [job_of(name, seed) for seed in SEEDS for name, recipe in RECIPES.items() if can(recipe)]


def run(session: "Session", index: int, after: int | None) -> None:
    """One comparison: trains, judges, leaves figures.json; `after` is the job that follows."""
    import torch

    from benchmarks.gpu.xception import Xception

    job = session.drawers.jobs[index]
    chosen = settings(RECIPES[job.name], PICTURES, PEAK, job.seed)
    begun = time.monotonic()
    torch.manual_seed(job.seed)
    net = Xception(len(job.classes) if len(job.classes) > 2 else 1, dropout=0.2).fresh()
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
    if after is not None:
        session.feed.start(after, BATCH)  # is drawn while this one is judged
    samples, crops = session.val(job)
    samples = samples_of(job, samples)
    figures: dict[str, Any] = {"recipe": job.name, "seed": job.seed, "pictures": PICTURES, "rate": PEAK}

    def fake(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
        return odds(outputs(net, crops, session.device))

    figures["val"] = by_source(samples, fake(crops))
    copied = [i for i, one in enumerate(samples) if one.source in SOURCES[:2]]
    for way, change in {"copies": copy, **CHANGED}.items():
        seen = session.seen((way, job.size, job.scale), partial(_changed, change, crops[copied]))
        figures[way] = by_source([samples[i] for i in copied], fake(seen))
    if job.scale == TIGHT_SCALE:
        reals, fakes = session.seen(
            ("composites", job.size), lambda: composites(session.judged, job.size, session.parcels.face)
        )
        figures["composites"] = round(
            roc_auc(fake(np.concatenate([reals, fakes])), np.repeat([False, True], [len(reals), len(fakes)])), 4
        )
    if job.kinds:
        logits = outputs(net, crops, session.device)
        figures["kinds"] = kinds(samples, np.exp(logits - np.logaddexp.reduce(logits, 1)[:, None]), job.classes)
    if job.without and (left_out := [one for one in session.parcels.of("test") if one.source == job.without]):
        crops = session.seen(("test", job.without, job.size), lambda: judged_crops(left_out, job.size))
        copies = session.seen(("test copies", job.without, job.size), lambda: np.stack([copy(crop) for crop in crops]))
        ways = {"as they are": crops, "copies": copies}
        figures["test"] = {way: by_source(left_out, fake(seen))[job.without] for way, seen in ways.items()}
    figures["seconds"] = round(time.monotonic() - begun, 1)
    figures["loss"] = round(float(torch.stack(losses[-50:]).mean()), 4)
    folder = session.options.out / "recipes" / f"{job.name}-{job.seed}"
    folder.mkdir(exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    session.say(job.name, job.seed, json.dumps(figures))


def _changed(change: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], crops: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack([change(crop) for crop in crops])
