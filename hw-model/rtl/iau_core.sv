// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The command processor: runs one job at a time. Commands are fetched ahead, patched, checked and
// entered into a window of 16 in program order; each starts when no older command in the window
// touches what it touches, and they retire in order, so that faults, counters and results are
// those of sequential execution.
module iau_core (
  input  logic               clk_i,
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
  // units: 0 LOAD, 1 STORE, 2 MATMUL, 3 VEC
  output logic [3:0]         u_valid_o,
  output logic [3:0][511:0]  u_cmd_o,
  output logic [3:0]         load_idx_o,
  output logic               cancel_o,  // LOAD gives up what it has not read yet
  input  logic [3:0]         u_ready_i,
  input  logic [3:0]         u_done_i,
  input  logic [3:0]         load_done_idx_i,
  input  iau_hw_pkg::fault_e load_fault_i,
  input  logic [63:0]        load_va_i,
  input  iau_hw_pkg::fault_e store_fault_i,
  input  logic [63:0]        store_va_i,
  input  logic [3:0]         load_head_i,
  output logic               store_pending_o
);
  import iau_hw_pkg::*;

  // Job -------------------------------------------------------------------------------------------
  typedef enum logic [3:0] {JIdle, JDesc, JDescWait, JCheck, JParamTr, JParamRd, JParamWait, JRun,
                            JDrain, JRecord, JRecordWait, JFault, JAbort} jstate_e;
  jstate_e jstate_q;
  job_t job_q;
  logic [1:0] queue_q;
  logic [51:0] pa_q;
  logic [63:0] start_q;
  logic param_half_q;
  logic [31:0] regs_q[32];
  fault_e fcode_q;
  logic [31:0] finfo_q, pc_q, executed_q, foffset_q;
  logic [63:0] fva_q;

  // Window ----------------------------------------------------------------------------------------
  logic [511:0] w_cmd_q[16];
  logic [15:0] w_done_q, w_issued_q, w_store_q, w_i4_q;
  logic [15:0] w_dep_q[16];
  logic [255:0] w_vrd_q[16];
  logic [255:0] w_vwr_q[16];
  logic [63:0] w_trd_q[16];
  logic [63:0] w_twr_q[16];
  logic [47:0] w_amount_q[16];
  logic [5:0] w_scal_q[16];
  logic [31:0] w_pc_q[16];
  fault_e w_fault_q[16];
  logic [63:0] w_fva_q[16];
  logic [3:0] head_q, tail_q;
  logic [4:0] count_q;
  logic [5:0] scal_q;
  logic [15:0] live;  // entries of the window

  always_comb begin
    live = '0;
    for (int unsigned i = 0; i < 16; i++) live[4'(head_q + 4'(i))] = 5'(i) < count_q;
  end

  // Fetch -----------------------------------------------------------------------------------------
  logic [511:0] fifo_q[16];
  logic [15:0] fifo_err_q;
  logic [3:0] fifo_rd_q, fifo_wr_q;
  logic [4:0] fifo_n_q;
  logic [5:0] outst_q, drop_q;  // beats on their way; of them to be dropped
  logic [31:0] fpc_q;
  logic ftr_q;  // translation in hand
  logic [51:0] fpa_q;
  fault_e ffault_q;
  logic [63:0] ffva_q, fva;
  logic [31:0] n_cmds;
  logic [3:0] group;
  logic run, fetch_go, pop, flush, beat;

  assign run = jstate_q == JRun;
  assign n_cmds = {6'd0, job_q.cmd_bytes[31:6]};
  assign fva = job_q.cmd_va + {26'd0, fpc_q, 6'd0};
  logic [3:0] to_line;
  assign to_line = 4'd8 - {1'b0, fva[8:6]};
  assign group = n_cmds - fpc_q < 32'(to_line) ? 4'(n_cmds - fpc_q) : to_line;
  assign fetch_go = run && ffault_q == FaultNone && fpc_q < n_cmds &&
                    6'(fifo_n_q) + (outst_q - drop_q) <= 6'd8 && outst_q <= 6'd32;
  assign beat = rd_valid_i && (run || jstate_q == JDrain || jstate_q == JFault || jstate_q == JAbort);

  always_comb begin
    tr_req_o = 1'b0;
    tr_va_o = fva;
    rd_req_o = 1'b0;
    rd_pa_o = pa_q;
    rd_len_o = '0;
    if (jstate_q == JDesc) rd_req_o = 1'b1;
    if (jstate_q == JParamTr) begin
      tr_req_o = 1'b1;
      tr_va_o = job_q.param_va;
    end
    if (jstate_q == JParamRd) begin
      rd_req_o = 1'b1;
      rd_len_o = 4'd1;
    end
    if (run && !flush) begin
      tr_req_o = fetch_go && !ftr_q;
      rd_req_o = ftr_q;
      rd_pa_o = fpa_q;
      rd_len_o = group - 4'd1;
    end
  end

  // Dispatch --------------------------------------------------------------------------------------
  typedef enum logic [2:0] {DGet, DPatch, DCheck, DExec, DSload, DSloadWait} dstate_e;
  dstate_e dstate_q;
  logic [511:0] cmd_q, patched;
  logic cmd_err_q;
  fault_e chk_fault, kfault_q;
  logic [31:0] chk_info, kinfo_q;
  logic [255:0] chk_vrd, chk_vwr, kvrd_q, kvwr_q;
  logic [63:0] chk_trd, chk_twr, ktrd_q, ktwr_q;
  logic [47:0] chk_amount, kamount_q;
  logic [511:0] extra;
  logic [16:0] extra_w;
  logic [31:0] add0, add1, add2;

  assign extra = cmd_q & ~command_mask(cmd_q[7:0]);

  // patches: three additions, in order
  function automatic logic [511:0] patch(input logic [511:0] c, input logic [3:0] w,
                                         input logic [31:0] v, input logic copy);
    logic [32:0] s;
    logic [511:0] y;
    y = c;
    s = {1'b0, c[{w, 5'd0}+:32]} + {1'b0, v};
    if (w != '0) y[{w, 5'd0}+:32] = s[31:0];
    if (copy && w == 4'd2) y[127:96] = c[127:96] + 32'(s[32]);
    return y;
  endfunction
  logic is_copy;
  assign is_copy = cmd_q[7:0] == OpLoad || cmd_q[7:0] == OpStore || cmd_q[7:0] == OpStamp;
  assign add0 = regs_q[cmd_q[488:484]];
  assign add1 = regs_q[cmd_q[497:493]];
  assign add2 = regs_q[cmd_q[506:502]];
  assign patched = patch(patch(patch(cmd_q, cmd_q[483:480], add0, is_copy), cmd_q[492:489], add1,
                               is_copy), cmd_q[501:498], add2, is_copy);

  always_comb begin
    extra_w = 17'h10000;
    for (int unsigned w = 16; w > 0; w--) if (extra[32*(w-1)+:32] != '0) extra_w = 17'(w - 32'd1);
    if (extra_w[16] && (cmd_q[483:480] == 4'd15 || cmd_q[492:489] == 4'd15 ||
                        cmd_q[501:498] == 4'd15))
      extra_w = 17'd15;
  end

  iau_check u_check (
    .cmd_i   (cmd_q),
    .fault_o (chk_fault),
    .info_o  (chk_info),
    .vsp_rd_o(chk_vrd),
    .vsp_wr_o(chk_vwr),
    .tsp_rd_o(chk_trd),
    .tsp_wr_o(chk_twr),
    .amount_o(chk_amount)
  );

  logic is_entry, enter, scalar, dfault, taken;
  fault_e dfault_code;
  logic [31:0] dfault_info;
  logic [63:0] dfault_va;
  logic [15:0] deps;
  logic [1:0] unit;
  salu_t salu;
  branch_t branch;
  sload_t sload;
  assign salu = cmd_q;
  assign branch = cmd_q;
  assign sload = cmd_q;
  assign is_entry = cmd_q[7:0] >= 8'h10;
  assign unit = cmd_q[7:0] == OpLoad ? 2'd0 : cmd_q[7:0] == OpMatmul ? 2'd2 :
                cmd_q[7:0] == OpVec ? 2'd3 : 2'd1;

  always_comb begin
    deps = '0;
    for (int unsigned i = 0; i < 16; i++) begin
      deps[i] = live[i] & ~w_done_q[i] &
          ((|(w_vwr_q[i] & (kvrd_q | kvwr_q))) | (|(w_vrd_q[i] & kvwr_q)) |
           (|(w_twr_q[i] & (ktrd_q | ktwr_q))) | (|(w_trd_q[i] & ktwr_q)));
    end
  end

  // scalar results
  logic [31:0] sa, sb, sd, ba, bb;
  assign sa = regs_q[salu.ra];
  assign sb = salu.use_imm ? salu.imm : regs_q[salu.rb];
  assign ba = regs_q[branch.ra];
  assign bb = branch.use_imm ? branch.imm : regs_q[branch.rb];
  always_comb begin
    case (salu.func)
      4'd0: sd = sa + sb;
      4'd1: sd = sa - sb;
      4'd2: sd = sa * sb;
      4'd3: sd = sa & sb;
      4'd4: sd = sa | sb;
      4'd5: sd = sa << sb[4:0];
      4'd6: sd = sa >> sb[4:0];
      4'd7: sd = sa < sb ? sa : sb;
      default: sd = sa > sb ? sa : sb;
    endcase
    case (branch.cond)
      3'd1: taken = ba == bb;
      3'd2: taken = ba != bb;
      3'd3: taken = ba < bb;
      3'd4: taken = ba >= bb;
      3'd5: taken = $signed(ba) < $signed(bb);
      3'd6: taken = $signed(ba) >= $signed(bb);
      default: taken = 1'b1;
    endcase
  end

  logic window_empty, end_seen, room, sl_clear, at_end, over;
  assign window_empty = count_q == '0;
  assign at_end = pc_q >= n_cmds;
  assign over = executed_q == (job_q.budget == '0 ? 32'hffff_ffff : job_q.budget);
  assign room = count_q != 5'd16;
  assign end_seen = dstate_q == DExec && cmd_q[7:0] == OpEnd;
  assign enter = dstate_q == DExec && is_entry && room;
  assign pop = run && dstate_q == DGet && !at_end && !over && fifo_n_q != '0 && scal_q < 6'd60 &&
               !dfault;
  // SLOAD waits for the writers of its granule
  always_comb begin
    sl_clear = 1'b1;
    for (int unsigned i = 0; i < 16; i++)
      if (live[i] && !w_done_q[i] && w_vwr_q[i][sload.addr[17:10]]) sl_clear = 1'b0;
  end
  assign sl_req_o = dstate_q == DSload && sl_clear;
  assign sl_row_o = sload.addr[17:7];
  assign scalar = (dstate_q == DExec && !is_entry && cmd_q[7:0] != OpSload) || dstate_q == DSloadWait;
  assign flush = dstate_q == DExec && cmd_q[7:0] == OpBranch && taken;

  // a fault of the command at hand, taken once all older ones have retired
  always_comb begin
    dfault = 1'b0;
    dfault_code = FaultNone;
    dfault_info = '0;
    dfault_va = '0;
    if (run && dstate_q == DGet) begin
      if (at_end) dfault_code = FaultCmdRange;
      else if (over) dfault_code = FaultBudget;
      else if (fifo_n_q == '0 && outst_q == drop_q && !ftr_q && ffault_q != FaultNone) begin
        dfault_code = ffault_q;
        dfault_va = ffva_q;
      end
    end else if (dstate_q == DPatch) begin
      if (cmd_err_q) begin
        dfault_code = FaultBus;
        dfault_va = job_q.cmd_va + {26'd0, pc_q, 6'd0};
      end else if (command_mask(cmd_q[7:0]) == '0) begin
        dfault_code = FaultBadOpcode;
      end else if (!extra_w[16]) begin
        dfault_code = FaultBadField;
        dfault_info = 32'(extra_w[15:0]);
      end
    end else if (dstate_q == DExec && kfault_q != FaultNone) begin
      dfault_code = kfault_q;
      dfault_info = kinfo_q;
    end
    dfault = dfault_code != FaultNone;
  end

  // Issue -----------------------------------------------------------------------------------------
  logic [3:0] q_q[4][16];  // per unit: window entries in order
  logic [3:0] q_rd_q[4];
  logic [3:0] q_wr_q[4];
  logic [4:0] q_n_q[4];
  logic [3:0] cand[4];
  logic [3:0] issue;
  logic [3:0] cur_q[4];  // entry that a one-at-a-time unit works on
  logic hold;  // nothing new starts: the job is being ended
  assign hold = !(run || jstate_q == JDrain);
  assign cancel_o = jstate_q == JFault || jstate_q == JAbort;

  for (genvar u = 0; u < 4; u++) begin : gen_unit
    assign cand[u] = q_q[u][q_rd_q[u]];
    assign u_valid_o[u] = q_n_q[u] != '0 && w_dep_q[cand[u]] == '0 && !hold &&
                          (u != 1 || cand[u] == head_q);
    assign u_cmd_o[u] = w_cmd_q[cand[u]];
    assign issue[u] = u_valid_o[u] & u_ready_i[u];
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        q_rd_q[u] <= '0;
        q_wr_q[u] <= '0;
        q_n_q[u] <= '0;
        cur_q[u] <= '0;
      end else if (jstate_q == JCheck) begin
        q_rd_q[u] <= '0;
        q_wr_q[u] <= '0;
        q_n_q[u] <= '0;
      end else begin
        if (issue[u]) begin
          q_rd_q[u] <= q_rd_q[u] + 4'd1;
          cur_q[u] <= cand[u];
        end
        if (enter && !dfault && unit == 2'(u)) q_wr_q[u] <= q_wr_q[u] + 4'd1;
        q_n_q[u] <= q_n_q[u] + 5'(enter && !dfault && unit == 2'(u)) - 5'(issue[u]);
      end
    end
    always_ff @(posedge clk_i) if (enter && unit == 2'(u)) q_q[u][q_wr_q[u]] <= tail_q;
  end
  assign load_idx_o = cand[0];

  // Completion ------------------------------------------------------------------------------------
  logic [15:0] done_mask;
  always_comb begin
    done_mask = '0;
    if (u_done_i[0]) done_mask[load_done_idx_i] = 1'b1;
    if (u_done_i[1]) done_mask[cur_q[1]] = 1'b1;
    if (u_done_i[2]) done_mask[cur_q[2]] = 1'b1;
    if (u_done_i[3]) done_mask[cur_q[3]] = 1'b1;
  end

  logic retire, late_fault, quiet;
  assign late_fault = !window_empty && w_done_q[head_q] && w_fault_q[head_q] != FaultNone;
  assign retire = !window_empty && w_done_q[head_q] && !late_fault && !hold;
  // nothing that has started is still running
  assign quiet = (live & w_issued_q & ~w_done_q) == '0;
  logic flush_scal;
  assign flush_scal = window_empty && scal_q != '0 && !hold;
  // a faulting command does not count, the scalar ones before it do
  assign progress_o = retire ? w_scal_q[head_q] + 6'd1 :
                      (late_fault && !hold && !abort_i) ? w_scal_q[head_q] :
                      flush_scal ? scal_q : '0;
  assign retire_o = retire;
  assign retire_op_o = w_cmd_q[head_q][7:0];
  assign retire_i4_o = w_i4_q[head_q];
  assign retire_amount_o = w_amount_q[head_q];

  always_comb begin
    store_pending_o = 1'b0;
    for (int unsigned i = 0; i < 16; i++)
      if (live[i] && w_store_q[i] && !w_done_q[i] &&
          4'(4'(i) - head_q) < 4'(load_head_i - head_q))
        store_pending_o = 1'b1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_q <= '0;
      tail_q <= '0;
      count_q <= '0;
      w_done_q <= '0;
      w_issued_q <= '0;
      w_store_q <= '0;
      scal_q <= '0;
    end else if (jstate_q == JCheck) begin
      head_q <= '0;
      tail_q <= '0;
      count_q <= '0;
      w_done_q <= '0;
      w_issued_q <= '0;
      scal_q <= '0;
    end else begin
      w_done_q <= w_done_q | done_mask;
      for (int unsigned u = 0; u < 4; u++) if (issue[u]) w_issued_q[cand[u]] <= 1'b1;
      if (enter && !dfault) begin
        tail_q <= tail_q + 4'd1;
        w_done_q[tail_q] <= 1'b0;
        w_issued_q[tail_q] <= 1'b0;
        w_store_q[tail_q] <= unit == 2'd1;
      end
      if (retire) head_q <= head_q + 4'd1;
      count_q <= count_q + 5'(enter && !dfault) - 5'(retire);
      if (enter && !dfault) scal_q <= '0;
      else if (flush_scal) scal_q <= 6'(scalar && !dfault);
      else if (scalar && !dfault) scal_q <= scal_q + 6'd1;
    end
  end

  for (genvar i = 0; i < 16; i++) begin : gen_window
    always_ff @(posedge clk_i) begin
      if (enter && tail_q == 4'(i)) begin
        w_cmd_q[i] <= cmd_q;
        w_dep_q[i] <= deps & ~done_mask;
        w_vrd_q[i] <= kvrd_q;
        w_vwr_q[i] <= kvwr_q;
        w_trd_q[i] <= ktrd_q;
        w_twr_q[i] <= ktwr_q;
        w_amount_q[i] <= kamount_q;
        w_scal_q[i] <= flush_scal ? '0 : scal_q;
        w_pc_q[i] <= pc_q;
        w_i4_q[i] <= cmd_q[9:8] == 2'd2;
        w_fault_q[i] <= FaultNone;
        w_fva_q[i] <= '0;
      end else begin
        if (done_mask != '0) w_dep_q[i] <= w_dep_q[i] & ~done_mask;
        if (u_done_i[0] && load_done_idx_i == 4'(i)) begin
          w_fault_q[i] <= load_fault_i;
          w_fva_q[i] <= load_va_i;
        end
        if (u_done_i[1] && cur_q[1] == 4'(i)) begin
          w_fault_q[i] <= store_fault_i;
          w_fva_q[i] <= store_va_i;
        end
      end
    end
  end

  // Job state machine -----------------------------------------------------------------------------
  assign job_take_o = jstate_q == JIdle && job_valid_i;
  assign active_o = jstate_q != JIdle;
  assign active_queue_o = queue_q;
  assign ctx_o = job_q.ctx;
  assign clear_o = jstate_q == JCheck;
  assign done_irq_o = job_q.irq;
  assign fault_code_o = fcode_q;
  assign fault_info_o = finfo_q;
  assign fault_va_o = fva_q;
  assign fault_offset_o = foffset_q;
  assign fault_tag_o = job_q.tag;
  assign rec_valid_o = jstate_q == JRecord;
  assign rec_addr_o = job_q.fence_pa[51:0];
  assign rec_data_o = {32'd0, executed_q, cycle_i, start_q, job_q.fence_value};
  logic idle_now;
  assign idle_now = quiet && outst_q == '0;
  assign done_o = (jstate_q == JDrain && window_empty && scal_q == '0 && outst_q == '0 &&
                   job_q.fence_pa == '0) || (jstate_q == JRecordWait && rec_done_i);
  assign fault_o = jstate_q == JFault && idle_now && !abort_i;
  assign abort_done_o = (jstate_q == JAbort || (jstate_q == JFault && abort_i)) && idle_now;

  logic [4:0] job_bad;
  assign job_bad = {|job_q.fence_pa[4:0], |job_q.param_va[6:0], |job_q.cmd_va[5:0],
                    |job_q.cmd_bytes[5:0], ~root_valid_i};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      jstate_q <= JIdle;
      job_q <= '0;
      queue_q <= '0;
      pa_q <= '0;
      start_q <= '0;
      param_half_q <= 1'b0;
      fcode_q <= FaultNone;
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
          fcode_q <= rd_err_i ? FaultBus : FaultNone;
          fva_q <= rd_err_i ? 64'(pa_q) : '0;
          jstate_q <= JCheck;
        end
        JCheck: begin
          param_half_q <= 1'b0;
          if (fcode_q != FaultNone) begin
            jstate_q <= JFault;
          end else if (job_bad != '0) begin
            jstate_q <= JFault;
            fcode_q <= FaultBadJob;
            finfo_q <= job_bad[0] ? 32'd0 : job_bad[1] ? 32'd1 : job_bad[2] ? 32'd2 :
                       job_bad[3] ? 32'd4 : 32'd6;
          end else begin
            jstate_q <= job_q.param_va == '0 ? JRun : JParamTr;
          end
        end
        JParamTr:
        if (tr_ack_i) begin
          pa_q <= tr_pa_i;
          fcode_q <= tr_fault_i;
          fva_q <= tr_fault_i != FaultNone ? job_q.param_va : '0;
          jstate_q <= tr_fault_i != FaultNone ? JFault : JParamRd;
        end
        JParamRd: if (rd_gnt_i) jstate_q <= JParamWait;
        JParamWait:
        if (rd_valid_i) begin
          param_half_q <= 1'b1;
          if (rd_err_i) begin
            fcode_q <= FaultBus;
            fva_q <= job_q.param_va;
          end
          if (param_half_q) jstate_q <= rd_err_i ? JFault : JRun;
        end
        JRun:
        if (abort_i) begin
          jstate_q <= JAbort;
        end else if (late_fault) begin
          jstate_q <= JFault;
          fcode_q <= w_fault_q[head_q];
          fva_q <= w_fva_q[head_q];
          foffset_q <= {w_pc_q[head_q][25:0], 6'd0};
        end else if (dfault && window_empty && scal_q == '0) begin
          jstate_q <= JFault;
          fcode_q <= dfault_code;
          finfo_q <= dfault_info;
          fva_q <= dfault_va;
          foffset_q <= {pc_q[25:0], 6'd0};
        end else if (end_seen && !dfault) begin
          jstate_q <= JDrain;
        end
        JDrain:
        if (late_fault) begin
          jstate_q <= JFault;
          fcode_q <= w_fault_q[head_q];
          fva_q <= w_fva_q[head_q];
          foffset_q <= {w_pc_q[head_q][25:0], 6'd0};
        end else if (window_empty && scal_q == '0 && outst_q == '0) begin
          jstate_q <= job_q.fence_pa == '0 ? JIdle : JRecord;
        end
        JRecord: if (rec_ready_i) jstate_q <= JRecordWait;
        JRecordWait: if (rec_done_i) jstate_q <= JIdle;
        JFault: if (idle_now) jstate_q <= JIdle;
        JAbort: if (idle_now) jstate_q <= JIdle;
        default: jstate_q <= JIdle;
      endcase
    end
  end

  // Fetch and dispatch registers ------------------------------------------------------------------
  logic stale;
  assign stale = drop_q != '0;
  logic [5:0] arriving;
  assign arriving = (run && rd_req_o && rd_gnt_i) ? 6'(group) : '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      fifo_rd_q <= '0;
      fifo_wr_q <= '0;
      fifo_n_q <= '0;
      fifo_err_q <= '0;
      outst_q <= '0;
      drop_q <= '0;
      fpc_q <= '0;
      ftr_q <= 1'b0;
      fpa_q <= '0;
      ffault_q <= FaultNone;
      ffva_q <= '0;
    end else if (jstate_q == JCheck) begin
      fifo_rd_q <= '0;
      fifo_wr_q <= '0;
      fifo_n_q <= '0;
      outst_q <= '0;
      drop_q <= '0;
      fpc_q <= '0;
      ftr_q <= 1'b0;
      ffault_q <= FaultNone;
      ffva_q <= '0;
    end else begin
      outst_q <= outst_q + arriving - 6'(beat);
      if (flush) begin
        fifo_rd_q <= '0;
        fifo_wr_q <= '0;
        fifo_n_q <= '0;
        drop_q <= outst_q - 6'(beat);
        fpc_q <= pc_q + 32'd1 + branch.offset;
        ftr_q <= 1'b0;
        ffault_q <= FaultNone;
      end else begin
        if (beat && stale) drop_q <= drop_q - 6'd1;
        if (beat && !stale) begin
          fifo_wr_q <= fifo_wr_q + 4'd1;
          fifo_err_q[fifo_wr_q] <= rd_err_i;
        end
        if (pop) fifo_rd_q <= fifo_rd_q + 4'd1;
        fifo_n_q <= fifo_n_q + 5'(beat && !stale) - 5'(pop);
        if (run && tr_req_o && tr_ack_i) begin
          if (tr_fault_i != FaultNone || !tr_c_i) begin
            ffault_q <= tr_fault_i != FaultNone ? tr_fault_i : FaultNotConst;
            ffva_q <= fva;
          end else begin
            ftr_q <= 1'b1;
            fpa_q <= tr_pa_i;
          end
        end else if (run && rd_req_o && rd_gnt_i) begin
          ftr_q <= 1'b0;
          fpc_q <= fpc_q + 32'(group);
        end
      end
    end
  end
  always_ff @(posedge clk_i) if (beat && !stale) fifo_q[fifo_wr_q] <= rd_data_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      dstate_q <= DGet;
      cmd_q <= '0;
      cmd_err_q <= 1'b0;
      pc_q <= '0;
      executed_q <= '0;
      kfault_q <= FaultNone;
      kinfo_q <= '0;
      kvrd_q <= '0;
      kvwr_q <= '0;
      ktrd_q <= '0;
      ktwr_q <= '0;
      kamount_q <= '0;
    end else if (!run) begin
      dstate_q <= DGet;
      if (jstate_q == JCheck) begin
        pc_q <= '0;
        executed_q <= '0;
      end
    end else if (!dfault) begin
      unique case (dstate_q)
        DGet:
        if (pop) begin
          cmd_q <= fifo_q[fifo_rd_q];
          cmd_err_q <= fifo_err_q[fifo_rd_q];
          dstate_q <= DPatch;
        end
        DPatch: begin
          cmd_q <= patched;
          dstate_q <= DCheck;
        end
        DCheck: begin
          kfault_q <= chk_fault;
          kinfo_q <= chk_info;
          kvrd_q <= chk_vrd;
          kvwr_q <= chk_vwr;
          ktrd_q <= chk_trd;
          ktwr_q <= chk_twr;
          kamount_q <= chk_amount;
          dstate_q <= DExec;
        end
        DExec:
        if (cmd_q[7:0] == OpSload) begin
          dstate_q <= DSload;
        end else if (enter || scalar) begin
          dstate_q <= DGet;
          pc_q <= pc_q + 32'd1 + (flush ? branch.offset : 32'd0);
          executed_q <= executed_q + 32'd1;
        end
        DSload: if (sl_req_o && sl_gnt_i) dstate_q <= DSloadWait;
        DSloadWait: begin
          dstate_q <= DGet;
          pc_q <= pc_q + 32'd1;
          executed_q <= executed_q + 32'd1;
        end
        default: dstate_q <= DGet;
      endcase
    end
  end

  // Scalar registers
  for (genvar r = 0; r < 32; r++) begin : gen_reg
    always_ff @(posedge clk_i) begin
      if (jstate_q == JCheck) regs_q[r] <= '0;
      else if (jstate_q == JParamWait && rd_valid_i && param_half_q == (r >= 16))
        regs_q[r] <= rd_data_i[32*(r%16)+:32];
      else if (run && !dfault && dstate_q == DExec && cmd_q[7:0] == OpSalu && salu.rd == 5'(r))
        regs_q[r] <= sd;
      else if (dstate_q == DSloadWait && sload.rd == 5'(r))
        regs_q[r] <= sl_data_i[{sload.addr[6:2], 5'd0}+:32];
    end
  end
endmodule
