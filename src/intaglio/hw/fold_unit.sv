// SPDX-License-Identifier: Apache-2.0
//
// Works off a list of folds: walks through the pixels and the taps of a layer, reads the words of
// activations and weights that belong together, and says what becomes of their sums.
//
// A fold is a nest of loops: tiles of pixels, then kernel rows, kernel columns and words of a run
// of neighboring elements (a step each), then pixels of the tile and words of weights, one of each
// a cycle. Every step takes `period` cycles. Which operand stands still is only a matter of how
// many pixels a tile has, how many words of weights a step has, and the array's mode.
//
// Every step has at least 4 cycles, so that what is decided at its end is known before. A fold
// begins when enough loads, folds and drains are done: two cycles after the fold before it at best.
// Words leave 6 edges after their cycle. `done_o` comes when all sums are kept.

module fold_unit #(
  parameter int unsigned Rows = 2,
  parameter int unsigned Columns = 2,
  parameter int unsigned ActWidth = 8,     // as stored
  parameter int unsigned Lanes = 2,        // of activation and weight memories
  parameter int unsigned ElementBits = 12, // address of an element
  parameter int unsigned WeightBits = 9,   // address of a word of weights
  parameter int unsigned SumBits = 9,      // address of a row of sums
  parameter bit          OutputStationary = 1'b0,
  parameter int unsigned Instructions = 1,
  parameter bit          BlockRom = 1'b0,  // of the list
  parameter              InitFile = "",
  localparam int unsigned Longer = (Rows > Columns) ? Rows : Columns,
  localparam int unsigned IndexWidth = (Longer > 1) ? $clog2(Longer) : 1,
  localparam int unsigned TurnWidth = (Columns > 1) ? $clog2(Columns) : 1
) (
  input  logic                           clk_i,
  input  logic                           rst_i,
  input  logic                           start_i,
  input  logic [15:0]                    loads_i,   // done so far
  input  logic [15:0]                    drains_i,
  output logic                           done_o,    // one fold more is done
  output logic                           ended_o,   // the whole list
  // memories
  output logic                           read_o,
  output logic                           memory_o,
  output logic [ElementBits-1:0]         act_addr_o,
  input  logic [Lanes*ActWidth-1:0]      act_data_i,    // 4 edges later
  output logic [WeightBits-1:0]          weight_addr_o, // the word is wanted 5 edges later
  // the array
  output logic [1:0]                     mode_o,
  output logic                           act_valid_o,
  output logic                           weight_valid_o,
  output logic [IndexWidth-1:0]          index_o,
  output logic                           first_o,
  output logic                           last_o,
  output logic [Rows*(ActWidth+1)-1:0]   act_o,
  // sums, one cycle before they leave the array
  output logic                           sum_valid_o,
  output logic                           sum_half_o,
  output logic                           sum_replace_o,
  output logic                           sum_maximum_o,
  output logic [SumBits-1:0]             sum_row_o,
  output logic [TurnWidth-1:0]           sum_turn_o
);
  localparam int unsigned SumDelay = Rows + Columns + 7;
  localparam int unsigned DoneDelay = (OutputStationary ? 2 * Rows : Rows) + Columns + 12;

  typedef struct packed {
    logic [1:0]         mode;         // as systolic_array has it
    logic               memory;       // which activation memory
    logic               is_signed;    // the activations
    logic               maximum;      // keep the larger instead of adding
    logic               accumulate;   // go on with what is there
    logic               each_step;    // output stationary: a step is a tile's sum by itself
    logic               half;
    logic [15:0]        wait_loads;
    logic [15:0]        wait_folds;
    logic [15:0]        wait_drains;
    logic [23:0]        base;         // element of the first pixel's first tap
    logic [23:0]        step_p;       // from a pixel to the one below it, and so on
    logic [23:0]        step_q;
    logic [23:0]        step_r;
    logic [23:0]        step_s;
    logic [23:0]        step_u;
    logic signed [23:0] y;            // row of the first tap in the image, and its steps
    logic signed [23:0] y_p;
    logic signed [23:0] y_r;
    logic signed [23:0] height;
    logic signed [23:0] x;            // element in the row, steps as above
    logic signed [23:0] width;
    logic [23:0]        run;          // elements of a run
    logic [15:0]        r_count;
    logic [15:0]        s_count;
    logic [15:0]        u_count;
    logic [15:0]        q_count;
    logic [15:0]        pixels;
    logic [15:0]        tile_pixels;
    logic [23:0]        weight;       // word of the first step
    logic [23:0]        weight_step;
    logic [15:0]        weights;      // words of a step
    logic [15:0]        period;
    logic [23:0]        sum;          // row of the first tile
    logic [23:0]        sum_step;
    logic [ActWidth-1:0] pad;
  } fold_t;

  typedef logic [23:0] offset_t;
  typedef logic signed [23:0] place_t;

  // --- the list --------------------------------------------------------------------------------

  typedef enum logic [1:0] {Idle, Fetch, Check, Run} state_e;
  state_e state_q;
  fold_t fold_q;
  logic [15:0] folds_q;
  logic ready, working, fold_end, at_end;

  assign working = state_q == Run;
  assign ready = loads_i >= fold_q.wait_loads && drains_i >= fold_q.wait_drains
      && folds_q >= fold_q.wait_folds;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= Idle;
      folds_q <= '0;
    end else begin
      if (done_o) folds_q <= folds_q + 1'b1;
      unique case (state_q)
        Idle: if (start_i) begin
          state_q <= Fetch;
              folds_q <= '0;
        end
        Fetch: state_q <= at_end ? Idle : Check;
        Check: if (ready) state_q <= Run;
        Run: if (fold_end) state_q <= Fetch;
      endcase
    end
  end
  instruction_list #(
    .Width($bits(fold_t)), .Count(Instructions), .BlockRom(BlockRom), .InitFile(InitFile)
  ) u_list (
    .clk_i, .restart_i(state_q == Idle), .fetch_i(state_q == Fetch),
    .take_i(state_q == Check && ready), .word_o(fold_q), .ended_o(at_end)
  );

  delay #(.Width(1), .Stages(DoneDelay)) u_done (
    .clk_i, .data_i(working && fold_end && !rst_i), .data_o(done_o)
  );

  // --- loops -----------------------------------------------------------------------------------

  logic [15:0] count_q, r_q, s_q, u_q, left_q, tile_left_q;
  offset_t base_r_q, base_s_q, base_u_q;   // offsets of the tap
  place_t y_r_q, x_s_q, x_u_q;
  offset_t run_q;                          // elements of the run from this word on
  typedef struct packed {
    offset_t addr, row_addr;
    place_t  y, x;
    logic [15:0] q;     // pixels of the row from this one on
    logic        last;  // it is the last one
  } pixel_t;
  pixel_t pixel_q, tile_q, pixel_first, pixel_next;
  offset_t weight_q, weight_base_q, sum_base_q;
  logic [TurnWidth-1:0] turn_q;
  // what the loops are at: step, and in it count, pixel and word of weights
  logic first_step_q, last_step_q, last_u_q, last_s_q, last_r_q, step_end_q;
  logic some_act_q, some_weight_q, act, weight;
  logic [15:0] count_next, left_next;

  assign count_next = count_q + 1'b1;
  assign act = working && some_act_q;
  assign weight = working && some_weight_q;
  assign left_next = left_q - 16'(some_act_q);
  assign fold_end = step_end_q && last_step_q && left_q[15:1] == '0 && left_q[0] == some_act_q;

  assign pixel_first = '{
    addr: fold_q.base, row_addr: fold_q.base, y: fold_q.y, x: fold_q.x,
    q: fold_q.q_count, last: fold_q.q_count == 16'd1
  };
  always_comb begin
    pixel_next = pixel_q;
    if (act) begin
      if (pixel_q.last) begin
        pixel_next.q        = fold_q.q_count;
        pixel_next.last     = fold_q.q_count == 16'd1;
        pixel_next.row_addr = pixel_q.row_addr + fold_q.step_p;
        pixel_next.addr     = pixel_q.row_addr + fold_q.step_p;
        pixel_next.y        = pixel_q.y + fold_q.y_p;
        pixel_next.x        = fold_q.x;
      end else begin
        pixel_next.q    = pixel_q.q - 1'b1;
        pixel_next.last = pixel_q.q == 16'd2;
        pixel_next.addr = pixel_q.addr + fold_q.step_q;
        pixel_next.x    = pixel_q.x + place_t'(fold_q.step_q);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    last_u_q    <= u_q + 1'b1 == fold_q.u_count;
    last_s_q    <= s_q + 1'b1 == fold_q.s_count;
    last_r_q    <= r_q + 1'b1 == fold_q.r_count;
    last_step_q <= last_u_q && last_s_q && last_r_q;
    if (state_q == Check) begin
      first_step_q  <= 1'b1;
      step_end_q    <= 1'b0;
      some_act_q    <= 1'b1;
      some_weight_q <= 1'b1;
      count_q     <= '0;
      {r_q, s_q, u_q} <= '0;
      {base_r_q, base_s_q, base_u_q} <= '0;
      y_r_q       <= '0;
      {x_s_q, x_u_q} <= '0;
      run_q       <= fold_q.run;
      left_q      <= fold_q.pixels;
      tile_left_q <= fold_q.pixels;
      pixel_q     <= pixel_first;
      tile_q      <= pixel_first;
      weight_q    <= fold_q.weight;
      weight_base_q <= fold_q.weight;
      sum_base_q  <= fold_q.sum;
      turn_q      <= '0;
    end else if (state_q == Run) begin
      step_end_q    <= !step_end_q && count_q + 16'd2 == fold_q.period;
      some_act_q    <= step_end_q
          || (some_act_q && count_next != fold_q.tile_pixels && left_q != 16'd1);
      some_weight_q <= step_end_q || (some_weight_q && count_next != fold_q.weights);
      count_q  <= step_end_q ? '0 : count_next;
      weight_q <= weight_q + 1'b1;
      turn_q   <= (step_end_q || turn_q == TurnWidth'(Columns - 1)) ? '0 : turn_q + 1'b1;
      pixel_q  <= pixel_next;
      left_q   <= left_next;
      if (step_end_q) begin
        first_step_q <= last_step_q;
        // the next tap: words of a run, then kernel columns, then kernel rows
        u_q      <= last_u_q ? '0 : u_q + 1'b1;
        base_u_q <= base_u_q + fold_q.step_u;
        x_u_q    <= x_u_q + place_t'(fold_q.step_u);
        run_q    <= last_u_q ? fold_q.run : run_q - fold_q.step_u;
        if (last_u_q) begin
          s_q      <= last_s_q ? '0 : s_q + 1'b1;
          base_s_q <= base_s_q + fold_q.step_s;
          base_u_q <= base_s_q + fold_q.step_s;
          x_s_q    <= x_s_q + place_t'(fold_q.step_s);
          x_u_q    <= x_s_q + place_t'(fold_q.step_s);
          if (last_s_q) begin
            r_q      <= last_r_q ? '0 : r_q + 1'b1;
            base_r_q <= last_r_q ? '0 : base_r_q + fold_q.step_r;
            base_s_q <= last_r_q ? '0 : base_r_q + fold_q.step_r;
            base_u_q <= last_r_q ? '0 : base_r_q + fold_q.step_r;
            y_r_q    <= last_r_q ? '0 : y_r_q + fold_q.y_r;
            {x_s_q, x_u_q} <= '0;
          end
        end
        // the tile once more, or the next
        if (last_step_q) begin
          tile_q        <= pixel_next;
          tile_left_q   <= left_next;
          weight_base_q <= fold_q.weight;
          weight_q      <= fold_q.weight;
          sum_base_q    <= sum_base_q + fold_q.sum_step;
        end else begin
          pixel_q       <= tile_q;
          left_q        <= tile_left_q;
          weight_base_q <= weight_base_q + fold_q.weight_step;
          weight_q      <= weight_base_q + fold_q.weight_step;
        end
      end
    end
  end

  // --- 1 edge: addresses and places ------------------------------------------------------------

  offset_t addr_q, run_left_q;
  place_t y_q, x_q;
  logic act_q, memory_q;
  logic [WeightBits-1:0] weight_addr_q;

  always_ff @(posedge clk_i) begin
    act_q         <= act;
    memory_q      <= fold_q.memory;
    addr_q        <= pixel_q.addr + base_u_q;
    y_q           <= pixel_q.y + y_r_q;
    x_q           <= pixel_q.x + x_u_q;
    run_left_q    <= run_q;
    weight_addr_q <= weight_q[WeightBits-1:0];
  end
  assign read_o = act_q;
  assign memory_o = memory_q;
  assign act_addr_o = addr_q[ElementBits-1:0];
  assign weight_addr_o = weight_addr_q;

  // --- 2 to 5 edges: which elements lie outside the image, or beyond the run ---------------------

  localparam int unsigned SpanWidth = $clog2(Rows + 1);
  typedef logic [SpanWidth-1:0] span_t;
  function automatic span_t clipped(input place_t value);
    if (value < 0) return '0;
    if (value > place_t'(Rows)) return span_t'(Rows);
    return span_t'(value);
  endfunction

  logic row_covered_q, row_covered_qq;
  span_t from_q, to_q, length_q;
  place_t height_q, width_q, before_q, within_q;
  offset_t run_left_qq;
  logic [Rows-1:0] covered_q, used_q, covered, used;
  always_ff @(posedge clk_i) begin
    height_q     <= fold_q.height;
    width_q      <= fold_q.width;
    row_covered_q <= y_q >= 0 && y_q < height_q;
    before_q     <= -x_q;
    within_q     <= width_q - x_q;
    run_left_qq  <= run_left_q;
    row_covered_qq <= row_covered_q;
    from_q       <= clipped(before_q);
    to_q         <= clipped(within_q);
    length_q     <= clipped(place_t'(run_left_qq));
    for (int e = 0; e < int'(Rows); e++) begin
      covered_q[e] <= row_covered_qq && span_t'(e) >= from_q && span_t'(e) < to_q;
      used_q[e]   <= span_t'(e) < length_q;
    end
  end
  delay #(.Width(2 * Rows), .Stages(1)) u_masks (
    .clk_i, .data_i({covered_q, used_q}), .data_o({covered, used})
  );

  // --- 6 edges: words ----------------------------------------------------------------------------

  logic [ActWidth-1:0] pad;
  logic is_signed;
  logic [1:0] mode_q;
  delay #(.Width(ActWidth + 1), .Stages(5)) u_pad (
    .clk_i, .data_i({fold_q.pad, fold_q.is_signed}), .data_o({pad, is_signed})
  );
  for (genvar e = 0; e < Rows; e++) begin : gen_element
    logic [ActWidth-1:0] element;
    assign element = covered[e] ? act_data_i[e*ActWidth +: ActWidth] : pad;
    always_ff @(posedge clk_i) begin
      act_o[e*(ActWidth+1) +: ActWidth+1] <=
          used[e] ? {is_signed && element[ActWidth-1], element} : '0;
    end
  end
  if (Lanes > Rows) begin : gen_spare_lanes
    logic unused_lanes;
    assign unused_lanes = ^act_data_i[Lanes*ActWidth-1:Rows*ActWidth];
  end

  logic os, first, last;
  assign os = OutputStationary && fold_q.mode == 2'd2;
  assign first = os && count_q == '0 && (first_step_q || fold_q.each_step);
  assign last = os && step_end_q && (last_step_q || fold_q.each_step);
  delay #(.Width(IndexWidth + 4), .Stages(6)) u_marks (
    .clk_i,
    .data_i({act, weight, working && first, working && last, count_q[IndexWidth-1:0]}),
    .data_o({act_valid_o, weight_valid_o, first_o, last_o, index_o})
  );
  always_ff @(posedge clk_i) if (state_q == Run) mode_q <= fold_q.mode;
  assign mode_o = mode_q;

  // --- sums --------------------------------------------------------------------------------------

  logic sum, own_sum;
  offset_t row, own_row;
  logic [2:0] own_how;  // half, replace, maximum
  logic [TurnWidth-1:0] turn;

  if (OutputStationary) begin : gen_own_rows
    // the rows of a finished tile, the last one first, two cycles late as they leave the array
    typedef struct packed {
      logic        last, half, maximum, replace;
      logic [15:0] rows;
      offset_t     base;
    } tile_sums_t;
    tile_sums_t now, tile, tile_kept_q, leaving;
    logic [15:0] row_q, at;
    assign now = '{
      last: working && last, half: fold_q.half, maximum: fold_q.maximum,
      replace: !fold_q.accumulate && (first_step_q || !fold_q.each_step),
      rows: (tile_left_q < fold_q.tile_pixels) ? tile_left_q : fold_q.tile_pixels,
      base: sum_base_q
    };
    delay #(.Width($bits(tile_sums_t)), .Stages(2)) u_tile (
      .clk_i, .data_i(now), .data_o(tile)
    );
    always_ff @(posedge clk_i) begin
      if (tile.last) tile_kept_q <= tile;
      if (rst_i) row_q <= '0;
      else if (tile.last) row_q <= 16'(Rows - 1);
      else if (row_q != '0) row_q <= row_q - 1'b1;
    end
    assign at = tile.last ? 16'(Rows - 1) : row_q - 1'b1;
    assign leaving = tile.last ? tile : tile_kept_q;
    assign own_sum = (tile.last || row_q != '0) && at < leaving.rows;
    assign own_row = leaving.base + offset_t'(at);
    assign own_how = {leaving.half, leaving.replace, leaving.maximum};
    logic unused_leaving;
    assign unused_leaving = leaving.last;
  end else begin : gen_no_own_rows
    assign own_sum = 1'b0;
    assign own_row = '0;
    assign own_how = '0;
  end

  logic streamed;
  logic [2:0] how;
  assign streamed = !os && ((fold_q.mode == 2'd1) ? weight : act);
  assign sum = streamed || own_sum;
  assign row = own_sum ? own_row : sum_base_q + offset_t'(count_q);
  assign how = own_sum ? own_how
      : {fold_q.half, first_step_q && !fold_q.accumulate, fold_q.maximum};
  assign turn = (fold_q.mode == 2'd1) ? turn_q : '0;
  delay #(.Width(SumBits + TurnWidth + 4), .Stages(SumDelay)) u_sums (
    .clk_i,
    .data_i({sum, how, row[SumBits-1:0], turn}),
    .data_o({sum_valid_o, sum_half_o, sum_replace_o, sum_maximum_o, sum_row_o, sum_turn_o})
  );
  assign ended_o = state_q == Idle;

  logic unused_bits;
  assign unused_bits = ^{row, addr_q, weight_q};
endmodule
