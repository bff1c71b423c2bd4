// SPDX-License-Identifier: Apache-2.0
//
// Convolution or dense layer as a stream unit: a window buffer feeds LanesIn x LanesOut
// multiplications, slot by slot; the LanesOut sums of a window leave OutLanes at a time.
//
// Slots of a frame: OutRows x OutColumns x Parts x Passes, each of the words of a window's part,
// Parts being the groups of channels that outputs belong to. A window's last slot is issued once
// the output FIFO has room for all its beats; nothing behind that point ever waits.
// Latency from a window's last slot to its first beat: 7 + clog2(LanesIn) edges.
//
// With `PerChannel` every output sees one channel of the image alone: a part is a word, whose
// channels go each to the multipliers of the outputs made of it. A sum is then one over the places
// of a window that are stored side by side.

module window_mac #(
  // stream in
  parameter int unsigned Width = 8,
  parameter bit          Signed = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter int unsigned Groups = 1,
  parameter int unsigned Rows = 1,
  parameter int unsigned Columns = 1,
  // window
  parameter int unsigned StackColumns = 1,
  parameter int unsigned StackStride = 1,
  parameter int unsigned StackCount = 1,
  parameter int unsigned StackRows = 1,
  parameter int unsigned BufferRows = 2,
  parameter int unsigned RowWords = 1,
  parameter int unsigned OutRows = 1,
  parameter int unsigned OutColumns = 1,
  parameter int unsigned Parts = 1,
  parameter int unsigned Passes = 1,
  parameter int unsigned KernelRows = 1,
  parameter int unsigned KernelColumns = 1,
  parameter int unsigned RowDilation = 1,
  parameter int unsigned ColumnDilation = 1,
  parameter int unsigned ColumnStep = 1,
  parameter int unsigned RowStep = 1,
  parameter bit          BlockBuffer = 1'b0,
  parameter bit          BlockStack = 1'b0,
  // multiply and accumulate
  parameter bit          PerChannel = 1'b0,
  parameter int unsigned LanesOut = 1,
  parameter int unsigned Products = 0,
  parameter int unsigned WeightWidth = 8,
  parameter bit          WeightSigned = 1'b1,
  parameter int unsigned WeightWords = 1,
  parameter bit          BlockWeights = 1'b0,
  parameter              WeightFile = "",
  parameter int unsigned BiasWidth = 16,
  parameter bit          BiasSigned = 1'b1,
  parameter bit          BlockBias = 1'b0,
  parameter              BiasFile = "",
  parameter int unsigned SumWidth = 24,
  // stream out
  parameter int unsigned OutWidth = 24,
  parameter int unsigned OutLanes = 1,
  parameter int unsigned OutDepth = 16
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         in_valid_i,
  output logic                         in_ready_o,
  input  logic [Lanes*Width-1:0]       in_data_i,
  output logic                         out_valid_o,
  input  logic                         out_ready_i,
  output logic [OutLanes*OutWidth-1:0] out_data_o
);
  localparam int unsigned Places = StackRows * StackColumns;  // of a window, at once
  localparam int unsigned LanesIn = PerChannel ? Places : Places * Lanes;
  localparam int unsigned XLanes = PerChannel ? LanesOut * Places : LanesIn;
  localparam int unsigned WindowSlots =
      KernelRows / StackRows * (KernelColumns / StackColumns) * (Groups / Parts);

  if (PerChannel && Parts != Groups) begin : gen_check_parts
    $fatal(1, "window_mac: a part must be a word where outputs see a channel each");
  end
  if (LanesOut / OutLanes > WindowSlots) begin : gen_check_beats
    $fatal(1, "window_mac: a window's beats must leave before the next window's come");
  end

  logic slot, slot_last, issue, issued_q, space;
  logic x_valid, x_first, x_last;
  logic [Places*Lanes*Width-1:0] word;
  logic [XLanes*Width-1:0] x;
  logic [LanesOut*LanesIn*WeightWidth-1:0] weight;
  logic sums_valid;
  logic [LanesOut*SumWidth-1:0] sums;

  assign issue = slot && (space || !slot_last);

  always_ff @(posedge clk_i) begin
    if (rst_i) issued_q <= 1'b0;
    else issued_q <= issue;
  end

  window_buffer #(
    .Width(Width), .Lanes(Lanes), .Groups(Groups), .Rows(Rows), .Columns(Columns),
    .StackColumns(StackColumns), .StackStride(StackStride), .StackCount(StackCount),
    .StackRows(StackRows),
    .BufferRows(BufferRows), .RowWords(RowWords),
    .OutRows(OutRows), .OutColumns(OutColumns), .Parts(Parts), .Passes(Passes),
    .KernelRows(KernelRows), .KernelColumns(KernelColumns),
    .RowDilation(RowDilation), .ColumnDilation(ColumnDilation),
    .ColumnStep(ColumnStep), .RowStep(RowStep),
    .BlockRam(BlockBuffer), .BlockStack(BlockStack)
  ) u_window (
    .clk_i, .rst_i, .in_valid_i, .in_ready_o, .in_data_i,
    .slot_o(slot), .slot_last_o(slot_last), .issue_i(issue),
    .valid_o(x_valid), .first_o(x_first), .last_o(x_last), .data_o(word)
  );

  if (PerChannel) begin : gen_channels
    channel_choice #(
      .Width(Width), .Lanes(Lanes), .Places(Places), .LanesOut(LanesOut), .Passes(Passes)
    ) u_choice (
      .clk_i, .rst_i, .step_i(x_valid && x_last), .word_i(word), .x_o(x)
    );
  end else begin : gen_word
    assign x = word;
  end

  cyclic_rom #(
    .Width(LanesOut * LanesIn * WeightWidth), .Depth(WeightWords), .BlockRam(BlockWeights),
    .InitFile(WeightFile)
  ) u_weight (
    .clk_i, .rst_i, .step_i(issued_q), .data_o(weight)
  );

  mac_lanes #(
    .LanesIn(LanesIn), .LanesOut(LanesOut), .Products(Products),
    .XWidth(Width), .XSigned(Signed),
    .WeightWidth(WeightWidth), .WeightSigned(WeightSigned),
    .BiasWidth(BiasWidth), .BiasSigned(BiasSigned),
    .BiasWords(Parts * Passes), .BlockBias(BlockBias), .BiasFile(BiasFile),
    .SumWidth(SumWidth), .OwnX(PerChannel)
  ) u_mac (
    .clk_i, .rst_i, .valid_i(x_valid), .first_i(x_first), .last_i(x_last),
    .x_i(x), .weight_i(weight), .valid_o(sums_valid), .sums_o(sums)
  );

  window_results #(
    .Lanes(LanesOut), .SumWidth(SumWidth), .OutWidth(OutWidth), .OutLanes(OutLanes),
    .OutDepth(OutDepth)
  ) u_results (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue && slot_last),
    .valid_i(sums_valid), .sums_i(sums), .out_valid_o, .out_ready_i, .out_data_o
  );
endmodule
