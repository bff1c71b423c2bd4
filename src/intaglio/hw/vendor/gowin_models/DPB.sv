// SPDX-License-Identifier: Apache-2.0
//
// Our model, for simulation only, of Gowin's block RAM DPB as Yosys uses it, see gowin_ram.sv.
// Other settings are refused.

module DPB #(
  parameter READ_MODE0 = 1'b0,
  parameter READ_MODE1 = 1'b0,
  parameter logic [1:0] WRITE_MODE0 = 2'b00,
  parameter logic [1:0] WRITE_MODE1 = 2'b00,
  parameter int unsigned BIT_WIDTH_0 = 16,
  parameter int unsigned BIT_WIDTH_1 = 16,
  parameter BLK_SEL_0 = 3'b000,
  parameter BLK_SEL_1 = 3'b000,
  parameter RESET_MODE = "SYNC",
  parameter logic [255:0] INIT_RAM_00 = 256'h0,
  parameter logic [255:0] INIT_RAM_01 = 256'h0,
  parameter logic [255:0] INIT_RAM_02 = 256'h0,
  parameter logic [255:0] INIT_RAM_03 = 256'h0,
  parameter logic [255:0] INIT_RAM_04 = 256'h0,
  parameter logic [255:0] INIT_RAM_05 = 256'h0,
  parameter logic [255:0] INIT_RAM_06 = 256'h0,
  parameter logic [255:0] INIT_RAM_07 = 256'h0,
  parameter logic [255:0] INIT_RAM_08 = 256'h0,
  parameter logic [255:0] INIT_RAM_09 = 256'h0,
  parameter logic [255:0] INIT_RAM_0A = 256'h0,
  parameter logic [255:0] INIT_RAM_0B = 256'h0,
  parameter logic [255:0] INIT_RAM_0C = 256'h0,
  parameter logic [255:0] INIT_RAM_0D = 256'h0,
  parameter logic [255:0] INIT_RAM_0E = 256'h0,
  parameter logic [255:0] INIT_RAM_0F = 256'h0,
  parameter logic [255:0] INIT_RAM_10 = 256'h0,
  parameter logic [255:0] INIT_RAM_11 = 256'h0,
  parameter logic [255:0] INIT_RAM_12 = 256'h0,
  parameter logic [255:0] INIT_RAM_13 = 256'h0,
  parameter logic [255:0] INIT_RAM_14 = 256'h0,
  parameter logic [255:0] INIT_RAM_15 = 256'h0,
  parameter logic [255:0] INIT_RAM_16 = 256'h0,
  parameter logic [255:0] INIT_RAM_17 = 256'h0,
  parameter logic [255:0] INIT_RAM_18 = 256'h0,
  parameter logic [255:0] INIT_RAM_19 = 256'h0,
  parameter logic [255:0] INIT_RAM_1A = 256'h0,
  parameter logic [255:0] INIT_RAM_1B = 256'h0,
  parameter logic [255:0] INIT_RAM_1C = 256'h0,
  parameter logic [255:0] INIT_RAM_1D = 256'h0,
  parameter logic [255:0] INIT_RAM_1E = 256'h0,
  parameter logic [255:0] INIT_RAM_1F = 256'h0,
  parameter logic [255:0] INIT_RAM_20 = 256'h0,
  parameter logic [255:0] INIT_RAM_21 = 256'h0,
  parameter logic [255:0] INIT_RAM_22 = 256'h0,
  parameter logic [255:0] INIT_RAM_23 = 256'h0,
  parameter logic [255:0] INIT_RAM_24 = 256'h0,
  parameter logic [255:0] INIT_RAM_25 = 256'h0,
  parameter logic [255:0] INIT_RAM_26 = 256'h0,
  parameter logic [255:0] INIT_RAM_27 = 256'h0,
  parameter logic [255:0] INIT_RAM_28 = 256'h0,
  parameter logic [255:0] INIT_RAM_29 = 256'h0,
  parameter logic [255:0] INIT_RAM_2A = 256'h0,
  parameter logic [255:0] INIT_RAM_2B = 256'h0,
  parameter logic [255:0] INIT_RAM_2C = 256'h0,
  parameter logic [255:0] INIT_RAM_2D = 256'h0,
  parameter logic [255:0] INIT_RAM_2E = 256'h0,
  parameter logic [255:0] INIT_RAM_2F = 256'h0,
  parameter logic [255:0] INIT_RAM_30 = 256'h0,
  parameter logic [255:0] INIT_RAM_31 = 256'h0,
  parameter logic [255:0] INIT_RAM_32 = 256'h0,
  parameter logic [255:0] INIT_RAM_33 = 256'h0,
  parameter logic [255:0] INIT_RAM_34 = 256'h0,
  parameter logic [255:0] INIT_RAM_35 = 256'h0,
  parameter logic [255:0] INIT_RAM_36 = 256'h0,
  parameter logic [255:0] INIT_RAM_37 = 256'h0,
  parameter logic [255:0] INIT_RAM_38 = 256'h0,
  parameter logic [255:0] INIT_RAM_39 = 256'h0,
  parameter logic [255:0] INIT_RAM_3A = 256'h0,
  parameter logic [255:0] INIT_RAM_3B = 256'h0,
  parameter logic [255:0] INIT_RAM_3C = 256'h0,
  parameter logic [255:0] INIT_RAM_3D = 256'h0,
  parameter logic [255:0] INIT_RAM_3E = 256'h0,
  parameter logic [255:0] INIT_RAM_3F = 256'h0
) (
  input  logic CLKA, CEA, CLKB, CEB, OCEA, OCEB, RESETA, RESETB, WREA, WREB,
  input  logic [13:0] ADA, ADB,
  input  logic [2:0] BLKSELA, BLKSELB,
  input  logic [15:0] DIA, DIB,
  output logic [15:0] DOA, DOB
);
  if (READ_MODE0 != 1'b0 || READ_MODE1 != 1'b0
      || BLK_SEL_0 != 3'b000 || BLK_SEL_1 != 3'b000) begin : gen_check
    initial $fatal(1, "DPB: only plain ports are modelled");
  end

  logic [35:0] data_a, data_b;
  gowin_ram #(
    .Unit(8),
    .WidthA(BIT_WIDTH_0),
    .WidthB(BIT_WIDTH_1),
    .ModeA(WRITE_MODE0),
    .ModeB(WRITE_MODE1),
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
    .clk_a_i(CLKA),
    .enable_a_i(CEA),
    .write_a_i(WREA),
    .reset_a_i(RESETA),
    .address_a_i(ADA),
    .data_a_i(36'(DIA)),
    .data_a_o(data_a),
    .clk_b_i(CLKB),
    .enable_b_i(CEB),
    .write_b_i(WREB),
    .reset_b_i(RESETB),
    .address_b_i(ADB),
    .data_b_i(36'(DIB)),
    .data_b_o(data_b)
  );
  assign DOA = data_a[15:0];
  assign DOB = data_b[15:0];

  logic unused_pins;
  assign unused_pins = ^{OCEA, OCEB, BLKSELA, BLKSELB, data_a, data_b};
endmodule
