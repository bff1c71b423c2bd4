# SPDX-License-Identifier: Apache-2.0
"""Products with constants, and what joins them: scales and addends for each channel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from intaglio.frontend.builder import Activation, Builder, Site, UnsupportedError, constants
from intaglio.frontend.layout import Layout
from intaglio.ir.graph import Node
from intaglio.ops.batch_matmul import BatchMatmul
from intaglio.ops.batch_norm import BatchNorm
from intaglio.ops.conv2d import Conv2d
from intaglio.ops.matmul import Matmul

_DENSE = (Conv2d, Matmul)


def matmul(
    builder: Builder, x: Activation, weight: np.ndarray, bias: np.ndarray | None, site: Site
) -> Activation:
    """Multiply the last axis. Shapes: weight [K, C] in the source's order of C, bias [K]."""
    if weight.ndim != 2 or not x.shape or weight.shape[1] != x.shape[-1]:
        raise UnsupportedError(
            f"a product with a constant must be of [N, .., C] and [C, K], "
            f"not {['N', *x.shape]} and {list(weight.shape[::-1])}",
        )
    bias = np.zeros(len(weight)) if bias is None else bias
    if len(x.shape) > 1:
        return _pointwise(builder, x, weight, bias, site)
    operands = constants(weight=x.layout.to_ours(weight), bias=bias)
    layout = Layout.of((len(weight),), channels_first=False)
    return builder.emit(Matmul(), (x,), layout, site, operands)


def matmul_of_two(builder: Builder, x: Activation, y: Activation, site: Site) -> Activation:
    """Multiply the matrices of two activations. Shapes: x [.., M, K], y [.., K, N]."""
    if len(x.shape) < 2 or x.shape[:-2] != y.shape[:-2] or x.shape[-1:] != y.shape[-2:-1]:
        raise UnsupportedError(
            f"operands must be [N, .., M, K] and [N, .., K, L], "
            f"not {['N', *x.shape]} and {['N', *y.shape]}"
        )
    plain = tuple(range(len(x.shape)))
    x = builder.ordered(x, plain, Site(f"{site.name}_left", ""))
    y = builder.ordered(y, plain, Site(f"{site.name}_right", ""))
    made = x.layout.resized((*x.shape[:-1], y.shape[-1]))
    return builder.emit(BatchMatmul(), (x, y), made, site)


def _pointwise(
    builder: Builder, x: Activation, weight: np.ndarray, bias: np.ndarray, site: Site
) -> Activation:
    """Multiply the last axis at every place of the others: a convolution with one place."""
    rank = len(x.shape)
    order = tuple(axis for axis in x.layout.order if axis != rank - 1)
    x = builder.ordered(x, (*order, rank - 1), Site(f"{site.name}_order", ""))
    made = x.layout.resized((*x.shape[:-1], len(weight)))
    rows, columns = 1, int(np.prod(x.shape[:-1]))
    if rank == 3:
        rows, columns = (x.shape[axis] for axis in order)
    image = builder.renamed(
        x,
        Layout.of((rows, columns, x.shape[-1]), channels_first=False),
        Site(f"{site.name}_image", ""),
    )
    operands = constants(weight=weight[:, None, None, :], bias=bias)
    layout = Layout.of((rows, columns, len(weight)), channels_first=False)
    if layout.ours == made.ours:
        return builder.emit(Conv2d(), (image,), made, site, operands)
    inner = builder.emit(Conv2d(), (image,), layout, Site(f"{site.name}_product", ""), operands)
    return builder.renamed(inner, made, site)


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
    scales, offsets = (_fitted(x, array) for array in (scale, offset))
    axes = {axis for a in (scales, offsets) for axis, n in enumerate(a.shape) if n > 1}
    if x.layout.flattened or len(axes) > 1:
        return _elementwise(builder, x, scales, offsets, site)
    if axes and x.layout.channel not in axes:
        order = (*(a for a in x.layout.order if a not in axes), *axes)
        x = builder.ordered(x, order, Site(f"{site.name}_order", ""))
    channels = x.shape[x.layout.channel] if x.shape else 1
    scales, offsets = (np.broadcast_to(a.reshape(-1), (channels,)) for a in (scales, offsets))
    layer = builder.nodes.get(x.name)
    dense = layer is not None and isinstance(layer.op, _DENSE)
    direct = sole and dense and x.layout == builder.layouts[x.name]
    if layer is not None and direct and np.all(scales == 1) and _joins(builder, layer, offsets):
        return _add_bias(builder, x, layer, offsets, site)
    operands = constants(scale=scales, offset=offsets)
    return builder.emit(BatchNorm(), (x,), x.layout, site, operands)


def _elementwise(
    builder: Builder, x: Activation, scale: np.ndarray, offset: np.ndarray, site: Site
) -> Activation:
    """Scale and move each element by its own numbers: the frame is one vector meanwhile."""
    dims, order = x.layout.dims, x.layout.order
    vector = Layout((int(np.prod(dims)),), dims, order)
    operands = constants(
        **{
            name: vector.to_ours(np.broadcast_to(array, x.shape).reshape(1, -1))[0]
            for name, array in (("scale", scale), ("offset", offset))
        }
    )
    if x.layout.flattened:
        return builder.emit(BatchNorm(), (x,), x.layout, site, operands)
    flat = builder.renamed(x, vector, Site(f"{site.name}_flat", ""))
    moved = builder.emit(BatchNorm(), (flat,), vector, Site(f"{site.name}_each", ""), operands)
    return builder.renamed(moved, x.layout, site)


def _joins(builder: Builder, layer: Node, offsets: np.ndarray) -> bool:
    """Tell whether the sum of a bias and an addend is a float32: ties may hang on its last bit."""
    total = builder.constants[layer.inputs[2]].data.astype(np.float64) + offsets
    return bool(np.all(total.astype(np.float32) == total))


def _add_bias(
    builder: Builder, x: Activation, layer: Node, offsets: np.ndarray, site: Site
) -> Activation:
    """Put an addend into the bias of the layer that made x, whose value it becomes."""
    name = layer.inputs[2]
    total = builder.constants[name].data.astype(np.float64) + offsets
    builder.constants[name] = constants(bias=total)["bias"]
    builder.nodes[x.name] = replace(layer, origin=site.origin)
    return x


def _fitted(x: Activation, array: np.ndarray) -> np.ndarray:
    """Bring a broadcast constant to the rank of the frame.

    Raises:
        UnsupportedError: it is larger than the frame.
    """
    check_rank(x, array)
    rank = len(x.shape)
    fitted = array
    if array.ndim > rank and all(n == 1 for n in array.shape[: array.ndim - rank]):
        fitted = array.reshape(array.shape[array.ndim - rank :])
    fitted = fitted.reshape((1,) * (rank - fitted.ndim) + fitted.shape)
    if fitted.ndim > rank or any(
        n not in (1, m) for n, m in zip(fitted.shape, x.shape, strict=True)
    ):
        raise UnsupportedError(
            f"a constant operand must fit a frame {list(x.shape)}, not be {list(array.shape)}"
        )
    return fitted


def check_rank(x: Activation, array: np.ndarray) -> None:
    """Refuse a constant operand that gives the result more axes than x has, batch included.

    Raises:
        UnsupportedError: it does.
    """
    if array.ndim > len(x.shape) + 1:
        raise UnsupportedError(
            f"a constant operand must have at most the {len(x.shape) + 1} axes of the other, "
            f"not be {list(array.shape)}"
        )
