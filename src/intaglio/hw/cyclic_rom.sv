// SPDX-License-Identifier: Apache-2.0
//
// Words of a memory image, read in order and over again. The word of a step is in `data_o` two
// edges after the step: one read register, one output register (a block RAM is slow to give out).
//
// A block memory is cut into slices as wide as one 18-Kbit block is at its depth, so that each is
// one block and no multiplexer follows. Slice s is initialised from `<InitFile>_<s>.hex`.

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
  localparam int unsigned BlockWidth = (Depth <= 512) ? 36 : (Depth <= 1024) ? 18
      : (Depth <= 2048) ? 9 : (Depth <= 4096) ? 4 : (Depth <= 8192) ? 2 : 1;
  localparam int unsigned SliceWidth = (BlockRam && BlockWidth < Width) ? BlockWidth : Width;

  logic [AddrWidth-1:0] addr;
  logic unused_last;
  logic [Width-1:0] data_q;

  loop_counter #(.Count(Depth)) u_addr (
    .clk_i, .rst_i, .step_i, .last_o(unused_last), .count_o(addr)
  );

  for (genvar s = 0; s * SliceWidth < Width; s++) begin : gen_slice
    localparam int unsigned Low = s * SliceWidth;
    localparam int unsigned Bits = (Width - Low < SliceWidth) ? Width - Low : SliceWidth;
    logic [Bits-1:0] read_q;

    if (BlockRam) begin : gen_block
      (* rom_style = "block" *)
      logic [Bits-1:0] mem [Depth];
      initial $readmemh($sformatf("%s_%0d.hex", InitFile, s), mem);
      always_ff @(posedge clk_i) read_q <= mem[addr];
    end else begin : gen_lut
      (* rom_style = "logic" *)
      logic [Bits-1:0] mem [Depth];
      initial $readmemh($sformatf("%s_%0d.hex", InitFile, s), mem);
      always_ff @(posedge clk_i) read_q <= mem[addr];
    end

    always_ff @(posedge clk_i) data_q[Low +: Bits] <= read_q;
  end

  assign data_o = data_q;
endmodule
