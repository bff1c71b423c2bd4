// SPDX-License-Identifier: Apache-2.0
//
// Rectifier and clip as a stream unit: y = min(max(x, Low), High). Latency from beat to beat: 1.

module clamp #(
  parameter int unsigned Width = 8,
  parameter bit          Signed = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter              Low = 0,         // signed, as wide as its value
  parameter              High = 255,
  parameter int unsigned OutWidth = 8,
  parameter int unsigned OutDepth = 16
) (
  input  logic                      clk_i,
  input  logic                      rst_i,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  input  logic [Lanes*Width-1:0]    in_data_i,
  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [Lanes*OutWidth-1:0] out_data_o
);
  localparam int unsigned XWidth = ((Width > OutWidth) ? Width : OutWidth) + 1;

  logic space, issue, write_q;
  logic [Lanes*OutWidth-1:0] y_q;

  assign issue = in_valid_i && space;
  assign in_ready_o = space;

  always_ff @(posedge clk_i) begin
    if (rst_i) write_q <= 1'b0;
    else write_q <= issue;
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic signed [XWidth-1:0] x;

    if (Signed) begin : gen_signed
      assign x = XWidth'(signed'(in_data_i[i*Width +: Width]));
    end else begin : gen_unsigned
      assign x = XWidth'(in_data_i[i*Width +: Width]);
    end

    always_ff @(posedge clk_i) begin
      if (x < XWidth'(Low)) y_q[i*OutWidth +: OutWidth] <= OutWidth'(Low);
      else if (x > XWidth'(High)) y_q[i*OutWidth +: OutWidth] <= OutWidth'(High);
      else y_q[i*OutWidth +: OutWidth] <= x[OutWidth-1:0];
    end
  end

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(write_q), .data_i(y_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
