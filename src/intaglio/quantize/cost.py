# SPDX-License-Identifier: Apache-2.0
"""What the bits of a layer cost: weights to be stored, bits to be multiplied, tables for that."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields

from intaglio.hw.multiplier_rows import rows_resources
from intaglio.ir.graph import Graph, Node
from intaglio.numerics.types import IntType
from intaglio.quantize.scheme import Scheme
from intaglio.quantize.weights import BINARY, ENTRIES

#: Cycles a frame for which multipliers are counted, where nothing else is said.
INTERVAL = 10_000


@dataclass(frozen=True)
class Cost:
    """Of a network or a layer of it.

    `size` is bits of all weights, indices where there is a codebook. `macs` is products a frame,
    each times the bits of both its operands. `luts` is 4-input tables of as many multipliers made
    of tables as make a frame in an interval.
    """

    size: int = 0
    macs: int = 0
    luts: int = 0

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.size + other.size, self.macs + other.macs, self.luts + other.luts)


#: What a budget can be of.
BUDGETS = tuple(field.name for field in fields(Cost))


def layer_cost(
    graph: Graph, node: Node, scheme: Scheme, x: IntType, interval: int = INTERVAL
) -> Cost:
    """Return what a layer with weights costs by its scheme, when it reads codes of a type."""
    weights, products = graph.constants[node.inputs[1]].data.size, graph.macs(node)
    held = _held(scheme)
    multipliers = math.ceil(products / interval)
    return Cost(
        size=weights * scheme.weight_type.width,
        macs=products * scheme.weight_type.width * x.width,
        luts=multipliers * rows_resources(x, held).lut,
    )


def _held(scheme: Scheme) -> IntType:
    """Return the type that weights are multiplied in."""
    match scheme.weight_rule:
        case "codebook":
            return ENTRIES
        case "affine":
            return IntType(scheme.weight_type.width + 1, signed=True)
        case _:
            return BINARY if scheme.weights == "s1" else scheme.weight_type
