# SPDX-License-Identifier: Apache-2.0
"""Weights and biases of one layer as integers.

A weight is scale * code, with no zero point: the hardware multiplies codes and nothing else. Under
the rule `affine` codes have a zero point of their own; what is stored is their difference, which
takes one bit more and is exact. The input's zero point then only adds a constant to each channel,
which is put into the bias:

    sum (x - z) w + b  =  sum x w  +  (b - z sum w)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Node
from intaglio.numerics.types import IntType
from intaglio.quantize import estimators, quantizers
from intaglio.quantize.codebook import codebook
from intaglio.quantize.quantizer import Quantizer
from intaglio.quantize.ranges import Choose, Coding, Range
from intaglio.quantize.scheme import Scheme

#: A channel's scale is at least this part of its layer's largest. All channels share one shift, so
#: this leaves each multiplier 8 significant bits of 16, as exact as 8-bit weights themselves; and
#: the step of the smallest channel still is 256 times finer than one scale a tensor would make it.
SMALLEST_CHANNEL = 2.0**-8

#: Biases and accumulator constants of every supported runtime and memory image are this wide.
BIAS_BITS = 32
#: What -1 and +1 are held as.
BINARY = IntType(2, signed=True, narrow=True)
#: The type of a codebook's entries.
ENTRIES = IntType(8, signed=True, narrow=True)


@dataclass(frozen=True, eq=False)
class Grid:
    """The numbers a layer's weights can be: scale * code, for codes low..high of each channel.

    `levels`, cut to low..high, are the only codes where not all are. `half_away` rounds a half away
    from zero, and not up.

    Shapes: scales, low and high [K] or [1].
    """

    element: IntType
    scales: np.ndarray
    low: np.ndarray
    high: np.ndarray
    levels: np.ndarray | None = None
    half_away: bool = False

    def rows(self, part: slice) -> Grid:
        """Return the grid of some of the channels."""
        if len(self.scales) == 1:
            return self
        return replace(self, scales=self.scales[part], low=self.low[part], high=self.high[part])

    def steps(self, weight: np.ndarray) -> np.ndarray:
        """Return weights in steps of their scales. Shapes: weight [K, ...]."""
        return np.asarray(weight / _columns(self.scales, weight), dtype=np.float64)

    def nearest(self, steps: np.ndarray) -> np.ndarray:
        """Return the codes nearest to numbers of steps, as int64. Shapes: steps [K, ...]."""
        if self.levels is not None:
            middles = (self.levels[1:] + self.levels[:-1]) / 2.0
            rounded = self.levels[np.searchsorted(middles, steps, side="right")]
        elif self.half_away:
            rounded = np.copysign(np.floor(np.abs(steps) + 0.5), steps)
        else:
            rounded = np.floor(steps + 0.5)
        return self._inside(rounded)

    def next(self, codes: np.ndarray, upwards: np.ndarray) -> np.ndarray:
        """Return the neighbors of codes, above or below; the codes themselves at an end.

        Shapes: codes and upwards [K, ...].
        """
        if self.levels is not None:
            place = np.searchsorted(self.levels, codes) + np.where(upwards, 1, -1)
            return self._inside(self.levels[np.clip(place, 0, len(self.levels) - 1)])
        return self._inside(codes + np.where(upwards, 1, -1))

    def _inside(self, codes: np.ndarray) -> np.ndarray:
        bounds = _columns(self.low, codes), _columns(self.high, codes)
        return np.clip(codes, *bounds).astype(np.int64)


@dataclass(frozen=True, eq=False)
class Layer:
    """The integers of a layer and the real scale of its accumulator, for each channel or for all.

    Shapes: weight as the float one, bias [K], scale [K] or [1].
    """

    weight: Constant
    bias: Constant
    scale: np.ndarray


def weight_grid(weight: np.ndarray, scheme: Scheme, spare: float, *, depthwise: bool) -> Grid:
    """Choose what a layer's weights can be; `spare` is the scale of a layer of zeros.

    Shapes: weight [K, ...].
    """
    rows = weight.astype(np.float64).reshape(len(weight), -1)
    if scheme.granularity == "per_tensor":
        rows = rows.reshape(1, -1)
    if scheme.weights == "s1" and scheme.weight_rule == "symmetric":
        return _binary(rows, quantizers()[scheme.scale_rule], spare)
    rule = RULES[scheme.weight_rule]
    grid = rule(rows, scheme, (depthwise and scheme.depthwise_estimator) or scheme.weight_estimator)
    if not rows.any():
        grid = replace(grid, scales=np.full(len(rows), spare))
    return replace(grid, half_away=scheme.rounding == "half_away")


def _symmetric(rows: np.ndarray, scheme: Scheme, estimator: str) -> Grid:
    """The codes of a type around zero."""
    element, symmetric = scheme.weight_type, quantizers()[scheme.scale_rule].symmetric

    def choose(range_: Range) -> Coding:
        return Coding(element, symmetric(range_.magnitude, element))

    scales = np.array([choose(r).scale for r in _ranges(rows, choose, estimator)])
    low, high = (np.full(len(rows), end) for end in (element.min, element.max))
    return Grid(element, scales, low, high)


def _affine(rows: np.ndarray, scheme: Scheme, estimator: str) -> Grid:
    """Codes with a zero point, which is taken off: q - z lies between -z and max - z."""
    element, activation = scheme.weight_type, quantizers()[scheme.scale_rule].activation

    def choose(range_: Range) -> Coding:
        return activation(range_, element)

    codings = [choose(r) for r in _ranges(rows, choose, estimator)]
    low = np.array([c.element.min - c.zero_point for c in codings])
    high = np.array([c.element.max - c.zero_point for c in codings])
    held = IntType.holding(int(low.min()), int(high.max()))
    return Grid(held, np.array([c.scale for c in codings]), low, high)


def _codebook(rows: np.ndarray, scheme: Scheme, estimator: str) -> Grid:
    """The best integers of 8 bits, as many as codes of the weights' type."""
    grid = _symmetric(
        rows, replace(scheme, weights=str(ENTRIES), weight_rule="symmetric"), estimator
    )
    levels = codebook(rows / _columns(grid.scales, rows), ENTRIES, 1 << scheme.weight_type.width)
    return replace(grid, levels=levels)


