// SPDX-License-Identifier: Apache-2.0
//
// A memory that is written in chunks and read in words of `Chunks` of them, 2 edges after the
// address. Chunk c is in word c / Chunks.

module chunk_memory #(
  parameter int unsigned ChunkWidth = 8,
  parameter int unsigned Chunks = 1,   // a power of two
  parameter int unsigned Words = 512,
  localparam int unsigned ChunkBits = $clog2(Chunks),
  localparam int unsigned AddrWidth = (Words > 1) ? $clog2(Words) : 1
) (
  input  logic                           clk_i,
  input  logic                           write_i,
  input  logic [AddrWidth+ChunkBits-1:0] chunk_i,
  input  logic [ChunkWidth-1:0]          data_i,
  input  logic [AddrWidth-1:0]           read_addr_i,
  output logic [Chunks*ChunkWidth-1:0]   data_o
);
  for (genvar c = 0; c < Chunks; c++) begin : gen_chunk
    logic chosen;
    if (Chunks == 1) begin : gen_only
      assign chosen = 1'b1;
    end else begin : gen_one_of
      assign chosen = chunk_i[ChunkBits-1:0] == ChunkBits'(c);
    end
    sliced_ram #(.Width(ChunkWidth), .Depth(Words), .BlockRam(1'b1)) u_ram (
      .clk_i, .write_i(write_i && chosen), .write_addr_i(chunk_i[AddrWidth+ChunkBits-1:ChunkBits]),
      .data_i, .read_addr_i, .data_o(data_o[c*ChunkWidth +: ChunkWidth])
    );
  end
endmodule
