"""Trains on a GPU from parcels that may still be arriving, then runs the short comparisons while there is time.

    python -m benchmarks.gpu.train --pack PACK --out OUT --minutes 9 --until 12

PACK holds part*.tar and default.npz (and imagenet.npz for the comparisons), each under its last name only when it is
whole. OUT gets log.txt, last.npz and best.npz (means of the weights on the way), and recipes/NAME-SEED/figures.json.
"""

import argparse
import json
import math
import queue
import shutil
import threading
import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.drawing import GROUP, Drawers, Job, Parcels, composites, judged_crops, samples_of, unpack

WEIGHTS = {"dfdc": 2.5, "stylegan_ffhq": 2.0, "stylegan2_unsplash": 1.5, "sd21_web": 1.2}
SIZES = (160, 224)
LARGE_FROM = 0.4  # of the time
BATCH, PEAK, WARMUP_STEPS, DECAY, SMOOTHING, LOCALISE, MARGIN = 192, 5e-4, 120, 0.02, 0.02, 0.2, 4.0
EMA = 0.998
ERASED = 0.2
MAIN = [Job("main", size, 0.2, 0.25, WEIGHTS) for size in SIZES]

SHORT_PX, SHORT_BATCH, SHORT_PEAK, SHORT_PICTURES = 128, 64, 4e-4, 16000
BASE = Job("base", SHORT_PX, 0.2, 0.25, {"stylegan_ffhq": 2.0})
SHORT = [
    BASE,
    replace(BASE, name="no-blends", blend=0.0, composite=0.0),
    *(replace(BASE, name=f"without-{one}", without=one) for one in WEIGHTS),
    *(replace(BASE, name=f"without-{one}-no-blends", without=one, blend=0.0, composite=0.0) for one in WEIGHTS),
    replace(BASE, name="no-composites", blend=0.45, composite=0.0),
    replace(BASE, name="no-self-blends", blend=0.0, composite=0.45),
    replace(BASE, name="96px", size=96),
    replace(BASE, name="160px", size=160),
    replace(BASE, name="crop-.72", scale=0.72),
    replace(BASE, name="no-degrading", patch="degrade"),
    replace(BASE, name="no-augmentation", patch="augment"),
    replace(BASE, name="no-balance", patch="balance", weights={}),
    replace(BASE, name="no-imagenet", patch="imagenet"),
    replace(BASE, name="constant-rate", patch="schedule"),
    replace(BASE, name="no-localising", patch="localise"),
    replace(BASE, name="kinds", kinds=True),
    replace(BASE, name="kinds-without-stylegan_ffhq", kinds=True, without="stylegan_ffhq"),
    replace(BASE, name="kinds-without-stylegan2_unsplash", kinds=True, without="stylegan2_unsplash"),
]
SHORT += [replace(one, seed=1) for one in SHORT]


class Batch(NamedTuple):
    """On the device: uint8 (n, s, s, 3), (n,) classes, (n, g, g) contrasts; and the job's place."""

    job: int
    crops: Any
    labels: Any
    places: Any


class Feed:
    """Batches from the drawers' groups, brought to the device by a thread of its own."""

    def __init__(self, drawers: Drawers, device: Any) -> None:
        import torch

        self._drawers, self._device, self._torch = drawers, device, torch
        self._batches: queue.Queue[Batch] = queue.Queue(3)
        self._size, self.waited = BATCH, 0.0
        self._stream = torch.cuda.Stream() if device.type == "cuda" else None
        threading.Thread(target=self._run, daemon=True).start()

    def start(self, job: int, size: int) -> None:
        """Batches of that job and size from here on; old ones still come first."""
        self._size = size
        self._drawers.job.value = job

    def next(self) -> Batch:
        """Waits for one."""
        begun = time.monotonic()
        batch = self._batches.get()
        self.waited += time.monotonic() - begun
        if self._stream is not None:
            current = self._torch.cuda.current_stream()
            for part in batch[1:]:
                part.record_stream(current)  # or its memory would be given to the next copy while it is read
        return batch

    def _run(self) -> None:
        torch, drawers = self._torch, self._drawers
        waiting: dict[int, list[int]] = {}
        while True:
            index, slot = drawers.ready.get()
            for old in [one for one in waiting if one != index and one != drawers.job.value]:
                for stale in waiting.pop(old):
                    drawers.free.put(stale)
            waiting.setdefault(index, []).append(slot)
            if len(waiting[index]) * GROUP < self._size:
                continue
            slots, size = waiting.pop(index), drawers.jobs[index].size
            parts: tuple[list[Any], ...] = ([], [], [])
            for one in slots:
                for part, view in zip(parts, drawers.slots.views(one, size), strict=True):
                    part.append(torch.from_numpy(view))
            whole = [torch.cat(part) for part in parts]
            for one in slots:
                drawers.free.put(one)
            if self._stream is not None:
                with torch.cuda.stream(self._stream):
                    whole = [part.pin_memory().to(self._device, non_blocking=True) for part in whole]
                self._stream.synchronize()
            self._batches.put(Batch(index, *whole))


