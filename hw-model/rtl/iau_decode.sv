// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// From fetched commands to checked ones: P holds a command as fetched, C the patched one, the stages of
// iau_check follow, X has what it touches. Commands enter the window from X, in order, and that is where
// they fault and are counted. SALU and BRANCH are executed in C already, step by step, without regard to the
// commands between C and X: if one of those faults or is an END, the job is over and registers with it. SLOAD
// reads what older commands write and is executed in X. Nothing is patched while a scalar command is in C or
// an SLOAD on its way, because patches read the registers that they write.
module iau_decode (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               clear_i,  // a job begins: registers are zero
  input  logic               run_i,
  input  logic [31:0]        budget_i,
  // the parameter block, 16 registers at a time
  input  logic               param_valid_i,
  input  logic               param_half_i,
  input  logic [511:0]       param_data_i,
  // fetch
  input  logic [63:0]        base_i,
  input  logic [31:0]        pc_i,
  input  logic               valid_i,
  input  logic [511:0]       cmd_i,
  input  logic               err_i,
  input  logic               end_i,
  input  logic               ffault_i,
  input  iau_hw_pkg::fault_e ffault_code_i,
  input  logic [63:0]        ffault_va_i,
  output logic               take_o,
  output logic               jump_o,
  output logic [31:0]        target_o,
  // to the window
  output logic               enter_o,
  output logic [2:0]         unit_o,  // 0 LOAD, 1 STORE, 2 MATMUL, 3 VEC, 4 COPY, TOPK
  output logic [511:0]       cmd_o,
  output logic [31:0]        pc_o,
  output logic [255:0]       vsp_rd_o,
  output logic [255:0]       vsp_stream_o,
  output logic [255:0]       vsp_wr_o,
  output logic [63:0]        tsp_rd_o,
  output logic [63:0]        tsp_wr_o,
  output logic [47:0]        amount_o,
  output logic               scalar_o,  // a scalar command is done
  input  logic               room_i,
  input  logic               scalar_room_i,
  // SLOAD's read of the vector scratchpad, once no writer of its granule is left
  output logic               sl_want_o,
  output logic               sl_req_o,
  output logic [10:0]        sl_row_o,
  input  logic               sl_clear_i,
  input  logic               sl_gnt_i,
  input  logic [1023:0]      sl_data_i,
  // what ends the job
  output logic               end_o,
  output logic [31:0]        executed_o,
  output logic               fault_o,
  output iau_hw_pkg::fault_e fault_code_o,
  output logic [31:0]        fault_info_o,
  output logic [63:0]        fault_va_o,
  output logic               moves_o  // a register may change though RUN does not
);

  localparam int unsigned X = 4;  // the last stage of the check

  logic p_valid_q, c_valid_q;
  logic [X:0] valid_q;  // the stages of the check
  logic [511:0] p_cmd_q, c_cmd_q, x_cmd_q;
  logic [31:0] p_pc_q, c_pc_q, x_pc_q;
  iau_hw_pkg::fault_e p_fault_q, c_fault_q, x_fault_q;  // known before the check
  logic c_unknown_q;        // the opcode
  logic [15:0] c_extra_q;   // words with bits that may not be set
  logic [31:0] x_info_q;
  logic [63:0] p_va_q, c_va_q, x_va_q;
  logic [31:0] regs_q[32];
  logic [31:0] executed_q, budget;
  logic over_q;  // all of the budget is executed
  logic sl_wait_q;  // SLOAD's data come
  logic read_q;     // A_Q and B_Q are what C's command reads
  logic parts_q;    // LOW_Q and HIGH_Q are, if it is a product
  logic result, result_q;  // D_Q is what comes of it, from the next cycle on; now
  logic [31:0] a_q, b_q, d_q, low_q;
  logic [15:0] high_q;
  logic [31:0] result_to_q, sl_to_q;  // registers that take D_Q, and what SLOAD reads: a bit each

  iau_hw_pkg::fault_e chk_fault;
  logic [31:0] chk_info;

  // Movement --------------------------------------------------------------------------------------
  logic x_valid, x_scalar, x_sload, x_done, x_go, p_go;
  logic c_scalar, c_salu, c_branch, c_reads, c_done, taken;
  logic [X:0] room, go;  // a stage of the check may take a command, takes one; the first from C
  logic sload_q;         // an SLOAD has left C and is not done
  logic patched, ahead;  // P's command reads registers; one that writes them is before it
  logic values_q;        // V0_Q to V2_Q are what it reads
  logic [31:0] v0_q, v1_q, v2_q;
  logic p_stop;  // P holds what stands for the end of the stream
  logic p_load;  // P takes a command, or that

  assign x_valid = valid_q[X];
  assign x_scalar = x_cmd_q[7:0] < 8'h10;
  assign x_sload = x_cmd_q[7:0] == iau_hw_pkg::OpSload;
  assign budget = budget_i == '0 ? 32'hffff_ffff : budget_i;

  assign fault_code_o = x_fault_q == iau_hw_pkg::FaultCmdRange ? iau_hw_pkg::FaultCmdRange :
      over_q ? iau_hw_pkg::FaultBudget :
                        x_fault_q != iau_hw_pkg::FaultNone ? x_fault_q : chk_fault;
  assign fault_info_o = fault_code_o == iau_hw_pkg::FaultBudget ? '0 :
                        x_fault_q != iau_hw_pkg::FaultNone ? x_info_q : chk_info;
  assign fault_va_o = fault_code_o == iau_hw_pkg::FaultBudget ? '0 : x_va_q;
  assign fault_o = run_i & x_valid & (over_q | x_fault_q != iau_hw_pkg::FaultNone |
                                      chk_fault != iau_hw_pkg::FaultNone);

  assign x_done = x_scalar ? scalar_room_i & (~x_sload | sl_wait_q) : room_i;
  assign x_go = run_i & x_valid & ~fault_o & x_done;
  // A stage has room if it is empty or one after it is, or X's command goes: that is known late, and all that is before
  // the check does without it
  assign room = {{4{x_go}} | {~valid_q[4], ~&valid_q[4:3], ~&valid_q[4:2], ~&valid_q[4:1]}, ~&valid_q};
  assign go = room & {valid_q[X-1:0], c_valid_q & c_done};

  assign c_scalar = c_cmd_q[7:0] < 8'h10;
  assign c_salu = c_cmd_q[7:0] == iau_hw_pkg::OpSalu;
  assign c_branch = c_cmd_q[7:0] == iau_hw_pkg::OpBranch;
  assign c_reads = c_salu | c_branch;
  assign c_done = c_salu ? result_q : ~c_branch | read_q;
  assign patched = {p_cmd_q[483:480], p_cmd_q[492:489], p_cmd_q[501:498]} != '0;
  assign ahead = (c_valid_q & c_scalar) | sload_q;
  assign p_go = p_valid_q & (~c_valid_q | go[0]) & ~ahead & (~patched | values_q);
  assign p_stop = p_valid_q & (p_fault_q != iau_hw_pkg::FaultNone);
  assign take_o = run_i & ~jump_o & (~p_valid_q | p_go) & ~p_stop & valid_i & ~end_i;

  assign p_load = run_i & (~p_valid_q | p_go) & (valid_i | end_i | ffault_i);
  always_comb begin
    moves_o = p_load | p_go | x_go | (go != '0);
    if (sl_req_o | sl_wait_q | (c_valid_q & ~c_done) | fault_o) moves_o = 1'b1;
    if (p_valid_q & patched & ~ahead & ~values_q) moves_o = 1'b1;
  end

  assign enter_o = x_go & ~x_scalar;
  assign scalar_o = x_go & x_scalar;
  assign end_o = x_go & (x_cmd_q[7:0] == iau_hw_pkg::OpEnd);
  assign unit_o = x_cmd_q[7:0] == iau_hw_pkg::OpLoad ? 3'd0 :
      x_cmd_q[7:0] == iau_hw_pkg::OpMatmul ? 3'd2 :
                  x_cmd_q[7:0] == iau_hw_pkg::OpVec ? 3'd3 :
                      x_cmd_q[7:0] == iau_hw_pkg::OpCopy ||
                      x_cmd_q[7:0] == iau_hw_pkg::OpTopk ? 3'd4 : 3'd1;
  assign cmd_o = x_cmd_q;
  assign pc_o = x_pc_q;
  assign executed_o = executed_q;

  // SLOAD
  iau_hw_pkg::sload_t sload;
  assign sload = x_cmd_q;
  assign sl_want_o = run_i & x_valid & x_sload & ~fault_o & ~sl_wait_q & scalar_room_i;
  assign sl_req_o = sl_want_o & sl_clear_i;
  assign sl_row_o = sload.addr[17:7];

  // SALU
  iau_hw_pkg::salu_t salu;
  assign salu = c_cmd_q;
  assign result = read_q & c_salu & ~go[0] & (parts_q | (salu.func != 4'd2));

  // BRANCH
  iau_hw_pkg::branch_t branch;
  assign branch = c_cmd_q;
  assign jump_o = go[0] & c_branch & taken & (c_fault_q == iau_hw_pkg::FaultNone);
  assign target_o = c_pc_q + 32'd1 + branch.offset;
  always_comb begin
    taken = 1'b0;
    if (c_valid_q & c_branch) begin
      case (branch.cond)
        3'd1: taken = a_q == b_q;
        3'd2: taken = a_q != b_q;
        3'd3: taken = a_q < b_q;
        3'd4: taken = a_q >= b_q;
        3'd5: taken = $signed(a_q) < $signed(b_q);
        3'd6: taken = $signed(a_q) >= $signed(b_q);
        default: taken = 1'b1;
      endcase
    end
  end

  iau_check u_check (
    .clk_i,
    .en_i    (go),
    .cmd_i   (c_cmd_q),
    .fault_o (chk_fault),
    .info_o  (chk_info),
    .vsp_rd_o(vsp_rd_o),
    .vsp_stream_o(vsp_stream_o),
    .vsp_wr_o(vsp_wr_o),
    .tsp_rd_o(tsp_rd_o),
    .tsp_wr_o(tsp_wr_o),
    .amount_o(amount_o)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      p_valid_q <= 1'b0;
      c_valid_q <= 1'b0;
      valid_q <= '0;
      sload_q <= 1'b0;
      sl_wait_q <= 1'b0;
      read_q <= 1'b0;
      parts_q <= 1'b0;
      result_q <= 1'b0;
      result_to_q <= '0;
      sl_to_q <= '0;
      values_q <= 1'b0;
      executed_q <= '0;
      over_q <= 1'b0;
    end else if (!run_i) begin
      p_valid_q <= 1'b0;
      c_valid_q <= 1'b0;
      valid_q <= '0;
      sload_q <= 1'b0;
      sl_wait_q <= 1'b0;
      read_q <= 1'b0;
      parts_q <= 1'b0;
      result_q <= 1'b0;
      result_to_q <= '0;
      sl_to_q <= '0;
      values_q <= 1'b0;
      if (clear_i) begin
        executed_q <= '0;
        over_q <= 1'b0;
      end
    end else begin
      valid_q <= go | (valid_q & ~{x_go, go[X:1]});
      c_valid_q <= p_go | (c_valid_q & ~go[0]);
      p_valid_q <= ~jump_o & (take_o | (p_valid_q & ~p_go) |
                              ((~p_valid_q | p_go) & ~p_stop & (end_i | ffault_i)));
      if (x_go) begin
        executed_q <= executed_q + 32'd1;
        over_q <= executed_q + 32'd1 == budget;
      end
      sl_wait_q <= sl_req_o & sl_gnt_i;
      sload_q <= (go[0] && c_cmd_q[7:0] == iau_hw_pkg::OpSload) | (sload_q & ~(x_go & x_sload));
      read_q <= c_valid_q & c_reads & ~go[0];
      parts_q <= read_q & c_salu & ~go[0];
      result_q <= result;
      result_to_q <= result ? 32'd1 << salu.rd : '0;
      sl_to_q <= ~(sl_req_o & sl_gnt_i) ? '0 : sload.half ? {{16{sload.rd[4]}}, {16{~sload.rd[4]}}} :
                 32'd1 << sload.rd;
      values_q <= p_valid_q & patched & ~ahead & ~p_go & ~jump_o;
    end
  end

  // P: what fetch has, or why it has nothing
  always_ff @(posedge clk_i) begin
    if (p_load) begin
      p_cmd_q <= cmd_i;
      p_pc_q <= pc_i;
      p_fault_q <= end_i ? iau_hw_pkg::FaultCmdRange : ~valid_i & ffault_i ? ffault_code_i :
                   err_i ? iau_hw_pkg::FaultBus : iau_hw_pkg::FaultNone;
      p_va_q <= end_i ? '0 : ~valid_i & ffault_i ? ffault_va_i :
                err_i ? base_i + {26'd0, pc_i, 6'd0} : '0;
    end
  end

  // C: patched. Each word with all that is added to it, for the order does not matter; carries out of the
  // address word of a copy are kept.
  logic is_copy;
  assign is_copy = p_cmd_q[7:0] == iau_hw_pkg::OpLoad || p_cmd_q[7:0] == iau_hw_pkg::OpStore ||
      p_cmd_q[7:0] == iau_hw_pkg::OpStamp;

  always_ff @(posedge clk_i) begin
    if (p_valid_q & patched & ~ahead & ~values_q) begin
      v0_q <= regs_q[p_cmd_q[488:484]];
      v1_q <= regs_q[p_cmd_q[497:493]];
      v2_q <= regs_q[p_cmd_q[506:502]];
    end
  end

  always_ff @(posedge clk_i) begin
    if (p_go) begin : gen_patch
      logic [511:0] c, extra;
      logic [33:0] sum, carries;
      c = p_cmd_q;
      carries = '0;
      if (patched) begin
        for (int unsigned w = 1; w < 16; w++) begin
          sum = 34'(p_cmd_q[32*w+:32]) + (p_cmd_q[483:480] == 4'(w) ? 34'(v0_q) : '0) +
                (p_cmd_q[492:489] == 4'(w) ? 34'(v1_q) : '0) + (p_cmd_q[501:498] == 4'(w) ? 34'(v2_q) : '0) +
                (w == 32'd3 ? carries : '0);
          if (w == 32'd2 && is_copy) carries = 34'(sum[33:32]);
          c[32*w+:32] = sum[31:0];
        end
      end
      extra = p_cmd_q & ~iau_hw_pkg::command_mask(p_cmd_q[7:0]);
      for (int unsigned w = 0; w < 16; w++) c_extra_q[w] <= extra[32*w+:32] != '0;
      if (p_cmd_q[483:480] == 4'd15 || p_cmd_q[492:489] == 4'd15 || p_cmd_q[501:498] == 4'd15)
        c_extra_q[15] <= 1'b1;
      c_unknown_q <= iau_hw_pkg::command_mask(p_cmd_q[7:0]) == '0;
      c_cmd_q <= c;
      c_pc_q <= p_pc_q;
      c_va_q <= p_va_q;
      c_fault_q <= p_fault_q;
    end
  end

  // A command stays in one place from C to X; only its check moves
  logic [511:0] held_cmd_q[X];
  logic [31:0] held_pc_q[X];
  logic [63:0] held_va_q[X];
  logic [31:0] held_info_q[X];
  iau_hw_pkg::fault_e held_fault_q[X];
  logic [1:0] held_in_q, held_out_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      held_in_q <= '0;
      held_out_q <= '0;
    end else if (!run_i) begin
      held_in_q <= '0;
      held_out_q <= '0;
    end else begin
      if (go[0]) held_in_q <= held_in_q + 2'd1;
      if (go[X]) held_out_q <= held_out_q + 2'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (go[0]) begin : gen_hold
      logic [31:0] word;
      word = '0;
      if (c_extra_q != '0) begin
        for (int unsigned w = 16; w > 0; w--)
          if (c_extra_q[4'(w-1)]) word = w - 32'd1;
      end
      held_cmd_q[held_in_q] <= c_cmd_q;
      held_pc_q[held_in_q] <= c_pc_q;
      held_va_q[held_in_q] <= c_va_q;
      held_info_q[held_in_q] <= c_fault_q != iau_hw_pkg::FaultNone || c_unknown_q ? '0 : word;
      held_fault_q[held_in_q] <= c_fault_q != iau_hw_pkg::FaultNone ? c_fault_q :
          c_unknown_q ? iau_hw_pkg::FaultBadOpcode :
          c_extra_q != '0 ? iau_hw_pkg::FaultBadField : iau_hw_pkg::FaultNone;
    end
    if (go[X]) begin
      x_cmd_q <= held_cmd_q[held_out_q];
      x_pc_q <= held_pc_q[held_out_q];
      x_va_q <= held_va_q[held_out_q];
      x_info_q <= held_info_q[held_out_q];
      x_fault_q <= held_fault_q[held_out_q];
    end
  end

  // Scalar registers. Blocking, for the loops; nothing reads them in the cycle of a write. Whether the
  // command goes is known late; until it does it writes the same, and if it faults the job is over.
  always_ff @(posedge clk_i) begin
    if (c_valid_q & c_reads & ~read_q) begin
      if (c_salu) begin
        a_q <= regs_q[salu.ra];
        b_q <= salu.use_imm ? salu.imm : regs_q[salu.rb];
      end else begin
        a_q <= regs_q[branch.ra];
        b_q <= branch.use_imm ? branch.imm : regs_q[branch.rb];
      end
    end
    // A product takes a cycle more: 16 bits of A each by B
    if (read_q & c_salu & ~parts_q) begin
      low_q <= 32'(a_q[15:0]) * b_q;
      high_q <= a_q[31:16] * b_q[15:0];
    end
    if (read_q & c_salu & ~result_q) begin
      case (salu.func)
        4'd0: d_q <= a_q + b_q;
        4'd1: d_q <= a_q - b_q;
        4'd2: d_q <= low_q + {high_q, 16'd0};
        4'd3: d_q <= a_q & b_q;
        4'd4: d_q <= a_q | b_q;
        4'd5: d_q <= a_q << b_q[4:0];
        4'd6: d_q <= a_q >> b_q[4:0];
        4'd7: d_q <= a_q < b_q ? a_q : b_q;
        default: d_q <= a_q > b_q ? a_q : b_q;
      endcase
    end
  end

  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) begin
    if (clear_i) begin
      for (int unsigned r = 0; r < 32; r++) regs_q[r] = '0;
    end else if (param_valid_i) begin
      for (int unsigned r = 0; r < 16; r++)
        regs_q[{param_half_i, 4'(r)}] = param_data_i[32*r+:32];
    end else begin
      if (result_to_q != '0) begin
        for (int unsigned r = 0; r < 32; r++) if (result_to_q[r]) regs_q[r] = d_q;
      end
      if (sl_wait_q) begin
        logic [31:0] word;
        word = sl_data_i[{sload.addr[6:2], 5'd0}+:32];
        for (int unsigned r = 0; r < 32; r++) begin
          if (sl_to_q[r]) regs_q[r] = sload.half ? sl_data_i[{sload.addr[6], 4'(r), 5'd0}+:32] : word;
        end
      end
    end
  end
  /* verilator lint_on BLKSEQ */
endmodule
