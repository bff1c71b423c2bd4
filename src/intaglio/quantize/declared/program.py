# SPDX-License-Identifier: Apache-2.0
"""A network that has quantizers of its own becomes a program with exactly their integers.

Nothing is chosen here: every code is the one that the network's real arithmetic gives. What is
between two quantizers (weights, bias, batch norm, rectifier) is a monotone function of an integer
accumulator with a few values, and becomes one multiplication and one shift that are proven equal to
it for every accumulator there can be (`fit`). What cannot be had so is refused by node.

Real arithmetic is float64: exact where scales are powers of two. A network that was computed in
float32 may round a number the other way that lies within its rounding of a threshold.
"""

from __future__ import annotations

import numpy as np

from intaglio.errors import QuantizationError
from intaglio.ir.graph import Graph, Program
from intaglio.numerics.types import IntType
from intaglio.ops.fake_quantize import FakeQuantize
from intaglio.ops.multi_threshold import MultiThreshold
from intaglio.passes.check import equal_on_random_input
from intaglio.quantize.declared.carrier import Carrier
from intaglio.quantize.declared.lowering import Lowering
from intaglio.quantize.declared.order import quantize_first
from intaglio.quantize.declared.rules import RULES
from intaglio.quantize.declared.sources import Entrance
from intaglio.quantize.declared.steps import steps_of
from intaglio.quantize.scores import scores_only


def has_quantizers(graph: Graph) -> bool:
    """Tell whether a network says itself where and how it is quantised."""
    return any(isinstance(node.op, FakeQuantize | MultiThreshold) for node in graph.nodes)


def integers(graph: Graph, *, exact: bool = True) -> Program:
    """Return the program of a network with quantizers of its own.

    Where multipliers of 16 bits do not give every accumulator its code, wider ones are taken; or
    else, if it need not be exact, the nearest, and a note says how many accumulators they miss.

    Raises:
        QuantizationError: a node has no exact integers; the text names it and says what would help.
    """
    if len(graph.inputs) != 1:
        raise QuantizationError(f"a graph must have one input, not {len(graph.inputs)}")
    graph, notes = scores_only(graph)
    ordered = quantize_first(graph)
    if ordered is not graph:
        equal_on_random_input(graph, ordered, "quantizing before moving")
    lowering = Lowering(ordered, exact, list(notes))
    (value,) = ordered.inputs
    lowering.carry(
        value.name,
        Carrier.of(Entrance(value.name, IntType(1, signed=False)), np.ones(1), np.zeros(1)),
    )
    for node in ordered.nodes:
        steps = steps_of(node, ordered.constants)
        if steps is not None:
            lowering.carry(node.name, lowering.quantize(node, node.inputs[0], steps))
        elif type(node.op) in RULES:
            RULES[type(node.op)](lowering, node, node.op)
        else:
            known = ", ".join(sorted(op.name for op in RULES))
            raise QuantizationError(f"{node} must be a quantizer or one of {known}")
    for name in ordered.outputs:
        lowering.finish(name)
    return lowering.program()
