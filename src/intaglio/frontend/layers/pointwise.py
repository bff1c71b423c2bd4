# SPDX-License-Identifier: Apache-2.0
"""Layers that work element by element, shares of a whole, and the largest of a vector."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from intaglio.frontend.builder import Activation, Builder, Site, UnsupportedError
from intaglio.frontend.layers import products, shapes
from intaglio.frontend.layout import CHANNELS_FIRST, Layout
from intaglio.ir.operator import Operator
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.clip import Clip
from intaglio.ops.function import Function
from intaglio.ops.mul import Mul
from intaglio.ops.relu import Relu
from intaglio.ops.softmax import Softmax
from intaglio.ops.upsample import Upsample


def add(builder: Builder, x: Activation, y: Activation, site: Site) -> Activation:
    """Add two values of one shape, or of shapes that differ where one has a single place."""
    return _binary(builder, Add(), x, y, site)


def multiply(builder: Builder, x: Activation, y: Activation, site: Site) -> Activation:
    """Multiply two values of one shape, or of shapes that differ where one has a single place."""
    return _binary(builder, Mul(), x, y, site)


def total(builder: Builder, parts: Sequence[Activation], site: Site) -> Activation:
    """Add any number of values of one shape."""
    result = parts[0]
    for index, part in enumerate(parts[1:], 2):
        here = site if index == len(parts) else Site(f"{site.name}_{index}", "")
        result = add(builder, result, part, here)
    return result


def subtract(builder: Builder, x: Activation, y: Activation, site: Site) -> Activation:
    """Subtract a value from another of one shape."""
    negative = scaled(builder, y, -1.0, 0.0, Site(f"{site.name}_negative", ""))
    return add(builder, x, negative, site)


def divide(builder: Builder, x: Activation, y: Activation, site: Site) -> Activation:
    """Divide a value by another of one shape."""
    inverse = function(builder, "reciprocal", (), y, Site(f"{site.name}_inverse", ""))
    return multiply(builder, x, inverse, site)


def scaled(builder: Builder, x: Activation, scale: float, offset: float, site: Site) -> Activation:
    """Multiply all elements by one number and add another."""
    return products.affine(builder, x, np.full(1, scale), np.full(1, offset), site, sole=False)


def relu(builder: Builder, x: Activation, site: Site) -> Activation:
    """Rectify."""
    return builder.emit(Relu(), (x,), x.layout, site)


def leaky_relu(builder: Builder, x: Activation, slopes: np.ndarray, site: Site) -> Activation:
    """Multiply what is negative by one slope, or by one a channel."""
    if slopes.size == 1:
        return function(builder, "leaky_relu", (float(slopes.reshape(-1)[0]),), x, site)
    # (1 - slope) * max(x, 0) + slope * x
    positive = relu(builder, x, Site(f"{site.name}_positive", ""))
    above, all_ = (
        products.affine(
            builder, value, scale, np.zeros(1), Site(f"{site.name}_{name}", ""), sole=False
        )
        for value, scale, name in ((positive, 1 - slopes, "above"), (x, slopes, "all"))
    )
    return add(builder, above, all_, site)


def clip(builder: Builder, x: Activation, low: float, high: float, site: Site) -> Activation:
    """Clamp; an open side is infinite."""
    if math.isnan(low) or math.isnan(high):
        raise UnsupportedError("bounds must be numbers, not NaN")
    largest = float(np.finfo(np.float32).max)
    if low == 0 and high >= largest:
        return relu(builder, x, site)
    op = Clip(max(float(low), -largest), min(float(high), largest))
    return builder.emit(op, (x,), x.layout, site)


def function(
    builder: Builder, kind: str, parameters: tuple[float, ...], x: Activation, site: Site
) -> Activation:
    """Apply a function of one number by name."""
    return builder.emit(Function(kind, parameters), (x,), x.layout, site)


def softmax(
    builder: Builder, x: Activation, axis: int, site: Site, *, logarithm: bool = False
) -> Activation:
    """Turn scores along an axis of the source into shares."""
    if not x.layout.flattened:
        others = [a for a in x.layout.order if a != axis]
        x = builder.ordered(x, (*others, axis), Site(f"{site.name}_order", ""))
    return builder.emit(Softmax(logarithm), (x,), x.layout, site)


def argmax(builder: Builder, x: Activation, site: Site) -> Activation:
    """Find the largest element of a vector."""
    if len(x.shape) != 1:
        raise UnsupportedError(f"argmax must be over a vector of scores, not {list(x.shape)}")
    x = shapes.plain(builder, x, site)
    return builder.emit(Argmax(), (x,), Layout.of((1,), channels_first=False), site)


def _binary(builder: Builder, op: Operator, x: Activation, y: Activation, site: Site) -> Activation:
    """Emit an operator on two values, spread and brought into one order where they differ."""
    if x.shape != y.shape:
        x, y = _spread(builder, x, y, site), _spread(builder, y, x, site)
    if x.shape != y.shape:
        raise UnsupportedError(
            f"operands must have one shape, not {list(x.shape)} and {list(y.shape)}",
            "give both operands the same shape before",
        )
    if x.layout.flattened or y.layout.flattened:
        if x.layout != y.layout:
            x, y = shapes.plain(builder, x, site), shapes.plain(builder, y, site)
    else:
        y = builder.ordered(y, x.layout.order, Site(f"{site.name}_order", ""))
    return builder.emit(op, (x, y), x.layout, site)


def _spread(builder: Builder, x: Activation, other: Activation, site: Site) -> Activation:
    """Repeat the single rows and columns of an image where the other operand has more."""
    if len(x.shape) != len(CHANNELS_FIRST) or len(other.shape) != len(CHANNELS_FIRST):
        return x
    x = builder.ordered(x, other.layout.order, Site(f"{site.name}_order", ""))
    ours = [other.shape[axis] for axis in other.layout.order]
    mine = [x.shape[axis] for axis in x.layout.order]
    factors = [n if m == 1 else 1 for n, m in zip(ours[:2], mine[:2], strict=True)]
    if factors == [1, 1]:
        return x
    dims = list(x.shape)
    for axis, factor in zip(x.layout.order, factors, strict=False):
        dims[axis] *= factor
    op = Upsample((factors[0], factors[1]))
    return builder.emit(op, (x,), x.layout.resized(tuple(dims)), Site(f"{site.name}_spread", ""))
