// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The arithmetic of the vector unit: a vector of 32 columns enters with every VEC_VALID_I and moves
// one stage with every ADV_I.
//
//    0       operands
//    1.. 2   M1                 as the next two and M2, only of commands that have it
//    3.. 4   A1, if a sum: all but its rounding
//    5       A1, mask
//    6..10   special function
//   11..12   M2; 12 alone takes what has none
//   13..15   INT8: largest magnitude   16..19 its reciprocal   20..21 factor, scale   22..23 product
//            then D
//
// A reduction has stages of its own beside those of M2 and INT8. Maxima: 1..5 of a vector, 6 of a row. Sums: 1..2
// the greatest exponent, 3 all are shifted to it, 4..5 their sum, 6 that of the row, 7..8 back to fp32. Then R.
//
// What a vector needs later on, on a way that is longer or shorter, waits for it in memories: M2's operand from stage
// 0 on, and what INT8 multiplies from stage 12 on.
//
// All stages are in one process, last stage first and with blocking assignments: a stage reads what
// the one before it held, and its loop over lanes vectorises in simulation. What leaves the module
// is assigned without blocking. Words of a wide vector are taken out by loops that do nothing else, and that count
// in 64 bits: a counter of the words' own type might lie among them for all that the compiler knows.
module iau_vec_lanes (
  input  logic          clk_i,
  input  logic          rst_ni,
  input  logic          adv_i,        // the pipeline moves
  /* verilator lint_off UNUSEDSIGNAL */
  // Each part of the unit takes its fields of the command.
  input  iau_hw_pkg::vec_t cmd_i,     // constant while busy
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic          use_b_i,
  input  logic [31:0]   last_live_i,  // lanes in use in the last vector of a row

  // A vector, in the cycle after its reads were granted; only with ADV_I
  input  logic          vec_valid_i,
  input  logic          vec_first_i,  // of its row
  input  logic          vec_last_i,
  input  logic [1:0]    vec_quarter_i,
  input  logic [4:0]    vec_word_i,
  input  logic [31:0]   vec_s_i,
  input  logic [31:0]   vec_masked_i,
  input  logic          a_capture_i,  // the port's data has to wait for the other operand
  input  logic          a_held_i,     // the operand is the data captured before
  input  logic [1023:0] a_rdata_i,
  input  logic          b_capture_i,
  input  logic          b_held_i,
  input  logic [1023:0] b_rdata_i,

  // D, ready in the next cycle if D_NEXT_O
  output logic          d_next_o,
  output logic          d_valid_o,
  output logic [1023:0] d_data_o,
  output logic [31:0]   d_scale_o,

  // R; OLD_I is the value found there, taken with the first vector of a row
  output logic          r_next_o,
  output logic          r_valid_o,
  output logic [63:0]   r_data_o,
  output logic          old_pop_o,
  input  logic [63:0]   old_i,

  output logic          busy_o
);

  localparam int unsigned Stages = 24;
  localparam logic [31:0] KeyNegInf = 32'h007fffff;
  localparam logic [31:0] KeyZero = 32'h80000000;

  // One table of {c0, c1, c2}: 64 segments of exp2, 64 of the reciprocal, 128 of the root.
  logic [27:0] rom_c0 [256];
  logic [23:0] rom_c1 [256];
  logic [17:0] rom_c2 [256];
  initial begin
    for (int unsigned i = 0; i < 64; i++) begin
      {rom_c0[i], rom_c1[i], rom_c2[i]} = iau_hw_pkg::rom_exp2(i[5:0]);
      {rom_c0[64 + i], rom_c1[64 + i], rom_c2[64 + i]} = iau_hw_pkg::rom_recip(i[5:0]);
    end
    for (int unsigned i = 0; i < 128; i++) begin
      {rom_c0[128 + i], rom_c1[128 + i], rom_c2[128 + i]} = iau_hw_pkg::rom_rsqrt(i[6:0]);
    end
  end

  logic is_q8, is_sum, is_abs, quant_valid, has_m1, has_a1, has_add, has_sfu, has_m2;

  assign is_q8 = cmd_i.out >= 3'd2;
  assign is_sum = cmd_i.red == 2'd1;
  assign is_abs = (cmd_i.red == 2'd2) & ~cmd_i.red_max;
  assign quant_valid = is_q8 & (cmd_i.out != 3'd4);
  assign has_m1 = cmd_i.m1 != 3'd0;
  assign has_a1 = cmd_i.a1 != 2'd0;
  assign has_add = has_a1 & ~cmd_i.a1_max;
  assign has_sfu = cmd_i.sfu != 2'd0;
  assign has_m2 = cmd_i.m2 != 2'd0;

  // Vectors on their way: X after M1, Z after the function, Y before M2's last stage
  logic [Stages-1:0] valid_q;
  logic [8:1]        red_valid_q, red_last_q;
  logic [5:1]        red_first_q;
  logic              z_first, z_last;
  logic              x_valid, z5_valid, z_valid, y_valid, keep;
  // Places in the memories: of what enters, of the next Z, of Y to be kept and to be multiplied
  logic [3:0]        in_q, z_at_q, keep_q, kept_at_q;

  assign x_valid = has_m1 ? valid_q[2] : valid_q[0];
  assign z5_valid = has_add ? valid_q[4] : x_valid;
  assign z_valid = has_sfu ? valid_q[10] : valid_q[5];
  assign y_valid = has_m2 ? valid_q[11] : z_valid;
  assign keep = is_q8 & valid_q[12];
  assign d_next_o = adv_i & ((cmd_i.out == 3'd1) ? valid_q[12] : valid_q[23]);
  assign r_next_o = adv_i & (is_sum ? red_valid_q[8] & red_last_q[8] : red_valid_q[6] & red_last_q[6]);
  assign old_pop_o = adv_i & red_valid_q[4] & red_first_q[4];
  assign busy_o = (|valid_q) | (|red_valid_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      red_valid_q <= '0;
      d_valid_o <= 1'b0;
      r_valid_o <= 1'b0;
      in_q <= '0;
      z_at_q <= '0;
      keep_q <= '0;
      kept_at_q <= '0;
    end else begin
      if (adv_i) begin
        valid_q <= {valid_q[22:13], keep, (cmd_i.out != 3'd0) & y_valid, has_m2 & z_valid,
                    valid_q[9:6], has_sfu & valid_q[5], z5_valid, valid_q[3], has_add & x_valid,
                    valid_q[1], has_m1 & valid_q[0], vec_valid_i};
        red_valid_q <= {red_valid_q[7:1], (cmd_i.red != 2'd0) & z_valid};
        in_q <= in_q + 4'(vec_valid_i);
        z_at_q <= z_at_q + 4'(z_valid);
        keep_q <= keep_q + 4'(keep);
        kept_at_q <= kept_at_q + 4'(valid_q[21]);
      end
      d_valid_o <= d_next_o;
      r_valid_o <= r_next_o;
    end
  end

  always_ff @(posedge clk_i) begin
    if (adv_i) begin
      red_first_q <= {red_first_q[4:1], z_first};
      red_last_q <= {red_last_q[7:1], z_last};
    end
  end

  // Registers are named after what they hold and the stage that writes them.
  logic [1023:0] a_hold_q, b_hold_q;
  logic [31:0] x0_q [32];
  logic [31:0] b0_q [32];
  logic [31:0] s0_q;
  logic [31:0] add0_q [32];
  logic [31:0] add1_q [32];
  logic [31:0] add2_q [32];
  logic [31:0] frac1_q [32];
  logic [31:0] kind1_q [32];
  logic [31:0] x2_q [32];
  logic [31:0] big3_q [32];
  logic [31:0] less3_q [32];
  logic [31:0] frac4_q [32];
  logic [31:0] kind4_q [32];
  logic [31:0] z5_q [32];
  logic [31:0] masked0_q, masked1_q, masked2_q, masked3_q, masked4_q;

  logic [31:0] bias6_q [32];
  logic [31:0] bias7_q [32];
  logic [31:0] bias8_q [32];
  logic [31:0] bias9_q [32];
  logic [1:0]  flags6_q [32];  // the bias is the result; the result is negative
  logic [1:0]  flags7_q [32];
  logic [1:0]  flags8_q [32];
  logic [24:0] place6_q [32];  // segment and offset
  logic [1:0]  flags9_q [32];
  logic [27:0] c0_7_q [32];
  logic [27:0] c0_8_q [32];
  logic [23:0] c1_7_q [32];
  logic [17:0] c2_7_q [32];
  logic [24:0] slope8_q [32];
  logic [16:0] offset7_q [32];
  logic [16:0] offset8_q [32];
  logic [31:0] value9_q [32];
  logic [31:0] z10_q [32];
  logic [31:0] frac11_q [32];
  logic [31:0] kind11_q [32];
  logic [31:0] live11_q;
  logic [31:0] y12_q [32];

  // Memories: B and the scalar for M2, whether last and first of a row; Y
  logic [1023:0] b_mem_q [16];
  logic [31:0]   s_mem_q [16];
  logic [1:0]    ends_mem_q [16];
  logic [1023:0] y_mem_q [16];
  assign {z_last, z_first} = ends_mem_q[z_at_q];

  // INT8
  logic [31:0] amax13_q [8];
  logic [31:0] amax14_q [2];
  logic [31:0] amax15_q, amax16_q, amax17_q, amax18_q, amax19_q, bias16_q, bias17_q, bias18_q;
  logic [31:0] value18_q, recip19_q;
  logic [27:0] c0_16_q, c0_17_q;
  logic [23:0] c1_16_q;
  logic [17:0] c2_16_q;
  logic [24:0] slope17_q;
  logic [16:0] offset16_q, offset17_q;
  logic        special16_q, special17_q, special18_q;
  logic [31:0] factor_frac20_q, factor_kind20_q, scale_frac20_q, scale_kind20_q;
  logic [31:0] factor21_q, scale21_q, scale22_q, scale23_q;
  logic [31:0] frac22_q [32];
  logic [31:0] kind22_q [32];
  logic [31:0] p23_q [32];

  // Maxima: keys, lanes, and where a row begins
  logic [31:0] t1_q [16];
  logic [31:0] t2_q [8];
  logic [31:0] t3_q [4];
  logic [31:0] t4_q [2];
  logic [31:0] t5_q, begin5_q, best6_q;
  logic [4:0]  i1_q [16];
  logic [4:0]  i2_q [8];
  logic [4:0]  i3_q [4];
  logic [4:0]  i4_q [2];
  logic [4:0]  i5_q;
  logic [31:0] begin_index5_q, column6_q, index6_q;

  // Sums: numbers, exponents, what is not finite, sums in halves of 16 bits. TOP is the greatest exponent of
  // the row; OLD what R had
  logic [31:0] n1_q [32];
  logic [31:0] n2_q [32];
  logic [31:0] n3_q [32];
  logic [7:0]  exp1_q [8];
  logic [7:0]  exp2_q, exp3_q, exp4_q, top5_q, top6_q, top7_q;
  logic [2:0]  special1_q, special2_q, special3_q, special4_q, special5_q, special6_q, special7_q;
  logic [2:0]  old_special5_q;
  logic [31:0] low4_q [8];
  logic [31:0] high4_q [8];
  logic [5:0]  old_right5_q, right5_q;
  logic signed [31:0] old5_q;
  logic signed [47:0] sum5_q, sum6_q;
  logic [47:0] mag7_q;
  logic        sign7_q;
  logic [31:0] frac8_q, kind8_q;

  function automatic logic [31:0] sign_extend(input logic [7:0] x);
    sign_extend = {{24{x[7]}}, x};
  endfunction

  /// The key a lane competes with; no number has the key of an idle one. As fp_order_key(), of what is canonical
  function automatic logic [31:0] sort_key(input logic [31:0] z, input logic live, input logic abs);
    logic nan;
    logic [31:0] val;
    nan = z[30:22] == '1;
    val = nan ? (abs ? 32'd0 : iau_sfu_pkg::FpNegInf) : {z[31] & ~abs, z[30:0]};
    sort_key = (val[31] ? ~val : val | 32'h80000000) & {32{live}};
  endfunction

  /// x replaces y: of equal keys the lower lane's is kept.
  function automatic logic sort_after(input logic [31:0] x, input logic [4:0] x_lane,
                                      input logic [31:0] y, input logic [4:0] y_lane);
    sort_after = (x > y) | ((x == y) & (x_lane < y_lane));
  endfunction

  /// For a shift of 48 bits: a gap between exponents
  function automatic logic [5:0] sum_right(input logic [7:0] gap);
    sum_right = (gap[7:6] == 2'd0) ? gap[5:0] : 6'd63;
  endfunction

  /* verilator lint_off BLKSEQ */
  // Blocking, for the reason given at the top: the stages stand in reverse order.
  always_ff @(posedge clk_i) begin
    // D, fp32 or INT8
    if (d_next_o) begin
      logic [1023:0] pack;
      if (is_q8) begin
        logic [7:0] q [32];
        for (int unsigned l = 0; l < 32; l++) q[l] = iau_sfu_pkg::fp_to_i8(p23_q[l]);
        for (int unsigned w = 0; w < 8; w++) begin
          pack[32 * w +: 32] = {q[4 * w + 3], q[4 * w + 2], q[4 * w + 1], q[4 * w]};
        end
        pack = {4{pack[255:0]}};
      end else begin
        for (int unsigned l = 0; l < 32; l++) pack[32 * l +: 32] = y12_q[l];
      end
      d_data_o <= pack;
      d_scale_o <= (cmd_i.out == 3'd3) ? {16'd0, iau_sfu_pkg::fp32_to_fp16(scale23_q)} : scale23_q;
    end

    if (adv_i & is_q8) begin
      // 22..23: product
      if (valid_q[22]) begin
        for (int unsigned l = 0; l < 32; l++) p23_q[l] = iau_fp_pkg::fp_round(frac22_q[l], kind22_q[l]);
        scale23_q = scale22_q;
      end
      if (valid_q[21]) begin
        logic [1023:0] words;
        logic [31:0] y [32];
        words = y_mem_q[kept_at_q];
        for (longint unsigned l = 0; l < 32; l++) y[32'(l)] = words[32 * 32'(l) +: 32];
        for (int unsigned l = 0; l < 32; l++) begin
          frac22_q[l] = iau_fp_pkg::fp_mul_frac(y[l], factor21_q);
          kind22_q[l] = iau_fp_pkg::fp_mul_kind(y[l], factor21_q);
        end
        scale22_q = scale21_q;
      end
      // 20..21: factor, scale
      if (valid_q[20]) begin
        factor21_q = quant_valid ? iau_fp_pkg::fp_round(factor_frac20_q, factor_kind20_q) : iau_fp_pkg::FpOne;
        scale21_q = iau_fp_pkg::fp_round(scale_frac20_q, scale_kind20_q);
      end
      if (valid_q[19]) begin
        factor_frac20_q = iau_fp_pkg::fp_mul_frac(iau_sfu_pkg::Fp127, recip19_q);
        factor_kind20_q = iau_fp_pkg::fp_mul_kind(iau_sfu_pkg::Fp127, recip19_q);
        scale_frac20_q = iau_fp_pkg::fp_mul_frac(amax19_q, iau_sfu_pkg::FpInv127);
        scale_kind20_q = iau_fp_pkg::fp_mul_kind(amax19_q, iau_sfu_pkg::FpInv127);
      end
      // 16..19: reciprocal
      if (valid_q[18]) begin
        amax19_q = amax18_q;
        recip19_q = iau_sfu_pkg::sfu_result(special18_q, 1'b0, bias18_q, value18_q);
      end
      if (valid_q[17]) begin
        amax18_q = amax17_q;
        special18_q = special17_q;
        bias18_q = bias17_q;
        value18_q = iau_sfu_pkg::sfu_value(c0_17_q, slope17_q, offset17_q);
      end
      if (valid_q[16]) begin
        amax17_q = amax16_q;
        special17_q = special16_q;
        bias17_q = bias16_q;
        c0_17_q = c0_16_q;
        slope17_q = iau_sfu_pkg::sfu_slope(c1_16_q, c2_16_q, offset16_q);
        offset17_q = offset16_q;
      end
      if (valid_q[15]) begin
        amax16_q = amax15_q;
        special16_q = iau_sfu_pkg::recip_special(amax15_q);
        bias16_q = iau_sfu_pkg::recip_bias(amax15_q);
        c0_16_q = rom_c0[{2'd1, amax15_q[22:17]}];
        c1_16_q = rom_c1[{2'd1, amax15_q[22:17]}];
        c2_16_q = rom_c2[{2'd1, amax15_q[22:17]}];
        offset16_q = amax15_q[16:0];
      end
      // 13..15: largest magnitude, while the vector waits
      if (valid_q[14]) amax15_q = (amax14_q[1] > amax14_q[0]) ? amax14_q[1] : amax14_q[0];
      if (valid_q[13]) begin
        for (int unsigned l = 0; l < 2; l++) begin
          logic [31:0] m0, m2;
          m0 = (amax13_q[l + 2] > amax13_q[l]) ? amax13_q[l + 2] : amax13_q[l];
          m2 = (amax13_q[l + 6] > amax13_q[l + 4]) ? amax13_q[l + 6] : amax13_q[l + 4];
          amax14_q[l] = (m2 > m0) ? m2 : m0;
        end
      end
      if (valid_q[12]) begin
        logic [1023:0] y;
        for (int unsigned l = 0; l < 32; l++) y[32 * l +: 32] = y12_q[l];
        y_mem_q[keep_q] <= y;
        for (int unsigned l = 0; l < 8; l++) begin
          logic [31:0] m0, m1, m2, m3;
          m0 = iau_sfu_pkg::fp_magnitude(y12_q[l]);
          m1 = iau_sfu_pkg::fp_magnitude(y12_q[l + 8]);
          m2 = iau_sfu_pkg::fp_magnitude(y12_q[l + 16]);
          m3 = iau_sfu_pkg::fp_magnitude(y12_q[l + 24]);
          m0 = (m1 > m0) ? m1 : m0;
          m2 = (m3 > m2) ? m3 : m2;
          amax13_q[l] = (m2 > m0) ? m2 : m0;
        end
      end
    end

    // R: the row's result
    if (r_next_o) begin
      logic [31:0] value;
      value = iau_sfu_pkg::fp_canonical(iau_sfu_pkg::fp_key_value(best6_q));
      r_data_o <= {index6_q, is_sum ? iau_fp_pkg::fp_round(frac8_q, kind8_q) : value};
    end

    if (adv_i & is_sum) begin
      // 7..8: back to fp32, of a row's last vector
      if (red_valid_q[7] & red_last_q[7]) begin
        frac8_q = iau_sfu_pkg::sum_frac(mag7_q);
        kind8_q = iau_sfu_pkg::sum_kind(mag7_q, sign7_q, 32'(top7_q), special7_q);
      end
      if (red_valid_q[6] & red_last_q[6]) begin
        sign7_q = sum6_q[47];
        mag7_q = sum6_q[47] ? -sum6_q : sum6_q;
        top7_q = top6_q;
        special7_q = special6_q;
      end
      // 6: along the row
      if (red_valid_q[5]) begin
        sum6_q = ((red_first_q[5] ? 48'(old5_q) : sum6_q) >>> old_right5_q) + (sum5_q >>> right5_q);
        special6_q = (red_first_q[5] ? old_special5_q : special6_q) | special5_q;
        top6_q = top5_q;
      end
      // 4..5: sum of a vector, and which is shifted by how much
      if (red_valid_q[4]) begin
        logic [31:0] old, low, high;
        low = ((low4_q[0] + low4_q[1]) + (low4_q[2] + low4_q[3])) +
              ((low4_q[4] + low4_q[5]) + (low4_q[6] + low4_q[7]));
        high = ((high4_q[0] + high4_q[1]) + (high4_q[2] + high4_q[3])) +
               ((high4_q[4] + high4_q[5]) + (high4_q[6] + high4_q[7]));
        sum5_q = 48'($signed({high, 16'd0})) + 48'(low);
        old = old_i[31:0] & {32{cmd_i.r_init}};
        if (red_first_q[4]) begin
          top5_q = old[30:23];
          old5_q = iau_sfu_pkg::sum_align(old, 32'(old[30:23]));
          old_special5_q = iau_sfu_pkg::sum_special(old);
        end
        old_right5_q = (exp4_q > top5_q) ? sum_right(exp4_q - top5_q) : 6'd0;
        right5_q = (exp4_q > top5_q) ? 6'd0 : sum_right(top5_q - exp4_q);
        top5_q = (exp4_q > top5_q) ? exp4_q : top5_q;
        special5_q = special4_q;
      end
      if (red_valid_q[3]) begin
        for (int unsigned l = 0; l < 8; l++) begin
          low4_q[l] = ((n3_q[l] & 32'hffff) + (n3_q[l + 8] & 32'hffff)) +
                      ((n3_q[l + 16] & 32'hffff) + (n3_q[l + 24] & 32'hffff));
        end
        for (int unsigned l = 0; l < 8; l++) begin
          high4_q[l] = (iau_sfu_pkg::sum_high(n3_q[l]) + iau_sfu_pkg::sum_high(n3_q[l + 8])) +
                       (iau_sfu_pkg::sum_high(n3_q[l + 16]) + iau_sfu_pkg::sum_high(n3_q[l + 24]));
        end
        exp4_q = exp3_q;
        special4_q = special3_q;
      end
      // 3: all at the greatest exponent
      if (red_valid_q[2]) begin
        for (int unsigned l = 0; l < 32; l++) n3_q[l] = iau_sfu_pkg::sum_align(n2_q[l], 32'(exp2_q));
        exp3_q = exp2_q;
        special3_q = special2_q;
      end
      // 1..2: that exponent
      if (red_valid_q[1]) begin
        logic [7:0] exp [4];
        for (int unsigned l = 0; l < 32; l++) n2_q[l] = n1_q[l];
        for (int unsigned l = 0; l < 4; l++) exp[l] = (exp1_q[l + 4] > exp1_q[l]) ? exp1_q[l + 4] : exp1_q[l];
        exp[0] = (exp[2] > exp[0]) ? exp[2] : exp[0];
        exp[1] = (exp[3] > exp[1]) ? exp[3] : exp[1];
        exp2_q = (exp[1] > exp[0]) ? exp[1] : exp[0];
        special2_q = special1_q;
      end
    end else if (adv_i & (cmd_i.red != 2'd0)) begin
      // 6: along the row
      if (red_valid_q[5]) begin
        logic [31:0] base, index;
        logic win;
        base = red_first_q[5] ? begin5_q : best6_q;
        index = red_first_q[5] ? begin_index5_q : index6_q;
        column6_q = red_first_q[5] ? cmd_i.d_bstride : column6_q + 32'd32;
        win = t5_q > base;
        best6_q = win ? t5_q : base;
        index6_q = win ? column6_q + 32'(i5_q) : index;
      end
      // 1..5: of equal keys the lower lane's wins
      if (red_valid_q[4]) begin
        logic [31:0] least, old;
        logic stays;
        least = is_abs ? KeyZero : KeyNegInf;
        old = iau_sfu_pkg::fp_order_key(old_i[31:0]);
        stays = cmd_i.r_init & (old >= least);
        begin5_q = stays ? old : least;
        begin_index5_q = stays ? old_i[63:32] : cmd_i.d_bstride;
        i5_q = sort_after(t4_q[1], i4_q[1], t4_q[0], i4_q[0]) ? i4_q[1] : i4_q[0];
        t5_q = (t4_q[1] > t4_q[0]) ? t4_q[1] : t4_q[0];
      end
      if (red_valid_q[3]) begin
        for (int unsigned l = 0; l < 2; l++) begin
          i4_q[l] = sort_after(t3_q[l + 2], i3_q[l + 2], t3_q[l], i3_q[l]) ? i3_q[l + 2] : i3_q[l];
        end
        for (int unsigned l = 0; l < 2; l++) t4_q[l] = (t3_q[l + 2] > t3_q[l]) ? t3_q[l + 2] : t3_q[l];
      end
      if (red_valid_q[2]) begin
        for (int unsigned l = 0; l < 4; l++) begin
          i3_q[l] = sort_after(t2_q[l + 4], i2_q[l + 4], t2_q[l], i2_q[l]) ? i2_q[l + 4] : i2_q[l];
        end
        for (int unsigned l = 0; l < 4; l++) t3_q[l] = (t2_q[l + 4] > t2_q[l]) ? t2_q[l + 4] : t2_q[l];
      end
      if (red_valid_q[1]) begin
        for (int unsigned l = 0; l < 8; l++) begin
          i2_q[l] = sort_after(t1_q[l + 8], i1_q[l + 8], t1_q[l], i1_q[l]) ? i1_q[l + 8] : i1_q[l];
        end
        for (int unsigned l = 0; l < 8; l++) t2_q[l] = (t1_q[l + 8] > t1_q[l]) ? t1_q[l + 8] : t1_q[l];
      end
    end

    if (adv_i) begin
      logic [31:0] masked5;

      // 12: M2, or none
      if (valid_q[11]) begin
        for (int unsigned l = 0; l < 32; l++) begin
          y12_q[l] = iau_fp_pkg::fp_round(frac11_q[l], kind11_q[l]) & {32{live11_q[l]}};
        end
      end
      if (z_valid) begin
        logic [31:0] live;
        logic [31:0] z [32];
        live = z_last ? last_live_i : '1;
        if (has_sfu) begin
          for (int unsigned l = 0; l < 32; l++) z[l] = z10_q[l];
        end else begin
          for (int unsigned l = 0; l < 32; l++) z[l] = z5_q[l];
        end
        // What INT8 blocks hold past the last column is zero.
        if (~has_m2) for (int unsigned l = 0; l < 32; l++) y12_q[l] = z[l] & {32{live[l]}};

        // 11: M2
        if (has_m2) begin
          logic [1023:0] words;
          logic [31:0] scalar;
          logic [31:0] m [32];
          words = b_mem_q[z_at_q];
          scalar = (cmd_i.m2 == 2'd1) ? cmd_i.imm0 : s_mem_q[z_at_q];
          if (cmd_i.m2 == 2'd3) begin
            for (longint unsigned l = 0; l < 32; l++) m[32'(l)] = words[32 * 32'(l) +: 32];
          end else begin
            for (int unsigned l = 0; l < 32; l++) m[l] = scalar;
          end
          for (int unsigned l = 0; l < 32; l++) begin
            frac11_q[l] = iau_fp_pkg::fp_mul_frac(z[l], m[l]);
            kind11_q[l] = iau_fp_pkg::fp_mul_kind(z[l], m[l]);
          end
          live11_q = live;
        end

        // First stage of a reduction
        if (is_sum) begin
          logic [2:0] special;
          for (int unsigned l = 0; l < 32; l++) n1_q[l] = z[l] & {32{live[l]}};
          for (int unsigned l = 0; l < 8; l++) begin
            logic [31:0] e0, e1, e2, e3;
            e0 = n1_q[l] & 32'h7f800000;
            e1 = n1_q[l + 8] & 32'h7f800000;
            e2 = n1_q[l + 16] & 32'h7f800000;
            e3 = n1_q[l + 24] & 32'h7f800000;
            e0 = (e1 > e0) ? e1 : e0;
            e2 = (e3 > e2) ? e3 : e2;
            exp1_q[l] = 8'(((e2 > e0) ? e2 : e0) >> 23);
          end
          special = '0;
          for (int unsigned l = 0; l < 32; l++) special = special | iau_sfu_pkg::sum_special(n1_q[l]);
          special1_q = special;
        end else if (cmd_i.red != 2'd0) begin
          logic [31:0] key [32];
          for (int unsigned l = 0; l < 32; l++) key[l] = sort_key(z[l], live[l], is_abs);
          for (int unsigned l = 0; l < 16; l++) i1_q[l] = {key[l + 16] > key[l], l[3:0]};
          for (int unsigned l = 0; l < 16; l++) begin
            t1_q[l] = (key[l + 16] > key[l]) ? key[l + 16] : key[l];
          end
        end
      end

      // 6..10: special function
      if (valid_q[9]) begin
        for (int unsigned l = 0; l < 32; l++) begin
          z10_q[l] = iau_sfu_pkg::sfu_result(flags9_q[l][1], flags9_q[l][0], bias9_q[l], value9_q[l]);
        end
      end
      if (valid_q[8]) begin
        for (int unsigned l = 0; l < 32; l++) bias9_q[l] = bias8_q[l];
        for (int unsigned l = 0; l < 32; l++) flags9_q[l] = flags8_q[l];
        for (int unsigned l = 0; l < 32; l++) begin
          value9_q[l] = iau_sfu_pkg::sfu_value(c0_8_q[l], slope8_q[l], offset8_q[l]);
        end
      end
      if (valid_q[7]) begin
        for (int unsigned l = 0; l < 32; l++) bias8_q[l] = bias7_q[l];
        for (int unsigned l = 0; l < 32; l++) flags8_q[l] = flags7_q[l];
        for (int unsigned l = 0; l < 32; l++) c0_8_q[l] = c0_7_q[l];
        for (int unsigned l = 0; l < 32; l++) offset8_q[l] = offset7_q[l];
        for (int unsigned l = 0; l < 32; l++) begin
          slope8_q[l] = iau_sfu_pkg::sfu_slope(c1_7_q[l], c2_7_q[l], offset7_q[l]);
        end
      end
      if (valid_q[6]) begin
        for (int unsigned l = 0; l < 32; l++) bias7_q[l] = bias6_q[l];
        for (int unsigned l = 0; l < 32; l++) flags7_q[l] = flags6_q[l];
        for (int unsigned l = 0; l < 32; l++) offset7_q[l] = place6_q[l][16:0];
        for (int unsigned l = 0; l < 32; l++) begin
          c0_7_q[l] = rom_c0[place6_q[l][24:17]];
          c1_7_q[l] = rom_c1[place6_q[l][24:17]];
          c2_7_q[l] = rom_c2[place6_q[l][24:17]];
        end
      end
      if (valid_q[5] & has_sfu) begin
        // Segment and offset. Loops with one result each are what a compiler vectorises.
        if (cmd_i.sfu == iau_sfu_pkg::SfuExp2) begin
          logic [31:0] fix [32];
          for (int unsigned l = 0; l < 32; l++) fix[l] = iau_sfu_pkg::sfu_fixed(z5_q[l]);
          for (int unsigned l = 0; l < 32; l++) place6_q[l] = {2'd0, fix[l][22:0]};
          for (int unsigned l = 0; l < 32; l++) bias6_q[l] = iau_sfu_pkg::exp2_bias(z5_q[l], fix[l]);
          for (int unsigned l = 0; l < 32; l++) flags6_q[l] = {iau_sfu_pkg::exp2_special(z5_q[l], fix[l]), 1'b0};
        end else if (cmd_i.sfu == iau_sfu_pkg::SfuRecip) begin
          for (int unsigned l = 0; l < 32; l++) place6_q[l] = {2'd1, z5_q[l][22:0]};
          for (int unsigned l = 0; l < 32; l++) bias6_q[l] = iau_sfu_pkg::recip_bias(z5_q[l]);
          for (int unsigned l = 0; l < 32; l++) flags6_q[l] = {iau_sfu_pkg::recip_special(z5_q[l]), z5_q[l][31]};
        end else begin
          for (int unsigned l = 0; l < 32; l++) place6_q[l] = {1'b1, ~z5_q[l][23], z5_q[l][22:0]};
          for (int unsigned l = 0; l < 32; l++) bias6_q[l] = iau_sfu_pkg::rsqrt_bias(z5_q[l]);
          for (int unsigned l = 0; l < 32; l++) flags6_q[l] = {iau_sfu_pkg::rsqrt_special(z5_q[l]), 1'b0};
        end
      end

      // 5: A1, or none; mask
      masked5 = has_add ? masked4_q : has_m1 ? masked2_q : masked0_q;
      if (valid_q[4]) begin
        for (int unsigned l = 0; l < 32; l++) z5_q[l] = iau_fp_pkg::fp_round(frac4_q[l], kind4_q[l]);
      end
      // 3..4: a sum's first two stages
      if (valid_q[3]) begin
        for (int unsigned l = 0; l < 32; l++) begin
          frac4_q[l] = iau_fp_pkg::fp_add_frac(big3_q[l], less3_q[l]);
          kind4_q[l] = iau_fp_pkg::fp_add_kind(big3_q[l], less3_q[l]);
        end
        masked4_q = masked3_q;
      end
      if (x_valid) begin
        logic [31:0] x [32];
        logic [31:0] y [32];
        if (has_m1) begin
          for (int unsigned l = 0; l < 32; l++) x[l] = x2_q[l];
          for (int unsigned l = 0; l < 32; l++) y[l] = add2_q[l];
        end else begin
          for (int unsigned l = 0; l < 32; l++) x[l] = x0_q[l];
          for (int unsigned l = 0; l < 32; l++) y[l] = add0_q[l];
        end
        if (~has_a1) begin
          for (int unsigned l = 0; l < 32; l++) z5_q[l] = iau_sfu_pkg::fp_canonical(x[l]);
        end else if (cmd_i.a1_max) begin
          for (int unsigned l = 0; l < 32; l++) z5_q[l] = iau_sfu_pkg::fp_greater(x[l], y[l]);
        end else begin
          for (int unsigned l = 0; l < 32; l++) begin
            big3_q[l] = iau_fp_pkg::fp_add_big(x[l], y[l]);
            less3_q[l] = iau_fp_pkg::fp_add_less(x[l], y[l]);
          end
        end
        masked3_q = has_m1 ? masked2_q : masked0_q;
      end
      if (z5_valid & cmd_i.mask) begin
        for (int unsigned l = 0; l < 32; l++) z5_q[l] = masked5[l] ? iau_sfu_pkg::FpNegInf : z5_q[l];
      end

      // 1..2: M1
      if (valid_q[1]) begin
        for (int unsigned l = 0; l < 32; l++) x2_q[l] = iau_fp_pkg::fp_round(frac1_q[l], kind1_q[l]);
        if (has_a1) for (int unsigned l = 0; l < 32; l++) add2_q[l] = add1_q[l];
        masked2_q = masked1_q;
      end
      if (valid_q[0] & has_m1) begin
        logic [31:0] scalar, is_a, is_b;
        is_a = {32{cmd_i.m1 == 3'd4}};
        is_b = {32{cmd_i.m1 == 3'd3}};
        scalar = (cmd_i.m1 == 3'd1) ? cmd_i.imm0 : s0_q & ~(is_a | is_b);
        for (int unsigned l = 0; l < 32; l++) begin
          frac1_q[l] = iau_fp_pkg::fp_mul_frac(x0_q[l], (x0_q[l] & is_a) | (b0_q[l] & is_b) | scalar);
          kind1_q[l] = iau_fp_pkg::fp_mul_kind(x0_q[l], (x0_q[l] & is_a) | (b0_q[l] & is_b) | scalar);
        end
        if (has_a1) for (int unsigned l = 0; l < 32; l++) add1_q[l] = add0_q[l];
        masked1_q = masked0_q;
      end
    end

    // 0: operands as fp32, one a lane
    if (vec_valid_i) begin
      logic [255:0] bytes;
      logic [31:0] scalar, is_b, neg;
      logic [31:0] x [32];
      // A choice between whole rows would be a copy to a simulator.
      if (cmd_i.a_fmt) begin
        bytes = a_held_i ? a_hold_q[{vec_quarter_i, 8'd0} +: 256] : a_rdata_i[{vec_quarter_i, 8'd0} +: 256];
        for (int unsigned w = 0; w < 8; w++) begin
          x[4 * w] = sign_extend(bytes[32 * w +: 8]);
          x[4 * w + 1] = sign_extend(bytes[32 * w + 8 +: 8]);
          x[4 * w + 2] = sign_extend(bytes[32 * w + 16 +: 8]);
          x[4 * w + 3] = sign_extend(bytes[32 * w + 24 +: 8]);
        end
        for (int unsigned l = 0; l < 32; l++) x[l] = iau_fp_pkg::fp_i2f(x[l]);
      end else if (a_held_i) begin
        for (longint unsigned l = 0; l < 32; l++) x[32'(l)] = a_hold_q[32 * 32'(l) +: 32];
      end else begin
        for (longint unsigned l = 0; l < 32; l++) x[32'(l)] = a_rdata_i[32 * 32'(l) +: 32];
      end
      if (cmd_i.perm == 2'd1) begin
        for (int unsigned l = 0; l < 32; l++) x0_q[l] = x[l ^ 1];
      end else begin
        for (int unsigned l = 0; l < 32; l++) x0_q[l] = x[l];
      end

      if (use_b_i) begin
        logic [1023:0] b;
        b = b_held_i ? b_hold_q : b_rdata_i;
        if (cmd_i.b_fmt) b = {32{b[{vec_word_i, 5'd0} +: 32]}};
        for (longint unsigned l = 0; l < 32; l++) b0_q[32'(l)] = b[32 * 32'(l) +: 32];
        b_mem_q[in_q] <= b;
      end
      if (has_a1) begin
        is_b = {32{cmd_i.a1 == 2'd3}};
        scalar = (cmd_i.a1 == 2'd1) ? cmd_i.imm1 : vec_s_i & ~is_b;
        neg = {cmd_i.a1_neg, 31'd0};
        for (int unsigned l = 0; l < 32; l++) add0_q[l] = ((b0_q[l] & is_b) | scalar) ^ neg;
      end
      s0_q = vec_s_i;
      masked0_q = vec_masked_i;
      s_mem_q[in_q] <= vec_s_i;
      ends_mem_q[in_q] <= {vec_last_i, vec_first_i};
    end
    if (a_capture_i) a_hold_q = a_rdata_i;
    if (b_capture_i) b_hold_q = b_rdata_i;
  end
  /* verilator lint_on BLKSEQ */

endmodule
