// SPDX-License-Identifier: MIT
//
// The device as it is simulated: its inputs come from registers, as from a neighbour on the same clock.
// What depends on an input of the top is computed at every evaluation, besides when a register changes;
// behind registers there is nothing of that but the clock. What the memory model sets before an edge is
// what the device sees in the cycle after it.
//
// Accesses to registers of the device, few as they are, load theirs when they begin and when they end,
// while the clock is low: the host's view of before and after is the device's.
//
// Every change of tick_i is a rising edge of the clock, which falls again in the same evaluation: a
// cycle takes one.
//
// All registers of a new model are zero (--x-initial 0), which is what a reset makes of them
// (tests/rtl/reset.t): it is left out, for each clock it would double what is looked at in every cycle. It is
// there where what the RTL has for synthesis is simulated.
module iau_sim #(
  parameter int unsigned MacRows = iau_hw_pkg::Rows
) (
  input  logic         tick_i,
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic         rst_ni,
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic         mmio_re_i,
  input  logic         mmio_we_i,
  input  logic [15:0]  mmio_addr_i,
  input  logic [31:0]  mmio_wdata_i,
  output logic [31:0]  mmio_rdata_o,
  output logic [5:0]   irq_o,
  output logic         pending_o,
  output logic         counts_o,
  output logic         ar_valid_o,
  output logic [51:0]  ar_addr_o,
  output logic [3:0]   ar_len_o,
  output logic [5:0]   ar_id_o,
  output logic         ar_qos_o,
  input  logic         ar_ready_i,
  input  logic         r_valid_i,
  input  logic [5:0]   r_id_i,
  input  logic [511:0] r_data_i,
  input  logic         r_err_i,
  output logic         r_ready_o,
  output logic         w_valid_o,
  output logic [51:0]  w_addr_o,
  output logic [511:0] w_data_o,
  output logic [63:0]  w_strb_o,
  input  logic         w_ready_i,
  input  logic         b_valid_i,
  input  logic         b_err_i,
  output logic         ev_enter_o,
  output logic [31:0]  ev_pc_o,
  output logic [2:0]   ev_unit_o,
  output logic [4:0]   ev_place_o,
  output logic         ev_any_o,
  output logic         ev_load_start_o,
  output logic         ev_store_start_o,
  output logic         ev_matmul_start_o,
  output logic         ev_vec_start_o,
  output logic         ev_copy_start_o,
  output logic [24:0]  ev_start_place_o,
  output logic         ev_load_done_o,
  output logic         ev_store_done_o,
  output logic         ev_matmul_done_o,
  output logic         ev_vec_done_o,
  output logic         ev_copy_done_o,
  output logic [24:0]  ev_done_place_o
);
  logic clk, seen_q, rst_n;

`ifdef SYNTHESIS
  assign rst_n = rst_ni;
`else
  assign rst_n = 1'b1;
`endif

  initial seen_q = 1'b0;
  assign clk = tick_i ^ seen_q;
  always_ff @(posedge clk) seen_q <= tick_i;

  logic access, mmio_re_q, mmio_we_q;
  logic [15:0] mmio_addr_q;
  logic [31:0] mmio_wdata_q;

  assign access = mmio_re_i | mmio_we_i;
  always_ff @(posedge access or negedge access) begin
    mmio_re_q <= mmio_re_i;
    mmio_we_q <= mmio_we_i;
    mmio_addr_q <= mmio_addr_i;
    mmio_wdata_q <= mmio_wdata_i;
  end

  logic ar_ready_q, r_valid_q, r_err_q, w_ready_q, b_valid_q, b_err_q;
  logic [5:0] r_id_q;
  logic [511:0] r_data_q;

  always_ff @(posedge clk) begin
    ar_ready_q <= ar_ready_i;
    r_valid_q <= r_valid_i;
    r_id_q <= r_id_i;
    r_err_q <= r_err_i;
    if (r_valid_i) r_data_q <= r_data_i;
    w_ready_q <= w_ready_i;
    b_valid_q <= b_valid_i;
    b_err_q <= b_err_i;
  end

  iau_top #(
    .MacRows(MacRows)
  ) u_top (
    .clk_i       (clk),
    .rst_ni      (rst_n),
    .mmio_re_i   (mmio_re_q),
    .mmio_we_i   (mmio_we_q),
    .mmio_addr_i (mmio_addr_q),
    .mmio_wdata_i(mmio_wdata_q),
    .mmio_rdata_o, .irq_o, .pending_o, .counts_o,
    .ar_valid_o, .ar_addr_o, .ar_len_o, .ar_id_o, .ar_qos_o,
    .ar_ready_i  (ar_ready_q),
    .r_valid_i   (r_valid_q),
    .r_id_i      (r_id_q),
    .r_data_i    (r_data_q),
    .r_err_i     (r_err_q),
    .r_ready_o,
    .w_valid_o, .w_addr_o, .w_data_o, .w_strb_o,
    .w_ready_i   (w_ready_q),
    .b_valid_i   (b_valid_q),
    .b_err_i     (b_err_q),
    .ev_enter_o, .ev_pc_o, .ev_unit_o, .ev_place_o, .ev_start_place_o, .ev_done_place_o, .ev_any_o,
    .ev_load_start_o, .ev_store_start_o, .ev_matmul_start_o, .ev_vec_start_o, .ev_copy_start_o,
    .ev_load_done_o, .ev_store_done_o, .ev_matmul_done_o, .ev_vec_done_o, .ev_copy_done_o
  );
endmodule
