"""Real faces rebuilt by autoencoders that learn beside the detector: what networks leave behind, of many kinds.

A generator's decoder marks every pixel it paints, however it was taught (Zhang et al., WIFS 2019, who imitate GANs by
autoencoders of their own). Eight small autoencoders of different make learn to rebuild the real train faces, in a
process of their own, and what they rebuild lies in memory that the drawing processes read: fakes that show a face of a
photograph. They go on learning all the while, so no two rebuilt faces bear quite the same marks.
"""

import multiprocessing
import time
import traceback
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from benchmarks.gpu.parcels import Parcels
from core.data.draw import read_crop

Rgb = NDArray[np.uint8]
LARGEST = 224
SIDES = (96, 112, 128, 160, 192, 224)
BATCH = 16
READY_STEPS, READY_PSNR = 300, 25.0
HASTY_STEPS = 350  # of each autoencoder at full speed, and then so many a second:
STEPS_A_SECOND = 8
ADVERSARIAL_FROM, ADVERSARIAL = 200, 0.03
NOISE = 0.3  # the most that disturbs the latents, which tanh keeps within 3
CACHED = 6000  # crops kept in memory


class Make(NamedTuple):
    """How an autoencoder is made.

    Attributes:
        halvings: Times that the encoder halves a picture.
        latents: Channels in the middle.
        width: Channels elsewhere.
        up: How the decoder doubles: "nearest", "bilinear", "transposed" or "shuffle".
        norm: Whether groups are normalised.
        leaky: LeakyReLU instead of ReLU.
        adversarial: A network that looks at patches teaches it too, as it does GANs and the decoders of diffusion.
    """

    halvings: int
    latents: int
    width: int
    up: str
    norm: bool
    leaky: bool
    adversarial: bool


MAKES = (
    Make(3, 16, 64, "nearest", False, False, True),
    Make(2, 4, 48, "transposed", True, True, True),
    Make(2, 8, 64, "shuffle", False, True, False),
    Make(3, 32, 64, "bilinear", True, True, False),
    Make(3, 32, 64, "transposed", False, False, False),
    Make(2, 4, 64, "nearest", True, True, True),
    Make(3, 32, 64, "shuffle", True, False, True),
    Make(2, 6, 48, "bilinear", False, True, True),
)


class Ring:
    """The last faces that were rebuilt, in memory that all processes see."""

    def __init__(self, slots: int = 4096) -> None:
        import mmap

        self._crops = np.frombuffer(mmap.mmap(-1, slots * LARGEST * LARGEST * 3), np.uint8).reshape(slots, -1)
        self._sides = np.frombuffer(mmap.mmap(-1, slots * 8), np.int64)
        self.made = multiprocessing.get_context("fork").Value("l", 0)

    def add(self, crop: Rgb) -> None:
        """One more, instead of the oldest; only one process may add."""
        place, side = self.made.value % len(self._sides), len(crop)
        self._sides[place] = 0
        self._crops[place, : side * side * 3] = crop.reshape(-1)
        self._sides[place] = side
        self.made.value += 1

    def some(self, rng: Generator) -> Rgb | None:
        """One of them, or None while there are few."""
        count = min(self.made.value, len(self._sides))
        if count < 256:
            return None
        place = int(rng.integers(count))
        side = int(self._sides[place])
        return self._crops[place, : side * side * 3].reshape(side, side, 3).copy() if side else None


class Faces:
    """Real train crops, read once and drawn as often by source as the root of its size says."""

    def __init__(self, folder: Path) -> None:
        self._parcels, self._read = Parcels(folder), dict[Path, Rgb]()
        self._paths: dict[str, list[Path]] = {}

    def refresh(self) -> None:
        """Looks for new parcels."""
        if self._parcels.refresh():
            paths: dict[str, list[Path]] = defaultdict(list)
            for one in self._parcels.of("train"):
                if not one.fake:
                    paths[one.source].append(one.path)
            self._paths = dict(paths)

    def __bool__(self) -> bool:
        return bool(self._paths)

    def batch(self, side: int, rng: Generator) -> Rgb:
        """(n, side, side, 3)."""
        names = sorted(self._paths)
        roots = np.array([len(self._paths[name]) ** 0.5 for name in names])
        found = []
        for source in rng.choice(len(names), BATCH, p=roots / roots.sum()):
            paths = self._paths[names[source]]
            crop = self._crop(paths[rng.integers(len(paths))])
            least = max(1, int(min(crop.shape[:2]) * rng.uniform(0.8, 1)))
            top, left = (int(rng.integers(0, length - least + 1)) for length in crop.shape[:2])
            part = crop[top : top + least, left : left + least]
            way = cv2.INTER_AREA if least > side else cv2.INTER_CUBIC
            found.append(cv2.resize(part, (side, side), interpolation=way)[:, :: 1 - 2 * int(rng.integers(2))])
        return np.stack(found)

    def _crop(self, path: Path) -> Rgb:
        if path not in self._read:
            crop = read_crop(path)
            if len(self._read) >= CACHED:
                return crop
            self._read[path] = crop
        return self._read[path]


