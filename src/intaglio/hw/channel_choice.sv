// SPDX-License-Identifier: Apache-2.0
//
// For outputs that see one channel each: the channel of every output lane out of a word that holds
// `Lanes` channels of each of `Places` places. `Passes` of `LanesOut` outputs are made of a word,
// pass by pass the next outputs in order; `step_i` ends a pass.

module channel_choice #(
  parameter int unsigned Width = 8,
  parameter int unsigned Lanes = 1,
  parameter int unsigned Places = 1,
  parameter int unsigned LanesOut = 1,
  parameter int unsigned Passes = 1
) (
  input  logic                             clk_i,
  input  logic                             rst_i,
  input  logic                             step_i,
  input  logic [Places*Lanes*Width-1:0]    word_i,
  output logic [LanesOut*Places*Width-1:0] x_o
);
  localparam int unsigned Outputs = LanesOut * Passes / Lanes;  // of a channel

  if (Outputs * Lanes != LanesOut * Passes) begin : gen_check_lanes
    $fatal(1, "channel_choice: Lanes must divide LanesOut x Passes");
  end

  logic [((Passes > 1) ? $clog2(Passes) : 1)-1:0] pass;
  logic unused_last;

  loop_counter #(.Count(Passes)) u_pass (
    .clk_i, .rst_i, .step_i, .last_o(unused_last), .count_o(pass)
  );

  for (genvar o = 0; o < LanesOut; o++) begin : gen_lane
    for (genvar t = 0; t < Places; t++) begin : gen_place
      logic [Width-1:0] choice [Passes];
      for (genvar p = 0; p < Passes; p++) begin : gen_choice
        localparam int unsigned Channel = (p * LanesOut + o) / Outputs;
        assign choice[p] = word_i[(t*Lanes+Channel)*Width +: Width];
      end
      assign x_o[(o*Places+t)*Width +: Width] = choice[pass];
    end
  end
endmodule
