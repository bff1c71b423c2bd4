// SPDX-License-Identifier: Apache-2.0
//
// Sum of two streams as a unit: a beat of each is taken together. Latency from beat to beat: 1.

module adder #(
  parameter int unsigned WidthA = 8,
  parameter bit          SignedA = 1'b0,
  parameter int unsigned WidthB = 8,
  parameter bit          SignedB = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter int unsigned OutWidth = 9,
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
  logic space, issue, write_q;
  logic [Lanes*OutWidth-1:0] sum_q;

  assign issue = a_valid_i && b_valid_i && space;
  assign a_ready_o = b_valid_i && space;
  assign b_ready_o = a_valid_i && space;

  always_ff @(posedge clk_i) begin
    if (rst_i) write_q <= 1'b0;
    else write_q <= issue;
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [OutWidth-1:0] a, b;
    if (SignedA) begin : gen_a_signed
      assign a = OutWidth'(signed'(a_data_i[i*WidthA +: WidthA]));
    end else begin : gen_a_unsigned
      assign a = OutWidth'(a_data_i[i*WidthA +: WidthA]);
    end
    if (SignedB) begin : gen_b_signed
      assign b = OutWidth'(signed'(b_data_i[i*WidthB +: WidthB]));
    end else begin : gen_b_unsigned
      assign b = OutWidth'(b_data_i[i*WidthB +: WidthB]);
    end
    always_ff @(posedge clk_i) sum_q[i*OutWidth +: OutWidth] <= a + b;
  end

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(write_q), .data_i(sum_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
