// SPDX-License-Identifier: Apache-2.0
//
// Gives the words of a stream in another order, or several times.
//
// Writer: stores words as they come into a circular memory of `Blocks` blocks of `BlockWords`.
// Reader: walks over each block in a nest of four loops, outermost first; loop i makes `CountI`
// turns and moves the address by `StepI`. A slot is a word read. A block is started when all of it
// is stored, and given back with its last slot. Latency from slot to beat: 3.

module stream_reorder #(
  parameter int unsigned Width = 8,       // bits of one beat
  parameter int unsigned BlockWords = 2,
  parameter int unsigned Blocks = 2,
  parameter int unsigned Count0 = 1,
  parameter int unsigned Step0 = 0,
  parameter int unsigned Count1 = 1,
  parameter int unsigned Step1 = 0,
  parameter int unsigned Count2 = 1,
  parameter int unsigned Step2 = 0,
  parameter int unsigned Count3 = 2,
  parameter int unsigned Step3 = 1,
  parameter bit          BlockRam = 1'b0,
  parameter int unsigned OutDepth = 16
) (
  input  logic             clk_i,
  input  logic             rst_i,
  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_data_i,
  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_data_o
);
  localparam int unsigned Total = Blocks * BlockWords;
  localparam int unsigned AddrWidth = (Total > 1) ? $clog2(Total) : 1;
  localparam int unsigned CountWidth = $clog2(Blocks + 1);

  // How far each loop is from its first turn when it is at its last, with all loops inside it.
  localparam int unsigned Span3 = (Count3 - 1) * Step3;
  localparam int unsigned Span2 = (Count2 - 1) * Step2 + Span3;
  localparam int unsigned Span1 = (Count1 - 1) * Step1 + Span2;
  localparam int unsigned Span0 = (Count0 - 1) * Step0 + Span1;

  typedef logic [AddrWidth-1:0] addr_t;
  typedef logic [CountWidth-1:0] count_t;

  if (Blocks < 2) begin : gen_check_blocks
    $fatal(1, "stream_reorder: Blocks must be at least 2");
  end
  if (Span0 >= BlockWords) begin : gen_check_span
    $fatal(1, "stream_reorder: the loops must stay inside a block");
  end

  // ---- writer ------------------------------------------------------------------------------

  logic accept, word_last, block_done, full_q, write_q;
  logic [Width-1:0] write_data_q;
  addr_t write_addr_q;
  logic [((BlockWords > 1) ? $clog2(BlockWords) : 1)-1:0] unused_word;

  assign in_ready_o = !full_q;
  assign accept = in_valid_i && !full_q;
  assign block_done = accept && word_last;

  loop_counter #(.Count(BlockWords)) u_word (
    .clk_i, .rst_i, .step_i(accept), .last_o(word_last), .count_o(unused_word)
  );

  always_ff @(posedge clk_i) begin
    write_data_q <= in_data_i;
    if (rst_i) begin
      write_q      <= 1'b0;
      write_addr_q <= '0;
    end else begin
      write_q <= accept;
      if (write_q) begin
        write_addr_q <= (write_addr_q == addr_t'(Total - 1)) ? '0 : write_addr_q + 1'b1;
      end
    end
  end

  // ---- blocks ------------------------------------------------------------------------------

  logic block_end, ready_q;
  count_t blocks_q, blocks_d;

  assign blocks_d = blocks_q + count_t'(block_done) - count_t'(block_end);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      blocks_q <= '0;
      full_q   <= 1'b0;
      ready_q  <= 1'b0;
    end else begin
      blocks_q <= blocks_d;
      full_q   <= blocks_d == count_t'(Blocks);
      ready_q  <= blocks_d != '0;
    end
  end

  // ---- reader ------------------------------------------------------------------------------

  logic space, issue, in_block_q, last0, last1, last2, last3, end1, end2, end3, memory_end;
  addr_t addr_q, step;
  logic [((Count0 > 1) ? $clog2(Count0) : 1)-1:0] unused_count0;
  logic [((Count1 > 1) ? $clog2(Count1) : 1)-1:0] unused_count1;
  logic [((Count2 > 1) ? $clog2(Count2) : 1)-1:0] unused_count2;
  logic [((Count3 > 1) ? $clog2(Count3) : 1)-1:0] unused_count3;
  logic [$clog2(Blocks)-1:0] unused_block;

  assign issue = space && (in_block_q || ready_q);
  assign end3 = issue && last3;
  assign end2 = end3 && last2;
  assign end1 = end2 && last1;
  assign block_end = end1 && last0;

  loop_counter #(.Count(Count3)) u_loop3 (
    .clk_i, .rst_i, .step_i(issue), .last_o(last3), .count_o(unused_count3)
  );
  loop_counter #(.Count(Count2)) u_loop2 (
    .clk_i, .rst_i, .step_i(end3), .last_o(last2), .count_o(unused_count2)
  );
  loop_counter #(.Count(Count1)) u_loop1 (
    .clk_i, .rst_i, .step_i(end2), .last_o(last1), .count_o(unused_count1)
  );
  loop_counter #(.Count(Count0)) u_loop0 (
    .clk_i, .rst_i, .step_i(end1), .last_o(last0), .count_o(unused_count0)
  );
  loop_counter #(.Count(Blocks)) u_block (
    .clk_i, .rst_i, .step_i(block_end), .last_o(memory_end), .count_o(unused_block)
  );

  // Steps back are additions modulo the address: the sum never leaves the memory.
  always_comb begin
    if (!last3) step = addr_t'(Step3);
    else if (!last2) step = addr_t'(Step2 - Span3);
    else if (!last1) step = addr_t'(Step1 - Span2);
    else if (!last0) step = addr_t'(Step0 - Span1);
    else step = addr_t'(BlockWords - Span0);
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      addr_q     <= '0;
      in_block_q <= 1'b0;
    end else if (issue) begin
      addr_q     <= (memory_end && last0 && last1 && last2 && last3) ? '0 : addr_q + step;
      in_block_q <= !block_end;
    end
  end

  // ---- memory ------------------------------------------------------------------------------
  // A block is given back before its last word is read; the writer needs two edges to get there.

  addr_t read_addr_q;
  logic [Width-1:0] read_data;
  logic [2:0] valid_pipe_q;

  sliced_ram #(
    .Width(Width), .Depth(Total), .BlockRam(BlockRam)
  ) u_memory (
    .clk_i, .write_i(write_q), .write_addr_i(write_addr_q), .data_i(write_data_q),
    .read_addr_i(read_addr_q), .data_o(read_data)
  );

  always_ff @(posedge clk_i) begin
    read_addr_q <= addr_q;
    if (rst_i) valid_pipe_q <= '0;
    else valid_pipe_q <= {valid_pipe_q[1:0], issue};
  end

  stream_fifo #(
    .Width(Width), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(valid_pipe_q[2]), .data_i(read_data),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      assert (!(write_q && valid_pipe_q[0] && write_addr_q == read_addr_q))
        else $error("stream_reorder: a word is read while it is written");
    end
  end
`endif
endmodule
