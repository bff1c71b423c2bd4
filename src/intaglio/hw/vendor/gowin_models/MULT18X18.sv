// SPDX-License-Identifier: Apache-2.0
//
// Our model, for simulation only, of Gowin's multiplier MULT18X18 as Yosys uses it: one product of
// numbers with or without a sign, without registers. Source: Gowin UG287E, "Gowin DSP User Guide".

module MULT18X18 #(
  parameter AREG = 1'b0,
  parameter BREG = 1'b0,
  parameter OUT_REG = 1'b0,
  parameter PIPE_REG = 1'b0,
  parameter ASIGN_REG = 1'b0,
  parameter BSIGN_REG = 1'b0,
  parameter SOA_REG = 1'b0,
  parameter MULT_RESET_MODE = "SYNC"
) (
  input  logic [17:0] A, SIA, B, SIB,
  input  logic ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
  output logic [35:0] DOUT,
  output logic [17:0] SOA, SOB
);
  if ({AREG, BREG, OUT_REG, PIPE_REG, ASIGN_REG, BSIGN_REG, SOA_REG} != '0) begin : gen_check
    initial $fatal(1, "MULT18X18: only a plain product is modelled");
  end

  assign DOUT = {{18{ASIGN && A[17]}}, A} * {{18{BSIGN && B[17]}}, B};
  assign SOA = '0;
  assign SOB = '0;

  logic unused_pins;
  assign unused_pins = ^{SIA, SIB, ASEL, BSEL, CE, CLK, RESET};
endmodule
