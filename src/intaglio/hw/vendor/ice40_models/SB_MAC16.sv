// SPDX-License-Identifier: Apache-2.0
//
// Our model, for simulation only, of the Lattice iCE40 UltraPlus cell SB_MAC16 as `multiplier` uses
// it: a 16x16 product with a register at each operand and at the product, given out as it is.
// Other settings of the cell are refused. Source: Lattice FPGA-TN-02007, "DSP Function Usage Guide
// for iCE40 Devices", table of parameters and figure of the block.

module SB_MAC16 #(
  parameter bit       A_REG = 1'b0,
  parameter bit       B_REG = 1'b0,
  parameter bit       PIPELINE_16x16_MULT_REG1 = 1'b0,
  parameter bit       PIPELINE_16x16_MULT_REG2 = 1'b0,
  parameter bit [1:0] TOPOUTPUT_SELECT = 2'b00,
  parameter bit [1:0] BOTOUTPUT_SELECT = 2'b00,
  parameter bit       A_SIGNED = 1'b0,
  parameter bit       B_SIGNED = 1'b0
) (
  input  logic        CLK, input  logic CE,
  input  logic [15:0] A, input  logic [15:0] B, input  logic [15:0] C, input  logic [15:0] D,
  input  logic        AHOLD, input  logic BHOLD, input  logic CHOLD, input  logic DHOLD,
  input  logic        IRSTTOP, input  logic IRSTBOT, input  logic ORSTTOP, input  logic ORSTBOT,
  input  logic        OLOADTOP, input  logic OLOADBOT,
  input  logic        ADDSUBTOP, input  logic ADDSUBBOT,
  input  logic        OHOLDTOP, input  logic OHOLDBOT,
  input  logic        CI, input  logic ACCUMCI, input  logic SIGNEXTIN,
  output logic [31:0] O,
  output logic        CO, output logic ACCUMCO, output logic SIGNEXTOUT
);
  if (!A_REG || !B_REG || PIPELINE_16x16_MULT_REG1 || !PIPELINE_16x16_MULT_REG2
      || TOPOUTPUT_SELECT != 2'b11 || BOTOUTPUT_SELECT != 2'b11) begin : gen_check
    initial $fatal(1, "SB_MAC16: only operand registers and the register of the product are modelled");
  end

  logic [15:0] a_q, b_q;
  logic [31:0] p_q;

  always_ff @(posedge CLK) begin
    if (CE) begin
      a_q <= A;
      b_q <= B;
      p_q <= {{16{A_SIGNED && a_q[15]}}, a_q} * {{16{B_SIGNED && b_q[15]}}, b_q};
    end
  end

  assign O = p_q;
  assign CO = 1'b0;
  assign ACCUMCO = 1'b0;
  assign SIGNEXTOUT = 1'b0;

  logic unused_operands;
  assign unused_operands = ^{C, D, CI, ACCUMCI, SIGNEXTIN, ADDSUBTOP, ADDSUBBOT};

  always_ff @(posedge CLK) begin
    assert ({AHOLD, BHOLD, CHOLD, DHOLD, IRSTTOP, IRSTBOT, ORSTTOP, ORSTBOT, OLOADTOP, OLOADBOT,
             OHOLDTOP, OHOLDBOT} == '0)
      else $error("SB_MAC16: only a free-running product is modelled");
  end
endmodule
