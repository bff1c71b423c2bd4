// SPDX-License-Identifier: Apache-2.0
//
// What goes in comes out `Stages` edges later.

module delay #(
  parameter int unsigned Width = 1,
  parameter int unsigned Stages = 1
) (
  input  logic             clk_i,
  input  logic [Width-1:0] data_i,
  output logic [Width-1:0] data_o
);
  if (Stages == 0) begin : gen_wire
    logic unused_clk;
    assign unused_clk = clk_i;
    assign data_o = data_i;
  end else begin : gen_stages
    logic [Width-1:0] stage_q [Stages];

    always_ff @(posedge clk_i) begin
      stage_q[0] <= data_i;
      for (int i = 1; i < int'(Stages); i++) stage_q[i] <= stage_q[i-1];
    end

    assign data_o = stage_q[Stages-1];
  end
endmodule
