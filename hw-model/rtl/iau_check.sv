// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Static checks of a patched command, and what it touches: bitmaps of scratchpad granules read and
// written, and its contribution to the counters. A pipeline of five stages: operands by opcode,
// products, ends of ranges, comparisons, answer. Every command takes all of them, so that answers
// come in order.
//
// The arithmetic is that of up to seven ranges of scratch addresses, shared by all opcodes:
//
//       VEC  MATMUL  COPY  TOPK   LOAD  STORE  SLOAD
//   A   A    A       SRC   A      list         ADDR
//   B   B    C
//   S   S    AS            table
//   D   D    D       ADDR  D      ADDR  ADDR
//   Q   SC   W
//   R   R    WS
//   L        WL
//
// Widths are those of legal fields. What a larger value comes to is of no account: its own word is
// bad then, and words behind it are not reported.
module iau_check (
  input  logic               clk_i,
  input  logic [4:0]         en_i,  // each stage takes what the one before it has
  input  logic [511:0]       cmd_i,
  output iau_hw_pkg::fault_e fault_o,
  output logic [31:0]        info_o,
  output logic [255:0]       vsp_rd_o,
  output logic [255:0]       vsp_stream_o,  // MATMUL: without Cin
  output logic [255:0]       vsp_wr_o,
  output logic [63:0]        tsp_rd_o,
  output logic [63:0]        tsp_wr_o,
  output logic [47:0]        amount_o  // MACs, elements or bytes, by opcode
);

  typedef struct packed {
    logic vec, matmul, copy, topk, store;
    logic to_tsp;  // D is in the tile scratchpad
    logic a, b, s, d, q, r, l;  // the ranges that it has
    logic over_a, over_b;  // D may take the place of A, of B
  } kind_t;

  // Ranges end before their END
  function automatic logic overlap(input logic [31:0] a, input logic [49:0] a_end,
                                   input logic [31:0] b, input logic [49:0] b_end);
    overlap = 50'(a) < b_end && 50'(b) < a_end;
  endfunction

  function automatic logic out_vsp(input logic [49:0] r_end);
    out_vsp = r_end > 50'(iau_hw_pkg::VspBytes);
  endfunction

  function automatic logic out_tsp(input logic [31:0] r, input logic [49:0] r_end);
    out_tsp = r < iau_hw_pkg::TspBase ||
        r_end > 50'(iau_hw_pkg::TspBase) + 50'(iau_hw_pkg::TspBytes);
  endfunction

  // Of the vector scratchpad; the tile scratchpad's are four times as large
  function automatic logic [7:0] last_granule(input logic [17:0] r_end);
    last_granule = 8'((r_end - 18'd1) >> 10);
  endfunction

  function automatic logic [255:0] vsp_map(input logic [7:0] first, input logic [7:0] last);
    vsp_map = ({256{1'b1}} << first) & ({256{1'b1}} >> (8'd255 - last));
  endfunction

  function automatic logic [63:0] tsp_map(input logic [5:0] first, input logic [5:0] last);
    tsp_map = ({64{1'b1}} << first) & ({64{1'b1}} >> (6'd63 - last));
  endfunction

  iau_hw_pkg::salu_t salu;
  iau_hw_pkg::branch_t branch;
  iau_hw_pkg::sload_t sload;
  iau_hw_pkg::load_t load;
  iau_hw_pkg::copy_t copy;
  iau_hw_pkg::topk_t topk;
  iau_hw_pkg::stamp_t stamp;
  iau_hw_pkg::matmul_t mm;
  iau_hw_pkg::vec_t v;
  assign salu = cmd_i;
  assign branch = cmd_i;
  assign sload = cmd_i;
  assign load = cmd_i;
  assign copy = cmd_i;
  assign topk = cmd_i;
  assign stamp = cmd_i;
  assign mm = cmd_i;
  assign v = cmd_i;

  // Operands --------------------------------------------------------------------------------------
  // A range begins at FROM and ends WIDTH after FROM + N x STRIDE, N being rows - 1. To D, Q and R (and L,
  // which is as long as Q) a second product is added.
  kind_t o_kind_q;
  logic [15:0] o_bad_q;  // words with a bad field
  logic [31:0] o_a_from_q, o_b_from_q, o_s_from_q, o_d_from_q, o_q_from_q, o_r_from_q, o_l_from_q;
  logic [19:0] o_a_width_q, o_b_width_q, o_d_width_q;
  logic [10:0] o_q_width_q;
  logic [7:0] o_s_width_q, o_r_width_q;
  logic [15:0] o_a_n_q, o_b_n_q, o_s_n_q, o_d_n_q;
  logic [31:0] o_a_stride_q, o_b_stride_q, o_d_stride_q, o_d_stride2_q;
  logic [17:0] o_s_stride_q, o_q_n_q, o_q_n2_q, o_r_n_q, o_r_n2_q;
  logic [10:0] o_d_n2_q;
  logic [15:0] o_q_stride_q, o_q_stride2_q, o_r_stride_q, o_r_stride2_q;
  logic [15:0] o_x_q;  // what is counted: X x Y, of a MATMUL times KB
  logic [18:0] o_y_q;
  logic [12:0] o_kb_q;

  kind_t kind;
  logic [15:0] bad, least;
  // less one
  logic [15:0] rows, n;
  logic [10:0] vectors, a_vectors, b_vectors, wrap;
  logic [11:0] nt, kb;
  logic [4:0] m;

  // Blocking: steps of one computation. Clocked, so that it costs a simulator only the cycles in
  // which there is a command.
  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) if (en_i[0]) begin
    kind = '0;
    bad = '0;
    vectors = '0;
    a_vectors = '0;
    b_vectors = '0;
    wrap = '0;
    least = '0;
    rows = '0;
    n = topk.n - 16'd1;
    nt = mm.nt[11:0] - 12'd1;
    kb = mm.kb[11:0] - 12'd1;
    m = mm.m[4:0] - 5'd1;
    o_a_from_q <= v.a_addr;
    o_b_from_q <= v.b_addr;
    o_s_from_q <= v.s_addr;
    o_d_from_q <= v.d_addr;
    o_q_from_q <= v.sc_addr;
    o_r_from_q <= v.r_addr;
    o_l_from_q <= mm.wl_addr;
    o_s_width_q <= 8'd4;
    o_s_stride_q <= 18'd4;
    o_d_stride_q <= v.d_stride;
    o_d_stride2_q <= v.d_bstride;
    o_d_n2_q <= '0;
    o_x_q <= '0;
    o_y_q <= load.row_bytes[18:0];
    o_kb_q <= mm.kb[12:0];
    case (cmd_i[7:0])
      iau_hw_pkg::OpSalu: bad[0] = salu.func > 4'd8;
      iau_hw_pkg::OpBranch: bad[0] = branch.cond > 3'd6;
      iau_hw_pkg::OpSload: begin
        kind.copy = 1'b1;  // whose A is in word 2, too
        kind.a = 1'b1;
        bad[1] = sload.half & (|sload.rd[3:0]);
        bad[2] = (|sload.addr[1:0]) | (sload.half & (|sload.addr[5:2]));
        o_a_from_q <= sload.addr;
        o_a_n_q <= '0;
        o_a_width_q <= sload.half ? 20'd64 : 20'd4;
      end
      iau_hw_pkg::OpStamp: begin
        bad[2] = |stamp.va[2:0];
        o_x_q <= 16'd8;
        o_y_q <= 19'd1;
      end
      iau_hw_pkg::OpLoad, iau_hw_pkg::OpStore, iau_hw_pkg::OpCopy: begin
        kind.copy = cmd_i[7:0] == iau_hw_pkg::OpCopy;
        kind.store = cmd_i[7:0] == iau_hw_pkg::OpStore;
        kind.to_tsp = !kind.store && load.addr >= iau_hw_pkg::TspBase;
        kind.d = load.rows != '0;
        kind.a = kind.d && (kind.copy || (!kind.store && load.by_list));
        bad[1] = load.row_bytes == '0 || load.row_bytes > iau_hw_pkg::MaxRowBytes;
        bad[4] = load.rows > 32'd65535;
        bad[7] = !kind.store && load.rows > 32'd1 && load.stride < load.row_bytes;
        if (!kind.store && !kind.copy && load.unpack) begin
          bad[1] = bad[1] | (|load.row_bytes[6:0]);
          bad[2] = |load.va[5:0];
          bad[5] = |load.mem_stride[5:0];
          bad[6] = !kind.to_tsp || |load.addr[5:0];
          bad[7] = bad[7] | (|load.stride[5:0]);
          bad[9] = |load.delta[5:0];
        end
        if (!kind.store && !kind.copy && load.by_list) begin
          bad[5] = load.mem_stride != '0;
          bad[8] = |load.list_addr[1:0];
        end
        rows = load.rows[15:0] - 16'd1;
        o_a_from_q <= kind.copy ? copy.src : load.list_addr;
        o_a_n_q <= rows;
        o_a_stride_q <= kind.copy ? copy.src_stride : 32'd4;
        o_a_width_q <= kind.copy ? 20'(copy.row_bytes[18:0]) : 20'd4;
        o_d_from_q <= load.addr;
        o_d_n_q <= rows;
        o_d_stride_q <= load.stride;
        o_d_width_q <= 20'(load.row_bytes[18:0]);
        // of a LOAD, the unit counts what it reads
        o_x_q <= kind.store ? load.rows[15:0] : '0;
      end
      iau_hw_pkg::OpTopk: begin
        kind.topk = 1'b1;
        kind.d = topk.n != '0 && topk.count != '0;
        kind.a = kind.d;
        kind.s = kind.d && topk.by_table;
        bad[3] = |topk.a_addr[6:0];
        bad[4] = |topk.d_addr[1:0];
        bad[8] = topk.by_table & (|topk.t_addr[1:0]);
        least = topk.count < topk.n ? topk.count : topk.n;
        o_a_from_q <= topk.a_addr;
        o_a_n_q <= '0;
        o_a_width_q <= (20'(n[15:5]) + 20'd1) << 7;
        o_s_from_q <= topk.t_addr;
        o_s_n_q <= n;
        o_d_from_q <= topk.d_addr;
        o_d_n_q <= least - 16'd1;
        o_d_stride_q <= 32'd4;
        o_d_width_q <= 20'd4;
      end
      iau_hw_pkg::OpMatmul: begin
        kind.matmul = 1'b1;
        kind.a = 1'b1;
        kind.b = mm.cin;
        kind.s = 1'b1;
        kind.d = 1'b1;
        kind.q = 1'b1;
        kind.r = !mm.unit;
        kind.l = mm.format == 2'd1;
        kind.over_b = mm.c_addr == mm.d_addr && mm.c_stride == mm.d_stride &&
                      (mm.m == 16'd1 || mm.d_stride[31:7] > 25'(nt));
        bad[1] = mm.m == '0 || mm.m > 16'd32 || mm.pitch < mm.m;
        bad[2] = mm.nt == '0 || mm.nt > 32'd4096;
        bad[3] = mm.kb == '0 || mm.kb > 32'd4096;
        bad[4] = |mm.a_addr[4:0];
        bad[5] = |mm.as_addr[1:0];
        bad[6] = |mm.w_addr[5:0];
        bad[7] = kind.l && |mm.wl_addr[5:0];
        bad[8] = kind.r && |mm.ws_addr[5:0];
        bad[11] = mm.cin && |mm.c_addr[6:0];
        bad[12] = |mm.d_addr[6:0];
        bad[13] = mm.cin && |mm.c_stride[6:0];
        bad[14] = |mm.d_stride[6:0];
        o_a_from_q <= mm.a_addr;
        o_a_n_q <= 16'(kb);
        o_a_stride_q <= 32'(mm.pitch) << 5;
        o_a_width_q <= 20'(mm.m[5:0]) << 5;
        o_s_from_q <= mm.as_addr;
        o_s_n_q <= 16'(kb);
        o_s_stride_q <= 18'(mm.pitch) << 2;
        o_s_width_q <= 8'(mm.m[5:0]) << 2;
        o_b_from_q <= mm.c_addr;
        o_b_n_q <= 16'(m);
        o_b_stride_q <= mm.c_stride;
        o_b_width_q <= 20'(mm.nt[12:0]) << 7;
        o_d_from_q <= mm.d_addr;
        o_d_n_q <= 16'(m);
        o_d_stride_q <= mm.d_stride;
        o_d_width_q <= 20'(mm.nt[12:0]) << 7;
        o_q_from_q <= mm.w_addr;
        o_q_n_q <= {nt, 6'd0};
        o_q_n2_q <= {kb, 6'd0};
        o_q_stride_q <= mm.w_nstride;
        o_q_stride2_q <= mm.w_kstride;
        o_q_width_q <= mm.format == 2'd0 || mm.format == 2'd3 ? 11'd1024 : 11'd512;
        o_r_from_q <= mm.ws_addr;
        o_r_n_q <= {nt, 6'd0};
        o_r_n2_q <= {kb, 6'd0};
        o_r_stride_q <= mm.ws_nstride;
        o_r_stride2_q <= mm.ws_kstride;
        o_r_width_q <= 8'd64;
        o_x_q <= 16'(mm.m[5:0]);
        o_y_q <= 19'(mm.nt[12:0]);
      end
      iau_hw_pkg::OpVec: begin
        rows = v.rows - 16'd1;
        vectors = 11'((v.cols - 16'd1) >> 5);
        a_vectors = vectors | {9'd0, v.perm == 2'd3, v.perm[1]};
        wrap = ((11'd1 << v.b_wrap) >> 1) - 11'd1;  // the largest number if there is none
        b_vectors = wrap < vectors ? wrap : vectors;
        kind.vec = 1'b1;
        kind.a = 1'b1;
        kind.b = v.m1 == 3'd3 || v.a1 == 2'd3 || v.m2 == 2'd3;
        kind.s = v.m1 == 3'd2 || v.a1 == 2'd2 || v.m2 == 2'd2;
        kind.d = v.out != '0;
        kind.q = v.out == 3'd2 || v.out == 3'd3;
        kind.r = v.red != '0;
        kind.over_a = !v.a_fmt && v.perm < 2'd2 && v.out == 3'd1 && v.a_addr == v.d_addr &&
            (v.rows == 16'd1 || (v.a_stride == v.d_stride && v.a_stride[31:7] > 25'(vectors)));
        kind.over_b = !v.b_fmt && v.b_wrap == '0 && v.out == 3'd1 && v.b_addr == v.d_addr &&
            (v.rows == 16'd1 || (v.b_stride == v.d_stride && v.b_stride[31:7] > 25'(vectors)));
        bad[0] = v.m1 > 3'd4 || v.out > 3'd4 || (v.red == 2'd3 && v.out > 3'd1) ||
                 (v.mask && v.a1 == 2'd1);
        bad[1] = v.rows == '0 || v.cols == '0;
        bad[2] = v.a_fmt ? |v.a_addr[4:0] : |v.a_addr[6:0];
        bad[3] = v.a_fmt ? |v.a_stride[4:0] : |v.a_stride[6:0];
        bad[4] = kind.b && (v.b_fmt ? |v.b_addr[1:0] : |v.b_addr[6:0]);
        bad[5] = kind.b && (v.b_fmt ? |v.b_stride[1:0] : |v.b_stride[6:0]);
        bad[6] = kind.s && |v.s_addr[1:0];
        bad[7] = kind.d && (v.out == 3'd1 ? |v.d_addr[6:0] : |v.d_addr[4:0]);
        bad[8] = kind.d && (v.out == 3'd1 ? |v.d_stride[6:0] : |v.d_stride[4:0]);
        bad[9] = v.out > 3'd1 && |v.d_bstride[4:0];
        bad[10] = kind.q && (v.sc_addr[0] || (v.out == 3'd2 && v.sc_addr[1]));
        bad[11] = kind.q && (v.sc_rstride[0] || v.sc_bstride[0] ||
                             (v.out == 3'd2 && (v.sc_rstride[1] || v.sc_bstride[1])));
        bad[14] = kind.r && (|v.r_addr[1:0] || (v.red == 2'd3 && v.r_addr[2]));
        o_a_n_q <= rows;
        o_a_stride_q <= v.a_stride;
        o_a_width_q <= v.a_fmt ? (20'(a_vectors) + 20'd1) << 5 : (20'(a_vectors) + 20'd1) << 7;
        o_b_n_q <= rows;
        o_b_stride_q <= v.b_stride;
        o_b_width_q <= v.b_fmt ? (20'(b_vectors) + 20'd1) << 2 : (20'(b_vectors) + 20'd1) << 7;
        o_s_n_q <= rows;
        o_d_n_q <= rows;
        o_d_n2_q <= v.out == 3'd1 ? '0 : vectors;
        o_d_width_q <= v.out == 3'd1 ? (20'(vectors) + 20'd1) << 7 : 20'd32;
        o_q_n_q <= 18'(rows);
        o_q_n2_q <= 18'(vectors);
        o_q_stride_q <= v.sc_rstride;
        o_q_stride2_q <= v.sc_bstride;
        o_q_width_q <= v.out == 3'd2 ? 11'd4 : 11'd2;
        o_r_n_q <= 18'(rows);
        o_r_n2_q <= '0;
        o_r_stride_q <= v.red == 2'd3 ? 16'd8 : 16'd4;
        o_r_width_q <= v.red == 2'd3 ? 8'd8 : 8'd4;
        o_x_q <= v.rows;
        o_y_q <= 19'(v.cols);
      end
      default: ;
    endcase
    o_kind_q <= kind;
    o_bad_q <= bad;
  end
  /* verilator lint_on BLKSEQ */

  // Products, of 18 bits at most ------------------------------------------------------------------
  kind_t m_kind_q;
  logic [15:0] m_bad_q;
  logic [31:0] m_a_from_q, m_b_from_q, m_s_from_q, m_d_from_q, m_q_from_q, m_r_from_q, m_l_from_q;
  logic [32:0] m_a_base_q, m_b_base_q, m_s_base_q, m_d_base_q, m_q_base_q, m_r_base_q, m_l_base_q;
  logic [31:0] m_a_lo_q, m_a_hi_q, m_b_lo_q, m_b_hi_q, m_d_lo_q, m_d_hi_q;
  logic [26:0] m_d2_lo_q, m_d2_hi_q;
  logic [33:0] m_s_q, m_q_q, m_q2_q, m_r_q, m_r2_q;
  logic [34:0] m_xy_q;
  logic [12:0] m_kb_q;

  always_ff @(posedge clk_i) if (en_i[1]) begin
    m_kind_q <= o_kind_q;
    m_bad_q <= o_bad_q;
    m_a_from_q <= o_a_from_q;
    m_b_from_q <= o_b_from_q;
    m_s_from_q <= o_s_from_q;
    m_d_from_q <= o_d_from_q;
    m_q_from_q <= o_q_from_q;
    m_r_from_q <= o_r_from_q;
    m_l_from_q <= o_l_from_q;
    m_a_base_q <= 33'(o_a_from_q) + 33'(o_a_width_q);
    m_b_base_q <= 33'(o_b_from_q) + 33'(o_b_width_q);
    m_s_base_q <= 33'(o_s_from_q) + 33'(o_s_width_q);
    m_d_base_q <= 33'(o_d_from_q) + 33'(o_d_width_q);
    m_q_base_q <= 33'(o_q_from_q) + 33'(o_q_width_q);
    m_r_base_q <= 33'(o_r_from_q) + 33'(o_r_width_q);
    m_l_base_q <= 33'(o_l_from_q) + 33'(o_q_width_q);
    m_a_lo_q <= 32'(o_a_n_q) * 32'(o_a_stride_q[15:0]);
    m_a_hi_q <= 32'(o_a_n_q) * 32'(o_a_stride_q[31:16]);
    m_b_lo_q <= 32'(o_b_n_q) * 32'(o_b_stride_q[15:0]);
    m_b_hi_q <= 32'(o_b_n_q) * 32'(o_b_stride_q[31:16]);
    m_d_lo_q <= 32'(o_d_n_q) * 32'(o_d_stride_q[15:0]);
    m_d_hi_q <= 32'(o_d_n_q) * 32'(o_d_stride_q[31:16]);
    m_d2_lo_q <= 27'(o_d_n2_q) * 27'(o_d_stride2_q[15:0]);
    m_d2_hi_q <= 27'(o_d_n2_q) * 27'(o_d_stride2_q[31:16]);
    m_s_q <= 34'(o_s_n_q) * 34'(o_s_stride_q);
    m_q_q <= 34'(o_q_n_q) * 34'(o_q_stride_q);
    m_q2_q <= 34'(o_q_n2_q) * 34'(o_q_stride2_q);
    m_r_q <= 34'(o_r_n_q) * 34'(o_r_stride_q);
    m_r2_q <= 34'(o_r_n2_q) * 34'(o_r_stride2_q);
    m_xy_q <= 35'(o_x_q) * 35'(o_y_q);
    m_kb_q <= o_kb_q;
  end

  // Ends ------------------------------------------------------------------------------------------
  kind_t e_kind_q;
  logic [15:0] e_bad_q;
  logic [31:0] e_a_from_q, e_b_from_q, e_s_from_q, e_d_from_q, e_q_from_q, e_r_from_q, e_l_from_q;
  logic [49:0] e_a_end_q, e_b_end_q, e_s_end_q, e_d_end_q, e_q_end_q, e_r_end_q, e_l_end_q;
  logic [34:0] e_xy_q;
  logic [30:0] e_xykb_q;

  always_ff @(posedge clk_i) if (en_i[2]) begin
    e_kind_q <= m_kind_q;
    e_bad_q <= m_bad_q;
    e_a_from_q <= m_a_from_q;
    e_b_from_q <= m_b_from_q;
    e_s_from_q <= m_s_from_q;
    e_d_from_q <= m_d_from_q;
    e_q_from_q <= m_q_from_q;
    e_r_from_q <= m_r_from_q;
    e_l_from_q <= m_l_from_q;
    e_a_end_q <= 50'(m_a_base_q) + 50'(m_a_lo_q) + {2'd0, m_a_hi_q, 16'd0};
    e_b_end_q <= 50'(m_b_base_q) + 50'(m_b_lo_q) + {2'd0, m_b_hi_q, 16'd0};
    e_s_end_q <= 50'(m_s_base_q) + 50'(m_s_q);
    e_d_end_q <= 50'(m_d_base_q) + 50'(m_d_lo_q) + {2'd0, m_d_hi_q, 16'd0} +
                 50'(m_d2_lo_q) + {7'd0, m_d2_hi_q, 16'd0};
    e_q_end_q <= 50'(m_q_base_q) + 50'(m_q_q) + 50'(m_q2_q);
    e_r_end_q <= 50'(m_r_base_q) + 50'(m_r_q) + 50'(m_r2_q);
    e_l_end_q <= 50'(m_l_base_q) + 50'(m_q_q) + 50'(m_q2_q);
    e_xy_q <= m_xy_q;
    e_xykb_q <= 31'(m_xy_q[17:0]) * 31'(m_kb_q);
  end

  // Comparisons -----------------------------------------------------------------------------------
  kind_t t_kind_q;
  logic [15:0] t_bad_q;
  logic t_clash_q;  // what is written overlaps what is read, or more of what is written
  logic t_a_out_q, t_b_out_q, t_s_out_q, t_d_out_q, t_q_out_q, t_r_out_q, t_l_out_q;
  logic [7:0] t_a_first_q, t_b_first_q, t_s_first_q, t_d_first_q, t_q_first_q, t_r_first_q;
  logic [7:0] t_a_last_q, t_b_last_q, t_s_last_q, t_d_last_q, t_q_last_q, t_r_last_q;
  logic [5:0] t_l_first_q, t_l_last_q;
  logic [47:0] t_amount_q;

  always_ff @(posedge clk_i) if (en_i[3]) begin
    t_kind_q <= e_kind_q;
    t_bad_q <= e_bad_q;
    t_clash_q <=
        (e_kind_q.d & e_kind_q.a & ~e_kind_q.over_a & overlap(e_d_from_q, e_d_end_q, e_a_from_q, e_a_end_q)) |
        (e_kind_q.d & e_kind_q.b & ~e_kind_q.over_b & overlap(e_d_from_q, e_d_end_q, e_b_from_q, e_b_end_q)) |
        (e_kind_q.d & e_kind_q.s & overlap(e_d_from_q, e_d_end_q, e_s_from_q, e_s_end_q)) |
        (e_kind_q.vec & e_kind_q.q &
         ((e_kind_q.a & overlap(e_q_from_q, e_q_end_q, e_a_from_q, e_a_end_q)) |
          (e_kind_q.b & overlap(e_q_from_q, e_q_end_q, e_b_from_q, e_b_end_q)) |
          (e_kind_q.s & overlap(e_q_from_q, e_q_end_q, e_s_from_q, e_s_end_q)) |
          (e_kind_q.d & overlap(e_q_from_q, e_q_end_q, e_d_from_q, e_d_end_q)) |
          (e_kind_q.r & overlap(e_q_from_q, e_q_end_q, e_r_from_q, e_r_end_q)))) |
        (e_kind_q.vec & e_kind_q.r &
         ((e_kind_q.a & overlap(e_r_from_q, e_r_end_q, e_a_from_q, e_a_end_q)) |
          (e_kind_q.b & overlap(e_r_from_q, e_r_end_q, e_b_from_q, e_b_end_q)) |
          (e_kind_q.s & overlap(e_r_from_q, e_r_end_q, e_s_from_q, e_s_end_q)) |
          (e_kind_q.d & overlap(e_r_from_q, e_r_end_q, e_d_from_q, e_d_end_q))));
    t_a_out_q <= e_kind_q.a & out_vsp(e_a_end_q);
    t_b_out_q <= e_kind_q.b & out_vsp(e_b_end_q);
    t_s_out_q <= e_kind_q.s & out_vsp(e_s_end_q);
    t_d_out_q <= e_kind_q.d & (e_kind_q.to_tsp ? out_tsp(e_d_from_q, e_d_end_q) : out_vsp(e_d_end_q));
    t_q_out_q <= e_kind_q.q & (e_kind_q.matmul ? out_tsp(e_q_from_q, e_q_end_q) : out_vsp(e_q_end_q));
    t_r_out_q <= e_kind_q.r & (e_kind_q.matmul ? out_tsp(e_r_from_q, e_r_end_q) : out_vsp(e_r_end_q));
    t_l_out_q <= e_kind_q.l & out_tsp(e_l_from_q, e_l_end_q);
    t_a_first_q <= e_a_from_q[17:10];
    t_b_first_q <= e_b_from_q[17:10];
    t_s_first_q <= e_s_from_q[17:10];
    t_d_first_q <= e_d_from_q[17:10];
    t_q_first_q <= e_q_from_q[17:10];
    t_r_first_q <= e_r_from_q[17:10];
    t_l_first_q <= e_l_from_q[17:12];
    t_a_last_q <= last_granule(e_a_end_q[17:0]);
    t_b_last_q <= last_granule(e_b_end_q[17:0]);
    t_s_last_q <= last_granule(e_s_end_q[17:0]);
    t_d_last_q <= last_granule(e_d_end_q[17:0]);
    t_q_last_q <= last_granule(e_q_end_q[17:0]);
    t_r_last_q <= last_granule(e_r_end_q[17:0]);
    t_l_last_q <= 6'(last_granule(e_l_end_q[17:0]) >> 2);
    t_amount_q <= e_kind_q.matmul ? {7'd0, e_xykb_q, 10'd0} : 48'(e_xy_q);
  end

  // Answer ----------------------------------------------------------------------------------------
  logic [15:0] faulty, out;
  logic [255:0] vsp_stream, vsp_rd, vsp_wr;
  logic [63:0] tsp_rd, tsp_wr;
  logic [31:0] info;

  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) if (en_i[4]) begin
    faulty = t_bad_q;
    out = '0;
    if (t_kind_q.vec) begin
      faulty[7] = faulty[7] | t_clash_q;
      out[2] = t_a_out_q;
      out[4] = t_b_out_q;
      out[6] = t_s_out_q;
      out[7] = t_d_out_q;
      out[10] = t_q_out_q;
      out[14] = t_r_out_q;
    end else if (t_kind_q.matmul) begin
      faulty[12] = faulty[12] | t_clash_q;
      out[4] = t_a_out_q;
      out[5] = t_s_out_q;
      out[6] = t_q_out_q;
      out[7] = t_l_out_q;
      out[8] = t_r_out_q;
      out[11] = t_b_out_q;
      out[12] = t_d_out_q;
    end else if (t_kind_q.topk) begin
      faulty[4] = faulty[4] | t_clash_q;
      out[3] = t_a_out_q;
      out[4] = t_d_out_q;
      out[8] = t_s_out_q;
    end else if (t_kind_q.copy) begin
      faulty[6] = faulty[6] | t_clash_q;
      out[2] = t_a_out_q;
      out[6] = t_d_out_q;
    end else begin
      faulty[8] = faulty[8] | t_clash_q;
      out[6] = t_d_out_q;
      out[8] = t_a_out_q;
    end
    info = '0;
    for (int unsigned w = 16; w > 0; w--) begin
      if (faulty != '0 ? faulty[4'(w-1)] : out[4'(w-1)]) info = w - 32'd1;
    end
    fault_o <= faulty != '0 ? iau_hw_pkg::FaultBadField :
        out != '0 ? iau_hw_pkg::FaultScratchRange : iau_hw_pkg::FaultNone;
    info_o <= info;
    vsp_stream = '0;
    vsp_rd = '0;
    vsp_wr = '0;
    tsp_rd = '0;
    tsp_wr = '0;
    if (t_kind_q.a) vsp_stream = vsp_map(t_a_first_q, t_a_last_q);
    if (t_kind_q.s) vsp_stream = vsp_stream | vsp_map(t_s_first_q, t_s_last_q);
    if (t_kind_q.b) vsp_rd = vsp_map(t_b_first_q, t_b_last_q);
    vsp_rd = vsp_rd | vsp_stream;
    if (t_kind_q.d) begin
      if (t_kind_q.store) vsp_rd = vsp_rd | vsp_map(t_d_first_q, t_d_last_q);
      else if (t_kind_q.to_tsp) tsp_wr = tsp_map(t_d_first_q[7:2], t_d_last_q[7:2]);
      else vsp_wr = vsp_map(t_d_first_q, t_d_last_q);
    end
    if (t_kind_q.q & t_kind_q.vec) vsp_wr = vsp_wr | vsp_map(t_q_first_q, t_q_last_q);
    if (t_kind_q.r & t_kind_q.vec) vsp_wr = vsp_wr | vsp_map(t_r_first_q, t_r_last_q);
    if (t_kind_q.q & t_kind_q.matmul) tsp_rd = tsp_map(t_q_first_q[7:2], t_q_last_q[7:2]);
    if (t_kind_q.r & t_kind_q.matmul) tsp_rd = tsp_rd | tsp_map(t_r_first_q[7:2], t_r_last_q[7:2]);
    if (t_kind_q.l) tsp_rd = tsp_rd | tsp_map(t_l_first_q, t_l_last_q);
    vsp_stream_o <= vsp_stream;
    vsp_rd_o <= vsp_rd;
    vsp_wr_o <= vsp_wr;
    tsp_rd_o <= tsp_rd;
    tsp_wr_o <= tsp_wr;
    amount_o <= t_amount_q;
  end
  /* verilator lint_on BLKSEQ */
endmodule
