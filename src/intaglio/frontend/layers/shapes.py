# SPDX-License-Identifier: Apache-2.0
"""Layers that only rename or move elements."""

from __future__ import annotations

from dataclasses import replace

from intaglio.frontend.builder import (
    Activation,
    Builder,
    Site,
    UnsupportedError,
)
from intaglio.frontend.layout import MAX_RANK


def reshape(builder: Builder, x: Activation, target: tuple[int, ...], site: Site) -> Activation:
    """Give a frame another shape in the source's order of elements."""
    if target == x.shape:
        return x
    if len(target) > MAX_RANK:
        raise UnsupportedError(f"a frame must have at most {MAX_RANK} axes, not {len(target)}")
    layout = x.layout.reshaped(target)
    if layout is None:
        raise UnsupportedError(
            f"an image {list(x.shape)} must become a vector or keep its axes, "
            f"not turn into {list(target)}",
            "Flatten",
        )
    return builder.renamed(x, layout, site)


def transpose(x: Activation, permutation: tuple[int, ...]) -> Activation:
    """Follow a transpose of the source: our elements stay."""
    if x.layout.flattened:
        raise UnsupportedError("a flattened image must not be transposed")
    return replace(x, layout=x.layout.transposed(permutation))
