// SPDX-License-Identifier: Apache-2.0
//
// Words of a memory image, read in order and over again. The word of a step is in `data_o` two
// edges after the step: one read register, one output register (a block RAM is slow to give out).

module cyclic_rom #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 2,
  parameter bit          BlockRam = 1'b0,
  parameter              InitFile = ""
) (
  input  logic             clk_i,
  input  logic             rst_i,
  input  logic             step_i,
  output logic [Width-1:0] data_o
);
  localparam int unsigned AddrWidth = (Depth > 1) ? $clog2(Depth) : 1;

  logic [AddrWidth-1:0] addr;
  logic unused_last;
  logic [Width-1:0] read_q, data_q;

  loop_counter #(.Count(Depth)) u_addr (
    .clk_i, .rst_i, .step_i, .last_o(unused_last), .count_o(addr)
  );

  if (BlockRam) begin : gen_block
    (* rom_style = "block" *)
    logic [Width-1:0] mem [Depth];
    initial $readmemh(InitFile, mem);
    always_ff @(posedge clk_i) read_q <= mem[addr];
  end else begin : gen_lut
    (* rom_style = "logic" *)
    logic [Width-1:0] mem [Depth];
    initial $readmemh(InitFile, mem);
    always_ff @(posedge clk_i) read_q <= mem[addr];
  end

  always_ff @(posedge clk_i) data_q <= read_q;
  assign data_o = data_q;
endmodule
