# SPDX-License-Identifier: Apache-2.0
"""Images of another size: pixels repeated or left out, or interpolated to twice the size."""

from __future__ import annotations

import numpy as np

from intaglio.frontend.builder import Activation, Builder, Site, UnsupportedError
from intaglio.frontend.layers.shapes import cut
from intaglio.ops.upsample import Upsample
from intaglio.ops.upsample_bilinear import UpsampleBilinear


def nearest(
    builder: Builder, x: Activation, rows: np.ndarray, columns: np.ndarray, site: Site
) -> Activation:
    """Take pixels by number.

    Args:
        builder: the graph.
        x: an image.
        rows: which row of x each row of the result is.
        columns: the same for columns.
        site: where it comes from.

    Raises:
        UnsupportedError: the numbers neither repeat each pixel as often nor take each n-th.
    """
    x = builder.image(x, site)
    channels, height, width = x.shape
    factors = [_factor(places, size) for places, size in ((rows, height), (columns, width))]
    ranges = [_range(places) for places in (rows, columns)]
    if all(factors):
        return builder.image_node(Upsample((factors[0], factors[1])), x, site)
    if ranges[0] is None or ranges[1] is None:
        raise UnsupportedError(
            f"pixels must be repeated a whole number of times, not {height}x{width} to "
            f"{len(rows)}x{len(columns)}",
            "Resize by a whole factor, nearest",
        )
    return cut(builder, x, (range(channels), ranges[0], ranges[1]), site)


def bilinear(
    builder: Builder,
    x: Activation,
    size: tuple[int, int],
    scales: tuple[float, float],
    site: Site,
) -> Activation:
    """Interpolate between the centers of pixels, to twice the size.

    Args:
        builder: the graph.
        x: an image.
        size: height and width of the result.
        scales: what its coordinates are divided by, which need not be the quotient of the sizes.
        site: where it comes from.

    Raises:
        UnsupportedError: the size or a scale is another.
    """
    x = builder.image(x, site)
    if size != (2 * x.shape[1], 2 * x.shape[2]) or scales != (2.0, 2.0):
        raise UnsupportedError(
            f"bilinear interpolation must be to twice the size, not {x.shape[1]}x{x.shape[2]} to "
            f"{size[0]}x{size[1]} by {scales[0]:g} and {scales[1]:g}",
            "Resize by 2, one after another",
        )
    return builder.image_node(UpsampleBilinear(), x, site)


def _factor(places: np.ndarray, size: int) -> int:
    """Return how often each of `size` pixels is repeated, 0 where that is not what happens."""
    factor = len(places) // size
    same = factor * size == len(places) and np.array_equal(places, np.arange(len(places)) // factor)
    return factor if factor and same else 0


def _range(places: np.ndarray) -> range | None:
    """Return numbers as a range where they go up by the same step."""
    step = int(places[1] - places[0]) if len(places) > 1 else 1
    first = int(places[0])
    found = range(first, first + step * len(places), step) if step > 0 else None
    return found if found is not None and np.array_equal(places, np.array(found)) else None
