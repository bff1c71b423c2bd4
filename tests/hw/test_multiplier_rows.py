# SPDX-License-Identifier: Apache-2.0
"""Products in LUTs: every one that the multiplier gives, and the cells Yosys finds for them."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from intaglio.hw import library
from intaglio.hw.multiplier import port_width
from intaglio.hw.multiplier_rows import (
    constant_rows_resources,
    row_adder_luts,
    rows_resources,
)
from intaglio.numerics.types import IntType
from intaglio.tools.netlist import Cells
from intaglio.tools.yosys import synthesize_netlist
from tests.benches import run_bench

#: Both modules on every pair of operands, a pair a cycle; any difference is fatal.
BOTH = """\
module both #(
  parameter int A = 4, parameter int B = 4, parameter bit SignedA = 1, parameter bit SignedB = 1
) (input logic clk, input logic [15:0] count);
  localparam int WidthA = A + (SignedA ? 0 : 1);
  localparam int WidthB = B + (SignedB ? 0 : 1);
  logic signed [WidthA-1:0] a;
  logic signed [WidthB-1:0] b;
  logic signed [WidthA+WidthB-1:0] expected, rows;

  if (SignedA) begin : gen_a assign a = count[A-1:0]; end
  else begin : gen_positive_a assign a = {1'b0, count[A-1:0]}; end
  if (SignedB) begin : gen_b assign b = count[A+B-1:A]; end
  else begin : gen_positive_b assign b = {1'b0, count[A+B-1:A]}; end

  multiplier #(.WidthA(WidthA), .WidthB(WidthB)) u_multiplier (
    .clk_i(clk), .a_i(a), .b_i(b), .product_o(expected)
  );
  multiplier_rows #(
    .WidthA(WidthA), .WidthB(WidthB), .PositiveA(!SignedA), .PositiveB(!SignedB)
  ) u_rows (.clk_i(clk), .a_i(a), .b_i(b), .product_o(rows));

  always_ff @(posedge clk) begin
    if (count > 2 && expected != rows)
      $fatal(1, "%0d x %0d bits: %0d, expected %0d", A, B, rows, expected);
  end
  if (A + B < 16) begin : gen_unused
    logic unused;
    assign unused = ^count[15:A+B];
  end
