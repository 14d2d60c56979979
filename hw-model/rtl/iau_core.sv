// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The command processor: runs one job at a time. It reads the descriptor and the parameter block,
// lets fetch, decode and window run the commands, and reports how the job ended.
module iau_core (
  input  logic               clk_i,    // may stop while moves_o is low
  input  logic               rst_ni,
  // the job at hand
  input  logic               job_valid_i,
  input  logic [51:0]        job_pa_i,
  input  logic [1:0]         job_queue_i,
  output logic               job_take_o,
  output logic               active_o,
  output logic [1:0]         active_queue_o,
  output logic [3:0]         ctx_o,
  input  logic               root_valid_i,
  output logic               done_o,
  output logic               done_irq_o,
  output logic               fault_o,
  output iau_hw_pkg::fault_e fault_code_o,
  output logic [31:0]        fault_info_o,
  output logic [63:0]        fault_va_o,
  output logic [31:0]        fault_offset_o,
  output logic [31:0]        fault_tag_o,
  input  logic               abort_i,
  output logic               abort_done_o,
  output logic [5:0]         progress_o,
  output logic               retire_o,
  output logic [7:0]         retire_op_o,
  output logic               retire_i4_o,
  output logic [47:0]        retire_amount_o,
  output logic               clear_o,  // scratchpads become zero
  output logic               moves_o,  // a register may change at the next edge
  input  logic [63:0]        cycle_i,
  // reads of memory, answered in order
  output logic               rd_req_o,
  output logic [51:0]        rd_pa_o,
  output logic [3:0]         rd_len_o,  // beats - 1
  input  logic               rd_gnt_i,
  input  logic               rd_valid_i,
  input  logic [511:0]       rd_data_i,
  input  logic               rd_err_i,
  // translation
  output logic               tr_req_o,
  output logic [63:0]        tr_va_o,
  input  logic               tr_ack_i,
  input  logic [51:0]        tr_pa_i,
  input  logic               tr_c_i,
  input  iau_hw_pkg::fault_e tr_fault_i,
  // completion record
  output logic               rec_valid_o,
  output logic [51:0]        rec_addr_o,
  output logic [255:0]       rec_data_o,
  input  logic               rec_ready_i,
  input  logic               rec_done_i,
  // SLOAD's read of the vector scratchpad
  output logic               sl_req_o,
  output logic [10:0]        sl_row_o,
  input  logic               sl_gnt_i,
  input  logic [1023:0]      sl_data_i,
  // units: 0 LOAD, 1 STORE, 2 MATMUL, 3 VEC, 4 COPY, TOPK
  output logic               load_valid_o,
  output logic               store_valid_o,
  output logic               matmul_valid_o,
  output logic               vec_valid_o,
  output logic               copy_valid_o,
  output logic [511:0]       load_cmd_o,
  output logic [511:0]       store_cmd_o,
  output logic [511:0]       matmul_cmd_o,
  output logic [511:0]       vec_cmd_o,
  output logic [511:0]       copy_cmd_o,
  output logic [4:0]         load_idx_o,
  output logic               cancel_o,  // LOAD gives up what it has not read yet
  input  logic               load_ready_i,
  input  logic               store_ready_i,
  input  logic               matmul_ready_i,
  input  logic               vec_ready_i,
  input  logic               copy_ready_i,
  input  logic               load_done_i,
  input  logic               store_done_i,
  input  logic               matmul_done_i,
  input  logic               vec_done_i,
  input  logic               copy_done_i,
  input  logic [4:0]         load_done_idx_i,
  input  iau_hw_pkg::fault_e load_fault_i,
  input  logic [63:0]        load_va_i,
  input  logic [18:0]        load_bytes_i,
  input  iau_hw_pkg::fault_e store_fault_i,
  input  logic [63:0]        store_va_i,
  input  logic [4:0]         load_head_i,
  output logic               store_pending_o,
  // traces: a command enters the window, starts in its unit, is done; PLACE names it meanwhile
  output logic               ev_enter_o,
  output logic [31:0]        ev_pc_o,
  output logic [2:0]         ev_unit_o,
  output logic [4:0]         ev_place_o,
  output logic               ev_any_o,  // any of the below
  output logic               ev_load_start_o,
  output logic               ev_store_start_o,
  output logic               ev_matmul_start_o,
  output logic               ev_vec_start_o,
  output logic               ev_copy_start_o,
  output logic [24:0]        ev_start_place_o,
  output logic               ev_load_done_o,
  output logic               ev_store_done_o,
  output logic               ev_matmul_done_o,
  output logic               ev_vec_done_o,
  output logic               ev_copy_done_o,
  output logic [24:0]        ev_done_place_o
);

  typedef enum logic [3:0] {JIdle, JDesc, JDescWait, JCheck, JParamTr, JParamRd, JParamWait, JRun,
                            JDrain, JRecord, JRecordWait, JFault, JAbort} jstate_e;
  jstate_e jstate_q;
  iau_hw_pkg::job_t job_q;
  logic [1:0] queue_q;
  logic [51:0] pa_q;
  logic [63:0] start_q, fva_q;
  logic [31:0] finfo_q, foffset_q;
  logic param_half_q, record_q;
  iau_hw_pkg::fault_e fcode_q;

  logic run, params, fetching, clear, hold, idle_now, empty, quiet, wfault, wfault_take, dfault, end_seen, busy;
  logic f_moves, d_moves, w_moves, steps;
  iau_hw_pkg::fault_e wfault_code, dfault_code;
  logic [63:0] wfault_va, dfault_va;
  logic [31:0] wfault_pc, dfault_info, executed, x_pc;

  assign run = jstate_q == JRun;
  assign params = jstate_q == JParamWait;
  // the first commands are asked for behind the parameters, and answered behind them
  assign fetching = run | params;
  assign clear = jstate_q == JCheck;
  assign hold = ~(run | jstate_q == JDrain);
  assign clear_o = clear;
  assign cancel_o = jstate_q == JFault || jstate_q == JAbort;

  // Fetch -----------------------------------------------------------------------------------------
  logic f_valid, f_err, f_end, f_fault, take, jump, f_tr_req, f_rd_req;
  logic [511:0] f_cmd;
  logic [31:0] f_pc, target;
  iau_hw_pkg::fault_e f_fault_code;
  logic [63:0] f_fault_va, f_tr_va;
  logic [51:0] f_rd_pa;
  logic [3:0] f_rd_len;

  iau_fetch u_fetch (
    .clk_i, .rst_ni,
    .clear_i     (clear),
    .run_i       (fetching),
    .base_i      (job_q.cmd_va),
    .count_i     ({6'd0, job_q.cmd_bytes[31:6]}),
    .pc_o        (f_pc),
    .valid_o     (f_valid),
    .cmd_o       (f_cmd),
    .err_o       (f_err),
    .end_o       (f_end),
    .fault_o     (f_fault),
    .fault_code_o(f_fault_code),
    .fault_va_o  (f_fault_va),
    .take_i      (take),
    .jump_i      (jump),
    .target_i    (target),
    .tr_req_o    (f_tr_req),
    .tr_va_o     (f_tr_va),
    .tr_ack_i    (tr_ack_i & fetching),
    .tr_pa_i,
    .tr_c_i,
    .tr_fault_i,
    .rd_req_o    (f_rd_req),
    .rd_pa_o     (f_rd_pa),
    .rd_len_o    (f_rd_len),
    .rd_gnt_i    (rd_gnt_i & fetching),
    .rd_valid_i  (rd_valid_i & ~params),
    .rd_data_i,
    .rd_err_i,
    .busy_o      (busy),
    .moves_o     (f_moves)
  );

  assign tr_req_o = jstate_q == JParamTr | f_tr_req;
  assign tr_va_o = jstate_q == JParamTr ? job_q.param_va : f_tr_va;
  assign rd_req_o = jstate_q == JDesc | jstate_q == JParamRd | f_rd_req;
  assign rd_pa_o = fetching ? f_rd_pa : pa_q;
  assign rd_len_o = fetching ? f_rd_len : jstate_q == JParamRd ? 4'd1 : '0;

  // Decode ----------------------------------------------------------------------------------------
  logic enter, scalar, room, scalar_room, sl_clear, sl_want;
  logic [2:0] unit;
  logic [511:0] x_cmd;
  logic [255:0] vsp_rd, vsp_stream, vsp_wr;
  logic [63:0] tsp_rd, tsp_wr;
  logic [47:0] amount;

  iau_decode u_decode (
    .clk_i, .rst_ni,
    .clear_i      (clear),
    .run_i        (run),
    .budget_i     (job_q.budget),
    .param_valid_i(params && rd_valid_i),
    .param_half_i (param_half_q),
    .param_data_i (rd_data_i),
    .base_i       (job_q.cmd_va),
    .pc_i         (f_pc),
    .valid_i      (f_valid),
    .cmd_i        (f_cmd),
    .err_i        (f_err),
    .end_i        (f_end),
    .ffault_i     (f_fault),
    .ffault_code_i(f_fault_code),
    .ffault_va_i  (f_fault_va),
    .take_o       (take),
    .jump_o       (jump),
    .target_o     (target),
    .enter_o      (enter),
    .unit_o       (unit),
    .cmd_o        (x_cmd),
    .pc_o         (x_pc),
    .vsp_rd_o     (vsp_rd),
    .vsp_stream_o (vsp_stream),
    .vsp_wr_o     (vsp_wr),
    .tsp_rd_o     (tsp_rd),
    .tsp_wr_o     (tsp_wr),
    .amount_o     (amount),
    .scalar_o     (scalar),
    .room_i       (room),
    .scalar_room_i(scalar_room),
    .sl_want_o    (sl_want),
    .sl_req_o,
    .sl_row_o,
    .sl_clear_i   (sl_clear),
    .sl_gnt_i,
    .sl_data_i,
    .end_o        (end_seen),
    .executed_o   (executed),
    .fault_o      (dfault),
    .fault_code_o (dfault_code),
    .fault_info_o (dfault_info),
    .fault_va_o   (dfault_va),
    .moves_o      (d_moves)
  );

  // Window ----------------------------------------------------------------------------------------
  iau_window u_window (
    .clk_i, .rst_ni,
    .clear_i      (clear),
    .hold_i       (hold),
    .enter_i      (enter),
    .unit_i       (unit),
    .cmd_i        (x_cmd),
    .pc_i         (x_pc),
    .vsp_rd_i     (vsp_rd),
    .vsp_stream_i (vsp_stream),
    .vsp_wr_i     (vsp_wr),
    .tsp_rd_i     (tsp_rd),
    .tsp_wr_i     (tsp_wr),
    .amount_i     (amount),
    .room_o       (room),
    .scalar_i     (scalar),
    .scalar_room_o(scalar_room),
    .sl_want_i    (sl_want),
    .sl_granule_i (sl_row_o[10:3]),
    .sl_clear_o   (sl_clear),
    .load_valid_o,
    .store_valid_o,
    .matmul_valid_o,
    .vec_valid_o,
    .copy_valid_o,
    .load_cmd_o,
    .store_cmd_o,
    .matmul_cmd_o,
    .vec_cmd_o,
    .copy_cmd_o,
    .load_idx_o,
    .load_ready_i,
    .store_ready_i,
    .matmul_ready_i,
    .vec_ready_i,
    .copy_ready_i,
    .load_done_i,
    .store_done_i,
    .matmul_done_i,
    .vec_done_i,
    .copy_done_i,
    .load_done_idx_i,
    .load_fault_i,
    .load_va_i,
    .load_bytes_i,
    .store_fault_i,
    .store_va_i,
    .load_head_i,
    .store_pending_o,
    .empty_o      (empty),
    .quiet_o      (quiet),
    .moves_o      (w_moves),
    .fault_o      (wfault),
    .fault_code_o (wfault_code),
    .fault_va_o   (wfault_va),
    .fault_pc_o   (wfault_pc),
    .fault_take_i (wfault_take),
    .progress_o,
    .retire_o,
    .retire_op_o,
    .retire_i4_o,
    .retire_amount_o,
    .ev_place_o,
    .ev_any_o,
    .ev_load_start_o,
    .ev_store_start_o,
    .ev_matmul_start_o,
    .ev_vec_start_o,
    .ev_copy_start_o,
    .ev_start_place_o,
    .ev_load_done_o,
    .ev_store_done_o,
    .ev_matmul_done_o,
    .ev_vec_done_o,
    .ev_copy_done_o,
    .ev_done_place_o
  );
  assign ev_enter_o = enter;
  assign ev_pc_o = x_pc;
  assign ev_unit_o = unit;

  // The job ---------------------------------------------------------------------------------------
  assign job_take_o = jstate_q == JIdle && job_valid_i;
  assign active_o = jstate_q != JIdle;
  assign active_queue_o = queue_q;
  assign ctx_o = job_q.ctx;
  assign done_irq_o = job_q.irq;
  assign fault_code_o = fcode_q;
  assign fault_info_o = finfo_q;
  assign fault_va_o = fva_q;
  assign fault_offset_o = foffset_q;
  assign fault_tag_o = job_q.tag;
  assign rec_valid_o = jstate_q == JRecord;
  assign rec_addr_o = job_q.fence_pa[51:0];
  assign rec_data_o = {32'd0, executed, cycle_i, start_q, job_q.fence_value};
  assign moves_o = steps | f_moves | d_moves | w_moves;
  // what the state waits for; JRun ends otherwise with a command that moves
  always_comb begin
    if (run) begin
      steps = abort_i | wfault;
    end else begin
      case (jstate_q)
        JIdle: steps = job_valid_i;
        JDesc, JParamRd: steps = rd_gnt_i;
        JDescWait, JParamWait: steps = rd_valid_i;
        JParamTr: steps = tr_ack_i;
        JDrain: steps = abort_i | wfault | (empty & ~busy);
        JRecord: steps = rec_ready_i;
        JRecordWait: steps = rec_done_i;
        default: steps = 1'b1;
      endcase
    end
  end
  assign idle_now = quiet & ~busy;
  assign wfault_take = wfault & ~hold & ~abort_i;
  always_comb begin
    done_o = 1'b0;
    fault_o = 1'b0;
    abort_done_o = 1'b0;
    if (!run) begin
      done_o = (jstate_q == JDrain && empty && !busy && !abort_i && !record_q) ||
               (jstate_q == JRecordWait && rec_done_i);
      fault_o = jstate_q == JFault && idle_now && !abort_i;
      abort_done_o = (jstate_q == JAbort || (jstate_q == JFault && abort_i)) && idle_now;
    end
  end

  // Idle in the middle of a job: fetch, decode and window are at work.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      jstate_q <= JIdle;
      job_q <= '0;
      queue_q <= '0;
      pa_q <= '0;
      start_q <= '0;
      param_half_q <= 1'b0;
      record_q <= 1'b0;
      fcode_q <= iau_hw_pkg::FaultNone;
      finfo_q <= '0;
      fva_q <= '0;
      foffset_q <= '0;
    end else begin
      unique case (jstate_q)
        JIdle:
        if (job_valid_i) begin
          jstate_q <= JDesc;
          queue_q <= job_queue_i;
          pa_q <= job_pa_i;
          start_q <= cycle_i;
          finfo_q <= '0;
          fva_q <= '0;
          foffset_q <= '0;
        end
        JDesc: if (rd_gnt_i) jstate_q <= JDescWait;
        JDescWait:
        if (rd_valid_i) begin
          job_q <= rd_err_i ? '0 : rd_data_i;
          fcode_q <= rd_err_i ? iau_hw_pkg::FaultBus : iau_hw_pkg::FaultNone;
          fva_q <= rd_err_i ? 64'(pa_q) : '0;
          jstate_q <= JCheck;
        end
        JCheck: begin : gen_check
          logic [4:0] bad;
          bad = {|job_q.fence_pa[4:0], |job_q.param_va[6:0], |job_q.cmd_va[5:0],
                 |job_q.cmd_bytes[5:0], ~root_valid_i};
          record_q <= job_q.fence_pa != '0;
          param_half_q <= 1'b0;
          if (fcode_q != iau_hw_pkg::FaultNone) begin
            jstate_q <= JFault;
          end else if (bad != '0) begin
            jstate_q <= JFault;
            fcode_q <= iau_hw_pkg::FaultBadJob;
            finfo_q <= bad[0] ? 32'd0 : bad[1] ? 32'd1 : bad[2] ? 32'd2 :
                       bad[3] ? 32'd4 : 32'd6;
          end else begin
            jstate_q <= job_q.param_va == '0 ? JRun : JParamTr;
          end
        end
        JParamTr:
        if (tr_ack_i) begin
          pa_q <= tr_pa_i;
          fcode_q <= tr_fault_i;
          fva_q <= tr_fault_i != iau_hw_pkg::FaultNone ? job_q.param_va : '0;
          jstate_q <= tr_fault_i != iau_hw_pkg::FaultNone ? JFault : JParamRd;
        end
        JParamRd: if (rd_gnt_i) jstate_q <= JParamWait;
        JParamWait:
        if (rd_valid_i) begin
          param_half_q <= 1'b1;
          if (rd_err_i) begin
            fcode_q <= iau_hw_pkg::FaultBus;
            fva_q <= job_q.param_va;
          end
          if (param_half_q) jstate_q <= rd_err_i ? JFault : JRun;
        end
        JRun, JDrain:
        if (abort_i) begin
          jstate_q <= JAbort;
        end else if (wfault) begin
          jstate_q <= JFault;
          fcode_q <= wfault_code;
          fva_q <= wfault_va;
          foffset_q <= {wfault_pc[25:0], 6'd0};
        end else if (run && dfault && empty) begin
          jstate_q <= JFault;
          fcode_q <= dfault_code;
          finfo_q <= dfault_info;
          fva_q <= dfault_va;
          foffset_q <= {x_pc[25:0], 6'd0};
        end else if (end_seen) begin
          jstate_q <= JDrain;
        end else if (!run && empty && !busy) begin
          jstate_q <= record_q ? JRecord : JIdle;
        end
        JRecord: if (rec_ready_i) jstate_q <= JRecordWait;
        JRecordWait: if (rec_done_i) jstate_q <= JIdle;
        JFault: if (idle_now) jstate_q <= JIdle;
        JAbort: if (idle_now) jstate_q <= JIdle;
        default: jstate_q <= JIdle;
      endcase
    end
  end
endmodule
