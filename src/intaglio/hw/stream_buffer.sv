// SPDX-License-Identifier: Apache-2.0
//
// Places for `Depth` beats of a stream between one unit and the next, for branches that meet again
// after different times. Any depth, in block RAM where it is large.
//
// A beat taken at one edge can be read at the next; its place is free again the edge after it is
// read. Latency from there to the beat: 3 edges.

module stream_buffer #(
  parameter int unsigned Width = 8,
  parameter int unsigned Depth = 16,
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
  localparam int unsigned AddrWidth = (Depth > 1) ? $clog2(Depth) : 1;
  localparam int unsigned CountWidth = $clog2(Depth + 1);

  typedef logic [CountWidth-1:0] count_t;

  if (Depth < 1) begin : gen_check_depth
    $fatal(1, "stream_buffer: Depth must be at least 1");
  end

  logic accept, issue, space, room_q, held_q, write_q;
  logic [AddrWidth-1:0] write_addr, write_addr_q, read_addr, read_addr_q;
  logic [Width-1:0] write_data_q, read_data;
  logic [2:0] valid_q;
  logic unused_write_last, unused_read_last;
  count_t level_q, level_d;

  assign in_ready_o = room_q;
  assign accept = in_valid_i && room_q;
  assign issue = held_q && space;
  assign level_d = level_q + count_t'(accept) - count_t'(issue);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      level_q <= '0;
      room_q  <= 1'b1;
      held_q  <= 1'b0;
      write_q <= 1'b0;
      valid_q <= '0;
    end else begin
      level_q <= level_d;
      room_q  <= level_d != count_t'(Depth);
      held_q  <= level_d != '0;
      write_q <= accept;
      valid_q <= {valid_q[1:0], issue};
    end
  end

  loop_counter #(.Count(Depth)) u_write (
    .clk_i, .rst_i, .step_i(accept), .last_o(unused_write_last), .count_o(write_addr)
  );
  loop_counter #(.Count(Depth)) u_read (
    .clk_i, .rst_i, .step_i(issue), .last_o(unused_read_last), .count_o(read_addr)
  );

  always_ff @(posedge clk_i) begin
    write_addr_q <= write_addr;
    write_data_q <= in_data_i;
    read_addr_q  <= read_addr;
  end

  sliced_ram #(
    .Width(Width), .Depth(Depth), .BlockRam(BlockRam)
  ) u_memory (
    .clk_i, .write_i(write_q), .write_addr_i(write_addr_q), .data_i(write_data_q),
    .read_addr_i(read_addr_q), .data_o(read_data)
  );

  stream_fifo #(
    .Width(Width), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(valid_q[2]), .data_i(read_data),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      assert (!(write_q && valid_q[0] && write_addr_q == read_addr_q))
        else $error("stream_buffer: a beat is read while it is written");
    end
  end
`endif
endmodule
