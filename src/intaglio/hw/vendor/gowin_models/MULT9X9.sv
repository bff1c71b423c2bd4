// SPDX-License-Identifier: Apache-2.0
//
// Our model, for simulation only, of Gowin's multiplier MULT9X9 as Yosys uses it: one product of
// numbers with or without a sign, without registers. Source: Gowin UG287E, "Gowin DSP User Guide".

module MULT9X9 #(
  parameter AREG = 1'b0,
  parameter BREG = 1'b0,
  parameter OUT_REG = 1'b0,
  parameter PIPE_REG = 1'b0,
  parameter ASIGN_REG = 1'b0,
  parameter BSIGN_REG = 1'b0,
  parameter SOA_REG = 1'b0,
  parameter MULT_RESET_MODE = "SYNC"
) (
  input  logic [8:0] A, SIA, B, SIB,
  input  logic ASIGN, BSIGN, ASEL, BSEL, CE, CLK, RESET,
  output logic [17:0] DOUT,
  output logic [8:0] SOA, SOB
);
  if ({AREG, BREG, OUT_REG, PIPE_REG, ASIGN_REG, BSIGN_REG, SOA_REG} != '0) begin : gen_check
    initial $fatal(1, "MULT9X9: only a plain product is modelled");
  end

  assign DOUT = {{9{ASIGN && A[8]}}, A} * {{9{BSIGN && B[8]}}, B};
  assign SOA = '0;
  assign SOB = '0;

  logic unused_pins;
  assign unused_pins = ^{SIA, SIB, ASEL, BSEL, CE, CLK, RESET};
endmodule
