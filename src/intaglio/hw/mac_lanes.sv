// SPDX-License-Identifier: Apache-2.0
//
// LanesIn x LanesOut products, an adder tree for each output lane, an accumulator behind it.
// `Products` says how they are made: 0 a multiplier each, 1 of LUTs, 2 a multiplier for those of an
// input lane with two output lanes, of which there must then be an even number.
// Operands marked first start a sum with the bias, operands marked last end it. The sums of a
// window are in `sums_o`, with `valid_o`, 3 + clog2(LanesIn) edges after its last operands.

module mac_lanes #(
  parameter int unsigned LanesIn = 1,
  parameter int unsigned LanesOut = 1,
  parameter int unsigned Products = 0,
  parameter int unsigned XWidth = 8,
  parameter bit          XSigned = 1'b0,
  parameter int unsigned WeightWidth = 8,
  parameter bit          WeightSigned = 1'b1,
  parameter int unsigned BiasWidth = 16,
  parameter bit          BiasSigned = 1'b1,
  parameter int unsigned BiasWords = 1,
  parameter bit          BlockBias = 1'b0,
  parameter              BiasFile = "",
  parameter int unsigned SumWidth = 24,     // holds every partial sum, signed
  parameter bit          OwnX = 1'b0,       // every output lane has LanesIn operands of its own
  localparam int unsigned XLanes = OwnX ? LanesOut * LanesIn : LanesIn
) (
  input  logic                                    clk_i,
  input  logic                                    rst_i,
  input  logic                                    valid_i,
  input  logic                                    first_i,
  input  logic                                    last_i,
  input  logic [XLanes*XWidth-1:0]                x_i,
  input  logic [LanesOut*LanesIn*WeightWidth-1:0] weight_i,
  output logic                                    valid_o,
  output logic [LanesOut*SumWidth-1:0]            sums_o
);
  localparam int unsigned A = XWidth + (XSigned ? 0 : 1);
  localparam int unsigned B = WeightWidth + (WeightSigned ? 0 : 1);
  localparam int unsigned P = XWidth + WeightWidth + ((XSigned || WeightSigned) ? 0 : 1);
  localparam int unsigned Levels = $clog2(LanesIn);
  localparam int unsigned Delay = Levels + 2;  // multiplier and tree

  logic [Delay-1:0] valid_q, first_q, last_q;
  logic result_q;
  logic [LanesOut*BiasWidth-1:0] bias;

  always_ff @(posedge clk_i) begin
    first_q <= Delay'({first_q, first_i});
    last_q  <= Delay'({last_q, last_i});
    if (rst_i) begin
      valid_q  <= '0;
      result_q <= 1'b0;
    end else begin
      valid_q  <= Delay'({valid_q, valid_i});
      result_q <= valid_q[Delay-1] && last_q[Delay-1];
    end
  end

  // The bias of a window is read two edges before its first product is accumulated.
  logic bias_step;
  if (Levels == 0) begin : gen_step_now
    assign bias_step = valid_i && first_i;
  end else begin : gen_step_later
    assign bias_step = valid_q[Delay-3] && first_q[Delay-3];
  end

  cyclic_rom #(
    .Width(LanesOut * BiasWidth), .Depth(BiasWords), .BlockRam(BlockBias), .InitFile(BiasFile)
  ) u_bias (
    .clk_i, .rst_i, .step_i(bias_step), .data_o(bias)
  );

  if (Products > 2 || Products == 2 && (OwnX || LanesOut % 2 != 0)) begin : gen_check
    $fatal(1, "mac_lanes: Products must be 0, 1 or, for an even LanesOut that share x, 2");
  end

  logic signed [A-1:0] x [XLanes];
  logic signed [B-1:0] weight [LanesOut*LanesIn];
  logic signed [A+B-1:0] product [LanesOut*LanesIn];

  for (genvar i = 0; i < XLanes; i++) begin : gen_x
    if (XSigned) begin : gen_signed
      assign x[i] = x_i[i*XWidth +: XWidth];
    end else begin : gen_unsigned
      assign x[i] = {1'b0, x_i[i*XWidth +: XWidth]};
    end
  end

  for (genvar w = 0; w < LanesOut * LanesIn; w++) begin : gen_product
    localparam int unsigned Lane = OwnX ? w : w % LanesIn;
    if (WeightSigned) begin : gen_signed
      assign weight[w] = weight_i[w*WeightWidth +: WeightWidth];
    end else begin : gen_unsigned
      assign weight[w] = {1'b0, weight_i[w*WeightWidth +: WeightWidth]};
    end
    if (Products == 0) begin : gen_multiplier
      multiplier #(.WidthA(A), .WidthB(B)) u_multiplier (
        .clk_i, .a_i(x[Lane]), .b_i(weight[w]), .product_o(product[w])
      );
    end else if (Products == 1) begin : gen_rows
      multiplier_rows #(
        .WidthA(A), .WidthB(B), .PositiveA(!XSigned), .PositiveB(!WeightSigned)
      ) u_rows (
        .clk_i, .a_i(x[Lane]), .b_i(weight[w]), .product_o(product[w])
      );
    end else if (w / LanesIn % 2 == 0) begin : gen_pair
      multiplier_pair #(
        .WidthA(A), .WidthB(B), .PositiveA(!XSigned), .PositiveB(!WeightSigned)
      ) u_pair (
        .clk_i, .a_i(x[Lane]), .low_i(weight[w]), .high_i(weight[w+LanesIn]),
        .low_o(product[w]), .high_o(product[w+LanesIn])
      );
    end
    if (A + B > P) begin : gen_unused
      logic unused_sign;
      assign unused_sign = ^product[w][A+B-1:P];
    end
  end

  for (genvar o = 0; o < LanesOut; o++) begin : gen_lane
    logic signed [SumWidth-1:0] sum_q, start;
    logic signed [P+Levels-1:0] tree;

    for (genvar l = 0; l <= Levels; l++) begin : gen_level
      localparam int unsigned Count = (LanesIn + (1 << l) - 1) >> l;
      logic signed [P+l-1:0] node [Count];
    end
    for (genvar i = 0; i < LanesIn; i++) begin : gen_leaf
      assign gen_level[0].node[i] = product[o*LanesIn+i][P-1:0];
    end

    for (genvar l = 1; l <= Levels; l++) begin : gen_tree
      localparam int unsigned Below = (LanesIn + (1 << (l - 1)) - 1) >> (l - 1);
      for (genvar i = 0; i < (Below + 1) / 2; i++) begin : gen_node
        if (2 * i + 1 < Below) begin : gen_pair
          always_ff @(posedge clk_i) begin
            gen_level[l].node[i] <= (P+l)'(gen_level[l-1].node[2*i])
                                  + (P+l)'(gen_level[l-1].node[2*i+1]);
          end
        end else begin : gen_odd
          always_ff @(posedge clk_i) begin
            gen_level[l].node[i] <= (P+l)'(gen_level[l-1].node[2*i]);
          end
        end
      end
    end

    assign tree = gen_level[Levels].node[0];
    if (P + Levels > SumWidth) begin : gen_unused
      logic unused_sign;
      assign unused_sign = ^tree[P+Levels-1:SumWidth];
    end
    if (BiasSigned) begin : gen_bias_signed
      assign start = SumWidth'(signed'(bias[o*BiasWidth +: BiasWidth]));
    end else begin : gen_bias_unsigned
      assign start = SumWidth'(bias[o*BiasWidth +: BiasWidth]);
    end

    always_ff @(posedge clk_i) begin
      if (valid_q[Delay-1]) begin
        sum_q <= (first_q[Delay-1] ? start : sum_q) + SumWidth'(tree);
      end
    end

    assign sums_o[o*SumWidth +: SumWidth] = sum_q;
  end

  assign valid_o = result_q;
endmodule
