# SPDX-License-Identifier: Apache-2.0
"""What only renames or moves elements, as ONNX has them."""

from __future__ import annotations

import math

import numpy as np

from intaglio.frontend.builder import Activation, Dropped, Site, UnsupportedError
from intaglio.frontend.geometry import (
    frame_axes,
    frame_target,
    squeezed,
    unsqueezed,
)
from intaglio.frontend.layers import shapes
from intaglio.frontend.onnx.call import Call, Operators, Result
from intaglio.ops.depth_to_space import MODES


def _flatten(call: Call) -> Result:
    x = call.activation()
    axis = call.integer("axis", 1)
    if axis not in (1, -len(x.shape)):
        raise UnsupportedError(f"axis must be 1, not {axis}", "Flatten with axis=1")
    return shapes.reshape(call.builder, x, (math.prod(x.shape),), call.site)


def _reshape(call: Call) -> Result:
    x, target = call.activation(), call.integers_or_operand("shape", 1) or ()
    if not call.flag("allowzero", 0):
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


def _size(call: Call) -> Result:
    return np.array(call.batch * math.prod(call.activation().shape), np.int64)


def _concat(call: Call) -> Result:
    parts = [call.activation(index) for index in range(len(call.operands))]
    return shapes.concat(call.builder, parts, call.frame_axis(1), call.site)


def _slice(call: Call) -> Result:
    x = call.activation()
    rank = len(x.shape) + 1
    starts, ends = (call.integers_or_operand(key, i) for key, i in (("starts", 1), ("ends", 2)))
    if starts is None or ends is None:
        raise UnsupportedError("starts and ends must be given")
    axes = call.integers_or_operand("axes", 3) or tuple(range(len(starts)))
    steps = call.integers_or_operand("steps", 4) or (1,) * len(starts)
    if not len(axes) == len(starts) == len(ends) == len(steps) or 0 in steps:
        raise UnsupportedError("starts, ends, axes and steps must be as many, no step being 0")
    dims = [call.batch, *x.shape]
    ranges = [range(n) for n in dims]
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        if not -rank <= axis < rank:
            raise UnsupportedError(f"axes must be of {rank}, not {list(axes)}")
        ranges[axis] = range(*slice(start, end, step).indices(dims[axis]))
        if axis % rank == 0 and ((start, step) != (0, 1) or end < _FAR):
            raise UnsupportedError("the batch axis must stay whole")
    return shapes.cut(call.builder, x, ranges[1:], call.site)


def _split(call: Call) -> Result:
    x, axis = call.activation(), call.frame_axis(0)
    size, count = x.shape[axis], len(call.node.outputs)
    if (told := call.integer("num_outputs", count)) != count:
        raise UnsupportedError(f"attribute num_outputs must be {count}, not {told}")
    each = -(-size // count)
    parts = call.integers_or_operand("split", 1)
    if parts is None:
        parts = tuple(min(each, size - i * each) for i in range(count))
    if len(parts) != count or sum(parts) != size or min(parts) < 1:
        raise UnsupportedError(
            f"its parts must be {count} of {size} in all, each at least 1, not {list(parts)}"
        )
    results: list[Activation | None] = []
    for index, part in enumerate(parts):
        ranges = [range(n) for n in x.shape]
        ranges[axis] = range(sum(parts[:index]), sum(parts[:index]) + part)
        wanted = call.wanted[index]
        results.append(shapes.cut(call.builder, x, ranges, call.site_of(index)) if wanted else None)
    return tuple(results)


def _gather(call: Call) -> Result:
    """Places at equal distances, or a single one."""
    x, axis = call.activation(), call.frame_axis(0)
    places = call.array(1)
    size = x.shape[axis]
    if not np.issubdtype(places.dtype, np.integer) or places.ndim > 1 or not places.size:
        raise UnsupportedError("its indices must be one number or a list of them", "Slice")
    if places.min() < -size or places.max() >= size:
        raise UnsupportedError(f"its indices must be of {size} places, not {places.tolist()}")
    numbers = [int(n) % size for n in places.reshape(-1)]
    step = numbers[1] - numbers[0] if len(numbers) > 1 else 1
    ranges = [range(n) for n in x.shape]
    ranges[axis] = range(numbers[0], numbers[0] + step * len(numbers), step or 1)
    if list(ranges[axis]) != numbers:
        raise UnsupportedError("its indices must go up by equal steps", "Slice")
    y = shapes.cut(call.builder, x, ranges, call.site)
    if places.ndim:
        return y
    target = tuple(n for i, n in enumerate(y.shape) if i != axis)
    return shapes.reshape(call.builder, y, target, Site(f"{call.site.name}_flat", ""))


def _expand(call: Call) -> Result:
    x, target = call.activation(), call.integers_or_operand("shape", 1) or ()
    shape = np.broadcast_shapes((call.batch, *x.shape), target)
    if shape[1:] != x.shape or len(target) > len(shape):
        raise UnsupportedError(f"it must keep the frame {list(x.shape)}, not be {list(target)}")
    return Dropped(x, "it changes nothing")


def _depth_to_space(call: Call) -> Result:
    x, _, _ = call.image()
    mode = call.word("mode", "DCR").lower()
    block = call.integer("blocksize", 0)
    if block < 1 or mode not in MODES:
        raise UnsupportedError(
            f"blocksize must be at least 1 and mode DCR or CRD, not {block} and {mode.upper()}"
        )
    return shapes.depth_to_space(call.builder, x, block, mode, call.site)


def _space_to_depth(call: Call) -> Result:
    x, _, _ = call.image()
    return shapes.space_to_depth(call.builder, x, call.integer("blocksize", 0), call.site)


#: A slice to here or further is to the end, whatever the batch.
_FAR = (1 << 31) - 1

OPERATORS: Operators = {
    ("", "Concat"): _concat,
    ("", "DepthToSpace"): _depth_to_space,
    ("", "Expand"): _expand,
    ("", "Flatten"): _flatten,
    ("", "Gather"): _gather,
    ("", "Reshape"): _reshape,
    ("", "Shape"): _shape,
    ("", "Size"): _size,
    ("", "Slice"): _slice,
    ("", "SpaceToDepth"): _space_to_depth,
    ("", "Split"): _split,
    ("", "Squeeze"): _squeeze,
    ("", "Transpose"): _transpose,
    ("", "Unsqueeze"): _unsqueeze,
}
