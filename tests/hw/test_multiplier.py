# SPDX-License-Identifier: Apache-2.0
"""The multiplier of a family, with our model of its cell, against the portable one."""

from __future__ import annotations

from pathlib import Path

import pytest

from intaglio.errors import ModelError
from intaglio.hw import library
from intaglio.hw.multiplier import PORT_BITS, port_width, require_port
from intaglio.numerics.types import IntType
from tests.benches import run_bench

#: Operands of all widths, random and extreme, changing every cycle; any difference is fatal.
PAIR = """\
module pair #(parameter int A = 18, parameter int B = 18) (input logic clk, input logic rst);
  logic signed [A-1:0] a;
  logic signed [B-1:0] b;
  logic signed [A+B-1:0] portable, special, product_q, product_qq;
  logic [1:0] filled;

  multiplier_portable #(.WidthA(A), .WidthB(B)) u_portable (
    .clk_i(clk), .a_i(a), .b_i(b), .product_o(portable)
  );
  multiplier #(.WidthA(A), .WidthB(B)) u_cell (
    .clk_i(clk), .a_i(a), .b_i(b), .product_o(special)
  );

  function automatic logic [17:0] draw();
    case ($urandom_range(5))
      0: return 18'h1ffff;
      1: return 18'h20000;
      2: return 18'h3ffff;
      default: return 18'($urandom);
    endcase
  endfunction

  always_ff @(posedge clk) begin
    a <= A'(draw() >> (18 - A));
    b <= B'(draw() >> (18 - B));
    product_q <= (A+B)'(a) * (A+B)'(b);
    product_qq <= product_q;
    filled <= rst ? 2'b00 : {filled[0], 1'b1};
    if (filled[1] && (portable != special || portable != product_qq))
      $fatal(1, "%0d x %0d: portable %0d, cell %0d, expected %0d", A, B,
             portable, special, product_qq);
  end
endmodule
"""

TOP = """\
module bench;
  logic clk, rst;
  initial begin
    clk = 1'b0;
    rst = 1'b1;
    repeat (4) #5 clk = !clk;
    rst = 1'b0;
    repeat (20000) #5 clk = !clk;
    $display("PASSED");
    $finish;
  end
{pairs}
endmodule
"""
WIDTHS = ((18, 18), (1, 1), (9, 8), (18, 2), (3, 17), (2, 18), (16, 16), (17, 16), (17, 18))


@pytest.mark.parametrize("family", ["ecp5", "ice40"])
def test_the_cell_gives_every_product_the_portable_multiplier_gives(
    family: str, tmp_path: Path, runtime: Path
) -> None:
    portable = library.source("multiplier", "none").read_text()
    renamed = portable.replace("module multiplier ", "module multiplier_portable ")
    assert renamed != portable
    pairs = "\n".join(f"  pair #({a}, {b}) u_{a}_{b} (.clk, .rst);" for a, b in WIDTHS)
    files = {
        "multiplier_portable.sv": renamed,
        "multiplier.sv": library.source("multiplier", family).read_text(),
        "pair.sv": PAIR,
        "bench.sv": TOP.format(pairs=pairs),
        **{model.name: model.read_text() for model in library.cell_models(family, ["multiplier"])},
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = run_bench(tmp_path, list(files), "bench", tmp_path / "work", runtime)
    assert found.returncode == 0, found.stdout
    assert "PASSED" in found.stdout


def test_the_bench_sees_a_difference(tmp_path: Path, runtime: Path) -> None:
    wrong = library.source("multiplier", "none").read_text()
    files = {
        "multiplier.sv": wrong.replace("a_q * b_q", "a_q * b_q + (WidthA+WidthB)'(a_q == '1)"),
        "multiplier_portable.sv": wrong.replace(
            "module multiplier ", "module multiplier_portable "
        ),
        "pair.sv": PAIR,
        "bench.sv": TOP.format(pairs="  pair #(18, 18) u_pair (.clk, .rst);"),
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text)
    found = run_bench(tmp_path, list(files), "bench", tmp_path / "work", runtime)
    assert found.returncode != 0
    assert "18 x 18: portable" in found.stdout


def test_an_operand_wider_than_its_ports_is_refused() -> None:
    assert port_width(IntType(17, signed=False)) == port_width(IntType(18, signed=True)) == 18
    require_port("x", IntType(18, signed=True))
    require_port("x", IntType(34, signed=False), ports=2)
    with pytest.raises(ModelError, match="x must fit 18 signed bits in hardware, not u18: requan"):
        require_port("x", IntType(PORT_BITS, signed=False))
    with pytest.raises(ModelError, match="acc must fit 35 signed bits in hardware, not s36"):
        require_port("acc", IntType(36, signed=True), ports=2)
