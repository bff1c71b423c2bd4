// SPDX-License-Identifier: Apache-2.0
//
// Two streams become one: `BeatsA` beats of the one, then `BeatsB` of the other, for ever. A slot
// is a beat. Latency from beat to beat: 1.

module stream_concat #(
  parameter int unsigned WidthA = 8,
  parameter bit          SignedA = 1'b0,
  parameter int unsigned WidthB = 8,
  parameter bit          SignedB = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter int unsigned BeatsA = 1,
  parameter int unsigned BeatsB = 1,
  parameter int unsigned OutWidth = 8,
  parameter int unsigned OutDepth = 16
) (
  input  logic                      clk_i,
  input  logic                      rst_i,
  input  logic                      a_valid_i,
  output logic                      a_ready_o,
  input  logic [Lanes*WidthA-1:0]   a_data_i,
  input  logic                      b_valid_i,
  output logic                      b_ready_o,
  input  logic [Lanes*WidthB-1:0]   b_data_i,
  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [Lanes*OutWidth-1:0] out_data_o
);
  logic space, issue, from_b_q, last_a, last_b, write_q;
  logic [Lanes*OutWidth-1:0] data_q;
  logic [((BeatsA > 1) ? $clog2(BeatsA) : 1)-1:0] unused_beat_a;
  logic [((BeatsB > 1) ? $clog2(BeatsB) : 1)-1:0] unused_beat_b;

  assign issue = space && (from_b_q ? b_valid_i : a_valid_i);
  assign a_ready_o = space && !from_b_q;
  assign b_ready_o = space && from_b_q;

  loop_counter #(.Count(BeatsA)) u_beat_a (
    .clk_i, .rst_i, .step_i(issue && !from_b_q), .last_o(last_a), .count_o(unused_beat_a)
  );
  loop_counter #(.Count(BeatsB)) u_beat_b (
    .clk_i, .rst_i, .step_i(issue && from_b_q), .last_o(last_b), .count_o(unused_beat_b)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      from_b_q <= 1'b0;
      write_q  <= 1'b0;
    end else begin
      if (issue) from_b_q <= from_b_q ? !last_b : last_a;
      write_q <= issue;
    end
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [OutWidth-1:0] a, b;
    if (SignedA) begin : gen_a_signed
      assign a = OutWidth'(signed'(a_data_i[i*WidthA +: WidthA]));
    end else begin : gen_a_unsigned
      assign a = OutWidth'(a_data_i[i*WidthA +: WidthA]);
    end
    if (SignedB) begin : gen_b_signed
      assign b = OutWidth'(signed'(b_data_i[i*WidthB +: WidthB]));
    end else begin : gen_b_unsigned
      assign b = OutWidth'(b_data_i[i*WidthB +: WidthB]);
    end
    always_ff @(posedge clk_i) data_q[i*OutWidth +: OutWidth] <= from_b_q ? b : a;
  end

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(write_q), .data_i(data_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
