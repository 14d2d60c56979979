// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The counters, and the queues' counts of retired commands. Reading the low word of a counter
// latches the high word; what is read comes in the cycle after the request.
module iau_counters (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic [3:0]  sel_i,
  input  logic        high_i,
  input  logic        re_i,
  output logic [31:0] data_o,
  output logic [63:0] cycle_o,
  output logic [127:0] progress_o,  // by queue
  // events of this cycle
  input  logic        done_i,
  input  logic        fault_i,
  input  logic [5:0]  progress_i,
  input  logic [1:0]  queue_i,
  input  logic        retire_i,
  input  logic [7:0]  op_i,
  input  logic        i4_i,
  input  logic [47:0] amount_i,
  input  logic        pending_i,
  input  logic        mxu_busy_i,
  input  logic        vec_busy_i,
  input  logic        read_i,
  input  logic        write_i,
  input  logic        miss_i
);

  logic [63:0] jobs_q, commands_q, macs8_q, macs4_q, elements_q, load_q, store_q, faults_q;
  logic [63:0] mxu_q, vec_q, reads_q, writes_q, misses_q;
  logic [31:0] latch_q;

  logic [63:0] value;

  always_comb begin
    value = '0;
    if (re_i) begin
      case (32'(sel_i))
        iau_hw_pkg::CntJobs: value = jobs_q;
        iau_hw_pkg::CntCommands: value = commands_q;
        iau_hw_pkg::CntMacsI8: value = macs8_q;
        iau_hw_pkg::CntMacsI4: value = macs4_q;
        iau_hw_pkg::CntVecElements: value = elements_q;
        iau_hw_pkg::CntLoadBytes: value = load_q;
        iau_hw_pkg::CntStoreBytes: value = store_q;
        iau_hw_pkg::CntFaults: value = faults_q;
        iau_hw_pkg::CntCycles: value = cycle_o;
        iau_hw_pkg::CntMxuBusy: value = mxu_q;
        iau_hw_pkg::CntVecBusy: value = vec_q;
        iau_hw_pkg::CntReadBeats: value = reads_q;
        iau_hw_pkg::CntWriteBeats: value = writes_q;
        iau_hw_pkg::CntTlbMisses: value = misses_q;
        default: value = '0;
      endcase
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      data_o <= '0;
      latch_q <= '0;
    end else if (re_i) begin
      data_o <= high_i ? latch_q : value[31:0];
      if (!high_i) latch_q <= value[63:32];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      jobs_q <= '0;
      commands_q <= '0;
      macs8_q <= '0;
      macs4_q <= '0;
      elements_q <= '0;
      load_q <= '0;
      store_q <= '0;
      faults_q <= '0;
      cycle_o <= '0;
      mxu_q <= '0;
      vec_q <= '0;
      reads_q <= '0;
      writes_q <= '0;
      misses_q <= '0;
      progress_o <= '0;
    end else begin
      if (pending_i) begin
        cycle_o <= cycle_o + 64'd1;
        if (done_i) jobs_q <= jobs_q + 64'd1;
        if (fault_i) faults_q <= faults_q + 64'd1;
        if (progress_i != '0) begin
          commands_q <= commands_q + 64'(progress_i);
          progress_o[{queue_i, 5'd0}+:32] <= progress_o[{queue_i, 5'd0}+:32] + 32'(progress_i);
        end
        if (mxu_busy_i) mxu_q <= mxu_q + 64'd1;
        if (vec_busy_i) vec_q <= vec_q + 64'd1;
        if (read_i) reads_q <= reads_q + 64'd1;
        if (write_i) writes_q <= writes_q + 64'd1;
        if (miss_i) misses_q <= misses_q + 64'd1;
        if (retire_i) begin
          case (op_i)
            iau_hw_pkg::OpMatmul: if (i4_i) macs4_q <= macs4_q + 64'(amount_i);
                      else macs8_q <= macs8_q + 64'(amount_i);
            iau_hw_pkg::OpVec: elements_q <= elements_q + 64'(amount_i);
            iau_hw_pkg::OpLoad: load_q <= load_q + 64'(amount_i);
            iau_hw_pkg::OpStore, iau_hw_pkg::OpStamp: store_q <= store_q + 64'(amount_i);
            default: ;
          endcase
        end
      end
    end
  end
endmodule
