"""Which way of training is worth it? Short runs that differ in one thing, judged on val alone.

    python -m benchmarks.recipes                             # all of them, two seeds, two at once: hours
    python -m benchmarks.recipes --only base no-blends --seeds 0 --pictures 8192
    python -m benchmarks.recipes --test                      # the test faces of the sources that runs were made without
    python -m benchmarks.recipes --table                     # of what is done already

Each run begins with ImageNet's weights, the "continued" ones with the detector that ships, and sees the train split of
../shared/data. Its figures are kept in OUT, so that a second call does only what is missing. Judged are the val faces
as they are ("val"), their copies of half size and JPEG 50 ("copies"), through H.264 ("films"), turned by 20°
("leaning"), under lines, words or a screen ("marked"), and composites of real val faces against those faces. Of test
only what was left out is looked at, once all is done. docs/experiments.md has the table. The media are licensed for
research: only figures are printed.
"""

import argparse
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean
from typing import Any

SHARED = Path(__file__).parents[2] / "shared"
WEIGHTS = SHARED / "weights" / "xception_imagenet_notop_fp16.weights.h5"
KINDS = {"dfdc": "face_swap", "stylegan_ffhq": "gan", "stylegan2_unsplash": "gan", "sd21_web": "diffusion"}
SOURCES = ("dfdc", "stylegan_ffhq", "stylegan2_unsplash", "sd21_web")
COPIES = tuple((way, source) for way in ("copies", "films", "leaning", "marked") for source in SOURCES[:2])


@dataclass(frozen=True)
class Recipe:
    """What differs from `base`.

    Attributes:
        changes: Settings of the run.
        without: A source that is left out of the training, and judged all the same.
        kinds: Fakes are named by their kind, and the network tells the kinds apart.
        patch: What is taken away though no setting takes it: "degrade", "augment", "balance", "hide", "films",
            "turns", "marks" or "schedule"; or "apart": fakes made from reals are a class of their own, though the
            others are of one.
        classic: The classic script's ways instead of ours, all at once (benchmarks/recipe_run.py).
    """

    changes: Mapping[str, Any] = field(default_factory=dict)
    without: str = ""
    kinds: bool = False
    patch: str = ""
    classic: bool = False


NO_BLENDS = {"self_blend": 0.0, "composite": 0.0}
SEVERAL = {"multi_class": "yes"}
SHIPPED = {"init": "default", "input_size": 160, "batch_norm": "fold", "learning_rate": 6e-5}
HEAVY = SHIPPED | {"self_blend": 0.15, "composite": 0.35}
RECIPES: dict[str, Recipe] = {
    "base": Recipe(),
    "no-blends": Recipe(NO_BLENDS),
    "without-dfdc": Recipe(without="dfdc"),
    "without-dfdc-no-blends": Recipe(NO_BLENDS, without="dfdc"),
    "without-stylegan_ffhq": Recipe(without="stylegan_ffhq"),
    "without-stylegan_ffhq-no-blends": Recipe(NO_BLENDS, without="stylegan_ffhq"),
    "without-stylegan2_unsplash": Recipe(without="stylegan2_unsplash"),
    "without-stylegan2_unsplash-no-blends": Recipe(NO_BLENDS, without="stylegan2_unsplash"),
    "without-sd21_web": Recipe(without="sd21_web"),
    "without-sd21_web-no-blends": Recipe(NO_BLENDS, without="sd21_web"),
    "160px": Recipe({"input_size": 160}),
    "96px": Recipe({"input_size": 96}),
    "224px": Recipe({"input_size": 224}),
    "crop-.72": Recipe({"crop_scale": 0.72}),
    "blends-apart": Recipe(patch="apart"),
    "kinds": Recipe(SEVERAL, kinds=True),
    "kinds-without-dfdc": Recipe(SEVERAL, without="dfdc", kinds=True),
    "kinds-without-stylegan_ffhq": Recipe(SEVERAL, without="stylegan_ffhq", kinds=True),
    "kinds-without-stylegan2_unsplash": Recipe(SEVERAL, without="stylegan2_unsplash", kinds=True),
    "kinds-without-sd21_web": Recipe(SEVERAL, without="sd21_web", kinds=True),
    "no-composites": Recipe({"composite": 0.0}),
    "no-self-blends": Recipe({"self_blend": 0.0}),
    "no-degrading": Recipe(patch="degrade"),
    "no-augmentation": Recipe(patch="augment"),
    "no-hiding": Recipe(patch="hide"),
    "no-films": Recipe(patch="films"),
    "no-turns": Recipe(patch="turns"),
    "no-marks": Recipe(patch="marks"),
    "no-balance": Recipe({"source_weights": ()}, patch="balance"),
    "no-imagenet": Recipe({"init": "none"}),
    "localised": Recipe({"localise": 0.2}),
    "norm-folded": Recipe({"batch_norm": "fold", "learning_rate": 1.2e-4}),
    "constant-rate": Recipe({"warmup": 0.0}, patch="schedule"),
    "classic": Recipe(classic=True),
    # not from ImageNet: what is worth doing to the detector that ships
    "continued": Recipe(SHIPPED),
    "continued-composites": Recipe(HEAVY),
    "continued-localised": Recipe(HEAVY | {"localise": 0.5}),
    "continued-224px": Recipe(HEAVY | {"localise": 0.5, "input_size": 224}),
}


