// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Writes the results of a command. Vectors of D go out one by one. Block scales are collected in
// eight buffers, by the last bits of their scratchpad row: the scales of a block column lie in one
// row, those of the next column in the next. Reduction results are collected while they fall into
// the same row. The three never overlap.
module iau_vec_write (
  input  logic          clk_i,
  input  logic          rst_ni,
  input  logic          start_i,      // with START_CMD_I, CMD_I from the next cycle on
  /* verilator lint_off UNUSEDSIGNAL */
  // Each part of the unit takes its fields of the command.
  input  iau_hw_pkg::vec_t start_cmd_i,
  input  iau_hw_pkg::vec_t cmd_i,
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic [31:0]   last_live_i,
  input  logic          drain_i,      // nothing will follow what is here
  output logic          empty_o,      // all writes are performed
  output logic [2:0]    d_count_o,
  output logic [2:0]    r_count_o,

  input  logic          d_valid_i,
  input  logic [1023:0] d_data_i,
  input  logic [31:0]   d_scale_i,
  input  logic          r_valid_i,
  input  logic [63:0]   r_data_i,

  output logic          w_req_o,
  output logic [10:0]   w_row_o,
  output logic [1023:0] w_wdata_o,
  output logic [127:0]  w_be_o,
  input  logic          w_gnt_i
);

  // Queues of four, as far as the pipeline may run on after it has been told to stop
  logic [1023:0] d_data_q [4];
  logic [31:0]   d_scale_q [4];
  logic [63:0]   r_data_q [4];
  logic [1:0]    d_wr_q, d_rd_q, r_wr_q, r_rd_q;
  logic [2:0]    d_count_q, r_count_q;
  logic          d_pop, r_pop;

  assign d_count_o = d_count_q;
  assign r_count_o = r_count_q;

  // Where the head of each queue goes
  logic [10:0] last_col, col_q;
  logic [17:0] d_base_q, d_addr_q, sc_base_q, sc_addr_q, r_addr_q;
  logic [17:0] d_base, sc_base;
  logic        row_end, pair;

  assign last_col = 11'((cmd_i.cols - 16'd1) >> 5);
  assign row_end = col_q == last_col;
  assign pair = cmd_i.red == 2'd3;
  assign d_base = d_base_q + cmd_i.d_stride[17:0];
  assign sc_base = sc_base_q + 18'(cmd_i.sc_rstride);

  // Collected scales and reduction results, byte enables by their alignment
  logic [1023:0] sc_buf_q [8];
  logic [63:0]   sc_be_q [8];
  logic [10:0]   sc_row_q [8];
  logic [7:0]    sc_full_q;
  logic [2:0]    sc_at, sc_out, sc_oldest;  // which is filled, which leaves
  logic [1023:0] r_buf_q;
  logic [31:0]   r_be_q;
  logic [10:0]   r_row_q;
  logic          r_full_q;

  logic use_sc, sc_fits, r_fits, load, load_d, load_sc, load_r;

  assign use_sc = (cmd_i.out == 3'd2) | (cmd_i.out == 3'd3);
  assign sc_at = sc_addr_q[9:7];
  assign sc_fits = ~sc_full_q[sc_at] | (sc_row_q[sc_at] == sc_addr_q[17:7]);
  assign r_fits = ~r_full_q | (r_row_q == r_addr_q[17:7]);

  assign load = ~w_req_o | w_gnt_i;
  always_comb begin
    load_r = 1'b0;
    load_sc = 1'b0;
    if (r_full_q)
      load_r = load & (drain_i ? (r_count_q == 3'd0) | ~r_fits : (r_count_q != 3'd0) & ~r_fits);
    if (sc_full_q != '0) load_sc = load & ~load_r & ((d_count_q != 3'd0) ? ~sc_fits : drain_i);
  end
  always_comb begin
    sc_oldest = '0;
    if (drain_i) begin
      for (int unsigned i = 8; i > 0; i--) if (sc_full_q[3'(i - 1)]) sc_oldest = 3'(i - 1);
    end
  end
  assign sc_out = (d_count_q != 3'd0) ? sc_at : sc_oldest;
  assign load_d = load & ~load_r & ~load_sc & (d_count_q != 3'd0);
  assign d_pop = load_d;
  assign r_pop = (r_count_q != 3'd0) & r_fits;
  assign empty_o = (d_count_q == 3'd0) & (r_count_q == 3'd0) & ~(|sc_full_q) & ~r_full_q &
                   (~w_req_o | w_gnt_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      d_wr_q <= '0;
      d_rd_q <= '0;
      d_count_q <= '0;
      r_wr_q <= '0;
      r_rd_q <= '0;
      r_count_q <= '0;
      sc_full_q <= '0;
      r_full_q <= 1'b0;
      w_req_o <= 1'b0;
    end else begin
      d_wr_q <= d_wr_q + 2'(d_valid_i);
      d_rd_q <= d_rd_q + 2'(d_pop);
      d_count_q <= d_count_q + 3'(d_valid_i) - 3'(d_pop);
      r_wr_q <= r_wr_q + 2'(r_valid_i);
      r_rd_q <= r_rd_q + 2'(r_pop);
      r_count_q <= r_count_q + 3'(r_valid_i) - 3'(r_pop);
      if (d_pop & use_sc) sc_full_q[sc_at] <= 1'b1;
      else if (load_sc) sc_full_q[sc_out] <= 1'b0;
      if (r_pop) r_full_q <= 1'b1;
      else if (load_r) r_full_q <= 1'b0;
      if (load) w_req_o <= load_d | load_sc | load_r;
    end
  end

  always_ff @(posedge clk_i) begin
    if (d_valid_i) begin
      d_data_q[d_wr_q] <= d_data_i;
      d_scale_q[d_wr_q] <= d_scale_i;
    end
    if (r_valid_i) r_data_q[r_wr_q] <= r_data_i;
  end

  // Addresses
  always_ff @(posedge clk_i) begin
    if (d_pop) begin
      col_q <= row_end ? 11'd0 : col_q + 11'd1;
      d_addr_q <= row_end ? d_base :
                  d_addr_q + ((cmd_i.out == 3'd1) ? 18'd128 : cmd_i.d_bstride[17:0]);
      sc_addr_q <= row_end ? sc_base : sc_addr_q + 18'(cmd_i.sc_bstride);
      if (row_end) begin
        d_base_q <= d_base;
        sc_base_q <= sc_base;
      end
    end
    if (r_pop) r_addr_q <= r_addr_q + (pair ? 18'd8 : 18'd4);
    if (start_i) begin
      col_q <= '0;
      d_base_q <= start_cmd_i.d_addr[17:0];
      d_addr_q <= start_cmd_i.d_addr[17:0];
      sc_base_q <= start_cmd_i.sc_addr[17:0];
      sc_addr_q <= start_cmd_i.sc_addr[17:0];
      r_addr_q <= start_cmd_i.r_addr[17:0];
    end
  end

  // Scales
  always_ff @(posedge clk_i) begin
    if (d_pop & use_sc) begin
      sc_row_q[sc_at] <= sc_addr_q[17:7];
      if (cmd_i.out == 3'd2) begin
        sc_buf_q[sc_at][{sc_addr_q[6:2], 5'd0} +: 32] <= d_scale_q[d_rd_q];
        sc_be_q[sc_at] <= (sc_full_q[sc_at] ? sc_be_q[sc_at] : 64'd0) | (64'd3 << {sc_addr_q[6:2], 1'b0});
      end else begin
        sc_buf_q[sc_at][{sc_addr_q[6:1], 4'd0} +: 16] <= d_scale_q[d_rd_q][15:0];
        sc_be_q[sc_at] <= (sc_full_q[sc_at] ? sc_be_q[sc_at] : 64'd0) | (64'd1 << sc_addr_q[6:1]);
      end
    end
  end

  // Reduction results
  always_ff @(posedge clk_i) begin
    if (r_pop) begin
      r_row_q <= r_addr_q[17:7];
      if (pair) r_buf_q[{r_addr_q[6:3], 6'd0} +: 64] <= r_data_q[r_rd_q];
      else r_buf_q[{r_addr_q[6:2], 5'd0} +: 32] <= r_data_q[r_rd_q][31:0];
      r_be_q <= (r_full_q ? r_be_q : 32'd0) |
                (pair ? 32'd3 << {r_addr_q[6:3], 1'b0} : 32'd1 << r_addr_q[6:2]);
    end
  end

  // Bits four and two times, by shifts: wires in hardware, fast in simulation
  function automatic logic [31:0] spread_by_4(input logic [7:0] x);
    logic [31:0] y;
    y = {24'd0, x};
    y = (y | y << 12) & 32'h000f000f;
    y = (y | y << 6) & 32'h03030303;
    y = (y | y << 3) & 32'h11111111;
    y = y | y << 1;
    spread_by_4 = y | y << 2;
  endfunction

  function automatic logic [31:0] spread_by_2(input logic [15:0] x);
    logic [31:0] y;
    y = {16'd0, x};
    y = (y | y << 8) & 32'h00ff00ff;
    y = (y | y << 4) & 32'h0f0f0f0f;
    y = (y | y << 2) & 32'h33333333;
    y = (y | y << 1) & 32'h55555555;
    spread_by_2 = y | y << 1;
  endfunction

  function automatic logic [127:0] words_to_bytes(input logic [31:0] x);
    words_to_bytes = {spread_by_4(x[31:24]), spread_by_4(x[23:16]),
                      spread_by_4(x[15:8]), spread_by_4(x[7:0])};
  endfunction

  function automatic logic [127:0] halves_to_bytes(input logic [63:0] x);
    halves_to_bytes = {spread_by_2(x[63:48]), spread_by_2(x[47:32]),
            spread_by_2(x[31:16]), spread_by_2(x[15:0])};
  endfunction

  always_ff @(posedge clk_i) begin
    if (load_d) begin
      w_row_o <= d_addr_q[17:7];
      w_wdata_o <= d_data_q[d_rd_q];
      w_be_o <= (cmd_i.out == 3'd1) ? words_to_bytes(row_end ? last_live_i : '1) :
                                      128'hffffffff << {d_addr_q[6:5], 5'd0};
    end
    if (load_sc) begin
      w_row_o <= sc_row_q[sc_out];
      w_wdata_o <= sc_buf_q[sc_out];
      w_be_o <= halves_to_bytes(sc_be_q[sc_out]);
    end
    if (load_r) begin
      w_row_o <= r_row_q;
      w_wdata_o <= r_buf_q;
      w_be_o <= words_to_bytes(r_be_q);
    end
  end

endmodule
