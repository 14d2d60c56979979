// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The matrix engine: D[m][n] = Cin[m][n] + sum over k of stream(m, k) . tile(n, k). For each tile
// (n outer, k inner) the M stream rows pass by at one block a cycle, while the next tile is loaded,
// the previous output tile is written out and the next one's Cin is read. Past an INT4 tile go two
// at once: an even row and the next one, if their blocks lie in the same 64 bytes and their scales in
// the same 8.
//
// So that nothing drains between commands, each is handed on: the front asks for its tiles and
// stream rows, the middle multiplies, the end writes D. Cin is read ahead of all of them. They may be
// at a command each; what a command streams must not be what an older one has yet to write, its Cin
// may be.
//
// MACROWS: rows of a tile that are multiplied at a time, 8, 16 or 32; a block takes so many cycles as it
// takes to come by all 32. Results are the same.
module iau_mxu #(
  parameter int unsigned MacRows = iau_hw_pkg::Rows
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  // Commands: all fields are legal
  input  logic                cmd_valid_i,
  input  iau_hw_pkg::matmul_t cmd_i,
  output logic                cmd_ready_o,
  output logic                done_o,    // one cycle, once every row of D is written; in order
  output logic                active_o,  // has commands
  output logic                busy_o,    // multiplying
  // Vector scratchpad, rows of 128 bytes: read data come the cycle after the grant
  output logic                s_req_o,
  output logic [10:0]         s_row_o,
  input  logic                s_gnt_i,
  input  logic [1023:0]       s_rdata_i,
  output logic                d_req_o,
  output logic [10:0]         d_row_o,
  output logic [1023:0]       d_wdata_o,
  input  logic                d_gnt_i,
  // Tile scratchpad: the 256 bytes from t_addr_o (in 64 bytes), the cycle after the request
  output logic                t_req_o,
  output logic [11:0]         t_addr_o,
  input  logic [2047:0]       t_rdata_i
);

  // Commands on their way ------------------------------------------------------------------------

  // The legal ranges leave the upper bits of most fields zero, and addresses wrap in a scratchpad.
  /* verilator lint_off UNUSED */
  iau_hw_pkg::matmul_t wait_q;              // waits for the front or Cin
  iau_hw_pkg::matmul_t cmd_q, ex_q, out_q;  // at the front, in the middle, at the end
  iau_hw_pkg::matmul_t cin_q;               // whose Cin is read
  /* verilator lint_on UNUSED */
  logic wait_valid_q, wait_front_q, wait_cin_q;  // FRONT, CIN: that one has it
  logic front_q, start_q, taken_q;  // TAKEN: the middle has it
  logic ex_run_q, ex_left_q, ex_taken_q;  // LEFT: blocks to issue. TAKEN: the end has it
  logic out_run_q;
  logic front_take, front_done, c_take, c_done, ex_take, ex_last, out_take, out_last;
  logic [5:0] next_m, m_count, c_m, ex_m, out_m;
  logic [10:0] next_c_addr, next_c_stride;
  logic [12:0] kb, nt, c_nt, ex_kb, ex_nt, out_nt;
  logic cin, unit, c_run_q;
  logic [1:0] format;

  assign cmd_ready_o = ~wait_valid_q;
  assign next_m = wait_valid_q ? wait_q.m[5:0] : cmd_i.m[5:0];
  assign next_c_addr = wait_valid_q ? wait_q.c_addr[17:7] : cmd_i.c_addr[17:7];
  assign next_c_stride = wait_valid_q ? wait_q.c_stride[17:7] : cmd_i.c_stride[17:7];
  // mostly nobody waits
  always_comb begin
    front_take = 1'b0;
    c_take = 1'b0;
    if (wait_valid_q | cmd_valid_i) begin
      front_take = ~(wait_valid_q & wait_front_q) & (~front_q | front_done);
      c_take = ~(wait_valid_q & wait_cin_q) & (~c_run_q | c_done);
    end
  end
  assign ex_take = front_q & ~taken_q & (~ex_run_q | ((ex_last | ~ex_left_q) & ex_taken_q));
  assign out_take = ex_run_q & ~ex_taken_q & (~out_run_q | out_last);
  assign active_o = wait_valid_q | front_q | ex_run_q | out_run_q | d_req_o;
  assign m_count = cmd_q.m[5:0];
  assign kb = cmd_q.kb[12:0];
  assign nt = cmd_q.nt[12:0];
  assign c_m = cin_q.m[5:0];
  assign c_nt = cin_q.nt[12:0];
  assign cin = cin_q.cin;
  assign unit = cmd_q.unit;
  assign format = cmd_q.format;
  assign ex_m = ex_q.m[5:0];
  assign ex_kb = ex_q.kb[12:0];
  assign ex_nt = ex_q.nt[12:0];
  assign out_m = out_q.m[5:0];
  assign out_nt = out_q.nt[12:0];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wait_valid_q <= 1'b0;
      wait_front_q <= 1'b0;
      wait_cin_q <= 1'b0;
      front_q <= 1'b0;
      start_q <= 1'b0;
      taken_q <= 1'b0;
      ex_run_q <= 1'b0;
      ex_left_q <= 1'b0;
      ex_taken_q <= 1'b0;
      out_run_q <= 1'b0;
      wait_q <= '0;
      cin_q <= '0;
      cmd_q <= '0;
      ex_q <= '0;
      out_q <= '0;
    end else begin
      if (cmd_valid_i & cmd_ready_o) begin
        wait_valid_q <= ~(front_take & c_take);
        wait_front_q <= front_take;
        wait_cin_q <= c_take;
        wait_q <= cmd_i;
      end else begin
        wait_front_q <= wait_front_q | front_take;
        wait_cin_q <= wait_cin_q | c_take;
        if ((wait_front_q | front_take) & (wait_cin_q | c_take)) wait_valid_q <= 1'b0;
      end
      if (c_take) cin_q <= wait_valid_q ? wait_q : cmd_i;
      start_q <= front_take;
      if (front_take) begin
        front_q <= 1'b1;
        taken_q <= 1'b0;
        cmd_q <= wait_valid_q ? wait_q : cmd_i;
      end else begin
        if (front_done) front_q <= 1'b0;
        if (ex_take) taken_q <= 1'b1;
      end
      if (ex_take) begin
        ex_run_q <= 1'b1;
        ex_left_q <= 1'b1;
        ex_taken_q <= 1'b0;
        ex_q <= cmd_q;
      end else begin
        if (ex_last) ex_left_q <= 1'b0;
        if (out_take) ex_taken_q <= 1'b1;
        if ((ex_last | ~ex_left_q) & ex_taken_q) ex_run_q <= 1'b0;
      end
      if (out_take) begin
        out_run_q <= 1'b1;
        out_q <= ex_q;
      end else if (out_last) begin
        out_run_q <= 1'b0;
      end
    end
  end

  // Tile loader -----------------------------------------------------------------------------------

  logic ld_run_q, ld_pend_q, ld_req, ld_last_beat, ld_is_scale;
  logic [2:0] ld_beat_q, ld_data_beats;
  logic [12:0] ld_n_q, ld_k_q;
  logic [11:0] ld_w_q, ld_wn_q, ld_ws_q, ld_wsn_q;  // offsets of tile (n, k) and of (n, 0)
  logic ld_data_q, ld_scale_q;
  logic [1:0] ld_data_beat_q;
  logic swap;

  assign ld_data_beats = (format == 2'd2) ? 3'd2 : 3'd4;
  // The first beat may overwrite the next tile the cycle after that has become the current one.
  assign ld_req = ld_run_q & ((ld_beat_q != 3'd0) | ~ld_pend_q | swap);

  assign t_req_o = ld_req;
  always_comb begin
    ld_is_scale = 1'b0;
    ld_last_beat = 1'b0;
    t_addr_o = '0;
    // a few cycles of each tile
    if (ld_req) begin
      ld_is_scale = ld_beat_q == ld_data_beats;
      ld_last_beat = ld_beat_q == (unit ? ld_data_beats - 3'd1 : ld_data_beats);
      if (ld_is_scale) begin
        t_addr_o = cmd_q.ws_addr[17:6] + ld_ws_q;
      end else if (format == 2'd1) begin
        t_addr_o = (ld_beat_q[1] ? cmd_q.wl_addr[17:6] : cmd_q.w_addr[17:6]) + ld_w_q +
            {9'd0, ld_beat_q[0], 2'd0};
      end else begin
        t_addr_o = cmd_q.w_addr[17:6] + ld_w_q + {8'd0, ld_beat_q[1:0], 2'd0};
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      ld_run_q <= 1'b0;
      ld_pend_q <= 1'b0;
      ld_beat_q <= '0;
      ld_n_q <= '0;
      ld_k_q <= '0;
      ld_w_q <= '0;
      ld_wn_q <= '0;
      ld_ws_q <= '0;
      ld_wsn_q <= '0;
      ld_data_q <= 1'b0;
      ld_scale_q <= 1'b0;
      ld_data_beat_q <= '0;
    end else begin
      ld_data_q <= ld_req & ~ld_is_scale;
      ld_scale_q <= ld_req & ld_is_scale;
      ld_data_beat_q <= ld_beat_q[1:0];
      if (swap) begin
        ld_pend_q <= 1'b0;
      end
      if (ld_req) begin
        if (ld_last_beat) begin
          ld_pend_q <= 1'b1;
          if (ld_k_q + 13'd1 != kb) begin
            ld_k_q <= ld_k_q + 13'd1;
            ld_w_q <= ld_w_q + cmd_q.w_kstride[11:0];
            ld_ws_q <= ld_ws_q + cmd_q.ws_kstride[11:0];
          end else begin
            ld_k_q <= '0;
            ld_run_q <= ld_n_q + 13'd1 != nt;
            ld_n_q <= ld_n_q + 13'd1;
            ld_w_q <= ld_wn_q + cmd_q.w_nstride[11:0];
            ld_wn_q <= ld_wn_q + cmd_q.w_nstride[11:0];
            ld_ws_q <= ld_wsn_q + cmd_q.ws_nstride[11:0];
            ld_wsn_q <= ld_wsn_q + cmd_q.ws_nstride[11:0];
          end
        end
        ld_beat_q <= ld_last_beat ? 3'd0 : ld_beat_q + 3'd1;
      end
      if (start_q) begin
        ld_run_q <= 1'b1;
        ld_beat_q <= '0;
        ld_n_q <= '0;
        ld_k_q <= '0;
        ld_w_q <= '0;
        ld_wn_q <= '0;
        ld_ws_q <= '0;
        ld_wsn_q <= '0;
      end
    end
  end

  // Reads of the vector scratchpad: stream scales, stream data, Cin -------------------------------

  typedef enum logic [1:0] {TagNone, TagScale, TagData, TagCin} tag_e;
  tag_e tag_q, tag;
  logic a_req, s_req, c_req, a_gnt, s_gnt, c_gnt, a_active, s_active;
  logic [10:0] a_row, s_row, c_row;
  logic [5:0] c_acc_q;
  logic c_last_q;
  // Rows requested, arrived, taken; the row taken last is kept until the next one is
  logic [2:0] a_sent_q, a_here_q, a_took_q;
  logic [2:0] s_sent_q, s_here_q, s_took_q;

  assign s_gnt = s_req & s_gnt_i;
  assign a_gnt = ~s_req & a_req & s_gnt_i;
  assign c_gnt = ~s_req & ~a_req & c_req & s_gnt_i;
  assign s_req_o = s_req | a_req | c_req;
  assign s_row_o = s_req ? s_row : a_req ? a_row : c_row;
  assign tag = s_gnt ? TagScale : a_gnt ? TagData : c_gnt ? TagCin : TagNone;

  iau_mxu_prefetch #(
    .OffWidth(2)
  ) u_prefetch_data (
    .clk_i,
    .rst_ni,
    .start_i(start_q),
    .base_i (cmd_q.a_addr[17:5]),
    .pitch_i(cmd_q.pitch[12:0]),
    .m_i    (m_count),
    .kb_i   (kb),
    .nt_i   (nt),
    .space_i(3'(a_sent_q - a_took_q) < 3'd3),
    .active_o(a_active),
    .req_o  (a_req),
    .row_o  (a_row),
    .gnt_i  (a_gnt)
  );

  iau_mxu_prefetch #(
    .OffWidth(5)
  ) u_prefetch_scale (
    .clk_i,
    .rst_ni,
    .start_i(start_q),
    .base_i (cmd_q.as_addr[17:2]),
    .pitch_i(cmd_q.pitch),
    .m_i    (m_count),
    .kb_i   (kb),
    .nt_i   (nt),
    .space_i(3'(s_sent_q - s_took_q) < 3'd3),
    .active_o(s_active),
    .req_o  (s_req),
    .row_o  (s_row),
    .gnt_i  (s_gnt)
  );

  // Issue -----------------------------------------------------------------------------------------

  localparam int unsigned Passes = iau_hw_pkg::Rows / MacRows;
  logic go, whole;     // a pass over the block at hand; the last of them
  logic [1:0] pass_q;
  logic tile_valid_q, a_new_q, s_new_q, issue, k_last, m_last, issue_last;
  logic pair, again;  // two rows; a row that was issued in the last two cycles, too
  logic [4:0] m_q, m_end;
  logic issued1_q, issued2_q;  // in each of them
  logic [4:0] before1_q, before1_end_q, before2_q, before2_end_q;
  logic [12:0] k_q, n_q;
  logic [12:0] a_addr_q, a_kbase_q, a_kbase_next, a_addr_next;
  logic [15:0] s_addr_q, s_kbase_q, s_kbase_next, s_addr_next;
  logic bank_q;             // of the tile being issued
  logic [1:0] acc_ready_q;  // the bank may accumulate
  logic [1:0] a_slot, s_slot;

  assign pair = (ex_q.format == 2'd2) & ~m_q[0] & ~a_addr_q[0] & ~s_addr_q[0] &
      ({1'b0, m_q} + 6'd1 != ex_m);
  assign m_end = m_q | {4'd0, pair};
  assign m_last = {1'b0, m_end} + 6'd1 == ex_m;
  // rows mostly go up, so that the first comparison is enough
  always_comb begin
    again = 1'b0;
    if (m_q <= before1_end_q) again = issued1_q & (before1_q <= m_end);
    if (m_q <= before2_end_q) again |= issued2_q & (before2_q <= m_end);
  end
  assign k_last = k_q + 13'd1 == ex_kb;
  assign a_slot = a_new_q ? a_took_q[1:0] : a_took_q[1:0] - 2'd1;
  assign s_slot = s_new_q ? s_took_q[1:0] : s_took_q[1:0] - 2'd1;
  // A row that comes again waits for its accumulators.
  assign go = tile_valid_q & ex_left_q & ~again & acc_ready_q[bank_q] &
      (~a_new_q | (a_here_q != a_took_q)) & (~s_new_q | (s_here_q != s_took_q));
  assign whole = pass_q == 2'(Passes - 1);
  assign issue = go & whole;
  assign issue_last = issue & m_last;
  always_comb begin
    ex_last = 1'b0;
    if (issue_last) ex_last = k_last & (n_q + 13'd1 == ex_nt);
  end
  assign swap = ld_pend_q & (~tile_valid_q | issue_last);

  assign a_kbase_next = k_last ? ex_q.a_addr[17:5] : a_kbase_q + ex_q.pitch[12:0];
  assign s_kbase_next = k_last ? ex_q.as_addr[17:2] : s_kbase_q + ex_q.pitch;
  assign a_addr_next = m_last ? a_kbase_next : a_addr_q + (pair ? 13'd2 : 13'd1);
  assign s_addr_next = m_last ? s_kbase_next : s_addr_q + (pair ? 16'd2 : 16'd1);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      tag_q <= TagNone;
      a_sent_q <= '0;
      a_here_q <= '0;
      a_took_q <= '0;
      s_sent_q <= '0;
      s_here_q <= '0;
      s_took_q <= '0;
      tile_valid_q <= 1'b0;
      pass_q <= '0;
      issued1_q <= 1'b0;
      issued2_q <= 1'b0;
      before1_q <= '0;
      before1_end_q <= '0;
      before2_q <= '0;
      before2_end_q <= '0;
      a_new_q <= 1'b0;
      s_new_q <= 1'b0;
      m_q <= '0;
      bank_q <= 1'b0;
      k_q <= '0;
      n_q <= '0;
      a_addr_q <= '0;
      a_kbase_q <= '0;
      s_addr_q <= '0;
      s_kbase_q <= '0;
    end else begin
      tag_q <= tag;
      issued1_q <= issue;
      issued2_q <= issued1_q;
      if (go) pass_q <= whole ? 2'd0 : pass_q + 2'd1;
      a_sent_q <= a_sent_q + 3'(a_gnt);
      s_sent_q <= s_sent_q + 3'(s_gnt);
      a_here_q <= a_here_q + 3'(tag_q == TagData);
      s_here_q <= s_here_q + 3'(tag_q == TagScale);
      before1_q <= m_q;
      before1_end_q <= m_end;
      before2_q <= before1_q;
      before2_end_q <= before1_end_q;
      tile_valid_q <= swap | (tile_valid_q & ~issue_last);
      if (issue & a_new_q) a_took_q <= a_took_q + 3'd1;
      if (issue & s_new_q) s_took_q <= s_took_q + 3'd1;
      bank_q <= bank_q ^ (issue_last & k_last);
      if (issue) begin
        a_new_q <= a_addr_next[12:2] != a_addr_q[12:2];
        s_new_q <= s_addr_next[15:5] != s_addr_q[15:5];
        a_addr_q <= a_addr_next;
        s_addr_q <= s_addr_next;
        if (m_last) begin
          a_kbase_q <= a_kbase_next;
          s_kbase_q <= s_kbase_next;
          n_q <= n_q + 13'(k_last);
          k_q <= k_last ? 13'd0 : k_q + 13'd1;
        end
        m_q <= m_last ? 5'd0 : m_end + 5'd1;
      end
      if (ex_take) begin
        a_new_q <= 1'b1;
        s_new_q <= 1'b1;
        m_q <= '0;
        k_q <= '0;
        n_q <= '0;
        a_addr_q <= cmd_q.a_addr[17:5];
        a_kbase_q <= cmd_q.a_addr[17:5];
        s_addr_q <= cmd_q.as_addr[17:2];
        s_kbase_q <= cmd_q.as_addr[17:2];
      end
    end
  end

  // Accumulator banks: [Cin ->] accumulate -> write out. Tiles take them in turns. ----------------

  logic [1:0] acc_used_q;  // by a tile, from its beginning until it is written out
  logic [1:0] acc_full_q;  // waits to be written out
  logic c_apart, c_wait_q, c_go, c_step, c_bank_q, done_bank_q, o_bank_q;
  logic [12:0] c_n_q, o_n_q;
  logic [4:0] c_m_q, o_m_q;
  logic [10:0] c_row_q, o_row_q, d_first, d_last, c_first, c_last, c_far;
  logic [5:0] o_acc;
  logic c_m_last, c_n_last, o_m_last, o_n_last, tile_done, o_read, o_valid_q, o_last_q;

  assign front_done = front_q & ~start_q & taken_q & ~ld_run_q & ~a_active & ~s_active;

  // A tile that begins in a bank finds in the scratchpad what older tiles wrote, but for the row
  // that is on its way there and the tile in the other bank. Those of the same command lie elsewhere;
  // the last one of an older command must be waited for, unless both plainly lie one behind the
  // other or side by side.
  assign c_first = next_c_addr;
  always_comb begin
    d_first = '0;
    d_last = '0;
    c_last = '0;
    c_far = '0;
    c_apart = 1'b0;
    if (c_take) begin
      d_first = cin_q.d_addr[17:7] + c_nt[10:0] - 11'd1;
      d_last = d_first + ({5'd0, c_m} - 11'd1) * cin_q.d_stride[17:7];
      c_last = c_first + ({5'd0, next_m} - 11'd1) * next_c_stride;
      c_far = c_first < d_first ? d_first - c_first : c_first - d_first;
      c_apart = (c_first > d_last) | (c_last < d_first) |
          ((next_c_stride == cin_q.d_stride[17:7]) & (c_far != 11'd0) &
           (c_far < next_c_stride));
    end
  end

  // most cycles find both banks in use
  always_comb begin
    c_go = 1'b0;
    c_m_last = 1'b0;
    c_n_last = 1'b0;
    if (c_run_q & ~acc_used_q[c_bank_q]) begin
      c_m_last = {1'b0, c_m_q} + 6'd1 == c_m;
      c_n_last = c_n_q + 13'd1 == c_nt;
      c_go = ~(cin & ((o_valid_q & (d_row_o == c_row_q)) | (c_wait_q & acc_used_q[~c_bank_q])));
    end
  end
  assign c_req = c_go & cin;
  assign c_row = c_row_q;
  assign c_step = cin ? c_gnt & c_m_last : c_go;
  assign c_done = c_step & c_n_last;

  assign o_read = out_run_q & acc_full_q[o_bank_q] & (~o_valid_q | d_gnt_i);
  always_comb begin
    o_m_last = 1'b0;
    o_n_last = 1'b0;
    if (o_read) begin
      o_m_last = {1'b0, o_m_q} + 6'd1 == out_m;
      o_n_last = o_n_q + 13'd1 == out_nt;
    end
  end
  assign out_last = o_m_last & o_n_last;
  assign d_req_o = o_valid_q;
  assign done_o = o_valid_q & o_last_q & d_gnt_i;
  assign o_acc = {o_bank_q, o_m_q};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      acc_used_q <= '0;
      acc_ready_q <= '0;
      acc_full_q <= '0;
      c_run_q <= 1'b0;
      c_wait_q <= 1'b0;
      c_bank_q <= 1'b0;
      c_n_q <= '0;
      c_m_q <= '0;
      c_row_q <= '0;
      c_acc_q <= '0;
      c_last_q <= 1'b0;
      o_bank_q <= 1'b0;
      o_n_q <= '0;
      o_m_q <= '0;
      o_row_q <= '0;
      o_valid_q <= 1'b0;
      o_last_q <= 1'b0;
      d_row_o <= '0;
      done_bank_q <= 1'b0;
    end else begin
      // A tile begins: with Cin, or at once
      if ((tag_q == TagCin) & c_last_q) begin
        acc_ready_q[c_acc_q[5]] <= 1'b1;
      end
      c_acc_q <= {c_bank_q, c_m_q};
      c_last_q <= c_m_last;
      if (c_gnt) begin
        c_m_q <= c_m_q + 5'd1;
        c_row_q <= c_row_q + cin_q.c_stride[17:7];
      end
      if (c_step) begin
        c_run_q <= ~c_n_last;
        c_wait_q <= 1'b0;
        acc_used_q[c_bank_q] <= 1'b1;
        acc_ready_q[c_bank_q] <= ~cin;
        c_bank_q <= ~c_bank_q;
        c_m_q <= '0;
        c_row_q <= cin_q.c_addr[17:7] + c_n_q[10:0] + 11'd1;
        c_n_q <= c_n_q + 13'd1;
      end
      if (c_take) begin
        c_run_q <= 1'b1;
        c_wait_q <= ~c_apart;
        c_n_q <= '0;
        c_m_q <= '0;
        c_row_q <= next_c_addr;
      end
      // Accumulating ends
      if (issue_last & k_last) begin
        acc_ready_q[bank_q] <= 1'b0;
      end
      if (tile_done) begin
        acc_full_q[done_bank_q] <= 1'b1;
        done_bank_q <= ~done_bank_q;
      end
      // Writing out
      if (d_gnt_i) begin
        o_valid_q <= 1'b0;
      end
      if (o_read) begin
        o_valid_q <= 1'b1;
        o_last_q <= o_m_last & o_n_last;
        d_row_o <= o_row_q;
        o_m_q <= o_m_q + 5'd1;
        o_row_q <= o_row_q + out_q.d_stride[17:7];
        if (o_m_last) begin
          acc_full_q[o_bank_q] <= 1'b0;
          acc_used_q[o_bank_q] <= 1'b0;
          o_bank_q <= ~o_bank_q;
          o_m_q <= '0;
          o_row_q <= out_q.d_addr[17:7] + o_n_q[10:0] + 11'd1;
          o_n_q <= o_n_q + 13'd1;
        end
      end
      if (out_take) begin
        o_n_q <= '0;
        o_m_q <= '0;
        o_row_q <= ex_q.d_addr[17:7];
      end
    end
  end

  iau_mxu_datapath #(
    .MacRows(MacRows)
  ) u_datapath (
    .clk_i,
    .rst_ni,
    .format_i     (format),
    .unit_i       (unit),
    .ld_data_i    (ld_data_q),
    .ld_beat_i    (ld_data_beat_q),
    .ld_scale_i   (ld_scale_q),
    .t_rdata_i,
    .swap_i       (swap),
    .a_fill_i     (tag_q == TagData),
    .a_fill_slot_i(a_here_q[1:0]),
    .s_fill_i     (tag_q == TagScale),
    .s_fill_slot_i(s_here_q[1:0]),
    .c_fill_i     (tag_q == TagCin),
    .c_fill_acc_i (c_acc_q),
    .s_rdata_i,
    .issue_i      (go),
    .pair_i       (pair),
    .pass_i       (pass_q),
    .whole_i      (whole),
    .a_block_i    ({a_slot, a_addr_q[1:0]}),
    .s_slot_i     (s_slot),
    .s_word_i     (s_addr_q[4:0]),
    .acc_i        ({bank_q, m_q}),
    .first_i      ((k_q == 13'd0) & ~ex_q.cin),
    .last_i       (m_last & k_last),
    .tile_done_o  (tile_done),
    .busy_o,
    .read_i       (o_read),
    .read_acc_i   (o_acc),
    .read_data_o  (d_wdata_o)
  );

endmodule
