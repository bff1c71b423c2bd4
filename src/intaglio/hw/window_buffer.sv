// SPDX-License-Identifier: Apache-2.0
//
// Holds the last rows of an image and reads windows from them, a word a slot.
//
// Writer: takes a stream of words (`Lanes` channels of one pixel), row after row, into a circular
// buffer of `BufferRows` rows; rows that no window reads are taken and dropped. With `StackColumns`
// over 1 it stores, for every window position, the words of all kernel columns together, so that
// one read returns a whole kernel row; with `StackRows` > 1 those of all kernel rows too, so that
// one read returns a whole window, and a stored row is a row of windows.
//
// Reader: walks, outermost first, over output rows, output columns, `Parts` of a pixel's words (the
// words of one group of channels, say), `Passes` over each, kernel rows, kernel columns and the
// words of the part; what lies side by side in a stored word counts once. `slot_o` says that a slot
// may be issued; the word of a slot appears three edges later with its first and last marks. An
// output row starts when all its input rows are in, and gives back at its last slot the rows that
// no later window reaches.

module window_buffer #(
  parameter int unsigned Width = 8,          // bits of one channel
  parameter int unsigned Lanes = 1,          // channels in one word of the stream
  parameter int unsigned Groups = 1,         // words in one pixel
  parameter int unsigned Rows = 1,           // rows of the image
  parameter int unsigned Columns = 1,        // pixels in one row
  parameter int unsigned StackColumns = 1,   // kernel columns in one stored word: 1 or all
  parameter int unsigned StackStride = 1,    // window step across, when stacked
  parameter int unsigned StackCount = 1,     // windows across, when stacked
  parameter int unsigned StackRows = 1,      // kernel rows in one stored word: 1 or all
  parameter int unsigned BufferRows = 2,     // stored rows held
  parameter int unsigned RowWords = 1,       // stored words in one row
  parameter int unsigned OutRows = 1,
  parameter int unsigned OutColumns = 1,
  parameter int unsigned Parts = 1,          // parts of a pixel's words, each read by itself
  parameter int unsigned Passes = 1,         // times that a part of a window is read
  parameter int unsigned KernelRows = 1,
  parameter int unsigned KernelColumns = 1,
  parameter int unsigned RowDilation = 1,    // input rows from one kernel row to the next
  parameter int unsigned ColumnDilation = 1,
  parameter int unsigned ColumnStep = 1,     // address step of an output column
  parameter int unsigned RowStep = 1,        // input rows from one output row to the next
  parameter bit          BlockRam = 1'b0,
  parameter bit          BlockStack = 1'b0,
  localparam int unsigned WordWidth = StackRows * StackColumns * Lanes * Width
) (
  input  logic                   clk_i,
  input  logic                   rst_i,
  input  logic                   in_valid_i,
  output logic                   in_ready_o,
  input  logic [Lanes*Width-1:0] in_data_i,
  output logic                   slot_o,
  output logic                   slot_last_o,  // the slot ends a window
  input  logic                   issue_i,
  output logic                   valid_o,
  output logic                   first_o,
  output logic                   last_o,
  output logic [WordWidth-1:0]   data_o
);
  localparam int unsigned Total = BufferRows * RowWords;
  localparam int unsigned AddrWidth = (Total > 1) ? $clog2(Total) : 1;
  localparam int unsigned RowWidth = $clog2(BufferRows + 1);
  localparam int unsigned RowWidthBits = StackColumns * Lanes * Width;
  localparam int unsigned RowSpan = (KernelRows - 1) * RowDilation + 1;  // a window reaches over
  localparam int unsigned ColumnSpan = (KernelColumns - 1) * ColumnDilation + 1;
  localparam int unsigned Held = (StackRows > 1) ? 1 : RowSpan;          // stored rows of a window
  localparam int unsigned Freed = (RowStep < Held) ? RowStep : Held;     // by an output row
  localparam int unsigned ReadRows = (OutRows - 1) * RowStep + RowSpan;

  // A walk over columns whose words all follow one another is one over so many more words.
  localparam int unsigned Words = Groups / Parts;
  localparam int unsigned Down = (StackRows > 1) ? 1 : KernelRows;
  localparam int unsigned ColumnReads = (StackColumns > 1) ? 1 : KernelColumns;
  localparam bit          Joined = Parts == 1 && ColumnDilation == 1;
  localparam int unsigned Across = Joined ? 1 : ColumnReads;
  localparam int unsigned Inner = Joined ? ColumnReads * Words : Words;
  localparam int unsigned DownStep = (Down > 1) ? RowDilation : 1;
  localparam int unsigned AcrossStep = ColumnDilation * Groups - (Words - 1);
  localparam int unsigned PartStep = (Parts > 1) ? Words : 0;

  typedef logic [AddrWidth-1:0] addr_t;
  typedef logic [RowWidth-1:0] rows_t;

  if (Held >= BufferRows) begin : gen_check_buffer
    $fatal(1, "window_buffer: BufferRows must be more than the stored rows of a window");
  end
  if (StackRows != 1 && StackRows != KernelRows) begin : gen_check_stack
    $fatal(1, "window_buffer: StackRows must be 1 or KernelRows");
  end
  if (StackColumns != 1 && StackColumns != KernelColumns) begin : gen_check_stack_columns
    $fatal(1, "window_buffer: StackColumns must be 1 or KernelColumns");
  end
  if (Parts * Words != Groups) begin : gen_check_parts
    $fatal(1, "window_buffer: Parts must divide Groups");
  end
  if (ReadRows > Rows) begin : gen_check_rows
    $fatal(1, "window_buffer: all windows must lie inside the image");
  end

  // ---- writer ------------------------------------------------------------------------------

  logic accept, group_last, column_last, row_done, row_stored, full_q, keep;
  logic write_q;
  logic [RowWidthBits-1:0] word;
  logic [WordWidth-1:0] write_data;
  addr_t write_addr_q;

  assign in_ready_o = !(full_q && row_stored);
  assign accept = in_valid_i && in_ready_o;
  assign row_done = accept && group_last && column_last;

  logic [((Groups > 1) ? $clog2(Groups) : 1)-1:0] unused_group;
  logic [((Columns > 1) ? $clog2(Columns) : 1)-1:0] unused_column;

  loop_counter #(.Count(Groups)) u_group (
    .clk_i, .rst_i, .step_i(accept), .last_o(group_last), .count_o(unused_group)
  );
  loop_counter #(.Count(Columns)) u_column (
    .clk_i, .rst_i, .step_i(accept && group_last), .last_o(column_last), .count_o(unused_column)
  );

  if (StackRows > 1) begin : gen_stack_rows
    logic row_last;
    logic [$clog2(Rows)-1:0] unused_row;
    loop_counter #(.Count(Rows)) u_row (
      .clk_i, .rst_i, .step_i(row_done), .last_o(row_last), .count_o(unused_row)
    );
    window_steps #(.Kernel(RowSpan), .Stride(RowStep), .Count(OutRows)) u_steps (
      .clk_i, .rst_i, .step_i(row_done), .restart_i(row_done && row_last),
      .complete_o(row_stored)
    );
  end else if (ReadRows < Rows || (OutRows > 1 && RowStep > RowSpan)) begin : gen_drop
    localparam int unsigned PhaseWidth = (RowStep > 1) ? $clog2(RowStep) : 1;
    logic [$clog2(Rows)-1:0] row;
    logic [PhaseWidth-1:0] phase_q, phase_d;  // rows since the first of the latest window
    logic row_last, stored_q;

    loop_counter #(.Count(Rows)) u_row (
      .clk_i, .rst_i, .step_i(row_done), .last_o(row_last), .count_o(row)
    );
    assign phase_d = (row_last || int'(phase_q) == int'(RowStep - 1)) ? '0 : phase_q + 1'b1;
    always_ff @(posedge clk_i) begin
      if (rst_i) begin
        phase_q  <= '0;
        stored_q <= 1'b1;
      end else if (row_done) begin
        phase_q  <= phase_d;
        stored_q <= row_last
                 || (int'(row) < int'(ReadRows - 1) && int'(phase_d) < int'(RowSpan));
      end
    end
    assign row_stored = stored_q;
  end else begin : gen_store_all
    assign row_stored = 1'b1;
  end

  if (StackColumns > 1) begin : gen_stack_columns
    localparam int unsigned History = (ColumnSpan - 1) * Groups;
    logic [Lanes*Width-1:0] history_q [History];

    always_ff @(posedge clk_i) begin
      if (accept) begin
        history_q[0] <= in_data_i;
        for (int unsigned i = 1; i < History; i++) history_q[i] <= history_q[i-1];
      end
    end

    window_steps #(.Kernel(ColumnSpan), .Stride(StackStride), .Count(StackCount)) u_steps (
      .clk_i, .rst_i, .step_i(accept && group_last), .restart_i(row_done), .complete_o(keep)
    );
    for (genvar s = 0; s < StackColumns - 1; s++) begin : gen_tap
      localparam int unsigned Ago = (StackColumns - 1 - s) * ColumnDilation * Groups;
      assign word[s*Lanes*Width +: Lanes*Width] = history_q[Ago-1];
    end
    assign word[(StackColumns-1)*Lanes*Width +: Lanes*Width] = in_data_i;
  end else begin : gen_plain
    assign keep = 1'b1;
    assign word = in_data_i;
  end

  if (StackRows > 1) begin : gen_whole_windows
    logic [RowSpan*RowWidthBits-1:0] stack;
    row_stack #(
      .Width(RowWidthBits), .KernelRows(RowSpan), .RowWords(RowWords), .BlockRam(BlockStack)
    ) u_stack (
      .clk_i, .rst_i, .take_i(accept && keep), .word_i(word), .word_o(stack)
    );
    for (genvar r = 0; r < RowSpan; r++) begin : gen_row
      if (r % RowDilation == 0) begin : gen_read
        assign write_data[r/RowDilation*RowWidthBits +: RowWidthBits] =
            stack[r*RowWidthBits +: RowWidthBits];
      end else begin : gen_between
        logic unused_row;
        assign unused_row = ^stack[r*RowWidthBits +: RowWidthBits];
      end
    end
  end else begin : gen_row_words
    logic [RowWidthBits-1:0] word_q;
    always_ff @(posedge clk_i) word_q <= word;
    assign write_data = word_q;
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      write_q      <= 1'b0;
      write_addr_q <= '0;
    end else begin
      write_q <= accept && row_stored && keep;
      if (write_q) begin
        write_addr_q <= (write_addr_q == addr_t'(Total - 1)) ? '0 : write_addr_q + 1'b1;
      end
    end
  end

  // ---- rows --------------------------------------------------------------------------------

  logic row_release, frame_release, ready_q;
  rows_t rows_q, rows_d;

  always_comb begin
    rows_d = rows_q + rows_t'(row_done && row_stored);
    if (frame_release) rows_d = rows_d - rows_t'(Held);
    else if (row_release) rows_d = rows_d - rows_t'(Freed);
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      rows_q <= '0;
      full_q <= 1'b0;
      ready_q <= 1'b0;
    end else begin
      rows_q <= rows_d;
      full_q <= rows_d >= rows_t'(BufferRows);
      ready_q <= rows_d >= rows_t'(Held);
    end
  end

  // ---- reader ------------------------------------------------------------------------------

  logic inner_last, across_last, down_last, pass_last, part_last, out_column_last, out_row_last;
  logic line_done, window_done, part_done, column_done, row_end, in_row_q, first_q;
  addr_t column_q, part_base_q, column_base_q, kernel_base_q, row_base_q;
  addr_t next_part, next_column, next_row;

  logic [((Inner > 1) ? $clog2(Inner) : 1)-1:0] unused_inner;
  logic [((Across > 1) ? $clog2(Across) : 1)-1:0] unused_across;
  logic [((Down > 1) ? $clog2(Down) : 1)-1:0] unused_down;
  logic [((Passes > 1) ? $clog2(Passes) : 1)-1:0] unused_pass;
  logic [((Parts > 1) ? $clog2(Parts) : 1)-1:0] unused_part;
  logic [((OutColumns > 1) ? $clog2(OutColumns) : 1)-1:0] unused_out_column;
  logic [((OutRows > 1) ? $clog2(OutRows) : 1)-1:0] unused_out_row;

  loop_counter #(.Count(Inner)) u_inner (
    .clk_i, .rst_i, .step_i(issue_i), .last_o(inner_last), .count_o(unused_inner)
  );
  loop_counter #(.Count(Across)) u_across (
    .clk_i, .rst_i, .step_i(issue_i && inner_last), .last_o(across_last), .count_o(unused_across)
  );
  loop_counter #(.Count(Down)) u_down (
    .clk_i, .rst_i, .step_i(line_done), .last_o(down_last), .count_o(unused_down)
  );
  loop_counter #(.Count(Passes)) u_pass (
    .clk_i, .rst_i, .step_i(window_done), .last_o(pass_last), .count_o(unused_pass)
  );
  loop_counter #(.Count(Parts)) u_part (
    .clk_i, .rst_i, .step_i(part_done), .last_o(part_last), .count_o(unused_part)
  );
  loop_counter #(.Count(OutColumns)) u_out_column (
    .clk_i, .rst_i, .step_i(column_done), .last_o(out_column_last), .count_o(unused_out_column)
  );
  loop_counter #(.Count(OutRows)) u_out_row (
    .clk_i, .rst_i, .step_i(row_end), .last_o(out_row_last), .count_o(unused_out_row)
  );

  assign slot_o = in_row_q || ready_q;
  assign slot_last_o = inner_last && across_last && down_last;
  assign line_done = issue_i && inner_last && across_last;
  assign window_done = issue_i && slot_last_o;
  assign part_done = window_done && pass_last;
  assign column_done = part_done && part_last;
  assign row_end = column_done && out_column_last;
  assign row_release = row_end;
  assign frame_release = row_end && out_row_last;

  // One comparison with a constant beside one addition: no chain of two carries.
  function automatic addr_t advance(addr_t base, int unsigned rows);
    if (int'(base) >= int'(Total - rows * RowWords)) return base - addr_t'(Total - rows * RowWords);
    return base + addr_t'(rows * RowWords);
  endfunction

  assign next_part = part_base_q + (pass_last ? addr_t'(PartStep) : '0);
  assign next_column = column_base_q + addr_t'(ColumnStep);
  assign next_row = out_row_last ? advance(row_base_q, Held) : advance(row_base_q, Freed);

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_row_q      <= 1'b0;
      first_q       <= 1'b1;
      column_q      <= '0;
      part_base_q   <= '0;
      column_base_q <= '0;
      kernel_base_q <= '0;
      row_base_q    <= '0;
    end else if (issue_i) begin
      in_row_q <= !row_end;
      first_q  <= slot_last_o;
      if (!inner_last || !across_last) begin
        column_q <= column_q + ((Across > 1 && inner_last) ? addr_t'(AcrossStep) : addr_t'(1));
      end else if (!down_last) begin
        column_q      <= part_base_q;
        kernel_base_q <= advance(kernel_base_q, DownStep);
      end else if (!pass_last || !part_last) begin
        column_q      <= next_part;
        part_base_q   <= next_part;
        kernel_base_q <= row_base_q;
      end else if (!out_column_last) begin
        column_q      <= next_column;
        part_base_q   <= next_column;
        column_base_q <= next_column;
        kernel_base_q <= row_base_q;
      end else begin
        column_q      <= '0;
        part_base_q   <= '0;
        column_base_q <= '0;
        kernel_base_q <= next_row;
        row_base_q    <= next_row;
      end
    end
  end

  // ---- memory ------------------------------------------------------------------------------
  // A row is given back before its last word is read, but the writer needs two edges to get there.

  addr_t read_addr_q;
  logic [2:0] valid_pipe_q, first_pipe_q, last_pipe_q;

  sliced_ram #(
    .Width(WordWidth), .Depth(Total), .BlockRam(BlockRam)
  ) u_memory (
    .clk_i, .write_i(write_q), .write_addr_i(write_addr_q), .data_i(write_data),
    .read_addr_i(read_addr_q), .data_o
  );

  always_ff @(posedge clk_i) begin
    read_addr_q  <= kernel_base_q + column_q;
    first_pipe_q <= {first_pipe_q[1:0], first_q};
    last_pipe_q  <= {last_pipe_q[1:0], slot_last_o};
    if (rst_i) valid_pipe_q <= '0;
    else valid_pipe_q <= {valid_pipe_q[1:0], issue_i};
  end

  assign valid_o = valid_pipe_q[2];
  assign first_o = first_pipe_q[2];
  assign last_o = last_pipe_q[2];

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      assert (!issue_i || slot_o) else $error("window_buffer: issued without a slot");
      assert (!(write_q && valid_pipe_q[0] && write_addr_q == read_addr_q))
        else $error("window_buffer: a word is read while it is written");
    end
  end
`endif
endmodule
