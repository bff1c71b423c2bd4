// SPDX-License-Identifier: Apache-2.0
//
// Our model, for simulation only, of the Lattice ECP5 block RAM DP16KD as Yosys uses it: 1024 words
// of 18 bits behind two ports of 1, 2, 4, 9 or 18 bits each, or one that writes and one that reads
// 36. Reads are registered and not piped; a port that writes keeps what it last read, or reads what
// was there before. Memory is kept in units of nine bits: forms of 4 bits and fewer leave the ninth
// unused. There is no global reset (GSR). Other settings are refused. Source: Lattice
// FPGA-TN-02204, "ECP5 and ECP5-5G Memory Usage Guide"; the layout of INITVAL is that of Yosys 0.70,
// share/lattice/brams_map_16kd.v.

module DP16KD #(
  parameter int unsigned DATA_WIDTH_A = 18,
  parameter int unsigned DATA_WIDTH_B = 18,
  parameter REGMODE_A = "NOREG",
  parameter REGMODE_B = "NOREG",
  parameter RESETMODE = "SYNC",
  parameter ASYNC_RESET_RELEASE = "SYNC",
  parameter CSDECODE_A = "0b000",
  parameter CSDECODE_B = "0b000",
  parameter WRITEMODE_A = "NORMAL",
  parameter WRITEMODE_B = "NORMAL",
  parameter CLKAMUX = "CLKA",
  parameter CLKBMUX = "CLKB",
  parameter GSR = "AUTO",
  parameter logic [319:0] INITVAL_00 = 320'h0,
  parameter logic [319:0] INITVAL_01 = 320'h0,
  parameter logic [319:0] INITVAL_02 = 320'h0,
  parameter logic [319:0] INITVAL_03 = 320'h0,
  parameter logic [319:0] INITVAL_04 = 320'h0,
  parameter logic [319:0] INITVAL_05 = 320'h0,
  parameter logic [319:0] INITVAL_06 = 320'h0,
  parameter logic [319:0] INITVAL_07 = 320'h0,
  parameter logic [319:0] INITVAL_08 = 320'h0,
  parameter logic [319:0] INITVAL_09 = 320'h0,
  parameter logic [319:0] INITVAL_0A = 320'h0,
  parameter logic [319:0] INITVAL_0B = 320'h0,
  parameter logic [319:0] INITVAL_0C = 320'h0,
  parameter logic [319:0] INITVAL_0D = 320'h0,
  parameter logic [319:0] INITVAL_0E = 320'h0,
  parameter logic [319:0] INITVAL_0F = 320'h0,
  parameter logic [319:0] INITVAL_10 = 320'h0,
  parameter logic [319:0] INITVAL_11 = 320'h0,
  parameter logic [319:0] INITVAL_12 = 320'h0,
  parameter logic [319:0] INITVAL_13 = 320'h0,
  parameter logic [319:0] INITVAL_14 = 320'h0,
  parameter logic [319:0] INITVAL_15 = 320'h0,
  parameter logic [319:0] INITVAL_16 = 320'h0,
  parameter logic [319:0] INITVAL_17 = 320'h0,
  parameter logic [319:0] INITVAL_18 = 320'h0,
  parameter logic [319:0] INITVAL_19 = 320'h0,
  parameter logic [319:0] INITVAL_1A = 320'h0,
  parameter logic [319:0] INITVAL_1B = 320'h0,
  parameter logic [319:0] INITVAL_1C = 320'h0,
  parameter logic [319:0] INITVAL_1D = 320'h0,
  parameter logic [319:0] INITVAL_1E = 320'h0,
  parameter logic [319:0] INITVAL_1F = 320'h0,
  parameter logic [319:0] INITVAL_20 = 320'h0,
  parameter logic [319:0] INITVAL_21 = 320'h0,
  parameter logic [319:0] INITVAL_22 = 320'h0,
  parameter logic [319:0] INITVAL_23 = 320'h0,
  parameter logic [319:0] INITVAL_24 = 320'h0,
  parameter logic [319:0] INITVAL_25 = 320'h0,
  parameter logic [319:0] INITVAL_26 = 320'h0,
  parameter logic [319:0] INITVAL_27 = 320'h0,
  parameter logic [319:0] INITVAL_28 = 320'h0,
  parameter logic [319:0] INITVAL_29 = 320'h0,
  parameter logic [319:0] INITVAL_2A = 320'h0,
  parameter logic [319:0] INITVAL_2B = 320'h0,
  parameter logic [319:0] INITVAL_2C = 320'h0,
  parameter logic [319:0] INITVAL_2D = 320'h0,
  parameter logic [319:0] INITVAL_2E = 320'h0,
  parameter logic [319:0] INITVAL_2F = 320'h0,
  parameter logic [319:0] INITVAL_30 = 320'h0,
  parameter logic [319:0] INITVAL_31 = 320'h0,
  parameter logic [319:0] INITVAL_32 = 320'h0,
  parameter logic [319:0] INITVAL_33 = 320'h0,
  parameter logic [319:0] INITVAL_34 = 320'h0,
  parameter logic [319:0] INITVAL_35 = 320'h0,
  parameter logic [319:0] INITVAL_36 = 320'h0,
  parameter logic [319:0] INITVAL_37 = 320'h0,
  parameter logic [319:0] INITVAL_38 = 320'h0,
  parameter logic [319:0] INITVAL_39 = 320'h0,
  parameter logic [319:0] INITVAL_3A = 320'h0,
  parameter logic [319:0] INITVAL_3B = 320'h0,
  parameter logic [319:0] INITVAL_3C = 320'h0,
  parameter logic [319:0] INITVAL_3D = 320'h0,
  parameter logic [319:0] INITVAL_3E = 320'h0,
  parameter logic [319:0] INITVAL_3F = 320'h0
) (
  input  logic DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6,
               DIA5, DIA4, DIA3, DIA2, DIA1, DIA0,
  input  logic ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1,
               ADA0,
  input  logic CEA, OCEA, CLKA, WEA, RSTA, CSA2, CSA1, CSA0,
  output logic DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6,
               DOA5, DOA4, DOA3, DOA2, DOA1, DOA0,
  input  logic DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6,
               DIB5, DIB4, DIB3, DIB2, DIB1, DIB0,
  input  logic ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1,
               ADB0,
  input  logic CEB, OCEB, CLKB, WEB, RSTB, CSB2, CSB1, CSB0,
  output logic DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6,
               DOB5, DOB4, DOB3, DOB2, DOB1, DOB0
);
  if (REGMODE_A != "NOREG" || REGMODE_B != "NOREG"
      || CSDECODE_A != "0b000" || CSDECODE_B != "0b000"
      || WRITEMODE_A == "WRITETHROUGH" || WRITEMODE_B == "WRITETHROUGH"
      || CLKAMUX != "CLKA" || CLKBMUX != "CLKB") begin : gen_check
    initial $fatal(1, "DP16KD: only plain ports on rising edges are modelled");
  end

  localparam int unsigned UnitsA = (DATA_WIDTH_A + 8) / 9;
  localparam int unsigned UnitsB = (DATA_WIDTH_B + 8) / 9;

  logic [8:0] mem [2048];
  logic [13:0] ad_a, ad_b;
  logic [35:0] di_a, di_b, do_a_q, do_b_q;
  logic [10:0] first_a, first_b;
  logic [3:0] enable_a, enable_b;
  logic we_a, we_b, clear_a, clear_b;

  // Sixteen words of 20 bits, of which 18 count, in each INITVAL.
  localparam logic [64*320-1:0] Init = {
    INITVAL_3F, INITVAL_3E, INITVAL_3D, INITVAL_3C, INITVAL_3B, INITVAL_3A, INITVAL_39,
    INITVAL_38, INITVAL_37, INITVAL_36, INITVAL_35, INITVAL_34, INITVAL_33, INITVAL_32,
    INITVAL_31, INITVAL_30, INITVAL_2F, INITVAL_2E, INITVAL_2D, INITVAL_2C, INITVAL_2B,
    INITVAL_2A, INITVAL_29, INITVAL_28, INITVAL_27, INITVAL_26, INITVAL_25, INITVAL_24,
    INITVAL_23, INITVAL_22, INITVAL_21, INITVAL_20, INITVAL_1F, INITVAL_1E, INITVAL_1D,
    INITVAL_1C, INITVAL_1B, INITVAL_1A, INITVAL_19, INITVAL_18, INITVAL_17, INITVAL_16,
    INITVAL_15, INITVAL_14, INITVAL_13, INITVAL_12, INITVAL_11, INITVAL_10, INITVAL_0F,
    INITVAL_0E, INITVAL_0D, INITVAL_0C, INITVAL_0B, INITVAL_0A, INITVAL_09, INITVAL_08,
    INITVAL_07, INITVAL_06, INITVAL_05, INITVAL_04, INITVAL_03, INITVAL_02, INITVAL_01,
    INITVAL_00
  };
  initial begin
    for (int unsigned i = 0; i < 1024; i++) begin
      mem[2*i]   = Init[20*i +: 9];
      mem[2*i+1] = Init[20*i+9 +: 9];
    end
  end

  // What a port of fewer than nine bits sees of a unit, and leaves of it.
  function automatic logic [8:0] pick(int unsigned width, logic [8:0] unit, logic [2:0] place);
    case (width)
      1: return 9'(unit[place]);
      2: return 9'(unit[{place[2:1], 1'b0} +: 2]);
      4: return 9'(unit[{place[2], 2'b0} +: 4]);
      default: return unit;
    endcase
  endfunction

  function automatic logic [8:0] merge(
      int unsigned width, logic [8:0] unit, logic [2:0] place, logic [8:0] data
  );
    logic [8:0] merged = unit;
    case (width)
      1: merged[place] = data[0];
      2: merged[{place[2:1], 1'b0} +: 2] = data[1:0];
      4: merged[{place[2], 2'b0} +: 4] = data[3:0];
      default: merged = data;
    endcase
    return merged;
  endfunction

  assign ad_a = {
    ADA13, ADA12, ADA11, ADA10, ADA9, ADA8, ADA7, ADA6, ADA5, ADA4, ADA3, ADA2, ADA1, ADA0
  };
  assign di_a = {
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0,
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0
  };
  assign first_a = (DATA_WIDTH_A == 36) ? {ad_a[13:5], 2'b0}
      : (DATA_WIDTH_A == 18) ? {ad_a[13:4], 1'b0} : ad_a[13:3];
  assign enable_a = (DATA_WIDTH_A >= 18) ? ad_a[3:0] : 4'b0001;  // bytes to write
  assign clear_a = RESETMODE == "ASYNC" && RSTA;
  assign we_a = WEA && {CSA2, CSA1, CSA0} == '0;

  assign ad_b = {
    ADB13, ADB12, ADB11, ADB10, ADB9, ADB8, ADB7, ADB6, ADB5, ADB4, ADB3, ADB2, ADB1, ADB0
  };
  assign di_b = {
    DIA17, DIA16, DIA15, DIA14, DIA13, DIA12, DIA11, DIA10, DIA9, DIA8, DIA7, DIA6, DIA5, DIA4,
    DIA3, DIA2, DIA1, DIA0,
    DIB17, DIB16, DIB15, DIB14, DIB13, DIB12, DIB11, DIB10, DIB9, DIB8, DIB7, DIB6, DIB5, DIB4,
    DIB3, DIB2, DIB1, DIB0
  };
  assign first_b = (DATA_WIDTH_B == 36) ? {ad_b[13:5], 2'b0}
      : (DATA_WIDTH_B == 18) ? {ad_b[13:4], 1'b0} : ad_b[13:3];
  assign enable_b = (DATA_WIDTH_B >= 18) ? ad_b[3:0] : 4'b0001;  // bytes to write
  assign clear_b = RESETMODE == "ASYNC" && RSTB;
  assign we_b = WEB && {CSB2, CSB1, CSB0} == '0;

  always_ff @(posedge CLKA) begin
    if (CEA && we_a) begin
      for (int unsigned unit = 0; unit < UnitsA; unit++) begin
        if (enable_a[unit]) begin
          mem[first_a + 11'(unit)] <= merge(DATA_WIDTH_A, mem[first_a + 11'(unit)],
              ad_a[2:0], di_a[9*unit +: 9]);
        end
      end
    end
  end

  always_ff @(posedge CLKA or posedge clear_a) begin
    if (clear_a || RSTA) begin
      do_a_q <= '0;
    end else if (CEA && !(we_a && WRITEMODE_A == "NORMAL")) begin
      for (int unsigned unit = 0; unit < UnitsA; unit++) begin
        do_a_q[9*unit +: 9] <= pick(DATA_WIDTH_A, mem[first_a + 11'(unit)], ad_a[2:0]);
      end
    end
  end

  always_ff @(posedge CLKB) begin
    if (CEB && we_b) begin
      for (int unsigned unit = 0; unit < UnitsB; unit++) begin
        if (enable_b[unit]) begin
          mem[first_b + 11'(unit)] <= merge(DATA_WIDTH_B, mem[first_b + 11'(unit)],
              ad_b[2:0], di_b[9*unit +: 9]);
        end
      end
    end
  end

  always_ff @(posedge CLKB or posedge clear_b) begin
    if (clear_b || RSTB) begin
      do_b_q <= '0;
    end else if (CEB && !(we_b && WRITEMODE_B == "NORMAL")) begin
      for (int unsigned unit = 0; unit < UnitsB; unit++) begin
        do_b_q[9*unit +: 9] <= pick(DATA_WIDTH_B, mem[first_b + 11'(unit)], ad_b[2:0]);
      end
    end
  end

  // The port that reads 36 bits gives the upper half on its own pins, the lower on the other's.
  assign {
    DOA17, DOA16, DOA15, DOA14, DOA13, DOA12, DOA11, DOA10, DOA9, DOA8, DOA7, DOA6, DOA5, DOA4,
    DOA3, DOA2, DOA1, DOA0
  } = (DATA_WIDTH_B == 36) ? do_b_q[17:0] : do_a_q[17:0];
  assign {
    DOB17, DOB16, DOB15, DOB14, DOB13, DOB12, DOB11, DOB10, DOB9, DOB8, DOB7, DOB6, DOB5, DOB4,
    DOB3, DOB2, DOB1, DOB0
  } = (DATA_WIDTH_B == 36) ? do_b_q[35:18] : do_b_q[17:0];

  logic unused_pins;
  assign unused_pins = ^{OCEA, OCEB, do_a_q[35:18]};
endmodule
