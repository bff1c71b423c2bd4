// SPDX-License-Identifier: Apache-2.0
//
// The addresses of a transfer over AXI4: bursts as long as may be, of which none crosses a boundary
// of 4 KiB. `start_i` takes a transfer, `taken_i` says that the burst shown was taken.

module burst_addresses #(
  parameter int unsigned BeatBytes = 8,
  localparam int unsigned BurstBeats = (4096 / BeatBytes < 256) ? 4096 / BeatBytes : 256
) (
  input  logic        clk_i,
  input  logic        start_i,
  input  logic [31:0] beat_i,   // first beat
  input  logic [23:0] beats_i,
  input  logic        taken_i,
  output logic        left_o,   // there is a burst
  output logic [31:0] addr_o,
  output logic [7:0]  len_o
);
  localparam int unsigned BurstBits = $clog2(BurstBeats);

  logic [31:0] beat_q;
  logic [23:0] left_q, left_after;
  logic [8:0] room, length_q;  // to the next boundary, of the next burst

  assign room = 9'(BurstBeats) - 9'(beat_i[BurstBits-1:0]);
  assign left_after = left_q - 24'(length_q);
  assign left_o = left_q != '0;
  assign addr_o = beat_q << $clog2(BeatBytes);
  assign len_o = 8'(length_q - 1'b1);

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      beat_q   <= beat_i;
      left_q   <= beats_i;
      length_q <= (beats_i < 24'(room)) ? beats_i[8:0] : room;
    end else if (taken_i) begin
      beat_q   <= beat_q + 32'(length_q);
      left_q   <= left_after;
      length_q <= (left_after < 24'(BurstBeats)) ? left_after[8:0] : 9'(BurstBeats);
    end
  end
endmodule
