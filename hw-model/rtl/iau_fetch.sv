// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Command fetch: a window of 128 commands around the program counter, filled ahead of it. A branch
// to a command that is still (or already) in the window costs no memory access, so that a loop is
// read once.
module iau_fetch (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               clear_i,  // a job begins
  input  logic               run_i,
  input  logic [63:0]        base_i,   // address of command 0
  input  logic [31:0]        count_i,  // commands in the buffer
  // the command at the program counter, or why there is none
  output logic [31:0]        pc_o,
  output logic               valid_o,
  output logic [511:0]       cmd_o,
  output logic               err_o,    // the command's memory did not answer
  output logic               end_o,    // the program counter left the buffer
  output logic               fault_o,
  output iau_hw_pkg::fault_e fault_code_o,
  output logic [63:0]        fault_va_o,
  input  logic               take_i,
  input  logic               jump_i,
  input  logic [31:0]        target_i,
  // translation
  output logic               tr_req_o,
  output logic [63:0]        tr_va_o,
  input  logic               tr_ack_i,
  input  logic [51:0]        tr_pa_i,
  input  logic               tr_c_i,
  input  iau_hw_pkg::fault_e tr_fault_i,
  // reads of memory, answered in order
  output logic               rd_req_o,
  output logic [51:0]        rd_pa_o,
  output logic [3:0]         rd_len_o,  // beats - 1
  input  logic               rd_gnt_i,
  input  logic               rd_valid_i,
  input  logic [511:0]       rd_data_i,
  input  logic               rd_err_i,
  output logic               busy_o,    // answers are due
  output logic               moves_o    // a register may change, for another reason than CLEAR, TAKE or JUMP
);

  localparam logic [31:0] Depth = 32'd128;
  localparam logic [31:0] Ahead = 32'd64;

  // Commands lo..hi-1 are here, hi..req-1 on their way.
  logic [511:0] buf_q[128];
  logic [127:0] err_q;
  logic [31:0] pc_q, lo_q, hi_q, req_q;
  logic [5:0] outst_q, drop_q;  // beats on their way; of them to be dropped
  logic have_q;  // the translation of a page
  logic [51:0] tag_q;
  logic [39:0] ppn_q;
  iau_hw_pkg::fault_e ffault_q;

  logic [63:0] va;
  logic [31:0] left;
  logic [3:0] to_line, group;
  logic want, hit, go, beat, stale;

  assign va = base_i + {26'd0, req_q, 6'd0};
  assign left = count_i - req_q;
  assign to_line = 4'd8 - {1'b0, va[8:6]};
  assign group = left < 32'(to_line) ? left[3:0] : to_line;
  assign want = run_i & ~jump_i & (ffault_q == iau_hw_pkg::FaultNone) & (req_q < count_i) &
                (req_q - pc_q < Ahead) & (outst_q <= 6'd48);
  assign hit = have_q & (tag_q == va[63:12]);
  assign tr_req_o = want & ~hit;
  assign tr_va_o = va;
  assign rd_req_o = want & hit;
  assign rd_pa_o = {ppn_q, va[11:6], 6'd0};
  assign rd_len_o = group - 4'd1;
  assign go = rd_req_o & rd_gnt_i;
  always_comb begin
    beat = 1'b0;
    if (rd_valid_i) beat = outst_q != '0;
  end
  assign stale = drop_q != '0;
  assign busy_o = outst_q != '0;
  assign moves_o = go | rd_valid_i | (tr_req_o & tr_ack_i);

  assign pc_o = pc_q;
  assign valid_o = run_i & (pc_q - lo_q < hi_q - lo_q);
  assign cmd_o = buf_q[pc_q[6:0]];
  assign err_o = err_q[pc_q[6:0]];
  assign end_o = run_i & (pc_q >= count_i);
  assign fault_o = run_i & (ffault_q != iau_hw_pkg::FaultNone) & (pc_q == req_q);
  assign fault_code_o = ffault_q;
  assign fault_va_o = va;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      err_q <= '0;
      pc_q <= '0;
      lo_q <= '0;
      hi_q <= '0;
      req_q <= '0;
      outst_q <= '0;
      drop_q <= '0;
      have_q <= 1'b0;
      tag_q <= '0;
      ppn_q <= '0;
      ffault_q <= iau_hw_pkg::FaultNone;
    end else if (clear_i) begin
      pc_q <= '0;
      lo_q <= '0;
      hi_q <= '0;
      req_q <= '0;
      have_q <= 1'b0;
      ffault_q <= iau_hw_pkg::FaultNone;
    end else begin
      if (go | beat) outst_q <= outst_q + (go ? 6'(group) : 6'd0) - 6'(beat);
      if (beat & stale) drop_q <= drop_q - 6'd1;
      if (beat & ~stale) begin
        err_q[hi_q[6:0]] <= rd_err_i;
        hi_q <= hi_q + 32'd1;
      end
      if (take_i) pc_q <= pc_q + 32'd1;
      if (tr_req_o & tr_ack_i) begin
        have_q <= 1'b1;
        tag_q <= va[63:12];
        ppn_q <= tr_pa_i[51:12];
        ffault_q <= tr_fault_i != iau_hw_pkg::FaultNone ? tr_fault_i :
            tr_c_i ? iau_hw_pkg::FaultNone : iau_hw_pkg::FaultNotConst;
      end
      if (go) begin
        req_q <= req_q + 32'(group);
        if (req_q + 32'(group) - lo_q > Depth) lo_q <= req_q + 32'(group) - Depth;
      end
      if (jump_i) begin
        pc_q <= target_i;
        if (target_i - lo_q >= req_q - lo_q) begin
          lo_q <= target_i;
          hi_q <= target_i;
          req_q <= target_i;
          drop_q <= outst_q - 6'(beat);
          have_q <= have_q & (ffault_q == iau_hw_pkg::FaultNone);
          ffault_q <= iau_hw_pkg::FaultNone;
        end
      end
    end
  end
  always_ff @(posedge clk_i) if (beat & ~stale) buf_q[hi_q[6:0]] <= rd_data_i;
endmodule
