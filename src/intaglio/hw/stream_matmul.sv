// SPDX-License-Identifier: Apache-2.0
//
// Product of two streams of matrices as a unit: z[m, n] = sum over k of a[m, k] * b[k, n].
//
// The matrices b are stored whole, the rows of a one by one; of each there is room for two, so that
// the next comes in while one is read. Row k of b is in bank k % LanesIn of as many, so that a slot
// reads LanesIn rows of it at once, and LanesOut columns.
//
// Slots of a matrix: Rows x Outer x Steps. A sum's last slot is issued once the output FIFO has
// room for all its beats. Latency from there to the first beat: 7 + clog2(LanesIn) edges.

module stream_matmul #(
  parameter int unsigned WidthA = 8,
  parameter bit          SignedA = 1'b0,
  parameter int unsigned WidthB = 8,
  parameter bit          SignedB = 1'b0,
  parameter int unsigned LanesIn = 1,     // of a beat of a
  parameter int unsigned LanesOut = 1,    // of a beat of b
  parameter int unsigned Rows = 1,        // of a
  parameter int unsigned Steps = 1,       // beats of a row of a
  parameter int unsigned Outer = 1,       // beats of a row of b
  parameter bit          BlockA = 1'b0,
  parameter bit          BlockB = 1'b0,
  parameter              BiasFile = "",   // zeros, where sums start
  parameter int unsigned SumWidth = 24,   // holds every partial sum, signed
  parameter int unsigned OutWidth = 24,
  parameter int unsigned OutLanes = 1,
  parameter int unsigned OutDepth = 16
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         a_valid_i,
  output logic                         a_ready_o,
  input  logic [LanesIn*WidthA-1:0]    a_data_i,
  input  logic                         b_valid_i,
  output logic                         b_ready_o,
  input  logic [LanesOut*WidthB-1:0]   b_data_i,
  output logic                         out_valid_o,
  input  logic                         out_ready_i,
  output logic [OutLanes*OutWidth-1:0] out_data_o
);
  localparam int unsigned Beats = LanesOut / OutLanes;
  localparam int unsigned Words = Steps * Outer;  // of a matrix in each bank
  localparam int unsigned AddrWidthA = $clog2(2 * Steps);
  localparam int unsigned AddrWidthB = $clog2(2 * Words);

  typedef logic [AddrWidthA-1:0] addr_a_t;
  typedef logic [AddrWidthB-1:0] addr_b_t;

  if (Beats * OutLanes != LanesOut) begin : gen_check_lanes
    $fatal(1, "stream_matmul: OutLanes must divide LanesOut");
  end
  if (Beats > Steps) begin : gen_check_beats
    $fatal(1, "stream_matmul: a sum's beats must leave before the next sum's come");
  end

  // ---- a: a row in each half ---------------------------------------------------------------

  logic a_issue, a_last, a_half, a_full, a_ready, row_done;
  logic [((Steps > 1) ? $clog2(Steps) : 1)-1:0] a_step;
  logic unused_a_half;
  logic a_write_q;
  addr_a_t a_write_addr_q;
  logic [LanesIn*WidthA-1:0] a_data_q;

  assign a_ready_o = !a_full;
  assign a_issue = a_valid_i && a_ready_o;

  loop_counter #(.Count(Steps)) u_a_step (
    .clk_i, .rst_i, .step_i(a_issue), .last_o(a_last), .count_o(a_step)
  );
  loop_counter #(.Count(2)) u_a_half (
    .clk_i, .rst_i, .step_i(a_issue && a_last), .last_o(unused_a_half), .count_o(a_half)
  );
  token_pair u_rows (
    .clk_i, .rst_i, .give_i(a_issue && a_last), .take_i(row_done),
    .full_o(a_full), .ready_o(a_ready)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) a_write_q <= 1'b0;
    else a_write_q <= a_issue;
    a_write_addr_q <= (a_half ? addr_a_t'(Steps) : '0) + addr_a_t'(a_step);
    a_data_q       <= a_data_i;
  end

  // ---- b: a matrix in each half ------------------------------------------------------------
  // A word is in the order in which it is read: at group of columns * Steps + step.

  logic b_issue, b_group_last, b_bank_last, b_step_last, b_last, b_half, b_full, b_ready;
  logic matrix_done;
  logic [((Outer > 1) ? $clog2(Outer) : 1)-1:0] unused_b_group;
  logic [((LanesIn > 1) ? $clog2(LanesIn) : 1)-1:0] b_bank;
  logic [((Steps > 1) ? $clog2(Steps) : 1)-1:0] b_step;
  logic unused_b_half;
  addr_b_t b_group_base_q, b_write_addr_q;
  logic [LanesIn-1:0] b_write_q;
  logic [LanesOut*WidthB-1:0] b_data_q;

  assign b_ready_o = !b_full;
  assign b_issue = b_valid_i && b_ready_o;
  assign b_last = b_group_last && b_bank_last && b_step_last;

  loop_counter #(.Count(Outer)) u_b_group (
    .clk_i, .rst_i, .step_i(b_issue), .last_o(b_group_last), .count_o(unused_b_group)
  );
  loop_counter #(.Count(LanesIn)) u_b_bank (
    .clk_i, .rst_i, .step_i(b_issue && b_group_last), .last_o(b_bank_last), .count_o(b_bank)
  );
  loop_counter #(.Count(Steps)) u_b_step (
    .clk_i, .rst_i, .step_i(b_issue && b_group_last && b_bank_last),
    .last_o(b_step_last), .count_o(b_step)
  );
  loop_counter #(.Count(2)) u_b_half (
    .clk_i, .rst_i, .step_i(b_issue && b_last), .last_o(unused_b_half), .count_o(b_half)
  );
  token_pair u_matrices (
    .clk_i, .rst_i, .give_i(b_issue && b_last), .take_i(matrix_done),
    .full_o(b_full), .ready_o(b_ready)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) b_group_base_q <= '0;
    else if (b_issue) b_group_base_q <= b_group_last ? '0 : b_group_base_q + addr_b_t'(Steps);
    for (int unsigned i = 0; i < LanesIn; i++) begin
      b_write_q[i] <= !rst_i && b_issue && (int'(b_bank) == int'(i));
    end
    b_write_addr_q <= (b_half ? addr_b_t'(Words) : '0) + b_group_base_q + addr_b_t'(b_step);
    b_data_q       <= b_data_i;
  end

  // ---- reader ------------------------------------------------------------------------------

  logic space, slot, issue, step_last, group_last, row_last, in_row_q, first_q;
  logic read_half_a, read_half_b;
  logic [((Steps > 1) ? $clog2(Steps) : 1)-1:0] step;
  logic [((Outer > 1) ? $clog2(Outer) : 1)-1:0] unused_group;
  logic [((Rows > 1) ? $clog2(Rows) : 1)-1:0] unused_row;
  logic unused_half_a, unused_half_b;
  addr_a_t a_read_addr_q;
  addr_b_t b_index_q, b_read_addr_q;

  assign slot = in_row_q || (a_ready && b_ready);
  assign issue = slot && (space || !step_last);
  assign row_done = issue && step_last && group_last;
  assign matrix_done = row_done && row_last;

  loop_counter #(.Count(Steps)) u_step (
    .clk_i, .rst_i, .step_i(issue), .last_o(step_last), .count_o(step)
  );
  loop_counter #(.Count(Outer)) u_group (
    .clk_i, .rst_i, .step_i(issue && step_last), .last_o(group_last), .count_o(unused_group)
  );
  loop_counter #(.Count(Rows)) u_row (
    .clk_i, .rst_i, .step_i(row_done), .last_o(row_last), .count_o(unused_row)
  );
  loop_counter #(.Count(2)) u_read_half_a (
    .clk_i, .rst_i, .step_i(row_done), .last_o(unused_half_a), .count_o(read_half_a)
  );
  loop_counter #(.Count(2)) u_read_half_b (
    .clk_i, .rst_i, .step_i(matrix_done), .last_o(unused_half_b), .count_o(read_half_b)
  );

  logic [2:0] valid_pipe_q, first_pipe_q, last_pipe_q;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_row_q  <= 1'b0;
      first_q   <= 1'b1;
      b_index_q <= '0;
    end else if (issue) begin
      in_row_q  <= !(step_last && group_last);
      first_q   <= step_last;
      b_index_q <= (step_last && group_last) ? '0 : b_index_q + 1'b1;
    end
    a_read_addr_q <= (read_half_a ? addr_a_t'(Steps) : '0) + addr_a_t'(step);
    b_read_addr_q <= (read_half_b ? addr_b_t'(Words) : '0) + b_index_q;
    first_pipe_q  <= {first_pipe_q[1:0], first_q};
    last_pipe_q   <= {last_pipe_q[1:0], step_last};
    if (rst_i) valid_pipe_q <= '0;
    else valid_pipe_q <= {valid_pipe_q[1:0], issue};
  end

  // ---- memory ------------------------------------------------------------------------------
  // A place is given back before its last word is read, but the writer needs two edges to get
  // there.

  logic [LanesIn*WidthA-1:0] a;
  logic [LanesOut*LanesIn*WidthB-1:0] b;

  sliced_ram #(.Width(LanesIn * WidthA), .Depth(2 * Steps), .BlockRam(BlockA)) u_a (
    .clk_i, .write_i(a_write_q), .write_addr_i(a_write_addr_q), .data_i(a_data_q),
    .read_addr_i(a_read_addr_q), .data_o(a)
  );

  for (genvar i = 0; i < LanesIn; i++) begin : gen_bank
    logic [LanesOut*WidthB-1:0] word;
    sliced_ram #(.Width(LanesOut * WidthB), .Depth(2 * Words), .BlockRam(BlockB)) u_b (
      .clk_i, .write_i(b_write_q[i]), .write_addr_i(b_write_addr_q), .data_i(b_data_q),
      .read_addr_i(b_read_addr_q), .data_o(word)
    );
    for (genvar o = 0; o < LanesOut; o++) begin : gen_column
      assign b[(o*LanesIn+i)*WidthB +: WidthB] = word[o*WidthB +: WidthB];
    end
  end

  // ---- sums --------------------------------------------------------------------------------

  logic sums_valid;
  logic [LanesOut*SumWidth-1:0] sums;
  logic [LanesOut*OutWidth-1:0] result, shift_q;
  logic [Beats-1:0] beat_q;

  mac_lanes #(
    .LanesIn(LanesIn), .LanesOut(LanesOut), .XWidth(WidthA), .XSigned(SignedA),
    .WeightWidth(WidthB), .WeightSigned(SignedB),
    .BiasWidth(1), .BiasSigned(1'b0), .BiasWords(1), .BiasFile(BiasFile), .SumWidth(SumWidth)
  ) u_mac (
    .clk_i, .rst_i, .valid_i(valid_pipe_q[2]), .first_i(first_pipe_q[2]), .last_i(last_pipe_q[2]),
    .x_i(a), .weight_i(b), .valid_o(sums_valid), .sums_o(sums)
  );

  for (genvar o = 0; o < LanesOut; o++) begin : gen_result
    assign result[o*OutWidth +: OutWidth] = sums[o*SumWidth +: OutWidth];
    if (SumWidth > OutWidth) begin : gen_unused
      logic unused_sign;
      assign unused_sign = ^sums[o*SumWidth+OutWidth +: SumWidth-OutWidth];
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) beat_q <= '0;
    else if (sums_valid) beat_q <= '1;
    else beat_q <= beat_q >> 1;
    if (sums_valid) shift_q <= result;
    else shift_q <= shift_q >> (OutLanes * OutWidth);
  end

  stream_fifo #(
    .Width(OutLanes * OutWidth), .Depth(OutDepth), .Burst(Beats)
  ) u_fifo (
    .clk_i, .rst_i, .space_o(space), .reserve_i(issue && step_last),
    .write_i(beat_q[0]), .data_i(shift_q[OutLanes*OutWidth-1:0]),
    .valid_o(out_valid_o), .ready_i(out_ready_i), .data_o(out_data_o)
  );
endmodule
