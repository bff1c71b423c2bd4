// SPDX-License-Identifier: Apache-2.0
//
// A ring of `Length` words: each step reads the word of `Length` steps before and puts a new one in
// its place. The old word is there two edges after the step, and the new one, made from it, is
// taken at once. A ring too short for a memory's latency is a shift register.

module word_ring #(
  parameter int unsigned Width = 8,
  parameter int unsigned Length = 1,
  parameter bit          BlockRam = 1'b0
) (
  input  logic             clk_i,
  input  logic             rst_i,
  input  logic             step_i,
  output logic             valid_o,  // of the step two edges ago
  output logic [Width-1:0] old_o,
  input  logic [Width-1:0] new_i
);
  logic [1:0] valid_pipe_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) valid_pipe_q <= '0;
    else valid_pipe_q <= {valid_pipe_q[0], step_i};
  end

  assign valid_o = valid_pipe_q[1];

  if (Length < 4) begin : gen_shift
    logic [Length-1:0][Width-1:0] words_q;

    always_ff @(posedge clk_i) begin
      if (valid_o) begin
        words_q[0] <= new_i;
        for (int unsigned i = 1; i < Length; i++) words_q[i] <= words_q[i-1];
      end
    end

    assign old_o = words_q[Length-1];
  end else begin : gen_memory
    localparam int unsigned AddrWidth = $clog2(Length);

    logic write_q, unused_read_last, unused_write_last;
    logic [Width-1:0] write_data_q, data_q;
    logic [AddrWidth-1:0] read_addr, write_addr;

    loop_counter #(.Count(Length)) u_read (
      .clk_i, .rst_i, .step_i, .last_o(unused_read_last), .count_o(read_addr)
    );
    loop_counter #(.Count(Length)) u_write (
      .clk_i, .rst_i, .step_i(write_q), .last_o(unused_write_last), .count_o(write_addr)
    );

    always_ff @(posedge clk_i) begin
      write_data_q <= new_i;
      if (rst_i) write_q <= 1'b0;
      else write_q <= valid_o;
    end

    // In slices as wide as one 18-Kbit block is at this depth: see `cyclic_rom`.
    localparam int unsigned BlockWidth = (Length <= 512) ? 36 : (Length <= 1024) ? 18
        : (Length <= 2048) ? 9 : (Length <= 4096) ? 4 : (Length <= 8192) ? 2 : 1;
    localparam int unsigned SliceWidth = (BlockRam && BlockWidth < Width) ? BlockWidth : Width;

    for (genvar s = 0; s * SliceWidth < Width; s++) begin : gen_slice
      localparam int unsigned Low = s * SliceWidth;
      localparam int unsigned Bits = (Width - Low < SliceWidth) ? Width - Low : SliceWidth;
      logic [Bits-1:0] read_q;

      if (BlockRam) begin : gen_block
        (* ram_style = "block", no_rw_check *)
        logic [Bits-1:0] mem [Length];
        always_ff @(posedge clk_i) begin
          if (write_q) mem[write_addr] <= write_data_q[Low +: Bits];
        end
        always_ff @(posedge clk_i) read_q <= mem[read_addr];
      end else begin : gen_lut
        (* ram_style = "distributed", no_rw_check *)
        logic [Bits-1:0] mem [Length];
        always_ff @(posedge clk_i) begin
          if (write_q) mem[write_addr] <= write_data_q[Low +: Bits];
        end
        always_ff @(posedge clk_i) read_q <= mem[read_addr];
      end

      always_ff @(posedge clk_i) data_q[Low +: Bits] <= read_q;
    end

    assign old_o = data_q;

`ifndef SYNTHESIS
    always_ff @(posedge clk_i) begin
      if (!rst_i) begin
        assert (!(write_q && step_i && write_addr == read_addr))
          else $error("word_ring: a word is read while it is written");
      end
    end
`endif
  end
endmodule
