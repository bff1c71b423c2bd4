// SPDX-License-Identifier: Apache-2.0
//
// `multiplier` for Lattice iCE40 UltraPlus: one SB_MAC16 with its input registers and the register
// of its 16x16 product in use, which Yosys does not infer. Same ports and timing as the portable
// module. Of an operand of 17 or 18 bits the cell takes the low 16 as unsigned; the one or two bits
// above are multiplied in logic meanwhile and added behind the registers.

module multiplier #(
  parameter int unsigned WidthA = 18,
  parameter int unsigned WidthB = 18
) (
  input  logic                            clk_i,
  input  logic signed [WidthA-1:0]        a_i,
  input  logic signed [WidthB-1:0]        b_i,
  output logic signed [WidthA+WidthB-1:0] product_o
);
  localparam bit WideA = WidthA > 16;
  localparam bit WideB = WidthB > 16;
  localparam int unsigned Width = WidthA + WidthB;

  if (WidthA > 18 || WidthB > 18) begin : gen_check
    $fatal(1, "multiplier: operands must have at most 18 bits");
  end

  logic [15:0] a, b;
  logic [31:0] low;
  logic unused_co, unused_accumco, unused_signextout;

  assign a = 16'(a_i);
  assign b = 16'(b_i);

  SB_MAC16 #(
    .A_REG(1'b1), .B_REG(1'b1), .PIPELINE_16x16_MULT_REG2(1'b1),
    .TOPOUTPUT_SELECT(2'b11), .BOTOUTPUT_SELECT(2'b11),
    .A_SIGNED(!WideA), .B_SIGNED(!WideB)
  ) u_mac (
    .CLK(clk_i), .CE(1'b1), .A(a), .B(b), .C(16'b0), .D(16'b0),
    .AHOLD(1'b0), .BHOLD(1'b0), .CHOLD(1'b0), .DHOLD(1'b0),
    .IRSTTOP(1'b0), .IRSTBOT(1'b0), .ORSTTOP(1'b0), .ORSTBOT(1'b0),
    .OLOADTOP(1'b0), .OLOADBOT(1'b0), .ADDSUBTOP(1'b0), .ADDSUBBOT(1'b0),
    .OHOLDTOP(1'b0), .OHOLDBOT(1'b0), .CI(1'b0), .ACCUMCI(1'b0), .SIGNEXTIN(1'b0),
    .O(low), .CO(unused_co), .ACCUMCO(unused_accumco), .SIGNEXTOUT(unused_signextout)
  );

  if (!WideA && !WideB) begin : gen_narrow
    assign product_o = low[Width-1:0];
    if (Width < 32) begin : gen_unused
      logic unused_low;
      assign unused_low = ^low[31:Width];
    end
  end else begin : gen_wide
    localparam int unsigned HighWidth = Width - 16;
    logic signed [WidthA-1:0] a_q;
    logic signed [WidthB-1:0] b_q;
    logic signed [HighWidth-1:0] high_a, high_b, high_q;
    logic signed [Width-1:0] low_extended;

    if (WideA) begin : gen_high_a
      // a's high bits, signed, times all of b
      logic signed [1:0] top;
      assign top = 2'(a_q >>> 16);
      assign high_a = (top[0] ? HighWidth'(b_q) : '0) - (top[1] ? HighWidth'(b_q) <<< 1 : '0);
    end else begin : gen_no_high_a
      assign high_a = '0;
    end
    if (WideB) begin : gen_high_b
      // b's high bits times what the cell takes of a
      logic signed [1:0] top;
      logic signed [HighWidth-1:0] taken;
      assign top = 2'(b_q >>> 16);
      assign taken = WideA ? HighWidth'({1'b0, a_q[((WideA) ? 15 : WidthA-1):0]}) : HighWidth'(a_q);
      assign high_b = (top[0] ? taken : '0) - (top[1] ? taken <<< 1 : '0);
    end else begin : gen_no_high_b
      assign high_b = '0;
    end

    always_ff @(posedge clk_i) begin
      a_q    <= a_i;
      b_q    <= b_i;
      high_q <= high_a + high_b;
    end

    // A product of two low halves is unsigned, one of a low half and a whole operand is signed.
    if (WideA && WideB) begin : gen_unsigned
      assign low_extended = Width'({1'b0, low});
    end else begin : gen_signed
      assign low_extended = Width'($signed(low));
    end
    if (Width < 32) begin : gen_unused
      logic unused_low;
      assign unused_low = ^low[31:Width];
    end
    assign product_o = low_extended + Width'($signed({high_q, 16'b0}));
  end
endmodule
