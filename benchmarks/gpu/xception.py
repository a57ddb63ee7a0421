"""Xception in PyTorch: number for number the graph of `core/detector/network.py`."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.gpu.arrays import Arrays

EPSILON = 1e-3  # of Keras's batch normalisation
MOMENTUM = 0.01
WIDTHS = (128, 256, 728)
LAST = "predictions"


class Convolution(nn.Module):
    """Without a bias."""

    def __init__(self, before: int, after: int, size: int, stride: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(after, before, size, size))
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, stride=self.stride)

    def load(self, arrays: Sequence[NDArray[np.float32]]) -> None:
        self.weight.data.copy_(torch.from_numpy(np.ascontiguousarray(arrays[0].transpose(3, 2, 0, 1), np.float32)))

    def arrays(self) -> list[Tensor]:
        return [self.weight.permute(2, 3, 1, 0)]


class Separable(nn.Module):
    """3×3, stride 1, without a bias."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.depthwise = nn.Parameter(torch.empty(9, before))
        self.pointwise = nn.Parameter(torch.empty(after, before))

    def forward(self, x: Tensor) -> Tensor:
        kernel = self.depthwise.t().reshape(-1, 1, 3, 3).to(x.dtype)
        x = F.conv2d(x, kernel, padding=1, groups=x.shape[1])
        return F.linear(x.permute(0, 2, 3, 1), self.pointwise).permute(0, 3, 1, 2)

    def load(self, arrays: Sequence[NDArray[np.float32]]) -> None:
        depthwise, pointwise = (np.asarray(one, np.float32) for one in arrays)
        self.depthwise.data.copy_(torch.from_numpy(depthwise.reshape(9, -1)))
        self.pointwise.data.copy_(torch.from_numpy(np.ascontiguousarray(pointwise[0, 0].T)))

    def arrays(self) -> list[Tensor]:
        return [self.depthwise.reshape(3, 3, -1, 1), self.pointwise.t()[None, None]]


