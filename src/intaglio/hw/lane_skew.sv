// SPDX-License-Identifier: Apache-2.0
//
// The edge of a systolic array: lane i is i edges late, or with `Reverse` the last lane is not late
// and lane 0 is the latest.

module lane_skew #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned Width = 8,
  parameter bit          Reverse = 1'b0
) (
  input  logic                   clk_i,
  input  logic [Lanes*Width-1:0] data_i,
  output logic [Lanes*Width-1:0] data_o
);
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    delay #(.Width(Width), .Stages(Reverse ? Lanes - 1 - i : i)) u_delay (
      .clk_i, .data_i(data_i[i*Width +: Width]), .data_o(data_o[i*Width +: Width])
    );
  end
endmodule
