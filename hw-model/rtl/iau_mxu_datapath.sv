// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The matrix engine's data: tile buffers, stream row buffers, the multiply pipeline and the
// accumulators. All decisions are taken in iau_mxu.
//
// Stage 0 fetches a stream block, 1 takes the 32 dot products, 2 converts and multiplies by the
// tile scales, 3 multiplies by the stream scale and reads the accumulators, 4 adds. A tile may
// return to the same stream row two cycles later at the earliest.
module iau_mxu_datapath (
  input  logic          clk_i,
  input  logic          rst_ni,
  // Command
  input  logic [1:0]    format_i,
  input  logic          unit_i,
  // Tile loader: t_rdata_i is beat ld_beat_i of the next tile, or its scales
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
  // Issue of one stream block
  input  logic          issue_i,
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

  import iau_fp_pkg::*;

  localparam int unsigned Rows = iau_hw_pkg::Rows;
  localparam int unsigned Lanes = iau_hw_pkg::Lanes;

  logic [7:0] next_q [Rows*Lanes];
  logic [7:0] tile_q [Rows*Lanes];
  logic [31:0] next_scale_q [Rows];
  logic [31:0] tile_scale_q [Rows];
  logic [255:0] a_buf_q [16];
  logic [1023:0] s_buf_q [4];
  logic [7:0] a_q [Lanes];
  logic [31:0] sum_q [Rows];
  logic [31:0] scaled_q [Rows];
  logic [31:0] prod_q [Rows];
  logic [31:0] base_q [Rows];
  logic [1023:0] acc0_q [32];
  logic [1023:0] acc1_q [32];
  logic [31:0] s1_q, s2_q, s3_q;

  logic [4:1] valid_q, last_q, bank_q;
  logic [3:1] first_q;
  logic [4:0] m1_q, m2_q, m3_q, m4_q;
  logic [2:1] swap_q;

  assign tile_done_o = valid_q[4] & last_q[4];
  assign busy_o = valid_q[1];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      swap_q <= '0;
    end else begin
      valid_q <= {valid_q[3:1], issue_i};
      swap_q <= {swap_q[1], swap_i};
    end
  end

  always_ff @(posedge clk_i) begin
    last_q <= {last_q[3:1], last_i};
    bank_q <= {bank_q[3:1], acc_i[5]};
    first_q <= {first_q[2:1], first_i};
    m4_q <= m3_q;
    m3_q <= m2_q;
    m2_q <= m1_q;
    m1_q <= acc_i[4:0];
  end

  // Blocking assignments, the last stage first: every stage reads what the previous one left in the
  // cycle before. Loops over unpacked arrays stay loops in simulation, which is what makes it fast,
  // and these cannot be assigned otherwise.
  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) begin
    if (read_i) begin
      read_data_o <= read_acc_i[5] ? acc1_q[read_acc_i[4:0]] : acc0_q[read_acc_i[4:0]];
    end

    // Stage 4: accumulate
    if (valid_q[4]) begin
      logic [1023:0] res;
      for (int unsigned r = 0; r < Rows; r++) begin
        base_q[r] = fp_add(base_q[r], prod_q[r]);
      end
      for (int unsigned r = 0; r < Rows; r++) begin
        res[32*r+:32] = base_q[r];
      end
      if (bank_q[4]) begin
        acc1_q[m4_q] <= res;
      end else begin
        acc0_q[m4_q] <= res;
      end
    end
    // The bank that is not accumulating takes Cin.
    if (c_fill_i) begin
      if (c_fill_acc_i[5]) begin
        acc1_q[c_fill_acc_i[4:0]] <= s_rdata_i;
      end else begin
        acc0_q[c_fill_acc_i[4:0]] <= s_rdata_i;
      end
    end

    // Stage 3: times the stream scale
    if (valid_q[3]) begin
      logic [1023:0] row;
      row = first_q[3] ? '0 : bank_q[3] ? acc1_q[m3_q] : acc0_q[m3_q];
      for (int unsigned r = 0; r < Rows; r++) begin
        base_q[r] = row[32*r+:32];
      end
      for (int unsigned r = 0; r < Rows; r++) begin
        prod_q[r] = fp_mul(scaled_q[r], s3_q);
      end
    end

    // Stage 2: to fp32, times the tile scale
    if (valid_q[2]) begin
      for (int unsigned r = 0; r < Rows; r++) begin
        scaled_q[r] = fp_mul(fp_i2f(sum_q[r]), tile_scale_q[r]);
      end
      s3_q = s2_q;
    end
    if (swap_q[2]) begin
      for (int unsigned r = 0; r < Rows; r++) begin
        tile_scale_q[r] = unit_i ? FpOne : next_scale_q[r];
      end
    end

    // Stage 1: dot products
    if (valid_q[1]) begin
      for (int unsigned r = 0; r < Rows; r++) begin
        logic [31:0] sum;
        sum = 32'd0;
        for (int unsigned l = 0; l < Lanes; l++) begin
          sum = sum + {{24{tile_q[r*Lanes+l][7]}}, tile_q[r*Lanes+l]} * {{24{a_q[l][7]}}, a_q[l]};
        end
        sum_q[r] = sum;
      end
      s2_q = s1_q;
    end
    if (swap_q[1]) begin
      for (int unsigned i = 0; i < Rows * Lanes; i++) begin
        tile_q[i] = next_q[i];
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
      s1_q = s_buf_q[s_slot_i][{s_word_i, 5'd0}+:32];
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
      logic [7:0] in [256];
      for (int unsigned i = 0; i < 64; i++) begin
        logic [31:0] word;
        word = t_rdata_i[32*i+:32];
        in[4*i] = word[7:0];
        in[4*i+1] = word[15:8];
        in[4*i+2] = word[23:16];
        in[4*i+3] = word[31:24];
      end
      if (format_i == 2'd0) begin
        for (int unsigned b = 0; b < 4; b++) begin
          if (32'(ld_beat_i) == b) begin
            for (int unsigned i = 0; i < 256; i++) begin
              next_q[256*b+i] = in[i];
            end
          end
        end
      end else if (format_i == 2'd3) begin
        for (int unsigned b = 0; b < 4; b++) begin
          if (32'(ld_beat_i) == b) begin
            for (int unsigned r = 0; r < Rows; r++) begin
              for (int unsigned l = 0; l < 8; l++) begin
                next_q[r*Lanes+8*b+l] = in[l*Rows+r];
              end
            end
          end
        end
      end else if (!ld_beat_i[1]) begin
        for (int unsigned b = 0; b < 2; b++) begin
          if (32'(ld_beat_i[0]) == b) begin
            for (int unsigned r = 0; r < 16; r++) begin
              for (int unsigned j = 0; j < 16; j++) begin
                next_q[512*b+32*r+j] = format_i[0] ? {in[16*r+j][3:0], 4'd0} :
                    {{4{in[16*r+j][3]}}, in[16*r+j][3:0]};
                next_q[512*b+32*r+16+j] = format_i[0] ? {in[16*r+j][7:4], 4'd0} :
                    {{4{in[16*r+j][7]}}, in[16*r+j][7:4]};
              end
            end
          end
        end
      end else begin
        for (int unsigned b = 0; b < 2; b++) begin
          if (32'(ld_beat_i[0]) == b) begin
            for (int unsigned r = 0; r < 16; r++) begin
              for (int unsigned j = 0; j < 16; j++) begin
                next_q[512*b+32*r+j] = next_q[512*b+32*r+j] | {4'd0, in[16*r+j][3:0]};
                next_q[512*b+32*r+16+j] = next_q[512*b+32*r+16+j] | {4'd0, in[16*r+j][7:4]};
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
        next_scale_q[2*i] = fp16_to_fp32(word[15:0]);
        next_scale_q[2*i+1] = fp16_to_fp32(word[31:16]);
      end
    end
  end
  /* verilator lint_on BLKSEQ */

endmodule
