# SPDX-License-Identifier: Apache-2.0
"""Layers that only rename or move elements."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from intaglio.frontend.builder import Activation, Builder, Site, UnsupportedError
from intaglio.frontend.layout import MAX_RANK, Layout
from intaglio.ops.concat import Concat
from intaglio.ops.depth_to_space import DepthToSpace
from intaglio.ops.slice import Slice


def reshape(builder: Builder, x: Activation, target: tuple[int, ...], site: Site) -> Activation:
    """Give a frame another shape in the source's order of elements."""
    if target == x.shape:
        return x
    if len(target) > MAX_RANK:
        raise UnsupportedError(f"a frame must have at most {MAX_RANK} axes, not {len(target)}")
    layout = x.layout.reshaped(target)
    if layout is not None:
        return builder.renamed(x, layout, site)
    x = plain(builder, x, site)
    return builder.renamed(x, Layout.in_order(target), site)


def transpose(x: Activation, permutation: tuple[int, ...]) -> Activation:
    """Follow a transpose of the source: our elements stay."""
    if x.layout.flattened:
        return x
    return replace(x, layout=x.layout.transposed(permutation))


def concat(builder: Builder, parts: Sequence[Activation], axis: int, site: Site) -> Activation:
    """Join frames along an axis of the source."""
    first = builder.straight(parts[0], site)
    for index, part in enumerate(parts[1:], 2):
        shapes = [shape[:axis] + shape[axis + 1 :] for shape in (first.shape, part.shape)]
        if len(part.shape) != len(first.shape) or shapes[0] != shapes[1]:
            raise UnsupportedError(
                f"its operands must have one shape but for the axis, "
                f"not {list(first.shape)} and {list(part.shape)}"
            )
        last = index == len(parts)
        here = site if last else Site(f"{site.name}_{index}", "")
        other = builder.ordered(builder.straight(part, here), first.layout.order, here)
        size = first.shape[axis] + other.shape[axis]
        dims = (*first.shape[:axis], size, *first.shape[axis + 1 :])
        layout = first.layout.resized(dims)
        first = builder.emit(Concat(layout.axis(axis)), (first, other), layout, here)
    return first


def cut(builder: Builder, x: Activation, ranges: Sequence[range], site: Site) -> Activation:
    """Take a range of places of each axis of the source."""
    if list(ranges) == [range(size) for size in x.shape]:
        return x
    if any(len(places) == 0 or places.step < 1 for places in ranges):
        raise UnsupportedError("a slice must take something, forwards")
    x = builder.straight(x, site)
    dims = tuple(map(len, ranges))
    layout = x.layout.resized(dims)
    ours = [ranges[axis] for axis in layout.order]
    op = Slice(
        tuple(places.start for places in ours),
        tuple(places[-1] + 1 for places in ours),
        tuple(places.step for places in ours),
    )
    return builder.emit(op, (x,), layout, site)


def depth_to_space(
    builder: Builder, x: Activation, block: int, mode: str, site: Site
) -> Activation:
    """Turn channels into blocks of pixels."""
    return builder.image_node(DepthToSpace((block, block), mode), builder.image(x, site), site)


def space_to_depth(builder: Builder, x: Activation, block: int, site: Site) -> Activation:
    """Turn blocks of pixels into channels: the place in the block goes before the channel."""
    _, height, width = x.shape
    if block < 1 or height % block or width % block:
        raise UnsupportedError(f"a block must divide {height}x{width}, not be {block}")
    channels = range(x.shape[0])
    parts = [
        cut(
            builder,
            x,
            (channels, range(row, height, block), range(column, width, block)),
            Site(f"{site.name}_{row}_{column}", ""),
        )
        for row in range(block)
        for column in range(block)
    ]
    return concat(builder, parts, 0, site)


def plain(builder: Builder, x: Activation, site: Site) -> Activation:
    """Return x with all elements in the source's order."""
    if x.layout.flattened:
        return builder.straight(x, site)
    order = tuple(range(len(x.shape)))
    return builder.ordered(x, order, Site(f"{site.name}_order", ""))
