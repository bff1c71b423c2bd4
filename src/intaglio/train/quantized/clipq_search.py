# SPDX-License-Identifier: Apache-2.0
"""CLIP-Q's share and bits for each layer, found layer by layer.

For a layer, `error - tradeoff * saved` is minimized over candidates of both: `error` is that of the
network on some training images with this layer and those before it pruned and quantized, `saved`
the bits this saves as a share of all weights' bits as 32-bit floats. A Gaussian process over share
and bits foretells candidates that were not tried; the one with the largest expected improvement is
tried next. With as many trials as candidates each is tried: the best found is the best there is.

Source: Tung, Mori, "CLIP-Q", CVPR 2018, section 3.3. What is saved is defined there in words only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from intaglio.errors import QuantizationError
from intaglio.train.metrics import accuracy
from intaglio.train.quantized.clipq import ClipQ, check_theta, stored_bits
from intaglio.train.quantized.scheme import Override

FLOAT_BITS = 32
#: Of the Gaussian process, over share and bits scaled to 0..1.
LENGTH, NOISE = 0.3, 1e-6


@dataclass(frozen=True)
class Theta:
    """A layer's parameters.

    Raises:
        QuantizationError: prune is not in 0..1 (1 left out), or bits are not 2..8.
    """

    prune: float
    bits: int

    def __post_init__(self) -> None:
        check_theta(self.prune, self.bits)


CANDIDATES = tuple(Theta(tenths / 10, bits) for bits in (2, 3, 4, 5, 6) for tenths in range(10))


def search_clipq(
    model: nn.Module,
    images: np.ndarray,
    labels: np.ndarray,
    *,
    tradeoff: float,
    candidates: Sequence[Theta] = CANDIDATES,
    trials: int = 12,
) -> dict[str, Override]:
    """Return what to override in a scheme for each layer with weights; the model stays as it is.

    Shapes: images [N, C, H, W] and labels [N] to be trained on; a thousand are enough.

    Exactness: decided by its arguments alone.

    Raises:
        QuantizationError: the tradeoff is below 0 or not finite, or there is nothing to try.
    """
    if not 0 <= tradeoff < math.inf:
        raise QuantizationError(f"the tradeoff must be 0 or more and finite, not {tradeoff}")
    if not candidates or trials < 1:
        raise QuantizationError("the search must have a candidate and a trial at least")
    layers = {
        name: module
        for name, module in model.named_modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    }
    latent = {name: layer.weight.detach().clone() for name, layer in layers.items()}
    total = FLOAT_BITS * sum(weight.numel() for weight in latent.values())
    points = np.array([[theta.prune, theta.bits] for theta in candidates], dtype=float)
    found: dict[str, Override] = {}
    try:
        for name, layer in layers.items():

            def objective(index: int, name: str = name, layer: nn.Module = layer) -> float:
                kept = _use(layer, latent[name], candidates[index])
                count = latent[name].numel()
                saved = FLOAT_BITS * count - stored_bits(count, kept, candidates[index].bits)
                return 1 - accuracy(model, images, labels) - tradeoff * saved / total

            best = candidates[least(objective, points, trials)]
            _use(layer, latent[name], best)
            found[name] = Override(weights=best.bits, method="clipq", prune=best.prune)
    finally:
        with torch.no_grad():
            for name, layer in layers.items():
                layer.weight.copy_(latent[name])
    return found


def _use(layer: nn.Module, latent: torch.Tensor, theta: Theta) -> int:
    """Give a layer its weights pruned and quantized; return how many are not 0."""
    quantizer = ClipQ(theta.prune, theta.bits).eval()
    with torch.no_grad():
        layer.get_parameter("weight").copy_(quantizer(latent))
    return quantizer.clipped(latent).kept


def least(objective: Callable[[int], float], points: np.ndarray, trials: int) -> int:
    """Return the index of the point with the least value among those tried.

    The first trials are the corners of the points' ranges and their middle.

    Shapes: points [N, D].
    """
    span = np.ptp(points, axis=0)
    scaled = (points - points.min(axis=0)) / np.where(span > 0, span, 1)
    starts = [scaled @ direction for direction in ([1, -1], [-1, 1], [1, 1])]
    order = [int(one.argmin()) for one in starts]
    order.append(int(np.abs(scaled - 0.5).sum(1).argmin()))
    values: dict[int, float] = {}
    for index in list(dict.fromkeys(order))[:trials]:
        values[index] = objective(index)
    while len(values) < min(trials, len(points)):
        gain = expected_improvement(scaled, values)
        gain[list(values)] = -1.0
        index = int(gain.argmax())
        values[index] = objective(index)
    return min(values, key=lambda index: (values[index], index))


def expected_improvement(points: np.ndarray, values: dict[int, float]) -> np.ndarray:
    """Return how much below the least known value each point is expected to be.

    A Gaussian process with a squared exponential kernel, its values scaled to mean 0 and deviation
    1.

    Source: Rasmussen, Williams, "Gaussian Processes for Machine Learning", 2006, equation 2.25 f.;
    Jones et al., "Efficient Global Optimization", 1998, equation 15.

    Shapes: points [N, D]; result [N].
    """
    known = list(values)
    targets = np.array([values[index] for index in known])
    spread = float(targets.std()) or 1.0
    targets = (targets - targets.mean()) / spread
    across = _kernel(points, points[known])
    inverse = np.linalg.inv(across[known] + NOISE * np.eye(len(known)))
    mean = across @ inverse @ targets
    deviation = np.sqrt(np.clip(1 - np.sum((across @ inverse) * across, axis=1), 1e-12, None))
    below = targets.min() - mean
    z = below / deviation
    normal = np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    share = 0.5 * (1 + np.array([math.erf(one / math.sqrt(2)) for one in z]))
    gain: np.ndarray = (below * share + deviation * normal) * spread
    return gain


def _kernel(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    squares = ((left[:, None] - right[None]) ** 2).sum(-1)
    result: np.ndarray = np.exp(-squares / (2 * LENGTH**2))
    return result
