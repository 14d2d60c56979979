// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// fp32 arithmetic: round to nearest even, subnormals flushed to zero on input and on output (after
// rounding: what rounds up to the smallest normal is kept), every NaN the canonical 7fc00000.
// No branches, so that a loop over lanes vectorises in simulation.
package iau_fp_pkg;

  localparam logic [31:0] FpNan = 32'h7fc00000;
  localparam logic [31:0] FpOne = 32'h3f800000;

  // Products and sums are made of stages, for those who take a cycle for each. A function gives one
  // word of a stage. What the last one rounds are
  //
  //   frac: the mantissa in bits 31:8 or one bit lower; below it some bit is set if any was. All of it
  //         is 0 of a sum that is +0
  //   kind: the exponent in bits 31:23, 127 too large, of a mantissa in bits 30:7: below 128 the
  //         result underflows, from 382 on it overflows, or is a NaN if bit 22 is set; bit 0: sign

  // Each takes of its operands the bits that its word needs.
  /* verilator lint_off UNUSEDSIGNAL */

  localparam logic [31:0] FpKindInf = 32'd400 << 23;
  localparam logic [31:0] FpKindNan = FpKindInf | 32'h00400000;

  /// The last stage of a product and of a sum
  function automatic logic [31:0] fp_round(input logic [31:0] frac, input logic [31:0] kind);
    logic [31:0] norm, mag, res, over;
    norm = frac[31] ? frac : frac << 1;
    // Rounding may carry into the exponent.
    mag = ({1'b0, norm[30:0]} + 32'h7f + 32'(norm[8])) >> 8;
    mag = mag + (kind & 32'hff800000) + (32'(frac[31]) << 23);
    res = mag - (32'd127 << 23);
    res = (mag < (32'd128 << 23)) ? 32'd0 : res;
    res = res | (kind << 31);
    res = (frac[31:30] == 2'd0) ? 32'd0 : res;
    over = (kind << 31) | 32'h7f800000 | (kind & 32'h00400000);
    fp_round = (mag >= (32'd382 << 23)) ? over : res;
  endfunction

  /// x * y, first of two stages
  function automatic logic [31:0] fp_mul_frac(input logic [31:0] x, input logic [31:0] y);
    logic [47:0] prod;
    logic [31:0] low;
    prod = 48'({1'b1, x[22:0]}) * 48'({1'b1, y[22:0]});
    // What is below the upper 32 bits is or'ed into their last one: the carry of it and all ones.
    low = 32'(prod[15:0]);
    fp_mul_frac = prod[47:16] | ((low + 32'hffff) >> 16);
  endfunction

  /// x * y, first of two stages
  function automatic logic [31:0] fp_mul_kind(input logic [31:0] x, input logic [31:0] y);
    logic zero, inf, nan;
    logic [31:0] kind, ex, ey;
    // exponents where they are: nothing is shifted
    ex = x & 32'h7f800000;
    ey = y & 32'h7f800000;
    zero = (ex == 32'd0) | (ey == 32'd0);
    inf = (ex == 32'h7f800000) | (ey == 32'h7f800000);
    nan = (x[30:0] > 31'h7f800000) | (y[30:0] > 31'h7f800000) | (inf & zero);
    kind = zero ? 32'd0 : ex + ey;
    kind = inf ? FpKindInf : kind;
    fp_mul_kind = nan ? FpKindNan : kind | ((x ^ y) >> 31);
  endfunction

  /// x * y
  function automatic logic [31:0] fp_mul(input logic [31:0] x, input logic [31:0] y);
    fp_mul = fp_round(fp_mul_frac(x, y), fp_mul_kind(x, y));
  endfunction

  /// x + y, first of three stages: the one of the greater magnitude
  function automatic logic [31:0] fp_add_big(input logic [31:0] x, input logic [31:0] y);
    fp_add_big = (y[30:0] > x[30:0]) ? y : x;
  endfunction

  /// x + y, first of three stages: in bits 30:0 the mantissa of the other one, with the big one's
  /// exponent: 24 bits and seven below, what is shifted out further or'ed into the last one; in bit 31
  /// whether the signs differ
  function automatic logic [31:0] fp_add_less(input logic [31:0] x, input logic [31:0] y);
    logic swap, far;
    logic [30:0] big, low;
    logic [31:0] mant, out;
    logic [7:0] gap;
    swap = y[30:0] > x[30:0];
    big = swap ? y[30:0] : x[30:0];
    low = swap ? x[30:0] : y[30:0];
    gap = big[30:23] - low[30:23];
    far = gap > 8'd31;
    mant = (low[30:23] == 8'd0) ? 32'd0 : {2'b01, low[22:0], 7'd0};
    out = far ? mant : (mant << 1) << ~gap[4:0];
    mant = far ? 32'd0 : mant >> gap[4:0];
    fp_add_less = mant | 32'(out != 32'd0) | ((x ^ y) & 32'h80000000);
  endfunction

  /// The sum of both mantissas
  function automatic logic [31:0] fp_add_mant(input logic [31:0] big, input logic [31:0] less);
    logic [31:0] mb, ml;
    mb = {2'b01, big[22:0], 7'd0};
    ml = less & 32'h7fffffff;
    fp_add_mant = less[31] ? mb - ml : mb + ml;
  endfunction

  /// x + y, second of three stages
  function automatic logic [31:0] fp_add_frac(input logic [31:0] big, input logic [31:0] less);
    logic [31:0] norm;
    norm = fp_add_mant(big, less);
    norm = (norm[31:16] == 16'd0) ? norm << 16 : norm;
    norm = (norm[31:24] == 8'd0) ? norm << 8 : norm;
    norm = (norm[31:28] == 4'd0) ? norm << 4 : norm;
    fp_add_frac = (norm[31:30] == 2'd0) ? norm << 2 : norm;
  endfunction

  /// x + y, second of three stages
  function automatic logic [31:0] fp_add_kind(input logic [31:0] big, input logic [31:0] less);
    logic zero, inf, nan;
    logic [31:0] sum, norm, sign, kind, exp;
    logic [4:0] lz;
    sum = fp_add_mant(big, less);
    norm = sum;
    lz[4] = norm[31:16] == 16'd0;
    norm = lz[4] ? norm << 16 : norm;
    lz[3] = norm[31:24] == 8'd0;
    norm = lz[3] ? norm << 8 : norm;
    lz[2] = norm[31:28] == 4'd0;
    norm = lz[2] ? norm << 4 : norm;
    lz[1] = norm[31:30] == 2'd0;
    lz[0] = 1'b0;
    exp = big & 32'h7f800000;
    zero = exp == 32'd0;
    inf = exp == 32'h7f800000;
    // Infinities of both signs leave the lesser one's mantissa where it is.
    nan = (big[30:0] > 31'h7f800000) | (inf & less[31] & less[30]);
    kind = exp + (32'd127 << 23) - (32'(lz) << 23);
    kind = inf ? FpKindInf : kind;
    sign = big & ~(zero ? less : 32'd0);
    kind = kind | (sign >> 31);
    fp_add_kind = nan ? FpKindNan : kind;
  endfunction

  /// x + y
  function automatic logic [31:0] fp_add(input logic [31:0] x, input logic [31:0] y);
    logic [31:0] big, less;
    big = fp_add_big(x, y);
    less = fp_add_less(x, y);
    fp_add = fp_round(fp_add_frac(big, less), fp_add_kind(big, less));
  endfunction

  /* verilator lint_on UNUSEDSIGNAL */

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
