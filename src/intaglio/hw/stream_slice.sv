// SPDX-License-Identifier: Apache-2.0
//
// A part of each frame: rows, columns and words that lie `Step` apart from `Start` on, `Taken` of
// them. A slot is an input beat; those outside are dropped. Latency from slot to beat: 1.

module stream_slice #(
  parameter int unsigned Width = 8,       // bits of one beat
  parameter int unsigned Rows = 1,
  parameter int unsigned RowStart = 0,
  parameter int unsigned RowStep = 1,
  parameter int unsigned RowTaken = 1,
  parameter int unsigned Columns = 1,
  parameter int unsigned ColumnStart = 0,
  parameter int unsigned ColumnStep = 1,
  parameter int unsigned ColumnTaken = 1,
  parameter int unsigned Words = 1,       // beats in one pixel
  parameter int unsigned WordStart = 0,
  parameter int unsigned WordStep = 1,
  parameter int unsigned WordTaken = 1,
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
  if (RowStart + (RowTaken - 1) * RowStep >= Rows
      || ColumnStart + (ColumnTaken - 1) * ColumnStep >= Columns
      || WordStart + (WordTaken - 1) * WordStep >= Words) begin : gen_check
    $fatal(1, "stream_slice: what is taken must lie inside the frame");
  end

  logic space, issue, keep, keep_row, keep_column, keep_word, write_q;
  logic word_last, column_last, row_last, column_step, row_step;
  logic [Width-1:0] data_q;
  logic [((Words > 1) ? $clog2(Words) : 1)-1:0] unused_word;
  logic [((Columns > 1) ? $clog2(Columns) : 1)-1:0] unused_column;
  logic [((Rows > 1) ? $clog2(Rows) : 1)-1:0] unused_row;

  assign keep = keep_row && keep_column && keep_word;
  assign issue = in_valid_i && (space || !keep);
  assign in_ready_o = space || !keep;
  assign column_step = issue && word_last;
  assign row_step = column_step && column_last;

  loop_counter #(.Count(Words)) u_word (
    .clk_i, .rst_i, .step_i(issue), .last_o(word_last), .count_o(unused_word)
  );
  loop_counter #(.Count(Columns)) u_column (
    .clk_i, .rst_i, .step_i(column_step), .last_o(column_last), .count_o(unused_column)
  );
  loop_counter #(.Count(Rows)) u_row (
    .clk_i, .rst_i, .step_i(row_step), .last_o(row_last), .count_o(unused_row)
  );

  // A window of Start + 1 places is completed by exactly the places that are kept.
  window_steps #(.Kernel(WordStart + 1), .Stride(WordStep), .Count(WordTaken)) u_keep_word (
    .clk_i, .rst_i, .step_i(issue), .restart_i(column_step), .complete_o(keep_word)
  );
  window_steps #(.Kernel(ColumnStart + 1), .Stride(ColumnStep), .Count(ColumnTaken)) u_keep_column (
    .clk_i, .rst_i, .step_i(column_step), .restart_i(row_step), .complete_o(keep_column)
  );
  window_steps #(.Kernel(RowStart + 1), .Stride(RowStep), .Count(RowTaken)) u_keep_row (
    .clk_i, .rst_i, .step_i(row_step), .restart_i(row_step && row_last), .complete_o(keep_row)
  );

  always_ff @(posedge clk_i) begin
    data_q <= in_data_i;
    if (rst_i) write_q <= 1'b0;
    else write_q <= issue && keep;
  end

  stream_fifo #(
    .Width(Width), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue && keep),
    .write_i(write_q), .data_i(data_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
