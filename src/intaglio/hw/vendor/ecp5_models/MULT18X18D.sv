// SPDX-License-Identifier: Apache-2.0
//
// Our model, for simulation only, of the Lattice ECP5 cell MULT18X18D as `multiplier` uses it: a
// signed 18x18 product with a register at each operand and at the result, all on CLK0, CE0, RST0.
// Other settings of the cell are refused. Source: Lattice FPGA-TN-02205, "ECP5 and ECP5-5G sysDSP
// Usage Guide", register and port tables of MULT18X18D.

module MULT18X18D #(
  parameter REG_INPUTA_CLK = "NONE",
  parameter REG_INPUTA_CE = "CE0",
  parameter REG_INPUTA_RST = "RST0",
  parameter REG_INPUTB_CLK = "NONE",
  parameter REG_INPUTB_CE = "CE0",
  parameter REG_INPUTB_RST = "RST0",
  parameter REG_PIPELINE_CLK = "NONE",
  parameter REG_OUTPUT_CLK = "NONE",
  parameter REG_OUTPUT_CE = "CE0",
  parameter REG_OUTPUT_RST = "RST0",
  // Those below have no part in this use of the cell; a netlist gives them all the same.
  parameter REG_INPUTC_CLK = "NONE",
  parameter REG_INPUTC_CE = "CE0",
  parameter REG_INPUTC_RST = "RST0",
  parameter REG_PIPELINE_CE = "CE0",
  parameter REG_PIPELINE_RST = "RST0",
  parameter CLK0_DIV = "ENABLED",
  parameter CLK1_DIV = "ENABLED",
  parameter CLK2_DIV = "ENABLED",
  parameter CLK3_DIV = "ENABLED",
  parameter CAS_MATCH_REG = "FALSE",
  parameter GSR = "ENABLED",
  parameter HIGHSPEED_CLK = "NONE",
  parameter MULT_BYPASS = "DISABLED",
  parameter RESETMODE = "SYNC",
  parameter SOURCEB_MODE = "B_SHIFT"
) (
  input  logic A17, input  logic A16, input  logic A15, input  logic A14,
  input  logic A13, input  logic A12, input  logic A11, input  logic A10,
  input  logic A9, input  logic A8, input  logic A7, input  logic A6,
  input  logic A5, input  logic A4, input  logic A3, input  logic A2,
  input  logic A1, input  logic A0,
  input  logic B17, input  logic B16, input  logic B15, input  logic B14,
  input  logic B13, input  logic B12, input  logic B11, input  logic B10,
  input  logic B9, input  logic B8, input  logic B7, input  logic B6,
  input  logic B5, input  logic B4, input  logic B3, input  logic B2,
  input  logic B1, input  logic B0,
  input  logic SIGNEDA, input  logic SIGNEDB, input  logic SOURCEA, input  logic SOURCEB,
  input  logic CLK0, input  logic CE0, input  logic RST0,
  output logic P35, output logic P34, output logic P33, output logic P32,
  output logic P31, output logic P30, output logic P29, output logic P28,
  output logic P27, output logic P26, output logic P25, output logic P24,
  output logic P23, output logic P22, output logic P21, output logic P20,
  output logic P19, output logic P18, output logic P17, output logic P16,
  output logic P15, output logic P14, output logic P13, output logic P12,
  output logic P11, output logic P10, output logic P9, output logic P8,
  output logic P7, output logic P6, output logic P5, output logic P4,
  output logic P3, output logic P2, output logic P1, output logic P0
);
  if (REG_INPUTA_CLK != "CLK0" || REG_INPUTB_CLK != "CLK0" || REG_OUTPUT_CLK != "CLK0"
      || REG_INPUTA_CE != "CE0" || REG_INPUTB_CE != "CE0" || REG_OUTPUT_CE != "CE0"
      || REG_INPUTA_RST != "RST0" || REG_INPUTB_RST != "RST0" || REG_OUTPUT_RST != "RST0"
      || REG_PIPELINE_CLK != "NONE" || REG_PIPELINE_CE != "CE0" || REG_PIPELINE_RST != "RST0"
      || REG_INPUTC_CLK != "NONE" || REG_INPUTC_CE != "CE0" || REG_INPUTC_RST != "RST0"
      || CLK0_DIV != "ENABLED" || CLK1_DIV != "ENABLED" || CLK2_DIV != "ENABLED"
      || CLK3_DIV != "ENABLED" || CAS_MATCH_REG != "FALSE" || GSR != "ENABLED"
      || HIGHSPEED_CLK != "NONE" || MULT_BYPASS != "DISABLED" || RESETMODE != "SYNC"
      || SOURCEB_MODE != "B_SHIFT") begin : gen_check
    initial $fatal(1, "MULT18X18D: only operand and result registers on CLK0 are modelled");
  end

  logic signed [17:0] a_q, b_q;
  logic signed [35:0] p_q;

  always_ff @(posedge CLK0) begin
    if (RST0) begin
      a_q <= '0;
      b_q <= '0;
      p_q <= '0;
    end else if (CE0) begin
      a_q <= {A17, A16, A15, A14, A13, A12, A11, A10, A9, A8, A7, A6,
    A5, A4, A3, A2, A1, A0};
      b_q <= {B17, B16, B15, B14, B13, B12, B11, B10, B9, B8, B7, B6,
    B5, B4, B3, B2, B1, B0};
      p_q <= 36'(a_q) * 36'(b_q);
    end
  end

  assign {P35, P34, P33, P32, P31, P30, P29, P28, P27, P26, P25, P24,
    P23, P22, P21, P20, P19, P18, P17, P16, P15, P14, P13, P12,
    P11, P10, P9, P8, P7, P6, P5, P4, P3, P2, P1, P0} = p_q;

  always_ff @(posedge CLK0) begin
    assert (SIGNEDA && SIGNEDB && !SOURCEA && !SOURCEB)
      else $error("MULT18X18D: only signed operands from the fabric are modelled");
  end
endmodule