def floats(crops: Any) -> Any:
    """The network's input from uint8 (n, s, s, 3)."""
    return (crops.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=__import__("torch").channels_last)


def erase(x: Any) -> Any:
    """A rectangle of some of the pictures set to one value each; the same for all classes."""
    import torch

    n, _, height, width = x.shape
    device = x.device
    span = torch.rand(n, 2, device=device) * 0.3 + 0.15
    corner = torch.rand(n, 2, device=device) * (1 - span)
    rows, columns = (torch.arange(k, device=device)[None] / k for k in (height, width))
    inside = [
        (at >= corner[:, i : i + 1]) & (at < corner[:, i : i + 1] + span[:, i : i + 1])
        for i, at in enumerate((rows, columns))
    ]
    chosen = (torch.rand(n, device=device) < ERASED)[:, None, None]
    mask = (inside[0][:, :, None] & inside[1][:, None, :] & chosen)[:, None]
    return torch.where(mask, torch.rand(n, 3, 1, 1, device=device) * 2 - 1, x)


def loss_of(net: Any, batch: Batch, localise: float, erasing: bool) -> Any:
    """Cross-entropy with smoothed labels, and the localisation loss as in core/training/localise.py."""
    import torch
    import torch.nn.functional as F

    x = floats(batch.crops)
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        logits, evidence = net(erase(x) if erasing else x)
    if logits.shape[1] == 1:
        wanted = batch.labels.float()[:, None] * (1 - SMOOTHING) + SMOOTHING / 2
        loss = F.binary_cross_entropy_with_logits(logits, wanted)
    else:
        loss = F.cross_entropy(logits, batch.labels, label_smoothing=SMOOTHING)
    if localise:
        known = (batch.places != 0).flatten(1).any(1).float()
        over = (batch.places * evidence).sum((1, 2))
        loss = loss + localise * (known * F.softplus(MARGIN - over)).mean() / MARGIN
    return loss


class Trainer:
    """A network, its optimizer and the mean of its weights on the way."""

    def __init__(self, net: Any, device: Any, peak: float, ema: float) -> None:
        import torch

        self.net = net.to(device).to(memory_format=torch.channels_last)
        decayed = [p for name, p in net.named_parameters() if p.ndim > 1 and "depthwise" not in name]
        others = [p for name, p in net.named_parameters() if not (p.ndim > 1 and "depthwise" not in name)]
        self.parameters = decayed + others
        groups = [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=peak, fused=device.type == "cuda")
        self.peak, self.step, self._ema = peak, 0, ema
        self._torch = torch
        self._live = list(net.parameters()) + list(net.buffers())
        self.mean = [one.detach().clone() for one in self._live] if ema else None

    def learn(self, batch: Batch, part: float, warmup: int, localise: float, erasing: bool = False) -> Any:
        """One step, at that part of the way; its loss, still on the device."""
        torch = self._torch
        rate = self.peak * min(1.0, (self.step + 1) / max(1, warmup)) * (0.01 + 0.99 * _cosine(part))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss = loss_of(self.net, batch, localise, erasing)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 5.0, foreach=True)
        self.optimizer.step()
        self.step += 1
        if self.mean is not None:
            keep = min(self._ema, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                torch._foreach_lerp_(self.mean, [one.detach() for one in self._live], 1 - keep)
        return loss.detach()

    def swapped(self) -> "Swapped":
        """Within, the network has its mean weights."""
        return Swapped(self._live, self.mean)


class Swapped:
    """Exchanges tensors with others, and back."""

    def __init__(self, live: list[Any], other: list[Any] | None) -> None:
        self._live, self._other = live, other

    def __enter__(self) -> None:
        self._swap()

    def __exit__(self, *_: object) -> None:
        self._swap()

    def _swap(self) -> None:
        for one, other in zip(self._live, self._other or [], strict=False):
            kept = one.data.clone()
            one.data.copy_(other)
            other.copy_(kept)


def _cosine(part: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(1.0, max(0.0, part))))


