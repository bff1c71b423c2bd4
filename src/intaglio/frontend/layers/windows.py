# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pools, means and maxima over whole axes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from intaglio.frontend.builder import (
    MAX_WINDOWS,
    Activation,
    Builder,
    Site,
    UnsupportedError,
    check_padded,
    check_size,
    constants,
)
from intaglio.frontend.layers.products import matmul
from intaglio.frontend.layers.shapes import reshape, transpose
from intaglio.frontend.layout import Layout
from intaglio.ops.average_pool import AveragePool
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.max_pool import MaxPool
from intaglio.ops.pool import Pool
from intaglio.ops.windows import Padding, Pair


def conv2d(
    builder: Builder,
    x: Activation,
    weight: np.ndarray,
    bias: np.ndarray | None,
    op: Conv2d,
    site: Site,
) -> Activation:
    """Convolve. Shapes: weight [K, C/groups, R, S], bias [K]."""
    x = builder.image(x, site)
    bias = np.zeros(len(weight)) if bias is None else bias
    operands = constants(weight=weight.transpose(0, 2, 3, 1), bias=bias)
    check_padded(x, op.padding)
    height, width, _ = builder.infer(op, (x,), operands).shape
    places = weight[0].size * op.groups
    if height * width * places > MAX_WINDOWS:
        raise UnsupportedError(
            f"a convolution must read at most {MAX_WINDOWS} numbers, "
            f"not {height}x{width} windows of {places}"
        )
    return builder.image_node(op, x, site, operands)


def conv_transpose2d(
    builder: Builder,
    x: Activation,
    weight: np.ndarray,
    bias: np.ndarray | None,
    op: ConvTranspose2d,
    site: Site,
) -> Activation:
    """Convolve the other way round. Shapes: weight [C, K/groups, R, S], bias [K]."""
    x = builder.image(x, site)
    channels, each, rows, columns = weight.shape
    if op.groups < 1 or channels != x.shape[0] or channels % op.groups:
        raise UnsupportedError(
            f"its weight must be [C, K/group, R, S] for {x.shape[0]} channels in {op.groups} "
            f"groups, not {list(weight.shape)}"
        )
    split = weight.reshape(op.groups, channels // op.groups, each, rows, columns)
    kernel = split.transpose(0, 2, 3, 4, 1).reshape(-1, rows, columns, channels // op.groups)
    bias = np.zeros(len(kernel)) if bias is None else bias
    operands = constants(weight=kernel, bias=bias)
    height, width, _ = builder.infer(op, (x,), operands).shape
    _check_whole((height, width, len(kernel)), op)
    if height * width * kernel[0].size * op.groups > MAX_WINDOWS:
        raise UnsupportedError(
            f"a convolution must read at most {MAX_WINDOWS} numbers, "
            f"not {height}x{width} windows of {kernel[0].size * op.groups}"
        )
    return builder.image_node(op, x, site, operands)


def _check_whole(shape: tuple[int, int, int], op: ConvTranspose2d) -> None:
    """Refuse a transposed convolution that is too large before it is cropped.

    It is made in blocks as large as the stride.
    """
    height, width, channels = shape
    top, left, bottom, right = op.padding
    down, across = op.stride
    check_size((max(height + top + bottom, down), max(width + left + right, across), channels))


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
    """Take means over whole axes of the source frame."""
    x = builder.straight(x, site)
    kernel = _whole(x, axes)
    if x.layout.channel in axes:
        here = site if kernel == (1, 1) else Site(f"{site.name}_channels", "")
        x = _channel_mean(builder, x, x.layout.channel, here)
    if kernel != (1, 1):
        x = _whole_pool(builder, x, AveragePool(kernel, kernel), axes, site)
    return _reduced(builder, x, axes, site, keep=keep)


def maximum(
    builder: Builder, x: Activation, axes: Sequence[int], site: Site, *, keep: bool
) -> Activation:
    """Take maxima over whole axes of the source frame, of which none holds the channels."""
    x = builder.straight(x, site)
    kernel = _whole(x, axes)
    if x.layout.channel in axes:
        raise UnsupportedError("a maximum must go over positions, not over channels")
    if kernel != (1, 1):
        x = _whole_pool(builder, x, MaxPool(kernel, kernel), axes, site)
    return _reduced(builder, x, axes, site, keep=keep)


def _channel_mean(builder: Builder, x: Activation, axis: int, site: Site) -> Activation:
    """Take the mean over the axis that is our last one: a product with equal weights."""
    size, rank = x.shape[axis], len(x.shape)
    to_last = (*(a for a in range(rank) if a != axis), axis)
    weight = np.full((1, size), 1 / size)
    made = matmul(builder, transpose(x, to_last), weight, None, site)
    return transpose(made, tuple(to_last.index(a) for a in range(rank)))


def _whole(x: Activation, axes: Sequence[int]) -> Pair:
    """Return the kernel that covers whole axes of our frame, the channels left out."""
    sizes = [x.shape[axis] if axis in axes else 1 for axis in x.layout.order[:-1]]
    if len(sizes) > 2:
        raise UnsupportedError(
            f"it must go over the positions of an image, not of a frame {list(x.shape)}"
        )
    down, across = (1, 1, *sizes)[-2:]
    return down, across


def _whole_pool(
    builder: Builder, x: Activation, op: Pool, axes: Sequence[int], site: Site
) -> Activation:
    """Pool whole axes, each of which stays with one place."""
    pooled = x.layout.resized(tuple(1 if a in axes else n for a, n in enumerate(x.shape)))
    if len(x.shape) == 2:
        rows = Layout.of((1, *x.layout.ours), channels_first=False)
        x = builder.renamed(x, rows, Site(f"{site.name}_rows", ""))
        shape = (1, *pooled.ours)
        inner = builder.emit(op, (x,), Layout.of(shape, channels_first=False), site)
        return builder.renamed(inner, pooled, Site(f"{site.name}_row", ""))
    return builder.emit(op, (x,), pooled, site)


def _reduced(
    builder: Builder, x: Activation, axes: Sequence[int], site: Site, *, keep: bool
) -> Activation:
    """Drop the axes that were reduced."""
    if keep:
        return x
    target = tuple(n for axis, n in enumerate(x.shape) if axis not in axes)
    return reshape(builder, x, target, Site(f"{site.name}_flat", ""))
