# SPDX-License-Identifier: Apache-2.0
"""CLIP-Q: weights pruned and quantized at once, anew in every pass, until they are frozen.

The fraction p of the negative and of the positive weights that lies nearest to zero becomes 0; the
rest is cut into 2^b - 1 uniform intervals, and each weight becomes the mean of its interval. The
means are the codebook, of few bits and with one scale, a power of two, for each layer. Gradients go
straight through to all weights, also to those that are 0 in this pass and may come back.

The paper leaves open how many intervals each side gets: here those that make the widest interval
narrowest.

Source: Tung, Mori, "CLIP-Q: Deep Network Compression Learning by In-Parallel
Pruning-Quantization", CVPR 2018 (doi 10.1109/CVPR.2018.00821), section 3.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

from intaglio.errors import QuantizationError
from intaglio.train.quantized import fused
from intaglio.train.quantized.fake_quantize import by_definition
from intaglio.train.quantized.learned import ends
from intaglio.train.quantized.quantizer import Quantizer, check_bits, straight_through

CODEBOOK_BITS = 8
#: Of scales: 2^-24 .. 2^24. A layer of zeros has the first of these.
MAX_FRACTION_BITS = 24


@dataclass(frozen=True, eq=False)
class Clipped:
    """A tensor in levels: 0 is pruned; 1, 2, .. the positive intervals from zero outward, -1, -2,
    .. the negative ones.

    Shapes: codes int64, of the tensor: levels plus the offset, the number of negative intervals, so
    that they count from 0; centroids [2^bits] float32, of each code.
    """  # noqa: D205

    codes: torch.Tensor
    centroids: torch.Tensor
    offset: int

    @property
    def levels(self) -> torch.Tensor:
        """Every weight's level."""
        return self.codes - self.offset

    @property
    def values(self) -> torch.Tensor:
        """Every weight's centroid."""
        return self.looked_up(self.centroids)

    def looked_up(self, table: torch.Tensor) -> torch.Tensor:
        """Return a table's entry for every weight's code."""
        return table.index_select(0, self.codes.reshape(-1)).reshape(self.codes.shape)

    @property
    def kept(self) -> int:
        """How many weights are not pruned."""
        return int((self.codes != self.offset).sum())


