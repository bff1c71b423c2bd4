# SPDX-License-Identifier: Apache-2.0
"""Products with constants, and what joins them: scales and addends for each channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intaglio.frontend.builder import (
    Activation,
    Builder,
    Site,
    UnsupportedError,
    constants,
)
from intaglio.frontend.layout import Layout
from intaglio.ir.graph import Node
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.matmul import Matmul


def matmul(
    builder: Builder, x: Activation, weight: np.ndarray, bias: np.ndarray | None, site: Site
) -> Activation:
    """Multiply a vector. Shapes: weight [K, C] in the source's order of C, bias [K]."""
    if len(x.shape) != 1 or weight.ndim != 2:
        raise UnsupportedError(
            f"a matrix product must be of vectors [N, C] with a constant matrix, "
            f"not {list(x.shape)} with {list(weight.shape)}",
            "Flatten before it",
        )
    if weight.shape[1] != x.shape[0]:
        raise UnsupportedError(f"the matrix must have {x.shape[0]} rows, not {weight.shape[1]}")
    bias = np.zeros(len(weight)) if bias is None else bias
    operands = constants(weight=x.layout.to_ours(weight), bias=bias)
    layout = Layout.of((len(weight),), channels_first=False)
    return builder.emit(Matmul(), (x,), layout, site, operands)


def affine(
    builder: Builder,
    x: Activation,
    scale: np.ndarray,
    offset: np.ndarray,
    site: Site,
    *,
    sole: bool,
) -> Activation:
    """Scale and move each channel; a mere addend joins the bias before it where it can.

    Args:
        builder: the graph.
        x: the value.
        scale: broadcastable to the source frame, with or without batch axis.
        offset: the same.
        site: where it comes from.
        sole: whether nothing else reads x, under any name.
    """
    scales, offsets = (_per_channel(x, array) for array in (scale, offset))
    layer = builder.nodes.get(x.name)
    if sole and layer is not None and isinstance(layer.op, Conv2d | Matmul):
        direct = not x.layout.flattened and x.layout == builder.layouts[x.name]
        if direct and np.all(scales == 1):
            return _add_bias(builder, x, layer, offsets, site)
    operands = constants(scale=scales, offset=offsets)
    return builder.emit(BatchNorm(), (x,), x.layout, site, operands)


def _add_bias(
    builder: Builder, x: Activation, layer: Node, offsets: np.ndarray, site: Site
) -> Activation:
    """Put an addend into the bias of the layer that made x, whose value it becomes."""
    name = layer.inputs[2]
    total = builder.constants[name].data.astype(np.float64) + offsets
    builder.constants[name] = constants(bias=total)["bias"]
    builder.nodes[x.name] = replace(layer, origin=site.origin)
    return x


def _per_channel(x: Activation, array: np.ndarray) -> np.ndarray:
    """Bring a broadcast constant to one number for each of our channels.

    Raises:
        UnsupportedError: it differs between positions, or is larger than the frame.
    """
    text = (
        f"a constant operand must be one number or one a channel of {list(x.shape)}, "
        f"not an array {list(array.shape)}"
    )
    rank = len(x.shape)
    if array.ndim > rank and all(n == 1 for n in array.shape[: array.ndim - rank]):
        array = array.reshape(array.shape[array.ndim - rank :])
    array = array.reshape((1,) * (rank - array.ndim) + array.shape)
    if array.ndim > rank or any(n not in (1, m) for n, m in zip(array.shape, x.shape, strict=True)):
        raise UnsupportedError(text)
    if x.layout.flattened:
        return x.layout.to_ours(np.broadcast_to(array, x.shape)[None])[0]
    others = [axis for axis in range(rank) if axis != x.layout.channel]
    if any(array.shape[axis] > 1 for axis in others):
        raise UnsupportedError(text)
    channels = x.shape[x.layout.channel] if rank else 1
    return np.broadcast_to(array.reshape(-1), (channels,))
