# SPDX-License-Identifier: Apache-2.0
"""What only renames or moves elements, as ATen has them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from intaglio.frontend.aten.call import Call, Operators, Result
from intaglio.frontend.builder import Activation, Dropped, Site, UnsupportedError
from intaglio.frontend.geometry import (
    frame_axes,
    frame_target,
    squeezed,
    unsqueezed,
)
from intaglio.frontend.layers import pointwise, resize, shapes
from intaglio.ops.windows import Pair


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


def _transpose(call: Call) -> Result:
    x = call.activation()
    axes = list(range(len(x.shape)))
    one, other = frame_axes([call.get(1, "dim0"), call.get(2, "dim1")], len(axes) + 1)
    axes[one], axes[other] = axes[other], axes[one]
    return shapes.transpose(x, tuple(axes))


def _cat(call: Call) -> Result:
    parts = call.get(0, "tensors")
    if not all(isinstance(part, Activation) for part in parts):
        raise UnsupportedError("its operands must come from the network's input")
    axis = frame_axes([call.get(1, "dim", 0)], len(parts[0].shape) + 1)[0]
    return shapes.concat(call.builder, parts, axis, call.site)


def _slice(call: Call) -> Result:
    x, axis = call.activation(), call.frame_axis(1)
    places = slice(call.get(2, "start"), call.get(3, "end"), call.get(4, "step", 1))
    return _cut(call, axis, range(*places.indices(x.shape[axis])), call.site)


def _select(call: Call) -> Result:
    x, axis = call.activation(), call.frame_axis(1)
    place = call.get(2, "index") % x.shape[axis]
    y = _cut(call, axis, range(place, place + 1), call.site)
    target = tuple(n for i, n in enumerate(x.shape) if i != axis)
    return shapes.reshape(call.builder, y, target, Site(f"{call.site.name}_flat", ""))


def _split(call: Call) -> Result:
    x, axis = call.activation(), call.frame_axis(2)
    sizes = call.get(1, "split_size")
    size = x.shape[axis]
    if isinstance(sizes, int):
        sizes = [min(sizes, size - start) for start in range(0, size, sizes)]
    return _parts(call, axis, sizes)


def _chunk(call: Call) -> Result:
    axis = call.frame_axis(2)
    size = call.activation().shape[axis]
    each = -(-size // call.get(1, "chunks"))
    return _parts(call, axis, [min(each, size - start) for start in range(0, size, each)])


def _gated(call: Call) -> Result:
    x, axis = call.activation(), call.frame_axis(1, -1)
    half = x.shape[axis] // 2
    one = _cut(call, axis, range(half), Site(f"{call.site.name}_value", ""))
    other = _cut(call, axis, range(half, 2 * half), Site(f"{call.site.name}_scores", ""))
    gate = Site(f"{call.site.name}_gate", "")
    shares = pointwise.function(call.builder, "sigmoid", (), other, gate)
    return pointwise.multiply(call.builder, one, shares, call.site)


def _parts(call: Call, axis: int, sizes: Sequence[int]) -> Result:
    ends = list(accumulate(sizes))
    return tuple(
        _cut(call, axis, range(end - size, end), Site(f"{call.site.name}_{index}", ""))
        for index, (size, end) in enumerate(zip(sizes, ends, strict=True))
    )


def _cut(call: Call, axis: int, places: range, site: Site) -> Activation:
    x = call.activation()
    ranges = [range(n) for n in x.shape]
    ranges[axis] = places
    return shapes.cut(call.builder, x, ranges, site)


def _pixel_shuffle(call: Call) -> Result:
    x, _ = call.image()
    return shapes.depth_to_space(call.builder, x, call.get(1, "upscale_factor"), "crd", call.site)


def _expand(call: Call) -> Result:
    x, target = call.activation(), call.integers(1, "size")
    if len(target) != len(x.shape) + 1 or any(
        n not in (-1, m) for n, m in zip(target[1:], x.shape, strict=True)
    ):
        raise UnsupportedError(f"it must keep the frame {list(x.shape)}, not be {list(target)}")
    return Dropped(x, "it changes nothing")


def _nearest(call: Call) -> Result:
    x, size = call.image()
    target, factors = _target(call, size, 2)
    rows, columns = map(_places, size, target, factors)
    return resize.nearest(call.builder, x, rows, columns, call.site)


def _bilinear(call: Call) -> Result:
    x, size = call.image()
    if call.get(2, "align_corners"):
        raise UnsupportedError("align_corners must be off")
    return resize.bilinear(call.builder, x, *_target(call, size, 3), call.site)


def _places(old: int, new: int, factor: float) -> np.ndarray:
    """Return which of the old places each new one is, in the 32-bit floats of torch.

    Source: `nearest_idx` of ATen, which takes once and twice the size as such, whatever the factor.
    """
    if new in (old, 2 * old):
        return np.arange(new) // (new // old)
    places = np.arange(new, dtype=np.float32) * np.float32(1 / factor)
    return np.minimum(places.astype(np.int64), old - 1)


def _target(call: Call, size: Pair, scales: int) -> tuple[Pair, tuple[float, float]]:
    """Return the new height and width, given as such or by factors, and the factors."""
    target, factors = call.get(1, "output_size"), call.get(scales, "scale_factors")
    if target is None and isinstance(factors, list | tuple) and len(factors) == 2:
        target = [math.floor(n * factor) for n, factor in zip(size, factors, strict=True)]
    elif target is None:
        raise UnsupportedError("its size or two scale factors must be given")
    else:
        factors = [new / n for n, new in zip(size, target, strict=True)]
    height, width = (int(n) for n in target)
    if min(height, width) < 1:
        raise UnsupportedError(f"its result must be at least 1 high and wide, not {[*target]}")
    return (height, width), (float(factors[0]), float(factors[1]))


OPERATORS: Operators = {
    "aten._unsafe_view": _view,
    "aten.cat": _cat,
    "aten.chunk": _chunk,
    "aten.expand": _expand,
    "aten.flatten": _flatten,
    "aten.glu": _gated,
    "aten.permute": _permute,
    "aten.pixel_shuffle": _pixel_shuffle,
    "aten.reshape": _view,
    "aten.select": _select,
    "aten.slice": _slice,
    "aten.split": _split,
    "aten.split_with_sizes": _split,
    "aten.squeeze": _squeeze,
    "aten.transpose": _transpose,
    "aten.unsqueeze": _unsqueeze,
    "aten.upsample_bilinear2d": _bilinear,
    "aten.upsample_nearest2d": _nearest,
    "aten.view": _view,
}
