// SPDX-License-Identifier: Apache-2.0
//
// Pooling of whole frames as a stream unit: each channel is reduced to its maximum or sum as it
// comes in, and no part of the image is kept. A slot is an input beat; the last pixel gives.
// Latency from slot to beat: 3.

module frame_pool #(
  parameter bit          Maximum = 1'b1,  // or the sum
  parameter int unsigned Width = 8,
  parameter bit          Signed = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter int unsigned Groups = 1,      // beats in one pixel
  parameter int unsigned Pixels = 1,
  parameter bit          BlockRam = 1'b0,
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
  logic space, issue, group_last, pixel_last, first_q, valid, write_q;
  logic [1:0] first_pipe_q, last_pipe_q;
  logic [Lanes*Width-1:0] x_q, x;
  logic [Lanes*OutWidth-1:0] old, result, result_q;
  logic [((Groups > 1) ? $clog2(Groups) : 1)-1:0] unused_group;
  logic [((Pixels > 1) ? $clog2(Pixels) : 1)-1:0] unused_pixel;

  assign issue = in_valid_i && (space || !pixel_last);
  assign in_ready_o = space || !pixel_last;

  loop_counter #(.Count(Groups)) u_group (
    .clk_i, .rst_i, .step_i(issue), .last_o(group_last), .count_o(unused_group)
  );
  loop_counter #(.Count(Pixels)) u_pixel (
    .clk_i, .rst_i, .step_i(issue && group_last), .last_o(pixel_last), .count_o(unused_pixel)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) first_q <= 1'b1;
    else if (issue && group_last) first_q <= pixel_last;
  end

  always_ff @(posedge clk_i) begin
    x_q          <= in_data_i;
    x            <= x_q;
    first_pipe_q <= {first_pipe_q[0], first_q};
    last_pipe_q  <= {last_pipe_q[0], pixel_last};
    result_q     <= result;
    if (rst_i) write_q <= 1'b0;
    else write_q <= valid && last_pipe_q[1];
  end

  word_ring #(
    .Width(Lanes * OutWidth), .Length(Groups), .BlockRam(BlockRam)
  ) u_ring (
    .clk_i, .rst_i, .step_i(issue), .valid_o(valid), .old_o(old), .new_i(result)
  );

  pool_step #(
    .Maximum(Maximum), .Width(Width), .Signed(Signed), .Lanes(Lanes), .OutWidth(OutWidth)
  ) u_step (
    .first_i(first_pipe_q[1]), .x_i(x), .old_i(old), .new_o(result)
  );

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue && pixel_last),
    .write_i(write_q), .data_i(result_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
