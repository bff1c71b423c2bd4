# SPDX-License-Identifier: Apache-2.0
"""Quantizers that a model brings along: of activations they are nodes, of weights they are done."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from intaglio.frontend.builder import Activation, Builder, Site, UnsupportedError, constants
from intaglio.numerics.rounding import Rounding
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.multi_threshold import MultiThreshold


@dataclass(frozen=True, eq=False)
class Quantizer:
    """What a quantizer does: the fields of `FakeQuantize`, with the scale as the source has it."""

    scale: np.ndarray
    zero_point: int
    low: int
    high: int
    rounding: Rounding = Rounding.HALF_EVEN
    offset_first: bool = False

    @property
    def op(self) -> FakeQuantize:
        """The operator, for all scales in a row."""
        return FakeQuantize(
            tuple(float(s) for s in self.scale.reshape(-1)),
            self.zero_point,
            self.low,
            self.high,
            self.rounding,
            self.offset_first,
        )


def fake_quantize(
    builder: Builder, x: Activation | np.ndarray, how: Quantizer, site: Site
) -> Activation | np.ndarray:
    """Quantise a value of the network, or numbers that are known.

    Raises:
        UnsupportedError: the scale is not positive, or not one number or one a channel.
    """
    scale = how.scale.astype(np.float32)
    if not np.isfinite(scale).all() or np.any(scale <= 0):
        raise UnsupportedError(f"its scale must be positive and finite, not {scale.min():g}")
    if isinstance(x, np.ndarray):
        x = x.astype(np.float32)
        return (how.op.codes(x, scale) - np.float32(how.zero_point)) * scale
    if scale.size > 1:
        x = by_channel(builder, x, scale, site)
    return builder.emit(how.op, (x,), x.layout, site)


def by_channel(builder: Builder, x: Activation, scale: np.ndarray, site: Site) -> Activation:
    """Return x with the channels that scales are for as its last axis.

    Raises:
        UnsupportedError: the scales are not one for each channel.
    """
    rank = len(x.shape)
    dims = (1,) * (rank + 1 - scale.ndim) + scale.shape
    axes = [axis - 1 for axis, size in enumerate(dims) if size > 1]
    if len(dims) != rank + 1 or len(axes) != 1 or scale.size != x.shape[axes[0]]:
        raise UnsupportedError(f"its scale must be one number a channel, not {list(scale.shape)}")
    if x.layout.flattened:
        raise UnsupportedError("its scale must be one number for a flattened frame")
    order = (*(a for a in x.layout.order if a != axes[0]), axes[0])
    return builder.ordered(x, order, Site(f"{site.name}_order", ""))


def bipolar(
    builder: Builder, x: Activation | np.ndarray, scale: float | np.ndarray, site: Site
) -> Activation | np.ndarray:
    """Keep the sign alone: the scale from 0 up, its negative below.

    The scale is one number, or for numbers that are known what broadcasts to them.
    """
    each = np.asarray(scale, dtype=np.float32)
    if not np.all((each > 0) & (each < np.inf)):
        raise UnsupportedError(f"its scale must be positive and finite, not {each.min():g}")
    if isinstance(x, np.ndarray):
        return np.where(x >= 0, each, -each)
    one = float(scale)
    return thresholds(builder, x, np.zeros((1, 1)), 2 * one, -one, site)


def thresholds(
    builder: Builder, x: Activation, bounds: np.ndarray, scale: float, offset: float, site: Site
) -> Activation:
    """Count which bounds are reached. Shapes: bounds [C, T] or [1, T], ascending."""
    if bounds.ndim != 2 or np.any(np.diff(bounds, axis=1) < 0):
        raise UnsupportedError("its thresholds must be rows that ascend")
    if len(bounds) > 1:
        shape = (len(bounds), *[1] * (len(x.shape) - 1))
        x = by_channel(builder, x, np.empty((1, *shape)), site)
    operands = constants(thresholds=bounds)
    return builder.emit(MultiThreshold(scale, offset), (x,), x.layout, site, operands)
