// SPDX-License-Identifier: Apache-2.0
//
// Puts the words of the last KernelRows rows side by side, the oldest lowest. A word taken at one
// edge is in `word_o`, on top of those that stood there in the rows before, until the next edge.

module row_stack #(
  parameter int unsigned Width = 8,       // bits of a word
  parameter int unsigned KernelRows = 2,
  parameter int unsigned RowWords = 2,    // words in a row
  parameter bit          BlockRam = 1'b0
) (
  input  logic                        clk_i,
  input  logic                        rst_i,
  input  logic                        take_i,
  input  logic [Width-1:0]            word_i,
  output logic [KernelRows*Width-1:0] word_o
);
  localparam int unsigned OldWidth = (KernelRows - 1) * Width;

  if (RowWords < 2 || KernelRows < 2) begin : gen_check
    $fatal(1, "row_stack: RowWords and KernelRows must be at least 2");
  end

  logic [$clog2(RowWords)-1:0] position, position_q;
  logic unused_last, take_q;
  logic [OldWidth-1:0] old;
  logic [Width-1:0] word_q;

  loop_counter #(.Count(RowWords)) u_position (
    .clk_i, .rst_i, .step_i(take_i), .last_o(unused_last), .count_o(position)
  );

  always_ff @(posedge clk_i) begin
    word_q     <= word_i;
    position_q <= position;
    if (rst_i) take_q <= 1'b0;
    else take_q <= take_i;
  end

  assign word_o = {word_q, old};

  // A place is read when its word is taken and written an edge later, when the next one is read.
  sliced_ram #(
    .Width(OldWidth), .Depth(RowWords), .BlockRam(BlockRam), .OutRegister(1'b0)
  ) u_memory (
    .clk_i, .write_i(take_q), .write_addr_i(position_q), .data_i(word_o[Width +: OldWidth]),
    .read_addr_i(position), .data_o(old)
  );
endmodule