def outputs(net: Any, crops: NDArray[np.uint8], device: Any, mirrored: bool = False) -> NDArray[np.float32]:
    """Log-odds of fake, (n,), or with several classes the probabilities (n, k)."""
    import torch

    net.eval()
    found = []
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
        for begin in range(0, len(crops), 256):
            x = floats(torch.from_numpy(crops[begin : begin + 256]).to(device))
            logits = net(x)[0]
            if mirrored:
                logits = (logits + net(x.flip(3))[0]) / 2
            found.append((logits[:, 0] if logits.shape[1] == 1 else logits.softmax(1)).float().cpu())
    net.train()
    return np.asarray(torch.cat(found).numpy())


def auc(scores: NDArray[np.float32], fake: NDArray[np.bool_]) -> float:
    """Area under the ROC curve, ties counted half."""
    _, place, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place]
    n = int(fake.sum())
    return float((ranks[fake].sum() - n * (n + 1) / 2) / (n * (len(fake) - n)))


def by_source(samples: Sequence[Any], scores: NDArray[np.float32]) -> dict[str, float]:
    """AUC of each source that has both classes."""
    sources, fake = np.array([one.source for one in samples]), np.array([one.fake for one in samples])
    return {
        str(source): round(auc(scores[sources == source], fake[sources == source]), 4)
        for source in np.unique(sources)
        if 0 < fake[sources == source].mean() < 1
    }


