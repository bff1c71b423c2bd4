// SPDX-License-Identifier: Apache-2.0
//
// Requantize with everything given at run time:
//
//   y = saturate(zero_point + floor((x + bias) * multiplier + remainder + half) / 2^shift))
//
// between low and high. The remainder is of less than one step of the bias, so that with it any
// number can be added to the product.
// x + bias of more than 18 bits is split, high * 2^17 + low, over two multipliers; a high part of
// at most `RowsBits` bits is multiplied in LUTs. What is common to a tensor (`shift_i` to `high_i`)
// must come with x. Latency: 9 edges.

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
  input  logic [MultiplierWidth-1:0]    remainder_i,
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
  logic signed [RoundWidth-1:0] product_q, rounded_q, half_q;
  logic [5:0] shift_qqq, shift_q5, capped;
  logic [MultiplierWidth-1:0] remainder_qqq;

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
    localparam int unsigned RowsBits = 8;
    logic signed [HighWidth+FactorWidth-1:0] high;
    logic signed [18+FactorWidth-1:0] low;
    if (HighWidth <= RowsBits) begin : gen_high_rows
      multiplier_rows #(
        .WidthA(HighWidth), .WidthB(FactorWidth), .PositiveB(1'b1)
      ) u_high (
        .clk_i, .a_i(x_q[XWidth-1:17]), .b_i(factor_q), .product_o(high)
      );
    end else begin : gen_high
      multiplier #(.WidthA(HighWidth), .WidthB(FactorWidth)) u_high (
        .clk_i, .a_i(x_q[XWidth-1:17]), .b_i(factor_q), .product_o(high)
      );
    end
    multiplier #(.WidthA(18), .WidthB(FactorWidth)) u_low (
      .clk_i, .a_i({1'b0, x_q[16:0]}), .b_i(factor_q), .product_o(low)
    );
    always_ff @(posedge clk_i) product_q <= (RoundWidth'(high) <<< 17) + RoundWidth'(low);
  end

  // --- 5, 6: round half up, shift ----------------------------------------------------------------

  delay #(.Width(6), .Stages(3)) u_shift (
    .clk_i, .data_i(shift_i), .data_o(shift_qqq)
  );
  delay #(.Width(MultiplierWidth), .Stages(3)) u_remainder (
    .clk_i, .data_i(remainder_i), .data_o(remainder_qqq)
  );
  delay #(.Width(6), .Stages(2)) u_later_shift (
    .clk_i, .data_i(shift_qqq), .data_o(shift_q5)
  );

  // a longer shift leaves 0 as well: this half is no less than any product
  localparam int unsigned MostShift = RoundWidth - 2;
  assign capped = (shift_qqq > 6'(MostShift)) ? 6'(MostShift) : shift_qqq;

  logic signed [RoundWidth-1:0] shifted_q;
  always_ff @(posedge clk_i) begin
    half_q    <= ((RoundWidth'(1) <<< capped) >>> 1) + RoundWidth'({1'b0, remainder_qqq});
    rounded_q <= product_q + half_q;
    shifted_q <= rounded_q >>> shift_q5;
  end

  // --- 7 to 9: zero point, limits ----------------------------------------------------------------

  // what no zero point brings back between limits is cut off first
  localparam int unsigned NearWidth = ValueWidth + 2;
  logic signed [ValueWidth-1:0] zero_point, low_limit, high_limit;
  logic signed [NearWidth-1:0] near_q;
  logic signed [NearWidth:0] moved_q;
  logic far;
  assign far = shifted_q[RoundWidth-1:NearWidth-1] != '0
      && shifted_q[RoundWidth-1:NearWidth-1] != '1;
  delay #(.Width(ValueWidth), .Stages(7)) u_zero_point (
    .clk_i, .data_i(zero_point_i), .data_o(zero_point)
  );
  delay #(.Width(2 * ValueWidth), .Stages(8)) u_limits (
    .clk_i, .data_i({low_i, high_i}), .data_o({low_limit, high_limit})
  );
  always_ff @(posedge clk_i) begin
    near_q <= far ? {shifted_q[RoundWidth-1], {NearWidth-1{!shifted_q[RoundWidth-1]}}}
        : shifted_q[NearWidth-1:0];
    moved_q <= (NearWidth + 1)'(near_q) + (NearWidth + 1)'(zero_point);
    if (moved_q < (NearWidth + 1)'(low_limit)) y_o <= low_limit;
    else if (moved_q > (NearWidth + 1)'(high_limit)) y_o <= high_limit;
    else y_o <= moved_q[ValueWidth-1:0];
  end
endmodule
