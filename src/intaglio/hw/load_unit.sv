// SPDX-License-Identifier: Apache-2.0
//
// Works off a list of loads: bursts from memory, each beat handed on in chunks, one a cycle, with
// the number of the chunk at its place. AXI4 read channels; at most `Outstanding` bursts are asked
// for at a time, none crosses a boundary of 4 KiB.

module load_unit #(
  parameter int unsigned BeatWidth = 64,
  parameter int unsigned Targets = 4,
  // chunks a beat of each target, as a power of two
  parameter logic [Targets*4-1:0] ChunkBits = '0,
  parameter int unsigned Instructions = 1,
  parameter bit          BlockRom = 1'b0,  // of the list
  parameter              InitFile = "",
  localparam int unsigned TargetWidth = (Targets > 1) ? $clog2(Targets) : 1
) (
  input  logic                   clk_i,
  input  logic                   rst_i,
  input  logic                   start_i,
  input  logic [15:0]            folds_i,
  input  logic [15:0]            drains_i,
  input  logic [15:0]            stores_i,
  output logic                   done_o,
  output logic                   ended_o,
  // chunks
  output logic                   write_o,
  output logic [TargetWidth-1:0] target_o,
  output logic [23:0]            chunk_o,
  output logic [7:0]             slice_o,  // which chunk of the beat
  output logic [BeatWidth-1:0]   beat_o,
  // AXI4
  output logic [31:0]            araddr_o,
  output logic [7:0]             arlen_o,
  output logic                   arvalid_o,
  input  logic                   arready_i,
  input  logic [BeatWidth-1:0]   rdata_i,
  input  logic                   rlast_i,
  input  logic                   rvalid_i,
  output logic                   rready_o
);
  localparam int unsigned Outstanding = 4;
  localparam int unsigned LatencyDone = 4;  // until what was written, an edge late, can be read

  typedef struct packed {
    logic [3:0]  target;
    logic [15:0] wait_folds;
    logic [15:0] wait_drains;
    logic [15:0] wait_stores;
    logic [31:0] beat;   // first beat in memory
    logic [23:0] beats;
    logic [23:0] chunk;  // place of the first chunk
  } load_t;

  // --- the list --------------------------------------------------------------------------------

  typedef enum logic [2:0] {Idle, Fetch, Check, Run, Flush} state_e;
  state_e state_q;
  load_t load_q;
  logic [7:0] flush_q, chunks_last;
  logic [3:0] chunk_bits;
  logic ready, at_end, run_end, take;

  assign ready = folds_i >= load_q.wait_folds && drains_i >= load_q.wait_drains
      && stores_i >= load_q.wait_stores;

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
          flush_q <= 8'(LatencyDone - 1) + chunks_last;
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
    .Width($bits(load_t)), .Count(Instructions), .BlockRom(BlockRom), .InitFile(InitFile)
  ) u_list (
    .clk_i, .restart_i(state_q == Idle), .fetch_i(state_q == Fetch),
    .take_i(state_q == Check && ready), .word_o(load_q), .ended_o(at_end)
  );

  // --- asking ----------------------------------------------------------------------------------

  logic [23:0] left_q;
  logic [2:0] waiting_q;
  logic asking, asked, answered;

  burst_addresses #(.BeatBytes(BeatWidth / 8)) u_bursts (
    .clk_i, .start_i(rst_i || state_q == Check), .beat_i(load_q.beat), .beats_i(load_q.beats),
    .taken_i(asked), .left_o(asking), .addr_o(araddr_o), .len_o(arlen_o)
  );
  assign arvalid_o = state_q == Run && asking && waiting_q < 3'(Outstanding);
  assign asked = arvalid_o && arready_i;
  assign answered = take && rlast_i;
  assign run_end = take && left_q == 24'd1;

  always_ff @(posedge clk_i) begin
    if (rst_i || state_q == Check) begin
      left_q    <= load_q.beats;
      waiting_q <= '0;
    end else begin
      if (take) left_q <= left_q - 1'b1;
      waiting_q <= waiting_q + 3'(asked) - 3'(answered);
    end
  end

  // --- taking beats, handing on chunks -----------------------------------------------------------

  logic busy_q, last_slice;
  logic [7:0] slice_q;
  logic [23:0] chunk_q;
  logic [BeatWidth-1:0] beat_q;

  assign chunk_bits = ChunkBits[load_q.target[TargetWidth-1:0]*4 +: 4];
  assign chunks_last = (8'd1 << chunk_bits) - 1'b1;
  assign last_slice = slice_q == chunks_last;
  assign rready_o = state_q == Run && (!busy_q || last_slice);
  assign take = rvalid_i && rready_o;

  always_ff @(posedge clk_i) begin
    if (rst_i) busy_q <= 1'b0;
    else busy_q <= take || (busy_q && !last_slice);
    if (take) beat_q <= rdata_i;
    slice_q <= (take || last_slice) ? '0 : slice_q + 1'b1;
    if (state_q == Check) chunk_q <= load_q.chunk;
    else if (busy_q) chunk_q <= chunk_q + 1'b1;
  end

  assign write_o = busy_q;
  assign target_o = load_q.target[TargetWidth-1:0];
  assign chunk_o = chunk_q;
  assign slice_o = slice_q;
  assign beat_o = beat_q;

  logic unused_target;
  assign unused_target = ^load_q.target;
endmodule
