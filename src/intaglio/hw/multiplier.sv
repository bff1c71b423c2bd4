// SPDX-License-Identifier: Apache-2.0
//
// Signed product of two operands of at most 18 bits, two edges later: operands registered, product
// registered. The form for any device; a family's own leaf of the same name and ports takes its
// place in a bundle for that family.

module multiplier #(
  parameter int unsigned WidthA = 18,
  parameter int unsigned WidthB = 18
) (
  input  logic                            clk_i,
  input  logic signed [WidthA-1:0]        a_i,
  input  logic signed [WidthB-1:0]        b_i,
  output logic signed [WidthA+WidthB-1:0] product_o
);
  logic signed [WidthA-1:0] a_q;
  logic signed [WidthB-1:0] b_q;
  logic signed [WidthA+WidthB-1:0] product_q;

  always_ff @(posedge clk_i) begin
    a_q       <= a_i;
    b_q       <= b_i;
    product_q <= a_q * b_q;
  end

  assign product_o = product_q;
endmodule
