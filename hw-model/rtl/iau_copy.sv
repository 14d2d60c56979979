// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// COPY: 2-D copies from the vector scratchpad to either scratchpad.
module iau_copy (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic              cmd_valid_i,
  /* verilator lint_off UNUSEDSIGNAL */
  // checked: addresses and sizes fit the scratchpads
  input  iau_hw_pkg::copy_t cmd_i,
  /* verilator lint_on UNUSEDSIGNAL */
  output logic              cmd_ready_o,
  output logic              done_o,
  // read of the vector scratchpad: data come the cycle after the grant
  output logic              rd_req_o,
  output logic [10:0]       rd_row_o,
  input  logic              rd_gnt_i,
  input  logic [1023:0]     rd_data_i,
  // scratchpad writes, words of 64 bytes
  output logic              wr_req_o,
  output logic              wr_tsp_o,
  output logic [11:0]       wr_addr_o,
  output logic [511:0]      wr_data_o,
  output logic [63:0]       wr_be_o,
  input  logic              wr_gnt_i
);
  logic run_q, read_q, start, valid, next;
  logic [17:0] src;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [63:0] dst;
  /* verilator lint_on UNUSEDSIGNAL */
  logic [6:0] n, n_q;
  logic [6:0] src_q;
  logic [24:0] dst_q;

  assign cmd_ready_o = ~run_q;
  assign start = cmd_valid_i & ~run_q;
  assign done_o = run_q & ~valid & ~read_q & ~wr_req_o;
  always_comb begin
    rd_req_o = 1'b0;
    if (run_q) rd_req_o = valid & ~read_q & (~wr_req_o | wr_gnt_i);
  end
  assign rd_row_o = src[17:7];
  assign next = rd_req_o & rd_gnt_i;

  iau_walk u_walk (
    .clk_i, .rst_ni,
    .start_i     (start),
    .cancel_i    (1'b0),
    .src_i       (cmd_i.src[17:0]),
    .src_stride_i(cmd_i.src_stride[17:0]),
    .dst_i       ({32'd0, cmd_i.addr}),
    .dst_stride_i(cmd_i.stride),
    .bytes_i     (cmd_i.row_bytes[18:0]),
    .rows_i      (cmd_i.rows[15:0]),
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
      wr_req_o <= 1'b0;
    end else begin
      if (start) run_q <= 1'b1;
      else if (done_o) run_q <= 1'b0;
      read_q <= next;
      if (read_q) wr_req_o <= 1'b1;
      else if (wr_gnt_i) wr_req_o <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (next) begin
      src_q <= src[6:0];
      dst_q <= dst[24:0];
      n_q <= n;
    end
    if (read_q) begin
      wr_tsp_o <= dst_q[24];
      wr_addr_o <= dst_q[17:6];
      wr_data_o <= iau_mem_pkg::rotate(src_q[6] ? rd_data_i[1023:512] : rd_data_i[511:0],
                                       dst_q[5:0] - src_q[5:0]);
      wr_be_o <= iau_mem_pkg::bytes(dst_q[5:0], n_q);
    end
  end
endmodule
