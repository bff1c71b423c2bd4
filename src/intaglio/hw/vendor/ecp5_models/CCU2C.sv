// SPDX-License-Identifier: Apache-2.0
//
// Our model, for simulation only, of the Lattice ECP5 cell CCU2C: two bits of a carry chain. Each
// half adds its carry to a table of four inputs; where that table says 0, the next carry is what
// the table says of A and B alone. Source: Lattice FPGA-TN-02032 on the slice's ripple mode, and
// the cell as Yosys 0.70 maps adders to it. Halves with an injected carry are refused.

module CCU2C #(
  parameter logic [15:0] INIT0 = 16'h0000,
  parameter logic [15:0] INIT1 = 16'h0000,
  parameter INJECT1_0 = "YES",
  parameter INJECT1_1 = "YES"
) (
  input  logic CIN,
  input  logic A0, input  logic B0, input  logic C0, input  logic D0,
  input  logic A1, input  logic B1, input  logic C1, input  logic D1,
  output logic S0, output logic S1, output logic COUT
);
  if (INJECT1_0 != "NO" || INJECT1_1 != "NO") begin : gen_check
    initial $fatal(1, "CCU2C: only halves without an injected carry are modelled");
  end

  logic table_0, table_1, carry;

  assign table_0 = INIT0[{D0, C0, B0, A0}];
  assign table_1 = INIT1[{D1, C1, B1, A1}];
  assign S0 = table_0 ^ CIN;
  assign carry = table_0 ? CIN : INIT0[{2'b00, B0, A0}];
  assign S1 = table_1 ^ carry;
  assign COUT = table_1 ? carry : INIT1[{2'b00, B1, A1}];
endmodule
