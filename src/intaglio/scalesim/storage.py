# SPDX-License-Identifier: Apache-2.0
"""What a sparse filter takes in memory, in the representations that SCALE-Sim knows."""

from __future__ import annotations

import math

from intaglio.scalesim.topology import Layer

#: Bits of a word of positions.
WORD_BITS = 32


def storage(layer: Layer, representation: str) -> tuple[int, int | float, int | float]:
    """Return a filter's words, dense and sparse, and those of positions among the latter."""
    original, entries = layer.taps * layer.filters, layer.kept_taps * layer.filters
    if representation == "ellpack_block":
        metadata = entries * math.ceil(math.log2(layer.block)) / WORD_BITS
        return original, entries + metadata, metadata
    pointers = 1 + (layer.taps if representation == "csr" else layer.filters)
    return original, 2 * entries + pointers, entries + pointers
