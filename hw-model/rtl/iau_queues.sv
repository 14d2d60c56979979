// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The register file: identification, interrupts, contexts, queues with their doorbells and fault
// records. Chooses the queue whose job runs next. What is read comes in the cycle after the
// request.
module iau_queues (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               mmio_re_i,
  input  logic               mmio_we_i,
  input  logic [15:0]        mmio_addr_i,
  input  logic [31:0]        mmio_wdata_i,
  output logic [31:0]        mmio_rdata_o,
  output logic [5:0]         irq_o,
  output logic               busy_o,       // the clock must go on
  output logic               waiting_o,    // a job is about to start
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
  output logic               inv_o,        // translations of inv_ctx_o are out of date
  output logic [3:0]         inv_ctx_o,
  // counters, of which this only knows the addresses
  output logic [3:0]         counter_o,
  output logic               counter_high_o,
  output logic               counter_re_o,
  input  logic [31:0]        counter_i,
  input  logic [127:0]       progress_i    // commands retired, by queue
);
  import iau_hw_pkg::*;

  localparam logic [1:0] QIdle = 2'd0;
  localparam logic [1:0] QRunning = 2'd1;
  localparam logic [1:0] QFaulted = 2'd2;
  localparam logic [1:0] QResetting = 2'd3;

  logic [15:0][63:0] root_q;
  logic [3:0][51:0] base_q;
  logic [3:0][3:0] size_q;
  logic [3:0][31:0] head_q, tail_q;
  logic [3:0][2:0] ctrl_q;
  logic [3:0][1:0] state_q;
  logic [3:0][7:0] code_q;
  logic [3:0][31:0] info_q, offset_q, tag_q;
  logic [3:0][63:0] va_q;
  logic [3:0][3:0] fctx_q;
  logic [5:0] status_q, mask_q;
  logic [1:0] last_q;

  // A write -----------------------------------------------------------------------------------------
  logic w_queue, w_bell, w_ctx, w_cmd_reset, reset_now, reset_late;
  logic [15:0] w_reg;
  logic [1:0] wq;

  assign w_queue = mmio_we_i && mmio_addr_i[15:9] == 7'h08;
  assign wq = mmio_addr_i[8:7];
  assign w_reg = {9'd0, mmio_addr_i[6:0]};
  assign w_bell = mmio_we_i && mmio_addr_i[15:5] == 11'h100 && mmio_addr_i[2:0] == '0;
  assign w_ctx = mmio_we_i && mmio_addr_i[15:7] == 9'h010;
  assign w_cmd_reset = w_queue && w_reg == QregCmd && mmio_wdata_i == 32'd1;
  // the queue has no job that runs on: it is reset at once
  assign reset_now = w_cmd_reset && !(job_active_i && active_queue_i == wq &&
                                      !(done_i | fault_i | abort_done_i));
  // the job of a queue being reset is over, aborted or completed
  assign reset_late = abort_done_i || (done_i && state_q[active_queue_i] == QResetting);
  assign inv_o = w_ctx || (mmio_we_i && mmio_addr_i == RegTlbInvalidate);
  assign inv_ctx_o = w_ctx ? mmio_addr_i[6:3] : mmio_wdata_i[3:0];
  assign root_o = root_q[ctx_i];
  assign abort_o = job_active_i && state_q[active_queue_i] == QResetting;

  // Choice: looked for after anything that can change it, offered while no write changes it ----------
  logic look_q, found_q;
  assign job_valid_o = found_q & ~mmio_we_i;
  assign waiting_o = found_q;
  assign busy_o = look_q | found_q | (irq_o != '0);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      look_q <= 1'b0;
      found_q <= 1'b0;
      job_queue_o <= '0;
      job_pa_o <= '0;
      last_q <= '0;
    end else begin
      if (job_take_i) last_q <= job_queue_o;
      if (mmio_we_i | done_i | fault_i | abort_done_i) begin
        look_q <= 1'b1;
        found_q <= 1'b0;
      end else if (job_take_i) begin
        found_q <= 1'b0;
      end else if (look_q & ~job_active_i) begin : gen_look
        logic [1:0] n, best, prio;
        logic found;
        found = 1'b0;
        best = '0;
        prio = '0;
        for (int unsigned i = 1; i <= 4; i++) begin
          n = last_q + 2'(i);
          if (ctrl_q[n][0] && state_q[n] == QIdle && head_q[n] != tail_q[n] &&
              (!found || ctrl_q[n][2:1] > prio)) begin
            found = 1'b1;
            best = n;
            prio = ctrl_q[n][2:1];
          end
        end
        look_q <= 1'b0;
        found_q <= found;
        job_queue_o <= best;
        job_pa_o <= base_q[best] +
            {30'd0, head_q[best][15:0] & ~(16'hffff << size_q[best]), 6'd0};
      end
    end
  end

  // Queues ------------------------------------------------------------------------------------------
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      root_q <= '0;
      base_q <= '0;
      size_q <= '0;
      head_q <= '0;
      tail_q <= '0;
      ctrl_q <= '0;
      state_q <= '0;
      code_q <= '0;
      info_q <= '0;
      offset_q <= '0;
      tag_q <= '0;
      va_q <= '0;
      fctx_q <= '0;
    end else begin
      if (w_ctx) begin
        if (mmio_addr_i[2]) root_q[mmio_addr_i[6:3]][63:32] <= mmio_wdata_i;
        else root_q[mmio_addr_i[6:3]][31:0] <= mmio_wdata_i;
      end
      if (w_bell) tail_q[mmio_addr_i[4:3]] <= mmio_wdata_i;
      if (w_queue) begin
        case (w_reg)
          QregBaseLo: base_q[wq][31:0] <= {mmio_wdata_i[31:6], 6'd0};
          QregBaseHi: base_q[wq][51:32] <= mmio_wdata_i[19:0];
          QregSize: size_q[wq] <= mmio_wdata_i[3:0];
          QregCtrl: ctrl_q[wq] <= mmio_wdata_i[2:0];
          QregCmd:
          if (mmio_wdata_i == 32'd2 && state_q[wq] == QFaulted) begin
            head_q[wq] <= head_q[wq] + 32'd1;
            state_q[wq] <= QIdle;
            code_q[wq] <= '0;
          end
          default: ;
        endcase
      end
      if (job_take_i) state_q[job_queue_o] <= QRunning;
      if (done_i) begin
        head_q[active_queue_i] <= head_q[active_queue_i] + 32'd1;
        state_q[active_queue_i] <= QIdle;
      end
      if (fault_i) begin
        state_q[active_queue_i] <= QFaulted;
        code_q[active_queue_i] <= fault_code_i;
        info_q[active_queue_i] <= fault_info_i;
        va_q[active_queue_i] <= fault_va_i;
        offset_q[active_queue_i] <= fault_offset_i;
        tag_q[active_queue_i] <= fault_tag_i;
        fctx_q[active_queue_i] <= fault_ctx_i;
      end
      if (w_cmd_reset && !reset_now) state_q[wq] <= QResetting;
      if (reset_late || reset_now) begin : gen_reset
        logic [3:0] which;
        which = (reset_now ? 4'd1 << wq : '0) | (reset_late ? 4'd1 << active_queue_i : '0);
        for (int unsigned i = 0; i < 4; i++) begin
          if (which[i]) begin
            state_q[i] <= QIdle;
            head_q[i] <= '0;
            tail_q[i] <= '0;
            ctrl_q[i] <= '0;
            code_q[i] <= '0;
            info_q[i] <= '0;
            va_q[i] <= '0;
            offset_q[i] <= '0;
            tag_q[i] <= '0;
            fctx_q[i] <= '0;
          end
        end
      end
    end
  end

  // Interrupts: a pulse when a vector rises, or is unmasked while it is pending ----------------------
  logic [5:0] rise;
  always_comb begin
    rise = '0;
    if (done_i && done_irq_i) rise[{1'b0, active_queue_i}] = 1'b1;
    rise[IrqFault] = fault_i;
    rise[IrqReset] = reset_now | reset_late;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      status_q <= '0;
      mask_q <= '0;
      irq_o <= '0;
    end else begin
      irq_o <= rise & ~mask_q;
      status_q <= status_q | rise;
      if (mmio_we_i && mmio_addr_i == RegIrqStatus) status_q <= (status_q & ~mmio_wdata_i[5:0]) | rise;
      if (mmio_we_i && mmio_addr_i == RegIrqMask) begin
        mask_q <= mmio_wdata_i[5:0];
        // a vector that rises in the cycle of its unmasking must not be lost between the two
        irq_o <= (rise | (status_q & mask_q)) & ~mmio_wdata_i[5:0];
      end
    end
  end

  // Reads -------------------------------------------------------------------------------------------
  logic [31:0] rdata_q;
  logic counter_q, r_counter;
  logic [1:0] rq;

  assign rq = mmio_addr_i[8:7];
  assign r_counter = mmio_addr_i[15:8] == 8'h04 && mmio_addr_i[7:3] < 5'(NumCounters);
  assign counter_o = mmio_addr_i[6:3];
  assign counter_high_o = mmio_addr_i[2];
  assign counter_re_o = mmio_re_i & r_counter;
  assign mmio_rdata_o = counter_q ? counter_i : rdata_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rdata_q <= '0;
      counter_q <= 1'b0;
    end else if (mmio_re_i) begin
      counter_q <= r_counter;
      rdata_q <= '0;
      case (mmio_addr_i)
        RegId: rdata_q <= Id;
        RegVersion: rdata_q <= Version;
        RegCap0: rdata_q <= {8'(NumContexts), 8'(NumQueues), 8'(Lanes), 8'(Rows)};
        RegCap1: rdata_q <= {16'(TspBytes >> 10), 16'(VspBytes >> 10)};
        RegCap2: rdata_q <= {16'd0, 8'(VaBits), 8'(NumIrqs)};
        RegStatus: rdata_q <= {31'd0, job_active_i | look_q | found_q};
        RegIrqStatus: rdata_q <= 32'(status_q);
        RegIrqMask: rdata_q <= 32'(mask_q);
        default: begin
          if (mmio_addr_i[15:5] == 11'h100 && mmio_addr_i[2:0] == '0) begin
            rdata_q <= tail_q[mmio_addr_i[4:3]];
          end else if (mmio_addr_i[15:7] == 9'h010) begin
            rdata_q <= mmio_addr_i[2] ? root_q[mmio_addr_i[6:3]][63:32] :
                       root_q[mmio_addr_i[6:3]][31:0];
          end else if (mmio_addr_i[15:9] == 7'h08) begin
            case ({9'd0, mmio_addr_i[6:0]})
              QregBaseLo: rdata_q <= base_q[rq][31:0];
              QregBaseHi: rdata_q <= {12'd0, base_q[rq][51:32]};
              QregSize: rdata_q <= 32'(size_q[rq]);
              QregHead: rdata_q <= head_q[rq];
              QregCtrl: rdata_q <= 32'(ctrl_q[rq]);
              QregStatus: rdata_q <= 32'(state_q[rq]);
              QregProgress: rdata_q <= progress_i[{rq, 5'd0}+:32];
              QregFaultCode: rdata_q <= 32'(code_q[rq]);
              QregFaultInfo: rdata_q <= info_q[rq];
              QregFaultVaLo: rdata_q <= va_q[rq][31:0];
              QregFaultVaHi: rdata_q <= va_q[rq][63:32];
              QregFaultOffset: rdata_q <= offset_q[rq];
              QregFaultTag: rdata_q <= tag_q[rq];
              QregFaultCtx: rdata_q <= 32'(fctx_q[rq]);
              default: ;
            endcase
          end
        end
      endcase
    end
  end
endmodule
