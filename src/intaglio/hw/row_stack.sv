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

  // In slices as wide as one 18-Kbit block is at this depth: see `cyclic_rom`.
  localparam int unsigned BlockWidth = (RowWords <= 512) ? 36 : (RowWords <= 1024) ? 18
      : (RowWords <= 2048) ? 9 : (RowWords <= 4096) ? 4 : (RowWords <= 8192) ? 2 : 1;
  localparam int unsigned SliceWidth = (BlockRam && BlockWidth < OldWidth) ? BlockWidth : OldWidth;

  logic [$clog2(RowWords)-1:0] position, position_q;
  logic unused_last, take_q;
  logic [OldWidth-1:0] old_q;
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

  assign word_o = {word_q, old_q};

  // A place is read when its word is taken and written an edge later, when the next one is read.
  for (genvar s = 0; s * SliceWidth < OldWidth; s++) begin : gen_slice
    localparam int unsigned Low = s * SliceWidth;
    localparam int unsigned Bits = (OldWidth - Low < SliceWidth) ? OldWidth - Low : SliceWidth;

    if (BlockRam) begin : gen_block
      (* ram_style = "block", no_rw_check *)
      logic [Bits-1:0] mem [RowWords];
      always_ff @(posedge clk_i) begin
        if (take_q) mem[position_q] <= word_o[Width+Low +: Bits];
      end
      always_ff @(posedge clk_i) old_q[Low +: Bits] <= mem[position];
    end else begin : gen_lut
      (* ram_style = "distributed", no_rw_check *)
      logic [Bits-1:0] mem [RowWords];
      always_ff @(posedge clk_i) begin
        if (take_q) mem[position_q] <= word_o[Width+Low +: Bits];
      end
      always_ff @(posedge clk_i) old_q[Low +: Bits] <= mem[position];
    end
  end
endmodule
