# SPDX-License-Identifier: Apache-2.0
"""Layers that work element by element, and the largest of a vector."""

from __future__ import annotations

import math

import numpy as np

from intaglio.frontend.builder import (
    Activation,
    Builder,
    Site,
    UnsupportedError,
)
from intaglio.frontend.layout import Layout
from intaglio.ops.add import Add
from intaglio.ops.argmax import Argmax
from intaglio.ops.clip import Clip
from intaglio.ops.relu import Relu


def add(builder: Builder, x: Activation, y: Activation, site: Site) -> Activation:
    """Add two values of one shape."""
    if x.layout != y.layout:
        raise UnsupportedError(
            f"operands must have one shape and order, not {list(x.shape)} and {list(y.shape)}",
            "give both operands the same shape before",
        )
    return builder.emit(Add(), (x, y), x.layout, site)


def relu(builder: Builder, x: Activation, site: Site) -> Activation:
    """Rectify."""
    return builder.emit(Relu(), (x,), x.layout, site)


def clip(builder: Builder, x: Activation, low: float, high: float, site: Site) -> Activation:
    """Clamp; an open side is infinite."""
    if math.isnan(low) or math.isnan(high):
        raise UnsupportedError("bounds must be numbers, not NaN")
    largest = float(np.finfo(np.float32).max)
    if low == 0 and high >= largest:
        return relu(builder, x, site)
    op = Clip(max(float(low), -largest), min(float(high), largest))
    return builder.emit(op, (x,), x.layout, site)


def argmax(builder: Builder, x: Activation, site: Site) -> Activation:
    """Find the largest element of a vector."""
    if len(x.shape) != 1 or x.layout.flattened:
        raise UnsupportedError(f"argmax must be over a vector of scores, not {list(x.shape)}")
    return builder.emit(Argmax(), (x,), Layout.of((1,), channels_first=False), site)
