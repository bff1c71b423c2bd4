// SPDX-License-Identifier: Apache-2.0
//
// Words of a memory image, read in order and over again. The word of a step is in `data_o` two
// edges after the step; `sliced_rom` says where the words come from.

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

  loop_counter #(.Count(Depth)) u_addr (
    .clk_i, .rst_i, .step_i, .last_o(unused_last), .count_o(addr)
  );

  sliced_rom #(
    .Width(Width), .Depth(Depth), .BlockRam(BlockRam), .InitFile(InitFile)
  ) u_memory (
    .clk_i, .addr_i(addr), .data_o
  );
endmodule
