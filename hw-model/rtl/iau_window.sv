// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The window: up to 32 commands in program order, from check to retirement. Each starts when no
// older one that it depends on is left (bitmaps of scratchpad granules), each unit takes its own
// in order, and they retire in order, so that faults, counters and results are those of sequential
// execution. A STORE starts only when nothing older can fault any more.
module iau_window (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               clear_i,
  input  logic               hold_i,   // nothing starts or retires: the job is being ended
  // a command enters
  input  logic               enter_i,
  input  logic [2:0]         unit_i,   // 0 LOAD, 1 STORE, 2 MATMUL, 3 VEC, 4 COPY, TOPK
  input  logic [511:0]       cmd_i,
  input  logic [31:0]        pc_i,
  input  logic [255:0]       vsp_rd_i,
  input  logic [255:0]       vsp_stream_i,  // of a MATMUL: what it reads but Cin
  input  logic [255:0]       vsp_wr_i,
  input  logic [63:0]        tsp_rd_i,
  input  logic [63:0]        tsp_wr_i,
  input  logic [47:0]        amount_i,
  output logic               room_o,
  input  logic               scalar_i,  // a scalar command was executed
  output logic               scalar_room_o,
  // no writer of the granule of this address is left
  input  logic               sl_want_i,
  input  logic [7:0]         sl_granule_i,
  output logic               sl_clear_o,
  // units
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
  output logic               store_pending_o,  // a store older than load_head_i is not done
  // state
  output logic               empty_o,  // scalar commands are accounted for, too
  output logic               quiet_o,  // nothing that has started is still running
  output logic               moves_o,  // a register may change, for another reason than CLEAR, ENTER or SCALAR
  output logic               fault_o,  // the oldest command has faulted
  output iau_hw_pkg::fault_e fault_code_o,
  output logic [63:0]        fault_va_o,
  output logic [31:0]        fault_pc_o,
  input  logic               fault_take_i,
  // retirement
  output logic [5:0]         progress_o,
  output logic               retire_o,
  output logic [7:0]         retire_op_o,
  output logic               retire_i4_o,
  output logic [47:0]        retire_amount_o,
  // traces: a command enters, starts in its unit, is done, each named by its place in the window
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

  localparam int unsigned Units = 5;

  // Entries ---------------------------------------------------------------------------------------
  logic [31:0] pc_q[32];
  logic [47:0] amount_q[32];
  logic [18:0] load_bytes_q[32];  // instead, of a LOAD
  logic [5:0] scal_q[32];  // scalar commands right before it
  logic [255:0] vrd_q[32];
  logic [255:0] vwr_q[32];
  logic [63:0] trd_q[32];
  logic [63:0] twr_q[32];
  logic [7:0] op_q[32];
  logic [31:0] live_q, done_q, issued_q, i4_q, matmul_q;
  logic [31:0] risky_q;  // can fault, or has
  logic [31:0] store_q;  // a STORE or STAMP that is not done
  logic [4:0] head_q, tail_q;
  logic [5:0] nscal_q;   // scalar commands since the last entry

  logic [31:0] pending, done_mask, enter_mask, issue_mask, retire_mask, deps;
  logic load_ok, store_ok, retire, flush_scal, window_empty, head_load;

  // Units -----------------------------------------------------------------------------------------
  logic [Units-1:0] full, enter_u;
  logic load_have, store_have, matmul_have, vec_have, copy_have;
  logic load_free, store_free, matmul_free, vec_free, copy_free;
  logic load_start, store_start, matmul_start, vec_start, copy_start, starts, ends;
  logic [4:0] idx0, idx1, idx2, idx3, idx4;
  logic [4:0] cur1_q, cur3_q, cur4_q;  // what the one-at-a-time units work on
  // The matrix engine has up to five commands, done in order
  logic [4:0] mm_q[8];
  logic [2:0] mm_in_q, mm_out_q;
  logic [4:0] cur2;

  function automatic logic [31:0] onehot(input logic en, input logic [4:0] i);
    onehot = {31'd0, en} << i;
  endfunction

  // Is an entry of MASK older than entry I?
  function automatic logic any_older(input logic [31:0] mask, input logic [4:0] i,
                                     input logic [4:0] head);
    logic [63:0] turned;
    turned = {mask, mask} >> head;
    any_older = (turned[31:0] & ~(32'hffff_ffff << (i - head))) != '0;
  endfunction

  assign load_valid_o = load_have & load_free & ~hold_i;
  assign matmul_valid_o = matmul_have & matmul_free & ~hold_i;
  assign vec_valid_o = vec_have & vec_free & ~hold_i;
  assign copy_valid_o = copy_have & copy_free & ~hold_i;
  always_comb begin
    store_valid_o = store_have & store_free & ~hold_i;
    if (store_valid_o) store_valid_o = ~any_older(risky_q, idx1, head_q);
    store_pending_o = 1'b0;
    if (store_q != '0) store_pending_o = any_older(store_q, load_head_i, head_q);
  end
  assign load_start = load_valid_o & load_ready_i;
  assign store_start = store_valid_o & store_ready_i;
  assign matmul_start = matmul_valid_o & matmul_ready_i;
  assign vec_start = vec_valid_o & vec_ready_i;
  assign copy_start = copy_valid_o & copy_ready_i;
  assign starts = load_start | store_start | matmul_start | vec_start | copy_start;
  assign ends = load_done_i | store_done_i | matmul_done_i | vec_done_i | copy_done_i;
  assign ev_place_o = tail_q;
  assign ev_any_o = starts | ends;
  assign ev_load_start_o = load_start;
  assign ev_store_start_o = store_start;
  assign ev_matmul_start_o = matmul_start;
  assign ev_vec_start_o = vec_start;
  assign ev_copy_start_o = copy_start;
  assign ev_start_place_o = {idx4, idx3, idx2, idx1, idx0};
  assign ev_load_done_o = load_done_i;
  assign ev_store_done_o = store_done_i;
  assign ev_matmul_done_o = matmul_done_i;
  assign ev_vec_done_o = vec_done_i;
  assign ev_copy_done_o = copy_done_i;
  assign enter_u = enter_i ? Units'(1) << unit_i : '0;
  assign room_o = ~live_q[tail_q] & ~full[unit_i];
  assign load_idx_o = idx0;
  assign cur2 = mm_q[mm_out_q];

  iau_window_unit u_load (
    .clk_i, .rst_ni, .clear_i, .cmd_i,
    .head_i   (head_q),
    .pending_i(pending),
    .done_i   (done_mask),
    .enter_i  (enter_u[0]),
    .idx_i    (tail_q),
    .dep_i    (deps),
    .full_o   (full[0]),
    .issue_i  (load_start),
    .have_o   (load_have),
    .free_o   (load_free),
    .idx_o    (idx0),
    .cmd_o    (load_cmd_o)
  );

  iau_window_unit u_store (
    .clk_i, .rst_ni, .clear_i, .cmd_i,
    .head_i   (head_q),
    .pending_i(pending),
    .done_i   (done_mask),
    .enter_i  (enter_u[1]),
    .idx_i    (tail_q),
    .dep_i    (deps),
    .full_o   (full[1]),
    .issue_i  (store_start),
    .have_o   (store_have),
    .free_o   (store_free),
    .idx_o    (idx1),
    .cmd_o    (store_cmd_o)
  );

  iau_window_unit u_matmul (
    .clk_i, .rst_ni, .clear_i, .cmd_i,
    .head_i   (head_q),
    .pending_i(pending),
    .done_i   (done_mask),
    .enter_i  (enter_u[2]),
    .idx_i    (tail_q),
    .dep_i    (deps),
    .full_o   (full[2]),
    .issue_i  (matmul_start),
    .have_o   (matmul_have),
    .free_o   (matmul_free),
    .idx_o    (idx2),
    .cmd_o    (matmul_cmd_o)
  );

  iau_window_unit u_vec (
    .clk_i, .rst_ni, .clear_i, .cmd_i,
    .head_i   (head_q),
    .pending_i(pending),
    .done_i   (done_mask),
    .enter_i  (enter_u[3]),
    .idx_i    (tail_q),
    .dep_i    (deps),
    .full_o   (full[3]),
    .issue_i  (vec_start),
    .have_o   (vec_have),
    .free_o   (vec_free),
    .idx_o    (idx3),
    .cmd_o    (vec_cmd_o)
  );

  iau_window_unit u_copy (
    .clk_i, .rst_ni, .clear_i, .cmd_i,
    .head_i   (head_q),
    .pending_i(pending),
    .done_i   (done_mask),
    .enter_i  (enter_u[4]),
    .idx_i    (tail_q),
    .dep_i    (deps),
    .full_o   (full[4]),
    .issue_i  (copy_start),
    .have_o   (copy_have),
    .free_o   (copy_free),
    .idx_o    (idx4),
    .cmd_o    (copy_cmd_o)
  );

  // Dependencies of what enters -------------------------------------------------------------------
  // The matrix engine itself sees to it that MATMULs do not overtake each other's D and Cin: what
  // one streams is all that it waits for.
  assign pending = live_q & ~done_q;
  always_comb begin
    deps = '0;
    if (enter_i) begin
      for (int unsigned i = 0; i < 32; i++) begin
        if ((unit_i == 3'd2) & matmul_q[i]) begin
          deps[i] = |(vwr_q[i] & vsp_stream_i);
        end else begin
          deps[i] = (|(vwr_q[i] & (vsp_rd_i | vsp_wr_i))) | (|(vrd_q[i] & vsp_wr_i)) |
                    (|(twr_q[i] & (tsp_rd_i | tsp_wr_i))) | (|(trd_q[i] & tsp_wr_i));
        end
      end
      deps = deps & pending & ~done_mask;
    end
    sl_clear_o = 1'b0;
    if (sl_want_i) begin
      sl_clear_o = 1'b1;
      for (int unsigned i = 0; i < 32; i++)
        if (pending[i] & vwr_q[i][sl_granule_i]) sl_clear_o = 1'b0;
    end
  end

  // Completion and retirement ---------------------------------------------------------------------
  assign load_ok = load_done_i & (load_fault_i == iau_hw_pkg::FaultNone);
  assign store_ok = store_done_i & (store_fault_i == iau_hw_pkg::FaultNone);
  always_comb begin
    issue_mask = '0;
    if (starts)
      issue_mask = onehot(load_start, idx0) | onehot(store_start, idx1) | onehot(matmul_start, idx2) |
                   onehot(vec_start, idx3) | onehot(copy_start, idx4);
    done_mask = '0;
    ev_done_place_o = '0;
    if (ends) begin
      done_mask = onehot(load_done_i, load_done_idx_i) | onehot(store_done_i, cur1_q) |
                  onehot(matmul_done_i, cur2) | onehot(vec_done_i, cur3_q) |
                  onehot(copy_done_i, cur4_q);
      ev_done_place_o = {cur4_q, cur3_q, cur2, cur1_q, load_done_idx_i};
    end
  end
  assign enter_mask = onehot(enter_i, tail_q);
  assign retire_mask = onehot(retire, head_q);
  assign retire = done_q[head_q] & live_q[head_q] & ~risky_q[head_q] & ~hold_i;
  assign fault_o = done_q[head_q] & live_q[head_q] & risky_q[head_q];
  assign window_empty = ~live_q[head_q];
  assign flush_scal = window_empty & (nscal_q != '0) & ~hold_i;
  assign empty_o = window_empty & (nscal_q == '0);
  assign quiet_o = (live_q & issued_q & ~done_q) == '0;
  assign moves_o = ev_any_o | retire | flush_scal;
  assign scalar_room_o = nscal_q < 6'd60;
  // a faulting command does not count, the scalar ones before it do
  assign progress_o = retire ? scal_q[head_q] + 6'd1 : fault_take_i ? scal_q[head_q] :
                      flush_scal ? nscal_q : '0;
  assign retire_o = retire;
  assign retire_op_o = op_q[head_q];
  assign retire_i4_o = i4_q[head_q];
  assign retire_amount_o = head_load ? 48'(load_bytes_q[head_q]) : amount_q[head_q];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      live_q <= '0;
      done_q <= '0;
      issued_q <= '0;
      risky_q <= '0;
      store_q <= '0;
      head_q <= '0;
      tail_q <= '0;
      nscal_q <= '0;
    end else if (clear_i) begin
      live_q <= '0;
      done_q <= '0;
      issued_q <= '0;
      risky_q <= '0;
      store_q <= '0;
      head_q <= '0;
      tail_q <= '0;
      nscal_q <= '0;
    end else begin
      live_q <= (live_q | enter_mask) & ~retire_mask;
      done_q <= (done_q | done_mask) & ~enter_mask;
      issued_q <= (issued_q | issue_mask) & ~enter_mask;
      risky_q <= ((risky_q & ~enter_mask) | (unit_i[2:1] == 2'd0 ? enter_mask : '0)) &
                 ~onehot(load_ok, load_done_idx_i) & ~onehot(store_ok, cur1_q);
      store_q <= (store_q & ~done_mask) | (unit_i == 3'd1 ? enter_mask : '0);
      if (retire) head_q <= head_q + 5'd1;
      if (enter_i) tail_q <= tail_q + 5'd1;
      if (enter_i) nscal_q <= '0;
      else if (flush_scal) nscal_q <= 6'(scalar_i);
      else if (scalar_i) nscal_q <= nscal_q + 6'd1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      mm_in_q <= '0;
      mm_out_q <= '0;
    end else begin
      mm_in_q <= mm_in_q + 3'(matmul_start);
      mm_out_q <= mm_out_q + 3'(matmul_done_i);
    end
  end

  always_ff @(posedge clk_i) begin
    if (store_start) cur1_q <= idx1;
    if (matmul_start) mm_q[mm_in_q] <= idx2;
    if (vec_start) cur3_q <= idx3;
    if (copy_start) cur4_q <= idx4;
    if (load_done_i) load_bytes_q[load_done_idx_i] <= load_bytes_i;
    if (enter_i) begin
      pc_q[tail_q] <= pc_i;
      amount_q[tail_q] <= amount_i;
      scal_q[tail_q] <= flush_scal ? '0 : nscal_q;
      vrd_q[tail_q] <= vsp_rd_i;
      vwr_q[tail_q] <= vsp_wr_i;
      trd_q[tail_q] <= tsp_rd_i;
      twr_q[tail_q] <= tsp_wr_i;
      op_q[tail_q] <= cmd_i[7:0];
      matmul_q[tail_q] <= unit_i == 3'd2;
      i4_q[tail_q] <= cmd_i[9:8] == 2'd2;
    end
  end

  // Faults: each unit finishes in order, so the first that it reports is the one to come up here
  iau_hw_pkg::fault_e load_fault_q, store_fault_q;
  logic [63:0] load_va_q, store_va_q;

  assign head_load = op_q[head_q] == iau_hw_pkg::OpLoad;
  assign fault_code_o = head_load ? load_fault_q : store_fault_q;
  assign fault_va_o = head_load ? load_va_q : store_va_q;
  assign fault_pc_o = pc_q[head_q];

  always_ff @(posedge clk_i) begin
    if (clear_i) begin
      load_fault_q <= iau_hw_pkg::FaultNone;
      store_fault_q <= iau_hw_pkg::FaultNone;
    end else begin
      if (load_done_i && load_fault_q == iau_hw_pkg::FaultNone) begin
        load_fault_q <= load_fault_i;
        load_va_q <= load_va_i;
      end
      if (store_done_i && store_fault_q == iau_hw_pkg::FaultNone) begin
        store_fault_q <= store_fault_i;
        store_va_q <= store_va_i;
      end
    end
  end
endmodule
