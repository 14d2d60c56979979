// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Words of 64 bytes: what every copying unit does with them.
package iau_mem_pkg;
  /// X with every byte moved up by N places, the last ones to the front
  function automatic logic [511:0] rotate(input logic [511:0] x, input logic [5:0] n);
    // two shifts: Verilator 5.032 shifts a concatenation in place, over what it has yet to read
    logic [511:0] up, down;
`ifndef SYNTHESIS
    if (n == 6'd0) rotate = x;  // what a simulator sees most of the time
    else
`endif
    begin
      up = x << {n, 3'd0};
      down = x >> (10'd512 - {1'b0, n, 3'd0});
      rotate = up | down;
    end
  endfunction

  /// Enables of N bytes (1..64) from byte AT on
  function automatic logic [63:0] bytes(input logic [5:0] at, input logic [6:0] n);
    bytes = (64'hffff_ffff_ffff_ffff >> (7'd64 - n)) << at;
  endfunction

  /// The bits of a word of four bytes that these enables enable
  function automatic logic [31:0] mask(input logic [3:0] be);
    logic [31:0] m;
    m = {28'd0, be};
    m = (m | m << 14) & 32'h00030003;
    m = (m | m << 7) & 32'h01010101;
    m = m | m << 1;
    m = m | m << 2;
    mask = m | m << 4;
  endfunction

  /// Four bits of each byte become its upper four: the lower ones, less 8, or the upper ones; with 8 below
  function automatic logic [511:0] unpack(input logic [511:0] x, input logic upper);
    for (int unsigned i = 0; i < 64; i++) begin
      unpack[8*i+:8] = {upper ? x[8*i+4+:4] : {~x[8*i+3], x[8*i+:3]}, 4'd8};
    end
  endfunction
endpackage
