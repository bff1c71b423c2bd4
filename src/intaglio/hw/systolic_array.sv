// SPDX-License-Identifier: Apache-2.0
//
// Rows x Columns cells with their edges. Words of both operands come together, one of each a cycle:
//
//   mode 0, weight stationary  word i of weights is held in row i; activations stream; sums of a
//                              word of activations leave together, a column each
//   mode 1, input stationary   word j of activations is held in column j; weights stream
//   mode 2, output stationary  word i of activations goes along row i, element by element; word k
//                              of weights meets the k-th elements. From `first_i` to `last_i` is
//                              one tile; its sums leave row by row, the last row first
//
// A held operand is replaced cell by cell, just in front of the first streamed word that needs the
// new one: loading costs nothing but the cycles in which there are more words to hold than to
// stream. Edges from a word to its sums: Rows + Columns + 2; from the last word of an output
// stationary tile to the sums of its last row: two more.

module systolic_array #(
  parameter int unsigned Rows = 2,
  parameter int unsigned Columns = 2,
  parameter int unsigned ActWidth = 9,    // signed
  parameter int unsigned WeightWidth = 8, // signed
  parameter int unsigned SumWidth = 24,
  parameter bit          WeightStationary = 1'b1,
  parameter bit          InputStationary = 1'b0,
  parameter bit          OutputStationary = 1'b0,
  localparam int unsigned Longer = (Rows > Columns) ? Rows : Columns,
  localparam int unsigned IndexWidth = (Longer > 1) ? $clog2(Longer) : 1
) (
  input  logic                           clk_i,
  input  logic [1:0]                     mode_i,
  input  logic                           act_valid_i,
  input  logic                           weight_valid_i,
  input  logic [IndexWidth-1:0]          index_i,  // of both words in their step
  input  logic                           first_i,
  input  logic                           last_i,
  input  logic [Rows*ActWidth-1:0]       act_i,
  input  logic [Longer*WeightWidth-1:0]  weight_i,
  output logic [Columns*SumWidth-1:0]    sum_o
);
  localparam int unsigned Wider = (ActWidth > WeightWidth) ? ActWidth : WeightWidth;
  localparam bit ActStreams = WeightStationary || OutputStationary;
  localparam int unsigned StreamWidth =
      !InputStationary ? ActWidth : ActStreams ? Wider : WeightWidth;
  localparam int unsigned HoldWidth =
      !InputStationary ? WeightWidth : ActStreams ? Wider : ActWidth;
  localparam bit OnlyInput = InputStationary && !ActStreams;

  logic is, os;
  assign is = OnlyInput || (InputStationary && mode_i == 2'd1);
  assign os = OutputStationary && mode_i == 2'd2;

  // --- the western edge ------------------------------------------------------------------------

  logic [Rows*ActWidth-1:0] act_late;
  lane_skew #(.Lanes(Rows), .Width(ActWidth)) u_act_skew (
    .clk_i, .data_i(act_i), .data_o(act_late)
  );

  logic [Rows*StreamWidth-1:0] west;
  logic [Rows*WeightWidth-1:0] weight_rows;
  if (InputStationary) begin : gen_weight_rows
    lane_skew #(.Lanes(Rows), .Width(WeightWidth)) u_skew (
      .clk_i, .data_i(weight_i[Rows*WeightWidth-1:0]), .data_o(weight_rows)
    );
  end else begin : gen_no_weight_rows
    logic unused_rows;
    assign weight_rows = '0;
    assign unused_rows = ^weight_rows;
  end

  logic [Rows*ActWidth-1:0] serial;
  if (OutputStationary) begin : gen_serial
    for (genvar i = 0; i < Rows; i++) begin : gen_row
      logic [Rows*ActWidth-1:0] word_q;
      always_ff @(posedge clk_i) begin
        if (act_valid_i && index_i == IndexWidth'(i)) word_q <= act_i;
        else word_q <= word_q >> ActWidth;
      end
      assign serial[i*ActWidth +: ActWidth] = word_q[ActWidth-1:0];
    end
  end else begin : gen_no_serial
    logic unused_serial;
    assign serial = '0;
    assign unused_serial = ^{serial, first_i, last_i};
  end

  for (genvar i = 0; i < Rows; i++) begin : gen_west
    logic signed [ActWidth-1:0] act, own;
    logic signed [WeightWidth-1:0] weight;
    assign act = act_late[i*ActWidth +: ActWidth];
    assign own = serial[i*ActWidth +: ActWidth];
    assign weight = weight_rows[i*WeightWidth +: WeightWidth];
    assign west[i*StreamWidth +: StreamWidth] =
        is ? StreamWidth'(weight) : os ? StreamWidth'(own) : StreamWidth'(act);
    logic unused_bits;
    assign unused_bits = ^{act, own, weight};
  end

  // --- the northern edge -----------------------------------------------------------------------

  logic [Columns*WeightWidth-1:0] weight_q, weight_word, north;
  always_ff @(posedge clk_i) weight_q <= weight_i[Columns*WeightWidth-1:0];
  assign weight_word = os ? weight_q : weight_i[Columns*WeightWidth-1:0];
  lane_skew #(.Lanes(Columns), .Width(WeightWidth)) u_weight_skew (
    .clk_i, .data_i(weight_word), .data_o(north)
  );
  if (Longer > Columns && !InputStationary) begin : gen_short_words
    logic unused_weights;
    assign unused_weights = ^weight_i[Longer*WeightWidth-1:Columns*WeightWidth];
  end

  // --- marks: which cells take what they see, and where output stationary tiles begin and end ----

  logic [IndexWidth:0] weight_mark [Columns];
  logic [IndexWidth:0] act_mark [Rows];
  always_comb begin
    weight_mark[0] = {weight_valid_i && !is && !os, index_i};
    act_mark[0] = {act_valid_i && is, index_i};
  end
  for (genvar j = 1; j < Columns; j++) begin : gen_weight_mark
    always_ff @(posedge clk_i) weight_mark[j] <= weight_mark[j-1];
  end
  for (genvar i = 1; i < Rows; i++) begin : gen_act_mark
    always_ff @(posedge clk_i) act_mark[i] <= act_mark[i-1];
  end

  logic [Rows-1:0] first, last;
  logic [Columns-1:0] capture;
  if (OutputStationary) begin : gen_marks
    logic first_q, last_q, captured;
    logic [2*Rows-1:0] marks;
    always_ff @(posedge clk_i) begin
      first_q <= first_i;
      last_q  <= last_i;
    end
    lane_skew #(.Lanes(Rows), .Width(2)) u_marks (
      .clk_i, .data_i({Rows{{first_q, last_q}}}), .data_o(marks)
    );
    for (genvar i = 0; i < Rows; i++) begin : gen_row
      assign {first[i], last[i]} = marks[2*i +: 2];
    end
    delay #(.Width(1), .Stages(Rows + 3)) u_captured (
      .clk_i, .data_i(last_q), .data_o(captured)
    );
    lane_skew #(.Lanes(Columns), .Width(1)) u_capture (
      .clk_i, .data_i({Columns{captured}}), .data_o(capture)
    );
  end else begin : gen_no_marks
    assign first = '0;
    assign last = '0;
    assign capture = '0;
  end

  // --- the cells -------------------------------------------------------------------------------

  logic [StreamWidth-1:0] stream [Rows][Columns+1];
  logic [HoldWidth-1:0] held [Rows+1][Columns];
  logic [SumWidth-1:0] sum [Rows+1][Columns];
  logic [1:0] mark [Rows][Columns+1];
  logic [Columns*SumWidth-1:0] south;

  for (genvar j = 0; j < Columns; j++) begin : gen_column
    logic signed [WeightWidth-1:0] weight;
    assign weight = north[j*WeightWidth +: WeightWidth];
    assign held[0][j] = HoldWidth'(weight);
    assign sum[0][j] = '0;
    assign south[j*SumWidth +: SumWidth] = sum[Rows][j];
    logic unused_weight;
    assign unused_weight = ^weight;

    for (genvar i = 0; i < Rows; i++) begin : gen_cell
      logic load;
      logic [HoldWidth-1:0] hold;

      if (InputStationary) begin : gen_either
        logic signed [ActWidth-1:0] act;
        assign act = act_late[i*ActWidth +: ActWidth];
        assign hold = is ? HoldWidth'(act) : os ? held[i][j] : HoldWidth'(weight);
      end else begin : gen_weight
        assign hold = os ? held[i][j] : HoldWidth'(weight);
      end
      assign load = os || weight_mark[j] == {1'b1, IndexWidth'(i)}
          || act_mark[i] == {1'b1, IndexWidth'(j)};

      systolic_cell #(
        .StreamWidth(StreamWidth), .HoldWidth(HoldWidth), .SumWidth(SumWidth),
        .OutputStationary(OutputStationary)
      ) u_cell (
        .clk_i, .os_i(os),
        .stream_i(stream[i][j]), .stream_o(stream[i][j+1]),
        .first_i(mark[i][j][1]), .last_i(mark[i][j][0]),
        .first_o(mark[i][j+1][1]), .last_o(mark[i][j+1][0]),
        .load_i(load), .hold_i(hold), .hold_o(held[i+1][j]),
        .capture_i(capture[j]), .sum_i(sum[i][j]), .sum_o(sum[i+1][j])
      );
    end
  end

  for (genvar i = 0; i < Rows; i++) begin : gen_row_start
    logic unused_end;
    assign stream[i][0] = west[i*StreamWidth +: StreamWidth];
    assign mark[i][0] = {first[i], last[i]};
    assign unused_end = ^{stream[i][Columns], mark[i][Columns]};
  end
  logic unused_mode;
  assign unused_mode = ^mode_i;

  lane_skew #(.Lanes(Columns), .Width(SumWidth), .Reverse(1'b1)) u_align (
    .clk_i, .data_i(south), .data_o(sum_o)
  );
endmodule
