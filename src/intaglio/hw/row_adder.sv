// SPDX-License-Identifier: Apache-2.0
//
// Sum of two gated numbers, modulo 2^Width: low_i where low_gate_i, plus (or minus, with
// `Subtract`) high_i where high_gate_i. The gates are bits of the other factor of a product, so two
// rows of it cost one adder. The form for any device; a family's own leaf takes its place.

module row_adder #(
  parameter int unsigned Width = 8,
  parameter bit          Subtract = 1'b0
) (
  input  logic [Width-1:0] high_i,
  input  logic             high_gate_i,
  input  logic [Width-1:0] low_i,
  input  logic             low_gate_i,
  output logic [Width-1:0] sum_o
);
  logic [Width-1:0] high, low;
  // Kept, or synthesis merges the adders of a product into one of many operands, twice as large.
  (* keep *) logic [Width-1:0] sum;

  assign high = high_i & {Width{high_gate_i}};
  assign low = low_i & {Width{low_gate_i}};
  if (Subtract) begin : gen_subtract
    assign sum = low - high;
  end else begin : gen_add
    assign sum = low + high;
  end
  assign sum_o = sum;
endmodule
