# SPDX-License-Identifier: Apache-2.0
"""The generated top level: names that no tool trips over, numbers that keep their value."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.arch.dataflow import dataflow
from intaglio.arch.design import Design, Endpoint
from intaglio.devices import device
from intaglio.hw.unit import Fold
from intaglio.ir.graph import Node
from intaglio.numerics.types import IntType
from intaglio.ops.add import Add
from intaglio.ops.clip import Clip
from intaglio.ops.relu import Relu
from intaglio.rtl.bundle import emit
from intaglio.rtl.top import Names, identifier, module_name, top_level
from intaglio.tools.simulation import simulate
from tests.programs import program

#: SystemVerilog words, and names that are not words of it at all.
AWKWARD = (
    "module",
    "wire",
    "logic",
    "reg",
    "input",
    "1x1",
    "a.b",
    "a b",
    "größe",
    "clk",
    "rst",
)


def designed(*nodes: Node, element: IntType | None = None, lanes: int = 1) -> Design:
    made = program((2, 3, 4), nodes, element=element or IntType(8, signed=True))
    folds = {node.name: Fold(lanes, 1, lanes) for node in nodes}
    return dataflow(made, device("ecp5-25f"), folds)


@given(st.text(max_size=12))
def test_any_name_becomes_an_identifier(name: str) -> None:
    assert re.fullmatch(r"[A-Za-z]\w*", identifier(name), re.ASCII)


@pytest.mark.parametrize(
    "name",
    [
        *("small", "module", "adder", "row_stack", "MULT18X18D"),
        *("clk", "rst", "aclk", "std", "x_valid", "y_out_data", "u_y", "s_axis_tdata"),
    ],
)
def test_a_network_may_be_named_like_a_keyword_or_a_module(name: str, tmp_path: Path) -> None:
    assert module_name(name) == f"{name}_net"
    design = designed(Node("y", Relu(), ("x",)))
    named = replace(design, graph=replace(design.graph, name=name))
    bundle = emit(named, tmp_path / "bundle")
    assert bundle.top == f"{name}_net"
    assert (bundle.folder / "rtl" / f"{name}_net.sv").is_file()


def test_names_that_become_the_same_identifier_stay_apart() -> None:
    design = designed(
        Node("a.b", Relu(), ("x",)), Node("a_b", Relu(), ("a.b",)), Node("a b", Relu(), ("a_b",))
    )
    assert Names.of(design).instances == {"a.b": "a_b", "a_b": "a_b_2", "a b": "a_b_3"}


def test_both_operands_of_a_sum_can_have_converters_of_their_own() -> None:
    made = program(
        (2, 3, 4),
        [Node("a", Relu(), ("x",)), Node("b", Relu(), ("a",)), Node("sum", Add(), ("a", "b"))],
    )
    folds = {"a": Fold(2, 1, 2), "b": Fold(4, 1, 4), "sum": Fold(1, 1, 1)}
    design = dataflow(made, device("ecp5-25f"), folds)
    names = [instance.name for instance in design.instances]
    assert len(set(names)) == len(names)
    assert "sum.width" in names
    assert "sum.width1" in names


@pytest.mark.parametrize("names", [("x", "last"), ("x", "u_x", "x_out_ready")])
def test_no_two_things_of_a_top_level_have_one_name(
    names: tuple[str, ...], tmp_path: Path, runtime: Path
) -> None:
    graph = [Node(name, Relu(), (before,)) for before, name in pairwise(names)]
    bundle = emit(designed(*graph), tmp_path / "bundle")
    text = (bundle.folder / "rtl" / f"{bundle.top}.sv").read_text()
    declared = re.findall(r"^  logic (?:\[.*\] )?(\w+)(?:, (\w+))?;", text, re.MULTILINE)
    found = [name for pair in declared for name in pair if name]
    found += re.findall(r"^  \) (\w+) \($", text, re.MULTILINE)
    assert len(set(found)) == len(found) > 8
    frames = np.random.default_rng(0).integers(-128, 128, (2, 2, 3, 4))
    simulate(bundle, frames, runtime=runtime, optimize="-O0", progress=False)


def test_an_input_may_be_named_like_the_stream_of_a_unit() -> None:
    unit = SimpleNamespace(name="a", unit=SimpleNamespace(outputs={"out": None}))
    names = Names.of(cast("Design", SimpleNamespace(inputs={"a_out": None}, instances=[unit])))
    assert names.inputs == {"a_out": "a_out"}
    assert names.wire(Endpoint("a", "out")) == "a_2_out"


def test_a_network_of_awkward_names_simulates(tmp_path: Path, runtime: Path) -> None:
    nodes, before = [], "x"
    for name in AWKWARD:
        nodes.append(Node(name, Relu(-100), (before,)))
        before = name
    bundle = emit(designed(*nodes), tmp_path / "bundle")
    frames = np.random.default_rng(0).integers(-128, 128, (3, 2, 3, 4))
    simulate(bundle, frames, runtime=runtime, optimize="-O0", progress=False)


def test_a_number_of_more_than_32_bits_says_its_size() -> None:
    wide = IntType(44, signed=True)
    text = top_level(
        designed(Node("y", Clip(-(1 << 40), (1 << 40) + 5), ("x",)), element=wide), "t"
    )
    assert ".Low(-64'sd1099511627776)" in text
    assert ".High(64'sd1099511627781)" in text
    near = IntType(33, signed=True)
    text = top_level(
        designed(Node("y", Clip(-(1 << 31), (1 << 31) - 1), ("x",)), element=near), "t"
    )
    assert ".Low(-2147483648)" in text
    assert ".High(2147483647)" in text


@pytest.mark.parametrize("lanes", [1, 4])
def test_the_outside_is_an_axi_stream_of_whole_bytes(lanes: int) -> None:
    text = top_level(
        designed(Node("y", Relu(), ("x",)), element=IntType(5, signed=True), lanes=lanes), "top"
    )
    bits = {1: (8, 8), 4: (24, 16)}[lanes]
    assert f"input  logic [{bits[0] - 1}:0] s_axis_tdata" in text
    assert f"output logic [{bits[1] - 1}:0] m_axis_tdata" in text
    for port in ("s_axis_tvalid", "s_axis_tready", "m_axis_tvalid", "m_axis_tready"):
        assert f" {port}," in text
    assert "output logic m_axis_tlast" in text