class Session:
    """All of it."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options, self.begun = options, time.monotonic()
        self.folder: Path = options.work
        self.folder.mkdir(parents=True, exist_ok=True)
        (options.out / "recipes").mkdir(parents=True, exist_ok=True)
        jobs = [*MAIN, *SHORT]
        self.drawers = Drawers(self.folder, jobs, options.processes, options.slots)
        self.best = 0.0
        self.parcels, self.judged = Parcels(self.folder), list[Any]()
        self._val: dict[tuple[int, float], NDArray[np.uint8]] = {}
        threading.Thread(target=self._unpacking, daemon=True).start()
        import torch

        self.torch = torch
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.backends.cudnn.benchmark = True
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
        self.say(f"torch {torch.__version__} on {self.device}")
        self.feed = Feed(self.drawers, self.device)

    def say(self, *what: object) -> None:
        """To the log, with the seconds."""
        line = f"{time.monotonic() - self.begun:7.1f} " + " ".join(map(str, what))
        print(line, flush=True)
        with (self.options.out / "log.txt").open("a") as file:
            file.write(line + "\n")

    def _unpacking(self) -> None:
        while True:
            try:
                unpack(self.options.pack, self.folder)
                self.parcels.refresh()
                found = self.parcels.of("val")
                if len(found) > len(self.judged):
                    views = {(size, BASE.scale): judged_crops(found, size) for size in (*SIZES, SHORT_PX)}
                    self._val, self.judged = views, found
            except Exception:  # noqa: BLE001
                traceback.print_exc()
            time.sleep(0.5)

    def arrays(self, name: str) -> Any:
        """Waits for a network."""
        from benchmarks.gpu.arrays import read

        path = self.options.pack / name
        while not path.exists():
            time.sleep(0.2)
        return read(path)

    def val(self, job: Job) -> tuple[list[Any], NDArray[np.uint8]]:
        """Val samples that have arrived, and what a detector sees of them."""
        samples, key = self.judged, (job.size, job.scale)
        if key not in self._val or len(self._val[key]) != len(samples):
            self._val[key] = judged_crops(samples, job.size, job.scale) if samples else np.zeros((0,), np.uint8)
        return samples, self._val[key]

    def main(self) -> None:
        """The long run."""
        from benchmarks.gpu.xception import Xception

        options = self.options
        net = Xception(1, dropout=0.2).load(self.arrays("default.npz"))
        trainer = Trainer(net, self.device, PEAK, EMA)
        self.feed.start(0, BATCH)
        first = self.feed.next()
        if not net.settled:
            net.settle([floats(self.feed.next().crops) for _ in range(3)])
        begun, seconds, pictures, losses = time.monotonic(), 60 * options.minutes, 0, []
        self.say("first batch", tuple(first.crops.shape))
        trainer.net.train()
        spoken, next_look, batch = begun, options.look_first, first
        large = False
        while (part := (time.monotonic() - begun) / seconds) < 1:
            if part >= LARGE_FROM and not large:
                large = True
                self.feed.start(1, BATCH)
            losses.append(trainer.learn(batch, part, WARMUP_STEPS, LOCALISE, erasing=True))
            pictures += len(batch.crops)
            now = time.monotonic()
            if now - spoken > 10:
                mean = float(self.torch.stack(losses).mean())
                rate = len(losses) * BATCH / (now - spoken)
                self.say(
                    f"step {trainer.step} px {batch.crops.shape[1]} pictures {pictures} loss {mean:.4f} "
                    f"{rate:.0f}/s part {part:.3f} waited {self.feed.waited:.1f} s parcels {len(self.parcels.names)}"
                )
                losses, spoken = [], now
                if not math.isfinite(mean):
                    raise ArithmeticError("the loss is no number")
            if part > next_look:
                next_look += options.look_every
                self.look(trainer, MAIN[large], pictures)
            batch = self.feed.next()
        self.look(trainer, MAIN[1], pictures, final=True)

    def look(self, trainer: Trainer, job: Job, pictures: int, final: bool = False) -> None:
        """Judges the mean of the weights on val, and keeps it."""
        from benchmarks.gpu.arrays import save

        samples, crops = self.val(job)
        if not samples:
            self.say("no val yet")
            return
        if final:
            live = outputs(trainer.net, crops, self.device, mirrored=True)
            self.say("VAL last weights, mirrored", job.size, pictures, json.dumps(by_source(samples, live)))
            save(self.options.out / "raw.npz", trainer.net.arrays())
        with trainer.swapped():
            found = by_source(samples, outputs(trainer.net, crops, self.device, mirrored=final))
            reals, fakes = composites(self.parcels, samples, job.size) if final else (crops[:0], crops[:0])
            if final:
                scores = outputs(trainer.net, np.concatenate([reals, fakes]), self.device)
                found["composites"] = round(auc(scores, np.repeat([False, True], [len(reals), len(fakes)])), 4)
            save(self.options.out / "half.npz", trainer.net.arrays())
        (self.options.out / "half.npz").rename(self.options.out / "last.npz")
        worth = (found.get("dfdc", 0) + found.get("stylegan_ffhq", 0)) / 2  # the sources that choose
        if worth > self.best:
            self.best = worth
            shutil.copy(self.options.out / "last.npz", self.options.out / "best.npz")
        self.say("VAL mean weights", "mirrored" if final else "", job.size, pictures, json.dumps(found))
        with (self.options.out / "main.jsonl").open("a") as file:
            line = {"pictures": pictures, "size": job.size, "final": final, "step": trainer.step, "val": found}
            file.write(json.dumps(line) + "\n")

    def short(self, index: int) -> None:
        """One comparison."""
        from benchmarks.gpu.xception import Xception

        job, torch = self.drawers.jobs[index], self.torch
        begun = time.monotonic()
        torch.manual_seed(job.seed)
        net = Xception(1 if not job.kinds else len(job.classes), dropout=0.2).fresh()
        if job.patch != "imagenet":
            net.load(self.arrays("imagenet.npz"))
        trainer = Trainer(net, self.device, SHORT_PEAK, 0.0)
        self.feed.start(index, SHORT_BATCH)
        steps, losses = SHORT_PICTURES // SHORT_BATCH, []
        net.train()
        while trainer.step < steps:
            batch = self.feed.next()
            if batch.job != index or len(batch.crops) != SHORT_BATCH:
                continue
            part = 0.0 if job.patch == "schedule" else trainer.step / steps
            localise = 0.0 if job.patch == "localise" else LOCALISE
            losses.append(trainer.learn(batch, part, 1 if job.patch == "schedule" else steps // 10, localise))
        if index + 1 < len(self.drawers.jobs):
            self.feed.start(index + 1, SHORT_BATCH)  # is drawn while this one is judged
        samples, crops = self.val(job)
        samples = samples_of(job, samples)
        figures: dict[str, Any] = {"recipe": job.name, "seed": job.seed, "pictures": SHORT_PICTURES, "rate": SHORT_PEAK}

        def fake(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
            given = outputs(net, crops, self.device)
            return given if given.ndim == 1 else 1 - given[:, 0]

        given = outputs(net, crops, self.device)
        figures["val"] = by_source(samples, given if given.ndim == 1 else 1 - given[:, 0])
        copied = [i for i, one in enumerate(samples) if one.source in ("dfdc", "stylegan_ffhq")]
        figures["copies"] = by_source([samples[i] for i in copied], fake(self.copies(crops, copied, job)))
        if job.scale == BASE.scale:
            reals, fakes = self.composites(samples, job)
            figures["composites"] = round(
                auc(fake(np.concatenate([reals, fakes])), np.repeat([False, True], [len(reals), len(fakes)])), 4
            )
        if job.kinds:
            figures["kinds"] = kinds(samples, given, job.classes)
        figures["seconds"] = round(time.monotonic() - begun, 1)
        figures["loss"] = round(float(torch.stack(losses[-50:]).mean()), 4)
        folder = self.options.out / "recipes" / f"{job.name}-{job.seed}"
        folder.mkdir(exist_ok=True)
        (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
        self.say(job.name, job.seed, json.dumps(figures))

    def copies(self, crops: NDArray[np.uint8], chosen: list[int], job: Job) -> NDArray[np.uint8]:
        """What is left after half the size of a dfdc crop and JPEG 50; made once for each view."""
        from core.data.augment import recompress
        from core.faces.crop import resize_crop

        key = (-job.size, job.scale)
        if key not in self._val or len(self._val[key]) != len(chosen):
            self._val[key] = np.stack(
                [resize_crop(recompress(resize_crop(crops[i], 112), 50), job.size) for i in chosen]
            )
        return self._val[key]

    def composites(self, samples: Sequence[Any], job: Job) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Made once for each size."""
        keys = (job.size, -1.0), (job.size, -2.0)
        if keys[0] not in self._val:
            for key, side in zip(keys, composites(self.parcels, samples, job.size), strict=True):
                self._val[key] = side
        return self._val[keys[0]], self._val[keys[1]]


