// SPDX-License-Identifier: Apache-2.0
//
// Simple dual-port memory: a word written at one edge can be read from the next on. The word of an
// address is in `data_o` two edges after it: one read register, one output register (a block RAM is
// slow to give out). Without `OutRegister` it is there one edge after it.
//
// A block memory is cut into slices as wide as one 18-Kbit block is at its depth, so that each is
// one block and no multiplexer follows.

module sliced_ram #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 2,
  parameter bit          BlockRam = 1'b0,
  parameter bit          OutRegister = 1'b1,
  localparam int unsigned AddrWidth = (Depth > 1) ? $clog2(Depth) : 1
) (
  input  logic                 clk_i,
  input  logic                 write_i,
  input  logic [AddrWidth-1:0] write_addr_i,
  input  logic [Width-1:0]     data_i,
  input  logic [AddrWidth-1:0] read_addr_i,
  output logic [Width-1:0]     data_o
);
  localparam int unsigned BlockWidth = (Depth <= 512) ? 36 : (Depth <= 1024) ? 18
      : (Depth <= 2048) ? 9 : (Depth <= 4096) ? 4 : (Depth <= 8192) ? 2 : 1;
  localparam int unsigned SliceWidth = (BlockRam && BlockWidth < Width) ? BlockWidth : Width;

  for (genvar s = 0; s * SliceWidth < Width; s++) begin : gen_slice
    localparam int unsigned Low = s * SliceWidth;
    localparam int unsigned Bits = (Width - Low < SliceWidth) ? Width - Low : SliceWidth;
    logic [Bits-1:0] read_q;

    if (BlockRam) begin : gen_block
      (* ram_style = "block", no_rw_check *)
      logic [Bits-1:0] mem [Depth];
      always_ff @(posedge clk_i) begin
        if (write_i) mem[write_addr_i] <= data_i[Low +: Bits];
      end
      always_ff @(posedge clk_i) read_q <= mem[read_addr_i];
    end else begin : gen_lut
      (* ram_style = "distributed", no_rw_check *)
      logic [Bits-1:0] mem [Depth];
      always_ff @(posedge clk_i) begin
        if (write_i) mem[write_addr_i] <= data_i[Low +: Bits];
      end
      always_ff @(posedge clk_i) read_q <= mem[read_addr_i];
    end

    if (OutRegister) begin : gen_out_register
      logic [Bits-1:0] data_q;
      always_ff @(posedge clk_i) data_q <= read_q;
      assign data_o[Low +: Bits] = data_q;
    end else begin : gen_direct
      assign data_o[Low +: Bits] = read_q;
    end
  end
endmodule
