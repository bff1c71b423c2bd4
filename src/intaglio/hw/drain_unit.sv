// SPDX-License-Identifier: Apache-2.0
//
// Works off a list of drains: takes sums of a tile, one row a cycle, requantizes them, and writes
// them where the layer's output lies. A drain that `joins` takes two rows for each result, scales
// each in its own way, adds them, and puts the sum back among the sums.
//
// A drain begins when enough loads, folds and stores are done, and ends when all it wrote can be
// read: `LatencyDone` cycles after its last row.

module drain_unit #(
  parameter int unsigned Lanes = 2,           // sums a row
  parameter int unsigned SumWidth = 24,
  parameter int unsigned SumBits = 9,         // address of a row
  parameter int unsigned MultiplierWidth = 17,
  parameter bit          Remainders = 1'b0,   // of a scale's addend, above the multiplier
  parameter int unsigned ParameterBits = 9,   // address of a word of parameters
  parameter int unsigned ParameterLanes = 2,
  parameter int unsigned ActWidth = 8,
  parameter int unsigned MemoryLanes = 2,
  parameter int unsigned ElementBits = 12,
  parameter bit          Turned = 1'b0,
  parameter int unsigned Instructions = 1,
  parameter bit          BlockRom = 1'b0,  // of the list
  parameter              InitFile = "",
  localparam int unsigned TurnWidth = (Lanes > 1) ? $clog2(Lanes) : 1,
  localparam int unsigned ParameterWidth = SumWidth + (Remainders ? 2 : 1) * MultiplierWidth
) (
  input  logic                                     clk_i,
  input  logic                                     rst_i,
  input  logic                                     start_i,
  input  logic [15:0]                              loads_i,
  input  logic [15:0]                              folds_i,
  input  logic [15:0]                              stores_i,
  output logic                                     done_o,
  output logic                                     ended_o,
  // sums, 3 edges after the row
  output logic                                     half_o,
  output logic                                     turned_o,
  output logic [SumBits-1:0]                       row_o,
  output logic [TurnWidth-1:0]                     turn_o,
  input  logic [Lanes*SumWidth-1:0]                sum_i,
  output logic                                     back_o,
  output logic [SumBits-1:0]                       back_row_o,
  output logic [Lanes*SumWidth-1:0]                back_data_o,
  // parameters, 2 edges after the address: multiplier above bias, lane by lane
  output logic [ParameterBits-1:0]                 parameter_addr_o,
  input  logic [ParameterLanes*ParameterWidth-1:0] parameter_i,
  // what is written
  output logic                                     write_o,
  output logic                                     memory_o,
  output logic [ElementBits-1:0]                   write_addr_o,
  output logic [MemoryLanes-1:0]                   mask_o,
  output logic [MemoryLanes*ActWidth-1:0]          data_o
);
  localparam int unsigned ValueWidth = 20;
  localparam int unsigned Latency = 14;      // from a row to what is written of it
  localparam int unsigned LatencyDone = 16;

  typedef struct packed {
    logic [5:0]                   shift;
    logic signed [ValueWidth-1:0] zero_point;
    logic signed [ValueWidth-1:0] low;
    logic signed [ValueWidth-1:0] high;
  } scale_t;

  typedef struct packed {
    logic               memory;      // which activation memory
    logic               half;
    logic               turned;      // the sums of an input stationary fold
    logic               joins;
    logic [15:0]        wait_loads;
    logic [15:0]        wait_folds;
    logic [15:0]        wait_stores;
    logic [23:0]        sum;         // row of the first pixel
    logic [23:0]        sum_step;    // turned: from `Lanes` pixels to the next
    logic [23:0]        sum_other;   // joins: from a row to the one it is added to
    logic [23:0]        sum_back;    // joins: row of the first result
    logic [15:0]        blocks;      // of `Lanes` channels
    logic [15:0]        channels;
    logic [15:0]        p_count;
    logic [15:0]        q_count;
    logic [23:0]        base;        // element of the first result, and its steps
    logic [23:0]        step_p;
    logic [23:0]        step_q;
    logic [23:0]        parameter_word;
    logic [5:0]         plane;       // first bit that is written of a value: a multiple of ActWidth
    scale_t             other;       // for rows that are added
    scale_t             scale;
  } drain_t;

  typedef logic [23:0] offset_t;

  // --- the list --------------------------------------------------------------------------------

  typedef enum logic [2:0] {Idle, Fetch, Check, Run, Flush} state_e;
  state_e state_q;
  drain_t drain_q;
  logic [4:0] flush_q;
  logic ready, at_end, run_end;

  assign ready = loads_i >= drain_q.wait_loads && folds_i >= drain_q.wait_folds
      && stores_i >= drain_q.wait_stores;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= Idle;
      flush_q <= '0;
    end else begin
      unique case (state_q)
        Idle: if (start_i) state_q <= Fetch;
        Fetch: state_q <= at_end ? Idle : Check;
        Check: if (ready) state_q <= Run;
        Run: if (run_end) begin
          state_q <= Flush;
          flush_q <= 5'(LatencyDone - 1);
        end
        default: begin
          flush_q <= flush_q - 1'b1;
          if (flush_q == '0) state_q <= Fetch;
        end
      endcase
    end
  end
  assign done_o = state_q == Flush && flush_q == '0;
  assign ended_o = state_q == Idle;
  instruction_list #(
    .Width($bits(drain_t)), .Count(Instructions), .BlockRom(BlockRom), .InitFile(InitFile)
  ) u_list (
    .clk_i, .restart_i(state_q == Idle), .fetch_i(state_q == Fetch),
    .take_i(state_q == Check && ready), .word_o(drain_q), .ended_o(at_end)
  );

  // --- loops: blocks of channels, pixels, and the two rows of a sum ------------------------------

  // what is left of each loop, this turn included, and whether it is the last
  typedef struct packed {
    logic [15:0] left;
    logic        last;
  } loop_t;
  function automatic loop_t whole(input logic [15:0] count);
    return '{left: count, last: count == 16'd1};
  endfunction
  function automatic loop_t one_less(input logic [15:0] left);
    return '{left: left - 1'b1, last: left == 16'd2};
  endfunction

  loop_t blocks_q, rows_q, pixels_q;
  logic [15:0] channels_q;
  logic other_q;
  offset_t block_sum_q, sum_q, addr_q, row_addr_q, block_addr_q, back_q, parameter_word_q;
  logic [TurnWidth-1:0] turn_q;
  logic running, pixel_end;

  assign running = state_q == Run;
  assign pixel_end = !drain_q.joins || other_q;
  assign run_end = pixel_end && pixels_q.last && rows_q.last && blocks_q.last;

  always_ff @(posedge clk_i) begin
    if (state_q == Check) begin
      blocks_q     <= whole(drain_q.blocks);
      rows_q       <= whole(drain_q.p_count);
      pixels_q     <= whole(drain_q.q_count);
      parameter_word_q <= drain_q.parameter_word;
      other_q      <= 1'b0;
      channels_q   <= drain_q.channels;
      block_sum_q  <= drain_q.sum;
      sum_q        <= drain_q.sum;
      back_q       <= drain_q.sum_back;
      block_addr_q <= drain_q.base;
      row_addr_q   <= drain_q.base;
      addr_q       <= drain_q.base;
      turn_q       <= '0;
    end else if (running) begin
      other_q <= drain_q.joins && !other_q;
      if (pixel_end) begin
        back_q <= back_q + 1'b1;
        pixels_q <= pixels_q.last ? whole(drain_q.q_count) : one_less(pixels_q.left);
        addr_q <= addr_q + drain_q.step_q;
        if (drain_q.turned) begin
          turn_q <= (turn_q == TurnWidth'(Lanes - 1)) ? '0 : turn_q + 1'b1;
          if (turn_q == TurnWidth'(Lanes - 1)) sum_q <= sum_q + drain_q.sum_step;
        end else begin
          sum_q <= sum_q + 1'b1;
        end
        if (pixels_q.last) begin
          rows_q     <= rows_q.last ? whole(drain_q.p_count) : one_less(rows_q.left);
          row_addr_q <= row_addr_q + drain_q.step_p;
          addr_q     <= row_addr_q + drain_q.step_p;
          if (rows_q.last) begin
            blocks_q     <= one_less(blocks_q.left);
            parameter_word_q <= parameter_word_q + offset_t'(!drain_q.joins);
            channels_q   <= channels_q - 16'(Lanes);
            block_addr_q <= block_addr_q + offset_t'(Lanes);
            row_addr_q   <= block_addr_q + offset_t'(Lanes);
            addr_q       <= block_addr_q + offset_t'(Lanes);
            block_sum_q  <= block_sum_q + offset_t'(Lanes);
            sum_q        <= block_sum_q + offset_t'(Lanes);
            turn_q       <= '0;
          end
        end
      end
    end
  end

  // --- 1 edge: the row ---------------------------------------------------------------------------

  offset_t row, parameter_word;
  assign row = other_q ? sum_q + drain_q.sum_other : sum_q;
  assign parameter_word = parameter_word_q + offset_t'(other_q);
  always_ff @(posedge clk_i) begin
    row_o            <= row[SumBits-1:0];
    turn_o           <= turn_q;
    parameter_addr_o <= parameter_word[ParameterBits-1:0];
  end
  assign half_o = drain_q.half;
  assign turned_o = Turned && drain_q.turned;

  // --- 4 to 13 edges: requantize -----------------------------------------------------------------

  logic [ParameterLanes*ParameterWidth-1:0] parameter_q;
  logic other_qqqq;
  scale_t scale;
  always_ff @(posedge clk_i) parameter_q <= parameter_i;
  delay #(.Width(1), .Stages(4)) u_other (
    .clk_i, .data_i(other_q), .data_o(other_qqqq)
  );
  assign scale = other_qqqq ? drain_q.other : drain_q.scale;

  logic [Lanes*ValueWidth-1:0] value, value_q;
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic signed [ValueWidth-1:0] added, earlier;
    logic signed [SumWidth-1:0] joined_q;
    logic [MultiplierWidth-1:0] remainder;

    if (Remainders) begin : gen_remainder
      assign remainder =
          parameter_q[i*ParameterWidth+SumWidth+MultiplierWidth +: MultiplierWidth];
    end else begin : gen_no_remainder
      assign remainder = '0;
    end

    scale_lane #(
      .Width(SumWidth), .MultiplierWidth(MultiplierWidth), .ValueWidth(ValueWidth)
    ) u_scale (
      .clk_i, .x_i(sum_i[i*SumWidth +: SumWidth]),
      .bias_i(parameter_q[i*ParameterWidth +: SumWidth]),
      .multiplier_i(parameter_q[i*ParameterWidth+SumWidth +: MultiplierWidth]),
      .remainder_i(remainder), .shift_i(scale.shift), .zero_point_i(scale.zero_point),
      .low_i(scale.low), .high_i(scale.high),
      .y_o(value[i*ValueWidth +: ValueWidth])
    );
    assign added = value[i*ValueWidth +: ValueWidth];
    assign earlier = value_q[i*ValueWidth +: ValueWidth];
    always_ff @(posedge clk_i) joined_q <= SumWidth'(added) + SumWidth'(earlier);
    assign back_data_o[i*SumWidth +: SumWidth] = joined_q;
  end
  always_ff @(posedge clk_i) value_q <= value;
  if (ParameterLanes > Lanes) begin : gen_spare_parameters
    logic unused_parameters;
    assign unused_parameters = ^parameter_q[ParameterLanes*ParameterWidth-1:Lanes*ParameterWidth];
  end

  // --- 14 edges: what is written or put back -----------------------------------------------------

  logic wrote, back;
  logic [SumBits-1:0] back_row;
  logic [15:0] channels;
  offset_t addr;
  delay #(.Width(1 + 24), .Stages(Latency)) u_write (
    .clk_i, .data_i({running && !drain_q.joins, addr_q}), .data_o({wrote, addr})
  );
  delay #(.Width(16), .Stages(Latency - 1)) u_channels (
    .clk_i, .data_i(channels_q), .data_o(channels)
  );
  localparam int unsigned Planes = (ValueWidth + ActWidth - 1) / ActWidth;
  logic [Planes-1:0] plane_q;
  always_ff @(posedge clk_i) begin
    for (int p = 0; p < int'(Planes); p++) plane_q[p] <= drain_q.plane == 6'(p * ActWidth);
  end
  delay #(.Width(1 + SumBits), .Stages(Latency)) u_back (
    .clk_i, .data_i({running && drain_q.joins && other_q, back_q[SumBits-1:0]}),
    .data_o({back, back_row})
  );
  assign back_o = back;
  assign back_row_o = back_row;
  assign write_o = wrote;
  assign memory_o = drain_q.memory;
  assign write_addr_o = addr[ElementBits-1:0];
  for (genvar i = 0; i < MemoryLanes; i++) begin : gen_result
    if (i < Lanes) begin : gen_some
      logic mask_q;
      logic [ActWidth-1:0] data_q;
      always_ff @(posedge clk_i) begin
        mask_q <= 16'(i) < channels;
        data_q <= value[i*ValueWidth +: ActWidth];
        for (int p = 1; p < int'(Planes); p++) begin
          if (plane_q[p]) data_q <= ActWidth'(value[i*ValueWidth +: ValueWidth] >> p * ActWidth);
        end
      end
      assign mask_o[i] = mask_q;
      assign data_o[i*ActWidth +: ActWidth] = data_q;
    end else begin : gen_none
      assign mask_o[i] = 1'b0;
      assign data_o[i*ActWidth +: ActWidth] = '0;
    end
  end

  logic unused_bits;
  assign unused_bits = ^{row, addr, back_q, parameter_word};
endmodule
