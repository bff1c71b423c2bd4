// SPDX-License-Identifier: Apache-2.0
//
// Our model, for simulation only, of what the block RAMs of Gowin's GW2A have in common: 2048 units
// of eight or nine bits behind two ports, each of several units, of one, or of 1, 2 or 4 bits of one.
// Reads are registered and not piped. Of several units those are written that the low bits of the
// address name. A port that writes keeps what it last read, shows what it writes, or what was there
// before. Source: Gowin UG285E, "Gowin BSRAM & SSRAM User Guide"; the layout of initial values is
// that of Yosys 0.70, share/gowin/brams_map.v.

module gowin_ram #(
  parameter int unsigned Unit = 9,
  parameter int unsigned WidthA = 36,
  parameter int unsigned WidthB = 36,
  parameter logic [1:0] ModeA = 2'b00,
  parameter logic [1:0] ModeB = 2'b00,
  parameter bit AsyncReset = 0,
  parameter logic [2048*Unit-1:0] Init = (2048*Unit)'(0)
) (
  input  logic clk_a_i, enable_a_i, write_a_i, reset_a_i,
  input  logic [13:0] address_a_i,
  input  logic [35:0] data_a_i,
  output logic [35:0] data_a_o,
  input  logic clk_b_i, enable_b_i, write_b_i, reset_b_i,
  input  logic [13:0] address_b_i,
  input  logic [35:0] data_b_i,
  output logic [35:0] data_b_o
);
  localparam int unsigned UnitsA = (WidthA + Unit - 1) / Unit;
  localparam int unsigned UnitsB = (WidthB + Unit - 1) / Unit;
  localparam logic [1:0] Through = 2'b01, Before = 2'b10;

  logic [Unit-1:0] mem [2048];
  logic [10:0] first_a, first_b;
  logic clear_a, clear_b;

  initial begin
    for (int unsigned i = 0; i < 2048; i++) mem[i] = Init[Unit*i +: Unit];
    data_a_o = '0;
    data_b_o = '0;
  end

  // The place of fewer bits than a unit in it.
  function automatic logic [2:0] place(int unsigned width, logic [13:0] address);
    return address[2:0] & 3'(~(width - 1));
  endfunction

  assign clear_a = AsyncReset && reset_a_i;
  assign clear_b = AsyncReset && reset_b_i;
  assign first_a = address_a_i[13:3] & 11'(~(UnitsA - 1));
  assign first_b = address_b_i[13:3] & 11'(~(UnitsB - 1));

  always_ff @(posedge clk_a_i) begin
    if (enable_a_i && write_a_i && WidthA < Unit) begin
      for (int unsigned b = 0; b < WidthA; b++) begin
        mem[first_a][place(WidthA, address_a_i) + 3'(b)] <= data_a_i[b];
      end
    end else if (enable_a_i && write_a_i) begin
      for (int unsigned unit = 0; unit < UnitsA; unit++) begin
        if (UnitsA == 1 || address_a_i[unit]) begin
          mem[first_a + 11'(unit)] <= data_a_i[Unit*unit +: Unit];
        end
      end
    end
  end

  always_ff @(posedge clk_a_i or posedge clear_a) begin
    if (clear_a || reset_a_i) begin
      data_a_o <= '0;
    end else if (enable_a_i && write_a_i && ModeA != Before) begin
      if (ModeA == Through) data_a_o <= data_a_i;
    end else if (enable_a_i && WidthA < Unit) begin
      data_a_o <= 36'(mem[first_a] >> place(WidthA, address_a_i)) & 36'((1 << WidthA) - 1);
    end else if (enable_a_i) begin
      for (int unsigned unit = 0; unit < UnitsA; unit++) begin
        data_a_o[Unit*unit +: Unit] <= mem[first_a + 11'(unit)];
      end
    end
  end

  always_ff @(posedge clk_b_i) begin
    if (enable_b_i && write_b_i && WidthB < Unit) begin
      for (int unsigned b = 0; b < WidthB; b++) begin
        mem[first_b][place(WidthB, address_b_i) + 3'(b)] <= data_b_i[b];
      end
    end else if (enable_b_i && write_b_i) begin
      for (int unsigned unit = 0; unit < UnitsB; unit++) begin
        if (UnitsB == 1 || address_b_i[unit]) begin
          mem[first_b + 11'(unit)] <= data_b_i[Unit*unit +: Unit];
        end
      end
    end
  end

  always_ff @(posedge clk_b_i or posedge clear_b) begin
    if (clear_b || reset_b_i) begin
      data_b_o <= '0;
    end else if (enable_b_i && write_b_i && ModeB != Before) begin
      if (ModeB == Through) data_b_o <= data_b_i;
    end else if (enable_b_i && WidthB < Unit) begin
      data_b_o <= 36'(mem[first_b] >> place(WidthB, address_b_i)) & 36'((1 << WidthB) - 1);
    end else if (enable_b_i) begin
      for (int unsigned unit = 0; unit < UnitsB; unit++) begin
        data_b_o[Unit*unit +: Unit] <= mem[first_b + 11'(unit)];
      end
    end
  end
endmodule
