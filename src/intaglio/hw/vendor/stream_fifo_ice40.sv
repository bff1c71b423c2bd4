// SPDX-License-Identifier: Apache-2.0
//
// `stream_fifo` for Lattice iCE40, which has no distributed RAM: the beats are in block RAM. The
// oldest is read ahead, a word a clock; one that is written when it is already the oldest goes
// past the memory. Same ports, parameters and timing as the portable module, which says more.

module stream_fifo #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 16,  // a power of two
  parameter int unsigned Burst = 1    // beats that one issue writes, one a cycle
) (
  input  logic             clk_i,
  input  logic             rst_i,
  // issue side
  output logic             space_o,   // Burst places are free
  input  logic             reserve_i, // take them
  // end of the pipeline
  input  logic             write_i,
  input  logic [Width-1:0] data_i,
  // stream
  output logic             valid_o,
  input  logic             ready_i,
  output logic [Width-1:0] data_o
);
  localparam int unsigned AddrWidth = $clog2(Depth);

  if (Depth < 2 || (Depth & (Depth - 1)) != 0) begin : gen_check_depth
    $fatal(1, "stream_fifo: Depth must be a power of two of at least 2");
  end
  if (Burst < 1 || 2 * Burst > Depth) begin : gen_check_burst
    $fatal(1, "stream_fifo: Burst must be 1 .. Depth / 2");
  end

  (* ram_style = "block", no_rw_check *)
  logic [Width-1:0] mem [Depth];

  typedef logic [AddrWidth:0] count_t;

  logic [AddrWidth-1:0] write_addr_q, read_addr_q, read_addr;
  count_t free_q, free_kept, free_taken, level_q, level_kept;
  logic space_q, valid_q, many, pop, pop_q;

  assign pop = valid_q && ready_i;

  // `reserve_i` and `ready_i` come late: everything is prepared for both values of each, and they
  // only choose.
  assign free_kept = free_q + count_t'(pop_q);
  assign free_taken = free_kept - count_t'(Burst);
  assign level_kept = level_q + count_t'(write_i);
  assign many = level_q > count_t'(1);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      free_q       <= count_t'(Depth);
      space_q      <= 1'b1;
      level_q      <= '0;
      valid_q      <= 1'b0;
      pop_q        <= 1'b0;
      write_addr_q <= '0;
      read_addr_q  <= '0;
    end else begin
      free_q       <= reserve_i ? free_taken : free_kept;
      space_q      <= reserve_i ? free_kept >= count_t'(2 * Burst) : free_kept >= count_t'(Burst);
      level_q      <= pop ? level_kept - 1'b1 : level_kept;
      valid_q      <= write_i || (pop ? many : valid_q);
      pop_q        <= pop;
      write_addr_q <= write_addr_q + AddrWidth'(write_i);
      read_addr_q  <= read_addr;
    end
  end

  assign read_addr = read_addr_q + AddrWidth'(pop);

  logic [Width-1:0] word_q, past_q;
  logic past_valid_q;

  always_ff @(posedge clk_i) begin
    if (write_i) mem[write_addr_q] <= data_i;
    word_q <= mem[read_addr];
  end

  always_ff @(posedge clk_i) begin
    past_q       <= data_i;
    past_valid_q <= write_i && write_addr_q == read_addr;
  end

  assign space_o = space_q;
  assign valid_o = valid_q;
  assign data_o = past_valid_q ? past_q : word_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      assert (!reserve_i || space_q) else $error("stream_fifo: reserved without space");
      assert (!write_i || level_q < count_t'(Depth)) else $error("stream_fifo: overflow");
    end
  end
`endif
endmodule
