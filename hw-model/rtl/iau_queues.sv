// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The register file: identification, interrupts, contexts, queues with their doorbells and fault
// records. Chooses the queue whose job runs next. What is read comes in the cycle after the
// request.
module iau_queues #(
  parameter int unsigned MacRows = iau_hw_pkg::Rows  // for CAP0
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               mmio_re_i,
  input  logic               mmio_we_i,
  input  logic [15:0]        mmio_addr_i,
  input  logic [31:0]        mmio_wdata_i,
  output logic [31:0]        mmio_rdata_o,
  output logic [5:0]         irq_o,
  output logic               busy_o,       // there is work, or an interrupt to end
  output logic               moves_o,      // a register may change, for another reason than the job at hand
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
  localparam logic [1:0] QIdle = 2'd0;
  localparam logic [1:0] QRunning = 2'd1;
  localparam logic [1:0] QFaulted = 2'd2;
  localparam logic [1:0] QResetting = 2'd3;

  // Registers of all contexts and queues, one after the other: yosys reads no arrays of vectors
  // that are written by index and reset at once.
  logic [1023:0] root_q;  // 16 x 64
  logic [207:0] base_q;  // 4 x 52
  logic [15:0] size_q;  // 4 x 4
  logic [127:0] head_q;  // 4 x 32
  logic [127:0] tail_q;  // 4 x 32
  logic [11:0] ctrl_q;  // 4 x 3
  logic [7:0] state_q;  // 4 x 2
  logic [31:0] code_q;  // 4 x 8
  logic [127:0] info_q;  // 4 x 32
  logic [127:0] offset_q;  // 4 x 32
  logic [127:0] tag_q;  // 4 x 32
  logic [255:0] va_q;  // 4 x 64
  logic [15:0] fctx_q;  // 4 x 4
  logic [5:0] status_q, mask_q;
  logic [1:0] last_q;

  // A write ---------------------------------------------------------------------------------------
  logic w_queue, w_bell, w_ctx, w_cmd_reset, reset_now, reset_late;
  logic [15:0] w_reg;
  logic [1:0] wq;

  assign w_queue = mmio_we_i && mmio_addr_i[15:9] == 7'h08;
  assign wq = mmio_addr_i[8:7];
  assign w_reg = {9'd0, mmio_addr_i[6:0]};
  assign w_bell = mmio_we_i && mmio_addr_i[15:5] == 11'h100 && mmio_addr_i[2:0] == '0;
  assign w_ctx = mmio_we_i && mmio_addr_i[15:7] == 9'h010;
  assign w_cmd_reset = w_queue && w_reg == iau_hw_pkg::QregCmd && mmio_wdata_i == 32'd1;
  // the queue has no job that runs on: it is reset at once
  always_comb begin
    reset_now = 1'b0;
    if (w_cmd_reset)
      reset_now = !(job_active_i && active_queue_i == wq && !(done_i | fault_i | abort_done_i));
  end
  // the job of a queue being reset is over, aborted or completed
  assign reset_late = abort_done_i || (done_i && state_q[2*32'(active_queue_i)+:2] == QResetting);
  assign inv_o = w_ctx || (mmio_we_i && mmio_addr_i == iau_hw_pkg::RegTlbInvalidate);
  assign inv_ctx_o = w_ctx ? mmio_addr_i[6:3] : mmio_wdata_i[3:0];
  assign root_o = root_q[64*32'(ctx_i)+:64];
  assign abort_o = job_active_i && state_q[2*32'(active_queue_i)+:2] == QResetting;

  // Choice: looked for after anything that can change it, offered while no write changes it ----------
  logic look_q, found_q;
  assign job_valid_o = found_q & ~mmio_we_i;
  assign waiting_o = found_q;
  assign busy_o = look_q | found_q | (irq_o != '0);
  always_comb begin
    moves_o = mmio_re_i | mmio_we_i | found_q | (irq_o != '0);
    if (look_q & ~job_active_i) moves_o = 1'b1;
  end

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
          if (ctrl_q[3*32'(n)] && state_q[2*32'(n)+:2] == QIdle &&
              head_q[32*32'(n)+:32] != tail_q[32*32'(n)+:32] &&
              (!found || ctrl_q[3*32'(n)+1+:2] > prio)) begin
            found = 1'b1;
            best = n;
            prio = ctrl_q[3*32'(n)+1+:2];
          end
        end
        look_q <= 1'b0;
        found_q <= found;
        job_queue_o <= best;
        job_pa_o <= base_q[52*32'(best)+:52] +
            {30'd0, head_q[32*32'(best)+:16] & ~(16'hffff << size_q[4*32'(best)+:4]), 6'd0};
      end
    end
  end

  // Queues ----------------------------------------------------------------------------------------
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
        if (mmio_addr_i[2]) root_q[64*32'(mmio_addr_i[6:3])+32+:32] <= mmio_wdata_i;
        else root_q[64*32'(mmio_addr_i[6:3])+:32] <= mmio_wdata_i;
      end
      if (w_bell) tail_q[32*32'(mmio_addr_i[4:3])+:32] <= mmio_wdata_i;
      if (w_queue) begin
        case (w_reg)
          iau_hw_pkg::QregBaseLo: base_q[52*32'(wq)+:32] <= {mmio_wdata_i[31:6], 6'd0};
          iau_hw_pkg::QregBaseHi: base_q[52*32'(wq)+32+:20] <= mmio_wdata_i[19:0];
          iau_hw_pkg::QregSize: size_q[4*32'(wq)+:4] <= mmio_wdata_i[3:0];
          iau_hw_pkg::QregCtrl: ctrl_q[3*32'(wq)+:3] <= mmio_wdata_i[2:0];
          iau_hw_pkg::QregCmd:
          if (mmio_wdata_i == 32'd2 && state_q[2*32'(wq)+:2] == QFaulted) begin
            head_q[32*32'(wq)+:32] <= head_q[32*32'(wq)+:32] + 32'd1;
            state_q[2*32'(wq)+:2] <= QIdle;
            code_q[8*32'(wq)+:8] <= '0;
          end
          default: ;
        endcase
      end
      if (job_take_i) state_q[2*32'(job_queue_o)+:2] <= QRunning;
      if (done_i) begin
        head_q[32*32'(active_queue_i)+:32] <= head_q[32*32'(active_queue_i)+:32] + 32'd1;
        state_q[2*32'(active_queue_i)+:2] <= QIdle;
      end
      if (fault_i) begin
        state_q[2*32'(active_queue_i)+:2] <= QFaulted;
        code_q[8*32'(active_queue_i)+:8] <= fault_code_i;
        info_q[32*32'(active_queue_i)+:32] <= fault_info_i;
        va_q[64*32'(active_queue_i)+:64] <= fault_va_i;
        offset_q[32*32'(active_queue_i)+:32] <= fault_offset_i;
        tag_q[32*32'(active_queue_i)+:32] <= fault_tag_i;
        fctx_q[4*32'(active_queue_i)+:4] <= fault_ctx_i;
      end
      if (w_cmd_reset && !reset_now) state_q[2*32'(wq)+:2] <= QResetting;
      if (reset_late || reset_now) begin : gen_reset
        logic [3:0] which;
        which = (reset_now ? 4'd1 << wq : '0) | (reset_late ? 4'd1 << active_queue_i : '0);
        for (int unsigned i = 0; i < 4; i++) begin
          if (which[i]) begin
            state_q[2*32'(i)+:2] <= QIdle;
            head_q[32*32'(i)+:32] <= '0;
            tail_q[32*32'(i)+:32] <= '0;
            ctrl_q[3*32'(i)+:3] <= '0;
            code_q[8*32'(i)+:8] <= '0;
            info_q[32*32'(i)+:32] <= '0;
            va_q[64*32'(i)+:64] <= '0;
            offset_q[32*32'(i)+:32] <= '0;
            tag_q[32*32'(i)+:32] <= '0;
            fctx_q[4*32'(i)+:4] <= '0;
          end
        end
      end
    end
  end

  // Interrupts: a pulse when a vector rises, or is unmasked while it is pending ----------------------
  logic [5:0] rise;
  always_comb begin
    rise = '0;
    if (done_i | fault_i | reset_now | reset_late) begin
      if (done_i && done_irq_i) rise[{1'b0, active_queue_i}] = 1'b1;
      rise[iau_hw_pkg::IrqFault] = fault_i;
      rise[iau_hw_pkg::IrqReset] = reset_now | reset_late;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      status_q <= '0;
      mask_q <= '0;
      irq_o <= '0;
    end else begin
      irq_o <= rise & ~mask_q;
      status_q <= status_q | rise;
      if (mmio_we_i && mmio_addr_i == iau_hw_pkg::RegIrqStatus)
        status_q <= (status_q & ~mmio_wdata_i[5:0]) | rise;
      if (mmio_we_i && mmio_addr_i == iau_hw_pkg::RegIrqMask) begin
        mask_q <= mmio_wdata_i[5:0];
        // a vector that rises in the cycle of its unmasking must not be lost between the two
        irq_o <= (rise | (status_q & mask_q)) & ~mmio_wdata_i[5:0];
      end
    end
  end

  // Reads -----------------------------------------------------------------------------------------
  logic [31:0] rdata_q;
  logic counter_q, r_counter;
  logic [1:0] rq;

  assign rq = mmio_addr_i[8:7];
  assign r_counter = mmio_addr_i[15:8] == 8'h04 && mmio_addr_i[7:3] < 5'(iau_hw_pkg::NumCounters);
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
        iau_hw_pkg::RegId: rdata_q <= iau_hw_pkg::Id;
        iau_hw_pkg::RegVersion: rdata_q <= iau_hw_pkg::Version;
        iau_hw_pkg::RegCap0:
        rdata_q <= {8'(iau_hw_pkg::NumContexts), 8'(iau_hw_pkg::NumQueues), 8'(iau_hw_pkg::Lanes),
                    8'(MacRows)};
        iau_hw_pkg::RegCap1:
        rdata_q <= {16'(iau_hw_pkg::TspBytes >> 10), 16'(iau_hw_pkg::VspBytes >> 10)};
        iau_hw_pkg::RegCap2: rdata_q <= {16'd0, 8'(iau_hw_pkg::VaBits), 8'(iau_hw_pkg::NumIrqs)};
        iau_hw_pkg::RegStatus: rdata_q <= {31'd0, job_active_i | look_q | found_q};
        iau_hw_pkg::RegIrqStatus: rdata_q <= 32'(status_q);
        iau_hw_pkg::RegIrqMask: rdata_q <= 32'(mask_q);
        default: begin
          if (mmio_addr_i[15:5] == 11'h100 && mmio_addr_i[2:0] == '0) begin
            rdata_q <= tail_q[32*32'(mmio_addr_i[4:3])+:32];
          end else if (mmio_addr_i[15:7] == 9'h010) begin
            rdata_q <= mmio_addr_i[2] ? root_q[64*32'(mmio_addr_i[6:3])+32+:32] :
                       root_q[64*32'(mmio_addr_i[6:3])+:32];
          end else if (mmio_addr_i[15:9] == 7'h08) begin
            case ({9'd0, mmio_addr_i[6:0]})
              iau_hw_pkg::QregBaseLo: rdata_q <= base_q[52*32'(rq)+:32];
              iau_hw_pkg::QregBaseHi: rdata_q <= {12'd0, base_q[52*32'(rq)+32+:20]};
              iau_hw_pkg::QregSize: rdata_q <= 32'(size_q[4*32'(rq)+:4]);
              iau_hw_pkg::QregHead: rdata_q <= head_q[32*32'(rq)+:32];
              iau_hw_pkg::QregCtrl: rdata_q <= 32'(ctrl_q[3*32'(rq)+:3]);
              iau_hw_pkg::QregStatus: rdata_q <= 32'(state_q[2*32'(rq)+:2]);
              iau_hw_pkg::QregProgress: rdata_q <= progress_i[{rq, 5'd0}+:32];
              iau_hw_pkg::QregFaultCode: rdata_q <= 32'(code_q[8*32'(rq)+:8]);
              iau_hw_pkg::QregFaultInfo: rdata_q <= info_q[32*32'(rq)+:32];
              iau_hw_pkg::QregFaultVaLo: rdata_q <= va_q[64*32'(rq)+:32];
              iau_hw_pkg::QregFaultVaHi: rdata_q <= va_q[64*32'(rq)+32+:32];
              iau_hw_pkg::QregFaultOffset: rdata_q <= offset_q[32*32'(rq)+:32];
              iau_hw_pkg::QregFaultTag: rdata_q <= tag_q[32*32'(rq)+:32];
              iau_hw_pkg::QregFaultCtx: rdata_q <= 32'(fctx_q[4*32'(rq)+:4]);
              default: ;
            endcase
          end
        end
      endcase
    end
  end
endmodule
