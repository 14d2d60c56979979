// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// fp32 arithmetic: round to nearest even, subnormals flushed to zero on input and on output (after
// rounding: what rounds up to the smallest normal is kept), every NaN the canonical 7fc00000.
// No branches, so that a loop over lanes vectorises in simulation.
package iau_fp_pkg;

  localparam logic [31:0] FpNan = 32'h7fc00000;
  localparam logic [31:0] FpOne = 32'h3f800000;

  /// x * y
  function automatic logic [31:0] fp_mul(input logic [31:0] x, input logic [31:0] y);
    logic zero, inf, nan;
    logic [47:0] prod;
    logic [31:0] sign, low, high, norm, mag, res;
    zero = (x[30:23] == 8'd0) | (y[30:23] == 8'd0);
    inf = (x[30:23] == 8'hff) | (y[30:23] == 8'hff);
    nan = (x[30:0] > 31'h7f800000) | (y[30:0] > 31'h7f800000) | (inf & zero);
    sign = (x ^ y) & 32'h80000000;
    prod = 48'({1'b1, x[22:0]}) * 48'({1'b1, y[22:0]});
    // Words of 32 bits from here on. What is below the upper 32 is or'ed into their last one, as the
    // carry of it and all ones.
    high = prod[47:16];
    low = 32'(prod[15:0]);
    norm = high[31] ? high : high << 1;
    norm = norm | ((low + 32'hffff) >> 16);
    // The exponent is 127 too large, and rounding may carry into it: below 128 the product
    // underflows, from 382 on it overflows.
    mag = ({1'b0, norm[30:0]} + 32'h7f + 32'(norm[8])) >> 8;
    mag = mag + ((32'(x[30:23]) + 32'(y[30:23]) + 32'(high[31])) << 23);
    res = mag - (32'd127 << 23);
    res = ((mag < (32'd128 << 23)) | zero) ? 32'd0 : res;
    res = ((mag >= (32'd382 << 23)) | inf) ? 32'h7f800000 : res;
    fp_mul = nan ? FpNan : res | sign;
  endfunction

  /// x + y
  function automatic logic [31:0] fp_add(input logic [31:0] x, input logic [31:0] y);
    logic x_zero, y_zero, inf, nan, swap, sub, sticky, round;
    logic [31:0] big, mb, ms, msh, sum, norm, mag, res;
    logic [30:0] low;
    logic [7:0] gap;
    logic [4:0] lz;
    x_zero = x[30:23] == 8'd0;
    y_zero = y[30:23] == 8'd0;
    swap = y[30:0] > x[30:0];
    big = swap ? y : x;
    low = swap ? x[30:0] : y[30:0];
    sub = x[31] ^ y[31];
    inf = big[30:23] == 8'hff;
    nan = (big[30:0] > 31'h7f800000) | (sub & (low == 31'h7f800000));
    // 24 bits of mantissa, 7 below; what is shifted out further is or'ed into the last bit.
    gap = big[30:23] - low[30:23];
    mb = {2'b01, big[22:0], 7'd0};
    ms = (x_zero | y_zero) ? 32'd0 : {2'b01, low[22:0], 7'd0};
    msh = (gap > 8'd31) ? 32'd0 : ms >> gap[4:0];
    sticky = (gap > 8'd31) ? (ms != 32'd0) : ((msh << gap[4:0]) != ms);
    sum = (sub ? mb - msh - 32'(sticky) : mb + msh) | 32'(sticky);
    norm = sum;
    lz[4] = norm[31:16] == 16'd0;
    norm = lz[4] ? norm << 16 : norm;
    lz[3] = norm[31:24] == 8'd0;
    norm = lz[3] ? norm << 8 : norm;
    lz[2] = norm[31:28] == 4'd0;
    norm = lz[2] ? norm << 4 : norm;
    lz[1] = norm[31:30] == 2'd0;
    norm = lz[1] ? norm << 2 : norm;
    lz[0] = norm[31] == 1'b0;
    norm = lz[0] ? norm << 1 : norm;
    round = norm[7] & ((norm[6:0] != 7'd0) | norm[8]);
    // The exponent is 32 too large.
    mag = {9'(big[30:23]) + 9'd33 - 9'(lz), norm[30:8]} + 32'(round);
    res = {big[31], 31'(mag - (32'd32 << 23))};
    res = (mag < (32'd33 << 23)) ? {big[31], 31'd0} : res;
    res = ((mag >= (32'd287 << 23)) | inf) ? {big[31], 8'hff, 23'd0} : res;
    res = (sum == 32'd0) ? 32'd0 : res;
    res = (x_zero & y_zero) ? {x[31] & y[31], 31'd0} : res;
    fp_add = nan ? FpNan : res;
  endfunction

  /// A signed integer of at most 24 bits of magnitude, exactly
  function automatic logic [31:0] fp_i2f(input logic [31:0] x);
    logic [31:0] norm;
    logic [4:0] lz;
    norm = x[31] ? -x : x;
    lz[4] = norm[31:16] == 16'd0;
    norm = lz[4] ? norm << 16 : norm;
    lz[3] = norm[31:24] == 8'd0;
    norm = lz[3] ? norm << 8 : norm;
    lz[2] = norm[31:28] == 4'd0;
    norm = lz[2] ? norm << 4 : norm;
    lz[1] = norm[31:30] == 2'd0;
    norm = lz[1] ? norm << 2 : norm;
    lz[0] = norm[31] == 1'b0;
    norm = lz[0] ? norm << 1 : norm;
    fp_i2f = (x == 32'd0) ? 32'd0 : {x[31], 8'(32'd158 - 32'(lz)), norm[30:8]};
  endfunction

  /// Exact, fp16 subnormals included
  function automatic logic [31:0] fp16_to_fp32(input logic [15:0] x);
    logic [31:0] sub, res;
    sub = fp_i2f({22'd0, x[9:0]});
    sub = (x[9:0] == 10'd0) ? 32'd0 : sub - 32'h0c000000;
    res = {1'b0, 8'(x[14:10]) + 8'd112, x[9:0], 13'd0};
    res = (x[14:10] == 5'd0) ? sub : res;
    res = (x[14:10] == 5'd31) ? 32'h7f800000 : res;
    fp16_to_fp32 = (x[14:0] > 15'h7c00) ? FpNan : {x[15], res[30:0]};
  endfunction

endpackage
