// SPDX-License-Identifier: Apache-2.0
//
// A memory image, read at any address. The word of an address is in `data_o` two edges after it:
// one read register, one output register (a block RAM is slow to give out).
//
// A block memory is cut into slices as `sliced_ram` is; slice s is initialised from
// `<InitFile>_<s>.hex`.

module sliced_rom #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 2,
  parameter bit          BlockRam = 1'b0,
  parameter              InitFile = "",
  localparam int unsigned AddrWidth = (Depth > 1) ? $clog2(Depth) : 1
) (
  input  logic                 clk_i,
  input  logic [AddrWidth-1:0] addr_i,
  output logic [Width-1:0]     data_o
);
  localparam int unsigned BlockWidth = (Depth <= 512) ? 36 : (Depth <= 1024) ? 18
      : (Depth <= 2048) ? 9 : (Depth <= 4096) ? 4 : (Depth <= 8192) ? 2 : 1;
  localparam int unsigned SliceWidth = (BlockRam && BlockWidth < Width) ? BlockWidth : Width;

  for (genvar s = 0; s * SliceWidth < Width; s++) begin : gen_slice
    localparam int unsigned Low = s * SliceWidth;
    localparam int unsigned Bits = (Width - Low < SliceWidth) ? Width - Low : SliceWidth;
    logic [Bits-1:0] read_q, data_q;

    if (BlockRam) begin : gen_block
      (* rom_style = "block" *)
      logic [Bits-1:0] mem [Depth];
      initial $readmemh($sformatf("%s_%0d.hex", InitFile, s), mem);
      always_ff @(posedge clk_i) read_q <= mem[addr_i];
    end else begin : gen_lut
      (* rom_style = "logic" *)
      logic [Bits-1:0] mem [Depth];
      initial $readmemh($sformatf("%s_%0d.hex", InitFile, s), mem);
      always_ff @(posedge clk_i) read_q <= mem[addr_i];
    end

    always_ff @(posedge clk_i) data_q <= read_q;
    assign data_o[Low +: Bits] = data_q;
  end
endmodule
