// SPDX-License-Identifier: Apache-2.0
//
// Product of two streams as a unit, element by element: a beat of each is taken together. Latency
// from beat to beat: 2 edges.

module product #(
  parameter int unsigned WidthA = 8,
  parameter bit          SignedA = 1'b0,
  parameter int unsigned WidthB = 8,
  parameter bit          SignedB = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter int unsigned OutWidth = 16,     // holds every product
  parameter int unsigned OutDepth = 16
) (
  input  logic                      clk_i,
  input  logic                      rst_i,
  input  logic                      a_valid_i,
  output logic                      a_ready_o,
  input  logic [Lanes*WidthA-1:0]   a_data_i,
  input  logic                      b_valid_i,
  output logic                      b_ready_o,
  input  logic [Lanes*WidthB-1:0]   b_data_i,
  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [Lanes*OutWidth-1:0] out_data_o
);
  localparam int unsigned A = WidthA + (SignedA ? 0 : 1);
  localparam int unsigned B = WidthB + (SignedB ? 0 : 1);

  logic space, issue;
  logic [1:0] valid_q;
  logic [Lanes*OutWidth-1:0] y;

  assign issue = a_valid_i && b_valid_i && space;
  assign a_ready_o = b_valid_i && space;
  assign b_ready_o = a_valid_i && space;

  always_ff @(posedge clk_i) begin
    if (rst_i) valid_q <= '0;
    else valid_q <= {valid_q[0], issue};
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic signed [A-1:0] a;
    logic signed [B-1:0] b;
    logic signed [A+B-1:0] full;

    if (SignedA) begin : gen_a_signed
      assign a = a_data_i[i*WidthA +: WidthA];
    end else begin : gen_a_unsigned
      assign a = {1'b0, a_data_i[i*WidthA +: WidthA]};
    end
    if (SignedB) begin : gen_b_signed
      assign b = b_data_i[i*WidthB +: WidthB];
    end else begin : gen_b_unsigned
      assign b = {1'b0, b_data_i[i*WidthB +: WidthB]};
    end

    multiplier #(.WidthA(A), .WidthB(B)) u_multiplier (
      .clk_i, .a_i(a), .b_i(b), .product_o(full)
    );

    assign y[i*OutWidth +: OutWidth] = full[OutWidth-1:0];
    if (A + B > OutWidth) begin : gen_unused
      logic unused_sign;
      assign unused_sign = ^full[A+B-1:OutWidth];
    end
  end

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(valid_q[1]), .data_i(y),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
