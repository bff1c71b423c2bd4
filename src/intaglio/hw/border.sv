// SPDX-License-Identifier: Apache-2.0
//
// Padding as a stream unit: surrounds each image with `Value`. A slot is an output beat; it takes
// an input beat where it lies inside the image. Latency from slot to beat: 1.

module border #(
  parameter int unsigned Width = 8,
  parameter bit          Signed = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter int unsigned Groups = 1,   // beats in one pixel
  parameter int unsigned Rows = 1,     // of the image that comes in
  parameter int unsigned Columns = 1,
  parameter int unsigned Top = 0,
  parameter int unsigned Left = 0,
  parameter int unsigned Bottom = 0,
  parameter int unsigned Right = 0,
  parameter              Value = 0,     // signed, as wide as its value
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
  localparam int unsigned OutRows = Top + Rows + Bottom;
  localparam int unsigned OutColumns = Left + Columns + Right;
  localparam int unsigned RowBits = (OutRows > 1) ? $clog2(OutRows) : 1;
  localparam int unsigned ColumnBits = (OutColumns > 1) ? $clog2(OutColumns) : 1;

  logic space, issue, interior, group_last, column_last, unused_row_last, write_q;
  logic [ColumnBits-1:0] column;
  logic [RowBits-1:0] row;
  logic [((Groups > 1) ? $clog2(Groups) : 1)-1:0] unused_group;
  logic [Lanes*OutWidth-1:0] y_q;

  assign interior = (int'(row) >= int'(Top)) && (int'(row) < int'(Top + Rows))
               && (int'(column) >= int'(Left)) && (int'(column) < int'(Left + Columns));
  assign issue = space && (in_valid_i || !interior);
  assign in_ready_o = space && interior;

  loop_counter #(.Count(Groups)) u_group (
    .clk_i, .rst_i, .step_i(issue), .last_o(group_last), .count_o(unused_group)
  );
  loop_counter #(.Count(OutColumns)) u_column (
    .clk_i, .rst_i, .step_i(issue && group_last), .last_o(column_last), .count_o(column)
  );
  loop_counter #(.Count(OutRows)) u_row (
    .clk_i, .rst_i, .step_i(issue && group_last && column_last),
    .last_o(unused_row_last), .count_o(row)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) write_q <= 1'b0;
    else write_q <= issue;
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [OutWidth-1:0] x;
    if (Signed) begin : gen_signed
      assign x = OutWidth'(signed'(in_data_i[i*Width +: Width]));
    end else begin : gen_unsigned
      assign x = OutWidth'(in_data_i[i*Width +: Width]);
    end
    always_ff @(posedge clk_i) begin
      y_q[i*OutWidth +: OutWidth] <= interior ? x : OutWidth'(Value);
    end
  end

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(write_q), .data_i(y_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
