// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The commands that wait for one unit, in order: the next one with what it still waits for, and a
// queue behind it. Only the next one follows what is done; when another takes its place, entries of
// its list that have retired, or belong to younger commands by now, are taken off.
module iau_window_unit (
  input  logic         clk_i,
  input  logic         rst_ni,
  input  logic         clear_i,
  input  logic [4:0]   head_i,     // oldest entry of the window
  input  logic [31:0]  pending_i,  // entries that are not done
  input  logic [31:0]  done_i,     // of them, those that are done in this cycle
  input  logic         enter_i,
  input  logic [4:0]   idx_i,
  input  logic [31:0]  dep_i,      // entries that it waits for
  input  logic [511:0] cmd_i,
  output logic         full_o,
  input  logic         issue_i,
  output logic         have_o,
  output logic         free_o,     // waits for nothing
  output logic [4:0]   idx_o,
  output logic [511:0] cmd_o
);
  localparam int unsigned Depth = 8;

  logic [511:0] fcmd_q[Depth];
  logic [31:0] fdep_q[Depth];
  logic [4:0] fidx_q[Depth];
  logic [2:0] rd_q, wr_q;
  logic [3:0] n_q;
  logic [31:0] dep_q;

  assign full_o = n_q == 4'(Depth);
  assign free_o = dep_q == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      have_o <= 1'b0;
      rd_q <= '0;
      wr_q <= '0;
      n_q <= '0;
    end else begin : gen_move
      logic pass, push, pop;
      pop = issue_i & (n_q != '0);
      pass = enter_i & (n_q == '0) & (~have_o | issue_i);
      push = enter_i & ~pass;
      if (pop) rd_q <= rd_q + 3'd1;
      if (push) wr_q <= wr_q + 3'd1;
      if (pop ^ push) n_q <= push ? n_q + 4'd1 : n_q - 4'd1;
      have_o <= pass | pop | (have_o & ~issue_i);
      if (clear_i) begin
        have_o <= 1'b0;
        rd_q <= '0;
        wr_q <= '0;
        n_q <= '0;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (enter_i) begin
      // whether it takes the free place or not
      fcmd_q[wr_q] <= cmd_i;
      fdep_q[wr_q] <= dep_i;
      fidx_q[wr_q] <= idx_i;
    end
    if (enter_i & (n_q == '0) & (~have_o | issue_i)) begin
      cmd_o <= cmd_i;
      dep_q <= dep_i;
      idx_o <= idx_i;
    end else if (issue_i & (n_q != '0)) begin : gen_pop
      logic [63:0] age;
      age = {32'd0, ~(32'hffff_ffff << (fidx_q[rd_q] - head_i))} << head_i;
      cmd_o <= fcmd_q[rd_q];
      dep_q <= fdep_q[rd_q] & pending_i & ~done_i & (age[63:32] | age[31:0]);
      idx_o <= fidx_q[rd_q];
    end else if (done_i != '0) begin
      dep_q <= dep_q & ~done_i;
    end
  end
endmodule
