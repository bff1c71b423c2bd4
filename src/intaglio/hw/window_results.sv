// SPDX-License-Identifier: Apache-2.0
//
// The sums of a window, made all at once, leave as a stream of OutLanes a beat, lowest channels
// first. Room for all beats of a window is reserved before its sums come.

module window_results #(
  parameter int unsigned Lanes = 1,
  parameter int unsigned SumWidth = 24,   // bits of a sum, signed
  parameter int unsigned OutWidth = 24,   // bits of it that leave: SumWidth, or one less
  parameter int unsigned OutLanes = 1,
  parameter int unsigned OutDepth = 16
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  output logic                         space_o,
  input  logic                         reserve_i,
  input  logic                         valid_i,
  input  logic [Lanes*SumWidth-1:0]    sums_i,
  output logic                         out_valid_o,
  input  logic                         out_ready_i,
  output logic [OutLanes*OutWidth-1:0] out_data_o
);
  localparam int unsigned Beats = Lanes / OutLanes;

  if (Beats * OutLanes != Lanes) begin : gen_check
    $fatal(1, "window_results: OutLanes must divide Lanes");
  end

  logic [Lanes*OutWidth-1:0] result, shift_q;
  logic [Beats-1:0] beat_q;

  for (genvar o = 0; o < Lanes; o++) begin : gen_result
    assign result[o*OutWidth +: OutWidth] = sums_i[o*SumWidth +: OutWidth];
    if (SumWidth > OutWidth) begin : gen_unused
      logic unused_sign;
      assign unused_sign = ^sums_i[o*SumWidth+OutWidth +: SumWidth-OutWidth];
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) beat_q <= '0;
    else if (valid_i) beat_q <= '1;
    else beat_q <= beat_q >> 1;
    if (valid_i) shift_q <= result;
    else shift_q <= shift_q >> (OutLanes * OutWidth);
  end

  stream_fifo #(
    .Width(OutLanes * OutWidth), .Depth(OutDepth), .Burst(Beats)
  ) u_fifo (
    .clk_i, .rst_i, .space_o, .reserve_i,
    .write_i(beat_q[0]), .data_i(shift_q[OutLanes*OutWidth-1:0]),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
