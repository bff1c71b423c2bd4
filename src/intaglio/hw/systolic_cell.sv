// SPDX-License-Identifier: Apache-2.0
//
// One cell of a systolic array: an operand that streams east, one that is held, their product, and
// sums that go south.
//
// Stationary operand: sum_o = sum_i + stream * held. Stationary output (`os_i`): the products of a
// run from `first_i` to `last_i` are summed up here; `capture_i` then puts the sum on its way.
// The marks travel east with the stream. From stream_i to the sum: 4 edges.

module systolic_cell #(
  parameter int unsigned StreamWidth = 9,
  parameter int unsigned HoldWidth = 8,
  parameter int unsigned SumWidth = 24,
  parameter bit          OutputStationary = 1'b0
) (
  input  logic                          clk_i,
  input  logic                          os_i,
  input  logic signed [StreamWidth-1:0] stream_i,
  output logic signed [StreamWidth-1:0] stream_o,
  input  logic                          first_i,
  input  logic                          last_i,
  output logic                          first_o,
  output logic                          last_o,
  input  logic                          load_i,  // takes what is to be held
  input  logic signed [HoldWidth-1:0]   hold_i,
  output logic signed [HoldWidth-1:0]   hold_o,
  input  logic                          capture_i,
  input  logic signed [SumWidth-1:0]    sum_i,
  output logic signed [SumWidth-1:0]    sum_o
);
  /* verilator no_inline_module */  // thousands of cells compile as one

  logic signed [StreamWidth-1:0] stream_q;
  logic signed [HoldWidth-1:0] hold_q;
  logic signed [StreamWidth+HoldWidth-1:0] product;
  logic signed [SumWidth-1:0] sum_q;

  always_ff @(posedge clk_i) begin
    stream_q <= stream_i;
    if (load_i) hold_q <= hold_i;
  end

  multiplier #(.WidthA(StreamWidth), .WidthB(HoldWidth)) u_multiplier (
    .clk_i, .a_i(stream_q), .b_i(hold_q), .product_o(product)
  );

  if (OutputStationary) begin : gen_own_sum
    logic first_q, last_q, first_qqq, last_qqq;
    logic signed [SumWidth-1:0] own_q, whole_q, augend, total;

    always_ff @(posedge clk_i) begin
      first_q <= first_i;
      last_q  <= last_i;
    end
    delay #(.Width(2), .Stages(2)) u_marks (
      .clk_i, .data_i({first_q, last_q}), .data_o({first_qqq, last_qqq})
    );
    assign augend = !os_i ? sum_i : first_qqq ? '0 : own_q;
    assign total = augend + SumWidth'(product);
    always_ff @(posedge clk_i) begin
      own_q <= total;
      if (last_qqq) whole_q <= total;
      sum_q <= !os_i ? total : capture_i ? whole_q : sum_i;
    end
    assign first_o = first_q;
    assign last_o = last_q;
  end else begin : gen_passing_sum
    logic unused_marks;
    assign unused_marks = ^{os_i, first_i, last_i, capture_i};
    always_ff @(posedge clk_i) sum_q <= sum_i + SumWidth'(product);
    assign first_o = 1'b0;
    assign last_o = 1'b0;
  end

  assign stream_o = stream_q;
  assign hold_o = hold_q;
  assign sum_o = sum_q;
endmodule
