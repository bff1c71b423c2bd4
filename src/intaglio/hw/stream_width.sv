// SPDX-License-Identifier: Apache-2.0
//
// Other lanes for the same elements: InLanes a beat become OutLanes a beat, one dividing the other.
// A slot is a beat of the finer side. Latency from slot to beat: 1.

module stream_width #(
  parameter int unsigned Width = 8,
  parameter int unsigned InLanes = 1,
  parameter int unsigned OutLanes = 2,
  parameter int unsigned OutDepth = 16
) (
  input  logic                      clk_i,
  input  logic                      rst_i,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  input  logic [InLanes*Width-1:0]  in_data_i,
  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [OutLanes*Width-1:0] out_data_o
);
  localparam int unsigned In = InLanes * Width;
  localparam int unsigned Out = OutLanes * Width;

  logic space, issue, last, reserve, write_q;
  logic [Out-1:0] data_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) write_q <= 1'b0;
    else write_q <= reserve;
  end

  if (OutLanes >= InLanes) begin : gen_widen
    localparam int unsigned Ratio = OutLanes / InLanes;
    logic [((Ratio > 1) ? $clog2(Ratio) : 1)-1:0] unused_count;

    if (Ratio * InLanes != OutLanes) begin : gen_check
      $fatal(1, "stream_width: one number of lanes must divide the other");
    end

    loop_counter #(.Count(Ratio)) u_part (
      .clk_i, .rst_i, .step_i(issue), .last_o(last), .count_o(unused_count)
    );
    assign issue = in_valid_i && (space || !last);
    assign in_ready_o = space || !last;
    assign reserve = issue && last;
    always_ff @(posedge clk_i) begin
      if (issue) data_q <= Out'({in_data_i, data_q} >> In);
    end
  end else begin : gen_narrow
    localparam int unsigned Ratio = InLanes / OutLanes;
    logic [$clog2(Ratio)-1:0] part;

    if (Ratio * OutLanes != InLanes) begin : gen_check
      $fatal(1, "stream_width: one number of lanes must divide the other");
    end

    loop_counter #(.Count(Ratio)) u_part (
      .clk_i, .rst_i, .step_i(issue), .last_o(last), .count_o(part)
    );
    assign issue = in_valid_i && space;
    assign in_ready_o = space && last;
    assign reserve = issue;
    always_ff @(posedge clk_i) begin
      data_q <= in_data_i[int'(part)*Out +: Out];
    end
  end

  stream_fifo #(
    .Width(Out), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(reserve),
    .write_i(write_q), .data_i(data_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
