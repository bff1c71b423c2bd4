// SPDX-License-Identifier: Apache-2.0
//
// One stream to two readers, each behind a FIFO of its own. Latency from beat to beat: 1.

module stream_fork #(
  parameter int unsigned Width = 8,
  parameter int unsigned OutDepth = 16
) (
  input  logic             clk_i,
  input  logic             rst_i,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_data_i,
  output logic             a_valid_o,
  input  logic             a_ready_i,
  output logic [Width-1:0] a_data_o,
  output logic             b_valid_o,
  input  logic             b_ready_i,
  output logic [Width-1:0] b_data_o
);
  logic space_a, space_b, issue, write_q;
  logic [Width-1:0] data_q;

  assign in_ready_o = space_a && space_b;
  assign issue = in_valid_i && in_ready_o;

  always_ff @(posedge clk_i) begin
    data_q <= in_data_i;
    if (rst_i) write_q <= 1'b0;
    else write_q <= issue;
  end

  stream_fifo #(
    .Width(Width), .Depth(OutDepth)
  ) u_fifo_a (
    .clk_i, .rst_i, .space_o(space_a), .reserve_i(issue), .write_i(write_q), .data_i(data_q),
    .valid_o(a_valid_o), .ready_i(a_ready_i), .data_o(a_data_o)
  );

  stream_fifo #(
    .Width(Width), .Depth(OutDepth)
  ) u_fifo_b (
    .clk_i, .rst_i, .space_o(space_b), .reserve_i(issue), .write_i(write_q), .data_i(data_q),
    .valid_o(b_valid_o), .ready_i(b_ready_i), .data_o(b_data_o)
  );
endmodule
