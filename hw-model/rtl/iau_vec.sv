// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The vector unit: executes VEC commands, one at a time, a vector of 32 columns a cycle.
//
// Commands are legal: they were checked. Reads run ahead of writes, so an operand may share memory
// with D only where it is read element by element in the order in which D is written.
module iau_vec (
  input  logic          clk_i,
  input  logic          rst_ni,

  input  logic          cmd_valid_i,
  input  iau_hw_pkg::vec_t cmd_i,
  output logic          cmd_ready_o,
  output logic          done_o,  // all writes of the command are performed
  output logic          busy_o,  // a vector was issued

  // Vector scratchpad: rows of 128 bytes. Data follows a grant by one cycle.
  output logic          a_req_o,
  output logic [10:0]   a_row_o,
  input  logic          a_gnt_i,
  input  logic [1023:0] a_rdata_i,
  output logic          b_req_o,
  output logic [10:0]   b_row_o,
  input  logic          b_gnt_i,
  input  logic [1023:0] b_rdata_i,
  output logic          s_req_o,
  output logic [10:0]   s_row_o,
  input  logic          s_gnt_i,
  input  logic [1023:0] s_rdata_i,
  output logic          w_req_o,
  output logic [10:0]   w_row_o,
  output logic [1023:0] w_wdata_o,
  output logic [127:0]  w_be_o,
  input  logic          w_gnt_i
);

  iau_hw_pkg::vec_t cmd_q;
  logic        running_q, use_b_q;
  logic [31:0] last_live_q;
  logic        start, issuing, lanes_busy, drain, written;
  logic [4:0]  last_lanes;

  assign cmd_ready_o = ~running_q;
  assign start = cmd_valid_i & cmd_ready_o;
  assign last_lanes = cmd_i.cols[4:0] - 5'd1;

  // The pipeline moves when what it holds near its end has room in the queues behind it.
  logic       adv_q, adv_next, vec_valid;
  logic       d_next, d_valid, r_next, r_valid;
  logic [2:0] d_count, r_count;

  assign adv_next = (d_count + 3'(d_valid) + 3'(d_next) < 3'd4) &
                    (r_count + 3'(r_valid) + 3'(r_next) < 3'd4);
  assign drain = ~issuing & ~vec_valid & ~lanes_busy & ~d_valid & ~r_valid;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      running_q <= 1'b0;
      adv_q <= 1'b0;
      done_o <= 1'b0;
    end else begin
      adv_q <= adv_next;
      done_o <= running_q & drain & written;
      if (start) running_q <= 1'b1;
      else if (drain & written) running_q <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start) begin
      cmd_q <= cmd_i;
      use_b_q <= (cmd_i.m1 == 3'd3) | (cmd_i.a1 == 2'd3) | (cmd_i.m2 == 2'd3);
      last_live_q <= 32'hffffffff >> (5'd31 - last_lanes);
    end
  end

  logic        old_pop, vec_first, vec_last, a_capture, a_held, b_capture, b_held;
  logic [1:0]  vec_quarter;
  logic [4:0]  vec_word;
  logic [31:0] vec_s, vec_masked, d_scale;
  logic [63:0] old, r_data;
  logic [1023:0] d_data;

  iau_vec_issue u_issue (
    .clk_i,
    .rst_ni,
    .start_i      (start),
    .start_cmd_i  (cmd_i),
    .cmd_i        (cmd_q),
    .use_b_i      (use_b_q),
    .adv_next_i   (adv_next),
    .active_o     (issuing),
    .issue_o      (busy_o),
    .a_req_o,
    .a_row_o,
    .a_gnt_i,
    .b_req_o,
    .b_row_o,
    .b_gnt_i,
    .s_req_o,
    .s_row_o,
    .s_gnt_i,
    .s_rdata_i,
    .vec_valid_o  (vec_valid),
    .vec_first_o  (vec_first),
    .vec_last_o   (vec_last),
    .vec_quarter_o(vec_quarter),
    .vec_word_o   (vec_word),
    .vec_s_o      (vec_s),
    .vec_masked_o (vec_masked),
    .a_capture_o  (a_capture),
    .a_held_o     (a_held),
    .b_capture_o  (b_capture),
    .b_held_o     (b_held),
    .old_pop_i    (old_pop),
    .old_o        (old)
  );

  iau_vec_lanes u_lanes (
    .clk_i,
    .rst_ni,
    .adv_i        (adv_q),
    .cmd_i        (cmd_q),
    .use_b_i      (use_b_q),
    .last_live_i  (last_live_q),
    .vec_valid_i  (vec_valid),
    .vec_first_i  (vec_first),
    .vec_last_i   (vec_last),
    .vec_quarter_i(vec_quarter),
    .vec_word_i   (vec_word),
    .vec_s_i      (vec_s),
    .vec_masked_i (vec_masked),
    .a_capture_i  (a_capture),
    .a_held_i     (a_held),
    .a_rdata_i,
    .b_capture_i  (b_capture),
    .b_held_i     (b_held),
    .b_rdata_i,
    .d_next_o     (d_next),
    .d_valid_o    (d_valid),
    .d_data_o     (d_data),
    .d_scale_o    (d_scale),
    .r_next_o     (r_next),
    .r_valid_o    (r_valid),
    .r_data_o     (r_data),
    .old_pop_o    (old_pop),
    .old_i        (old),
    .busy_o       (lanes_busy)
  );

  iau_vec_write u_write (
    .clk_i,
    .rst_ni,
    .start_i      (start),
    .start_cmd_i  (cmd_i),
    .cmd_i        (cmd_q),
    .last_live_i  (last_live_q),
    .drain_i      (drain),
    .empty_o      (written),
    .d_count_o    (d_count),
    .r_count_o    (r_count),
    .d_valid_i    (d_valid),
    .d_data_i     (d_data),
    .d_scale_i    (d_scale),
    .r_valid_i    (r_valid),
    .r_data_i     (r_data),
    .w_req_o,
    .w_row_o,
    .w_wdata_o,
    .w_be_o,
    .w_gnt_i
  );

endmodule
