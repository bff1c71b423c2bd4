# SPDX-License-Identifier: Apache-2.0
"""Requantizing moves in front of operators that only move elements, and no bit changes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.arch.dataflow import hardware_graph, node_unit
from intaglio.hw.memory import Kind, Memory
from intaglio.hw.unit import StreamOperator
from intaglio.ir.constant import Constant
from intaglio.ir.execute import run_frames
from intaglio.ir.graph import Graph, Node, Program
from intaglio.ir.operator import Operator
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.conv_transpose2d import ConvTranspose2d
from intaglio.ops.depth_to_space import MODES, DepthToSpace
from intaglio.ops.flatten import Flatten
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.reshape import Reshape
from intaglio.ops.slice import Slice
from intaglio.ops.transpose import Transpose
from intaglio.ops.upsample import Upsample
from intaglio.passes import lower, requantize_first, run_passes
from tests.programs import S8, U8, codes, program
from tests.strategies import Network, networks

S20, FACTORS = IntType.parse("s20"), IntType.parse("u12")
MOVES: tuple[Operator, ...] = (
    *(DepthToSpace((2, 1), mode) for mode in MODES),
    Slice((0, 1, 1), (2, 4, 6), (1, 2, 1)),
    Transpose((1, 0, 2)),
    Transpose((2, 0, 1)),
    Reshape((4, 2, 6)),
    Flatten(),
    Upsample((2, 3)),
)


def moved(ops: Sequence[Operator], factors: int, element: IntType = U8) -> Program:
    """Operators one after another on an image of accumulators, and the requantize behind them."""
    nodes, tip = [], "x"
    for index, op in enumerate(ops):
        nodes.append(Node(f"move{index}", op, (tip,)))
        tip = nodes[-1].name
    nodes.append(Node("y", Requantize(14, 3, element), (tip, "m"), "source"))
    return program((2, 4, 6), nodes, {"m": codes(FACTORS, factors)}, S20)


@given(networks())
def test_random_networks_mean_the_same(network: Network) -> None:
    graph = run_passes(network.program.graph, [lower, requantize_first])
    expected = run_frames(network.program.graph, network.frames)
    np.testing.assert_array_equal(run_frames(graph, network.frames), expected)


@pytest.mark.parametrize("op", MOVES, ids=str)
def test_one_multiplier_goes_before_every_move(op: Operator) -> None:
    before = moved([op], 1).graph
    after = run_passes(before, [requantize_first])
    assert [node.op for node in after.nodes] == [Requantize(14, 3, U8), op]
    assert [node.name for node in after.nodes] == ["move0.requantize", "y"]
    assert after.nodes[-1].origin == "source"


@pytest.mark.parametrize(
    ("op", "origin"),
    [
        (DepthToSpace((2, 1), "dcr"), [0, 1, 2, 0, 1, 2]),
        (DepthToSpace((2, 1), "crd"), [0, 0, 1, 1, 2, 2]),
        (Slice((0, 0, 2), (2, 4, 6), (1, 1, 2)), [0, 0, 0, 0, 1, 0]),
        (Slice((0, 1, 1), (1, 4, 6), (1, 1, 1)), [0, 0, 1, 2, 3, 4]),
        (Transpose((1, 0, 2)), [0, 1, 2, 3, 4, 5]),
        (Upsample((2, 1)), [0, 1, 2, 3, 4, 5]),
    ],
    ids=str,
)
def test_multipliers_follow_their_channels(op: Operator, origin: list[int]) -> None:
    before = moved([op], max(origin) + 1).graph
    after = run_passes(before, [requantize_first])
    found = after.constants["move0.requantize.multiplier"].data
    assert found.tolist() == before.constants["m"].data[origin].tolist()
    assert after.nodes[-1].op == op


@pytest.mark.parametrize(
    "op", [Transpose((2, 1, 0)), Transpose((0, 2, 1)), Reshape((4, 3, 4)), Flatten()], ids=str
)
def test_a_channel_that_needs_several_multipliers_is_moved_first(op: Operator) -> None:
    (image,) = moved([op], 1).graph.operand_types(moved([op], 1).graph.nodes[0])
    before = moved([op], op.infer(image).channels).graph
    assert requantize_first(before).nodes == before.nodes


@given(st.lists(st.sampled_from([DepthToSpace((1, 1)), Transpose((1, 0, 2)), Upsample((1, 2))])))
def test_a_requantize_goes_before_a_row_of_moves(ops: list[Operator]) -> None:
    after = run_passes(moved(ops, 6).graph, [requantize_first])
    assert [type(node.op) for node in after.nodes] == [Requantize, *map(type, ops)]
    assert after.nodes[-1].name == "y"


def test_what_another_reads_or_computes_or_would_be_widened_stays() -> None:
    widened = moved([Transpose((1, 0, 2))], 6, IntType.parse("s24")).graph
    computed = moved([Relu()], 6).graph
    read = moved([Transpose((1, 0, 2))], 6).graph
    both = (*read.nodes, Node("z", Add(), ("y", "move0")))
    read = Graph("g", read.inputs, both, ("z",), read.constants)
    given_out = Graph("g", read.inputs, both[:2], ("y", "move0"), read.constants)
    for graph in (widened, computed, read, given_out):
        assert requantize_first(graph).nodes == graph.nodes


def bits(graph: Graph) -> int:
    """Bits of all memories that are written to."""
    found = 0
    for node in graph.nodes:
        assert isinstance(node.op, StreamOperator)
        unit = node_unit(graph, node, next(iter(node.op.folds(graph.operand_types(node)))))
        for part, count in unit.resources.parts if unit else ():
            if isinstance(part, Memory) and part.kind is Kind.RAM:
                found += part.width * part.depth * count
    return found


@pytest.mark.parametrize("groups", [1, 3])
def test_a_transposed_convolution_stores_narrow_elements(groups: int) -> None:
    op = ConvTranspose2d((2, 2), (1, 1, 1, 1), groups=groups)
    constants = {
        "w": codes(S8, 6, 4, 4, 3 // groups),
        "b": Constant.integers(np.arange(6)),
        "m": codes(FACTORS, 6),
    }
    nodes = [Node("t", op, ("x", "w", "b")), Node("y", Requantize(14, 3, U8), ("t", "m"))]
    made = program((5, 6, 3), nodes, constants)
    lowered = lower(made.graph)
    after = hardware_graph(made)
    accumulators = lowered.types["t.turns"].integer.width
    assert after.types["t.woven.requantize"].integer == U8
    assert bits(after) < bits(lowered)
    moves = [node.name for node in after.nodes if node.op.rearranges]
    assert {after.types[name].integer.width for name in moves} == {8}
    assert accumulators > 2 * 8
