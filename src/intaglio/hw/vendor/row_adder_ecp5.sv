// SPDX-License-Identifier: Apache-2.0
//
// `row_adder` for Lattice ECP5: a chain of CCU2C whose tables gate both operands, which Yosys would
// do in LUTs of their own. The first half of the first cell starts the carry, so that no carry has
// to be led into the chain: Width + 1 halves, rounded up.

module row_adder #(
  parameter int unsigned Width = 8,
  parameter bit          Subtract = 1'b0
) (
  input  logic [Width-1:0] high_i,
  input  logic             high_gate_i,
  input  logic [Width-1:0] low_i,
  input  logic             low_gate_i,
  output logic [Width-1:0] sum_o
);
  localparam int unsigned Count = Width / 2 + 1;
  // A cell adds what it generates, table[3:0] of A and B, to what its whole table says of A to D.
  // (A & B) ^ (C & D) is A & B where C and D are 0, and so is the carry where both bits are equal.
  localparam logic [15:0] Row = Subtract ? 16'h8777 : 16'h7888;
  // Nothing of the sum, with D high; a carry of 1 where a number is subtracted.
  localparam logic [15:0] Start = Subtract ? 16'h000f : 16'h0000;

  logic [2*Count-1:0] high, low, sum;
  logic [Count-1:0] carry;

  // the sum begins at the second half
  assign high = (2*Count)'({high_i, 1'b0});
  assign low = (2*Count)'({low_i, 1'b0});
  assign sum_o = sum[Width:1];

  /* verilator lint_off PINCONNECTEMPTY */
  CCU2C #(
    .INIT0(Start), .INIT1(Row), .INJECT1_0("NO"), .INJECT1_1("NO")
  ) u_first (
    .CIN(),
    .A0(1'b0), .B0(1'b0), .C0(1'b0), .D0(1'b1),
    .A1(high[1]), .B1(high_gate_i), .C1(low[1]), .D1(low_gate_i),
    .S0(sum[0]), .S1(sum[1]), .COUT(carry[0])
  );
  /* verilator lint_on PINCONNECTEMPTY */

  for (genvar c = 1; c < Count; c++) begin : gen_cell
    CCU2C #(
      .INIT0(Row), .INIT1(Row), .INJECT1_0("NO"), .INJECT1_1("NO")
    ) u_carry (
      .CIN(carry[c-1]),
      .A0(high[2*c]), .B0(high_gate_i), .C0(low[2*c]), .D0(low_gate_i),
      .A1(high[2*c+1]), .B1(high_gate_i), .C1(low[2*c+1]), .D1(low_gate_i),
      .S0(sum[2*c]), .S1(sum[2*c+1]), .COUT(carry[c])
    );
  end

  logic unused;
  assign unused = ^{sum[2*Count-1:Width], sum[0], high[0], low[0], carry[Count-1]};
endmodule