def _binary(rows: np.ndarray, quantizer: Quantizer, spare: float) -> Grid:
    """-1 and +1, at the mean magnitude; a channel of zeros has zeros.

    Source: M. Rastegari et al., "XNOR-Net", ECCV 2016, section 3.1: the mean magnitude is the scale
    of least squared error.
    """
    means = np.abs(rows).mean(axis=1)
    zero = means == 0.0
    means = np.maximum(np.where(zero, means.max(), means), means.max() * SMALLEST_CHANNEL)
    scales = [spare if m == 0.0 else _nearest_scale(quantizer, float(m)) for m in means]
    ends = np.where(zero, 0, -1), np.where(zero, 0, 1)
    return Grid(BINARY, np.array(scales), *ends, np.array([-1, 1]))


def _nearest_scale(quantizer: Quantizer, mean: float) -> float:
    """Return the scale nearest to a mean of those that the rule for scales has."""
    found = [quantizer.symmetric(mean * factor, BINARY) for factor in (1.0, 2.0)]
    return min(found, key=lambda scale: abs(scale - mean))


def _ranges(rows: np.ndarray, choose: Choose, estimator: str) -> list[Range]:
    """Return the range of each row, none far below the largest."""
    make = estimators()[estimator]
    found = []
    for row in rows:
        observer = make(choose)
        observer.observe(row)
        found.append(observer.range())
    largest = max(r.magnitude for r in found)
    least = largest * SMALLEST_CHANNEL
    return [_widened(r, largest, least) for r in found]


def _widened(range_: Range, largest: float, least: float) -> Range:
    if range_.magnitude == 0.0:
        return Range(-largest, largest)
    return range_.scaled(max(1.0, least / range_.magnitude))


RULES: Mapping[str, Callable[[np.ndarray, Scheme, str], Grid]] = {
    "symmetric": _symmetric,
    "affine": _affine,
    "codebook": _codebook,
}


def integer_layer(
    node: Node,
    codes: np.ndarray,
    bias: np.ndarray,
    grid: Grid,
    source: Coding,
) -> Layer:
    """Put a layer's codes together with its bias at the accumulator's step, rounded half up.

    Raises:
        QuantizationError: a bias needs more than 32 bits.
    """
    step = source.scale * grid.scales
    sums = codes.reshape(len(codes), -1).sum(axis=1)
    real = np.floor(bias.astype(np.float64) / step + 0.5) - source.zero_point * sums
    limit = 2.0 ** (BIAS_BITS - 1)
    bad = ~((real >= -limit) & (real < limit))
    if bad.any():
        k = int(bad.argmax())
        raise QuantizationError(
            f"{node}: the bias of channel {k} must fit {BIAS_BITS} bits at the accumulator's step "
            f"{np.broadcast_to(step, real.shape)[k]:.3g}, not be {bias[k]:.6g} ({real[k]:.0f} "
            "steps): its weights or inputs are too small beside it; if nothing depends on them, "
            "set the weights to zero"
        )
    return Layer(Constant(codes, grid.element), Constant.integers(real.astype(np.int64)), step)


def rounded_bias(
    bias: np.ndarray, scheme: Scheme, products: np.ndarray, result: float
) -> np.ndarray:
    """Return a bias as codes of its own scale say it, at the step of the products it is added to.

    What is finer than that step is cut off, as a shift does. Biases of 32 bits have no scale of
    their own and stay.
    """
    element, quantizer = scheme.bias_type, quantizers()[scheme.scale_rule]
    if element.width >= BIAS_BITS:
        return bias

    def choose(range_: Range) -> Coding:
        return Coding(element, quantizer.symmetric(range_.magnitude, element))

    observer = estimators()[scheme.weight_estimator](choose)
    observer.observe(bias)
    scale = quantizer.bias(float(products.max()), choose(observer.range()).scale, result)
    ends = np.array([element.min]), np.array([element.max])
    grid = Grid(element, np.array([scale]), *ends, half_away=scheme.rounding == "half_away")
    codes = grid.nearest(grid.steps(bias))
    return np.floor(codes * scale / products) * products


def _columns(array: np.ndarray, beside: np.ndarray) -> np.ndarray:
    """Return numbers of channels, to be used beside an array [K, ...]."""
    return array.reshape(-1, *[1] * (beside.ndim - 1))
