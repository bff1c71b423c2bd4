# SPDX-License-Identifier: Apache-2.0
"""What only renames or moves elements, as ONNX has them."""

from __future__ import annotations

import math

from intaglio.frontend.builder import UnsupportedError
from intaglio.frontend.geometry import (
    frame_axes,
    frame_target,
    squeezed,
    unsqueezed,
)
from intaglio.frontend.layers import shapes
from intaglio.frontend.onnx.call import Call, Operators, Result


def _flatten(call: Call) -> Result:
    x = call.activation()
    axis = call.integer("axis", 1)
    if axis not in (1, -len(x.shape)):
        raise UnsupportedError(f"axis must be 1, not {axis}", "Flatten with axis=1")
    return shapes.reshape(call.builder, x, (math.prod(x.shape),), call.site)


def _reshape(call: Call) -> Result:
    x, target = call.activation(), call.integers_or_operand("shape", 1) or ()
    if not call.integer("allowzero", 0):
        dims = (call.batch, *x.shape)
        target = tuple(dims[i] if n == 0 and i < len(dims) else n for i, n in enumerate(target))
    return shapes.reshape(call.builder, x, frame_target(x.shape, call.batch, target), call.site)


def _squeeze(call: Call) -> Result:
    x, axes = call.activation(), call.axes(1)
    if axes is None:
        raise UnsupportedError("axes must be given, the batch not among them")
    frame = frame_axes(axes, len(x.shape) + 1)
    return shapes.reshape(call.builder, x, squeezed(x.shape, frame), call.site)


def _unsqueeze(call: Call) -> Result:
    x, axes = call.activation(), call.axes(1) or ()
    frame = frame_axes(axes, len(x.shape) + len(axes) + 1)
    return shapes.reshape(call.builder, x, unsqueezed(x.shape, frame), call.site)


def _transpose(call: Call) -> Result:
    x = call.activation()
    permutation = call.integers("perm", tuple(range(len(x.shape), -1, -1))) or ()
    if sorted(permutation) != list(range(len(x.shape) + 1)) or permutation[0] != 0:
        raise UnsupportedError(f"perm must keep the batch axis first, not be {list(permutation)}")
    return shapes.transpose(x, tuple(axis - 1 for axis in permutation[1:]))


def _shape(call: Call) -> Result:
    return call.shape_slice((call.batch, *call.activation().shape))


OPERATORS: Operators = {
    ("", "Flatten"): _flatten,
    ("", "Reshape"): _reshape,
    ("", "Shape"): _shape,
    ("", "Squeeze"): _squeeze,
    ("", "Transpose"): _transpose,
    ("", "Unsqueeze"): _unsqueeze,
}
