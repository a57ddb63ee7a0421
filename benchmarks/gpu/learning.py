"""What learns on the GPU: batches brought there, the losses, the optimizer, and what a network says of crops."""

import math
import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.drawing import GROUP, Drawers
from core.metrics import roc_auc

DECAY, SMOOTHING = 0.02, 0.02
MARGIN = 4.0  # that of core/training/localise.py, which needs Keras


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
        self._size, self.waited = 0, 0.0
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
    import torch

    return (crops.permute(0, 3, 1, 2).float() / 127.5 - 1).contiguous(memory_format=torch.channels_last)


def loss_of(net: Any, batch: Batch, localise: float) -> Any:
    """Cross-entropy with smoothed labels, and the localisation loss as in core/training/localise.py."""
    import torch
    import torch.nn.functional as F

    x = floats(batch.crops)
    with torch.autocast(x.device.type, dtype=torch.bfloat16):
        logits, evidence = net(x)
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
    """A network, its optimizer and the mean of its weights on the way.

    Args:
        net: Of xception.py.
        device: Where it learns.
        peak: Learning rate after the warm-up.
        ema: How much of the mean of the weights each step keeps; 0 for no mean.
        reach: How far each step looks for a worse place, whose gradient it takes instead of its own: the norm of that
            move in sharpness-aware minimisation (Foret et al., ICLR 2021). 0 for the usual gradient, at half the cost.
    """

    def __init__(self, net: Any, device: Any, peak: float, ema: float, reach: float = 0.0) -> None:
        import torch

        self.net = net.to(device).to(memory_format=torch.channels_last)
        decayed = [p for name, p in net.named_parameters() if p.ndim > 1 and "depthwise" not in name]
        others = [p for name, p in net.named_parameters() if not (p.ndim > 1 and "depthwise" not in name)]
        self.parameters = decayed + others
        groups = [{"params": decayed, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
        self.optimizer = torch.optim.AdamW(groups, lr=peak, fused=device.type == "cuda")
        self.peak, self.step, self._ema, self._reach = peak, 0, ema, reach
        self._torch = torch
        self._live = list(net.parameters()) + list(net.buffers())
        self.mean = [one.detach().clone() for one in self._live] if ema else None

    def learn(self, batch: Batch, part: float, warmup: int, localise: float) -> Any:
        """One step, at that part of the way; its loss, still on the device."""
        torch = self._torch
        rate = self.peak * min(1.0, (self.step + 1) / max(1, warmup)) * (0.01 + 0.99 * _cosine(part))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self._gradient(batch, localise)
        if self._reach:
            given = [one.grad for one in self.parameters]
            norm = torch.linalg.vector_norm(torch.stack(torch._foreach_norm(given)))
            moves = torch._foreach_mul(given, self._reach / (norm + 1e-12))
            torch._foreach_add_([one.data for one in self.parameters], moves)
            with self.net.statistics_held():
                self._gradient(batch, localise)
            torch._foreach_sub_([one.data for one in self.parameters], moves)
        torch.nn.utils.clip_grad_norm_(self.parameters, 5.0, foreach=True)
        self.optimizer.step()
        self.step += 1
        if self.mean is not None:
            keep = min(self._ema, (1 + self.step) / (10 + self.step))
            with torch.no_grad():
                torch._foreach_lerp_(self.mean, [one.detach() for one in self._live], 1 - keep)
        return loss.detach()

    def _gradient(self, batch: Batch, localise: float) -> Any:
        self.optimizer.zero_grad(set_to_none=True)
        loss = loss_of(self.net, batch, localise)
        loss.backward()
        return loss

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


def outputs(
    net: Any, crops: NDArray[np.uint8], device: Any, mirrored: bool = False, as_input: Callable[[Any], Any] = floats
) -> NDArray[np.float32]:
    """Logits (n, units); `odds` makes one number of each row."""
    import torch

    net.eval()
    found = []
    with torch.no_grad(), torch.autocast(device.type, dtype=torch.bfloat16):
        for begin in range(0, len(crops), 256):
            x = as_input(torch.from_numpy(crops[begin : begin + 256]).to(device))
            logits = net(x)[0]
            if mirrored:
                logits = (logits + net(x.flip(3))[0]) / 2
            found.append(logits.float().cpu())
    net.train()
    return np.asarray(torch.cat(found).numpy())


def odds(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Log-odds of fake, (n,), of one output or of several, of which the first is real."""
    if logits.shape[1] == 1:
        return logits[:, 0]
    return np.asarray(np.logaddexp.reduce(logits[:, 1:], axis=1) - logits[:, 0], dtype=np.float32)


def by_source(samples: Sequence[Any], scores: NDArray[np.float32]) -> dict[str, float]:
    """AUC of each source that has both classes."""
    sources, fake = np.array([one.source for one in samples]), np.array([one.fake for one in samples])
    return {
        str(source): round(roc_auc(scores[sources == source], fake[sources == source]), 4)
        for source in np.unique(sources)
        if 0 < fake[sources == source].mean() < 1
    }
