// SPDX-License-Identifier: Apache-2.0
//
// Pooling as a stream unit: a window buffer feeds `Lanes` channels a slot, each reduced by itself
// to its maximum or its sum.
//
// Slots of a frame: OutRows x OutColumns x Groups x KernelRows x KernelColumns. Latency from a
// window's last slot to its beat: 4 edges.

module window_pool #(
  parameter bit          Maximum = 1'b1,     // or the sum
  parameter int unsigned Width = 8,
  parameter bit          Signed = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter int unsigned Groups = 1,
  parameter int unsigned Rows = 1,
  parameter int unsigned Columns = 1,
  parameter int unsigned BufferRows = 2,
  parameter int unsigned RowWords = 1,
  parameter int unsigned OutRows = 1,
  parameter int unsigned OutColumns = 1,
  parameter int unsigned KernelRows = 1,
  parameter int unsigned KernelColumns = 1,
  parameter int unsigned ColumnStep = 1,
  parameter int unsigned RowStep = 1,
  parameter bit          BlockBuffer = 1'b0,
  parameter int unsigned OutWidth = 8,
  parameter int unsigned OutDepth = 16
) (
  input  logic                      clk_i,
  input  logic                      rst_i,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  input  logic [Lanes*Width-1:0]    in_data_i,
  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [Lanes*OutWidth-1:0] out_data_o
);
  logic slot, slot_last, issue, space;
  logic x_valid, x_first, x_last, write_q;
  logic [Lanes*Width-1:0] x;
  logic [Lanes*OutWidth-1:0] result, result_q;

  assign issue = slot && (space || !slot_last);

  window_buffer #(
    .Width(Width), .Lanes(Lanes), .Groups(Groups), .Rows(Rows), .Columns(Columns),
    .BufferRows(BufferRows), .RowWords(RowWords),
    .OutRows(OutRows), .OutColumns(OutColumns), .Parts(Groups),
    .KernelRows(KernelRows), .KernelColumns(KernelColumns),
    .ColumnStep(ColumnStep), .RowStep(RowStep), .BlockRam(BlockBuffer)
  ) u_window (
    .clk_i, .rst_i, .in_valid_i, .in_ready_o, .in_data_i,
    .slot_o(slot), .slot_last_o(slot_last), .issue_i(issue),
    .valid_o(x_valid), .first_o(x_first), .last_o(x_last), .data_o(x)
  );

  pool_step #(
    .Maximum(Maximum), .Width(Width), .Signed(Signed), .Lanes(Lanes), .OutWidth(OutWidth)
  ) u_step (
    .first_i(x_first), .x_i(x), .old_i(result_q), .new_o(result)
  );

  always_ff @(posedge clk_i) begin
    if (x_valid) result_q <= result;
    if (rst_i) write_q <= 1'b0;
    else write_q <= x_valid && x_last;
  end

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue && slot_last),
    .write_i(write_q), .data_i(result_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
