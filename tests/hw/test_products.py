# SPDX-License-Identifier: Apache-2.0
"""Kinds of products: which exist, that two from one multiplier are exact, and what they take."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from intaglio.arch.dataflow import dataflow
from intaglio.devices import device
from intaglio.hw import library
from intaglio.hw.cost import Resources
from intaglio.hw.multiplier import port_width
from intaglio.hw.products import Products, legal_products, pair_is_exact, products_resources
from intaglio.hw.unit import Fold
from intaglio.ir.graph import Node
from intaglio.numerics.types import IntType
from intaglio.ops.conv2d import Conv2d
from intaglio.rtl.bundle import emit
from intaglio.tools.simulation import simulate
from intaglio.tools.verilator import Stalls
from intaglio.tools.yosys import synthesize_netlist
from tests.benches import run_bench
from tests.programs import codes, program

types = st.builds(
    lambda width, signed, narrow: IntType(width, signed, narrow and signed and width > 1),
    st.integers(1, 18),
    st.booleans(),
    st.booleans(),
)
WEIGHTS = [
    IntType(width, signed, narrow)
    for width in range(1, 7)
    for signed, narrow in ((True, False), (False, False), (True, True))
    if width > 1 or not narrow
]


def packed_products(
    x: np.ndarray, low: np.ndarray, high: np.ndarray, types: tuple[IntType, IntType]
) -> tuple[np.ndarray, np.ndarray]:
    """Do what multiplier_pair.sv does, in the 18 bits of a port."""
    shift = types[0].width + types[1].width
    packed = (((high << shift) + low + (1 << 17)) & ((1 << 18) - 1)) - (1 << 17)
    whole = packed * x
    lower = whole & ((1 << shift) - 1)
    if types[0].signed or types[1].signed:
        lower -= (lower >> (shift - 1)) << shift
    return lower, (whole - lower) >> shift


@pytest.mark.parametrize("weight", WEIGHTS, ids=str)
def test_a_pair_is_exact_just_where_it_is_said_to_be(weight: IntType) -> None:
    every = np.arange(weight.min, weight.max + 1)
    for width, signed in product(range(1, 10), (True, False)):
        x = IntType(width, signed)
        operands = np.arange(x.min, x.max + 1)[:, None, None]
        lower, upper = packed_products(operands, every[:, None], every, (x, weight))
        right = np.all(lower == operands * every[:, None]) and np.all(upper == operands * every)
        assert right == pair_is_exact(x, weight), x


@given(types, types)
def test_at_the_corners_of_any_type_too(x: IntType, weight: IntType) -> None:
    ends = np.array(sorted({weight.min, min(1, weight.max), weight.max}))
    operands = np.array([x.min, min(1, x.max), x.max])[:, None, None]
    if pair_is_exact(x, weight):
        lower, upper = packed_products(operands, ends[:, None], ends, (x, weight))
        assert np.array_equal(lower, np.broadcast_to(operands * ends[:, None], lower.shape))
        assert np.array_equal(upper, np.broadcast_to(operands * ends, upper.shape))


@pytest.mark.parametrize(
    ("x", "weight", "exact"),
    [
        ("u8", "s4", True),
        ("s8", "s4", True),
        ("u8", "s5n", True),
        ("u8", "s5", False),
        ("u8", "s8n", False),
        ("u4", "s6", True),
        ("u4", "s7n", True),
        ("u4", "s7", False),
        ("u1", "s8", True),
        ("u9", "u4", True),
        ("u9", "u5", False),
    ],
)
def test_pairs_of_common_types(x: str, weight: str, exact: bool) -> None:
    assert pair_is_exact(IntType.parse(x), IntType.parse(weight)) is exact


@pytest.mark.parametrize(
    ("x", "weight", "lanes_out", "kinds"),
    [
        ("u4", "s4", 2, "dsp rows pair"),
        ("u4", "s4", 3, "dsp rows"),
        ("u8", "s8", 2, "dsp rows"),
        ("u9", "s8", 2, "dsp"),
        ("u9", "s4n", 6, "dsp pair"),
    ],
)
def test_only_kinds_that_exist_are_tried(x: str, weight: str, lanes_out: int, kinds: str) -> None:
    found = legal_products(IntType.parse(x), IntType.parse(weight), lanes_out)
    assert " ".join(found) == kinds


#: Both products of a pair and those of two multipliers, operands changing every cycle.
COMPARED = """\
module compared #(
  parameter int A = 4, parameter int B = 4, parameter bit SignedA = 1, parameter bit SignedB = 1,
  parameter bit Narrow = 0
) (input logic clk, input logic [31:0] draw, input logic settled);
  localparam int WidthA = A + (SignedA ? 0 : 1);
  localparam int WidthB = B + (SignedB ? 0 : 1);
  logic signed [WidthA-1:0] a;
  logic signed [WidthB-1:0] low, high, low_code, high_code;
  logic signed [WidthA+WidthB-1:0] low_expected, high_expected, low_found, high_found;

  if (SignedA) begin : gen_a assign a = draw[A-1:0]; end
  else begin : gen_positive_a assign a = {1'b0, draw[A-1:0]}; end
  if (SignedB) begin : gen_b
    assign low_code = draw[16 +: B];
    assign high_code = draw[24 +: B];
  end else begin : gen_positive_b
    assign low_code = {1'b0, draw[16 +: B]};
    assign high_code = {1'b0, draw[24 +: B]};
  end
  // a narrow type has no lowest code
  assign low = (Narrow && low_code == WidthB'(1) <<< (WidthB - 1)) ? '0 : low_code;
  assign high = (Narrow && high_code == WidthB'(1) <<< (WidthB - 1)) ? '0 : high_code;

  multiplier #(.WidthA(WidthA), .WidthB(WidthB)) u_low (
    .clk_i(clk), .a_i(a), .b_i(low), .product_o(low_expected)
  );
  multiplier #(.WidthA(WidthA), .WidthB(WidthB)) u_high (
    .clk_i(clk), .a_i(a), .b_i(high), .product_o(high_expected)
  );
  multiplier_pair #(
    .WidthA(WidthA), .WidthB(WidthB), .PositiveA(!SignedA), .PositiveB(!SignedB)
  ) u_pair (
    .clk_i(clk), .a_i(a), .low_i(low), .high_i(high), .low_o(low_found), .high_o(high_found)
  );
  always_ff @(posedge clk) begin
    if (settled && (low_found != low_expected || high_found != high_expected))
      $fatal(1, "%0d x %0d bits: %0d and %0d, expected %0d and %0d", A, B,
             high_found, low_found, high_expected, low_expected);
  end
  logic unused;
  assign unused = ^draw;
endmodule
"""
TOP = """\
module bench;
  logic clk, settled;
  logic [31:0] draw;
  initial begin
    clk = 1'b0;
    settled = 1'b0;
    draw = '0;
    repeat (8) #5 clk = !clk;
    settled = 1'b1;
    repeat (40000) #5 clk = !clk;
    $display("PASSED");
    $finish;
  end
  always_ff @(posedge clk) begin
    draw <= ($urandom_range(3) == 0) ? 32'h80808080 >> $urandom_range(7) : $urandom;
  end
{instances}
endmodule
"""
PAIRS = ("u4 s4", "s4 s4", "u8 s4", "u8 s5n", "u4 s7n", "u9 u4", "s8 u4", "s1 s1", "u1 u1", "s9 s4")


@pytest.mark.parametrize("family", ["none", "ecp5"])
def test_a_pair_gives_the_products_of_two_multipliers(
    family: str, tmp_path: Path, runtime: Path
) -> None:
    instances = []
    for index, names in enumerate(PAIRS):
        x, weight = map(IntType.parse, names.split())
        assert pair_is_exact(x, weight)
        values = x.width, weight.width, *map(int, (x.signed, weight.signed, weight.narrow))
        shown = ", ".join(map(str, values))
        instances.append(f"  compared #({shown}) u_{index} (.clk, .draw, .settled);")
    files = {"compared.sv": COMPARED, "bench.sv": TOP.format(instances="\n".join(instances))}
    for block in ("multiplier", "multiplier_pair", "row_adder"):
        files[f"{block}.sv"] = library.source(block, family).read_text()
    models = library.cell_models(family, library.leaves(family))
    files |= {model.name: model.read_text() for model in models}
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = run_bench(tmp_path, list(files), "bench", tmp_path / "work", runtime)
    assert found.returncode == 0, found.stdout
    assert "PASSED" in found.stdout


@pytest.mark.parametrize("kind", Products)
@pytest.mark.parametrize(
    ("x", "weight", "fold"),
    [
        ("u4", "s4", Fold(2, 3, 2)),
        ("s3", "u2", Fold(1, 3, 4, whole=True)),
        ("u8", "s5n", Fold(4, 1, 4)),
    ],
)
def test_a_convolution_of_every_kind_gives_every_bit_at_its_cycle(
    kind: Products, x: str, weight: str, fold: Fold, tmp_path: Path, runtime: Path
) -> None:
    element, weights = IntType.parse(x), IntType.parse(weight)
    made = program(
        (5, 6, 4),
        [Node("y", Conv2d((2, 1)), ("x", "w", "b"))],
        {"w": codes(weights, 4, 3, 3, 4), "b": codes(IntType(6, signed=True), 4)},
        element,
    )
    frames = codes(element, 4, 5, 6, 4, seed=1).data
    design = dataflow(made, device("ecp5-25f"), {"y": replace(fold, products=kind)})
    assert design.multipliers == {1: 36, 2: 12, 4: 16}[fold.lanes_in]
    multipliers = {Products.DSP: design.multipliers, Products.PAIR: design.multipliers // 2}
    assert design.resources.dsp == multipliers.get(kind, 0)
    bundle = emit(design, tmp_path / "bundle", frames[:1])
    for stalls in (None, Stalls(0.3, 0.4)):
        simulate(bundle, frames, stalls=stalls, runtime=runtime, optimize="-O0", progress=False)


TARGET = device("ecp5-25f")
U4, S4, S5N, U8 = map(IntType.parse, ("u4", "s4", "s5n", "u8"))


def test_products_of_lanes_share_what_can_be_shared() -> None:
    def cells(kind: Products, x: IntType, *shape: int) -> Resources:
        return products_resources(kind, x, S4, np.zeros(shape, dtype=np.int64))

    assert cells(Products.DSP, U8, 2, 4, 3).on(TARGET) == Resources(dsp=12)
    assert cells(Products.PAIR, U8, 2, 4, 3).on(TARGET).dsp == 6
    assert cells(Products.ROWS, U4, 2, 1, 1) == Resources(lut=22, ff=16)
    assert cells(Products.ROWS, U4, 2, 2, 1) == Resources(lut=44, ff=28)
    assert cells(Products.ROWS, U4, 1, 2, 1) == Resources(ff=4)


@pytest.mark.parametrize(("x", "weight"), [(U4, S4), (U8, S5N), (U4, U4), (S4, U4)], ids=str)
def test_the_estimate_of_a_pair_is_what_yosys_finds(
    x: IntType, weight: IntType, tmp_path: Path
) -> None:
    for block in ("multiplier", "multiplier_pair", "row_adder"):
        (tmp_path / f"{block}.sv").write_text(library.source(block, "ecp5").read_text())
    extend = {True: "", False: "1'b0, "}
    ports = {"a": x, "low": weight, "high": weight}
    declared = "".join(f", input logic [{t.width - 1}:0] {name}" for name, t in ports.items())
    joined = ", ".join(f".{n}_i({{{extend[t.signed]}{n}}})" for n, t in ports.items())
    width = x.width + weight.width
    (tmp_path / "top.sv").write_text(
        f"""\
module top (input logic clk{declared},
            output logic [{width - 1}:0] q, output logic [{width - 1}:0] r);
  multiplier_pair #(
    .WidthA({port_width(x)}), .WidthB({port_width(weight)}),
    .PositiveA({int(not x.signed)}), .PositiveB({int(not weight.signed)})
  ) u_pair (.clk_i(clk), {joined}, .low_o(q), .high_o(r));
endmodule
"""
    )
    sources = ["multiplier.sv", "multiplier_pair.sv", "row_adder.sv", "top.sv"]
    cells = synthesize_netlist(
        tmp_path, sources, "top", tmp_path / "out" / "netlist.json", log=tmp_path / "log"
    )
    constants = 2 if "CCU2C" in cells.counts else 1
    expected = products_resources(Products.PAIR, x, weight, np.zeros((2, 2, 1))).on(TARGET)
    assert (cells.dsp, cells.ff) == (expected.dsp, expected.ff) == (1, 0)
    assert abs(cells.lut - constants - expected.lut) <= 0.1 * expected.lut