def make_network(make: Make) -> tuple[Any, Any]:
    """Encoder and decoder."""
    from torch import nn

    def act() -> Any:
        return nn.LeakyReLU(0.2) if make.leaky else nn.ReLU()

    def norm(channels: int) -> Any:
        return nn.GroupNorm(8, channels) if make.norm else nn.Identity()

    class Residual(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            w = make.width
            self.body = nn.Sequential(
                norm(w), act(), nn.Conv2d(w, w, 3, padding=1), norm(w), act(), nn.Conv2d(w, w, 3, padding=1)
            )

        def forward(self, x: Any) -> Any:
            return x + self.body(x)

    def doubled() -> list[Any]:
        w = make.width
        if make.up == "transposed":
            return [nn.ConvTranspose2d(w, w, 4, stride=2, padding=1)]
        if make.up == "shuffle":
            return [nn.Conv2d(w, 4 * w, 3, padding=1), nn.PixelShuffle(2)]
        return [nn.Upsample(scale_factor=2, mode=make.up), nn.Conv2d(w, w, 3, padding=1)]

    w = make.width
    encoder: list[Any] = [nn.Conv2d(3, w, 3, padding=1)]
    decoder: list[Any] = [nn.Conv2d(make.latents, w, 3, padding=1), Residual()]
    for _ in range(make.halvings):
        encoder += [nn.Conv2d(w, w, 3, stride=2, padding=1), Residual(), Residual()]
        decoder += [*doubled(), Residual(), Residual()]
    encoder += [nn.Conv2d(w, make.latents, 3, padding=1)]
    decoder += [act(), nn.Conv2d(w, 3, 3, padding=1)]
    return nn.Sequential(*encoder), nn.Sequential(*decoder)


def make_critic() -> Any:
    """Looks at patches: higher for photographs."""
    from torch import nn

    layers: list[Any] = []
    before = 3
    for after in (48, 96, 192):
        layers += [nn.Conv2d(before, after, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        before = after
    return nn.Sequential(*layers, nn.Conv2d(before, 1, 3, padding=1))


class Autoencoder:
    """One of them, learning."""

    def __init__(self, make: Make, device: Any, sight: Any) -> None:
        import torch

        self.make, self._torch, self._device, self._sight = make, torch, device, sight
        self.encoder, self.decoder = (
            part.to(device).to(memory_format=torch.channels_last) for part in make_network(make)
        )
        self._both = [*self.encoder.parameters(), *self.decoder.parameters()]
        self._optimizer = torch.optim.Adam(self._both, lr=1e-3, betas=(0.9, 0.99))
        self.critic = make_critic().to(device) if make.adversarial else None
        if self.critic is not None:
            self._critic_optimizer = torch.optim.Adam(self.critic.parameters(), lr=4e-4, betas=(0.5, 0.9))
        self.steps, self.psnr = 0, 0.0

    def step(self, crops: Rgb) -> Rgb:
        """Learns from them once, and gives them rebuilt."""
        import torch.nn.functional as F

        torch = self._torch
        for group in self._optimizer.param_groups:
            group["lr"] = 1e-3 if self.steps < HASTY_STEPS else 3e-4
        wanted = torch.from_numpy(crops).to(self._device).permute(0, 3, 1, 2).float().div(127.5).sub(1)
        wanted = wanted.contiguous(memory_format=torch.channels_last)
        with self._short():
            latents = 3 * torch.tanh(self.encoder(wanted).float() / 3)
            strength = torch.rand(len(crops), 1, 1, 1, device=self._device) * NOISE
            strength = strength * (torch.rand_like(strength) < 0.6)
            rebuilt = self.decoder(latents + strength * torch.randn_like(latents)).float()
        difference = rebuilt - wanted
        loss = difference.abs().mean() + 0.5 * self._unlike(rebuilt, wanted)
        against = self.critic is not None and self.steps >= ADVERSARIAL_FROM
        if against:
            for parameter in self.critic.parameters():
                parameter.requires_grad_(False)
            with self._short():
                loss = loss - ADVERSARIAL * self.critic(rebuilt).float().mean()
        self._optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._both, 1.0, foreach=True)
        self._optimizer.step()
        if against:
            for parameter in self.critic.parameters():
                parameter.requires_grad_(True)
            with self._short():
                told = F.relu(1 - self.critic(wanted)).mean() + F.relu(1 + self.critic(rebuilt.detach())).mean()
            self._critic_optimizer.zero_grad(set_to_none=True)
            told.float().backward()
            self._critic_optimizer.step()
        self.steps += 1
        noise = float(difference.detach().pow(2).mean()) / 4
        now = -10 * np.log10(max(noise, 1e-9))
        self.psnr = now if self.steps == 1 else 0.95 * self.psnr + 0.05 * now
        seen = rebuilt.detach().add(1).mul(127.5).round().clamp(0, 255).byte()
        return np.asarray(seen.permute(0, 2, 3, 1).cpu().numpy())

    def _short(self) -> Any:
        """Within, a GPU calculates in bfloat16."""
        return self._torch.autocast(self._device.type, self._torch.bfloat16, enabled=self._device.type == "cuda")

    @property
    def ready(self) -> bool:
        """Whether what it rebuilds is worth a look."""
        return self.steps >= READY_STEPS and self.psnr >= READY_PSNR

    def _unlike(self, rebuilt: Any, wanted: Any) -> Any:
        """How far apart the first features of the detector's first weights are."""
        with self._short():
            with self._torch.no_grad():
                known = self._sight(wanted)
            found = self._sight(rebuilt)
        return sum((one.float() - other.float()).abs().mean() for one, other in zip(found, known, strict=True))


def sight(network: Any) -> Any:
    """A network's first features as a function of pictures in -1..1, each of about the size of 1."""
    import torch.nn.functional as F

    def features(x: Any) -> list[Any]:
        first = F.relu(network._both("block1_conv1", x))
        second = F.relu(network._both("block1_conv2", first))
        third = network._both("block2_sepconv2", F.relu(network._both("block2_sepconv1", second)))
        return [first, second, third]

    return features


def work(folder: Path, ring: Ring, weights: Path, log: Path) -> None:
    """The process: waits for parcels and a detector's weights, and goes on until it is ended."""
    cv2.setNumThreads(1)
    try:
        import torch

        from benchmarks.gpu.arrays import read
        from benchmarks.gpu.xception import Xception

        faces, rng = Faces(folder), np.random.default_rng(1)
        while not faces or not weights.exists():
            faces.refresh()
            time.sleep(0.3)
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        torch.manual_seed(1)
        network = Xception(1).load(read(weights)).to(device).to(memory_format=torch.channels_last).eval()
        for parameter in network.parameters():
            parameter.requires_grad_(False)
        several = [Autoencoder(make, device, sight(network)) for make in MAKES]
        count, begun, spoken = 0, time.monotonic(), time.monotonic()
        while True:
            started = time.monotonic()
            one = several[count % len(several)]
            rebuilt = one.step(faces.batch(int(rng.choice(SIDES)), rng))
            if one.ready:
                for crop in rebuilt:
                    ring.add(crop)
            count += 1
            now = time.monotonic()
            if now - spoken > 10:
                faces.refresh()
                spoken = now
                quality = " ".join(f"{one.psnr:.1f}" for one in several)
                with log.open("a") as file:
                    file.write(f"{now - begun:7.1f} rebuilt {ring.made.value}, steps {count}, PSNR {quality}\n")
            if count > HASTY_STEPS * len(several):
                time.sleep(max(0.0, 1 / STEPS_A_SECOND - (now - started)))
    except Exception:  # noqa: BLE001
        traceback.print_exc()


def start(folder: Path, ring: Ring, weights: Path, log: Path) -> Any:
    """The process, forked before anything here touches the GPU."""
    process = multiprocessing.get_context("fork").Process(target=work, args=(folder, ring, weights, log), daemon=True)
    process.start()
    return process
