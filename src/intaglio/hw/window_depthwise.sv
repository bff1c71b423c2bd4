// SPDX-License-Identifier: Apache-2.0
//
// Depthwise convolution as a stream unit: every output sees one channel of the image alone. A
// window buffer feeds the channels of a word side by side, each to the multipliers of the outputs
// made of it; the LanesOut sums of a window leave OutLanes at a time.
//
// Slots of a frame: OutRows x OutColumns x Groups x Passes, each of the places of a window, those
// stored side by side counting once. `Passes` of LanesOut outputs are made of a word: pass by pass
// the next outputs in order, so channels are chosen by the pass. Waiting and latency are those of
// `window_mac`, with the places of a window that are multiplied at once for LanesIn.

module window_depthwise #(
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
  localparam int unsigned Places = StackRows * StackColumns;          // of a window, at once
  localparam int unsigned Outputs = LanesOut * Passes / Lanes;        // of a channel
  localparam int unsigned WindowSlots = KernelRows / StackRows * (KernelColumns / StackColumns);

  if (Outputs * Lanes != LanesOut * Passes) begin : gen_check_lanes
    $fatal(1, "window_depthwise: Lanes must divide LanesOut x Passes");
  end
  if (LanesOut / OutLanes > WindowSlots) begin : gen_check_beats
    $fatal(1, "window_depthwise: a window's beats must leave before the next window's come");
  end

  logic slot, slot_last, issue, issued_q, space;
  logic x_valid, x_first, x_last;
  logic [Places*Lanes*Width-1:0] word;
  logic [LanesOut*Places*Width-1:0] x;
  logic [LanesOut*Places*WeightWidth-1:0] weight;
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
    .OutRows(OutRows), .OutColumns(OutColumns), .Parts(Groups), .Passes(Passes),
    .KernelRows(KernelRows), .KernelColumns(KernelColumns),
    .RowDilation(RowDilation), .ColumnDilation(ColumnDilation),
    .ColumnStep(ColumnStep), .RowStep(RowStep),
    .BlockRam(BlockBuffer), .BlockStack(BlockStack)
  ) u_window (
    .clk_i, .rst_i, .in_valid_i, .in_ready_o, .in_data_i,
    .slot_o(slot), .slot_last_o(slot_last), .issue_i(issue),
    .valid_o(x_valid), .first_o(x_first), .last_o(x_last), .data_o(word)
  );

  logic [((Passes > 1) ? $clog2(Passes) : 1)-1:0] pass;
  logic unused_last;

  loop_counter #(.Count(Passes)) u_pass (
    .clk_i, .rst_i, .step_i(x_valid && x_last), .last_o(unused_last), .count_o(pass)
  );

  for (genvar o = 0; o < LanesOut; o++) begin : gen_lane
    for (genvar t = 0; t < Places; t++) begin : gen_place
      logic [Width-1:0] choice [Passes];
      for (genvar p = 0; p < Passes; p++) begin : gen_choice
        localparam int unsigned Channel = (p * LanesOut + o) / Outputs;
        assign choice[p] = word[(t*Lanes+Channel)*Width +: Width];
      end
      assign x[(o*Places+t)*Width +: Width] = choice[pass];
    end
  end

  cyclic_rom #(
    .Width(LanesOut * Places * WeightWidth), .Depth(WeightWords), .BlockRam(BlockWeights),
    .InitFile(WeightFile)
  ) u_weight (
    .clk_i, .rst_i, .step_i(issued_q), .data_o(weight)
  );

  mac_lanes #(
    .LanesIn(Places), .LanesOut(LanesOut), .Products(Products), .XWidth(Width), .XSigned(Signed),
    .WeightWidth(WeightWidth), .WeightSigned(WeightSigned),
    .BiasWidth(BiasWidth), .BiasSigned(BiasSigned),
    .BiasWords(Groups * Passes), .BlockBias(BlockBias), .BiasFile(BiasFile),
    .SumWidth(SumWidth), .OwnX(1'b1)
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
