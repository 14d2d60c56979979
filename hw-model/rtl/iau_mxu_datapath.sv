// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The matrix engine's data: tile buffers, stream row buffers, the multiply pipeline and the
// accumulators. All decisions are taken in iau_mxu.
//
// Stage 0 fetches a stream block, 1 takes the 32 dot products, 2 converts and multiplies by the
// tile scales, 3 multiplies by the stream scale and reads the accumulators, 4 adds. A tile may
// return to the same stream row two cycles later at the earliest.
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
    extend = (x << 1) | (x << 2) | (x << 3) | (x << 4);
  endfunction

  // The next tile is kept as it arrives, in words of four lanes (format 3: of four rows, a lane
  // after the other); it becomes bytes on its way to the current one.
  logic [31:0] next_q [Words];
  logic [7:0] tile_q [Rows*Lanes];
  logic [31:0] next_scale_q [Rows];
  logic [31:0] tile_scale_q [Rows];
  logic [255:0] a_buf_q [16];
  logic [1023:0] s_buf_q [4];
  // Four copies, one for every fourth row
  logic [7:0] a_q [4*Lanes];
  logic [7:0] ab_q [4*Lanes];
  logic [31:0] sum_q [MacRows];
  logic [31:0] sumb_q [MacRows];
  logic [31:0] scaled_q [MacRows];
  logic [31:0] scaledb_q [MacRows];
  logic [31:0] prod_q [MacRows];
  logic [31:0] prodb_q [MacRows];
  logic [31:0] base_q [Rows];
  logic [31:0] baseb_q [Rows];
  logic [1023:0] acc0_even_q [16];
  logic [1023:0] acc0_odd_q [16];
  logic [1023:0] acc1_even_q [16];
  logic [1023:0] acc1_odd_q [16];
  logic [31:0] s1_q, s2_q, s3_q, s1b_q, s2b_q, s3b_q;
  logic [31:0] nibbles [128];
  logic [15:0] half [Rows];

  logic [4:1] valid_q, pair_q, last_q, bank_q, whole_q;
  logic whole4;
  logic [1:0] pass1_q, pass2_q, pass3_q, pass4_q;
  logic [31:0] at1, at2, at3, at4;  // the first row of the pass in each stage
  logic [3:1] first_q;
  logic [4:0] m1_q, m2_q, m3_q, m4_q;
  logic [2:1] swap_q;
  logic [1:0] next_format_q;
  logic next_unit_q, unit_q;

  assign whole4 = Whole | whole_q[4];
  assign tile_done_o = valid_q[4] & last_q[4] & whole4;
  assign at1 = 32'(pass1_q) * MacRows;
  assign at2 = 32'(pass2_q) * MacRows;
  assign at3 = 32'(pass3_q) * MacRows;
  assign at4 = 32'(pass4_q) * MacRows;
  assign busy_o = valid_q[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      pair_q <= '0;
      swap_q <= '0;
    end else begin
      valid_q <= {valid_q[3:1], issue_i};
      pair_q <= {pair_q[3:1], issue_i & pair_i};
      swap_q <= {swap_q[1], swap_i};
    end
  end

  always_ff @(posedge clk_i) begin
    last_q <= {last_q[3:1], last_i};
    bank_q <= {bank_q[3:1], acc_i[5]};
    first_q <= {first_q[2:1], first_i};
    if (ld_data_i) begin
      next_format_q <= format_i;
      next_unit_q <= unit_i;
    end
    if (swap_q[1]) unit_q <= next_unit_q;
    m4_q <= m3_q;
    m3_q <= m2_q;
    m2_q <= m1_q;
    m1_q <= acc_i[4:0];
    whole_q <= {whole_q[3:1], whole_i};
    pass4_q <= pass3_q;
    pass3_q <= pass2_q;
    pass2_q <= pass1_q;
    pass1_q <= pass_i;
  end

  // Blocking assignments, the last stage first: every stage reads what the previous one left in the
  // cycle before. Loops over unpacked arrays stay loops in simulation, which is what makes it fast,
  // and these cannot be assigned otherwise.
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

    // Stage 4: accumulate
    if (valid_q[4]) begin
      logic [1023:0] res, resb;
      for (int unsigned r = 0; r < MacRows; r++) begin
        base_q[Whole ? r : at4 + r] = iau_fp_pkg::fp_add(base_q[Whole ? r : at4 + r], prod_q[r]);
      end
      for (int unsigned r = 0; r < Rows; r++) begin
        res[32*r+:32] = base_q[r];
      end
      if (pair_q[4]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          baseb_q[Whole ? r : at4 + r] = iau_fp_pkg::fp_add(baseb_q[Whole ? r : at4 + r], prodb_q[r]);
        end
        for (int unsigned r = 0; r < Rows; r++) begin
          resb[32*r+:32] = baseb_q[r];
        end
        if (whole4 & bank_q[4]) acc1_odd_q[m4_q[4:1]] <= resb;
        if (whole4 & ~bank_q[4]) acc0_odd_q[m4_q[4:1]] <= resb;
      end
      if (whole4) begin
        // The first row of a pair is an even one.
        case ({bank_q[4], m4_q[0] & ~pair_q[4]})
          2'd0: acc0_even_q[m4_q[4:1]] <= res;
          2'd1: acc0_odd_q[m4_q[4:1]] <= res;
          2'd2: acc1_even_q[m4_q[4:1]] <= res;
          default: acc1_odd_q[m4_q[4:1]] <= res;
        endcase
      end
    end
    // The bank that is not accumulating takes Cin. With this said a memory has one port for writes.
    if (c_fill_i & ~(valid_q[4] & (bank_q[4] == c_fill_acc_i[5]))) begin
      case ({c_fill_acc_i[5], c_fill_acc_i[0]})
        2'd0: acc0_even_q[c_fill_acc_i[4:1]] <= s_rdata_i;
        2'd1: acc0_odd_q[c_fill_acc_i[4:1]] <= s_rdata_i;
        2'd2: acc1_even_q[c_fill_acc_i[4:1]] <= s_rdata_i;
        default: acc1_odd_q[c_fill_acc_i[4:1]] <= s_rdata_i;
      endcase
    end

    // Stage 3: times the stream scale
    if (valid_q[3]) begin
      logic [1023:0] row, rowb;
      case ({bank_q[3], m3_q[0]})
        2'd0: row = acc0_even_q[m3_q[4:1]];
        2'd1: row = acc0_odd_q[m3_q[4:1]];
        2'd2: row = acc1_even_q[m3_q[4:1]];
        default: row = acc1_odd_q[m3_q[4:1]];
      endcase
      if (first_q[3]) row = '0;
      for (int unsigned r = 0; r < MacRows; r++) begin
        base_q[Whole ? r : at3 + r] = row[32*(Whole ? r : at3 + r)+:32];
      end
      for (int unsigned r = 0; r < MacRows; r++) begin
        prod_q[r] = iau_fp_pkg::fp_mul(scaled_q[r], s3_q);
      end
      if (pair_q[3]) begin
        rowb = first_q[3] ? '0 : bank_q[3] ? acc1_odd_q[m3_q[4:1]] : acc0_odd_q[m3_q[4:1]];
        for (int unsigned r = 0; r < MacRows; r++) begin
          baseb_q[Whole ? r : at3 + r] = rowb[32*(Whole ? r : at3 + r)+:32];
        end
        for (int unsigned r = 0; r < MacRows; r++) begin
          prodb_q[r] = iau_fp_pkg::fp_mul(scaledb_q[r], s3b_q);
        end
      end
    end

    // Stage 2: to fp32, times the tile scale
    if (valid_q[2]) begin
      for (int unsigned r = 0; r < MacRows; r++) begin
        scaled_q[r] = iau_fp_pkg::fp_mul(iau_fp_pkg::fp_i2f(sum_q[r]), tile_scale_q[Whole ? r : at2 + r]);
      end
      if (pair_q[2]) begin
        for (int unsigned r = 0; r < MacRows; r++) begin
          scaledb_q[r] = iau_fp_pkg::fp_mul(iau_fp_pkg::fp_i2f(sumb_q[r]), tile_scale_q[Whole ? r : at2 + r]);
        end
      end
      s3_q = s2_q;
      s3b_q = s2b_q;
    end
    if (swap_q[2]) begin
      for (int unsigned r = 0; r < Rows; r++) begin
        tile_scale_q[r] = unit_q ? iau_fp_pkg::FpOne : next_scale_q[r];
      end
    end

    // Stage 1: dot products
    if (valid_q[1]) begin
      // Four rows at a time, signs extended by (x ^ 80) - 80: in the simulator's C++ a shorter loop
      // would be unrolled instead of vectorised, and another form not seen as a sign extension. An
      // extended operand that one row alone multiplies is what makes 16 bit products and their sums
      // one instruction.
      for (int unsigned r = 0; r < MacRows; r += 4) begin
        logic [31:0] sum0, sum1, sum2, sum3;
        sum0 = 32'd0;
        sum1 = 32'd0;
        sum2 = 32'd0;
        sum3 = 32'd0;
        for (int unsigned l = 0; l < Lanes; l++) begin
          sum0 = sum0 + (({24'd0, tile_q[(Whole ? r : at1 + r)*Lanes+l]} ^ 32'h80) - 32'h80) *
              (({24'd0, a_q[l]} ^ 32'h80) - 32'h80);
          sum1 = sum1 + (({24'd0, tile_q[((Whole ? r : at1 + r)+1)*Lanes+l]} ^ 32'h80) - 32'h80) *
              (({24'd0, a_q[Lanes+l]} ^ 32'h80) - 32'h80);
          sum2 = sum2 + (({24'd0, tile_q[((Whole ? r : at1 + r)+2)*Lanes+l]} ^ 32'h80) - 32'h80) *
              (({24'd0, a_q[2*Lanes+l]} ^ 32'h80) - 32'h80);
          sum3 = sum3 + (({24'd0, tile_q[((Whole ? r : at1 + r)+3)*Lanes+l]} ^ 32'h80) - 32'h80) *
              (({24'd0, a_q[3*Lanes+l]} ^ 32'h80) - 32'h80);
        end
        sum_q[r] = sum0;
        sum_q[r+1] = sum1;
        sum_q[r+2] = sum2;
        sum_q[r+3] = sum3;
      end
      if (pair_q[1]) begin
        for (int unsigned r = 0; r < MacRows; r += 4) begin
          logic [31:0] sum0, sum1, sum2, sum3;
          sum0 = 32'd0;
          sum1 = 32'd0;
          sum2 = 32'd0;
          sum3 = 32'd0;
          for (int unsigned l = 0; l < Lanes; l++) begin
            sum0 = sum0 + (({28'd0, tile_q[(Whole ? r : at1 + r)*Lanes+l][3:0]} ^ 32'h8) - 32'h8) *
                (({24'd0, ab_q[l]} ^ 32'h80) - 32'h80);
            sum1 = sum1 + (({28'd0, tile_q[((Whole ? r : at1 + r)+1)*Lanes+l][3:0]} ^ 32'h8) - 32'h8) *
                (({24'd0, ab_q[Lanes+l]} ^ 32'h80) - 32'h80);
            sum2 = sum2 + (({28'd0, tile_q[((Whole ? r : at1 + r)+2)*Lanes+l][3:0]} ^ 32'h8) - 32'h8) *
                (({24'd0, ab_q[2*Lanes+l]} ^ 32'h80) - 32'h80);
            sum3 = sum3 + (({28'd0, tile_q[((Whole ? r : at1 + r)+3)*Lanes+l][3:0]} ^ 32'h8) - 32'h8) *
                (({24'd0, ab_q[3*Lanes+l]} ^ 32'h80) - 32'h80);
          end
          sumb_q[r] = sum0;
          sumb_q[r+1] = sum1;
          sumb_q[r+2] = sum2;
          sumb_q[r+3] = sum3;
        end
      end
      s2_q = s1_q;
      s2b_q = s1b_q;
    end
    if (swap_q[1] & (next_format_q != 2'd3)) begin
      for (int unsigned i = 0; i < Words; i++) begin
        tile_q[4*i] = next_q[i][7:0];
        tile_q[4*i+1] = next_q[i][15:8];
        tile_q[4*i+2] = next_q[i][23:16];
        tile_q[4*i+3] = next_q[i][31:24];
      end
    end
    if (swap_q[1] & (next_format_q == 2'd3)) begin
      for (int unsigned i = 0; i < Rows / 4; i++) begin
        for (int unsigned l = 0; l < Lanes; l++) begin
          tile_q[4*Lanes*i+l] = next_q[8*l+i][7:0];
          tile_q[4*Lanes*i+Lanes+l] = next_q[8*l+i][15:8];
          tile_q[4*Lanes*i+2*Lanes+l] = next_q[8*l+i][23:16];
          tile_q[4*Lanes*i+3*Lanes+l] = next_q[8*l+i][31:24];
        end
      end
    end

    // Stage 0: fetch
    if (issue_i) begin
      logic [255:0] block;
      block = a_buf_q[a_block_i];
      for (int unsigned i = 0; i < Lanes / 4; i++) begin
        logic [31:0] word;
        word = block[32*i+:32];
        a_q[4*i] = word[7:0];
        a_q[4*i+1] = word[15:8];
        a_q[4*i+2] = word[23:16];
        a_q[4*i+3] = word[31:24];
      end
      for (int unsigned l = 0; l < Lanes; l++) begin
        a_q[Lanes+l] = a_q[l];
        a_q[2*Lanes+l] = a_q[l];
        a_q[3*Lanes+l] = a_q[l];
      end
      s1_q = s_buf_q[s_slot_i][{s_word_i, 5'd0}+:32];
      if (pair_i) begin
        block = a_buf_q[{a_block_i[3:1], 1'b1}];
        for (int unsigned i = 0; i < Lanes / 4; i++) begin
          logic [31:0] word;
          word = block[32*i+:32];
          ab_q[4*i] = word[7:0];
          ab_q[4*i+1] = word[15:8];
          ab_q[4*i+2] = word[23:16];
          ab_q[4*i+3] = word[31:24];
        end
        for (int unsigned l = 0; l < Lanes; l++) begin
          ab_q[Lanes+l] = ab_q[l];
          ab_q[2*Lanes+l] = ab_q[l];
          ab_q[3*Lanes+l] = ab_q[l];
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
      if (format_i[0] == format_i[1]) begin
        for (int unsigned b = 0; b < 4; b++) begin
          if (32'(ld_beat_i) == b) begin
            for (int unsigned i = 0; i < 64; i++) begin
              next_q[64*b+i] = t_rdata_i[32*i+:32];
            end
          end
        end
      end else begin
        // Nibbles of 16 rows, as bytes: of format 1 the upper plane, which leaves room for the lower
        // one, then that; of format 2 with their signs
        logic [31:0] keep, upper, sign;
        for (int unsigned r = 0; r < 16; r++) begin
          logic [31:0] w0, w1, w2, w3;
          w0 = t_rdata_i[128*r+:32];
          w1 = t_rdata_i[128*r+32+:32];
          w2 = t_rdata_i[128*r+64+:32];
          w3 = t_rdata_i[128*r+96+:32];
          nibbles[8*r] = w0 & 32'h0f0f0f0f;
          nibbles[8*r+1] = w1 & 32'h0f0f0f0f;
          nibbles[8*r+2] = w2 & 32'h0f0f0f0f;
          nibbles[8*r+3] = w3 & 32'h0f0f0f0f;
          nibbles[8*r+4] = (w0 >> 4) & 32'h0f0f0f0f;
          nibbles[8*r+5] = (w1 >> 4) & 32'h0f0f0f0f;
          nibbles[8*r+6] = (w2 >> 4) & 32'h0f0f0f0f;
          nibbles[8*r+7] = (w3 >> 4) & 32'h0f0f0f0f;
        end
        keep = {32{ld_beat_i[1]}};
        upper = {32{format_i[0] & ~ld_beat_i[1]}};
        sign = {32{format_i[1] & ~ld_beat_i[1]}} & 32'h08080808;
        for (int unsigned b = 0; b < 2; b++) begin
          if (32'(ld_beat_i[0]) == b) begin
            for (int unsigned i = 0; i < 128; i++) begin
              next_q[128*b+i] = (next_q[128*b+i] & keep) | (nibbles[i] & ~upper) |
                  (nibbles[i] << 4 & upper) | extend(nibbles[i] & sign);
            end
          end
        end
      end
    end
    if (ld_scale_i) begin
      for (int unsigned i = 0; i < Rows / 2; i++) begin
        logic [31:0] word;
        word = t_rdata_i[32*i+:32];
        half[2*i] = word[15:0];
        half[2*i+1] = word[31:16];
      end
      for (int unsigned r = 0; r < Rows; r++) begin
        next_scale_q[r] = iau_fp_pkg::fp16_to_fp32(half[r]);
      end
    end
  end
  /* verilator lint_on BLKSEQ */

endmodule