def kinds(samples: Sequence[Any], probabilities: Any, classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """By source: of the fakes that are more fake than real, the share called each kind.

    Args:
        samples: What was judged.
        probabilities: (n, k), one row each, of `classes`.
        classes: "real" first.
    """
    found: dict[str, Counter[str]] = {}
    for sample, given in zip(samples, probabilities, strict=True):
        if sample.fake and given[0] < 0.5:
            found.setdefault(sample.source, Counter())[classes[1 + int(given[1:].argmax())]] += 1
    return {source: {k: round(n / sum(c.values()), 2) for k, n in c.most_common()} for source, c in found.items()}


def settings(recipe: Recipe, pictures: int, rate: float, seed: int) -> dict[str, Any]:
    """The run's settings, less the data: one epoch of so many pictures."""
    return {
        "init": str(WEIGHTS),
        "input_size": 128,
        "batch_norm": "train",
        "multi_class": "no",
        "head_epochs": 0,
        "epochs": 1,
        "epoch_pictures": pictures,
        "batch_size": 32,
        "learning_rate": rate,
        "warmup": 0.1,
        "self_blend": 0.25,
        "composite": 0.15,
        "source_weights": () if recipe.without == "stylegan_ffhq" else ("stylegan_ffhq=2",),
        "val_pictures": 20,  # in training: what counts is judged afterwards
        "seed": seed,
        **recipe.changes,
    }


def run_all(jobs: Sequence[tuple[str, int]], options: argparse.Namespace) -> None:
    """Each in a process of its own."""

    def one(job: tuple[str, int]) -> None:
        name, seed = job
        folder = options.out / f"{name}-{seed}"
        folder.mkdir(parents=True, exist_ok=True)
        arguments = map(str, (name, seed, folder, options.pictures, options.rate))
        with (folder / "log").open("w") as log:
            command = [sys.executable, "-m", "benchmarks.recipe_run", *arguments]
            code = subprocess.run(command, stdout=log, stderr=subprocess.STDOUT, check=False).returncode
        print(line(folder) if code == 0 else f"{name} {seed}: failed, see {folder / 'log'}", flush=True)

    missing = [(name, seed) for name, seed in jobs if not (options.out / f"{name}-{seed}" / "figures.json").is_file()]
    with ThreadPoolExecutor(options.at_once) as pool:
        list(pool.map(one, missing))


def line(folder: Path) -> str:
    """One run, in a line."""
    figures = read(folder)
    return f"{folder.name}: {figures['seconds']} s, " + " ".join(f"{k} {v}" for k, v in figures["val"].items())


def read(folder: Path) -> dict[str, Any]:
    figures: dict[str, Any] = json.loads((folder / "figures.json").read_text())
    return figures


def table(out: Path) -> str:
    """Means over the seeds, and in brackets how far the seeds lie apart."""
    lines = [
        "| recipe | runs | "
        + " | ".join(SOURCES)
        + "".join(f" | {way}: {source}" for way, source in COPIES)
        + " | composites |",
        "|---" * (7 + len(COPIES)) + "|",
    ]
    for name in RECIPES:
        runs = [read(one.parent) for one in sorted(out.glob(f"{name}-[0-9]*/figures.json"))]
        if not runs:
            continue
        cells = [[run["val"].get(source) for run in runs] for source in SOURCES]
        cells += [[run.get(way, {}).get(source) for run in runs] for way, source in COPIES]
        cells.append([run.get("composites") for run in runs])
        lines.append(f"| {name} | {len(runs)} | " + " | ".join(map(_cell, cells)) + " |")
        for key in ("kinds", "test"):
            lines += [f"  {key}, seed {run['seed']}: {json.dumps(run[key])}" for run in runs if key in run]
    return "\n".join(lines)


def _cell(values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None]
    if not there:
        return "–"
    spread = f" ({max(there) - min(there):.3f})" if len(there) > 1 else ""
    return f"{mean(there):.3f}{spread}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=tuple(RECIPES), default=tuple(RECIPES), metavar="NAME")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--pictures", type=int, default=9600, help="seen by each run (default: 9600)")
    parser.add_argument("--rate", type=float, default=3e-4, help="peak learning rate (default: 3e-4)")
    parser.add_argument("--at-once", type=int, default=2, help="runs at once (default: 2)")
    parser.add_argument("--out", type=Path, default=Path("runs/recipes"), help="default: runs/recipes")
    parser.add_argument("--table", action="store_true", help="run nothing, print what is there")
    parser.add_argument("--test", action="store_true", help="run nothing, judge test faces of what was left out")
    options = parser.parse_args()
    if options.test:
        from benchmarks.recipe_run import judge_left_out

        for one in sorted(options.out.glob("without-*/figures.json")):
            judge_left_out(one.parent)
    elif not options.table:
        run_all([(name, seed) for seed in options.seeds for name in options.only], options)
    print(table(options.out))


if __name__ == "__main__":
    main()
