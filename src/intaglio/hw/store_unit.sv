// SPDX-License-Identifier: Apache-2.0
//
// Works off a list of stores: elements of an activation memory to bursts. AXI4 write channels; no
// burst crosses a boundary of 4 KiB. A store is done when memory has acknowledged all its bursts.

module store_unit #(
  parameter int unsigned BeatWidth = 64,
  parameter int unsigned ActWidth = 8,
  parameter int unsigned Container = 8,    // bits of an element in memory
  parameter int unsigned MemoryLanes = 2,
  parameter int unsigned ElementBits = 12,
  parameter int unsigned Instructions = 1,
  parameter bit          BlockRom = 1'b0,  // of the list
  parameter              InitFile = ""
) (
  input  logic                            clk_i,
  input  logic                            rst_i,
  input  logic                            start_i,
  input  logic [15:0]                     drains_i,
  output logic                            done_o,
  output logic                            ended_o,
  // activation memories
  output logic                            read_o,
  output logic                            memory_o,
  output logic [ElementBits-1:0]          addr_o,
  input  logic [MemoryLanes*ActWidth-1:0] data_i,  // 4 edges later
  // AXI4
  output logic [31:0]                     awaddr_o,
  output logic [7:0]                      awlen_o,
  output logic                            awvalid_o,
  input  logic                            awready_i,
  output logic [BeatWidth-1:0]            wdata_o,
  output logic                            wlast_o,
  output logic                            wvalid_o,
  input  logic                            wready_i,
  input  logic                            bvalid_i,
  output logic                            bready_o
);
  localparam int unsigned BeatBytes = BeatWidth / 8;
  localparam int unsigned BurstBeats = (4096 / BeatBytes < 256) ? 4096 / BeatBytes : 256;
  localparam int unsigned BurstBits = $clog2(BurstBeats);
  localparam int unsigned BeatElements = BeatWidth / Container;
  localparam int unsigned Step = (BeatElements < MemoryLanes) ? BeatElements : MemoryLanes;
  localparam int unsigned Reads = BeatElements / Step;  // of a beat

  typedef struct packed {
    logic        memory;
    logic [15:0] wait_drains;
    logic [31:0] beat;
    logic [23:0] beats;
    logic [23:0] element;  // first one
  } store_t;

  // --- the list --------------------------------------------------------------------------------

  typedef enum logic [1:0] {Idle, Fetch, Check, Run} state_e;
  state_e state_q;
  store_t store_q;
  logic ready, at_end, run_end;

  assign ready = drains_i >= store_q.wait_drains;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= Idle;
    end else begin
      unique case (state_q)
        Idle: if (start_i) state_q <= Fetch;
        Fetch: state_q <= at_end ? Idle : Check;
        Check: if (ready) state_q <= Run;
        Run: if (run_end) state_q <= Fetch;
      endcase
    end
  end
  assign done_o = state_q == Run && run_end;
  assign ended_o = state_q == Idle;
  instruction_list #(
    .Width($bits(store_t)), .Count(Instructions), .BlockRom(BlockRom), .InitFile(InitFile)
  ) u_list (
    .clk_i, .restart_i(state_q == Idle), .fetch_i(state_q == Fetch),
    .take_i(state_q == Check && ready), .word_o(store_q), .ended_o(at_end)
  );

  // --- addresses of bursts, and their acknowledgements -------------------------------------------

  logic [23:0] bursts_q;
  logic asking, asked, sent, acknowledged;

  burst_addresses #(.BeatBytes(BeatBytes)) u_bursts (
    .clk_i, .start_i(rst_i || state_q == Check), .beat_i(store_q.beat), .beats_i(store_q.beats),
    .taken_i(asked), .left_o(asking), .addr_o(awaddr_o), .len_o(awlen_o)
  );
  assign awvalid_o = state_q == Run && asking;
  assign asked = awvalid_o && awready_i;
  assign bready_o = 1'b1;
  assign acknowledged = bvalid_i;

  // --- reading: one step a cycle while there is room for the beat --------------------------------

  localparam int unsigned ReadWidth = (Reads > 1) ? $clog2(Reads) : 1;
  logic [ReadWidth-1:0] part_q;
  logic [23:0] reads_left_q, element_q, beats_left_q;
  logic [31:0] beat_q;
  logic space, reading, last_part, read_q, written;
  logic [BeatWidth-1:0] gathered_q;
  logic [Step*Container-1:0] found;

  assign last_part = part_q == ReadWidth'(Reads - 1);
  assign reading = state_q == Run && reads_left_q != '0 && (part_q != '0 || space);

  always_ff @(posedge clk_i) begin
    if (rst_i || state_q == Check) begin
      beat_q       <= store_q.beat;
      beats_left_q <= store_q.beats;
      reads_left_q <= store_q.beats;
      element_q    <= store_q.element;
      part_q       <= '0;
      bursts_q     <= '0;
    end else begin
      bursts_q <= bursts_q + 24'(asked) - 24'(acknowledged);
      if (reading) begin
        part_q    <= last_part ? '0 : part_q + 1'b1;
        element_q <= element_q + 24'(Step);
        if (last_part) reads_left_q <= reads_left_q - 1'b1;
      end
      if (sent) begin
        beat_q       <= beat_q + 1'b1;
        beats_left_q <= beats_left_q - 1'b1;
      end
    end
  end
  assign run_end = acknowledged && bursts_q == 24'd1 && beats_left_q == '0 && !asking;

  always_ff @(posedge clk_i) begin
    read_q <= reading;
    addr_o <= element_q[ElementBits-1:0];
  end
  assign read_o = read_q;
  assign memory_o = store_q.memory;

  for (genvar i = 0; i < Step; i++) begin : gen_element
    assign found[i*Container +: Container] = Container'(data_i[i*ActWidth +: ActWidth]);
  end
  if (MemoryLanes > Step) begin : gen_spare_lanes
    logic unused_lanes;
    assign unused_lanes = ^data_i[MemoryLanes*ActWidth-1:Step*ActWidth];
  end
  always_ff @(posedge clk_i) begin
    gathered_q <= BeatWidth'({found, gathered_q} >> (Step * Container));
  end
  delay #(.Width(1), .Stages(6)) u_written (
    .clk_i, .data_i(reading && last_part && !rst_i), .data_o(written)
  );
  if (Reads == 1) begin : gen_whole_beats
    logic unused_gathered;
    assign unused_gathered = ^gathered_q;
  end

  stream_fifo #(.Width(BeatWidth), .Depth(16)) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(reading && part_q == '0),
    .write_i(written), .data_i(gathered_q),
    .valid_o(wvalid_o), .ready_i(wready_i), .data_o(wdata_o)
  );
  assign sent = wvalid_o && wready_i;
  assign wlast_o = (beat_q[BurstBits-1:0] == '1) || beats_left_q == 24'd1;

  logic unused_bits;
  assign unused_bits = ^{beat_q, element_q};
endmodule
