// SPDX-License-Identifier: Apache-2.0
//
// Twice as many places along an axis, between their neighbors: of places x[0] .. x[Places-1] come
// 3*x[j] + x[j-1] and 3*x[j] + x[j+1] for every j, with the ends repeated: four times the linear
// interpolation, exactly.
//
// A place is `Words` beats. Two places are held; of each two, a then b, come 3*a + b, while b comes
// in, and a + 3*b. A slot is an output beat. Latency from slot to beat: 4.

module linear_upsample #(
  parameter int unsigned Width = 8,
  parameter bit          Signed = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter int unsigned Words = 1,
  parameter int unsigned Places = 1,
  parameter bit          BlockRam = 1'b0,
  parameter int unsigned OutWidth = 10,
  parameter int unsigned OutDepth = 16
) (
  input  logic                      clk_i,
  input  logic                      rst_i,
  input  logic                      in_valid_i,
  output logic                      in_ready_o,
  input  logic [Lanes*Width-1:0]    in_data_i,
  output logic                      out_valid_o,
  input  logic                      out_ready_i,
  output logic [Lanes*OutWidth-1:0] out_data_o
);
  localparam int unsigned In = Lanes * Width;

  logic space, issue, take, word_last, odd, place_last, first_q, last;
  logic [((Words > 1) ? $clog2(Words) : 1)-1:0] unused_word;
  logic [0:0] unused_side;
  logic [((Places > 1) ? $clog2(Places) : 1)-1:0] unused_place;

  // An odd place of the result is made while the place after it comes in; the last has none.
  assign last = odd && place_last;
  assign take = first_q || (odd && !place_last);
  assign issue = space && (in_valid_i || !take);
  assign in_ready_o = space && take;

  loop_counter #(.Count(Words)) u_word (
    .clk_i, .rst_i, .step_i(issue), .last_o(word_last), .count_o(unused_word)
  );
  loop_counter #(.Count(2)) u_side (
    .clk_i, .rst_i, .step_i(issue && word_last), .last_o(odd), .count_o(unused_side)
  );
  loop_counter #(.Count(Places)) u_place (
    .clk_i, .rst_i, .step_i(issue && word_last && odd), .last_o(place_last), .count_o(unused_place)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) first_q <= 1'b1;
    else if (issue && word_last) first_q <= last;
  end

  // ---- neighbors ---------------------------------------------------------------------------

  logic valid;
  logic [1:0] first_pipe_q, take_pipe_q, last_pipe_q, write_pipe_q;
  logic [In-1:0] x_q, x, earlier, latest, near_q, far_q;

  word_ring #(
    .Width(2 * In), .Length(Words), .BlockRam(BlockRam)
  ) u_ring (
    .clk_i, .rst_i, .step_i(issue), .valid_o(valid), .old_o({earlier, latest}),
    .new_i(take_pipe_q[1] ? {latest, x} : {earlier, latest})
  );

  always_ff @(posedge clk_i) begin
    x_q          <= in_data_i;
    x            <= x_q;
    first_pipe_q <= {first_pipe_q[0], first_q};
    take_pipe_q  <= {take_pipe_q[0], take};
    last_pipe_q  <= {last_pipe_q[0], last};
    near_q       <= first_pipe_q[1] ? x : latest;
    far_q        <= take_pipe_q[1] ? x : last_pipe_q[1] ? latest : earlier;
    if (rst_i) write_pipe_q <= '0;
    else write_pipe_q <= {write_pipe_q[0], valid};
  end

  // ---- sums --------------------------------------------------------------------------------

  logic [Lanes*OutWidth-1:0] y_q;

  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [OutWidth-1:0] near, far;
    if (Signed) begin : gen_signed
      assign near = OutWidth'(signed'(near_q[i*Width +: Width]));
      assign far = OutWidth'(signed'(far_q[i*Width +: Width]));
    end else begin : gen_unsigned
      assign near = OutWidth'(near_q[i*Width +: Width]);
      assign far = OutWidth'(far_q[i*Width +: Width]);
    end
    always_ff @(posedge clk_i) begin
      y_q[i*OutWidth +: OutWidth] <= (near << 1) + near + far;
    end
  end

  stream_fifo #(
    .Width(Lanes * OutWidth), .Depth(OutDepth)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue),
    .write_i(write_pipe_q[1]), .data_i(y_q),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
