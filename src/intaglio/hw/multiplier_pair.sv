// SPDX-License-Identifier: Apache-2.0
//
// Two products with a common operand from one `multiplier`, two edges after their operands:
//
//   a * (high * 2^Shift + low)  =  (a * high) * 2^Shift + a * low
//
// The lowest Shift bits are the lower product. Where it is negative it has taken 1 from the upper
// one, which gets it back. Exact where the packed operand fits the multiplier's port, which
// `pair_is_exact` in products.py tells. `PositiveA` and `PositiveB` promise operands whose top bit
// is always 0.

module multiplier_pair #(
  parameter int unsigned WidthA = 4,
  parameter int unsigned WidthB = 4,
  parameter bit          PositiveA = 1'b0,
  parameter bit          PositiveB = 1'b0
) (
  input  logic                            clk_i,
  input  logic signed [WidthA-1:0]        a_i,
  input  logic signed [WidthB-1:0]        low_i,
  input  logic signed [WidthB-1:0]        high_i,
  output logic signed [WidthA+WidthB-1:0] low_o,
  output logic signed [WidthA+WidthB-1:0] high_o
);
  localparam int unsigned Shift = WidthA - (PositiveA ? 1 : 0) + WidthB - (PositiveB ? 1 : 0);
  localparam bit          PositiveLow = PositiveA && PositiveB;
  // Two weights of which the lowest code is left out fit one bit less than any two.
  localparam int unsigned PackedWidth = (Shift + WidthB + 1 < 18) ? Shift + WidthB + 1 : 18;

  if (Shift + WidthB > 18) begin : gen_check
    $fatal(1, "multiplier_pair: packed operands must fit 18 bits");
  end

  logic signed [PackedWidth-1:0] packed_operand;
  logic [PackedWidth+WidthA-1:0] product;
  logic [WidthB:0] upper;
  logic [Shift-1:0] high;

  if (PositiveB) begin : gen_positive
    assign upper = {high_i[WidthB-1], high_i};
  end else begin : gen_borrow
    row_adder #(.Width(WidthB + 1), .Subtract(1'b1)) u_borrow (
      .high_i((WidthB + 1)'(1)), .high_gate_i(low_i[WidthB-1]),
      .low_i({high_i[WidthB-1], high_i}), .low_gate_i(1'b1), .sum_o(upper)
    );
  end
  assign packed_operand = {upper[PackedWidth-Shift-1:0], Shift'(low_i)};

  multiplier #(.WidthA(PackedWidth), .WidthB(WidthA)) u_multiplier (
    .clk_i, .a_i(packed_operand), .b_i(a_i), .product_o(product)
  );

  if (PositiveLow) begin : gen_no_return
    assign high = product[Shift +: Shift];
  end else begin : gen_return
    row_adder #(.Width(Shift)) u_return (
      .high_i(Shift'(1)), .high_gate_i(product[Shift-1]),
      .low_i(product[Shift +: Shift]), .low_gate_i(1'b1), .sum_o(high)
    );
  end
  assign low_o = {{WidthA+WidthB-Shift{!PositiveLow && product[Shift-1]}}, product[Shift-1:0]};
  assign high_o = {{WidthA+WidthB-Shift{!PositiveLow && high[Shift-1]}}, high};

  logic unused;
  assign unused = ^{upper, product};
endmodule
