// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// STORE and STAMP: 2-D copies from the vector scratchpad to memory, in order. A command ends when
// every write is answered.
module iau_store (
  input  logic               clk_i,        // may stop while moves_o is low
  input  logic               rst_ni,
  input  logic               cmd_valid_i,
  /* verilator lint_off UNUSEDSIGNAL */
  // checked: addresses and sizes fit the scratchpad
  input  iau_hw_pkg::store_t cmd_i,
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic               cmd_stamp_i,
  input  logic [63:0]        cycle_i,
  output logic               cmd_ready_o,
  output logic               done_o,
  output iau_hw_pkg::fault_e done_fault_o,
  output logic [63:0]        done_va_o,
  // translation
  output logic               tr_req_o,
  output logic [63:0]        tr_va_o,
  input  logic               tr_ack_i,
  input  logic [51:0]        tr_pa_i,
  input  logic               tr_w_i,
  input  iau_hw_pkg::fault_e tr_fault_i,
  // read of the vector scratchpad: data come the cycle after the grant
  output logic               rd_req_o,
  output logic [10:0]        rd_row_o,
  input  logic               rd_gnt_i,
  input  logic [1023:0]      rd_data_i,
  // writes of memory
  output logic               w_valid_o,
  output logic [51:0]        w_addr_o,
  output logic [511:0]       w_data_o,
  output logic [63:0]        w_strb_o,
  input  logic               w_ready_i,
  input  logic               b_valid_i,
  input  logic               b_err_i,
  output logic               moves_o       // a register may change at the next edge
);

  logic run_q, read_q, stamp_q, have_q, start, valid, next, bad, wrote;
  logic [63:0] stamp_val_q, va_q, dst;
  logic [51:0] vpn_q;
  logic [39:0] ppn_q;
  logic [7:0] pending_q;
  iau_hw_pkg::fault_e fault_q;
  logic [63:0] fva_q;
  logic [17:0] src;
  logic [6:0] n, n_q;
  logic [6:0] src_q;
  logic [5:0] at_q;
  logic page_ok;
  // What waits to be written: the outputs, and one more behind them, so that a read can follow a read
  logic [1:0] full_q;
  logic [51:0] addr_q, addr2_q;
  logic [511:0] data, data2_q;
  logic [63:0] strb, strb2_q;

  assign cmd_ready_o = ~run_q;
  assign start = cmd_valid_i & ~run_q;
  assign page_ok = have_q & (vpn_q == dst[63:12]);
  assign tr_req_o = run_q & valid & ~page_ok;
  assign tr_va_o = dst;
  assign bad = tr_req_o & tr_ack_i & ((tr_fault_i != iau_hw_pkg::FaultNone) | ~tr_w_i);
  assign w_valid_o = (full_q != 2'd0) & (pending_q != 8'd255);
  assign wrote = w_valid_o & w_ready_i;
  assign rd_row_o = src[17:7];
  assign next = rd_req_o & rd_gnt_i;
  assign done_o = run_q & ~valid & ~read_q & (full_q == 2'd0) & (pending_q == '0);
  always_comb begin
    rd_req_o = 1'b0;
    if (run_q) rd_req_o = valid & page_ok & (full_q + 2'(read_q) < 2'd2 + 2'(wrote));
  end
  always_comb begin
    moves_o = start;
    if (run_q) moves_o = next | read_q | wrote | b_valid_i | (tr_req_o & tr_ack_i) | done_o;
  end
  assign done_fault_o = fault_q;
  assign done_va_o = fva_q;

  iau_walk u_walk (
    .clk_i, .rst_ni,
    .start_i     (start),
    .cancel_i    (bad),
    .src_i       (cmd_stamp_i ? 18'd0 : cmd_i.addr[17:0]),
    .src_stride_i(cmd_i.stride[17:0]),
    .dst_i       (cmd_i.va),
    .dst_stride_i(cmd_i.mem_stride),
    .bytes_i     (cmd_stamp_i ? 19'd8 : cmd_i.row_bytes[18:0]),
    .rows_i      (cmd_stamp_i ? 16'd1 : cmd_i.rows[15:0]),
    .valid_o     (valid),
    .src_o       (src),
    .dst_o       (dst),
    .n_o         (n),
    .next_i      (next)
  );

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      run_q <= 1'b0;
      read_q <= 1'b0;
      full_q <= '0;
      stamp_q <= 1'b0;
      stamp_val_q <= '0;
      va_q <= '0;
      have_q <= 1'b0;
      vpn_q <= '0;
      ppn_q <= '0;
      pending_q <= '0;
      fault_q <= iau_hw_pkg::FaultNone;
      fva_q <= '0;
    end else begin
      if (wrote | b_valid_i) pending_q <= pending_q + 8'(wrote) - 8'(b_valid_i);
      if (b_valid_i && b_err_i && fault_q == iau_hw_pkg::FaultNone) begin
        fault_q <= iau_hw_pkg::FaultBus;
        fva_q <= va_q;
      end
      if (start) begin
        run_q <= 1'b1;
        have_q <= 1'b0;
        stamp_q <= cmd_stamp_i;
        stamp_val_q <= cycle_i;
        va_q <= cmd_i.va;
        fault_q <= iau_hw_pkg::FaultNone;
        fva_q <= '0;
      end else if (done_o) begin
        run_q <= 1'b0;
      end
      if (tr_req_o & tr_ack_i) begin
        have_q <= 1'b1;
        vpn_q <= dst[63:12];
        ppn_q <= tr_pa_i[51:12];
      end
      if (bad) begin
        fault_q <= tr_fault_i != iau_hw_pkg::FaultNone ? tr_fault_i : iau_hw_pkg::FaultPermission;
        fva_q <= dst;
      end
      read_q <= next;
      if (read_q ^ wrote) full_q <= read_q ? full_q + 2'd1 : full_q - 2'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (next) begin
      src_q <= src[6:0];
      at_q <= dst[5:0];
      n_q <= n;
    end
    if (next) addr_q <= {ppn_q, dst[11:6], 6'd0};
    if (wrote & full_q[1]) begin
      w_addr_o <= addr2_q;
      w_data_o <= data2_q;
      w_strb_o <= strb2_q;
    end else if (read_q & (wrote | (full_q == 2'd0))) begin
      w_addr_o <= addr_q;
      w_data_o <= data;
      w_strb_o <= strb;
    end
    if (read_q & (full_q != 2'd0)) begin
      addr2_q <= addr_q;
      data2_q <= data;
      strb2_q <= strb;
    end
  end

  always_comb begin
    data = '0;
    strb = '0;
    if (read_q) begin
      data = stamp_q ? {8{stamp_val_q}} :
             iau_mem_pkg::rotate(src_q[6] ? rd_data_i[1023:512] : rd_data_i[511:0],
                                 at_q - src_q[5:0]);
      strb = iau_mem_pkg::bytes(at_q, n_q);
    end
  end
endmodule
