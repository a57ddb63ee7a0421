"""Is a generator known that no training picture came from? Real faces, rebuilt by a diffusion model's autoencoder.

    python -m benchmarks.reconstructions --encoder taef2_encoder.pth --decoder taef2_decoder.pth --out OUT
    python evaluate.py --data OUT --split val

Each real picture of the split is made smaller by chance, encoded to latents, disturbed there in three of five pictures,
and decoded: it keeps its content, and every pixel of it comes from a network, as in a picture that a latent diffusion
model has painted. Its partner is the same picture, as small and compressed alike, and not rebuilt. OUT has class
folders and a manifest. Such pairs teach a detector as well: label, source, split and group are those of training data.

The files are those of the small autoencoder of FLUX.2's latents, github.com/madebyollin/taesd (MIT), 2.7 MB each, not
part of this project. The media are licensed for research: what is made of them stays outside the repository too.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.autoencoder import LATENTS, SHRINKS, Autoencoder
from core.data.dataset import find_samples
from core.data.sample import Sample
from core.errors import UserError
from core.media import load_image

DATA = Path(__file__).parents[2] / "shared" / "data"
LARGEST = 448  # px, the longest side of what is rebuilt
SMALLEST_SHARE = 0.5
STEP = 16  # sides are multiples of it, so that the latents fit
UNDISTURBED = 0.4  # of the pictures
MOST_NOISE = 0.55  # standard deviation in the latents, whose own is .92
QUALITY = (70, 97)
BATCH = 8

Rgb = NDArray[np.uint8]


def small(rgb: Rgb, rng: Generator) -> Rgb:
    """The picture made smaller by chance, its sides multiples of `STEP`."""
    height, width = rgb.shape[:2]
    scale = rng.uniform(SMALLEST_SHARE, 1.0) * min(1.0, LARGEST / max(height, width))
    size = tuple(max(STEP, round(side * scale / STEP) * STEP) for side in (width, height))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def noise_for(pictures: Rgb, rng: Generator) -> NDArray[np.float32]:
    """What disturbs the latents of a batch: nothing for some pictures, else of a strength of each one's own."""
    count, height, width, _ = pictures.shape
    strength = np.where(rng.random(count) < UNDISTURBED, 0.0, rng.uniform(0, MOST_NOISE, count))
    noise = rng.standard_normal((count, height // SHRINKS, width // SHRINKS, LATENTS))
    return (noise * strength[:, None, None, None]).astype(np.float32)


def pairs(samples: Sequence[Sample], rebuild: Autoencoder, rng: Generator) -> Iterator[tuple[Sample, Rgb, Rgb]]:
    """Each sample, its small picture and that picture rebuilt, in batches of one size."""
    by_size: dict[tuple[int, ...], list[tuple[Sample, Rgb]]] = defaultdict(list)
    for sample in samples:
        picture = small(load_image(sample.path).rgb, rng)
        by_size[picture.shape].append((sample, picture))
    for members in by_size.values():
        for start in range(0, len(members), BATCH):
            part = members[start : start + BATCH]
            given = np.stack([picture for _, picture in part])
            for (sample, picture), rebuilt in zip(part, rebuild(given, noise_for(given, rng)), strict=True):
                yield sample, picture, rebuilt


def write(out: Path, made: Iterator[tuple[Sample, Rgb, Rgb]], rng: Generator) -> int:
    """The pairs as JPEG files of one quality each, and their manifest; how many pairs there are."""
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    with (out / "manifest.csv").open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(["path", "label", "source", "split", "group"])
        for count, (sample, *both) in enumerate(made, start=1):  # noqa: B007
            options = [cv2.IMWRITE_JPEG_QUALITY, int(rng.uniform(*QUALITY))]
            for label, picture in zip(("real", "diffusion"), both, strict=True):
                path = out / sample.source / sample.split / label / f"{sample.path.stem}.jpg"
                path.parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), options)
                lines.writerow([path.relative_to(out), label, sample.source, sample.split, sample.group])
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("--decoder", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="outside the repository")
    parser.add_argument("--data", default=str(DATA))
    parser.add_argument("--split", default="val", choices=("train", "val", "test"))
    parser.add_argument("--limit", type=int, help="at most so many pictures a source")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    try:
        rng, rebuild = np.random.default_rng(options.seed), Autoencoder(options.encoder, options.decoder)
        found = find_samples([options.data])
    except UserError as error:
        parser.error(str(error))
    reals: dict[str, list[Sample]] = defaultdict(list)
    for sample in found:
        if sample.split == options.split and not sample.fake:
            reals[sample.source].append(sample)
    chosen = [one for members in reals.values() for one in members[: options.limit]]
    print(f"{write(options.out, pairs(chosen, rebuild, rng), rng)} pairs in {options.out}")


if __name__ == "__main__":
    main()
