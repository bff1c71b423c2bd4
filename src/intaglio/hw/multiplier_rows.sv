// SPDX-License-Identifier: Apache-2.0
//
// `multiplier` made of LUTs: same ports, same two edges, product of the registered operands. The
// narrower operand's bits gate rows of the other, which are added in pairs, and the pairs in pairs.
// `PositiveA` and `PositiveB` promise an operand whose top bit is always 0, and save its row.

module multiplier_rows #(
  parameter int unsigned WidthA = 4,
  parameter int unsigned WidthB = 4,
  parameter bit          PositiveA = 1'b0,
  parameter bit          PositiveB = 1'b0
) (
  input  logic                            clk_i,
  input  logic signed [WidthA-1:0]        a_i,
  input  logic signed [WidthB-1:0]        b_i,
  output logic signed [WidthA+WidthB-1:0] product_o
);
  localparam int unsigned BitsA = WidthA - (PositiveA ? 1 : 0);
  localparam int unsigned BitsB = WidthB - (PositiveB ? 1 : 0);
  localparam bit          Swap = BitsA < BitsB;
  localparam int unsigned Bits = Swap ? BitsB : BitsA;  // of a row
  localparam int unsigned Rows = Swap ? BitsA : BitsB;
  localparam bit          Signed = !(Swap ? PositiveB : PositiveA);
  localparam bit          SignedGate = !(Swap ? PositiveA : PositiveB);
  localparam int unsigned Levels = $clog2(Rows);

  if (BitsA == 0 || BitsB == 0) begin : gen_check
    $fatal(1, "multiplier_rows: a positive operand must have at least 2 bits");
  end

  logic [Bits-1:0] x_q;
  logic [Rows-1:0] gate_q;
  logic [Bits+Rows-1:0] product, product_q;

  always_ff @(posedge clk_i) begin
    x_q       <= Swap ? Bits'(b_i) : Bits'(a_i);
    gate_q    <= Swap ? Rows'(a_i) : Rows'(b_i);
    product_q <= product;
  end

  // A node of level l is the product of x and 2^l bits of the gates, or of those that are left; of
  // one bit, x itself and its gate.
  for (genvar l = 0; l <= Levels; l++) begin : gen_level
    for (genvar i = 0; i << l < Rows; i++) begin : gen_node
      localparam int unsigned Span = (Rows - (i << l) < 1 << l) ? Rows - (i << l) : 1 << l;
      localparam int unsigned LowSpan = (l == 0) ? Span : 1 << (l - 1);
      logic [Bits+((Span == 1) ? 0 : Span)-1:0] value;
      logic gate;

      if (l == 0) begin : gen_row
        assign value = x_q;
        assign gate = gate_q[i];
      end else if (Span <= LowSpan) begin : gen_alone
        assign value = gen_level[l-1].gen_node[2*i].value;
        assign gate = gen_level[l-1].gen_node[2*i].gate;
      end else begin : gen_sum
        localparam int unsigned HighSpan = Span - LowSpan;
        localparam int unsigned SumWidth = Bits + HighSpan;
        localparam int unsigned LowWidth = Bits + ((LowSpan == 1) ? 0 : LowSpan);
        localparam int unsigned HighWidth = Bits + ((HighSpan == 1) ? 0 : HighSpan);
        localparam bit          Last = (i << l) + Span == Rows;
        localparam bit          SignedHigh = Signed || SignedGate && Last && HighSpan > 1;
        logic [LowWidth-1:0] low;
        logic [HighWidth-1:0] high;
        logic low_gate;

        assign low = gen_level[l-1].gen_node[2*i].value;
        assign low_gate = gen_level[l-1].gen_node[2*i].gate;
        assign high = gen_level[l-1].gen_node[2*i+1].value;
        // The low bits have nothing to be added to.
        assign value[LowSpan-1:0] = low[LowSpan-1:0] & {LowSpan{low_gate}};
        assign gate = 1'b1;
        row_adder #(.Width(SumWidth), .Subtract(SignedGate && Last && HighSpan == 1)) u_adder (
          .high_i({{SumWidth-HighWidth{SignedHigh && high[HighWidth-1]}}, high}),
          .high_gate_i(gen_level[l-1].gen_node[2*i+1].gate),
          .low_i({{SumWidth-LowWidth+LowSpan{Signed && low[LowWidth-1]}}, low[LowWidth-1:LowSpan]}),
          .low_gate_i(low_gate),
          .sum_o(value[LowSpan +: SumWidth])
        );
      end
    end
  end

  logic [Bits+((Rows == 1) ? 0 : Rows)-1:0] top;
  logic top_gate;
  assign top = gen_level[Levels].gen_node[0].value;
  assign top_gate = gen_level[Levels].gen_node[0].gate;

  if (Rows > 1) begin : gen_many
    assign product = top;
  end else if (SignedGate) begin : gen_negated
    row_adder #(.Width(Bits + 1), .Subtract(1'b1)) u_adder (
      .high_i({Signed && top[Bits-1], top}), .high_gate_i(top_gate),
      .low_i('0), .low_gate_i(1'b0), .sum_o(product)
    );
  end else begin : gen_gated
    assign product = {Signed && top[Bits-1], top} & {Bits+1{top_gate}};
  end

  assign product_o = {{WidthA+WidthB-Bits-Rows{(Signed || SignedGate) && product_q[Bits+Rows-1]}},
                      product_q};

  logic unused;
  assign unused = ^{a_i[WidthA-1], b_i[WidthB-1], top_gate};
endmodule
