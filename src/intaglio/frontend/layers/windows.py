# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools, means over positions and padding."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from intaglio.frontend.builder import (
    MAX_WINDOWS,
    Activation,
    Builder,
    Site,
    UnsupportedError,
    check_padded,
    constants,
)
from intaglio.frontend.layers.shapes import reshape
from intaglio.frontend.layout import CHANNELS_FIRST, Layout
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.pad import Pad
from intaglio.ops.windows import Padding, Pair


def conv2d(
    builder: Builder,
    x: Activation,
    weight: np.ndarray,
    bias: np.ndarray | None,
    stride: Pair,
    padding: Padding,
    site: Site,
) -> Activation:
    """Convolve. Shapes: weight [K, C, R, S], bias [K]."""
    x = builder.image(x, site)
    bias = np.zeros(len(weight)) if bias is None else bias
    operands = constants(weight=weight.transpose(0, 2, 3, 1), bias=bias)
    check_padded(x, padding)
    height, width, _ = builder.infer(Conv2d(stride, padding), (x,), operands).shape
    if height * width * weight[0].size > MAX_WINDOWS:
        raise UnsupportedError(
            f"a convolution must read at most {MAX_WINDOWS} numbers, "
            f"not {height}x{width} windows of {weight[0].size}"
        )
    return builder.image_node(Conv2d(stride, padding), x, site, operands)


def max_pool(
    builder: Builder, x: Activation, kernel: Pair, stride: Pair, padding: Padding, site: Site
) -> Activation:
    """Take maxima over windows."""
    x = builder.image(x, site)
    check_padded(x, padding)
    return builder.image_node(MaxPool(kernel, stride, padding), x, site)


def average_pool(
    builder: Builder,
    x: Activation,
    kernel: Pair,
    stride: Pair,
    padding: Padding,
    site: Site,
    *,
    count_padding: bool,
) -> Activation:
    """Take means over windows."""
    x = builder.image(x, site)
    check_padded(x, padding)
    return builder.image_node(AveragePool(kernel, stride, padding, count_padding), x, site)


def mean(
    builder: Builder, x: Activation, axes: Sequence[int], site: Site, *, keep: bool
) -> Activation:
    """Take means over whole axes of the source frame, of which none holds the channels."""
    axes = tuple(sorted(set(axes)))
    shape = tuple(1 if axis in axes else size for axis, size in enumerate(x.shape))
    target = shape if keep else tuple(n for axis, n in enumerate(x.shape) if axis not in axes)
    if len(shape) == 2:
        x = reshape(builder, x, (*x.shape, 1), Site(f"{site.name}_rows", ""))
        shape = (*shape, 1)
    image = len(shape) == len(CHANNELS_FIRST) and not x.layout.flattened
    if not image or x.layout.channel in axes or not axes:
        raise UnsupportedError(
            f"a mean must go over the positions of an image, not over axes {list(axes)} "
            f"of a frame {list(x.shape)}",
            "GlobalAveragePool",
        )
    down, across, _ = (x.shape[axis] if axis in axes else 1 for axis in x.layout.order)
    pool = AveragePool((down, across), (down, across))
    pooled = Layout(shape, shape, x.layout.order)
    final = pooled.reshaped(target)
    if final is None or final.ours == pooled.ours:
        return builder.emit(pool, (x,), final or pooled, site)
    inner = builder.emit(pool, (x,), pooled, Site(f"{site.name}_mean", ""))
    return builder.renamed(inner, final, site)


def pad(builder: Builder, x: Activation, padding: Padding, value: float, site: Site) -> Activation:
    """Surround an image with a value."""
    if not math.isfinite(value) or int(value) != value:
        raise UnsupportedError(f"the padding value must be an integer, not {value:g}")
    return builder.image_node(Pad(padding, int(value)), builder.image(x, site), site)
