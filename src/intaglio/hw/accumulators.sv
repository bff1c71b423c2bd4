// SPDX-License-Identifier: Apache-2.0
//
// Two memories of sums, `Lanes` sums a row: while the sums of one tile are gathered in one half,
// the other's are drained.
//
// Gathering: `sum_i` belongs to the row named one cycle before it; it replaces what is there, is
// added to it, or the larger of both stays. The same row may come again 4 cycles later. With
// `Turned` lane i is kept in bank i + turn, modulo `Lanes`: so the sums of one lane of many rows
// can be drained together, as one word.
//
// Draining: the sums of a row are in `drain_o` 3 edges after it. A turned word takes, from bank b,
// row `drain_row_i` + (b - turn) modulo `Lanes`. Sums can be put back, never turned, into the half
// that is drained.

module accumulators #(
  parameter int unsigned Lanes = 2,
  parameter int unsigned Width = 24,
  parameter int unsigned Rows = 512,  // of a half
  parameter bit          Turned = 1'b0,
  localparam int unsigned AddrWidth = (Rows > 1) ? $clog2(Rows) : 1,
  localparam int unsigned TurnWidth = (Lanes > 1) ? $clog2(Lanes) : 1
) (
  input  logic                   clk_i,
  // gathering
  input  logic                   valid_i,
  input  logic                   half_i,
  input  logic                   replace_i,
  input  logic                   maximum_i,
  input  logic [AddrWidth-1:0]   row_i,
  input  logic [TurnWidth-1:0]   turn_i,
  input  logic [Lanes*Width-1:0] sum_i,
  // draining
  input  logic                   drain_half_i,
  input  logic                   drain_turned_i,
  input  logic [AddrWidth-1:0]   drain_row_i,
  input  logic [TurnWidth-1:0]   drain_turn_i,
  output logic [Lanes*Width-1:0] drain_o,
  input  logic                   back_i,
  input  logic [AddrWidth-1:0]   back_row_i,
  input  logic [Lanes*Width-1:0] back_data_i
);
  typedef logic [Lanes*Width-1:0] word_t;

  // --- gathering -------------------------------------------------------------------------------

  logic [TurnWidth-1:0] turn_q;
  word_t turned, sum_q, gathered_q;
  logic valid_qq, half_qq, replace_qq, maximum_qq, valid_qqq, half_qqq;
  logic [AddrWidth-1:0] row_qqq;

  always_ff @(posedge clk_i) turn_q <= turn_i;
  if (Turned) begin : gen_turn
    lane_rotator #(.Lanes(Lanes), .Width(Width)) u_turn (
      .amount_i(turn_q), .data_i(sum_i), .data_o(turned)
    );
  end else begin : gen_no_turn
    logic unused_turn;
    assign unused_turn = ^{turn_q, drain_turned_i, drain_turn_i};
    assign turned = sum_i;
  end
  always_ff @(posedge clk_i) sum_q <= turned;

  delay #(.Width(4), .Stages(2)) u_how (
    .clk_i, .data_i({valid_i, half_i, replace_i, maximum_i}),
    .data_o({valid_qq, half_qq, replace_qq, maximum_qq})
  );
  delay #(.Width(2), .Stages(1)) u_write (
    .clk_i, .data_i({valid_qq, half_qq}), .data_o({valid_qqq, half_qqq})
  );
  delay #(.Width(AddrWidth), .Stages(3)) u_row (
    .clk_i, .data_i(row_i), .data_o(row_qqq)
  );

  // --- the banks -------------------------------------------------------------------------------

  word_t kept [2];
  logic drain_half_qq;
  delay #(.Width(1), .Stages(2)) u_half (
    .clk_i, .data_i(drain_half_i), .data_o(drain_half_qq)
  );

  for (genvar b = 0; b < Lanes; b++) begin : gen_bank
    logic [AddrWidth-1:0] drain_row;
    if (Turned) begin : gen_turned_row
      logic [TurnWidth-1:0] behind;
      if ((Lanes & (Lanes - 1)) == 0) begin : gen_wraps
        assign behind = TurnWidth'(b) - drain_turn_i;
      end else begin : gen_around
        assign behind = (TurnWidth'(b) >= drain_turn_i) ? TurnWidth'(b) - drain_turn_i
            : TurnWidth'(b) - drain_turn_i + TurnWidth'(Lanes);
      end
      assign drain_row = drain_turned_i ? drain_row_i + AddrWidth'(behind) : drain_row_i;
    end else begin : gen_plain_row
      assign drain_row = drain_row_i;
    end

    for (genvar h = 0; h < 2; h++) begin : gen_half
      logic gather;
      logic [Width-1:0] data;
      // whoever works on this half; the other is silent there
      assign gather = valid_qqq && half_qqq == (h == 1);
      assign data = gather ? gathered_q[b*Width +: Width] : back_data_i[b*Width +: Width];
      sliced_ram #(.Width(Width), .Depth(Rows), .BlockRam(1'b1)) u_ram (
        .clk_i,
        .write_i(gather || (back_i && drain_half_i == (h == 1))),
        .write_addr_i(gather ? row_qqq : back_row_i), .data_i(data),
        .read_addr_i((valid_i && half_i == (h == 1)) ? row_i : drain_row),
        .data_o(kept[h][b*Width +: Width])
      );
    end

    logic signed [Width-1:0] fresh, old, total;
    assign fresh = sum_q[b*Width +: Width];
    assign old = kept[half_qq][b*Width +: Width];
    always_comb begin
      if (replace_qq) total = fresh;
      else if (maximum_qq) total = (fresh > old) ? fresh : old;
      else total = old + fresh;
    end
    always_ff @(posedge clk_i) gathered_q[b*Width +: Width] <= total;
  end

  // --- draining --------------------------------------------------------------------------------

  word_t drained, ordered;
  assign drained = kept[drain_half_qq];
  if (Turned) begin : gen_order
    logic turned_qq;
    logic [TurnWidth-1:0] drain_turn_qq;
    word_t unturned;
    delay #(.Width(TurnWidth + 1), .Stages(2)) u_drain_turn (
      .clk_i, .data_i({drain_turned_i, drain_turn_i}), .data_o({turned_qq, drain_turn_qq})
    );
    lane_rotator #(.Lanes(Lanes), .Width(Width), .Down(1'b1)) u_order (
      .amount_i(drain_turn_qq), .data_i(drained), .data_o(unturned)
    );
    assign ordered = turned_qq ? unturned : drained;
  end else begin : gen_no_order
    assign ordered = drained;
  end
  always_ff @(posedge clk_i) drain_o <= ordered;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    assert (!(valid_qqq && back_i && half_qqq == drain_half_i))
    else $error("accumulators: both sides write one half");
  end
`endif
endmodule
