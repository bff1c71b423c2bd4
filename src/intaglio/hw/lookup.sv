// SPDX-License-Identifier: Apache-2.0
//
// A function of one element, by table, as a stream unit. Each lane has the table in a memory of its
// own, addressed by the element's bits as they are. Latency from beat to beat: 3 edges.

module lookup #(
  parameter int unsigned Width = 8,
  parameter int unsigned Lanes = 1,
  parameter bit          BlockTable = 1'b0,
  parameter              TableFile = "",
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
  logic space, issue;
  logic [2:0] valid_q;
  logic [Lanes*Width-1:0] x_q;
  logic [Lanes*OutWidth-1:0] y;

  assign issue = in_valid_i && space;
  assign in_ready_o = space;

  always_ff @(posedge clk_i) begin
    x_q <= in_data_i;
    if (rst_i) valid_q <= '0;
    else valid_q <= {valid_q[1:0], issue};
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    sliced_rom #(
      .Width(OutWidth), .Depth(1 << Width), .BlockRam(BlockTable), .InitFile(TableFile)
    ) u_table (
      .clk_i, .addr_i(x_q[i*Width +: Width]), .data_o(y[i*OutWidth +: OutWidth])
    );
  end

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(valid_q[2]), .data_i(y),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
