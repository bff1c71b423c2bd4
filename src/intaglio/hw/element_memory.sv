// SPDX-License-Identifier: Apache-2.0
//
// A memory of elements that reads and writes `Lanes` neighbors at any address at once: element e
// lies in bank e % Lanes, and what passes is rotated. Addresses go around at the end.
//
// A read gives its elements 4 edges later. What is written can be read by an address that comes 2
// edges later or more.

module element_memory #(
  parameter int unsigned Lanes = 2,  // a power of two
  parameter int unsigned Width = 8,
  parameter int unsigned Rows = 512, // elements a bank, a power of two
  localparam int unsigned AddrWidth = $clog2(Lanes * Rows)
) (
  input  logic                   clk_i,
  input  logic                   write_i,
  input  logic [AddrWidth-1:0]   write_addr_i,
  input  logic [Lanes-1:0]       mask_i,  // elements to write
  input  logic [Lanes*Width-1:0] data_i,
  input  logic [AddrWidth-1:0]   read_addr_i,
  output logic [Lanes*Width-1:0] data_o
);
  localparam int unsigned LaneBits = $clog2(Lanes);
  localparam int unsigned RowBits = $clog2(Rows);

  if (Lanes < 2 || (Lanes & (Lanes - 1)) != 0 || Rows < 2 || (Rows & (Rows - 1)) != 0)
  begin : gen_check
    $fatal(1, "element_memory: Lanes and Rows must be powers of two of at least 2");
  end

  logic [LaneBits-1:0] write_turn, read_turn, read_turn_qqq;
  logic [Lanes*(Width+1)-1:0] entered, placed, placed_q;
  logic [Lanes*Width-1:0] found;

  assign write_turn = write_addr_i[LaneBits-1:0];
  assign read_turn = read_addr_i[LaneBits-1:0];

  delay #(.Width(LaneBits), .Stages(3)) u_turn (
    .clk_i, .data_i(read_turn), .data_o(read_turn_qqq)
  );
  lane_rotator #(.Lanes(Lanes), .Width(Width + 1)) u_place (
    .amount_i(write_turn), .data_i(entered), .data_o(placed)
  );
  always_ff @(posedge clk_i) placed_q <= placed;

  for (genvar b = 0; b < Lanes; b++) begin : gen_bank
    logic [RowBits-1:0] write_row_q, read_row_q;
    logic write_next, read_next;  // banks before the first element hold some of the row below

    assign entered[b*(Width+1) +: Width+1] = {write_i && mask_i[b], data_i[b*Width +: Width]};

    if (b == Lanes - 1) begin : gen_last
      assign {write_next, read_next} = '0;
    end else begin : gen_before
      assign write_next = LaneBits'(b) < write_turn;
      assign read_next = LaneBits'(b) < read_turn;
    end
    always_ff @(posedge clk_i) begin
      write_row_q <= write_addr_i[AddrWidth-1:LaneBits] + RowBits'(write_next);
      read_row_q  <= read_addr_i[AddrWidth-1:LaneBits] + RowBits'(read_next);
    end

    sliced_ram #(.Width(Width), .Depth(Rows), .BlockRam(1'b1)) u_ram (
      .clk_i, .write_i(placed_q[b*(Width+1) + Width]), .write_addr_i(write_row_q),
      .data_i(placed_q[b*(Width+1) +: Width]),
      .read_addr_i(read_row_q), .data_o(found[b*Width +: Width])
    );
  end

  logic [Lanes*Width-1:0] ordered;
  lane_rotator #(.Lanes(Lanes), .Width(Width), .Down(1'b1)) u_order (
    .amount_i(read_turn_qqq), .data_i(found), .data_o(ordered)
  );
  always_ff @(posedge clk_i) data_o <= ordered;
endmodule
