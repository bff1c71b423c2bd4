# SPDX-License-Identifier: Apache-2.0
"""Programs as streams between units: lanes, forks, and what has no hardware."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given

from intaglio.arch.dataflow import capacity, dataflow, hardware_graph, over_capacity, require_fit
from intaglio.arch.design import Design, Endpoint
from intaglio.devices import device
from intaglio.errors import InfeasibleError, ModelError, VerificationError
from intaglio.hw.cost import Resources
from intaglio.hw.unit import Fold, StreamOperator
from intaglio.ir.constant import Constant
from intaglio.ir.graph import Graph, Node, Program, Value
from intaglio.ir.types import Quantization, TensorType
from intaglio.numerics.rounding import Rounding
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.flatten import Flatten
from intaglio.ops.matmul import Matmul
from intaglio.ops.pad import Pad
from intaglio.ops.relu import Relu
from intaglio.ops.requantize import Requantize
from intaglio.ops.reshape import Reshape
from tests.programs import S8, U8, codes, convolutional, program, residual
from tests.strategies import Network, networks

TARGET = device("ecp5-25f")


def smallest(made: Program) -> dict[str, Fold]:
    graph = hardware_graph(made)
    return {
        node.name: next(iter(node.op.folds(graph.operand_types(node))))
        for node in graph.nodes
        if isinstance(node.op, StreamOperator)
    }


def designed(made: Program, **folds: Fold) -> Design:
    return dataflow(made, TARGET, {**smallest(made), **folds})


@given(networks())
def test_every_stream_has_one_reader_that_agrees_on_its_shape(network: Network) -> None:
    design = dataflow(network.program, TARGET, network.folds)
    made = {("", name): stream for name, stream in design.inputs.items()}
    for instance in design.instances:
        for port, end in instance.sources.items():
            stream = made.pop((end.instance, end.port))
            assert stream == instance.unit.inputs[port]
        for port, stream in instance.unit.outputs.items():
            made[(instance.name, port)] = stream
    end = design.output
    assert made == {(end.instance, end.port): design.output_stream}
    assert len({instance.name for instance in design.instances}) == len(design.instances)


@given(networks())
def test_streams_carry_the_values_of_the_graph(network: Network) -> None:
    design = dataflow(network.program, TARGET, network.folds)
    for instance in design.instances:
        if instance.name in design.graph.types:
            type_, stream = design.graph.types[instance.name], instance.unit.outputs["out"]
            assert stream.element == type_.element
            assert stream.lanes * stream.beats == type_.size
    assert design.multipliers == sum(i.unit.multipliers for i in design.instances)


def test_the_short_branch_of_a_fork_is_buffered_until_the_long_one_gives() -> None:
    design = designed(residual())
    (end,) = design.buffers
    (buffer,) = [i for i in design.instances if i.name == end]
    assert buffer.sources["in"] == Endpoint(*end.rsplit(".", 1))
    assert [i.name for i in design.instances if Endpoint(end, "out") in i.sources.values()] == [
        "sum"
    ]
    assert design.cycles.interval == design.bottleneck.unit.interval


def stalls(design: Design, interval: int) -> bool:
    """Follow frames, and tell whether they come more slowly on average or not at all."""
    try:
        ends = [frame.last_out for frame in design.timing(80).frames]
    except VerificationError:
        return True
    return ends[-1] - ends[39] > 40 * interval


@given(networks())
def test_no_buffer_holds_a_beat_that_the_interval_does_not_need(network: Network) -> None:
    design = dataflow(network.program, TARGET, network.folds)
    for end, depth in design.buffers.items():
        others = {name: held for name, held in design.buffers.items() if name != end}
        for less in ([{**others, end: depth - 1}] if depth > 1 else []) + [others]:
            tighter = dataflow(network.program, TARGET, network.folds, less)
            assert stalls(tighter, design.cycles.interval)


def test_a_value_added_to_itself_is_forked() -> None:
    design = designed(program((2, 2, 3), [Node("sum", Add(), ("x", "x"))]))
    assert [i.unit.module for i in design.instances] == ["stream_fork", "adder"]


def test_an_input_renamed_before_it_is_read_has_the_lanes_of_its_reader() -> None:
    made = program(
        (2, 5, 3), [Node("turned", Reshape((2, 3, 5)), ("x",)), Node("y", Relu(), ("turned",))]
    )
    design = designed(made, y=Fold(5, 1, 5))
    assert design.inputs["x"].lanes == 5
    assert design.inputs["x"].beats == 6
    assert [i.name for i in design.instances] == ["y"]


def test_unequal_lanes_are_regrouped_in_one_step_or_two() -> None:
    made = program((2, 2, 6), [Node("a", Relu(), ("x",)), Node("b", Relu(), ("a",))])
    two = designed(made, a=Fold(2, 1, 2), b=Fold(3, 1, 3))
    assert [i.name for i in two.instances] == ["a", "b.width", "b.width1", "b"]
    one = designed(made, a=Fold(2, 1, 2), b=Fold(6, 1, 6))
    assert [i.name for i in one.instances] == ["a", "b.width", "b"]
    none = designed(made, a=Fold(2, 1, 2), b=Fold(2, 1, 2))
    assert [i.name for i in none.instances] == ["a", "b"]


def test_what_nothing_reads_is_not_built() -> None:
    made = program((2, 2, 1), [Node("unread", Relu(3), ("x",)), Node("y", Relu(), ("x",))])
    assert [i.name for i in designed(made).instances] == ["y"]


def refused(made: Program, text: str) -> None:
    with pytest.raises(ModelError, match=text):
        dataflow(made, TARGET, smallest(made))


def test_a_design_that_only_renames_is_refused() -> None:
    refused(program((2, 2, 1), [Node("y", Flatten(), ("x",))]), "'network' only renames its input")


def test_a_design_has_one_input_and_one_output() -> None:
    x, y = (Value(name, TensorType((2,), U8)) for name in ("x", "y"))
    meaning = dict.fromkeys(("x", "y", "sum", "a"), Quantization((1.0,)))
    two_in = Graph("g", (x, y), (Node("sum", Add(), ("x", "y")),), ("sum",), {})
    refused(Program(two_in, meaning), "must have one input, not 2")
    nodes = (Node("sum", Add(), ("x", "x")), Node("a", Relu(), ("x",)))
    refused(Program(Graph("g", (x,), nodes, ("sum", "a"), {}), meaning), "one output, not 2")


def test_operands_too_wide_for_a_multiplier_are_refused_by_name() -> None:
    wide = IntType(19, signed=True)
    dense = [Node("dense", Matmul(), ("x", "w", "b"))]
    constants = {"w": codes(S8, 2, 3), "b": codes(S8, 2)}
    refused(program((3,), dense, constants, wide), "matmul 'dense': x must fit 18 signed bits")
    constants["w"] = codes(IntType(18, signed=False), 2, 3)
    refused(program((3,), dense, constants), "weight must fit 18 signed bits in hardware, not u18")
    scaled = [Node("y", Requantize(4, 0, U8), ("x", "m"))]
    constants = {"m": Constant(np.array([3]), U8)}
    refused(
        program((3,), scaled, constants, IntType(36, signed=True)),
        "requantize 'y': what is requantized must fit 35 signed bits in hardware, not s36",
    )
    constants = {"m": Constant(np.array([1 << 34]), IntType(35, signed=False))}
    refused(program((3,), scaled, constants), "multiplier must fit 35 signed bits")


def test_a_rounding_that_is_not_built_is_refused_by_name() -> None:
    node = Node("y", Requantize(4, 0, U8, Rounding.FLOOR), ("x", "m"))
    made = program((3,), [node], {"m": Constant(np.array([3]), U8)})
    refused(made, "requantize 'y': rounding must be half_up in hardware, not floor")


def test_a_design_that_does_not_fit_says_by_how_much_and_what_would_help() -> None:
    design = designed(convolutional(), conv=Fold(2, 3, 4))
    assert require_fit(design) is design
    need = design.resources
    tiny = replace(design, device=replace(TARGET, dsp=need.dsp - 3, lut=need.lut - 7))
    with pytest.raises(InfeasibleError) as caught:
        require_fit(tiny)
    assert str(caught.value) == (
        f"a design must fit ecp5-25f, not need lut {need.lut} of {need.lut - 7} (7 too many: fewer "
        f"lanes or narrower weights); dsp {need.dsp} of {need.dsp - 3} (3 too many: fewer lanes)"
    )


def test_capacity_is_what_the_device_has() -> None:
    assert capacity(TARGET) == Resources(TARGET.lut, TARGET.ff, TARGET.dsp, TARGET.bram)
    text = over_capacity(Resources(1, 9, 3, 4), Resources(2, 5, 3, 1), "small")
    assert "lut" not in text
    assert "ff 9 of 5 (4 too many: fewer lanes)" in text
    assert "bram 4 of 1 (3 too many: narrower weights or a larger device)" in text


def test_padding_is_a_unit_of_its_own() -> None:
    made = program((2, 2, 1), [Node("y", Pad((1, 1, 1, 1), 5), ("x",))])
    (instance,) = designed(made).instances
    assert instance.unit.module == "border"
    assert instance.unit.interval == 16
