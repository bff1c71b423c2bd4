# SPDX-License-Identifier: Apache-2.0
"""Borders around images: of one number, or of pixels that are there. Cutting them off again."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from intaglio.frontend.builder import Activation, Builder, Site, UnsupportedError
from intaglio.frontend.layers.shapes import concat, cut
from intaglio.frontend.layout import CHANNELS_FIRST
from intaglio.ops.pad import Pad

#: Rows and columns of a border that are copied one by one.
MAX_COPIED = 16


def pad(
    builder: Builder,
    x: Activation,
    around: Sequence[tuple[int, int]],
    mode: str,
    value: float,
    site: Site,
) -> Activation:
    """Surround a frame; a negative number cuts off.

    Args:
        builder: the graph.
        x: the frame.
        around: how many places before and after, for each axis of the source.
        mode: constant, edge, reflect or wrap.
        value: the constant.
        site: where it comes from.
    """
    if any(n < 0 for sides in around for n in sides):
        x, around = _without(builder, x, around, site)
    if not any(n for sides in around for n in sides):
        return x
    if mode == "constant":
        return _constant(builder, x, around, value, site)
    if mode not in _SOURCES:
        raise UnsupportedError(f"mode must be one of constant, {', '.join(_SOURCES)}, not {mode}")
    if sum(n for sides in around for n in sides) > MAX_COPIED:
        raise UnsupportedError(
            f"a border that is not constant must be at most {MAX_COPIED} wide in all",
            "constant padding",
        )
    last = max(axis for axis, sides in enumerate(around) if any(sides))
    for axis, sides in enumerate(around):
        if any(sides):
            here = site if axis == last else Site(f"{site.name}_{axis}", "")
            x = _copied(builder, x, axis, sides, mode, here)
    return x


def _constant(
    builder: Builder, x: Activation, around: Sequence[tuple[int, int]], value: float, site: Site
) -> Activation:
    if not math.isfinite(value) or int(value) != value:
        raise UnsupportedError(f"the padding value must be an integer, not {value:g}")
    if len(around) != len(CHANNELS_FIRST) or any(around[0]):
        raise UnsupportedError(
            f"padding must be around images [N, C, H, W] only, not {[list(n) for n in around]}"
        )
    (top, bottom), (left, right) = around[1:]
    x = builder.image(x, site)
    return builder.image_node(Pad((top, left, bottom, right), int(value)), x, site)


def _without(
    builder: Builder, x: Activation, around: Sequence[tuple[int, int]], site: Site
) -> tuple[Activation, list[tuple[int, int]]]:
    """Cut off what is negative; return what is left to add."""
    ranges = [
        range(max(0, -before), size - max(0, -after))
        for size, (before, after) in zip(x.shape, around, strict=True)
    ]
    left = [(max(0, before), max(0, after)) for before, after in around]
    here = Site(f"{site.name}_cut", "") if any(map(any, left)) else site
    return cut(builder, x, ranges, here), left


def _copied(
    builder: Builder, x: Activation, axis: int, sides: tuple[int, int], mode: str, site: Site
) -> Activation:
    """Put copies of places before and behind an axis."""
    size = x.shape[axis]
    if mode != "edge" and max(sides) >= size:
        raise UnsupportedError(f"a border must be narrower than the {size} places it mirrors")
    source = _SOURCES[mode]
    numbers = [source(-n, size) for n in range(sides[0], 0, -1)]
    numbers += [source(size + n, size) for n in range(sides[1])]

    def place(number: int, index: int) -> Activation:
        ranges = [range(n) for n in x.shape]
        ranges[axis] = range(number, number + 1)
        return cut(builder, x, ranges, Site(f"{site.name}_{axis}_{index}", ""))

    copies = [place(number, index) for index, number in enumerate(numbers)]
    return concat(builder, [*copies[: sides[0]], x, *copies[sides[0] :]], axis, site)


#: Which place of an axis of a size stands at a place outside.
_SOURCES: Mapping[str, Callable[[int, int], int]] = {
    "edge": lambda place, size: min(max(place, 0), size - 1),
    "reflect": lambda place, size: -place if place < 0 else 2 * (size - 1) - place,
    "wrap": lambda place, size: place % size,
}
