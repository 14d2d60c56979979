// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The device: registers, command processor, MMU, DMA, scratchpads, matrix engine, vector unit, and
// a memory port with separate channels for read addresses, read data, writes and write answers.
module iau_top #(
  parameter int unsigned MacRows = iau_hw_pkg::Rows  // see iau_mxu
) (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         mmio_re_i,
  input  logic         mmio_we_i,
  input  logic [15:0]  mmio_addr_i,
  input  logic [31:0]  mmio_wdata_i,
  output logic [31:0]  mmio_rdata_o,
  output logic [5:0]   irq_o,
  output logic         pending_o,  // the clock may stop while this is low
  output logic         counts_o,   // the cycle counter advances: a job runs or is about to
  // reads: bursts of up to 16 beats within 1 KiB; order is kept among equal ids only
  output logic         ar_valid_o,
  output logic [51:0]  ar_addr_o,
  output logic [3:0]   ar_len_o,   // beats - 1
  output logic [5:0]   ar_id_o,
  output logic         ar_qos_o,   // page tables and commands: to be served before data
  input  logic         ar_ready_i,
  input  logic         r_valid_i,
  input  logic [5:0]   r_id_i,
  input  logic [511:0] r_data_i,
  input  logic         r_err_i,
  output logic         r_ready_o,
  // writes, a beat each
  output logic         w_valid_o,
  output logic [51:0]  w_addr_o,
  output logic [511:0] w_data_o,
  output logic [63:0]  w_strb_o,
  input  logic         w_ready_i,
  input  logic         b_valid_i,
  input  logic         b_err_i,
  // traces: a command enters the window, starts in its unit, is done; PLACE names it meanwhile
  output logic         ev_enter_o,
  output logic [31:0]  ev_pc_o,
  output logic [2:0]   ev_unit_o,
  output logic [4:0]   ev_place_o,
  output logic         ev_any_o,  // any of the below
  output logic         ev_load_start_o,
  output logic         ev_store_start_o,
  output logic         ev_matmul_start_o,
  output logic         ev_vec_start_o,
  output logic         ev_copy_start_o,
  output logic [24:0]  ev_start_place_o,
  output logic         ev_load_done_o,
  output logic         ev_store_done_o,
  output logic         ev_matmul_done_o,
  output logic         ev_vec_done_o,
  output logic         ev_copy_done_o,
  output logic [24:0]  ev_done_place_o
);

  // Clocks: those of the units run while they have work, that of control when something moves: a command
  // that comes, starts, ends or retires, a translation, a STORE, COPY or TOPK, an access to a register
  logic mxu_clk, vec_clk, load_clk, ctl_clk;
  logic mxu_active, load_busy, queues_busy, inv, job_take, done, fault, abort_done, active, waiting;
  logic core_moves, mmu_moves, queues_moves, store_moves;
  logic load_valid, store_valid, matmul_valid, vec_valid, copy_valid;
  logic load_ready, store_ready, matmul_ready, vec_ready, copy_ready;
  logic load_done, store_done, matmul_done, vec_done, copy_done;
  iau_clock_gate u_mxu_clk (.clk_i, .en_i(matmul_valid | mxu_active), .clk_o(mxu_clk));
  iau_clock_gate u_load_clk (.clk_i, .en_i(load_valid | load_busy), .clk_o(load_clk));
  iau_clock_gate u_vec_clk (.clk_i, .en_i(vec_valid | ~vec_ready | vec_done), .clk_o(vec_clk));
  iau_clock_gate u_ctl_clk (
    .clk_i,
    .en_i (core_moves | mmu_moves | queues_moves | store_moves | copy_valid | ~copy_ready),
    .clk_o(ctl_clk)
  );

  // Counters --------------------------------------------------------------------------------------
  logic [5:0] progress;
  logic retire, retire_i4, mxu_busy, vec_busy, tlb_miss, cnt_high, cnt_re;
  logic [127:0] q_progress;
  logic [7:0] retire_op;
  logic [47:0] amount;
  logic [3:0] cnt_sel;
  logic [31:0] cnt_data;
  logic [63:0] cycle;

  iau_counters u_counters (
    .clk_i, .rst_ni,
    .sel_i     (cnt_sel),
    .high_i    (cnt_high),
    .re_i      (cnt_re),
    .data_o    (cnt_data),
    .cycle_o   (cycle),
    .done_i    (done),
    .fault_i   (fault),
    .progress_o(q_progress),
    .progress_i(progress),
    .queue_i   (active_queue),
    .retire_i  (retire),
    .op_i      (retire_op),
    .i4_i      (retire_i4),
    .amount_i  (amount),
    .pending_i (counts_o),
    .mxu_busy_i(mxu_busy),
    .vec_busy_i(vec_busy),
    .read_i    (r_valid_i & r_ready_o),
    .write_i   (w_valid_o & w_ready_i),
    .miss_i    (tlb_miss)
  );

  // Registers and command processor ---------------------------------------------------------------
  logic job_valid, done_irq, abort, clear;
  logic [1:0] job_queue, active_queue;
  logic [51:0] job_pa;
  logic [3:0] ctx, inv_ctx;
  logic [63:0] root;
  iau_hw_pkg::fault_e fault_code;
  logic [31:0] fault_info, fault_offset, fault_tag;
  logic [63:0] fault_va;

  assign pending_o = active | queues_busy;
  assign counts_o = active | waiting;

  iau_queues #(
    .MacRows(MacRows)
  ) u_queues (
    .clk_i         (ctl_clk),
    .rst_ni, .mmio_re_i, .mmio_we_i, .mmio_addr_i, .mmio_wdata_i, .mmio_rdata_o, .irq_o,
    .busy_o        (queues_busy),
    .moves_o       (queues_moves),
    .waiting_o     (waiting),
    .job_valid_o   (job_valid),
    .job_queue_o   (job_queue),
    .job_pa_o      (job_pa),
    .job_take_i    (job_take),
    .job_active_i  (active),
    .active_queue_i(active_queue),
    .done_i        (done),
    .done_irq_i    (done_irq),
    .fault_i       (fault),
    .fault_code_i  (fault_code),
    .fault_info_i  (fault_info),
    .fault_va_i    (fault_va),
    .fault_offset_i(fault_offset),
    .fault_tag_i   (fault_tag),
    .fault_ctx_i   (ctx),
    .abort_o       (abort),
    .abort_done_i  (abort_done),
    .ctx_i         (ctx),
    .root_o        (root),
    .inv_o         (inv),
    .inv_ctx_o     (inv_ctx),
    .counter_o     (cnt_sel),
    .counter_high_o(cnt_high),
    .counter_re_o  (cnt_re),
    .counter_i     (cnt_data),
    .progress_i    (q_progress)
  );

  logic f_req, f_gnt, f_valid, rec_valid, rec_ready, sl_req, sl_gnt, store_pending, cancel;
  logic [51:0] f_pa, rec_addr;
  logic [3:0] f_len;
  logic [4:0] load_idx, load_done_idx, load_head;
  logic [255:0] rec_data;
  logic [10:0] sl_row;
  logic [511:0] load_cmd, store_cmd, matmul_cmd, vec_cmd, copy_cmd;
  iau_hw_pkg::fault_e load_fault, store_fault, tr_fault;
  logic [63:0] load_va, store_va;
  logic [18:0] load_bytes;
  logic fetch_tr_req, load_tr_req, store_tr_req, fetch_tr_ack, load_tr_ack, store_tr_ack;
  logic [63:0] fetch_tr_va, load_tr_va, store_tr_va;
  logic [51:0] tr_pa;
  logic tr_w, tr_c;

  iau_core u_core (
    .clk_i(ctl_clk), .rst_ni,
    .job_valid_i    (job_valid),
    .job_pa_i       (job_pa),
    .job_queue_i    (job_queue),
    .job_take_o     (job_take),
    .active_o       (active),
    .active_queue_o (active_queue),
    .ctx_o          (ctx),
    .root_valid_i   (root[0]),
    .done_o         (done),
    .done_irq_o     (done_irq),
    .fault_o        (fault),
    .fault_code_o   (fault_code),
    .fault_info_o   (fault_info),
    .fault_va_o     (fault_va),
    .fault_offset_o (fault_offset),
    .fault_tag_o    (fault_tag),
    .abort_i        (abort),
    .abort_done_o   (abort_done),
    .progress_o     (progress),
    .retire_o       (retire),
    .retire_op_o    (retire_op),
    .retire_i4_o    (retire_i4),
    .retire_amount_o(amount),
    .clear_o        (clear),
    .moves_o        (core_moves),
    .cycle_i        (cycle),
    .rd_req_o       (f_req),
    .rd_pa_o        (f_pa),
    .rd_len_o       (f_len),
    .rd_gnt_i       (f_gnt),
    .rd_valid_i     (f_valid),
    .rd_data_i      (r_data_i),
    .rd_err_i       (r_err_i),
    .tr_req_o       (fetch_tr_req),
    .tr_va_o        (fetch_tr_va),
    .tr_ack_i       (fetch_tr_ack),
    .tr_pa_i        (tr_pa),
    .tr_c_i         (tr_c),
    .tr_fault_i     (tr_fault),
    .rec_valid_o    (rec_valid),
    .rec_addr_o     (rec_addr),
    .rec_data_o     (rec_data),
    .rec_ready_i    (rec_ready),
    .rec_done_i     (b_valid_i),
    .sl_req_o       (sl_req),
    .sl_row_o       (sl_row),
    .sl_gnt_i       (sl_gnt),
    .sl_data_i      (x_rdata),
    .load_valid_o    (load_valid),
    .store_valid_o   (store_valid),
    .matmul_valid_o  (matmul_valid),
    .vec_valid_o     (vec_valid),
    .copy_valid_o    (copy_valid),
    .load_cmd_o     (load_cmd),
    .store_cmd_o    (store_cmd),
    .matmul_cmd_o   (matmul_cmd),
    .vec_cmd_o      (vec_cmd),
    .copy_cmd_o     (copy_cmd),
    .load_idx_o     (load_idx),
    .cancel_o       (cancel),
    .load_ready_i    (load_ready),
    .store_ready_i   (store_ready),
    .matmul_ready_i  (matmul_ready),
    .vec_ready_i     (vec_ready),
    .copy_ready_i    (copy_ready),
    .load_done_i     (load_done),
    .store_done_i    (store_done),
    .matmul_done_i   (matmul_done),
    .vec_done_i      (vec_done),
    .copy_done_i     (copy_done),
    .load_done_idx_i(load_done_idx),
    .load_fault_i   (load_fault),
    .load_va_i      (load_va),
    .load_bytes_i   (load_bytes),
    .store_fault_i  (store_fault),
    .store_va_i     (store_va),
    .load_head_i    (load_head),
    .store_pending_o(store_pending),
    .ev_enter_o, .ev_pc_o, .ev_unit_o, .ev_place_o, .ev_start_place_o, .ev_done_place_o, .ev_any_o,
    .ev_load_start_o, .ev_store_start_o, .ev_matmul_start_o, .ev_vec_start_o, .ev_copy_start_o,
    .ev_load_done_o, .ev_store_done_o, .ev_matmul_done_o, .ev_vec_done_o, .ev_copy_done_o
  );

  // Translation -----------------------------------------------------------------------------------
  logic p_req, p_gnt, p_valid, a_req, a_gnt, a_id, a_valid, soon, soon_take;
  logic [51:0] p_pa, a_pa;
  logic [63:0] soon_va;

  iau_mmu u_mmu (
    .clk_i(ctl_clk), .rst_ni,
    .ctx_i     (ctx),
    .root_i    (root),
    .inv_i     (inv),
    .inv_ctx_i (inv_ctx),
    .fetch_req_i(fetch_tr_req),
    .fetch_va_i(fetch_tr_va),
    .fetch_ack_o(fetch_tr_ack),
    .load_req_i(load_tr_req),
    .load_va_i(load_tr_va),
    .load_ack_o(load_tr_ack),
    .store_req_i(store_tr_req),
    .store_va_i(store_tr_va),
    .store_ack_o(store_tr_ack),
    .pa_o      (tr_pa),
    .w_o       (tr_w),
    .c_o       (tr_c),
    .fault_o   (tr_fault),
    .miss_o    (tlb_miss),
    .moves_o   (mmu_moves),
    .soon_i    (soon),
    .soon_va_i (soon_va),
    .soon_take_o(soon_take),
    .rd_req_o  (p_req),
    .rd_pa_o   (p_pa),
    .rd_gnt_i  (p_gnt),
    .rd_valid_i(p_valid),
    .ahead_req_o(a_req),
    .ahead_pa_o(a_pa),
    .ahead_id_o(a_id),
    .ahead_gnt_i(a_gnt),
    .ahead_valid_i(a_valid),
    .ahead_slot_i(r_id_i[2]),
    .rd_err_i  (r_err_i),
    .rd_data_i (r_data_i)
  );

  // Read port: page tables, then commands, then page tables ahead, then LOAD ----------------------
  logic l_req, l_gnt, l_rready;
  logic [51:0] l_pa;
  logic [3:0] l_len;
  logic [4:0] l_tag;

  assign ar_valid_o = p_req | f_req | a_req | l_req;
  assign ar_addr_o = p_req ? p_pa : f_req ? f_pa : a_req ? a_pa : l_pa;
  assign ar_len_o = p_req ? '0 : f_req ? f_len : a_req ? '0 : l_len;
  assign ar_id_o = p_req ? 6'h21 : f_req ? 6'h20 : a_req ? {3'b100, a_id, 2'd2} : {1'b0, l_tag};
  assign ar_qos_o = p_req | f_req | a_req;
  assign p_gnt = p_req & ar_ready_i;
  assign f_gnt = f_req & ~p_req & ar_ready_i;
  assign a_gnt = ~f_req & ~p_req & ar_ready_i;
  assign l_gnt = ~f_req & ~p_req & ~a_req & ar_ready_i;
  assign p_valid = r_valid_i & r_id_i[5] & r_id_i[0];
  assign a_valid = r_valid_i & r_id_i[5] & r_id_i[1];
  assign f_valid = r_valid_i & r_id_i[5] & ~|r_id_i[1:0];
  assign r_ready_o = r_id_i[5] | l_rready;

  // DMA -------------------------------------------------------------------------------------------
  logic lw_req, lw_tsp, lw_two, lw_gnt, ls_req, ls_gnt, cp_rd_req, cp_rd_gnt, cp_req, cp_tsp, cp_gnt, st_rd_req,
      st_rd_gnt, st_w_valid;
  logic [11:0] lw_addr, cp_addr, sw_addr;
  logic [511:0] lw_data, lw_data2, cp_data, sw_data, st_w_data;
  logic [63:0] lw_be, cp_be, sw_be, st_w_strb;
  logic [10:0] st_row, cp_row, ls_row, x_row;
  logic [1023:0] x_rdata;
  logic [51:0] st_w_addr;

  iau_load u_load (
    .clk_i(load_clk), .rst_ni,
    .cmd_valid_i    (load_valid),
    .cmd_i          (load_cmd),
    .cmd_idx_i      (load_idx),
    .cmd_ready_o    (load_ready),
    .busy_o         (load_busy),
    .cancel_i       (cancel),
    .done_o         (load_done),
    .done_idx_o     (load_done_idx),
    .done_fault_o   (load_fault),
    .done_va_o      (load_va),
    .done_bytes_o   (load_bytes),
    .head_idx_o     (load_head),
    .store_pending_i(store_pending),
    .rd_req_o       (ls_req),
    .rd_row_o       (ls_row),
    .rd_gnt_i       (ls_gnt),
    .rd_data_i      (x_rdata),
    .soon_o         (soon),
    .soon_va_o      (soon_va),
    .soon_take_i    (soon_take),
    .tr_req_o       (load_tr_req),
    .tr_va_o        (load_tr_va),
    .tr_ack_i       (load_tr_ack),
    .tr_pa_i        (tr_pa),
    .tr_c_i         (tr_c),
    .tr_fault_i     (tr_fault),
    .ar_valid_o     (l_req),
    .ar_addr_o      (l_pa),
    .ar_len_o       (l_len),
    .ar_tag_o       (l_tag),
    .ar_ready_i     (l_gnt),
    .r_valid_i      (r_valid_i & ~r_id_i[5]),
    .r_tag_i        (r_id_i[4:0]),
    .r_data_i,
    .r_err_i,
    .r_ready_o      (l_rready),
    .wr_req_o       (lw_req),
    .wr_tsp_o       (lw_tsp),
    .wr_two_o       (lw_two),
    .wr_addr_o      (lw_addr),
    .wr_data_o      (lw_data),
    .wr_data2_o     (lw_data2),
    .wr_be_o        (lw_be),
    .wr_gnt_i       (lw_gnt)
  );

  iau_store u_store (
    .clk_i(ctl_clk), .rst_ni,
    .cmd_valid_i (store_valid),
    .cmd_i       (store_cmd),
    .cmd_stamp_i (store_cmd[7:0] == iau_hw_pkg::OpStamp),
    .cycle_i     (cycle),
    .cmd_ready_o (store_ready),
    .done_o      (store_done),
    .done_fault_o(store_fault),
    .done_va_o   (store_va),
    .tr_req_o    (store_tr_req),
    .tr_va_o     (store_tr_va),
    .tr_ack_i    (store_tr_ack),
    .tr_pa_i     (tr_pa),
    .tr_w_i      (tr_w),
    .tr_fault_i  (tr_fault),
    .rd_req_o    (st_rd_req),
    .rd_row_o    (st_row),
    .rd_gnt_i    (st_rd_gnt),
    .rd_data_i   (x_rdata),
    .w_valid_o   (st_w_valid),
    .w_addr_o    (st_w_addr),
    .w_data_o    (st_w_data),
    .w_strb_o    (st_w_strb),
    .w_ready_i   (w_ready_i),
    .b_valid_i   (b_valid_i & ~rec_wait_q),
    .b_err_i,
    .moves_o     (store_moves)
  );

  // COPY and TOPK take their commands in one order and so have the ports in turns.
  logic is_topk, cp_ready, cp_done, cp_rd_want, cp_wr_want, tk_ready, tk_done, tk_rd_req, tk_req;
  logic [10:0] cp_rd_row, tk_row;
  logic [11:0] cp_wr_addr, tk_addr;
  logic [511:0] cp_wr_data;
  logic [63:0] cp_wr_be, tk_be;
  logic [31:0] tk_data;
  logic cp_wr_tsp;
  assign is_topk = copy_cmd[7:0] == iau_hw_pkg::OpTopk;
  assign copy_ready = cp_ready & tk_ready;
  assign copy_done = cp_done | tk_done;
  assign cp_rd_req = cp_rd_want | tk_rd_req;
  assign cp_row = tk_ready ? cp_rd_row : tk_row;
  assign cp_req = cp_wr_want | tk_req;
  assign cp_tsp = cp_wr_tsp & ~tk_req;
  assign cp_addr = tk_ready ? cp_wr_addr : tk_addr;
  assign cp_data = tk_ready ? cp_wr_data : {16{tk_data}};
  assign cp_be = tk_ready ? cp_wr_be : tk_be;

  iau_copy u_copy (
    .clk_i(ctl_clk), .rst_ni,
    .cmd_valid_i(copy_valid & ~is_topk & tk_ready),
    .cmd_i      (copy_cmd),
    .cmd_ready_o(cp_ready),
    .done_o     (cp_done),
    .rd_req_o   (cp_rd_want),
    .rd_row_o   (cp_rd_row),
    .rd_gnt_i   (cp_rd_gnt),
    .rd_data_i  (x_rdata),
    .wr_req_o   (cp_wr_want),
    .wr_tsp_o   (cp_wr_tsp),
    .wr_addr_o  (cp_wr_addr),
    .wr_data_o  (cp_wr_data),
    .wr_be_o    (cp_wr_be),
    .wr_gnt_i   (cp_gnt)
  );

  iau_topk u_topk (
    .clk_i(ctl_clk), .rst_ni,
    .cmd_valid_i(copy_valid & is_topk & cp_ready),
    .cmd_i      (copy_cmd),
    .cmd_ready_o(tk_ready),
    .done_o     (tk_done),
    .rd_req_o   (tk_rd_req),
    .rd_row_o   (tk_row),
    .rd_gnt_i   (cp_rd_gnt),
    .rd_data_i  (x_rdata),
    .wr_req_o   (tk_req),
    .wr_addr_o  (tk_addr),
    .wr_data_o  (tk_data),
    .wr_be_o    (tk_be),
    .wr_gnt_i   (cp_gnt)
  );

  // the completion record goes out when no store is left
  logic rec_wait_q;
  assign w_valid_o = st_w_valid | rec_valid;
  assign w_addr_o = st_w_valid ? st_w_addr : {rec_addr[51:6], 6'd0};
  assign w_data_o = st_w_valid | ~rec_valid ? st_w_data : {2{rec_data}};
  assign w_strb_o = st_w_valid ? st_w_strb : rec_addr[5] ? {32'hffff_ffff, 32'd0} :
                    {32'd0, 32'hffff_ffff};
  assign rec_ready = w_ready_i & ~st_w_valid;
  always_ff @(posedge ctl_clk or negedge rst_ni) begin
    if (!rst_ni) rec_wait_q <= 1'b0;
    else if (rec_valid && rec_ready) rec_wait_q <= 1'b1;
    else if (b_valid_i) rec_wait_q <= 1'b0;
  end

  // Units and scratchpads -------------------------------------------------------------------------
  logic va_gnt, vb_gnt, vs_gnt, ms_gnt, x_gnt, vw_gnt, md_gnt, sw_gnt;
  logic va_req, vb_req, vs_req, ms_req, x_req, vw_req, md_req, sw_req, sw_tsp;
  logic [10:0] va_row, vb_row, vs_row, ms_row, vw_row, md_row;
  logic [1023:0] va_data, vb_data, vs_data, ms_data, vw_data, md_data;
  logic [127:0] vw_be;
  logic t_req;
  logic [11:0] t_addr;
  logic [2047:0] t_rdata;

  iau_mxu #(
    .MacRows(MacRows)
  ) u_mxu (
    .clk_i(mxu_clk), .rst_ni,
    .cmd_valid_i(matmul_valid),
    .cmd_i      (matmul_cmd),
    .cmd_ready_o(matmul_ready),
    .done_o     (matmul_done),
    .active_o   (mxu_active),
    .busy_o     (mxu_busy),
    .s_req_o    (ms_req),
    .s_row_o    (ms_row),
    .s_gnt_i    (ms_gnt),
    .s_rdata_i  (ms_data),
    .d_req_o    (md_req),
    .d_row_o    (md_row),
    .d_wdata_o  (md_data),
    .d_gnt_i    (md_gnt),
    .t_req_o    (t_req),
    .t_addr_o   (t_addr),
    .t_rdata_i  (t_rdata)
  );

  iau_vec u_vec (
    .clk_i(vec_clk), .rst_ni,
    .cmd_valid_i(vec_valid),
    .cmd_i      (vec_cmd),
    .cmd_ready_o(vec_ready),
    .done_o     (vec_done),
    .busy_o     (vec_busy),
    .a_req_o    (va_req),
    .a_row_o    (va_row),
    .a_gnt_i    (va_gnt),
    .a_rdata_i  (va_data),
    .b_req_o    (vb_req),
    .b_row_o    (vb_row),
    .b_gnt_i    (vb_gnt),
    .b_rdata_i  (vb_data),
    .s_req_o    (vs_req),
    .s_row_o    (vs_row),
    .s_gnt_i    (vs_gnt),
    .s_rdata_i  (vs_data),
    .w_req_o    (vw_req),
    .w_row_o    (vw_row),
    .w_wdata_o  (vw_data),
    .w_be_o     (vw_be),
    .w_gnt_i    (vw_gnt)
  );

  // COPY, SLOAD, lists of LOADs and STORE share a read port, COPY and LOAD the write ports.
  assign x_req = cp_rd_req | sl_req | ls_req | st_rd_req;
  always_comb begin
    x_row = '0;
    if (x_req) x_row = cp_rd_req ? cp_row : sl_req ? sl_row : ls_req ? ls_row : st_row;
  end
  assign cp_rd_gnt = x_gnt & cp_rd_req;
  assign sl_gnt = x_gnt & ~cp_rd_req;
  assign ls_gnt = x_gnt & ~cp_rd_req & ~sl_req;
  assign st_rd_gnt = x_gnt & ~cp_rd_req & ~sl_req & ~ls_req;
  assign sw_tsp = cp_req ? cp_tsp : lw_tsp;
  assign sw_addr = cp_req ? cp_addr : lw_addr;
  assign sw_data = cp_req ? cp_data : lw_data;
  assign sw_be = cp_req ? cp_be : lw_be;
  assign sw_req = cp_req | lw_req;
  assign cp_gnt = sw_tsp | sw_gnt;
  assign lw_gnt = ~cp_req & (sw_tsp | sw_gnt);

  iau_vsp u_vsp (
    .clk_i,
    .clear_i   (clear),
    .rd_req0_i (va_req),
    .rd_req1_i (vb_req),
    .rd_req2_i (vs_req),
    .rd_req3_i (ms_req),
    .rd_req4_i (x_req),
    .rd_row0_i (va_row),
    .rd_row1_i (vb_row),
    .rd_row2_i (vs_row),
    .rd_row3_i (ms_row),
    .rd_row4_i (x_row),
    .rd_gnt0_o (va_gnt),
    .rd_gnt1_o (vb_gnt),
    .rd_gnt2_o (vs_gnt),
    .rd_gnt3_o (ms_gnt),
    .rd_gnt4_o (x_gnt),
    .rd_data0_o(va_data),
    .rd_data1_o(vb_data),
    .rd_data2_o(vs_data),
    .rd_data3_o(ms_data),
    .rd_data4_o(x_rdata),
    .wr_req0_i (vw_req),
    .wr_req1_i (md_req),
    .wr_req2_i (sw_req & ~sw_tsp),
    .wr_row0_i (vw_row),
    .wr_row1_i (md_row),
    .wr_row2_i (sw_addr[11:1]),
    .wr_data0_i(vw_data),
    .wr_data1_i(md_data),
    .wr_data2_i(sw_data),
    .wr_be0_i  (vw_be),
    .wr_be2_i  (sw_addr[0] ? {sw_be, 64'd0} : {64'd0, sw_be}),
    .wr_gnt0_o (vw_gnt),
    .wr_gnt1_o (md_gnt),
    .wr_gnt2_o (sw_gnt)
  );

  iau_tsp u_tsp (
    .clk_i,
    .clear_i  (clear),
    .rd_en_i  (t_req),
    .rd_addr_i(t_addr),
    .rd_data_o(t_rdata),
    .wr_en_i  (sw_req & sw_tsp),
    .wr_two_i (~cp_req & lw_two),
    .wr_addr_i(sw_addr),
    .wr_data_i(sw_data),
    .wr_data2_i(lw_data2),
    .wr_be_i  (sw_be)
  );
endmodule
