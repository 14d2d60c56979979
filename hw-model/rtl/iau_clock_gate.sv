// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Clock gate: clk_o follows clk_i in cycles that begin with en_i. A unit without work then costs
// neither power nor simulation time.
module iau_clock_gate (
  input  logic clk_i,
  input  logic en_i,
  output logic clk_o
);
  logic en_q;

  // Transparent while the clock is low, so that the pulse is never cut.
  always_latch if (!clk_i) en_q = en_i;
  assign clk_o = clk_i & en_q;
endmodule
