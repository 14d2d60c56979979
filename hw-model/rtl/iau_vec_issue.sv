// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Walks over the rows and columns of a command, reads a vector's operands and issues it.
//
// A and B are requested side by side. An operand that is granted alone waits in the lanes' hold
// register (x_capture_o) until the vector issues. Row scalars and old reduction values are read a
// scratchpad row at a time and kept: a command never writes a value that it has yet to read.
module iau_vec_issue (
  input  logic          clk_i,
  input  logic          rst_ni,
  input  logic          start_i,      // with CMD_I as it will be from the next cycle on
  /* verilator lint_off UNUSEDSIGNAL */
  // Each part of the unit takes its fields of the command.
  input  iau_hw_pkg::vec_t start_cmd_i,
  input  iau_hw_pkg::vec_t cmd_i,
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic          use_b_i,
  input  logic          adv_next_i,   // the pipeline moves in the next cycle
  output logic          active_o,     // vectors are left to issue
  output logic          issue_o,      // one issues in this cycle

  output logic          a_req_o,
  output logic [10:0]   a_row_o,
  input  logic          a_gnt_i,
  output logic          b_req_o,
  output logic [10:0]   b_row_o,
  input  logic          b_gnt_i,
  output logic          s_req_o,
  output logic [10:0]   s_row_o,
  input  logic          s_gnt_i,
  input  logic [1023:0] s_rdata_i,

  output logic          vec_valid_o,
  output logic          vec_first_o,
  output logic          vec_last_o,
  output logic [1:0]    vec_quarter_o,
  output logic [4:0]    vec_word_o,
  output logic [31:0]   vec_s_o,
  output logic [31:0]   vec_masked_o,
  output logic          a_capture_o,
  output logic          a_held_o,
  output logic          b_capture_o,
  output logic          b_held_o,

  // Old reduction values in the order of the rows
  input  logic          old_pop_i,
  output logic [63:0]   old_o
);

  logic        active_q;
  logic [15:0] row_q;
  logic [10:0] col_q;
  logic [17:0] a_base_q, b_base_q, s_addr_q, r_addr_q;
  logic [33:0] limit_q;

  logic [10:0] last_col, a_col, b_col;
  /* verilator lint_off UNUSEDSIGNAL */
  // The lowest bits are zero: operands are aligned.
  logic [17:0] a_addr, b_addr;
  /* verilator lint_on UNUSEDSIGNAL */
  logic        row_end;

  assign last_col = 11'((cmd_i.cols - 16'd1) >> 5);
  assign row_end = col_q == last_col;
  assign active_o = active_q;

  always_comb begin
    a_col = col_q;
    a_col[0] = col_q[0] ^ (cmd_i.perm == 2'd2);
    a_col[1] = col_q[1] ^ (cmd_i.perm == 2'd3);
    b_col = col_q;
    if (cmd_i.b_wrap != 3'd0) b_col = col_q & ((11'd1 << (cmd_i.b_wrap - 3'd1)) - 11'd1);
    a_addr = a_base_q + (cmd_i.a_fmt ? {2'd0, a_col, 5'd0} : {a_col, 7'd0});
    b_addr = b_base_q + (cmd_i.b_fmt ? {5'd0, b_col, 2'd0} : {b_col, 7'd0});
  end

  // Lanes at and past the mask's limit
  logic [33:0] room;
  logic [31:0] masked;

  always_comb begin
    room = '0;
    masked = '0;
    if (cmd_i.mask) begin
      room = limit_q - {18'd0, col_q, 5'd0};
      masked = '1;
      if (!room[33]) masked = (room[32:5] != 28'd0) ? '0 : 32'hffffffff << room[4:0];
    end
  end

  // Row scalars and old values
  logic          use_s, use_r, s_hit, r_hit, rows_ready;
  logic          s_valid_q, r_valid_q, s_wait_q, r_wait_q;
  logic [10:0]   s_tag_q, r_tag_q;
  logic [1023:0] s_data_q, r_data_q;
  logic [63:0]   old_pair, old;

  assign use_s = (cmd_i.m1 == 3'd2) | (cmd_i.a1 == 2'd2) | (cmd_i.m2 == 2'd2);
  assign use_r = (cmd_i.red != 2'd0) & cmd_i.r_init;
  assign s_hit = s_valid_q & (s_tag_q == s_addr_q[17:7]);
  assign r_hit = r_valid_q & (r_tag_q == r_addr_q[17:7]);
  assign rows_ready = active_q & (~use_s | s_hit) & (~use_r | r_hit);
  assign s_req_o = active_q & ~s_wait_q & ~r_wait_q & ((use_s & ~s_hit) | (use_r & ~r_hit));
  assign s_row_o = (use_s & ~s_hit) ? s_addr_q[17:7] : r_addr_q[17:7];
  always_comb begin
    old_pair = '0;
    old = '0;
    if (use_r) begin
      old_pair = r_data_q[{r_addr_q[6:3], 6'd0} +: 64];
      old = r_addr_q[2] ? {32'd0, old_pair[63:32]} : old_pair;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      s_valid_q <= 1'b0;
      r_valid_q <= 1'b0;
      s_wait_q <= 1'b0;
      r_wait_q <= 1'b0;
    end else begin
      s_wait_q <= s_req_o & s_gnt_i & use_s & ~s_hit;
      r_wait_q <= s_req_o & s_gnt_i & ~(use_s & ~s_hit);
      if (s_wait_q) s_valid_q <= 1'b1;
      if (r_wait_q) r_valid_q <= 1'b1;
      if (start_i) begin
        s_valid_q <= 1'b0;
        r_valid_q <= 1'b0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (s_wait_q) begin
      s_data_q <= s_rdata_i;
      s_tag_q <= s_addr_q[17:7];
    end
    if (r_wait_q) begin
      r_data_q <= s_rdata_i;
      r_tag_q <= r_addr_q[17:7];
    end
  end

  // Operands. HAVE: read for the next vector already
  logic a_have_q, b_have_q, a_now, b_now;

  assign a_req_o = rows_ready & ~a_have_q;
  assign b_req_o = rows_ready & use_b_i & ~b_have_q;
  assign a_row_o = a_addr[17:7];
  assign b_row_o = b_addr[17:7];
  assign a_now = a_req_o & a_gnt_i;
  assign b_now = b_req_o & b_gnt_i;
  assign issue_o = rows_ready & adv_next_i & (a_have_q | a_now) & (~use_b_i | b_have_q | b_now);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      a_have_q <= 1'b0;
      b_have_q <= 1'b0;
      a_capture_o <= 1'b0;
      b_capture_o <= 1'b0;
      vec_valid_o <= 1'b0;
    end else begin
      vec_valid_o <= issue_o;
      a_have_q <= ~issue_o & (a_have_q | a_now);
      b_have_q <= ~issue_o & (b_have_q | b_now);
      a_capture_o <= a_now & ~issue_o;
      b_capture_o <= b_now & ~issue_o;
      if (start_i) active_q <= 1'b1;
      else if (issue_o & row_end & (row_q == 16'd1)) active_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (issue_o) begin
      vec_first_o <= col_q == 11'd0;
      vec_last_o <= row_end;
      vec_quarter_o <= a_addr[6:5];
      vec_word_o <= b_addr[6:2];
      vec_s_o <= s_data_q[{s_addr_q[6:2], 5'd0} +: 32];
      vec_masked_o <= masked;
      a_held_o <= a_have_q;
      b_held_o <= b_have_q;
      col_q <= row_end ? 11'd0 : col_q + 11'd1;
      if (row_end) begin
        row_q <= row_q - 16'd1;
        a_base_q <= a_base_q + cmd_i.a_stride[17:0];
        b_base_q <= b_base_q + cmd_i.b_stride[17:0];
        s_addr_q <= s_addr_q + 18'd4;
        r_addr_q <= r_addr_q + ((cmd_i.red == 2'd3) ? 18'd8 : 18'd4);
        limit_q <= limit_q + 34'(cmd_i.mask_step);
      end
    end
    if (start_i) begin
      row_q <= start_cmd_i.rows;
      col_q <= '0;
      a_base_q <= start_cmd_i.a_addr[17:0];
      b_base_q <= start_cmd_i.b_addr[17:0];
      s_addr_q <= start_cmd_i.s_addr[17:0];
      r_addr_q <= start_cmd_i.r_addr[17:0];
      limit_q <= {{2{start_cmd_i.imm1[31]}}, start_cmd_i.imm1};
    end
  end

  // A row's old value waits for the reduction: no more rows than stages up to there are on their way.
  logic [63:0] old_q [16];
  logic [3:0]  old_wr_q, old_rd_q;

  assign old_o = old_q[old_rd_q];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      old_wr_q <= '0;
      old_rd_q <= '0;
    end else begin
      if (issue_o & (col_q == 11'd0) & use_r) old_wr_q <= old_wr_q + 4'd1;
      if (old_pop_i & use_r) old_rd_q <= old_rd_q + 4'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (issue_o & (col_q == 11'd0) & use_r) old_q[old_wr_q] <= old;
  end

endmodule
