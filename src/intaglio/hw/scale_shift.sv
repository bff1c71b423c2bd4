// SPDX-License-Identifier: Apache-2.0
//
// Requantize as a stream unit:
//
//   y = saturate(ZeroPoint + floor((x * multiplier + addend) / 2^Shift))
//
// Multiplier and addend of a channel come from memory images, in stream order; with `UseAddend` 0
// the addend is half of 2^Shift for all. An operand of the product that has more than 18 bits is
// split, high * 2^17 + low, over two multipliers whose products are added a stage later; over four,
// where both operands are.
// With `UseMultiplier` 0 the multiplier is 1. With `MoveTies` a quotient that is whole and has
// `MovedBit` as its last bit becomes one less: ties go to the even, or to the odd.
// Latency from beat to beat: 7 edges, 2 with neither multiplier nor addend.

module scale_shift #(
  parameter int unsigned Width = 24,
  parameter bit          Signed = 1'b1,
  parameter int unsigned Lanes = 1,
  parameter bit          UseMultiplier = 1'b1,
  parameter int unsigned MultiplierWidth = 16,
  parameter bit          MultiplierSigned = 1'b0,
  parameter int unsigned MultiplierWords = 1,
  parameter bit          BlockMultipliers = 1'b0,
  parameter              MultiplierFile = "",
  parameter bit          UseAddend = 1'b0,
  parameter int unsigned AddendWidth = 16,      // signed
  parameter int unsigned AddendWords = 1,
  parameter bit          BlockAddends = 1'b0,
  parameter              AddendFile = "",
  parameter int unsigned Shift = 16,
  parameter bit          MoveTies = 1'b0,
  parameter bit          MovedBit = 1'b1,
  parameter              ZeroPoint = 0,         // signed, as wide as its value; Low and High too
  parameter              Low = 0,
  parameter              High = 255,
  parameter int unsigned OutWidth = 8,
  parameter int unsigned OutDepth = 16
) (
  input  logic                      clk_i,
  input  logic                      rst_i,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  input  logic [Lanes*Width-1:0]    in_data_i,
  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [Lanes*OutWidth-1:0] out_data_o
);
  localparam int unsigned XWidth = Width + (Signed ? 0 : 1);
  localparam int unsigned FactorWidth = MultiplierWidth + (MultiplierSigned ? 0 : 1);
  localparam int unsigned ProductWidth = UseMultiplier ? XWidth + FactorWidth : XWidth;
  localparam int unsigned AddedWidth = (UseAddend && AddendWidth > Shift) ? AddendWidth : Shift;
  localparam int unsigned WidestWidth = (ProductWidth > AddedWidth) ? ProductWidth : AddedWidth;
  localparam int unsigned RoundWidth = WidestWidth + 1;
  localparam int unsigned ScaledWidth = RoundWidth - Shift;
  localparam int unsigned CheckWidth = ((ScaledWidth > OutWidth) ? ScaledWidth : OutWidth) + 2;
  localparam bit Parameters = UseMultiplier || UseAddend;
  localparam int unsigned Latency = Parameters ? 6 : 1;  // edges before the FIFO write
  localparam logic signed [RoundWidth-1:0] Half =
      (Shift == 0) ? '0 : RoundWidth'(1) <<< ((Shift == 0) ? 0 : Shift - 1);

  logic space, issue;
  logic [Latency:0] valid_q;
  logic [Lanes*OutWidth-1:0] y_q;

  assign issue = in_valid_i && space;
  assign in_ready_o = space;

  always_ff @(posedge clk_i) begin
    if (rst_i) valid_q <= '0;
    else valid_q <= (Latency + 1)'({valid_q, issue});
  end

  logic [Lanes*FactorWidth-1:0] factor;
  if (UseMultiplier) begin : gen_factor
    logic [Lanes*MultiplierWidth-1:0] rom;
    cyclic_rom #(
      .Width(Lanes * MultiplierWidth), .Depth(MultiplierWords),
      .BlockRam(BlockMultipliers), .InitFile(MultiplierFile)
    ) u_multiplier_rom (
      .clk_i, .rst_i, .step_i(issue), .data_o(rom)
    );
    for (genvar i = 0; i < Lanes; i++) begin : gen_extend
      if (MultiplierSigned) begin : gen_as_is
        assign factor[i*FactorWidth +: FactorWidth] = rom[i*MultiplierWidth +: MultiplierWidth];
      end else begin : gen_positive
        assign factor[i*FactorWidth +: FactorWidth] =
            {1'b0, rom[i*MultiplierWidth +: MultiplierWidth]};
      end
    end
  end else begin : gen_no_factor
    logic unused_factor;
    assign factor = '0;
    assign unused_factor = ^factor;
  end

  // --- the addend, as late as the product: two edges behind the multiplier -----------------------

  logic [Lanes*AddendWidth-1:0] addend;
  if (UseAddend) begin : gen_addend
    logic [Lanes*AddendWidth-1:0] rom;
    cyclic_rom #(
      .Width(Lanes * AddendWidth), .Depth(AddendWords),
      .BlockRam(BlockAddends), .InitFile(AddendFile)
    ) u_addend_rom (
      .clk_i, .rst_i, .step_i(issue), .data_o(rom)
    );
    delay #(.Width(Lanes * AddendWidth), .Stages(2)) u_later (
      .clk_i, .data_i(rom), .data_o(addend)
    );
  end else begin : gen_no_addend
    logic unused_addend;
    assign addend = '0;
    assign unused_addend = ^addend;
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic signed [XWidth-1:0] x;
    logic signed [RoundWidth-1:0] rounded_q, added;
    logic signed [CheckWidth-1:0] moved;

    if (Signed) begin : gen_signed
      assign x = in_data_i[i*Width +: Width];
    end else begin : gen_unsigned
      assign x = {1'b0, in_data_i[i*Width +: Width]};
    end

    if (UseAddend) begin : gen_added
      assign added = RoundWidth'($signed(addend[i*AddendWidth +: AddendWidth]));
    end else begin : gen_half
      assign added = Half;
    end

    if (!Parameters) begin : gen_shift_only
      always_ff @(posedge clk_i) rounded_q <= RoundWidth'(x) + added;
    end else begin : gen_parameters
      logic signed [XWidth-1:0] x_q, x_qq;
      always_ff @(posedge clk_i) begin
        x_q  <= x;
        x_qq <= x_q;
      end

      if (!UseMultiplier) begin : gen_plain
        logic [XWidth-1:0] plain;
        logic signed [RoundWidth-1:0] sum_q;
        delay #(.Width(XWidth), .Stages(2)) u_plain (
          .clk_i, .data_i(x_qq), .data_o(plain)
        );
        always_ff @(posedge clk_i) begin
          sum_q     <= RoundWidth'($signed(plain)) + added;
          rounded_q <= sum_q;
        end
      end else if (XWidth <= 18 && FactorWidth <= 18) begin : gen_single
        logic signed [XWidth+FactorWidth-1:0] product;
        logic signed [RoundWidth-1:0] product_q;
        multiplier #(.WidthA(XWidth), .WidthB(FactorWidth)) u_multiplier (
          .clk_i, .a_i(x_qq), .b_i(factor[i*FactorWidth +: FactorWidth]), .product_o(product)
        );
        always_ff @(posedge clk_i) begin
          product_q <= RoundWidth'(product) + added;
          rounded_q <= product_q;
        end
      end else if (XWidth > 18 && FactorWidth > 18) begin : gen_split_both
        localparam int unsigned HighX = XWidth - 17;
        localparam int unsigned HighM = FactorWidth - 17;
        logic signed [FactorWidth-1:0] m;
        logic signed [HighX+HighM-1:0] high;
        logic signed [HighX+17:0] left;
        logic signed [HighM+17:0] right;
        logic signed [35:0] low;
        logic signed [RoundWidth-1:0] ends_q, middle_q;
        assign m = factor[i*FactorWidth +: FactorWidth];
        multiplier #(.WidthA(HighX), .WidthB(HighM)) u_high (
          .clk_i, .a_i(x_qq[XWidth-1:17]), .b_i(m[FactorWidth-1:17]), .product_o(high)
        );
        multiplier #(.WidthA(HighX), .WidthB(18)) u_left (
          .clk_i, .a_i(x_qq[XWidth-1:17]), .b_i({1'b0, m[16:0]}), .product_o(left)
        );
        multiplier #(.WidthA(HighM), .WidthB(18)) u_right (
          .clk_i, .a_i(m[FactorWidth-1:17]), .b_i({1'b0, x_qq[16:0]}), .product_o(right)
        );
        multiplier #(.WidthA(18), .WidthB(18)) u_low (
          .clk_i, .a_i({1'b0, x_qq[16:0]}), .b_i({1'b0, m[16:0]}), .product_o(low)
        );
        always_ff @(posedge clk_i) begin
          ends_q    <= (RoundWidth'(high) <<< 34) + RoundWidth'(low) + added;
          middle_q  <= RoundWidth'(left) + RoundWidth'(right);
          rounded_q <= (middle_q <<< 17) + ends_q;
        end
      end else begin : gen_split
        localparam bit SplitX = XWidth > 18;
        localparam int unsigned LongWidth = SplitX ? XWidth : FactorWidth;
        localparam int unsigned ShortWidth = SplitX ? FactorWidth : XWidth;
        localparam int unsigned HighWidth = LongWidth - 17;
        logic signed [LongWidth-1:0] wide_op;
        logic signed [ShortWidth-1:0] narrow_op;
        logic signed [HighWidth+ShortWidth-1:0] high;
        logic signed [18+ShortWidth-1:0] low;
        logic signed [HighWidth+ShortWidth-1:0] high_q;
        logic signed [RoundWidth-1:0] low_q;
        if (SplitX) begin : gen_split_x
          assign wide_op   = x_qq;
          assign narrow_op = factor[i*FactorWidth +: FactorWidth];
        end else begin : gen_split_factor
          assign wide_op   = factor[i*FactorWidth +: FactorWidth];
          assign narrow_op = x_qq;
        end
        multiplier #(.WidthA(HighWidth), .WidthB(ShortWidth)) u_high (
          .clk_i, .a_i(wide_op[LongWidth-1:17]), .b_i(narrow_op), .product_o(high)
        );
        multiplier #(.WidthA(18), .WidthB(ShortWidth)) u_low (
          .clk_i, .a_i({1'b0, wide_op[16:0]}), .b_i(narrow_op), .product_o(low)
        );
        always_ff @(posedge clk_i) begin
          high_q    <= high;
          low_q     <= RoundWidth'(low) + added;
          rounded_q <= (RoundWidth'(high_q) <<< 17) + low_q;
        end
      end
    end

    if (MoveTies) begin : gen_ties
      logic signed [CheckWidth-1:0] level;
      logic whole;
      assign level = CheckWidth'(rounded_q >>> Shift);
      if (Shift == 0) begin : gen_always
        assign whole = 1'b1;
      end else begin : gen_whole
        assign whole = rounded_q[Shift-1:0] == '0;
      end
      assign moved = level + CheckWidth'(ZeroPoint)
          - CheckWidth'($signed({1'b0, whole && level[0] == MovedBit}));
    end else begin : gen_as_it_is
      assign moved = CheckWidth'(rounded_q >>> Shift) + CheckWidth'(ZeroPoint);
    end

    always_ff @(posedge clk_i) begin
      if (moved < CheckWidth'(Low)) y_q[i*OutWidth +: OutWidth] <= OutWidth'(Low);
      else if (moved > CheckWidth'(High)) y_q[i*OutWidth +: OutWidth] <= OutWidth'(High);
      else y_q[i*OutWidth +: OutWidth] <= moved[OutWidth-1:0];
    end
  end

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(valid_q[Latency]), .data_i(y_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
