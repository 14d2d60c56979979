// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Words of 64 bytes: what every copying unit does with them.
package iau_mem_pkg;
  /// X with every byte moved up by N places, the last ones to the front
  function automatic logic [511:0] rotate(input logic [511:0] x, input logic [5:0] n);
    logic [1023:0] twice;
    if (n == 6'd0) begin
      rotate = x;
    end else begin
      twice = {x, x} << {n, 3'd0};
      rotate = twice[1023:512];
    end
  endfunction

  /// Enables of N bytes (1..64) from byte AT on
  function automatic logic [63:0] bytes(input logic [5:0] at, input logic [6:0] n);
    bytes = (64'hffff_ffff_ffff_ffff >> (7'd64 - n)) << at;
  endfunction
endpackage