endmodule
"""
TOP = """\
module bench;
  logic clk;
  logic [15:0] count;
  initial begin
    clk = 1'b0;
    count = '0;
    repeat (2 * 65536 + 8) begin
      #5 clk = !clk;
    end
    $display("PASSED");
    $finish;
  end
  always_ff @(posedge clk) count <= count + 1;
{instances}
endmodule
"""
SMALL = tuple(product(range(1, 5), range(1, 5)))
SIGNS = tuple(product((0, 1), (0, 1)))
SIZES = tuple((*size, *signs) for size in (*SMALL, (8, 2), (4, 8)) for signs in SIGNS)
LARGE = ((8, 8, 0, 1), (8, 8, 1, 1), (7, 6, 1, 0), (5, 7, 0, 0))


def bench(
    folder: Path,
    runtime: Path,
    family: str,
    sizes: tuple[tuple[int, int, int, int], ...],
    **changed: str,
) -> subprocess.CompletedProcess[str]:
    instances = "\n".join(
        f"  both #({a}, {b}, {sa}, {sb}) u_{a}_{b}_{sa}_{sb} (.clk, .count);"
        for a, b, sa, sb in sizes
    )
    files = {"both.sv": BOTH, "bench.sv": TOP.format(instances=instances)}
    for block in ("multiplier_rows", "row_adder"):
        files[f"{block}.sv"] = library.source(block, family).read_text()
    files["multiplier.sv"] = library.source("multiplier", "none").read_text()
    models = library.cell_models(family, {"row_adder"}.intersection(library.leaves(family)))
    files |= {model.name: model.read_text() for model in models}
    for name, text in (files | changed).items():
        (folder / name).write_text(text)
    return run_bench(folder, list(files), "bench", folder / "work", runtime)


@pytest.mark.parametrize("family", ["none", "ecp5"])
def test_every_product_is_the_multiplier_s(family: str, tmp_path: Path, runtime: Path) -> None:
    found = bench(tmp_path, runtime, family, SIZES + LARGE)
    assert found.returncode == 0, found.stdout
    assert "PASSED" in found.stdout


def test_the_bench_sees_a_difference(tmp_path: Path, runtime: Path) -> None:
    adder = library.source("row_adder", "none").read_text()
    wrong = adder.replace("low - high", "low - (high | Width'(1))")
    assert wrong != adder
    found = bench(tmp_path, runtime, "none", ((3, 2, 0, 1),), **{"row_adder.sv": wrong})
    assert found.returncode != 0
    assert "3 x 2 bits: " in found.stdout


S1, S2, S4, S8 = (IntType(width, signed=True) for width in (1, 2, 4, 8))
U1, U3, U4, U8 = (IntType(width, signed=False) for width in (1, 3, 4, 8))


def synthesized(folder: Path, ports: str, body: str) -> Cells:
    """Return the cells of a top with these ports, without those of the constants low and high."""
    for block in ("multiplier_rows", "row_adder"):
        (folder / f"{block}.sv").write_text(library.source(block, "ecp5").read_text())
    (folder / "top.sv").write_text(f"module top (input logic clk, {ports});\n{body}\nendmodule\n")
    sources = ["multiplier_rows.sv", "row_adder.sv", "top.sv"]
    netlist = folder / "out" / "netlist.json"
    cells = synthesize_netlist(folder, sources, "top", netlist, log=folder / "log")
    return replace(cells, lut=cells.lut - (2 if "CCU2C" in cells.counts else 1))


def instance(name: str, a: IntType, b: IntType, ports: str) -> str:
    return f"""\
  multiplier_rows #(
    .WidthA({port_width(a)}), .WidthB({port_width(b)}),
    .PositiveA({int(not a.signed)}), .PositiveB({int(not b.signed)})
  ) {name} (.clk_i(clk), {ports});"""


def operand(name: str, element: IntType) -> str:
    return name if element.signed else f"{{1'b0, {name}}}"


@pytest.mark.parametrize(
    ("a", "b"),
    [(S4, S4), (U4, S4), (U8, S4), (S2, U8), (S8, U8), (U1, S8), (S4, S1), (U3, S8)],
    ids=str,
)
def test_the_estimate_is_what_yosys_finds(a: IntType, b: IntType, tmp_path: Path) -> None:
    ports = f".a_i({operand('a', a)}), .b_i({operand('b', b)}), .product_o(q)"
    inputs = f"input logic [{a.width - 1}:0] a, input logic [{b.width - 1}:0] b"
    outputs = f"output logic [{a.width + b.width - 1}:0] q"
    cells = synthesized(tmp_path, f"{inputs}, {outputs}", instance("u_rows", a, b, ports))
    expected = rows_resources(a, b)
    assert cells.dsp == expected.dsp == 0
    assert abs(cells.lut - expected.lut) <= 0.1 * expected.lut
    assert abs(cells.ff - expected.ff) <= 0.1 * expected.ff


@pytest.mark.parametrize(("x", "weight"), [(U8, S8), (U4, S4), (U8, S2), (S4, S8)], ids=str)
def test_products_with_constants_take_no_more_than_estimated(
    x: IntType, weight: IntType, tmp_path: Path
) -> None:
    random = np.random.default_rng(2)
    codes = random.integers(weight.min, weight.max, (5, 3), endpoint=True)
    width, bits = x.width + weight.width, port_width(weight)
    body = []
    for index, code in enumerate(codes.flat):
        a = operand(f"x[{index % 3 * x.width} +: {x.width}]", x)
        b = f"{bits}'d{code % (1 << bits)}"
        ports = f".a_i({a}), .b_i({b}), .product_o(q[{index * width} +: {width}])"
        body.append(instance(f"u_{index}", x, weight, ports))
    inputs = f"input logic [{3 * x.width - 1}:0] x"
    outputs = f"output logic [{codes.size * width - 1}:0] q"
    cells = synthesized(tmp_path, f"{inputs}, {outputs}", "\n".join(body))
    expected = constant_rows_resources(x, weight, codes)
    assert cells.lut <= expected.lut <= 2.5 * cells.lut
    assert abs(cells.ff - expected.ff) <= 0.2 * expected.ff
    variable = rows_resources(x, weight)
    assert expected.lut < codes.size * variable.lut


def test_few_bits_take_few_luts() -> None:
    assert rows_resources(U8, U1).lut == 8
    assert rows_resources(U8, S2) == rows_resources(S2, U8)
    assert rows_resources(U8, S2).lut == 11
    assert rows_resources(U4, S4).lut == 22
    assert [row_adder_luts(width) for width in (1, 2, 3, 8)] == [2, 4, 4, 10]
