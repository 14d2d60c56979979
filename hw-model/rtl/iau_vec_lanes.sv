// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The arithmetic of the vector unit: a vector of 32 columns enters with every VEC_VALID_I and moves
// one stage with every ADV_I.
//
//   0 operands   1 M1   2 A1, mask   3..5 special function   6 M2
//   reduction:   6..10 fold 16, 8, 4, 2, 1   11 along the row   then R
//   INT8:        7..8 largest magnitude   9..11 its reciprocal   12 factor, scale   13 multiply
//                then D
//
// All stages are in one process, last stage first and with blocking assignments: a stage reads what
// the one before it held, and its loop over lanes vectorises in simulation. What leaves the module
// is assigned without blocking.
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

  // R; OLD_I is the value found there
  output logic          r_next_o,
  output logic          r_valid_o,
  output logic [63:0]   r_data_o,
  input  logic [63:0]   old_i,

  output logic          busy_o
);

  localparam int unsigned Stages = 14;
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

  logic [Stages-1:0] valid_q;
  logic [10:0] first_q;
  logic [11:0] last_q;
  logic is_q8, is_sum, is_abs;
  logic quant_valid;

  assign is_q8 = cmd_i.out >= 3'd2;
  assign is_sum = cmd_i.red == 2'd1;
  assign is_abs = (cmd_i.red == 2'd2) & ~cmd_i.red_max;
  assign quant_valid = is_q8 & (cmd_i.out != 3'd4);

  assign d_next_o = adv_i & ((cmd_i.out == 3'd1) ? valid_q[6] : (is_q8 & valid_q[13]));
  assign r_next_o = adv_i & (cmd_i.red != 2'd0) & valid_q[11] & last_q[11];
  assign busy_o = |valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      d_valid_o <= 1'b0;
      r_valid_o <= 1'b0;
    end else begin
      if (adv_i) valid_q <= {valid_q[Stages-2:0], vec_valid_i};
      d_valid_o <= d_next_o;
      r_valid_o <= r_next_o;
    end
  end

  always_ff @(posedge clk_i) begin
    if (adv_i) begin
      first_q <= {first_q[9:0], vec_first_i};
      last_q <= {last_q[10:0], vec_last_i};
    end
  end

  // Registers are named after what they hold and the stage that writes them.
  logic [1023:0] a_hold_q, b_hold_q;
  logic [31:0] x0_q [32];
  logic [31:0] x1_q [32];
  logic [31:0] z2_q [32];
  logic [31:0] bias3_q [32];
  logic [31:0] bias4_q [32];
  logic [31:0] z5_q [32];
  logic [31:0] y6_q [32];
  logic [31:0] b0_q [32];
  logic [31:0] b1_q [32];
  logic [31:0] b2_q [32];
  logic [31:0] b3_q [32];
  logic [31:0] b4_q [32];
  logic [31:0] b5_q [32];
  logic [31:0] s0_q, s1_q, s2_q, s3_q, s4_q, s5_q;
  logic [31:0] masked0_q, masked1_q;

  logic [1:0]  flags3_q [32];  // the bias is the result; the result is negative
  logic [1:0]  flags4_q [32];
  logic [27:0] c0_3_q [32];
  logic [27:0] c0_4_q [32];
  logic [23:0] c1_3_q [32];
  logic [17:0] c2_3_q [32];
  logic [24:0] slope4_q [32];
  logic [16:0] offset3_q [32];
  logic [16:0] offset4_q [32];

  // Reduction: sums or keys, lanes of the keys
  logic [31:0] t6_q [16];
  logic [31:0] t7_q [8];
  logic [31:0] t8_q [4];
  logic [31:0] t9_q [2];
  logic [31:0] t10_q;
  logic [4:0]  i6_q [16];
  logic [4:0]  i7_q [8];
  logic [4:0]  i8_q [4];
  logic [4:0]  i9_q [2];
  logic [4:0]  i10_q;
  logic [31:0] acc_q, index_q, column_q;

  // INT8
  logic [31:0] y7_q [32];
  logic [31:0] y8_q [32];
  logic [31:0] y9_q [32];
  logic [31:0] y10_q [32];
  logic [31:0] y11_q [32];
  logic [31:0] y12_q [32];
  logic [31:0] p13_q [32];
  logic [31:0] amax7_q [8];
  logic [31:0] amax8_q, amax9_q, amax10_q, amax11_q, bias9_q, bias10_q, recip11_q;
  logic [31:0] factor12_q, scale12_q, scale13_q;
  logic [27:0] c0_9_q, c0_10_q;
  logic [23:0] c1_9_q;
  logic [17:0] c2_9_q;
  logic [24:0] slope10_q;
  logic [16:0] offset9_q, offset10_q;
  logic        special9_q, special10_q;

  function automatic logic [31:0] sign_extend(input logic [7:0] x);
    sign_extend = {{24{x[7]}}, x};
  endfunction

  /// The key a lane competes with; no number has the key of an idle one.
  function automatic logic [31:0] sort_key(input logic [31:0] z, input logic live, input logic abs);
    sort_key = iau_sfu_pkg::fp_order_key(abs ? iau_sfu_pkg::fp_magnitude(z) : z) & {32{live}};
  endfunction

  /// x replaces y: of equal keys the lower lane's is kept.
  function automatic logic sort_after(input logic [31:0] x, input logic [4:0] x_lane,
                                      input logic [31:0] y, input logic [4:0] y_lane);
    sort_after = (x > y) | ((x == y) & (x_lane < y_lane));
  endfunction

  /* verilator lint_off BLKSEQ */
  // Blocking, for the reason given at the top: the stages stand in reverse order.
  always_ff @(posedge clk_i) begin
    // D, fp32 or INT8
    if (d_next_o) begin
      logic [1023:0] pack;
      if (is_q8) begin
        logic [7:0] q [32];
        for (int unsigned l = 0; l < 32; l++) q[l] = iau_sfu_pkg::fp_to_i8(p13_q[l]);
        for (int unsigned w = 0; w < 8; w++) begin
          pack[32 * w +: 32] = {q[4 * w + 3], q[4 * w + 2], q[4 * w + 1], q[4 * w]};
        end
        pack = {4{pack[255:0]}};
      end else begin
        for (int unsigned l = 0; l < 32; l++) pack[32 * l +: 32] = y6_q[l];
      end
      d_data_o <= pack;
      d_scale_o <= (cmd_i.out == 3'd3) ? {16'd0, iau_sfu_pkg::fp32_to_fp16(scale13_q)} : scale13_q;
    end

    if (adv_i & is_q8) begin
      if (valid_q[12]) begin
        for (int unsigned l = 0; l < 32; l++) p13_q[l] = iau_fp_pkg::fp_mul(y12_q[l], factor12_q);
        scale13_q = scale12_q;
      end
      if (valid_q[11]) begin
        for (int unsigned l = 0; l < 32; l++) y12_q[l] = y11_q[l];
        factor12_q = iau_fp_pkg::fp_mul(iau_sfu_pkg::Fp127, recip11_q);
        factor12_q = quant_valid ? factor12_q : iau_fp_pkg::FpOne;
        scale12_q = iau_fp_pkg::fp_mul(amax11_q, iau_sfu_pkg::FpInv127);
      end
      if (valid_q[10]) begin
        for (int unsigned l = 0; l < 32; l++) y11_q[l] = y10_q[l];
        amax11_q = amax10_q;
        recip11_q = iau_sfu_pkg::sfu_result(special10_q, 1'b0, bias10_q,
                               iau_sfu_pkg::sfu_value(c0_10_q, slope10_q, offset10_q));
      end
      if (valid_q[9]) begin
        for (int unsigned l = 0; l < 32; l++) y10_q[l] = y9_q[l];
        amax10_q = amax9_q;
        special10_q = special9_q;
        bias10_q = bias9_q;
        c0_10_q = c0_9_q;
        slope10_q = iau_sfu_pkg::sfu_slope(c1_9_q, c2_9_q, offset9_q);
        offset10_q = offset9_q;
      end
      if (valid_q[8]) begin
        for (int unsigned l = 0; l < 32; l++) y9_q[l] = y8_q[l];
        amax9_q = amax8_q;
        special9_q = iau_sfu_pkg::recip_special(amax8_q);
        bias9_q = iau_sfu_pkg::recip_bias(amax8_q);
        c0_9_q = rom_c0[{2'd1, amax8_q[22:17]}];
        c1_9_q = rom_c1[{2'd1, amax8_q[22:17]}];
        c2_9_q = rom_c2[{2'd1, amax8_q[22:17]}];
        offset9_q = amax8_q[16:0];
      end
      if (valid_q[7]) begin
        logic [31:0] amax;
        for (int unsigned l = 0; l < 32; l++) y8_q[l] = y7_q[l];
        amax = amax7_q[0];
        for (int unsigned l = 1; l < 8; l++) amax = (amax7_q[l] > amax) ? amax7_q[l] : amax;
        amax8_q = amax;
      end
      if (valid_q[6]) begin
        for (int unsigned l = 0; l < 32; l++) y7_q[l] = y6_q[l];
        for (int unsigned l = 0; l < 8; l++) begin
          logic [31:0] m0, m1, m2, m3;
          m0 = iau_sfu_pkg::fp_magnitude(y6_q[l]);
          m1 = iau_sfu_pkg::fp_magnitude(y6_q[l + 8]);
          m2 = iau_sfu_pkg::fp_magnitude(y6_q[l + 16]);
          m3 = iau_sfu_pkg::fp_magnitude(y6_q[l + 24]);
          m0 = (m1 > m0) ? m1 : m0;
          m2 = (m3 > m2) ? m3 : m2;
          amax7_q[l] = (m2 > m0) ? m2 : m0;
        end
      end
    end

    // R: the row's result, combined with the old one
    if (r_next_o) begin
      logic keep;
      logic [31:0] key, sum, value;
      sum = cmd_i.r_init ? iau_fp_pkg::fp_add(old_i[31:0], acc_q) : acc_q;
      key = iau_sfu_pkg::fp_order_key(old_i[31:0]);
      keep = cmd_i.r_init & (key >= acc_q);
      value = iau_sfu_pkg::fp_canonical(iau_sfu_pkg::fp_key_value(keep ? key : acc_q));
      r_data_o <= {keep ? old_i[63:32] : index_q, is_sum ? sum : value};
    end

    if (adv_i & (cmd_i.red != 2'd0)) begin
      if (valid_q[10]) begin
        logic [31:0] base;
        logic win;
        column_q = first_q[10] ? cmd_i.d_bstride : column_q + 32'd32;
        if (is_sum) begin
          acc_q = iau_fp_pkg::fp_add(first_q[10] ? 32'd0 : acc_q, t10_q);
        end else begin
          base = first_q[10] ? (is_abs ? KeyZero : KeyNegInf) : acc_q;
          win = t10_q > base;
          acc_q = win ? t10_q : base;
          index_q = win ? column_q + 32'(i10_q) : first_q[10] ? column_q : index_q;
        end
      end
      if (is_sum) begin
        if (valid_q[9]) t10_q = iau_fp_pkg::fp_add(t9_q[0], t9_q[1]);
        if (valid_q[8]) begin
          for (int unsigned l = 0; l < 2; l++) begin
            t9_q[l] = iau_fp_pkg::fp_add(t8_q[l], t8_q[l + 2]);
          end
        end
        if (valid_q[7]) begin
          for (int unsigned l = 0; l < 4; l++) begin
            t8_q[l] = iau_fp_pkg::fp_add(t7_q[l], t7_q[l + 4]);
          end
        end
        if (valid_q[6]) begin
          for (int unsigned l = 0; l < 8; l++) begin
            t7_q[l] = iau_fp_pkg::fp_add(t6_q[l], t6_q[l + 8]);
          end
        end
        if (valid_q[5]) begin
          logic [31:0] live;
          live = last_q[5] ? last_live_i : '1;
          for (int unsigned l = 0; l < 16; l++) begin
            t6_q[l] = iau_fp_pkg::fp_add(z5_q[l] & {32{live[l]}},
                                         z5_q[l + 16] & {32{live[l + 16]}});
          end
        end
      end else begin
        // Of equal keys the lower lane's wins.
        if (valid_q[9]) begin
          i10_q = sort_after(t9_q[1], i9_q[1], t9_q[0], i9_q[0]) ? i9_q[1] : i9_q[0];
          t10_q = (t9_q[1] > t9_q[0]) ? t9_q[1] : t9_q[0];
        end
        if (valid_q[8]) begin
          for (int unsigned l = 0; l < 2; l++) begin
            i9_q[l] = sort_after(t8_q[l + 2], i8_q[l + 2], t8_q[l], i8_q[l]) ?
                      i8_q[l + 2] : i8_q[l];
          end
          for (int unsigned l = 0; l < 2; l++) begin
            t9_q[l] = (t8_q[l + 2] > t8_q[l]) ? t8_q[l + 2] : t8_q[l];
          end
        end
        if (valid_q[7]) begin
          for (int unsigned l = 0; l < 4; l++) begin
            i8_q[l] = sort_after(t7_q[l + 4], i7_q[l + 4], t7_q[l], i7_q[l]) ?
                      i7_q[l + 4] : i7_q[l];
          end
          for (int unsigned l = 0; l < 4; l++) begin
            t8_q[l] = (t7_q[l + 4] > t7_q[l]) ? t7_q[l + 4] : t7_q[l];
          end
        end
        if (valid_q[6]) begin
          for (int unsigned l = 0; l < 8; l++) begin
            i7_q[l] = sort_after(t6_q[l + 8], i6_q[l + 8], t6_q[l], i6_q[l]) ?
                      i6_q[l + 8] : i6_q[l];
          end
          for (int unsigned l = 0; l < 8; l++) begin
            t7_q[l] = (t6_q[l + 8] > t6_q[l]) ? t6_q[l + 8] : t6_q[l];
          end
        end
        if (valid_q[5]) begin
          logic [31:0] live;
          logic [31:0] key [32];
          live = last_q[5] ? last_live_i : '1;
          for (int unsigned l = 0; l < 32; l++) key[l] = sort_key(z5_q[l], live[l], is_abs);
          for (int unsigned l = 0; l < 16; l++) i6_q[l] = {key[l + 16] > key[l], l[3:0]};
          for (int unsigned l = 0; l < 16; l++) begin
            t6_q[l] = (key[l + 16] > key[l]) ? key[l + 16] : key[l];
          end
        end
      end
    end

    if (adv_i) begin
      // 6: M2; what INT8 blocks hold past the last column is zero
      if (valid_q[5] & (cmd_i.out != 3'd0)) begin
        logic [31:0] live, scalar, is_b;
        live = last_q[5] ? last_live_i : '1;
        is_b = {32{cmd_i.m2 == 2'd3}};
        scalar = (cmd_i.m2 == 2'd1) ? cmd_i.imm0 : s5_q & ~is_b;
        if (cmd_i.m2 == 2'd0) begin
          for (int unsigned l = 0; l < 32; l++) y6_q[l] = z5_q[l] & {32{live[l]}};
        end else begin
          for (int unsigned l = 0; l < 32; l++) begin
            y6_q[l] = iau_fp_pkg::fp_mul(z5_q[l], (b5_q[l] & is_b) | scalar) & {32{live[l]}};
          end
        end
      end

      // 5..3: special function, or what bypasses it
      if (valid_q[4]) begin
        if (cmd_i.sfu == 2'd0) begin
          for (int unsigned l = 0; l < 32; l++) z5_q[l] = bias4_q[l];
        end else begin
          for (int unsigned l = 0; l < 32; l++) begin
            z5_q[l] = iau_sfu_pkg::sfu_result(flags4_q[l][1], flags4_q[l][0], bias4_q[l],
                                 iau_sfu_pkg::sfu_value(c0_4_q[l], slope4_q[l], offset4_q[l]));
          end
        end
      end
      if (valid_q[3]) begin
        for (int unsigned l = 0; l < 32; l++) bias4_q[l] = bias3_q[l];
        if (cmd_i.sfu != 2'd0) begin
          for (int unsigned l = 0; l < 32; l++) flags4_q[l] = flags3_q[l];
          for (int unsigned l = 0; l < 32; l++) c0_4_q[l] = c0_3_q[l];
          for (int unsigned l = 0; l < 32; l++) offset4_q[l] = offset3_q[l];
          for (int unsigned l = 0; l < 32; l++) begin
            slope4_q[l] = iau_sfu_pkg::sfu_slope(c1_3_q[l], c2_3_q[l], offset3_q[l]);
          end
        end
      end
      if (valid_q[2]) begin
        if (cmd_i.sfu == 2'd0) begin
          for (int unsigned l = 0; l < 32; l++) bias3_q[l] = z2_q[l];
        end else begin
          // Segment and offset. Loops with one result each are what a compiler vectorises.
          logic [24:0] place [32];
          if (cmd_i.sfu == iau_sfu_pkg::SfuExp2) begin
            logic [31:0] fix [32];
            for (int unsigned l = 0; l < 32; l++) fix[l] = iau_sfu_pkg::sfu_fixed(z2_q[l]);
            for (int unsigned l = 0; l < 32; l++) place[l] = {2'd0, fix[l][22:0]};
            for (int unsigned l = 0; l < 32; l++) begin
              bias3_q[l] = iau_sfu_pkg::exp2_bias(z2_q[l], fix[l]);
            end
            for (int unsigned l = 0; l < 32; l++) begin
              flags3_q[l] = {iau_sfu_pkg::exp2_special(z2_q[l], fix[l]), 1'b0};
            end
          end else if (cmd_i.sfu == iau_sfu_pkg::SfuRecip) begin
            for (int unsigned l = 0; l < 32; l++) place[l] = {2'd1, z2_q[l][22:0]};
            for (int unsigned l = 0; l < 32; l++) bias3_q[l] = iau_sfu_pkg::recip_bias(z2_q[l]);
            for (int unsigned l = 0; l < 32; l++) begin
              flags3_q[l] = {iau_sfu_pkg::recip_special(z2_q[l]), z2_q[l][31]};
            end
          end else begin
            for (int unsigned l = 0; l < 32; l++) begin
              place[l] = {1'b1, ~z2_q[l][23], z2_q[l][22:0]};
            end
            for (int unsigned l = 0; l < 32; l++) bias3_q[l] = iau_sfu_pkg::rsqrt_bias(z2_q[l]);
            for (int unsigned l = 0; l < 32; l++) begin
              flags3_q[l] = {iau_sfu_pkg::rsqrt_special(z2_q[l]), 1'b0};
            end
          end
          for (int unsigned l = 0; l < 32; l++) offset3_q[l] = place[l][16:0];
          for (int unsigned l = 0; l < 32; l++) begin
            c0_3_q[l] = rom_c0[place[l][24:17]];
            c1_3_q[l] = rom_c1[place[l][24:17]];
            c2_3_q[l] = rom_c2[place[l][24:17]];
          end
        end
      end

      // 2: A1
      if (valid_q[1]) begin
        logic [31:0] scalar, is_b, neg;
        is_b = {32{cmd_i.a1 == 2'd3}};
        scalar = (cmd_i.a1 == 2'd1) ? cmd_i.imm1 : s1_q & ~is_b;
        neg = {cmd_i.a1_neg, 31'd0};
        if (cmd_i.a1 == 2'd0) begin
          for (int unsigned l = 0; l < 32; l++) z2_q[l] = iau_sfu_pkg::fp_canonical(x1_q[l]);
        end else if (cmd_i.a1_max) begin
          for (int unsigned l = 0; l < 32; l++) begin
            z2_q[l] = iau_sfu_pkg::fp_greater(x1_q[l], ((b1_q[l] & is_b) | scalar) ^ neg);
          end
        end else begin
          for (int unsigned l = 0; l < 32; l++) begin
            z2_q[l] = iau_fp_pkg::fp_add(x1_q[l], ((b1_q[l] & is_b) | scalar) ^ neg);
          end
        end
        if (cmd_i.mask) begin
          for (int unsigned l = 0; l < 32; l++) begin
            z2_q[l] = masked1_q[l] ? iau_sfu_pkg::FpNegInf : z2_q[l];
          end
        end
      end

      // 1: M1
      if (valid_q[0]) begin
        logic [31:0] scalar, is_a, is_b;
        is_a = {32{cmd_i.m1 == 3'd4}};
        is_b = {32{cmd_i.m1 == 3'd3}};
        scalar = (cmd_i.m1 == 3'd1) ? cmd_i.imm0 : s0_q & ~(is_a | is_b);
        if (cmd_i.m1 == 3'd0) begin
          for (int unsigned l = 0; l < 32; l++) x1_q[l] = x0_q[l];
        end else begin
          for (int unsigned l = 0; l < 32; l++) begin
            x1_q[l] = iau_fp_pkg::fp_mul(x0_q[l], (x0_q[l] & is_a) | (b0_q[l] & is_b) | scalar);
          end
        end
      end

      // 1..5: B and S, for M2
      if (use_b_i) begin
        if (valid_q[4]) for (int unsigned l = 0; l < 32; l++) b5_q[l] = b4_q[l];
        if (valid_q[3]) for (int unsigned l = 0; l < 32; l++) b4_q[l] = b3_q[l];
        if (valid_q[2]) for (int unsigned l = 0; l < 32; l++) b3_q[l] = b2_q[l];
        if (valid_q[1]) for (int unsigned l = 0; l < 32; l++) b2_q[l] = b1_q[l];
        if (valid_q[0]) for (int unsigned l = 0; l < 32; l++) b1_q[l] = b0_q[l];
      end
      s5_q = s4_q;
      s4_q = s3_q;
      s3_q = s2_q;
      s2_q = s1_q;
      s1_q = s0_q;
      masked1_q = masked0_q;
    end

    // 0: operands as fp32, one a lane
    if (vec_valid_i) begin
      logic [1023:0] a, b;
      logic [255:0] bytes;
      logic [31:0] x [32];
      a = a_held_i ? a_hold_q : a_rdata_i;
      if (cmd_i.a_fmt) begin
        bytes = a[{vec_quarter_i, 8'd0} +: 256];
        for (int unsigned w = 0; w < 8; w++) begin
          x[4 * w] = sign_extend(bytes[32 * w +: 8]);
          x[4 * w + 1] = sign_extend(bytes[32 * w + 8 +: 8]);
          x[4 * w + 2] = sign_extend(bytes[32 * w + 16 +: 8]);
          x[4 * w + 3] = sign_extend(bytes[32 * w + 24 +: 8]);
        end
        for (int unsigned l = 0; l < 32; l++) x[l] = iau_fp_pkg::fp_i2f(x[l]);
      end else begin
        for (int unsigned l = 0; l < 32; l++) x[l] = a[32 * l +: 32];
      end
      if (cmd_i.perm == 2'd1) begin
        for (int unsigned l = 0; l < 32; l++) x0_q[l] = x[l ^ 1];
      end else begin
        for (int unsigned l = 0; l < 32; l++) x0_q[l] = x[l];
      end

      if (use_b_i) begin
        b = b_held_i ? b_hold_q : b_rdata_i;
        if (cmd_i.b_fmt) begin
          logic [31:0] word;
          word = b[{vec_word_i, 5'd0} +: 32];
          for (int unsigned l = 0; l < 32; l++) b0_q[l] = word;
        end else begin
          for (int unsigned l = 0; l < 32; l++) b0_q[l] = b[32 * l +: 32];
        end
      end
      s0_q = vec_s_i;
      masked0_q = vec_masked_i;
    end
    if (a_capture_i) a_hold_q = a_rdata_i;
    if (b_capture_i) b_hold_q = b_rdata_i;
  end
  /* verilator lint_on BLKSEQ */

endmodule
