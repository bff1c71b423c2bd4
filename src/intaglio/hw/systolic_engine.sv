// SPDX-License-Identifier: Apache-2.0
//
// An engine around one systolic array: four units that each work off a list by themselves, and wait
// for each other by counting what is done.
//
//   load   memory to activations, weights, parameters, codebook
//   fold   activations and weights through the array to sums
//   drain  sums, requantized, to activations
//   store  activations to memory
//
// There are two activation memories, each with one port to read and one to write; the lists are
// such that no two units use one port at a time. `start_i` begins a frame, `idle_o` says that all
// lists are done.

module systolic_engine #(
  parameter int unsigned Rows = 2,
  parameter int unsigned Columns = 2,
  parameter int unsigned ActWidth = 8,
  parameter int unsigned WeightWidth = 8,
  parameter int unsigned CodeWidth = 0,        // of weights kept as codes; 0: as they are
  parameter int unsigned SumWidth = 24,
  parameter bit          Remainders = 1'b0,    // scales have an addend finer than sums
  parameter bit          WeightStationary = 1'b1,
  parameter bit          InputStationary = 1'b0,
  parameter bit          OutputStationary = 1'b0,
  parameter int unsigned Lanes = 2,            // of memories, a power of two
  parameter int unsigned ActRows = 512,        // elements of a lane of an activation memory
  parameter int unsigned WeightWords = 512,
  parameter int unsigned ParameterWords = 512,
  parameter int unsigned SumRows = 512,        // of each half
  parameter int unsigned BeatWidth = 64,
  parameter int unsigned ActContainer = 8,     // bits of an element in memory, a power of two
  parameter int unsigned WeightContainer = 8,
  parameter int unsigned Loads = 1,
  parameter int unsigned Folds = 1,
  parameter int unsigned Drains = 1,
  parameter int unsigned Stores = 1,
  parameter bit          LoadsInBlocks = 1'b0,  // a list in block RAM, or in tables
  parameter bit          FoldsInBlocks = 1'b0,
  parameter bit          DrainsInBlocks = 1'b0,
  parameter bit          StoresInBlocks = 1'b0,
  parameter              LoadFile = "",
  parameter              FoldFile = "",
  parameter              DrainFile = "",
  parameter              StoreFile = ""
) (
  input  logic                   clk_i,
  input  logic                   rst_i,
  input  logic                   start_i,
  output logic                   idle_o,
  output logic [3:0]             done_o,   // pulses: load, fold, drain, store
  output logic [31:0]            araddr_o,
  output logic [7:0]             arlen_o,
  output logic                   arvalid_o,
  input  logic                   arready_i,
  input  logic [BeatWidth-1:0]   rdata_i,
  input  logic                   rlast_i,
  input  logic                   rvalid_i,
  output logic                   rready_o,
  output logic [31:0]            awaddr_o,
  output logic [7:0]             awlen_o,
  output logic                   awvalid_o,
  input  logic                   awready_i,
  output logic [BeatWidth-1:0]   wdata_o,
  output logic                   wlast_o,
  output logic                   wvalid_o,
  input  logic                   wready_i,
  input  logic                   bvalid_i,
  output logic                   bready_o
);
  localparam int unsigned Longer = (Rows > Columns) ? Rows : Columns;
  localparam int unsigned IndexWidth = (Longer > 1) ? $clog2(Longer) : 1;
  localparam int unsigned TurnWidth = (Columns > 1) ? $clog2(Columns) : 1;
  localparam int unsigned ElementBits = $clog2(Lanes * ActRows);
  localparam int unsigned WeightBits = $clog2(WeightWords);
  localparam int unsigned ParameterBits = $clog2(ParameterWords);
  localparam int unsigned SumBits = $clog2(SumRows);
  localparam int unsigned MultiplierWidth = 17;
  localparam int unsigned ParameterWidth = SumWidth + (Remainders ? 2 : 1) * MultiplierWidth;
  localparam int unsigned ParameterContainer = 64;
  localparam int unsigned KeptWidth = (CodeWidth > 0) ? CodeWidth : WeightWidth;

  // elements that a chunk of each target has: what a beat holds, or all lanes
  localparam int unsigned ActBeat = BeatWidth / ActContainer;
  localparam int unsigned WeightBeat = BeatWidth / WeightContainer;
  localparam int unsigned ParameterBeat = BeatWidth / ParameterContainer;
  localparam int unsigned BookBeat = BeatWidth / 8;
  localparam int unsigned ActChunk = (ActBeat < Lanes) ? ActBeat : Lanes;
  localparam int unsigned WeightChunk = (WeightBeat < Lanes) ? WeightBeat : Lanes;
  localparam int unsigned ParameterChunk = (ParameterBeat < Lanes) ? ParameterBeat : Lanes;
  localparam logic [19:0] ChunkBits = {
    4'($clog2(BookBeat)), 4'($clog2(ParameterBeat / ParameterChunk)),
    4'($clog2(WeightBeat / WeightChunk)), 4'($clog2(ActBeat / ActChunk)),
    4'($clog2(ActBeat / ActChunk))
  };

  // --- counts of what is done --------------------------------------------------------------------

  logic [15:0] done_q [4];
  logic [3:0] ended;
  logic start_q;
  for (genvar u = 0; u < 4; u++) begin : gen_count
    always_ff @(posedge clk_i) begin
      if (rst_i || start_i) done_q[u] <= '0;
      else if (done_o[u]) done_q[u] <= done_q[u] + 1'b1;
    end
  end
  always_ff @(posedge clk_i) start_q <= start_i && !rst_i;
  assign idle_o = &ended && !start_q;

  // --- load --------------------------------------------------------------------------------------

  logic chunk_write;
  logic [2:0] target;
  logic [23:0] chunk;
  logic [7:0] slice;
  logic [BeatWidth-1:0] beat;

  load_unit #(
    .BeatWidth(BeatWidth), .Targets(5), .ChunkBits(ChunkBits),
    .Instructions(Loads), .BlockRom(LoadsInBlocks),
    .InitFile(LoadFile)
  ) u_load (
    .clk_i, .rst_i, .start_i(start_q), .folds_i(done_q[1]), .drains_i(done_q[2]),
    .stores_i(done_q[3]), .done_o(done_o[0]), .ended_o(ended[0]),
    .write_o(chunk_write), .target_o(target), .chunk_o(chunk), .slice_o(slice), .beat_o(beat),
    .araddr_o, .arlen_o, .arvalid_o, .arready_i, .rdata_i, .rlast_i, .rvalid_i, .rready_o
  );

  // What is loaded is cut from its beat and then, an edge later, written.
  logic [4:0] loaded_q;  // to which target
  logic [23:0] chunk_q;
  always_ff @(posedge clk_i) begin
    for (int t = 0; t < 5; t++) loaded_q[t] <= chunk_write && target == 3'(t);
    chunk_q <= chunk;
  end

  // --- activation memories -----------------------------------------------------------------------

  logic fold_read, fold_memory, store_read, store_memory, drain_write, drain_memory;
  logic [ElementBits-1:0] fold_addr, store_addr, drain_addr;
  logic [Lanes-1:0] drain_mask;
  logic [Lanes*ActWidth-1:0] drain_data, loaded;
  logic [Lanes*ActWidth-1:0] read_data [2];
  logic [ActChunk*ActContainer-1:0] act_chunk_q;
  logic fold_memory_late, store_memory_late;

  always_ff @(posedge clk_i) begin
    act_chunk_q <= beat[32'(slice) % (ActBeat / ActChunk) * (ActChunk * ActContainer)
        +: ActChunk * ActContainer];
  end
  for (genvar i = 0; i < Lanes; i++) begin : gen_loaded
    assign loaded[i*ActWidth +: ActWidth] =
        act_chunk_q[(i % ActChunk) * ActContainer +: ActWidth];
  end

  for (genvar m = 0; m < 2; m++) begin : gen_memory
    logic by_fold, by_store, by_drain, by_load;
    // where lists give each memory one reader, nothing is left to choose
    assign by_fold = fold_memory == (m == 1);
    assign by_store = store_memory == (m == 1) && (!by_fold || store_read);
    assign by_drain = drain_write && drain_memory == (m == 1);
    assign by_load = loaded_q[m];

    element_memory #(.Lanes(Lanes), .Width(ActWidth), .Rows(ActRows)) u_memory (
      .clk_i, .write_i(by_drain || by_load),
      .write_addr_i(by_drain ? drain_addr : ElementBits'(chunk_q * 24'(ActChunk))),
      .mask_i(by_drain ? drain_mask : Lanes'((64'd1 << ActChunk) - 64'd1)),
      .data_i(by_drain ? drain_data : loaded),
      .read_addr_i(by_store ? store_addr : fold_addr), .data_o(read_data[m])
    );

