// SPDX-License-Identifier: Apache-2.0
//
// Lanes moved around a circle, without a register: lane i goes to lane i + amount, or with `Down`
// to lane i - amount, both modulo `Lanes`. `amount_i` is less than `Lanes`.

module lane_rotator #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned Width = 8,
  parameter bit          Down = 1'b0,
  localparam int unsigned AmountWidth = (Lanes > 1) ? $clog2(Lanes) : 1
) (
  input  logic [AmountWidth-1:0] amount_i,
  input  logic [Lanes*Width-1:0] data_i,
  output logic [Lanes*Width-1:0] data_o
);
  logic [Lanes*Width-1:0] stage [AmountWidth+1];

  assign stage[0] = data_i;
  for (genvar s = 0; s < AmountWidth; s++) begin : gen_stage
    localparam int unsigned Step = (1 << s) % Lanes;
    for (genvar i = 0; i < Lanes; i++) begin : gen_lane
      localparam int unsigned From = (Down ? i + Step : i + Lanes - Step) % Lanes;
      assign stage[s+1][i*Width +: Width] =
          amount_i[s] ? stage[s][From*Width +: Width] : stage[s][i*Width +: Width];
    end
  end
  assign data_o = stage[AmountWidth];
endmodule
