# SPDX-License-Identifier: Apache-2.0
"""What only renames or moves elements, as ATen has them."""

from __future__ import annotations

import math

from intaglio.frontend.aten.call import Call, Operators, Result
from intaglio.frontend.builder import UnsupportedError
from intaglio.frontend.geometry import (
    frame_axes,
    frame_target,
    squeezed,
    unsqueezed,
)
from intaglio.frontend.layers import shapes


def _flatten(call: Call) -> Result:
    x = call.activation()
    rank = len(x.shape) + 1
    start, end = call.get(1, "start_dim", 0), call.get(2, "end_dim", -1)
    if start % rank != 1 or end % rank != rank - 1:
        raise UnsupportedError(f"it must flatten whole frames, not axes {start} to {end}")
    return shapes.reshape(call.builder, x, (math.prod(x.shape),), call.site)


def _view(call: Call) -> Result:
    x, target = call.activation(), call.integers(1, "size")
    return shapes.reshape(call.builder, x, frame_target(x.shape, call.batch, target), call.site)


def _squeeze(call: Call) -> Result:
    x, axes = call.activation(), call.integers(1, "dim")
    frame = frame_axes(axes, len(x.shape) + 1)
    ones = [axis for axis in frame if x.shape[axis] == 1]
    if not axes:
        raise UnsupportedError("dim must be given, the batch not among them")
    return shapes.reshape(call.builder, x, squeezed(x.shape, ones), call.site)


def _unsqueeze(call: Call) -> Result:
    x, axes = call.activation(), call.integers(1, "dim")
    frame = frame_axes(axes, len(x.shape) + 2)
    return shapes.reshape(call.builder, x, unsqueezed(x.shape, frame), call.site)


def _permute(call: Call) -> Result:
    x, axes = call.activation(), call.integers(1, "dims")
    rank = len(x.shape) + 1
    if axes[:1] != (0,):
        raise UnsupportedError(f"dims must keep the batch axis first, not be {list(axes)}")
    return shapes.transpose(x, frame_axes(axes[1:], rank))


OPERATORS: Operators = {
    "aten._unsafe_view": _view,
    "aten.flatten": _flatten,
    "aten.permute": _permute,
    "aten.reshape": _view,
    "aten.squeeze": _squeeze,
    "aten.unsqueeze": _unsqueeze,
    "aten.view": _view,
}
