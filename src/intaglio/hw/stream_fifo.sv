// SPDX-License-Identifier: Apache-2.0
//
// The end of every unit: a FIFO whose places are reserved when work is issued, not when it is
// written. So the pipeline before it runs freely, without an enable, and can never overflow.
//
// Timing: a beat written at one edge can be taken at the next; a beat taken at one edge gives its
// place back for an issue at the next.

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
  if (Burst < 1 || Burst > Depth) begin : gen_check_burst
    $fatal(1, "stream_fifo: Burst must be 1 .. Depth");
  end

  (* ram_style = "distributed", no_rw_check *)
  logic [Width-1:0] mem [Depth];

  logic [AddrWidth-1:0] write_addr_q, read_addr_q;
  logic [AddrWidth:0] free_q, free_d, level_q, level_d;
  logic space_q, valid_q, pop;

  assign pop = valid_q && ready_i;

  always_comb begin
    free_d = free_q + (AddrWidth + 1)'(pop);
    if (reserve_i) free_d = free_d - (AddrWidth + 1)'(Burst);
    level_d = level_q + (AddrWidth + 1)'(write_i) - (AddrWidth + 1)'(pop);
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      free_q       <= (AddrWidth + 1)'(Depth);
      space_q      <= 1'b1;
      level_q      <= '0;
      valid_q      <= 1'b0;
      write_addr_q <= '0;
      read_addr_q  <= '0;
    end else begin
      free_q       <= free_d;
      space_q      <= free_d >= (AddrWidth + 1)'(Burst);
      level_q      <= level_d;
      valid_q      <= level_d != '0;
      write_addr_q <= write_addr_q + AddrWidth'(write_i);
      read_addr_q  <= read_addr_q + AddrWidth'(pop);
    end
  end

  always_ff @(posedge clk_i) begin
    if (write_i) mem[write_addr_q] <= data_i;
  end

  assign space_o = space_q;
  assign valid_o = valid_q;
  assign data_o = mem[read_addr_q];

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      assert (!reserve_i || space_q) else $error("stream_fifo: reserved without space");
      assert (!write_i || level_q < (AddrWidth + 1)'(Depth)) else $error("stream_fifo: overflow");
    end
  end
`endif
endmodule
