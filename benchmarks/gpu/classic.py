"""The classic script's recipe on a GPU, ten epochs of it: what every open demo does, judged as our own runs are.

    python -m benchmarks.gpu.classic --make --pack PACK          # here: whole pictures of 128 px, in two parcels
    python -m benchmarks.gpu.classic --pack PACK --out OUT       # there, beside benchmarks.gpu.train

The whole picture over 255, a sigmoid on ImageNet's Xception, Adam at 1e-3, cross-entropy, batches of 32, nothing ever
changed and no face looked for; the train split of ../shared/data. `benchmarks/recipe_run.py` has it for processors.
"""

import argparse
import json
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.learning import by_source, odds, outputs
from benchmarks.gpu.parcels import Parcels, unpack
from benchmarks.recipe_run import CLASSIC_RATE, copy
from benchmarks.recipes import SHARED, SOURCES
from core.data.draw import read_crop
from core.data.sample import Sample
from core.faces.crop import resize_crop

SIDE, BATCH, EPOCHS, QUALITY, PARTS = 128, 32, 10, 95, 2


def make(pack: Path) -> None:
    """Shrinks the whole pictures, and packs them."""
    from benchmarks.gpu.pack import Packed, write
    from core.data.dataset import find_samples

    def shrunk(sample: Sample) -> Packed:
        picture = cv2.cvtColor(resize_crop(read_crop(sample.path), SIDE), cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
        return Packed(sample, data, ".jpg", None)

    members = [
        shrunk(one) for one in find_samples([SHARED / "data"]) if one.split in ("train", "val") and not one.is_video
    ]
    folder = pack / "whole"
    folder.mkdir(parents=True, exist_ok=True)
    for part in range(PARTS):
        write(folder / f"part{part}.tar", members[part::PARTS])


def train(pictures: NDArray[np.uint8], fake: NDArray[np.bool_], net: Any, device: Any, epochs: int) -> float:
    """In place; the mean loss of the last epoch."""
    import torch
    import torch.nn.functional as F

    there, labels = torch.from_numpy(pictures).to(device), torch.from_numpy(fake).float().to(device)[:, None]
    optimizer = torch.optim.Adam(net.parameters(), lr=CLASSIC_RATE, eps=1e-7)
    net.train()
    for _ in range(epochs):
        order, losses = torch.randperm(len(there), device=device), []
        for begin in range(0, len(there) - BATCH + 1, BATCH):
            chosen = order[begin : begin + BATCH]
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device.type, dtype=torch.bfloat16):
                logits = net(over_255(there[chosen]))[0]
            loss = F.binary_cross_entropy_with_logits(logits, labels[chosen])
            loss.backward()
            optimizer.step()
            losses.append(loss.detach())
    return float(torch.stack(losses).mean())


def over_255(pictures: Any) -> Any:
    """The network's input from uint8 (n, s, s, 3)."""
    import torch

    return (pictures.permute(0, 3, 1, 2).float() / 255).contiguous(memory_format=torch.channels_last)


def judge(samples: list[Sample], pictures: NDArray[np.uint8], net: Any, device: Any) -> dict[str, float]:
    """AUC of each source."""
    return by_source(samples, odds(outputs(net, pictures, device, as_input=over_255)))


def run(pack: Path, out: Path, epochs: int, seed: int) -> None:
    """Trains, judges, leaves figures.json."""
    import torch

    from benchmarks.gpu.arrays import read
    from benchmarks.gpu.xception import Xception

    work = Path("/tmp/whole")
    work.mkdir(parents=True, exist_ok=True)
    unpack(pack / "whole", work)
    parcels = Parcels(work)
    parcels.refresh()
    learnt, judged = parcels.of("train"), parcels.of("val")
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(seed)
    begun = time.monotonic()
    net = Xception(1).load(read(pack / "imagenet.npz")).to(device).to(memory_format=torch.channels_last)
    pictures = np.stack([read_crop(one.path) for one in learnt])
    loss = train(pictures, np.array([one.fake for one in learnt]), net, device, epochs)
    seen = np.stack([read_crop(one.path) for one in judged])
    few = [place for place, one in enumerate(judged) if one.source in SOURCES[:2]]
    copies = np.stack([copy(seen[place]) for place in few])
    figures = {
        "recipe": "classic",
        "seed": seed,
        "pictures": epochs * (len(learnt) // BATCH * BATCH),
        "rate": CLASSIC_RATE,
        "val": judge(judged, seen, net, device),
        "copies": judge([judged[place] for place in few], copies, net, device),
        "seconds": round(time.monotonic() - begun, 1),
        "loss": round(loss, 4),
    }
    folder = out / "recipes" / f"classic-{seed}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    print(json.dumps(figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--make", action="store_true")
    parser.add_argument("--epochs", type=int, default=EPOCHS)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    if options.make:
        make(options.pack)
    elif options.out:
        run(options.pack, options.out, options.epochs, options.seed)
    else:
        parser.error("say with --out where the figures belong")


if __name__ == "__main__":
    main()