class Norm(nn.Module):
    """Batch normalisation as Keras has it, its variance that of the batch without Bessel's correction, nearly."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("variance", torch.ones(channels))
        self.momentum = MOMENTUM

    def forward(self, x: Tensor) -> Tensor:
        return F.batch_norm(x, self.mean, self.variance, self.gamma, self.beta, self.training, self.momentum, EPSILON)

    def load(self, arrays: Sequence[NDArray[np.float32]]) -> None:
        for target, one in zip((self.gamma, self.beta, self.mean, self.variance), arrays, strict=True):
            target.data.copy_(torch.from_numpy(np.asarray(one, np.float32)))

    def arrays(self) -> list[Tensor]:
        return [self.gamma, self.beta, self.mean, self.variance]


class Dense(nn.Module):
    """The head."""

    def __init__(self, before: int, after: int) -> None:
        super().__init__()
        self.kernel, self.bias = nn.Parameter(torch.empty(before, after)), nn.Parameter(torch.zeros(after))
        nn.init.xavier_uniform_(self.kernel)

    def load(self, arrays: Sequence[NDArray[np.float32]]) -> None:
        for target, one in zip((self.kernel, self.bias), arrays, strict=True):
            target.data.copy_(torch.from_numpy(np.asarray(one, np.float32)))

    def arrays(self) -> list[Tensor]:
        return [self.kernel, self.bias]


class Xception(nn.Module):
    """(n, 3, s, s) floats, channels last, to logits (n, units) and the map (n, h, w) of evidence for fake.

    The logit of one unit is the mean of the map and the bias; in training a part of the pooled features is dropped.
    """

    def __init__(self, units: int = 1, dropout: float = 0.0) -> None:
        super().__init__()
        self.dropout = dropout
        made: dict[str, nn.Module] = {}

        def add(name: str, module: nn.Module, after: int) -> None:
            made[name], made[name + "_bn"] = module, Norm(after)

        add("block1_conv1", Convolution(3, 32, 3, 2), 32)
        add("block1_conv2", Convolution(32, 64, 3, 1), 64)
        before = 64
        for number, width in enumerate(WIDTHS):
            add(f"shortcut{number}", Convolution(before, width, 1, 2), width)
            add(f"block{number + 2}_sepconv1", Separable(before, width), width)
            add(f"block{number + 2}_sepconv2", Separable(width, width), width)
            before = width
        for block in range(5, 13):
            for part in (1, 2, 3):
                add(f"block{block}_sepconv{part}", Separable(728, 728), 728)
        add("shortcut3", Convolution(728, 1024, 1, 2), 1024)
        add("block13_sepconv1", Separable(728, 728), 728)
        add("block13_sepconv2", Separable(728, 1024), 1024)
        add("block14_sepconv1", Separable(1024, 1536), 1536)
        add("block14_sepconv2", Separable(1536, 2048), 2048)
        made[LAST] = Dense(2048, units)
        self.parts = nn.ModuleDict(made)

    def _both(self, name: str, x: Tensor) -> Tensor:
        return self.parts[name + "_bn"](self.parts[name](x))  # type: ignore[no-any-return]

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = F.relu_(self._both("block1_conv1", x))
        x = F.relu_(self._both("block1_conv2", x))
        for number in range(3):
            shortcut = self._both(f"shortcut{number}", x)
            if number:
                x = F.relu(x)
            x = F.relu_(self._both(f"block{number + 2}_sepconv1", x))
            x = self._both(f"block{number + 2}_sepconv2", x)
            x = _pool(x) + shortcut
        for block in range(5, 13):
            kept = x
            x = F.relu(x)
            x = F.relu_(self._both(f"block{block}_sepconv1", x))
            x = F.relu_(self._both(f"block{block}_sepconv2", x))
            x = self._both(f"block{block}_sepconv3", x) + kept
        shortcut = self._both("shortcut3", x)
        x = F.relu_(self._both("block13_sepconv1", F.relu(x)))
        x = _pool(self._both("block13_sepconv2", x)) + shortcut
        x = F.relu_(self._both("block14_sepconv1", x))
        x = F.relu_(self._both("block14_sepconv2", x))
        return self._head(x)

    def _head(self, x: Tensor) -> tuple[Tensor, Tensor]:
        head = self.parts[LAST]
        with torch.autocast(x.device.type, enabled=False):
            features = x.float()
            pooled = F.dropout(features.mean((2, 3)), self.dropout, self.training)
            kernel = head.kernel
            logits = pooled @ kernel + head.bias
            if kernel.shape[1] > 1:
                kernel = kernel[:, 1:].mean(1, keepdim=True) - kernel[:, :1]
            evidence = torch.einsum("nchw,c->nhw", features, kernel[:, 0])
        return logits, evidence

    def fresh(self) -> "Xception":
        """Chance weights, as Keras draws them (Glorot and Bengio 2010)."""
        for part in self.parts.values():
            if isinstance(part, Convolution):
                nn.init.xavier_uniform_(part.weight)
            elif isinstance(part, Separable):
                nn.init.uniform_(part.depthwise, -(reach := (6 / (9 * part.depthwise.shape[1] + 9)) ** 0.5), reach)
                nn.init.xavier_uniform_(part.pointwise)
        return self

    @contextmanager
    def statistics_held(self) -> Iterator[None]:
        """Within, normalisation takes the batch's statistics and does not remember them."""
        norms = [part for part in self.parts.values() if isinstance(part, Norm)]
        for one in norms:
            one.momentum = 0.0
        yield
        for one in norms:
            one.momentum = MOMENTUM

    @property
    def settled(self) -> bool:
        """Whether normalisation knows statistics of pictures."""
        return any(bool(part.mean.any()) for part in self.parts.values() if isinstance(part, Norm))

    @torch.no_grad()
    def settle(self, batches: Sequence[Tensor]) -> "Xception":
        """Gives a network whose normalisation does nothing the statistics of these pictures; its numbers stay.

        A network that was trained folded has means of 0 and variances of 1, and would be another one in training.
        """
        norms = {name: part for name, part in self.parts.items() if isinstance(part, Norm)}
        sums = {
            name: torch.zeros(3, len(part.mean)).to(part.mean.device, torch.float64) for name, part in norms.items()
        }

        def watch(name: str) -> Callable[[nn.Module, tuple[Tensor, ...]], None]:
            def hook(_: nn.Module, given: tuple[Tensor, ...]) -> None:
                x = given[0].double()
                count = torch.full_like(sums[name][0], x[:, 0].numel())
                sums[name] += torch.stack([x.sum((0, 2, 3)), (x * x).sum((0, 2, 3)), count])

            return hook

        hooks = [part.register_forward_pre_hook(watch(name)) for name, part in norms.items()]
        was = self.training
        self.eval()
        for one in batches:
            self(one)
        self.train(was)
        for hook in hooks:
            hook.remove()
        for name, part in norms.items():
            total, squares, count = sums[name]
            mean = total / count
            variance = squares / count - mean**2
            gain = part.gamma / torch.sqrt(part.variance + EPSILON)
            shift = part.beta - part.mean * gain
            part.gamma.copy_(gain * torch.sqrt(variance + EPSILON))
            part.beta.copy_(shift + gain * mean)
            part.mean.copy_(mean)
            part.variance.copy_(variance)
        return self

    def load(self, arrays: Mapping[str, Sequence[NDArray[Any]]]) -> "Xception":
        """Takes over all layers but a head of other size; a network without a head leaves it as it is."""
        for name, part in self.parts.items():
            given = arrays.get(name)
            if name == LAST and (given is None or given[0].shape != tuple(part.kernel.shape)):
                continue
            assert given is not None, name
            part.load(given)
        return self

    def arrays(self) -> Arrays:
        """What `load` takes, float32."""
        return {
            name: [one.detach().float().cpu().numpy() for one in part.arrays()] for name, part in self.parts.items()
        }


def _pool(x: Tensor) -> Tensor:
    """Maxima over 3×3 of stride 2 with TensorFlow's padding: both sides where the size is odd, else the far ones."""
    odd = x.shape[-1] % 2
    return F.max_pool2d(x, 3, 2, padding=1) if odd else F.max_pool2d(x, 3, 2, ceil_mode=True)
