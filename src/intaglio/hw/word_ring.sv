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
    logic [Width-1:0] write_data_q;
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

    sliced_ram #(
      .Width(Width), .Depth(Length), .BlockRam(BlockRam)
    ) u_memory (
      .clk_i, .write_i(write_q), .write_addr_i(write_addr), .data_i(write_data_q),
      .read_addr_i(read_addr), .data_o(old_o)
    );

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
