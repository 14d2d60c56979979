// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The special functions and conversions of the vector unit, cut where its pipeline stages are. No
// branches, so that a loop over lanes vectorises in simulation.
//
// A special function is a piecewise quadratic: sfu_index() and sfu_offset() choose a segment and a
// place in it, the table gives {c0, c1, c2}, sfu_slope() and sfu_value() evaluate it, and
// sfu_result() puts it on its exponent, sfu_bias(). Where sfu_special(), sfu_bias() is the result.
package iau_sfu_pkg;

  /* verilator lint_off UNUSEDSIGNAL */
  // These functions cut numbers up; not every one needs every bit.

  localparam logic [31:0] FpNegInf = 32'hff800000;
  localparam logic [31:0] Fp127 = 32'h42fe0000;
  /// 1 / 127, rounded
  localparam logic [31:0] FpInv127 = 32'h3c010204;

  localparam logic [1:0] SfuExp2 = 2'd1;
  localparam logic [1:0] SfuRecip = 2'd2;  // and 3 is the reciprocal square root

  /// What a scratchpad receives: no subnormals, one NaN.
  function automatic logic [31:0] fp_canonical(input logic [31:0] x);
    logic [31:0] res;
    res = (x[30:23] == 8'd0) ? {x[31], 31'd0} : x;
    fp_canonical = (x[30:0] > 31'h7f800000) ? iau_fp_pkg::FpNan : res;
  endfunction

  /// Orders floats as the reductions do: -inf (and NaN) < ... < -0 < +0 < ...
  function automatic logic [31:0] fp_order_key(input logic [31:0] x);
    logic [31:0] val;
    val = (x[30:0] > 31'h7f800000) ? FpNegInf : x;
    fp_order_key = val[31] ? ~val : val | 32'h80000000;
  endfunction

  /// The inverse of fp_order_key()
  function automatic logic [31:0] fp_key_value(input logic [31:0] key);
    fp_key_value = key[31] ? {1'b0, key[30:0]} : ~key;
  endfunction

  /// The greater of x and y in that order; no subnormal
  function automatic logic [31:0] fp_greater(input logic [31:0] x, input logic [31:0] y);
    logic [31:0] a, b;
    a = fp_order_key(x);
    b = fp_order_key(y);
    fp_greater = fp_canonical(fp_key_value((a > b) ? a : b));
  endfunction

  /// |x|, a NaN giving 0
  function automatic logic [31:0] fp_magnitude(input logic [31:0] x);
    fp_magnitude = (x[30:0] > 31'h7f800000) ? 32'd0 : {1'b0, x[30:0]};
  endfunction

  /// To INT8, to nearest even, saturated to -128..127; NaN gives 0.
  function automatic logic [7:0] fp_to_i8(input logic [31:0] x);
    logic [31:0] shift, mant, whole;
    // The point is SHIFT places into the mantissa; with 25 or more nothing is left.
    shift = 32'd150 - 32'(x[30:23]);
    shift = (x[30:23] < 8'd125) ? 32'd25 : shift;
    mant = {8'd0, 1'b1, x[22:0]};
    whole = mant >> shift[4:0];
    mant = mant + (32'h7fffffff >> (5'd0 - shift[4:0])) + 32'(whole[0]);
    whole = mant >> shift[4:0];
    whole = (x[30:0] >= 31'h43000000) ? 32'd128 : whole;
    whole = (x[30:0] > 31'h7f800000) ? 32'd0 : whole;
    fp_to_i8 = x[31] ? 8'(-whole) : whole[7] ? 8'd127 : 8'(whole);
  endfunction

  /// To nearest even, fp16 subnormals included; NaN gives 7e00.
  function automatic logic [15:0] fp32_to_fp16(input logic [31:0] x);
    logic [31:0] norm, mant, shift, whole, sub;
    norm = {1'b0, x[30:0]} - 32'h38000000;
    norm = norm + 32'hfff + 32'(norm[13]);
    // A subnormal result has its point SHIFT places into the mantissa.
    shift = 32'd126 - 32'(x[30:23]);
    mant = {8'd0, 1'b1, x[22:0]};
    whole = mant >> shift[4:0];
    mant = mant + (32'h7fffffff >> (5'd0 - shift[4:0])) + 32'(whole[0]);
    sub = mant >> shift[4:0];
    sub = (x[30:0] < 31'h33000000) ? 32'd0 : sub;
    sub = (x[30:0] >= 31'h38800000) ? norm >> 13 : sub;
    sub = (x[30:0] >= 31'h477ff000) ? 32'h7c00 : sub;
    fp32_to_fp16 = (x[30:0] > 31'h7f800000) ? 16'h7e00 : {x[31], sub[14:0]};
  endfunction

  /// x with 23 fractional bits, truncated toward zero; |x| < 128
  function automatic logic [31:0] sfu_fixed(input logic [31:0] x);
    logic [31:0] mag, shift;
    shift = 32'd133 - 32'(x[30:23]);
    mag = {2'd0, 1'b1, x[22:0], 6'd0} >> shift[4:0];
    mag = (shift > 32'd31) ? 32'd0 : mag;
    sfu_fixed = x[31] ? -mag : mag;
  endfunction

  /// exp2 of FIX, the fixed-point form of x
  function automatic logic exp2_special(input logic [31:0] x, input logic [31:0] fix);
    exp2_special = (x[30:23] >= 8'd134) | (fix[31] & (fix < -32'd1056964608)); // -126.0
  endfunction

  function automatic logic [31:0] exp2_bias(input logic [31:0] x, input logic [31:0] fix);
    logic [31:0] res;
    res = {{23{fix[31]}}, fix[31:23]} + 32'd126;
    res = {res[8:0], 23'd0};
    res = exp2_special(x, fix) ? ((x[31]) ? 32'd0 : 32'h7f800000) : res;
    exp2_bias = (x[30:0] > 31'h7f800000) ? iau_fp_pkg::FpNan : res;
  endfunction

  function automatic logic recip_special(input logic [31:0] x);
    recip_special = (x[30:23] == 8'd0) | (x[30:23] == 8'hff);
  endfunction

  function automatic logic [31:0] recip_bias(input logic [31:0] x);
    logic [31:0] res;
    res = 32'd252 - 32'(x[30:23]);
    res = {res[8:0], 23'd0};
    res = (x[30:23] == 8'd0) ? {x[31], 31'h7f800000} : res;
    res = (x[30:23] == 8'hff) ? {x[31], 31'd0} : res;
    recip_bias = (x[30:0] > 31'h7f800000) ? iau_fp_pkg::FpNan : res;
  endfunction

  function automatic logic rsqrt_special(input logic [31:0] x);
    rsqrt_special = x[31] | (x[30:23] == 8'd0) | (x[30:23] == 8'hff);
  endfunction

  function automatic logic [31:0] rsqrt_bias(input logic [31:0] x);
    logic [31:0] res;
    res = 32'd377 + 32'({1'b0, ~x[23]}) - 32'(x[30:23]);
    res = {res[9:1], 23'd0};
    res = (x[30:23] == 8'hff) ? 32'd0 : res;
    res = x[31] ? iau_fp_pkg::FpNan : res;
    res = (x[30:23] == 8'd0) ? {x[31], 31'h7f800000} : res;
    rsqrt_bias = (x[30:0] > 31'h7f800000) ? iau_fp_pkg::FpNan : res;
  endfunction

  /// The slope at the offset: c1 + c2 u
  function automatic logic [24:0] sfu_slope(input logic [23:0] c1, input logic [17:0] c2,
                                            input logic [16:0] offset);
    logic signed [30:0] prod;
    prod = 31'($signed(c2)) * 31'($signed({1'b0, offset[16:5]}));
    sfu_slope = 25'($signed(c1)) + 25'($signed(prod[30:12]));
  endfunction

  /// c0 + slope u, rounded to 23 fractional bits
  function automatic logic [31:0] sfu_value(input logic [27:0] c0, input logic [24:0] slope,
                                            input logic [16:0] offset);
    logic signed [42:0] prod;
    logic [31:0] sum;
    prod = 43'($signed(slope)) * 43'($signed({1'b0, offset}));
    sum = {4'd0, c0} + {{6{prod[42]}}, prod[42:17]} + 32'd4;
    sfu_value = {3'd0, sum[31:3]};
  endfunction

  /// A result below the normal numbers (of the reciprocal) is zero.
  function automatic logic [31:0] sfu_result(input logic special, input logic sign,
                                             input logic [31:0] bias, input logic [31:0] value);
    logic [31:0] sum;
    sum = bias + value;
    sum = (sum[31] | (sum[31:23] == 9'd0)) ? 32'd0 : sum;
    sfu_result = special ? bias : {sum[31] | sign, sum[30:0]};
  endfunction

  // A sum of many numbers, in fixed point: bit 30 has the weight of the greatest exponent's mantissa, so that seven
  // bits lie below it. numerics.h has the definition.

  /// {NaN, -inf, +inf}
  function automatic logic [2:0] sum_special(input logic [31:0] x);
    logic inf;
    inf = x[30:0] == 31'h7f800000;
    sum_special = {x[30:0] > 31'h7f800000, inf & x[31], inf & ~x[31]};
  endfunction

  /// A number where the greatest exponent is EXP
  function automatic logic [31:0] sum_align(input logic [31:0] x, input logic [31:0] exp);
    logic [31:0] gap, mant;
    gap = exp - 32'(x[30:23]);
    mant = (x[30:23] == 8'd0) ? 32'd0 : {2'b01, x[22:0], 7'd0};
    mant = (gap > 32'd31) ? 32'd0 : mant >> gap[4:0];
    sum_align = x[31] ? -mant : mant;
  endfunction

  /// Its upper half
  function automatic logic [31:0] sum_high(input logic [31:0] x);
    sum_high = {{16{x[31]}}, x[31:16]};
  endfunction

  /// For fp_round(): all but the last place of the shift to the left
  function automatic logic [31:0] sum_frac(input logic [47:0] mag);
    logic [47:0] norm;
    norm = (mag[47:16] == 32'd0) ? mag << 32 : mag;
    norm = (norm[47:32] == 16'd0) ? norm << 16 : norm;
    norm = (norm[47:40] == 8'd0) ? norm << 8 : norm;
    norm = (norm[47:44] == 4'd0) ? norm << 4 : norm;
    norm = (norm[47:46] == 2'd0) ? norm << 2 : norm;
    sum_frac = {norm[47:17], norm[16:0] != 17'd0};
  endfunction

  function automatic logic [31:0] sum_kind(input logic [47:0] mag, input logic sign, input logic [31:0] exp,
                                           input logic [2:0] special);
    logic [47:0] norm;
    logic [5:0] lz;
    logic [31:0] kind;
    norm = mag;
    lz[5] = norm[47:16] == 32'd0;
    norm = lz[5] ? norm << 32 : norm;
    lz[4] = norm[47:32] == 16'd0;
    norm = lz[4] ? norm << 16 : norm;
    lz[3] = norm[47:40] == 8'd0;
    norm = lz[3] ? norm << 8 : norm;
    lz[2] = norm[47:44] == 4'd0;
    norm = lz[2] ? norm << 4 : norm;
    lz[1] = norm[47:46] == 2'd0;
    lz[0] = 1'b0;
    kind = ((exp + 32'd143 - 32'(lz)) << 23) | 32'(sign);
    kind = (special == 3'd1) ? iau_fp_pkg::FpKindInf : kind;
    kind = (special == 3'd2) ? iau_fp_pkg::FpKindInf | 32'd1 : kind;
    sum_kind = (special > 3'd2) ? iau_fp_pkg::FpKindNan : kind;
  endfunction

  /* verilator lint_on UNUSEDSIGNAL */
endpackage
