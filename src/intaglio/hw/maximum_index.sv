// SPDX-License-Identifier: Apache-2.0
//
// Index of the first largest of `Count` elements, one element a beat. Latency from the last beat
// of a frame to its index: 1.

module maximum_index #(
  parameter int unsigned Width = 8,
  parameter bit          Signed = 1'b0,
  parameter int unsigned Count = 2,
  parameter int unsigned OutWidth = 1,
  parameter int unsigned OutDepth = 16
) (
  input  logic                clk_i,
  input  logic                rst_i,
  input  logic                in_valid_i,
  output logic                in_ready_o,
  input  logic [Width-1:0]    in_data_i,
  output logic                out_valid_o,
  input  logic                out_ready_i,
  output logic [OutWidth-1:0] out_data_o
);
  localparam int unsigned IndexWidth = (Count > 1) ? $clog2(Count) : 1;

  logic space, issue, last, larger, first_q, write_q;
  logic [IndexWidth-1:0] index, best_index_q;
  logic [Width-1:0] best_q;

  assign issue = in_valid_i && (space || !last);
  assign in_ready_o = space || !last;

  loop_counter #(.Count(Count)) u_index (
    .clk_i, .rst_i, .step_i(issue), .last_o(last), .count_o(index)
  );

  if (Signed) begin : gen_signed
    assign larger = signed'(in_data_i) > signed'(best_q);
  end else begin : gen_unsigned
    assign larger = in_data_i > best_q;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      first_q <= 1'b1;
      write_q <= 1'b0;
    end else begin
      if (issue) first_q <= last;
      write_q <= issue && last;
    end
    if (issue && (first_q || larger)) begin
      best_q       <= in_data_i;
      best_index_q <= index;
    end
  end

  stream_fifo #(
    .Width(OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue && last),
    .write_i(write_q), .data_i(OutWidth'(best_index_q)),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
