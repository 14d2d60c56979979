// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The register file: identification, interrupts, contexts, queues with their doorbells and fault
// records, counters. Chooses the queue whose job runs next.
module iau_queues (
  input  logic               clk_i,
  input  logic               rst_ni,
  // register access; reads answer in the same cycle
  input  logic               mmio_re_i,
  input  logic               mmio_we_i,
  input  logic [15:0]        mmio_addr_i,
  input  logic [31:0]        mmio_wdata_i,
  output logic [31:0]        mmio_rdata_o,
  output logic [5:0]         irq_o,
  output logic               pending_o,
  // the next job, and what became of it
  output logic               job_valid_o,
  output logic [1:0]         job_queue_o,
  output logic [51:0]        job_pa_o,
  input  logic               job_take_i,
  input  logic               job_active_i,
  input  logic [1:0]         active_queue_i,
  input  logic               done_i,
  input  logic               done_irq_i,
  input  logic               fault_i,
  input  iau_hw_pkg::fault_e fault_code_i,
  input  logic [31:0]        fault_info_i,
  input  logic [63:0]        fault_va_i,
  input  logic [31:0]        fault_offset_i,
  input  logic [31:0]        fault_tag_i,
  input  logic [3:0]         fault_ctx_i,
  output logic               abort_o,      // the running job's queue is being reset
  input  logic               abort_done_i,
  // contexts
  input  logic [3:0]         ctx_i,
  output logic [63:0]        root_o,
  output logic               inv_o,
  output logic [3:0]         inv_ctx_o,
  // counters
  output logic [3:0]         counter_o,  // which is read
  output logic               counter_high_o,
  output logic               counter_re_o,
  input  logic [31:0]        counter_i,
  input  logic [5:0]         progress_i  // commands retired this cycle by the running queue
);
  import iau_hw_pkg::*;

  typedef enum logic [1:0] {QIdle, QRunning, QFaulted, QResetting} qstate_e;

  logic [63:0] root_q[16];
  logic [51:0] base_q[4];
  logic [3:0] size_q[4];
  logic [31:0] head_q[4];
  logic [31:0] tail_q[4];
  logic [2:0] ctrl_q[4];
  qstate_e state_q[4];
  logic [31:0] progress_q[4];
  logic [7:0] code_q[4];
  logic [31:0] info_q[4];
  logic [63:0] va_q[4];
  logic [31:0] offset_q[4];
  logic [31:0] tag_q[4];
  logic [3:0] fctx_q[4];
  logic [5:0] status_q, mask_q;
  logic [1:0] last_q;

  // Decoding --------------------------------------------------------------------------------------
  logic in_q, in_bell, in_ctx, in_cnt;
  logic [1:0] qn;
  logic [15:0] qr;
  assign in_q = mmio_addr_i[15:9] == 7'h08;
  assign qn = mmio_addr_i[8:7];
  assign qr = {9'd0, mmio_addr_i[6:0]};
  assign in_bell = mmio_addr_i[15:5] == 11'h100 && mmio_addr_i[2:0] == '0;
  assign in_ctx = mmio_addr_i[15:7] == 9'h010;
  assign in_cnt = mmio_addr_i[15:8] == 8'h04;

  // Resets ----------------------------------------------------------------------------------------
  logic [3:0] reset_now;  // the queue has no job that runs on: it is reset at once
  logic reset_late;       // the job of a queue being reset is over, aborted or completed
  logic job_end;
  assign job_end = done_i | fault_i | abort_done_i;
  assign reset_late = abort_done_i || (done_i && state_q[active_queue_i] == QResetting);
  always_comb begin
    for (int unsigned i = 0; i < 4; i++)
      reset_now[i] = mmio_we_i && in_q && qr == QregCmd && mmio_wdata_i == 32'd1 && qn == 2'(i) &&
                     !(job_active_i && active_queue_i == 2'(i) && !job_end);
  end

  // Choice ----------------------------------------------------------------------------------------
  logic [3:0] runnable;
  logic [1:0] n;
  logic [1:0] best_prio;
  always_comb begin
    job_valid_o = 1'b0;
    job_queue_o = '0;
    best_prio = '0;
    for (int unsigned i = 0; i < 4; i++)
      runnable[i] = ctrl_q[i][0] && state_q[i] == QIdle && head_q[i] != tail_q[i] && !reset_now[i];
    for (int unsigned i = 1; i <= 4; i++) begin
      n = last_q + 2'(i);
      if (runnable[n] && (!job_valid_o || ctrl_q[n][2:1] > best_prio)) begin
        job_valid_o = 1'b1;
        job_queue_o = n;
        best_prio = ctrl_q[n][2:1];
      end
    end
  end
  assign job_pa_o = base_q[job_queue_o] +
      {30'd0, head_q[job_queue_o][15:0] & ~(16'hffff << size_q[job_queue_o]), 6'd0};
  assign pending_o = job_valid_o | job_active_i;
  assign abort_o = job_active_i && state_q[active_queue_i] == QResetting;

  // Registers -------------------------------------------------------------------------------------
  function automatic logic [31:0] queue_reg(input logic [1:0] q, input logic [15:0] r);
    case (r)
      QregBaseLo: return base_q[q][31:0];
      QregBaseHi: return {12'd0, base_q[q][51:32]};
      QregSize: return 32'(size_q[q]);
      QregHead: return head_q[q];
      QregCtrl: return 32'(ctrl_q[q]);
      QregStatus: return 32'(state_q[q]);
      QregProgress: return progress_q[q];
      QregFaultCode: return 32'(code_q[q]);
      QregFaultInfo: return info_q[q];
      QregFaultVaLo: return va_q[q][31:0];
      QregFaultVaHi: return va_q[q][63:32];
      QregFaultOffset: return offset_q[q];
      QregFaultTag: return tag_q[q];
      QregFaultCtx: return 32'(fctx_q[q]);
      default: return '0;
    endcase
  endfunction

  always_comb begin
    mmio_rdata_o = '0;
    if (mmio_re_i) begin
      case (mmio_addr_i)
        RegId: mmio_rdata_o = Id;
        RegVersion: mmio_rdata_o = Version;
        RegCap0: mmio_rdata_o = {8'(NumContexts), 8'(NumQueues), 8'(Lanes), 8'(Rows)};
        RegCap1: mmio_rdata_o = {16'(TspBytes >> 10), 16'(VspBytes >> 10)};
        RegCap2: mmio_rdata_o = {16'd0, 8'(VaBits), 8'(NumIrqs)};
        RegStatus: mmio_rdata_o = 32'(pending_o);
        RegIrqStatus: mmio_rdata_o = 32'(status_q);
        RegIrqMask: mmio_rdata_o = 32'(mask_q);
        default: begin
          if (in_q) mmio_rdata_o = queue_reg(qn, qr);
          else if (in_bell) mmio_rdata_o = tail_q[mmio_addr_i[4:3]];
          else if (in_ctx)
            mmio_rdata_o = mmio_addr_i[2] ? root_q[mmio_addr_i[6:3]][63:32] :
                           root_q[mmio_addr_i[6:3]][31:0];
          else if (in_cnt && mmio_addr_i[7:3] < 5'(NumCounters))
            mmio_rdata_o = counter_i;
        end
      endcase
    end
  end

  assign counter_o = mmio_addr_i[6:3];
  assign counter_high_o = mmio_addr_i[2];
  assign counter_re_o = mmio_re_i && in_cnt && mmio_addr_i[7:3] < 5'(NumCounters);
  assign root_o = root_q[ctx_i];
  logic root_write;
  assign root_write = mmio_we_i && in_ctx;
  assign inv_o = (mmio_we_i && mmio_addr_i == RegTlbInvalidate) || root_write;
  assign inv_ctx_o = root_write ? mmio_addr_i[6:3] : mmio_wdata_i[3:0];

  // Interrupts ------------------------------------------------------------------------------------
  logic [5:0] rise, fire_unmask;
  always_comb begin
    rise = '0;
    if (done_i && done_irq_i) rise[{1'b0, active_queue_i}] = 1'b1;
    rise[IrqFault] = fault_i;
    rise[IrqReset] = (|reset_now) | reset_late;
    // a vector that rises in the cycle of its unmasking must not be lost between the two
    fire_unmask = (mmio_we_i && mmio_addr_i == RegIrqMask) ?
                  mask_q & ~mmio_wdata_i[5:0] & (status_q | rise) : '0;
    irq_o = (rise & ~mask_q) | fire_unmask;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      status_q <= '0;
      mask_q <= '0;
      last_q <= '0;
    end else begin
      status_q <= (status_q &
          ~((mmio_we_i && mmio_addr_i == RegIrqStatus) ? mmio_wdata_i[5:0] : 6'd0)) | rise;
      if (mmio_we_i && mmio_addr_i == RegIrqMask) mask_q <= mmio_wdata_i[5:0];
      if (job_take_i) last_q <= job_queue_o;
    end
  end

  // Blocking, for the loop; the roots are read as wires only.
  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      for (int unsigned c = 0; c < 16; c++) root_q[c] = '0;
    end else if (root_write) begin
      if (mmio_addr_i[2]) root_q[mmio_addr_i[6:3]][63:32] = mmio_wdata_i;
      else root_q[mmio_addr_i[6:3]][31:0] = mmio_wdata_i;
    end
  end
  /* verilator lint_on BLKSEQ */

  for (genvar q = 0; q < 4; q++) begin : gen_queue
    logic we, mine, bell, reset;
    assign we = mmio_we_i && in_q && qn == 2'(q);
    assign bell = mmio_we_i && in_bell && mmio_addr_i[4:3] == 2'(q);
    assign mine = active_queue_i == 2'(q);
    assign reset = reset_now[q] || (mine && reset_late);
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        base_q[q] <= '0;
        size_q[q] <= '0;
        head_q[q] <= '0;
        tail_q[q] <= '0;
        ctrl_q[q] <= '0;
        state_q[q] <= QIdle;
      end else if (we || bell || reset || job_take_i || (mine && (done_i || fault_i))) begin
        if (we && qr == QregBaseLo) base_q[q][31:0] <= {mmio_wdata_i[31:6], 6'd0};
        if (we && qr == QregBaseHi) base_q[q][51:32] <= mmio_wdata_i[19:0];
        if (we && qr == QregSize) size_q[q] <= mmio_wdata_i[3:0];
        if (we && qr == QregCtrl) ctrl_q[q] <= mmio_wdata_i[2:0];
        if (bell) tail_q[q] <= mmio_wdata_i;
        if (job_take_i && job_queue_o == 2'(q)) state_q[q] <= QRunning;
        if (mine && done_i) begin
          head_q[q] <= head_q[q] + 32'd1;
          state_q[q] <= QIdle;
        end
        if (mine && fault_i) state_q[q] <= QFaulted;
        if (we && qr == QregCmd && mmio_wdata_i == 32'd2 && state_q[q] == QFaulted) begin
          head_q[q] <= head_q[q] + 32'd1;
          state_q[q] <= QIdle;
        end
        if (we && qr == QregCmd && mmio_wdata_i == 32'd1 && !reset_now[q]) state_q[q] <= QResetting;
        if (reset) begin
          state_q[q] <= QIdle;
          head_q[q] <= '0;
          tail_q[q] <= '0;
          ctrl_q[q] <= '0;
        end
      end
    end

    // The fault record, and progress, which is never reset
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) progress_q[q] <= '0;
      else if (mine && progress_i != '0) progress_q[q] <= progress_q[q] + 32'(progress_i);
    end
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        code_q[q] <= '0;
      end else if (reset) begin
        code_q[q] <= '0;
        info_q[q] <= '0;
        va_q[q] <= '0;
        offset_q[q] <= '0;
        tag_q[q] <= '0;
        fctx_q[q] <= '0;
      end else if (mine && fault_i) begin
        code_q[q] <= fault_code_i;
        info_q[q] <= fault_info_i;
        va_q[q] <= fault_va_i;
        offset_q[q] <= fault_offset_i;
        tag_q[q] <= fault_tag_i;
        fctx_q[q] <= fault_ctx_i;
      end else if (we && qr == QregCmd && mmio_wdata_i == 32'd2 && state_q[q] == QFaulted) begin
        code_q[q] <= '0;
      end
    end
  end
endmodule