`ifndef SYNTHESIS
    always_ff @(posedge clk_i) begin
      assert (!(by_drain && by_load)) else $error("systolic_engine: two units write a memory");
      assert (!(by_fold && fold_read && store_read && store_memory == (m == 1)))
      else $error("systolic_engine: two units read a memory");
    end
`endif
  end
  delay #(.Width(1), .Stages(4)) u_fold_memory (
    .clk_i, .data_i(fold_memory), .data_o(fold_memory_late)
  );
  delay #(.Width(1), .Stages(4)) u_store_memory (
    .clk_i, .data_i(store_memory), .data_o(store_memory_late)
  );

  // --- weights, as words that come with those of activations -------------------------------------

  logic [WeightBits-1:0] weight_addr;
  logic [WeightChunk*WeightContainer-1:0] weight_chunk_q;
  logic [WeightChunk*KeptWidth-1:0] weight_kept;
  logic [Lanes*KeptWidth-1:0] weight_word;
  logic [Lanes*WeightWidth-1:0] weight_decoded, weight;
  logic [WeightWidth-1:0] book_value_q;

  always_ff @(posedge clk_i) begin
    weight_chunk_q <= beat[32'(slice) % (WeightBeat / WeightChunk)
        * (WeightChunk * WeightContainer) +: WeightChunk * WeightContainer];
    book_value_q <= beat[32'(slice) % BookBeat * 8 +: WeightWidth];
  end
  for (genvar i = 0; i < WeightChunk; i++) begin : gen_weight
    assign weight_kept[i*KeptWidth +: KeptWidth] = weight_chunk_q[i*WeightContainer +: KeptWidth];
  end
  chunk_memory #(
    .ChunkWidth(WeightChunk * KeptWidth), .Chunks(Lanes / WeightChunk), .Words(WeightWords)
  ) u_weights (
    .clk_i, .write_i(loaded_q[2]),
    .chunk_i(chunk_q[WeightBits+$clog2(Lanes/WeightChunk)-1:0]), .data_i(weight_kept),
    .read_addr_i(weight_addr), .data_o(weight_word)
  );
  weight_decoder #(
    .Lanes(Lanes), .WeightWidth(WeightWidth), .CodeWidth(CodeWidth)
  ) u_decoder (
    .clk_i, .write_i(loaded_q[4]), .entry_i(chunk_q[7:0]), .value_i(book_value_q),
    .kept_i(weight_word), .weight_o(weight_decoded)
  );
  delay #(.Width(Lanes * WeightWidth), .Stages(2)) u_weight (
    .clk_i, .data_i(weight_decoded), .data_o(weight)
  );

  // --- parameters --------------------------------------------------------------------------------

  logic [ParameterBits-1:0] parameter_addr;
  logic [ParameterChunk*ParameterContainer-1:0] parameter_chunk_q;
  logic [ParameterChunk*ParameterWidth-1:0] parameter_kept;
  logic [Lanes*ParameterWidth-1:0] parameters;

  always_ff @(posedge clk_i) begin
    parameter_chunk_q <= beat[32'(slice) % (ParameterBeat / ParameterChunk)
        * (ParameterChunk * ParameterContainer) +: ParameterChunk * ParameterContainer];
  end
  for (genvar i = 0; i < ParameterChunk; i++) begin : gen_parameter
    assign parameter_kept[i*ParameterWidth +: ParameterWidth] =
        parameter_chunk_q[i*ParameterContainer +: ParameterWidth];
  end
  chunk_memory #(
    .ChunkWidth(ParameterChunk * ParameterWidth), .Chunks(Lanes / ParameterChunk),
    .Words(ParameterWords)
  ) u_parameters (
    .clk_i, .write_i(loaded_q[3]),
    .chunk_i(chunk_q[ParameterBits+$clog2(Lanes/ParameterChunk)-1:0]), .data_i(parameter_kept),
    .read_addr_i(parameter_addr), .data_o(parameters)
  );

  // --- fold: the array and its sums --------------------------------------------------------------

  logic [1:0] mode;
  logic act_valid, weight_valid, first, last;
  logic [IndexWidth-1:0] index;
  logic [Rows*(ActWidth+1)-1:0] act;
  logic [Columns*SumWidth-1:0] sums;
  logic sum_valid, sum_half, sum_replace, sum_maximum;
  logic [SumBits-1:0] sum_row;
  logic [TurnWidth-1:0] sum_turn;

  fold_unit #(
    .Rows(Rows), .Columns(Columns), .ActWidth(ActWidth), .Lanes(Lanes),
    .ElementBits(ElementBits), .WeightBits(WeightBits), .SumBits(SumBits),
    .OutputStationary(OutputStationary), .Instructions(Folds), .BlockRom(FoldsInBlocks),
    .InitFile(FoldFile)
  ) u_fold (
    .clk_i, .rst_i, .start_i(start_q), .loads_i(done_q[0]), .drains_i(done_q[2]),
    .done_o(done_o[1]), .ended_o(ended[1]),
    .read_o(fold_read), .memory_o(fold_memory), .act_addr_o(fold_addr),
    .act_data_i(read_data[fold_memory_late]), .weight_addr_o(weight_addr),
    .mode_o(mode), .act_valid_o(act_valid), .weight_valid_o(weight_valid), .index_o(index),
    .first_o(first), .last_o(last), .act_o(act),
    .sum_valid_o(sum_valid), .sum_half_o(sum_half), .sum_replace_o(sum_replace),
    .sum_maximum_o(sum_maximum), .sum_row_o(sum_row), .sum_turn_o(sum_turn)
  );

  systolic_array #(
    .Rows(Rows), .Columns(Columns), .ActWidth(ActWidth + 1), .WeightWidth(WeightWidth),
    .SumWidth(SumWidth), .WeightStationary(WeightStationary), .InputStationary(InputStationary),
    .OutputStationary(OutputStationary)
  ) u_array (
    .clk_i, .mode_i(mode), .act_valid_i(act_valid), .weight_valid_i(weight_valid),
    .index_i(index), .first_i(first), .last_i(last),
    .act_i(act), .weight_i(weight[Longer*WeightWidth-1:0]), .sum_o(sums)
  );
  if (Lanes > Longer) begin : gen_spare_weights
    logic unused_weights;
    assign unused_weights = ^weight[Lanes*WeightWidth-1:Longer*WeightWidth];
  end

  logic drain_half, drain_turned, back;
  logic [SumBits-1:0] drain_row, back_row;
  logic [TurnWidth-1:0] drain_turn;
  logic [Columns*SumWidth-1:0] drain_sums, back_data;

  accumulators #(
    .Lanes(Columns), .Width(SumWidth), .Rows(SumRows), .Turned(InputStationary)
  ) u_sums (
    .clk_i, .valid_i(sum_valid), .half_i(sum_half), .replace_i(sum_replace),
    .maximum_i(sum_maximum), .row_i(sum_row), .turn_i(sum_turn), .sum_i(sums),
    .drain_half_i(drain_half), .drain_turned_i(drain_turned), .drain_row_i(drain_row),
    .drain_turn_i(drain_turn), .drain_o(drain_sums),
    .back_i(back), .back_row_i(back_row), .back_data_i(back_data)
  );

  // --- drain and store ---------------------------------------------------------------------------

  drain_unit #(
    .Lanes(Columns), .SumWidth(SumWidth), .SumBits(SumBits), .MultiplierWidth(MultiplierWidth),
    .Remainders(Remainders), .ParameterBits(ParameterBits), .ParameterLanes(Lanes),
    .ActWidth(ActWidth),
    .MemoryLanes(Lanes), .ElementBits(ElementBits), .Turned(InputStationary),
    .Instructions(Drains), .BlockRom(DrainsInBlocks),
    .InitFile(DrainFile)
  ) u_drain (
    .clk_i, .rst_i, .start_i(start_q), .loads_i(done_q[0]), .folds_i(done_q[1]),
    .stores_i(done_q[3]), .done_o(done_o[2]), .ended_o(ended[2]),
    .half_o(drain_half), .turned_o(drain_turned), .row_o(drain_row), .turn_o(drain_turn),
    .sum_i(drain_sums), .back_o(back), .back_row_o(back_row), .back_data_o(back_data),
    .parameter_addr_o(parameter_addr), .parameter_i(parameters),
    .write_o(drain_write), .memory_o(drain_memory), .write_addr_o(drain_addr),
    .mask_o(drain_mask), .data_o(drain_data)
  );

  store_unit #(
    .BeatWidth(BeatWidth), .ActWidth(ActWidth), .Container(ActContainer), .MemoryLanes(Lanes),
    .ElementBits(ElementBits), .Instructions(Stores), .BlockRom(StoresInBlocks),
    .InitFile(StoreFile)
  ) u_store (
    .clk_i, .rst_i, .start_i(start_q), .drains_i(done_q[2]),
    .done_o(done_o[3]), .ended_o(ended[3]),
    .read_o(store_read), .memory_o(store_memory), .addr_o(store_addr),
    .data_i(read_data[store_memory_late]),
    .awaddr_o, .awlen_o, .awvalid_o, .awready_i, .wdata_o, .wlast_o, .wvalid_o, .wready_i,
    .bvalid_i, .bready_o
  );

  logic unused_bits;
  assign unused_bits = ^{chunk_q, act_chunk_q, weight_chunk_q, parameter_chunk_q, book_value_q};
endmodule
