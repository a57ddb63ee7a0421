"""Small autoencoders of eight makes in PyTorch that learn to rebuild faces; benchmarks/gpu/rebuild.py uses them."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]
READY_STEPS, READY_PSNR = 300, 25.0
HASTY_STEPS = 350  # of each at full speed and the first learning rate
ADVERSARIAL_FROM, ADVERSARIAL = 200, 0.03
NOISE = 0.3  # the most that disturbs the latents, which tanh keeps within 3


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
