// SPDX-License-Identifier: Apache-2.0
//
// Counts what is in a memory of two places: given by its writer, taken by its reader. Both answers
// come from registers.

module token_pair (
  input  logic clk_i,
  input  logic rst_i,
  input  logic give_i,
  input  logic take_i,
  output logic full_o,
  output logic ready_o
);
  logic [1:0] count_q, count_d;
  logic full_q, ready_q;

  assign count_d = count_q + 2'(give_i) - 2'(take_i);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      count_q <= '0;
      full_q  <= 1'b0;
      ready_q <= 1'b0;
    end else begin
      count_q <= count_d;
      full_q  <= count_d[1];
      ready_q <= count_d != '0;
    end
  end

  assign full_o = full_q;
  assign ready_o = ready_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      assert (!give_i || !full_q) else $error("token_pair: given without a place");
      assert (!take_i || ready_q) else $error("token_pair: taken without a token");
    end
  end
`endif
endmodule
