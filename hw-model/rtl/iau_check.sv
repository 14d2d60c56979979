// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Static checks of a patched command, and what it touches: bitmaps of scratchpad granules read and
// written, and its contribution to the counters. The answer is there the cycle after en_i.
module iau_check (
  input  logic               clk_i,
  input  logic               en_i,
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

  // A range of scratch addresses: {first, behind the last}; empty if equal. A vector because yosys
  // takes no structure as the argument of a function.
  function automatic logic [127:0] rows_at(input logic [31:0] addr, input logic [31:0] rows,
                                     input logic [31:0] stride, input logic [63:0] width);
    rows_at = {64'(addr), 64'(addr) + (64'(rows) - 64'd1) * 64'(stride) + width};
  endfunction

  function automatic logic overlap(input logic [127:0] a, input logic [127:0] b);
    overlap = a[127:64] < b[63:0] && b[127:64] < a[63:0];
  endfunction

  function automatic logic out_vsp(input logic [127:0] r);
    out_vsp = r[63:0] > 64'(iau_hw_pkg::VspBytes);
  endfunction

  function automatic logic out_tsp(input logic [127:0] r);
    out_tsp = r[127:64] < 64'(iau_hw_pkg::TspBase) ||
        r[63:0] > 64'(iau_hw_pkg::TspBase) + 64'(iau_hw_pkg::TspBytes);
  endfunction

  function automatic logic [255:0] vsp_map(input logic [127:0] r);
    logic [63:0] last;
    last = r[63:0] - 64'd1;
    vsp_map = r[127:64] == r[63:0] ? '0 : ({256{1'b1}} << r[81:74]) &
        ({256{1'b1}} >> (8'd255 - last[17:10]));
  endfunction

  function automatic logic [63:0] tsp_map(input logic [127:0] r);
    logic [63:0] last;
    last = r[63:0] - 64'd1;
    tsp_map = r[127:64] == r[63:0] ? '0 : ({64{1'b1}} << r[81:76]) &
        ({64{1'b1}} >> (6'd63 - last[17:12]));
  endfunction

  logic [15:0] bad, out;
  iau_hw_pkg::salu_t salu;
  iau_hw_pkg::branch_t branch;
  iau_hw_pkg::sload_t sload;
  iau_hw_pkg::load_t copy;
  iau_hw_pkg::copy_t move;
  iau_hw_pkg::topk_t topk;
  iau_hw_pkg::stamp_t stamp;
  iau_hw_pkg::matmul_t mm;
  iau_hw_pkg::vec_t v;
  assign salu = cmd_i;
  assign branch = cmd_i;
  assign sload = cmd_i;
  assign copy = cmd_i;
  assign move = cmd_i;
  assign topk = cmd_i;
  assign stamp = cmd_i;
  assign mm = cmd_i;
  assign v = cmd_i;

  logic [127:0] ra, rb, rs, rd, rsc, rr, rw, rwl, rws, rc;
  logic is_store, to_tsp, same, use_b, use_s, in_a, in_b;
  logic [63:0] blocks, tiles, scales, nv, nva, nb, width;

  logic [255:0] vsp_rd, vsp_stream, vsp_wr;
  logic [63:0] tsp_rd, tsp_wr;
  logic [47:0] amount;
  logic [31:0] info;

  // Blocking: steps of one computation. Clocked, so that it costs a simulator only the cycles in
  // which there is a command.
  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) if (en_i) begin
    bad = '0;
    out = '0;
    ra = '0;
    rb = '0;
    rs = '0;
    rd = '0;
    rsc = '0;
    rr = '0;
    rw = '0;
    rwl = '0;
    rws = '0;
    rc = '0;
    is_store = cmd_i[7:0] == iau_hw_pkg::OpStore;
    to_tsp = 1'b0;
    same = 1'b0;
    use_b = 1'b0;
    use_s = 1'b0;
    in_a = 1'b0;
    in_b = 1'b0;
    blocks = '0;
    tiles = '0;
    scales = '0;
    nv = '0;
    nva = '0;
    nb = '0;
    width = '0;
    vsp_rd = '0;
    vsp_stream = '0;
    vsp_wr = '0;
    tsp_rd = '0;
    tsp_wr = '0;
    amount = '0;
    case (cmd_i[7:0])
      iau_hw_pkg::OpSalu: bad[0] = salu.func > 4'd8;
      iau_hw_pkg::OpBranch: bad[0] = branch.cond > 3'd6;
      iau_hw_pkg::OpSload: begin
        bad[1] = sload.half & (|sload.rd[3:0]);
        bad[2] = (|sload.addr[1:0]) | (sload.half & (|sload.addr[5:2]));
        out[2] = 64'(sload.addr) + (sload.half ? 64'd64 : 64'd4) > 64'(iau_hw_pkg::VspBytes);
      end
      iau_hw_pkg::OpStamp: begin
        bad[2] = |stamp.va[2:0];
        amount = 48'd8;
      end
      iau_hw_pkg::OpLoad, iau_hw_pkg::OpStore: begin
        bad[1] = copy.row_bytes == '0 || copy.row_bytes > iau_hw_pkg::MaxRowBytes;
        bad[4] = copy.rows > 32'd65535;
        bad[7] = !is_store && copy.rows > 32'd1 && copy.stride < copy.row_bytes;
        to_tsp = !is_store && copy.addr >= iau_hw_pkg::TspBase;
        if (copy.rows != '0) begin
          rd = rows_at(copy.addr, copy.rows, copy.stride, 64'(copy.row_bytes));
          out[6] = to_tsp ? out_tsp(rd) : out_vsp(rd);
          if (is_store) vsp_rd = vsp_map(rd);
          else if (to_tsp) tsp_wr = tsp_map(rd);
          else vsp_wr = vsp_map(rd);
        end
        if (!is_store && copy.unpack) begin
          bad[1] = bad[1] | (|copy.row_bytes[6:0]);
          bad[2] = |copy.va[5:0];
          bad[5] = |copy.mem_stride[5:0];
          bad[6] = !to_tsp || |copy.addr[5:0];
          bad[7] = bad[7] | (|copy.stride[5:0]);
          bad[9] = |copy.delta[5:0];
        end
        if (!is_store && copy.by_list) begin
          bad[5] = copy.mem_stride != '0;
          bad[8] = |copy.list_addr[1:0];
          if (copy.rows != '0) begin
            ra = rows_at(copy.list_addr, copy.rows, 32'd4, 64'd4);
            out[8] = out_vsp(ra);
            bad[8] = bad[8] | overlap(ra, rd);
            vsp_rd = vsp_map(ra);
          end
        end
        // of a LOAD, the unit counts what it reads
        amount = 48'(copy.rows[15:0]) * 48'(copy.row_bytes);
      end
      iau_hw_pkg::OpCopy: begin
        bad[1] = move.row_bytes == '0 || move.row_bytes > iau_hw_pkg::MaxRowBytes;
        bad[4] = move.rows > 32'd65535;
        bad[7] = move.rows > 32'd1 && move.stride < move.row_bytes;
        if (move.rows != '0) begin
          ra = rows_at(move.src, move.rows, move.src_stride, 64'(move.row_bytes));
          rd = rows_at(move.addr, move.rows, move.stride, 64'(move.row_bytes));
          to_tsp = move.addr >= iau_hw_pkg::TspBase;
          out[2] = out_vsp(ra);
          out[6] = to_tsp ? out_tsp(rd) : out_vsp(rd);
          bad[6] = overlap(ra, rd);
          vsp_rd = vsp_map(ra);
          if (to_tsp) tsp_wr = tsp_map(rd);
          else vsp_wr = vsp_map(rd);
        end
      end
      iau_hw_pkg::OpTopk: begin
        bad[3] = |topk.a_addr[6:0];
        bad[4] = |topk.d_addr[1:0];
        if (topk.n != '0 && topk.count != '0) begin
          ra = {64'(topk.a_addr), 64'(topk.a_addr) + (((64'(topk.n) + 64'd31) >> 5) << 7)};
          rd = {64'(topk.d_addr), 64'(topk.d_addr) +
                (topk.count < topk.n ? 64'(topk.count) << 2 : 64'(topk.n) << 2)};
          out[3] = out_vsp(ra);
          out[4] = out_vsp(rd);
          bad[4] = bad[4] | overlap(ra, rd);
          vsp_rd = vsp_map(ra);
          vsp_wr = vsp_map(rd);
          if (topk.by_table) begin
            rb = rows_at(topk.t_addr, 32'(topk.n), 32'd4, 64'd4);
            out[8] = out_vsp(rb);
            bad[4] = bad[4] | overlap(rb, rd);
            vsp_rd = vsp_rd | vsp_map(rb);
          end
        end
        bad[8] = topk.by_table & (|topk.t_addr[1:0]);
      end
      iau_hw_pkg::OpMatmul: begin
        bad[1] = mm.m == '0 || mm.m > 16'd32 || mm.pitch < mm.m;
        bad[2] = mm.nt == '0 || mm.nt > 32'd4096;
        bad[3] = mm.kb == '0 || mm.kb > 32'd4096;
        if (bad == '0) begin
          blocks = (64'(mm.kb) - 64'd1) * 64'(mm.pitch) + 64'(mm.m);
          tiles = ((64'(mm.nt) - 64'd1) * 64'(mm.w_nstride) +
                   (64'(mm.kb) - 64'd1) * 64'(mm.w_kstride)) << 6;
          scales = ((64'(mm.nt) - 64'd1) * 64'(mm.ws_nstride) +
                    (64'(mm.kb) - 64'd1) * 64'(mm.ws_kstride)) << 6;
          width = tiles + ((mm.format == 2'd0 || mm.format == 2'd3) ? 64'd1024 : 64'd512);
          ra = {64'(mm.a_addr), 64'(mm.a_addr) + (blocks << 5)};
          rs = {64'(mm.as_addr), 64'(mm.as_addr) + (blocks << 2)};
          rw = {64'(mm.w_addr), 64'(mm.w_addr) + width};
          rd = rows_at(mm.d_addr, 32'(mm.m), mm.d_stride, 64'(mm.nt) << 7);
          bad[4] = |mm.a_addr[4:0];
          bad[5] = |mm.as_addr[1:0];
          bad[6] = |mm.w_addr[5:0];
          bad[12] = |mm.d_addr[6:0] | overlap(rd, ra) | overlap(rd, rs);
          bad[14] = |mm.d_stride[6:0];
          out[4] = out_vsp(ra);
          out[5] = out_vsp(rs);
          out[6] = out_tsp(rw);
          out[12] = out_vsp(rd);
          if (mm.format == 2'd1) begin
            rwl = {64'(mm.wl_addr), 64'(mm.wl_addr) + width};
            bad[7] = |mm.wl_addr[5:0];
            out[7] = out_tsp(rwl);
          end
          if (!mm.unit) begin
            rws = {64'(mm.ws_addr), 64'(mm.ws_addr) + scales + 64'd64};
            bad[8] = |mm.ws_addr[5:0];
            out[8] = out_tsp(rws);
          end
          if (mm.cin) begin
            rc = rows_at(mm.c_addr, 32'(mm.m), mm.c_stride, 64'(mm.nt) << 7);
            same = mm.c_addr == mm.d_addr && mm.c_stride == mm.d_stride &&
                   (mm.m == 16'd1 || 64'(mm.d_stride) >= 64'(mm.nt) << 7);
            bad[11] = |mm.c_addr[6:0];
            bad[13] = |mm.c_stride[6:0];
            out[11] = out_vsp(rc);
            bad[12] = bad[12] | (!same && overlap(rc, rd));
          end
          vsp_stream = vsp_map(ra) | vsp_map(rs);
          vsp_rd = vsp_stream | vsp_map(rc);
          vsp_wr = vsp_map(rd);
          tsp_rd = tsp_map(rw) | tsp_map(rwl) | tsp_map(rws);
        end
        amount = 48'((48'(mm.m[5:0]) * 48'(mm.nt[12:0])) * 48'(mm.kb[12:0])) << 10;
      end
      iau_hw_pkg::OpVec: begin
        use_b = v.m1 == 3'd3 || v.a1 == 2'd3 || v.m2 == 2'd3;
        use_s = v.m1 == 3'd2 || v.a1 == 2'd2 || v.m2 == 2'd2;
        bad[0] = v.m1 > 3'd4 || v.out > 3'd4 || (v.red == 2'd3 && v.out > 3'd1) ||
                 (v.mask && v.a1 == 2'd1);
        bad[1] = v.rows == '0 || v.cols == '0;
        if (bad == '0) begin
          nv = (64'(v.cols) + 64'd31) >> 5;
          nva = v.perm == 2'd2 ? (nv + 64'd1) & ~64'd1 : v.perm == 2'd3 ? (nv + 64'd3) & ~64'd3 :
              nv;
          nb = (v.b_wrap != '0 &&
              (64'd1 << (v.b_wrap - 3'd1)) < nv) ? 64'd1 << (v.b_wrap - 3'd1) : nv;
          ra = rows_at(v.a_addr, 32'(v.rows), v.a_stride, v.a_fmt ? nva << 5 : nva << 7);
          if (use_b) rb = rows_at(v.b_addr, 32'(v.rows), v.b_stride, v.b_fmt ? nb << 2 : nb << 7);
          if (use_s) rs = rows_at(v.s_addr, 32'(v.rows), 32'd4, 64'd4);
          if (v.out == 3'd1) rd = rows_at(v.d_addr, 32'(v.rows), v.d_stride, nv << 7);
          else if (v.out != '0)
            rd = rows_at(v.d_addr, 32'(v.rows), v.d_stride,
                         (nv - 64'd1) * 64'(v.d_bstride) + 64'd32);
          if (v.out == 3'd2 || v.out == 3'd3)
            rsc = rows_at(v.sc_addr, 32'(v.rows), 32'(v.sc_rstride),
                          (nv - 64'd1) * 64'(v.sc_bstride) + (v.out == 3'd2 ? 64'd4 : 64'd2));
          if (v.red != '0)
            rr = rows_at(v.r_addr, 32'(v.rows), v.red == 2'd3 ? 32'd8 : 32'd4,
                         v.red == 2'd3 ? 64'd8 : 64'd4);
          bad[2] = v.a_fmt ? |v.a_addr[4:0] : |v.a_addr[6:0];
          bad[3] = v.a_fmt ? |v.a_stride[4:0] : |v.a_stride[6:0];
          if (use_b) begin
            bad[4] = v.b_fmt ? |v.b_addr[1:0] : |v.b_addr[6:0];
            bad[5] = v.b_fmt ? |v.b_stride[1:0] : |v.b_stride[6:0];
          end
          bad[6] = use_s && |v.s_addr[1:0];
          if (v.out != '0) begin
            bad[7] = v.out == 3'd1 ? |v.d_addr[6:0] : |v.d_addr[4:0];
            bad[8] = v.out == 3'd1 ? |v.d_stride[6:0] : |v.d_stride[4:0];
          end
          bad[9] = v.out > 3'd1 && |v.d_bstride[4:0];
          if (v.out == 3'd2) begin
            bad[10] = |v.sc_addr[1:0];
            bad[11] = |v.sc_rstride[1:0] || |v.sc_bstride[1:0];
          end else if (v.out == 3'd3) begin
            bad[10] = v.sc_addr[0];
            bad[11] = v.sc_rstride[0] || v.sc_bstride[0];
          end
          bad[14] = v.red == 2'd3 ? |v.r_addr[2:0] : v.red != '0 && |v.r_addr[1:0];
          out[2] = out_vsp(ra);
          out[4] = out_vsp(rb);
          out[6] = out_vsp(rs);
          out[7] = out_vsp(rd);
          out[10] = out_vsp(rsc);
          out[14] = out_vsp(rr);
          in_a = !v.a_fmt && v.perm < 2'd2 && v.out == 3'd1 && v.a_addr == v.d_addr &&
                 (v.rows == 16'd1 || (v.a_stride == v.d_stride && 64'(v.a_stride) >= nv << 7));
          in_b = !v.b_fmt && v.b_wrap == '0 && v.out == 3'd1 && v.b_addr == v.d_addr &&
                 (v.rows == 16'd1 || (v.b_stride == v.d_stride && 64'(v.b_stride) >= nv << 7));
          bad[7] = bad[7] | overlap(rd, rsc) | overlap(rd, rr) | overlap(rsc, rr) |
                   overlap(rsc, ra) | overlap(rsc, rb) | overlap(rsc, rs) | overlap(rr, ra) |
                   overlap(rr, rb) | overlap(rr, rs) | overlap(rd, rs) |
                   (!in_a & overlap(rd, ra)) | (!in_b & overlap(rd, rb));
          vsp_rd = vsp_map(ra) | vsp_map(rb) | vsp_map(rs);
          vsp_wr = vsp_map(rd) | vsp_map(rsc) | vsp_map(rr);
        end
        amount = 48'(v.rows) * 48'(v.cols);
      end
      default: ;
    endcase
    info = '0;
    for (int unsigned w = 16; w > 0; w--) begin
      if (bad != '0 ? bad[4'(w-1)] : out[4'(w-1)]) info = w - 32'd1;
    end
    fault_o <= bad != '0 ? iau_hw_pkg::FaultBadField :
        out != '0 ? iau_hw_pkg::FaultScratchRange : iau_hw_pkg::FaultNone;
    info_o <= info;
    vsp_rd_o <= vsp_rd;
    vsp_stream_o <= vsp_stream;
    vsp_wr_o <= vsp_wr;
    tsp_rd_o <= tsp_rd;
    tsp_wr_o <= tsp_wr;
    amount_o <= amount;
  end
  /* verilator lint_on BLKSEQ */
endmodule