def kinds(samples: Sequence[Any], given: NDArray[np.float32], classes: Sequence[str]) -> dict[str, dict[str, float]]:
    """By source: of the fakes that are more fake than real, the share called each kind."""
    found: dict[str, dict[str, int]] = {}
    for sample, one in zip(samples, given, strict=True):
        if sample.fake and one[0] < 0.5:
            counts = found.setdefault(sample.source, {})
            kind = classes[1 + int(np.argmax(one[1:]))]
            counts[kind] = counts.get(kind, 0) + 1
    return {source: {k: round(n / sum(c.values()), 2) for k, n in c.items()} for source, c in found.items()}


def choose_depthwise(say: Callable[..., None], device: Any) -> None:
    """The quicker of our kernels and the library's, if ours give the same numbers."""
    import torch

    from benchmarks.gpu import xception

    if device.type != "cuda":
        return
    try:
        took = {}
        for channels, side in ((728, 14), (128, 109)):
            x = torch.randn(64, channels, side, side, device=device, dtype=torch.bfloat16)
            x = x.contiguous(memory_format=torch.channels_last).requires_grad_()
            w = torch.randn(9, channels, device=device, requires_grad=True)
            found = {}
            for way in (xception.by_library, xception.by_triton):
                y = way(x, w)
                slope = torch.ones_like(y) + y.detach() * 0.1
                found[way.__name__] = (y, *torch.autograd.grad(y, (x, w), slope))
                torch.cuda.synchronize()
                begun = time.monotonic()
                for _ in range(5):
                    torch.autograd.grad(way(x, w), (x, w), slope)
                torch.cuda.synchronize()
                took[way.__name__] = took.get(way.__name__, 0.0) + time.monotonic() - begun
            errors = [
                float((a.float() - b.float()).norm() / b.float().norm())
                for a, b in zip(found["by_triton"], found["by_library"], strict=True)
            ]
            say("depthwise", channels, side, "errors", [f"{one:.1e}" for one in errors])
            if max(errors) > 0.02:
                return
        say("depthwise seconds", {name: round(one, 4) for name, one in took.items()})
        if took["by_triton"] < took["by_library"]:
            xception.Separable.depthwise_by = staticmethod(xception.by_triton)
    except Exception:  # noqa: BLE001
        say("our depthwise kernels do not run:", traceback.format_exc()[-800:])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--work", type=Path, default=Path("/tmp/parcels"))
    parser.add_argument("--minutes", type=float, default=9.0, help="of the long run; 0 for none")
    parser.add_argument("--until", type=float, default=12.0, help="minutes after which no comparison begins")
    parser.add_argument("--processes", type=int, default=15)
    parser.add_argument("--slots", type=int, default=160)
    parser.add_argument("--look-first", type=float, default=0.15)
    parser.add_argument("--look-every", type=float, default=0.17)
    options = parser.parse_args()
    session = Session(options)
    choose_depthwise(session.say, session.device)
    if options.minutes:
        session.main()
    for index in range(len(MAIN), len(session.drawers.jobs)):
        if time.monotonic() - session.begun > 60 * options.until:
            break
        session.short(index)
    session.say("done")
    session.drawers.close()


if __name__ == "__main__":
    main()
