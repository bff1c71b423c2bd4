// SPDX-License-Identifier: Apache-2.0
//
// The instructions of one unit, one after the other: `word_o` is the next one, an edge after
// `fetch_i`; `take_i` moves on, `restart_i` to the first. `ended_o` says that none is left.
//
// The next one is read before it is fetched, as a block RAM is slow to give out: between `take_i`
// or `restart_i` and `fetch_i` there must be a cycle. Bits that are the same in all instructions
// cost nothing.

module instruction_list #(
  parameter int unsigned Width = 8,
  parameter int unsigned Count = 1,
  parameter bit          BlockRom = 1'b0,
  parameter              InitFile = ""
) (
  input  logic             clk_i,
  input  logic             restart_i,
  input  logic             fetch_i,
  input  logic             take_i,
  output logic [Width-1:0] word_o,
  output logic             ended_o
);
  localparam int unsigned AddrWidth = (Count > 1) ? $clog2(Count) : 1;

  logic [AddrWidth:0] next_q;
  logic [Width-1:0] read_q, word_q;
  always_ff @(posedge clk_i) begin
    if (restart_i) next_q <= '0;
    else next_q <= next_q + (AddrWidth + 1)'(take_i);
    if (fetch_i) word_q <= read_q;
  end

  if (BlockRom) begin : gen_block
    (* rom_style = "block" *)
    logic [Width-1:0] list [Count];
    initial $readmemh(InitFile, list);
    always_ff @(posedge clk_i) read_q <= list[next_q[AddrWidth-1:0]];
  end else begin : gen_lut
    (* rom_style = "logic" *)
    logic [Width-1:0] list [Count];
    initial $readmemh(InitFile, list);
    always_ff @(posedge clk_i) read_q <= list[next_q[AddrWidth-1:0]];
  end

  assign word_o = word_q;
  assign ended_o = next_q == (AddrWidth + 1)'(Count);
endmodule
