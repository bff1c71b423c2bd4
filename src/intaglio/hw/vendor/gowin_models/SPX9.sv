// SPDX-License-Identifier: Apache-2.0
//
// Our model, for simulation only, of Gowin's block RAM SPX9 as Yosys uses it, see gowin_ram.sv.
// Other settings are refused.

module SPX9 #(
  parameter READ_MODE = 1'b0,
  parameter logic [1:0] WRITE_MODE = 2'b00,
  parameter int unsigned BIT_WIDTH = 36,
  parameter BLK_SEL = 3'b000,
  parameter RESET_MODE = "SYNC",
  parameter logic [287:0] INIT_RAM_00 = 288'h0,
  parameter logic [287:0] INIT_RAM_01 = 288'h0,
  parameter logic [287:0] INIT_RAM_02 = 288'h0,
  parameter logic [287:0] INIT_RAM_03 = 288'h0,
  parameter logic [287:0] INIT_RAM_04 = 288'h0,
  parameter logic [287:0] INIT_RAM_05 = 288'h0,
  parameter logic [287:0] INIT_RAM_06 = 288'h0,
  parameter logic [287:0] INIT_RAM_07 = 288'h0,
  parameter logic [287:0] INIT_RAM_08 = 288'h0,
  parameter logic [287:0] INIT_RAM_09 = 288'h0,
  parameter logic [287:0] INIT_RAM_0A = 288'h0,
  parameter logic [287:0] INIT_RAM_0B = 288'h0,
  parameter logic [287:0] INIT_RAM_0C = 288'h0,
  parameter logic [287:0] INIT_RAM_0D = 288'h0,
  parameter logic [287:0] INIT_RAM_0E = 288'h0,
  parameter logic [287:0] INIT_RAM_0F = 288'h0,
  parameter logic [287:0] INIT_RAM_10 = 288'h0,
  parameter logic [287:0] INIT_RAM_11 = 288'h0,
  parameter logic [287:0] INIT_RAM_12 = 288'h0,
  parameter logic [287:0] INIT_RAM_13 = 288'h0,
  parameter logic [287:0] INIT_RAM_14 = 288'h0,
  parameter logic [287:0] INIT_RAM_15 = 288'h0,
  parameter logic [287:0] INIT_RAM_16 = 288'h0,
  parameter logic [287:0] INIT_RAM_17 = 288'h0,
  parameter logic [287:0] INIT_RAM_18 = 288'h0,
  parameter logic [287:0] INIT_RAM_19 = 288'h0,
  parameter logic [287:0] INIT_RAM_1A = 288'h0,
  parameter logic [287:0] INIT_RAM_1B = 288'h0,
  parameter logic [287:0] INIT_RAM_1C = 288'h0,
  parameter logic [287:0] INIT_RAM_1D = 288'h0,
  parameter logic [287:0] INIT_RAM_1E = 288'h0,
  parameter logic [287:0] INIT_RAM_1F = 288'h0,
  parameter logic [287:0] INIT_RAM_20 = 288'h0,
  parameter logic [287:0] INIT_RAM_21 = 288'h0,
  parameter logic [287:0] INIT_RAM_22 = 288'h0,
  parameter logic [287:0] INIT_RAM_23 = 288'h0,
  parameter logic [287:0] INIT_RAM_24 = 288'h0,
  parameter logic [287:0] INIT_RAM_25 = 288'h0,
  parameter logic [287:0] INIT_RAM_26 = 288'h0,
  parameter logic [287:0] INIT_RAM_27 = 288'h0,
  parameter logic [287:0] INIT_RAM_28 = 288'h0,
  parameter logic [287:0] INIT_RAM_29 = 288'h0,
  parameter logic [287:0] INIT_RAM_2A = 288'h0,
  parameter logic [287:0] INIT_RAM_2B = 288'h0,
  parameter logic [287:0] INIT_RAM_2C = 288'h0,
  parameter logic [287:0] INIT_RAM_2D = 288'h0,
  parameter logic [287:0] INIT_RAM_2E = 288'h0,
  parameter logic [287:0] INIT_RAM_2F = 288'h0,
  parameter logic [287:0] INIT_RAM_30 = 288'h0,
  parameter logic [287:0] INIT_RAM_31 = 288'h0,
  parameter logic [287:0] INIT_RAM_32 = 288'h0,
  parameter logic [287:0] INIT_RAM_33 = 288'h0,
  parameter logic [287:0] INIT_RAM_34 = 288'h0,
  parameter logic [287:0] INIT_RAM_35 = 288'h0,
  parameter logic [287:0] INIT_RAM_36 = 288'h0,
  parameter logic [287:0] INIT_RAM_37 = 288'h0,
  parameter logic [287:0] INIT_RAM_38 = 288'h0,
  parameter logic [287:0] INIT_RAM_39 = 288'h0,
  parameter logic [287:0] INIT_RAM_3A = 288'h0,
  parameter logic [287:0] INIT_RAM_3B = 288'h0,
  parameter logic [287:0] INIT_RAM_3C = 288'h0,
  parameter logic [287:0] INIT_RAM_3D = 288'h0,
  parameter logic [287:0] INIT_RAM_3E = 288'h0,
  parameter logic [287:0] INIT_RAM_3F = 288'h0
) (
  output logic [35:0] DO,
  input  logic [35:0] DI,
  input  logic [2:0] BLKSEL,
  input  logic [13:0] AD,
  input  logic WRE, CLK, CE, OCE, RESET
);
  if (READ_MODE != 1'b0 || BLK_SEL != 3'b000) begin : gen_check
    initial $fatal(1, "SPX9: only plain ports are modelled");
  end

  logic [35:0] data, unused;
  gowin_ram #(
    .Unit(9),
    .WidthA(BIT_WIDTH),
    .WidthB(BIT_WIDTH),
    .ModeA(WRITE_MODE),
    .AsyncReset(RESET_MODE == "ASYNC"),
    .Init({
      INIT_RAM_3F, INIT_RAM_3E, INIT_RAM_3D, INIT_RAM_3C, INIT_RAM_3B, INIT_RAM_3A, INIT_RAM_39,
      INIT_RAM_38, INIT_RAM_37, INIT_RAM_36, INIT_RAM_35, INIT_RAM_34, INIT_RAM_33, INIT_RAM_32,
      INIT_RAM_31, INIT_RAM_30, INIT_RAM_2F, INIT_RAM_2E, INIT_RAM_2D, INIT_RAM_2C, INIT_RAM_2B,
      INIT_RAM_2A, INIT_RAM_29, INIT_RAM_28, INIT_RAM_27, INIT_RAM_26, INIT_RAM_25, INIT_RAM_24,
      INIT_RAM_23, INIT_RAM_22, INIT_RAM_21, INIT_RAM_20, INIT_RAM_1F, INIT_RAM_1E, INIT_RAM_1D,
      INIT_RAM_1C, INIT_RAM_1B, INIT_RAM_1A, INIT_RAM_19, INIT_RAM_18, INIT_RAM_17, INIT_RAM_16,
      INIT_RAM_15, INIT_RAM_14, INIT_RAM_13, INIT_RAM_12, INIT_RAM_11, INIT_RAM_10, INIT_RAM_0F,
      INIT_RAM_0E, INIT_RAM_0D, INIT_RAM_0C, INIT_RAM_0B, INIT_RAM_0A, INIT_RAM_09, INIT_RAM_08,
      INIT_RAM_07, INIT_RAM_06, INIT_RAM_05, INIT_RAM_04, INIT_RAM_03, INIT_RAM_02, INIT_RAM_01,
      INIT_RAM_00
    })
  ) u_memory (
    .clk_a_i(CLK),
    .enable_a_i(CE),
    .write_a_i(WRE),
    .reset_a_i(RESET),
    .address_a_i(AD),
    .data_a_i(36'(DI)),
    .data_a_o(data),
    .clk_b_i(1'b0),
    .enable_b_i(1'b0),
    .write_b_i(1'b0),
    .reset_b_i(1'b0),
    .address_b_i('0),
    .data_b_i('0),
    .data_b_o(unused)
  );
  assign DO = data[35:0];

  logic unused_pins;
  assign unused_pins = ^{OCE, BLKSEL, data, unused};
endmodule
