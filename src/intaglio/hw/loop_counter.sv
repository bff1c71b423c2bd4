// SPDX-License-Identifier: Apache-2.0
//
// Counts steps 0 .. Count-1 and starts again. `last_o` comes from a register, so that a nest of
// these counters advances through AND gates alone.

module loop_counter #(
  parameter int unsigned Count = 2,
  localparam int unsigned Width = (Count > 1) ? $clog2(Count) : 1
) (
  input  logic             clk_i,
  input  logic             rst_i,
  input  logic             step_i,
  output logic             last_o,
  output logic [Width-1:0] count_o
);
  if (Count < 1) begin : gen_check
    $fatal(1, "loop_counter: Count must be at least 1");
  end

  if (Count == 1) begin : gen_single
    logic unused_signals;
    assign unused_signals = ^{clk_i, rst_i, step_i};
    assign last_o = 1'b1;
    assign count_o = '0;
  end else begin : gen_loop
    logic [Width-1:0] count_q;
    logic last_q;

    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        count_q <= '0;
        last_q  <= 1'b0;
      end else if (step_i) begin
        count_q <= last_q ? '0 : count_q + 1'b1;
        last_q  <= !last_q && (count_q == Width'(Count - 2));
      end
    end

    assign last_o = last_q;
    assign count_o = count_q;
  end
endmodule
