// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The matrix engine's data: tile buffers, stream row buffers, the multiply pipeline and the
// accumulators. All decisions are taken in iau_mxu.
//
// Stage 0 fetches a stream block, 1 and 2 take the 32 dot products, 3 converts them to fp32, 4 and 5
// multiply by the tile scales, 6 and 7 by the stream scale; 7 reads the accumulators, too, and 8 to 10
// add. A tile may return to the same stream row three cycles later at the earliest: 7 takes what 10
// is about to write.
//
// MACROWS rows of the tile are multiplied at a time; with fewer than it has, a block is issued again and
// again, each time for the next ones, and its accumulators are written after the last.
//
// The arrays that end in b are the second row of a pair: it has multipliers for INT4 tiles of its
// own, and fp32 arithmetic. Even and odd rows have their accumulators apart for its sake.
module iau_mxu_datapath #(
  parameter int unsigned MacRows = iau_hw_pkg::Rows
) (
  input  logic          clk_i,
  input  logic          rst_ni,
  // Tile loader: t_rdata_i is beat ld_beat_i of the next tile, or its scales
  input  logic [1:0]    format_i,
  input  logic          unit_i,
  input  logic          ld_data_i,
  input  logic [1:0]    ld_beat_i,
  input  logic          ld_scale_i,
  input  logic [2047:0] t_rdata_i,
  // The next tile becomes the current one for blocks issued after this cycle
  input  logic          swap_i,
  // Rows from the vector scratchpad
  input  logic          a_fill_i,
  input  logic [1:0]    a_fill_slot_i,
  input  logic          s_fill_i,
  input  logic [1:0]    s_fill_slot_i,
  input  logic          c_fill_i,
  input  logic [5:0]    c_fill_acc_i,
  input  logic [1023:0] s_rdata_i,
  // Issue of one stream block, or of two: an even one and the next, for an even row and the next
  input  logic          issue_i,
  input  logic          pair_i,
  input  logic [1:0]    pass_i,     // of the block: which rows
  input  logic          whole_i,    // the last of them
  input  logic [3:0]    a_block_i,
  input  logic [1:0]    s_slot_i,
  input  logic [4:0]    s_word_i,
  input  logic [5:0]    acc_i,    // bank, stream row
  input  logic          first_i,  // start from zero
  input  logic          last_i,   // completes the output tile
  output logic          tile_done_o,
  output logic          busy_o,
  // Reading accumulators out
  input  logic          read_i,
  input  logic [5:0]    read_acc_i,
  output logic [1023:0] read_data_o
);

  localparam int unsigned Rows = iau_hw_pkg::Rows;
  localparam int unsigned Lanes = iau_hw_pkg::Lanes;
  localparam int unsigned Words = Rows * Lanes / 4;
  // All rows at a time: their numbers are constants then, also to those who look at the source only.
  localparam bit Whole = MacRows == Rows;

  /// Bit 3 of each byte, in the bits above, too
  function automatic logic [31:0] extend(input logic [31:0] x);
    logic [31:0] sign;
    sign = x & 32'h08080808;
    extend = x | (sign << 1) | (sign << 2) | (sign << 3) | (sign << 4);
  endfunction

  // Tiles are words of four lanes: the first ones of all rows, then the next ones. Only in format 3 is the
  // next tile kept as it arrives, transposed, words of four rows.
  logic [31:0] next_q [Words];
  logic [31:0] tile_q [Words];
  // So are its scales. The next ones may come before the last block has been multiplied by the current
  // ones: those between are the coming ones.
  logic [15:0] next_scale_q [Rows];
  logic [31:0] coming_scale_q [Rows];
  logic [31:0] tile_scale_q [Rows];
  logic [255:0] a_buf_q [16];
  logic [1023:0] s_buf_q [4];
  logic [31:0] a_q [Lanes/4];
  logic [31:0] ab_q [Lanes/4];
  // Eight sums of four products a row: the first ones of all rows, then the next ones
  logic [31:0] part_q [8*MacRows];
  logic [31:0] partb_q [8*MacRows];
  logic [31:0] sum_q [MacRows];
  logic [31:0] sumb_q [MacRows];
  logic [31:0] value_q [MacRows];
  logic [31:0] valueb_q [MacRows];
  logic [31:0] scaled_frac_q [MacRows];
  logic [31:0] scaledb_frac_q [MacRows];
  logic [31:0] scaled_kind_q [MacRows];
  logic [31:0] scaledb_kind_q [MacRows];
  logic [31:0] scaled_q [MacRows];
  logic [31:0] scaledb_q [MacRows];
  logic [31:0] prod_frac_q [MacRows];
  logic [31:0] prodb_frac_q [MacRows];
  logic [31:0] prod_kind_q [MacRows];
  logic [31:0] prodb_kind_q [MacRows];
  logic [31:0] prod_q [MacRows];
  logic [31:0] prodb_q [MacRows];
  logic [31:0] base_q [MacRows];
  logic [31:0] baseb_q [MacRows];
  logic [31:0] big_q [MacRows];
  logic [31:0] bigb_q [MacRows];
  logic [31:0] less_q [MacRows];
  logic [31:0] lessb_q [MacRows];
  logic [31:0] res_frac_q [MacRows];
  logic [31:0] resb_frac_q [MacRows];
  logic [31:0] res_kind_q [MacRows];
  logic [31:0] resb_kind_q [MacRows];
  logic [31:0] res_q [Rows];  // of all passes so far
  logic [31:0] resb_q [Rows];
  logic [1023:0] acc0_even_q [16];
  logic [1023:0] acc0_odd_q [16];
  logic [1023:0] acc1_even_q [16];
  logic [1023:0] acc1_odd_q [16];
  logic [1023:0] res, resb;  // what stage 10 writes
  // The stream scales on their way to stage 6
  logic [31:0] s1_q, s2_q, s3_q, s4_q, s5_q, s6_q;
  logic [31:0] s1b_q, s2b_q, s3b_q, s4b_q, s5b_q, s6b_q;
  logic [31:0] packed_words [64];

  // What is in each stage
  logic [10:1] valid_q, pair_q, last_q, bank_q, whole_q;
  logic [10:1][1:0] pass_q;
  logic [10:1][4:0] m_q;
  logic [4:0] m7, m10;
  logic [7:1] first_q;
  logic [4:1] swap_q;
  logic [31:0] at1, at4, at10;  // the first row of the pass
  logic whole10;
  logic [1:0] next_format_q;
  logic next_unit_q, unit_q;

  assign whole10 = Whole | whole_q[10];
  assign tile_done_o = valid_q[10] & last_q[10] & whole10;
  assign at1 = 32'(pass_q[1]) * MacRows;
  assign at4 = 32'(pass_q[4]) * MacRows;
  assign at10 = 32'(pass_q[10]) * MacRows;
  assign m7 = m_q[7];
  assign m10 = m_q[10];
  assign busy_o = valid_q[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      pair_q <= '0;
      swap_q <= '0;
    end else begin
      valid_q <= {valid_q[9:1], issue_i};
      pair_q <= {pair_q[9:1], issue_i & pair_i};
      swap_q <= {swap_q[3:1], swap_i};
    end
  end

  always_ff @(posedge clk_i) begin
    last_q <= {last_q[9:1], last_i};
    bank_q <= {bank_q[9:1], acc_i[5]};
    whole_q <= {whole_q[9:1], whole_i};
    pass_q <= {pass_q[9:1], pass_i};
    m_q <= {m_q[9:1], acc_i[4:0]};
    first_q <= {first_q[6:1], first_i};
    if (ld_data_i) begin
      next_format_q <= format_i;
      next_unit_q <= unit_i;
    end
    if (swap_q[1]) unit_q <= next_unit_q;
  end

  // Blocking assignments, the last stage first: every stage reads what the previous one left in the
  // cycle before. Loops over unpacked arrays stay loops in simulation, which is what makes it fast,
  // and these cannot be assigned otherwise. Where a loop takes words out of a wide vector its counter
  // has 64 bits: one of the words' own type might lie among them for all that the compiler knows.
  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) begin
    if (read_i) begin
      case ({read_acc_i[5], read_acc_i[0]})
        2'd0: read_data_o <= acc0_even_q[read_acc_i[4:1]];
        2'd1: read_data_o <= acc0_odd_q[read_acc_i[4:1]];
        2'd2: read_data_o <= acc1_even_q[read_acc_i[4:1]];
        default: read_data_o <= acc1_odd_q[read_acc_i[4:1]];
      endcase
    end

    // Stage 10: the sums' last one, and the accumulators
    if (valid_q[10]) begin
      for (int unsigned r = 0; r < MacRows; r++) begin
        res_q[Whole ? r : at10 + r] = iau_fp_pkg::fp_round(res_frac_q[r], res_kind_q[r]);
      end
      for (int unsigned r = 0; r < Rows; r++) begin
        res[32*r+:32] = res_q[r];
      end
      if (pair_q[10]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          resb_q[Whole ? r : at10 + r] = iau_fp_pkg::fp_round(resb_frac_q[r], resb_kind_q[r]);
        end
        for (int unsigned r = 0; r < Rows; r++) begin
          resb[32*r+:32] = resb_q[r];
        end
        if (whole10 & bank_q[10]) acc1_odd_q[m10[4:1]] <= resb;
        if (whole10 & ~bank_q[10]) acc0_odd_q[m10[4:1]] <= resb;
      end
      if (whole10) begin
        // The first row of a pair is an even one.
        case ({bank_q[10], m10[0] & ~pair_q[10]})
          2'd0: acc0_even_q[m10[4:1]] <= res;
          2'd1: acc0_odd_q[m10[4:1]] <= res;
          2'd2: acc1_even_q[m10[4:1]] <= res;
          default: acc1_odd_q[m10[4:1]] <= res;
        endcase
      end
    end
    // The bank that is not accumulating takes Cin. With this said a memory has one port for writes.
    if (c_fill_i & ~(valid_q[10] & (bank_q[10] == c_fill_acc_i[5]))) begin
      case ({c_fill_acc_i[5], c_fill_acc_i[0]})
        2'd0: acc0_even_q[c_fill_acc_i[4:1]] <= s_rdata_i;
        2'd1: acc0_odd_q[c_fill_acc_i[4:1]] <= s_rdata_i;
        2'd2: acc1_even_q[c_fill_acc_i[4:1]] <= s_rdata_i;
        default: acc1_odd_q[c_fill_acc_i[4:1]] <= s_rdata_i;
      endcase
    end

    // Stage 9: the sums' second one
    if (valid_q[9]) begin
      for (int unsigned r = 0; r < MacRows; r++) begin
        res_frac_q[r] = iau_fp_pkg::fp_add_frac(big_q[r], less_q[r]);
        res_kind_q[r] = iau_fp_pkg::fp_add_kind(big_q[r], less_q[r]);
      end
      if (pair_q[9]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          resb_frac_q[r] = iau_fp_pkg::fp_add_frac(bigb_q[r], lessb_q[r]);
          resb_kind_q[r] = iau_fp_pkg::fp_add_kind(bigb_q[r], lessb_q[r]);
        end
      end
    end

    // Stage 8: the sums' first one
    if (valid_q[8]) begin
      for (int unsigned r = 0; r < MacRows; r++) begin
        big_q[r] = iau_fp_pkg::fp_add_big(base_q[r], prod_q[r]);
        less_q[r] = iau_fp_pkg::fp_add_less(base_q[r], prod_q[r]);
      end
      if (pair_q[8]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          bigb_q[r] = iau_fp_pkg::fp_add_big(baseb_q[r], prodb_q[r]);
          lessb_q[r] = iau_fp_pkg::fp_add_less(baseb_q[r], prodb_q[r]);
        end
      end
    end

    // Stage 7: ... rounded; the accumulators
    if (valid_q[7]) begin
      logic [1023:0] row, rowb;
      logic hit, hit_even, hit_odd;
      hit = valid_q[10] & whole10 & (bank_q[10] == bank_q[7]) & (m10[4:1] == m7[4:1]);
      hit_even = hit & ~m10[0];
      hit_odd = hit & (m10[0] | pair_q[10]);
      case ({bank_q[7], m7[0]})
        2'd0: row = acc0_even_q[m7[4:1]];
        2'd1: row = acc0_odd_q[m7[4:1]];
        2'd2: row = acc1_even_q[m7[4:1]];
        default: row = acc1_odd_q[m7[4:1]];
      endcase
      if (m7[0] ? hit_odd : hit_even) row = (m7[0] & pair_q[10]) ? resb : res;
      if (first_q[7]) row = '0;
      for (longint unsigned r = 0; r < 64'(MacRows); r++) begin
        base_q[32'(r)] = row[32*(Whole ? 32'(r) : 32'(pass_q[7]) * MacRows + 32'(r))+:32];
      end
      for (int unsigned r = 0; r < MacRows; r++) begin
        prod_q[r] = iau_fp_pkg::fp_round(prod_frac_q[r], prod_kind_q[r]);
      end
      if (pair_q[7]) begin
        rowb = bank_q[7] ? acc1_odd_q[m7[4:1]] : acc0_odd_q[m7[4:1]];
        if (hit_odd) rowb = pair_q[10] ? resb : res;
        if (first_q[7]) rowb = '0;
        for (longint unsigned r = 0; r < 64'(MacRows); r++) begin
          baseb_q[32'(r)] = rowb[32*(Whole ? 32'(r) : 32'(pass_q[7]) * MacRows + 32'(r))+:32];
        end
        for (int unsigned r = 0; r < MacRows; r++) begin
          prodb_q[r] = iau_fp_pkg::fp_round(prodb_frac_q[r], prodb_kind_q[r]);
        end
      end
    end

    // Stage 6: times the stream scale
    if (valid_q[6]) begin
      for (int unsigned r = 0; r < MacRows; r++) begin
        prod_frac_q[r] = iau_fp_pkg::fp_mul_frac(scaled_q[r], s6_q);
        prod_kind_q[r] = iau_fp_pkg::fp_mul_kind(scaled_q[r], s6_q);
      end
      if (pair_q[6]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          prodb_frac_q[r] = iau_fp_pkg::fp_mul_frac(scaledb_q[r], s6b_q);
          prodb_kind_q[r] = iau_fp_pkg::fp_mul_kind(scaledb_q[r], s6b_q);
        end
      end
    end

    // Stage 5: ... rounded
    if (valid_q[5]) begin
      for (int unsigned r = 0; r < MacRows; r++) begin
        scaled_q[r] = iau_fp_pkg::fp_round(scaled_frac_q[r], scaled_kind_q[r]);
      end
      if (pair_q[5]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          scaledb_q[r] = iau_fp_pkg::fp_round(scaledb_frac_q[r], scaledb_kind_q[r]);
        end
      end
      s6_q = s5_q;
      s6b_q = s5b_q;
    end

    // Stage 4: times the tile scale
    if (valid_q[4]) begin
      for (int unsigned r = 0; r < MacRows; r++) begin
        scaled_frac_q[r] = iau_fp_pkg::fp_mul_frac(value_q[r], tile_scale_q[Whole ? r : at4 + r]);
        scaled_kind_q[r] = iau_fp_pkg::fp_mul_kind(value_q[r], tile_scale_q[Whole ? r : at4 + r]);
      end
      if (pair_q[4]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          scaledb_frac_q[r] = iau_fp_pkg::fp_mul_frac(valueb_q[r], tile_scale_q[Whole ? r : at4 + r]);
          scaledb_kind_q[r] = iau_fp_pkg::fp_mul_kind(valueb_q[r], tile_scale_q[Whole ? r : at4 + r]);
        end
      end
      s5_q = s4_q;
      s5b_q = s4b_q;
    end
    if (swap_q[4]) begin
      for (int unsigned r = 0; r < Rows; r++) begin
        tile_scale_q[r] = coming_scale_q[r];
      end
    end

    // Stage 3: to fp32
    if (valid_q[3]) begin
      for (int unsigned r = 0; r < MacRows; r++) begin
        value_q[r] = iau_fp_pkg::fp_i2f(sum_q[r]);
      end
      if (pair_q[3]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          valueb_q[r] = iau_fp_pkg::fp_i2f(sumb_q[r]);
        end
      end
      s4_q = s3_q;
      s4b_q = s3b_q;
    end
    if (swap_q[3]) begin
      for (int unsigned r = 0; r < Rows; r++) begin
        coming_scale_q[r] = unit_q ? iau_fp_pkg::FpOne : iau_fp_pkg::fp16_to_fp32(next_scale_q[r]);
      end
    end

    // Stage 2: the sums of the partial ones
    if (valid_q[2]) begin
      for (int unsigned r = 0; r < MacRows; r++) begin
        sum_q[r] = part_q[r] + part_q[MacRows+r] + part_q[2*MacRows+r] + part_q[3*MacRows+r] +
            part_q[4*MacRows+r] + part_q[5*MacRows+r] + part_q[6*MacRows+r] + part_q[7*MacRows+r];
      end
      if (pair_q[2]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          sumb_q[r] = partb_q[r] + partb_q[MacRows+r] + partb_q[2*MacRows+r] + partb_q[3*MacRows+r] +
              partb_q[4*MacRows+r] + partb_q[5*MacRows+r] + partb_q[6*MacRows+r] + partb_q[7*MacRows+r];
        end
      end
      s3_q = s2_q;
      s3b_q = s2b_q;
    end

    // Stage 1: partial sums of the dot products
    if (valid_q[1]) begin
      // All rows by the same four lanes: a vector of the simulator's C++ is then one of rows, and nothing
      // has to be summed within it. (x ^ 80) - 80 is what it sees as a sign extension.
      for (int unsigned j = 0; j < 8; j++) begin
        logic [31:0] a0, a1, a2, a3;
        a0 = ({24'd0, a_q[j][7:0]} ^ 32'h80) - 32'h80;
        a1 = ({24'd0, a_q[j][15:8]} ^ 32'h80) - 32'h80;
        a2 = ({24'd0, a_q[j][23:16]} ^ 32'h80) - 32'h80;
        a3 = ({24'd0, a_q[j][31:24]} ^ 32'h80) - 32'h80;
        for (int unsigned r = 0; r < MacRows; r++) begin
          logic [31:0] word;
          word = tile_q[Rows*j+(Whole ? r : at1 + r)];
          part_q[MacRows*j+r] = (({24'd0, word[7:0]} ^ 32'h80) - 32'h80) * a0 +
              (({24'd0, word[15:8]} ^ 32'h80) - 32'h80) * a1 +
              (({24'd0, word[23:16]} ^ 32'h80) - 32'h80) * a2 +
              (({24'd0, word[31:24]} ^ 32'h80) - 32'h80) * a3;
        end
      end
      if (pair_q[1]) begin
        for (int unsigned j = 0; j < 8; j++) begin
          logic [31:0] a0, a1, a2, a3;
          a0 = ({24'd0, ab_q[j][7:0]} ^ 32'h80) - 32'h80;
          a1 = ({24'd0, ab_q[j][15:8]} ^ 32'h80) - 32'h80;
          a2 = ({24'd0, ab_q[j][23:16]} ^ 32'h80) - 32'h80;
          a3 = ({24'd0, ab_q[j][31:24]} ^ 32'h80) - 32'h80;
          for (int unsigned r = 0; r < MacRows; r++) begin
            logic [31:0] word;
            word = tile_q[Rows*j+(Whole ? r : at1 + r)] & 32'h0f0f0f0f;
            partb_q[MacRows*j+r] = (({24'd0, word[7:0]} ^ 32'h8) - 32'h8) * a0 +
                (({24'd0, word[15:8]} ^ 32'h8) - 32'h8) * a1 +
                (({24'd0, word[23:16]} ^ 32'h8) - 32'h8) * a2 +
                (({24'd0, word[31:24]} ^ 32'h8) - 32'h8) * a3;
          end
        end
      end
      s2_q = s1_q;
      s2b_q = s1b_q;
    end
    if (swap_q[1] & (next_format_q != 2'd3)) begin
      for (int unsigned i = 0; i < Words; i++) begin
        tile_q[i] = next_q[i];
      end
    end
    if (swap_q[1] & (next_format_q == 2'd3)) begin
      for (int unsigned j = 0; j < Lanes / 4; j++) begin
        for (int unsigned r = 0; r < Rows / 4; r++) begin
          logic [31:0] w0, w1, w2, w3;
          w0 = next_q[Rows*j+r];
          w1 = next_q[Rows*j+Rows/4+r];
          w2 = next_q[Rows*j+2*Rows/4+r];
          w3 = next_q[Rows*j+3*Rows/4+r];
          tile_q[Rows*j+4*r] = {w3[7:0], w2[7:0], w1[7:0], w0[7:0]};
          tile_q[Rows*j+4*r+1] = {w3[15:8], w2[15:8], w1[15:8], w0[15:8]};
          tile_q[Rows*j+4*r+2] = {w3[23:16], w2[23:16], w1[23:16], w0[23:16]};
          tile_q[Rows*j+4*r+3] = {w3[31:24], w2[31:24], w1[31:24], w0[31:24]};
        end
      end
    end

    // Stage 0: fetch
    if (issue_i) begin
      logic [255:0] block;
      block = a_buf_q[a_block_i];
      for (longint unsigned j = 0; j < 8; j++) begin
        a_q[32'(j)] = block[32*32'(j)+:32];
      end
      s1_q = s_buf_q[s_slot_i][{s_word_i, 5'd0}+:32];
      if (pair_i) begin
        block = a_buf_q[{a_block_i[3:1], 1'b1}];
        for (longint unsigned j = 0; j < 8; j++) begin
          ab_q[32'(j)] = block[32*32'(j)+:32];
        end
        s1b_q = s_buf_q[s_slot_i][{s_word_i[4:1], 6'd32}+:32];
      end
    end
    if (a_fill_i) begin
      a_buf_q[{a_fill_slot_i, 2'd0}] <= s_rdata_i[255:0];
      a_buf_q[{a_fill_slot_i, 2'd1}] <= s_rdata_i[511:256];
      a_buf_q[{a_fill_slot_i, 2'd2}] <= s_rdata_i[767:512];
      a_buf_q[{a_fill_slot_i, 2'd3}] <= s_rdata_i[1023:768];
    end
    if (s_fill_i) begin
      s_buf_q[s_fill_slot_i] <= s_rdata_i;
    end

    // The next tile. The beat number selects among constant ranges.
    if (ld_data_i) begin
      if (format_i == 2'd3) begin
        for (int unsigned b = 0; b < 4; b++) begin
          if (32'(ld_beat_i) == b) begin
            for (longint unsigned i = 0; i < 64; i++) begin
              next_q[64*b+32'(i)] = t_rdata_i[32*32'(i)+:32];
            end
          end
        end
      end else if (format_i == 2'd0) begin
        // Eight rows. Written out, the same word of all of them is a vector for a simulator's compiler.
        for (int unsigned b = 0; b < 4; b++) begin
          if (32'(ld_beat_i) == b) begin
            for (longint unsigned r = 0; r < 8; r++) begin
              next_q[8*b+32'(r)] = t_rdata_i[256*32'(r)+:32];
              next_q[Rows+8*b+32'(r)] = t_rdata_i[256*32'(r)+32+:32];
              next_q[2*Rows+8*b+32'(r)] = t_rdata_i[256*32'(r)+64+:32];
              next_q[3*Rows+8*b+32'(r)] = t_rdata_i[256*32'(r)+96+:32];
              next_q[4*Rows+8*b+32'(r)] = t_rdata_i[256*32'(r)+128+:32];
              next_q[5*Rows+8*b+32'(r)] = t_rdata_i[256*32'(r)+160+:32];
              next_q[6*Rows+8*b+32'(r)] = t_rdata_i[256*32'(r)+192+:32];
              next_q[7*Rows+8*b+32'(r)] = t_rdata_i[256*32'(r)+224+:32];
            end
          end
        end
      end else begin
        // Nibbles of 16 rows, as bytes: of format 1 the upper plane, which leaves room for the lower
        // one, then that; of format 2 with their signs
        for (longint unsigned r = 0; r < 16; r++) begin
          packed_words[32'(r)] = t_rdata_i[128*32'(r)+:32];
          packed_words[32'(r)+16] = t_rdata_i[128*32'(r)+32+:32];
          packed_words[32'(r)+32] = t_rdata_i[128*32'(r)+64+:32];
          packed_words[32'(r)+48] = t_rdata_i[128*32'(r)+96+:32];
        end
        for (int unsigned b = 0; b < 2; b++) begin
          if (32'(ld_beat_i[0]) == b) begin
            for (int unsigned j = 0; j < 4; j++) begin
              if (format_i[1]) begin
                for (int unsigned r = 0; r < 16; r++) begin
                  next_q[Rows*j+16*b+r] = extend(packed_words[16*j+r] & 32'h0f0f0f0f);
                end
                for (int unsigned r = 0; r < 16; r++) begin
                  next_q[Rows*(j+4)+16*b+r] = extend((packed_words[16*j+r] >> 4) & 32'h0f0f0f0f);
                end
              end else if (~ld_beat_i[1]) begin
                for (int unsigned r = 0; r < 16; r++) begin
                  next_q[Rows*j+16*b+r] = (packed_words[16*j+r] << 4) & 32'hf0f0f0f0;
                end
                for (int unsigned r = 0; r < 16; r++) begin
                  next_q[Rows*(j+4)+16*b+r] = packed_words[16*j+r] & 32'hf0f0f0f0;
                end
              end else begin
                for (int unsigned r = 0; r < 16; r++) begin
                  next_q[Rows*j+16*b+r] = next_q[Rows*j+16*b+r] | (packed_words[16*j+r] & 32'h0f0f0f0f);
                end
                for (int unsigned r = 0; r < 16; r++) begin
                  next_q[Rows*(j+4)+16*b+r] = next_q[Rows*(j+4)+16*b+r] |
                      ((packed_words[16*j+r] >> 4) & 32'h0f0f0f0f);
                end
              end
            end
          end
        end
      end
    end
    if (ld_scale_i) begin
      for (int unsigned i = 0; i < Rows / 2; i++) begin
        logic [31:0] word;
        word = t_rdata_i[32*i+:32];
        next_scale_q[2*i] = word[15:0];
        next_scale_q[2*i+1] = word[31:16];
      end
    end
  end
  /* verilator lint_on BLKSEQ */

endmodule
