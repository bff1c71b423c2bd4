// SPDX-License-Identifier: Apache-2.0
//
// Weights as they are kept to weights as they are multiplied: codes through a codebook that is
// written entry by entry, or unchanged where `CodeWidth` is 0. One edge.

module weight_decoder #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned WeightWidth = 8,
  parameter int unsigned CodeWidth = 0,
  localparam int unsigned KeptWidth = (CodeWidth > 0) ? CodeWidth : WeightWidth
) (
  input  logic                         clk_i,
  input  logic                         write_i,
  input  logic [7:0]                   entry_i,
  input  logic [WeightWidth-1:0]       value_i,
  input  logic [Lanes*KeptWidth-1:0]   kept_i,
  output logic [Lanes*WeightWidth-1:0] weight_o
);
  if (CodeWidth == 0) begin : gen_plain
    logic unused_book;
    assign unused_book = ^{write_i, entry_i, value_i};
    always_ff @(posedge clk_i) weight_o <= kept_i;
  end else begin : gen_codes
    for (genvar i = 0; i < Lanes; i++) begin : gen_lane
      (* ram_style = "distributed", no_rw_check *)
      logic [WeightWidth-1:0] book [1 << CodeWidth];
      always_ff @(posedge clk_i) begin
        if (write_i && entry_i >> CodeWidth == '0) book[entry_i[CodeWidth-1:0]] <= value_i;
      end
      always_ff @(posedge clk_i) begin
        weight_o[i*WeightWidth +: WeightWidth] <= book[kept_i[i*CodeWidth +: CodeWidth]];
      end
    end
  end
endmodule
