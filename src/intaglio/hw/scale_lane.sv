// SPDX-License-Identifier: Apache-2.0
//
// Requantize with everything given at run time:
//
//   y = saturate(zero_point + floor((x + bias) * multiplier + half) / 2^shift)),  low .. high
//
// x + bias of more than 18 bits is split, high * 2^17 + low, over two multipliers. What is common to
// a tensor (`half_i` to `high_i`) must come with x. Latency: 8 edges.

module scale_lane #(
  parameter int unsigned Width = 24,           // of x and bias, signed
  parameter int unsigned MultiplierWidth = 17, // unsigned
  parameter int unsigned ValueWidth = 20,      // of y, zero point and limits, signed
  localparam int unsigned RoundWidth = Width + MultiplierWidth + 3
) (
  input  logic                          clk_i,
  input  logic signed [Width-1:0]       x_i,
  input  logic signed [Width-1:0]       bias_i,
  input  logic [MultiplierWidth-1:0]    multiplier_i,
  input  logic [5:0]                    shift_i,
  input  logic signed [ValueWidth-1:0]  zero_point_i,
  input  logic signed [ValueWidth-1:0]  low_i,
  input  logic signed [ValueWidth-1:0]  high_i,
  output logic signed [ValueWidth-1:0]  y_o
);
  localparam int unsigned XWidth = Width + 1;
  localparam int unsigned FactorWidth = MultiplierWidth + 1;

  // --- 1 to 4: the product, exact ----------------------------------------------------------------

  logic signed [XWidth-1:0] x_q;
  logic signed [FactorWidth-1:0] factor_q;
  logic signed [RoundWidth-1:0] product_q, rounded_q, half;
  logic [5:0] shift_qqqq, shift_q5;

  always_ff @(posedge clk_i) begin
    x_q      <= XWidth'(x_i) + XWidth'(bias_i);
    factor_q <= {1'b0, multiplier_i};
  end

  if (XWidth <= 18) begin : gen_single
    logic signed [XWidth+FactorWidth-1:0] product;
    multiplier #(.WidthA(XWidth), .WidthB(FactorWidth)) u_multiplier (
      .clk_i, .a_i(x_q), .b_i(factor_q), .product_o(product)
    );
    always_ff @(posedge clk_i) product_q <= RoundWidth'(product);
  end else begin : gen_split
    localparam int unsigned HighWidth = XWidth - 17;
    logic signed [HighWidth+FactorWidth-1:0] high;
    logic signed [18+FactorWidth-1:0] low;
    multiplier #(.WidthA(HighWidth), .WidthB(FactorWidth)) u_high (
      .clk_i, .a_i(x_q[XWidth-1:17]), .b_i(factor_q), .product_o(high)
    );
    multiplier #(.WidthA(18), .WidthB(FactorWidth)) u_low (
      .clk_i, .a_i({1'b0, x_q[16:0]}), .b_i(factor_q), .product_o(low)
    );
    always_ff @(posedge clk_i) product_q <= (RoundWidth'(high) <<< 17) + RoundWidth'(low);
  end

  // --- 5, 6: round half up, shift ------------------------------------------------------------------

  delay #(.Width(6), .Stages(4)) u_shift (
    .clk_i, .data_i(shift_i), .data_o(shift_qqqq)
  );
  assign half = (RoundWidth'(1) <<< shift_qqqq) >>> 1;

  logic signed [RoundWidth-1:0] shifted_q;
  always_ff @(posedge clk_i) begin
    rounded_q <= product_q + half;
    shift_q5  <= shift_qqqq;
    shifted_q <= rounded_q >>> shift_q5;
  end

  // --- 7, 8: zero point, limits ----------------------------------------------------------------------

  logic signed [ValueWidth-1:0] zero_point, low_limit, high_limit;
  logic signed [RoundWidth-1:0] moved_q;
  delay #(.Width(ValueWidth), .Stages(6)) u_zero_point (
    .clk_i, .data_i(zero_point_i), .data_o(zero_point)
  );
  delay #(.Width(2 * ValueWidth), .Stages(7)) u_limits (
    .clk_i, .data_i({low_i, high_i}), .data_o({low_limit, high_limit})
  );
  always_ff @(posedge clk_i) begin
    moved_q <= shifted_q + RoundWidth'(zero_point);
    if (moved_q < RoundWidth'(low_limit)) y_o <= low_limit;
    else if (moved_q > RoundWidth'(high_limit)) y_o <= high_limit;
    else y_o <= moved_q[ValueWidth-1:0];
  end
endmodule