class ClipQ(Quantizer):
    """Prunes the share `prune` of each side and cuts the rest into 2^bits - 1 intervals.

    Raises:
        QuantizationError: prune is not in 0..1 (1 left out), or bits are not 2..8.
    """

    def __init__(self, prune: float, bits: int, codebook_bits: int = CODEBOOK_BITS) -> None:
        check_theta(prune, bits)
        check_bits("the numbers of a codebook", codebook_bits, 2)
        super().__init__(*ends(codebook_bits, signed=True))
        self.prune, self.bits = prune, bits

    def clipped(self, x: torch.Tensor) -> Clipped:
        """Return the levels and centroids of a tensor as it is now."""
        return clip(x.detach(), self.prune, self.bits)

    def grid(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return the finest power of two by which all centroids fit the codebook."""
        return self.scale_of(self.clipped(x)), x.new_zeros(1)

    def scale_of(self, clipped: Clipped) -> torch.Tensor:
        """Return the scale of a codebook."""
        most = clipped.centroids.abs().max().clamp(min=2.0**-MAX_FRACTION_BITS)
        bits = torch.floor(torch.log2(self.high / most))
        return torch.exp2(-bits.clamp(-MAX_FRACTION_BITS, MAX_FRACTION_BITS)).reshape(1)

    def chosen(self, x: torch.Tensor) -> torch.Tensor:
        """Return every weight's centroid."""
        return straight_through(x, self.clipped(x).values)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return the tensor pruned and quantized."""
        if not self.training:
            return super().forward(x)
        clipped = self.clipped(x)
        scale = self.scale_of(clipped)
        table = by_definition(
            clipped.centroids, scale, torch.zeros_like(scale), self.low, self.high, self.rounding
        )
        return straight_through(x, clipped.looked_up(table))

    def extra_repr(self) -> str:
        """Describe the parameters."""
        return f"prune {self.prune:g}, {self.bits} bits, codebook {super().extra_repr()}"


def clip(x: torch.Tensor, prune: float, bits: int) -> Clipped:
    """Prune and cut a tensor.

    Raises:
        QuantizationError: prune is not in 0..1 (1 left out), or bits are not 2..8.
    """
    check_theta(prune, bits)
    sides = [Side.of(part, int(prune * len(part) + 0.5)) for part in magnitudes(x)]
    return cut(x, sides, _shares(sides, (1 << bits) - 1))


def magnitudes(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the positive numbers, and the magnitudes of the negative ones."""
    if x.device.type == "cpu" and x.dtype == torch.float32:
        right, left = fused.split(x.contiguous().numpy().reshape(-1))
        return torch.from_numpy(right), torch.from_numpy(left)
    flat = x.reshape(-1)
    return flat[flat > 0], -flat[flat < 0]


@dataclass(frozen=True)
class Side:
    """The weights of one sign: those up to `threshold` are pruned, the rest ends at `most`."""

    threshold: torch.Tensor
    most: torch.Tensor
    kept: int

    @classmethod
    def of(cls, magnitudes: torch.Tensor, pruned: int) -> Side:
        """Prune so many of the smallest magnitudes."""
        if not len(magnitudes):
            return cls(magnitudes.new_zeros(()), magnitudes.new_zeros(()), 0)
        threshold = magnitudes.new_zeros(())
        if pruned and magnitudes.device.type == "cpu":  # numpy selects in half of the time
            smallest = np.partition(magnitudes.numpy(), pruned - 1)[pruned - 1]
            threshold = magnitudes.new_tensor(smallest)
        elif pruned:
            threshold = magnitudes.kthvalue(pruned).values
        return cls(threshold, magnitudes.max(), len(magnitudes) - pruned)

    @property
    def length(self) -> float:
        """What is to be cut into intervals."""
        return float(self.most - self.threshold) if self.kept else 0.0


def _shares(sides: list[Side], count: int) -> tuple[int, int]:
    """Deal intervals to two sides so that the widest interval is narrowest."""
    right, left = (side.length for side in sides)
    if not right or not left:
        return (count, 0) if right else (0, count)
    return min(
        ((n, count - n) for n in range(1, count)), key=lambda n: max(right / n[0], left / n[1])
    )


def cut(x: torch.Tensor, sides: list[Side], counts: tuple[int, int], guard: float = 0.0) -> Clipped:
    """Cut both sides into so many intervals and take the mean of each, `sum / (count + guard)`.

    A width of 0, where all weights kept are equal, puts them into the last interval.
    """
    offset = counts[1]
    widths = [
        ((side.most - side.threshold) / max(1, count)).clamp(min=torch.finfo(x.dtype).tiny)
        for side, count in zip(sides, counts, strict=True)
    ]
    thresholds = [side.threshold for side in sides]
    if x.device.type == "cpu" and x.dtype == torch.float32:
        codes, sums, found = _fused_cut(x, thresholds, widths, counts)
    else:
        codes, sums, found = cut_by_definition(x, thresholds, widths, counts)
    centroids = sums.to(x.dtype) / (found.to(x.dtype) + guard if guard else found.clamp(min=1))
    centroids[offset] = 0
    return Clipped(codes, centroids, offset)


Cut = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def cut_by_definition(
    x: torch.Tensor,
    thresholds: list[torch.Tensor],
    widths: list[torch.Tensor],
    counts: tuple[int, int],
) -> Cut:
    """Return codes, and sum and number of the weights of each code, one step at a time."""
    levels = torch.zeros(x.shape, dtype=torch.int64, device=x.device)
    for threshold, width, count, sign in zip(thresholds, widths, counts, (1, -1), strict=True):
        beyond = x * sign - threshold
        index = (beyond / width).to(torch.int64).clamp(0, max(0, count - 1)) + 1
        if count:
            levels = torch.where((beyond > 0) & (x * sign > 0), sign * index, levels)
    codes, size = levels + counts[1], sum(counts) + 1
    flat = codes.reshape(-1)
    sums = torch.bincount(flat, weights=x.reshape(-1).double(), minlength=size)
    return codes, sums, torch.bincount(flat, minlength=size)


def _fused_cut(
    x: torch.Tensor,
    thresholds: list[torch.Tensor],
    widths: list[torch.Tensor],
    counts: tuple[int, int],
) -> Cut:
    codes = torch.empty(x.shape, dtype=torch.int64)
    size = sum(counts) + 1
    sums, found = np.zeros(size), np.zeros(size, dtype=np.int64)
    fused.cut(
        x.contiguous().numpy().reshape(-1),
        np.array([float(one) for one in thresholds], dtype=np.float32),
        np.array([float(one) for one in widths], dtype=np.float32),
        counts,
        codes.numpy().reshape(-1),
        sums,
        found,
    )
    return codes, torch.from_numpy(sums), torch.from_numpy(found)


def check_theta(prune: float, bits: int) -> None:
    """Stop where CLIP-Q's parameters are out of range.

    Raises:
        QuantizationError: prune is not in 0..1 (1 left out), or bits are not 2..8.
    """
    check_bits("CLIP-Q's levels", bits, 2)
    if not (math.isfinite(prune) and 0 <= prune < 1):
        raise QuantizationError(f"the share of pruned weights must be in 0..1, not {prune}")


def stored_bits(weights: int, kept: int, bits: int, codebook_bits: int = CODEBOOK_BITS) -> int:
    """Return how many bits a layer takes: a mark for each weight and codes of those kept, or codes
    of all where that is less; and the codebook.
    """  # noqa: D205
    return min(weights + kept * bits, weights * bits) + ((1 << bits) - 1) * codebook_bits
