// SPDX-License-Identifier: Apache-2.0
//
// One step of a pooling: each of `Lanes` channels takes an element to its maximum or sum so far.
// No registers. An element marked first starts anew.

module pool_step #(
  parameter bit          Maximum = 1'b1,  // or the sum
  parameter int unsigned Width = 8,
  parameter bit          Signed = 1'b0,
  parameter int unsigned Lanes = 1,
  parameter int unsigned OutWidth = 8
) (
  input  logic                      first_i,
  input  logic [Lanes*Width-1:0]    x_i,
  input  logic [Lanes*OutWidth-1:0] old_i,
  output logic [Lanes*OutWidth-1:0] new_o
);
  for (genvar i = 0; i < Lanes; i++) begin : gen_lane
    logic [OutWidth-1:0] value, old;

    assign old = old_i[i*OutWidth +: OutWidth];
    if (Signed) begin : gen_signed
      assign value = OutWidth'(signed'(x_i[i*Width +: Width]));
    end else begin : gen_unsigned
      assign value = OutWidth'(x_i[i*Width +: Width]);
    end

    if (Maximum) begin : gen_maximum
      logic larger;
      if (Signed) begin : gen_signed_order
        assign larger = signed'(value) > signed'(old);
      end else begin : gen_unsigned_order
        assign larger = value > old;
      end
      assign new_o[i*OutWidth +: OutWidth] = (first_i || larger) ? value : old;
    end else begin : gen_sum
      assign new_o[i*OutWidth +: OutWidth] = (first_i ? '0 : old) + value;
    end
  end
endmodule
