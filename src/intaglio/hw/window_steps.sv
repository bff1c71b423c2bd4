// SPDX-License-Identifier: Apache-2.0
//
// Tells which steps along one axis complete a window: the Kernel-th, then every Stride-th, Count of
// them in all; then none until restarted. The answer comes from a register.

module window_steps #(
  parameter int unsigned Kernel = 2,
  parameter int unsigned Stride = 1,
  parameter int unsigned Count = 1
) (
  input  logic clk_i,
  input  logic rst_i,
  input  logic step_i,
  input  logic restart_i,
  output logic complete_o  // the step being taken completes a window
);
  localparam int unsigned WaitWidth = $clog2(Kernel + Stride);
  localparam int unsigned LeftWidth = $clog2(Count + 1);

  logic [WaitWidth-1:0] wait_q;  // steps before the next window is complete
  logic [LeftWidth-1:0] left_q;  // windows still to come

  logic complete_q;

  always_ff @(posedge clk_i) begin
    if (rst_i || restart_i) begin
      wait_q     <= WaitWidth'(Kernel - 1);
      left_q     <= LeftWidth'(Count);
      complete_q <= (Kernel == 1);
    end else if (step_i) begin
      if (wait_q != '0) begin
        wait_q     <= wait_q - 1'b1;
        complete_q <= (wait_q == WaitWidth'(1)) && (left_q != '0);
      end else begin
        wait_q     <= WaitWidth'(Stride - 1);
        complete_q <= (Stride == 1) && (left_q != '0) && (left_q != LeftWidth'(1));
        if (left_q != '0) left_q <= left_q - 1'b1;
      end
    end
  end

  assign complete_o = complete_q;
endmodule
