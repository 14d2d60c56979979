// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// TOPK: the columns of the COUNT largest values. The least of them is found bit by bit: a pass over the
// values counts how many reach the bits known so far and a one, 32 values a cycle, and as soon as just
// COUNT of them do there is no need for more bits. Another pass then writes where they lie, which a table
// may say.
//
// Values are compared as reductions of the vector unit do, by keys whose order is that of integers.
module iau_topk (
  input  logic              clk_i,
  input  logic              rst_ni,
  input  logic              cmd_valid_i,
  /* verilator lint_off UNUSEDSIGNAL */
  // checked: addresses and sizes fit the scratchpad
  input  iau_hw_pkg::topk_t cmd_i,
  /* verilator lint_on UNUSEDSIGNAL */
  output logic              cmd_ready_o,
  output logic              done_o,
  // read of the vector scratchpad: data come the cycle after the grant
  output logic              rd_req_o,
  output logic [10:0]       rd_row_o,
  input  logic              rd_gnt_i,
  input  logic [1023:0]     rd_data_i,
  // writes of the vector scratchpad: a word of the 64 bytes at WR_ADDR_O
  output logic              wr_req_o,
  output logic [11:0]       wr_addr_o,
  output logic [31:0]       wr_data_o,
  output logic [63:0]       wr_be_o,
  input  logic              wr_gnt_i
);
  typedef enum logic [1:0] {Idle, Scan, Emit} state_e;
  state_e state_q;

  logic [15:0] n_q, count_q, first_q, tail_q;  // TAIL: the first of the last columns
  logic [3:0] shift_q;
  logic [31:0] lo_q, hi_q;
  logic [10:0] base_q;
  logic [15:0] at_q;   // of the next word written, in words
  // The table, in words; its word of the column at hand is asked for, is here
  logic table_q, word_req, word_q;
  logic [15:0] table_at_q, word_at;

  // Scan: the bits known, the next one, columns greater than the key that is sought
  logic [31:0] key_q, bit_q, try_key;
  logic [15:0] above_q, sum_q;
  logic exact;
  // The row that is asked for next, the one whose data are here, its keys reduced to a bit each
  logic [11:0] row_q, rows;
  logic here_q, here_last_q, mask_valid_q, mask_last_q, sum_last_q;
  logic [10:0] here_row_q;
  logic [31:0] mask_q;
  // Emit: columns of the row at hand that are left, those equal to the key, how many of those to take
  logic [31:0] left_q, equal_q, pick;
  logic [15:0] quota_q, todo_q, column_q;
  logic [10:0] left_row_q;
  logic column_valid_q, step, emit, row_req;
  logic [4:0] lane;

  assign cmd_ready_o = state_q == Idle;
  assign rows = 12'((17'(n_q) + 17'd31) >> 5);
  assign try_key = key_q | bit_q;
  assign word_at = table_at_q + column_q;
  always_comb begin
    word_req = 1'b0;
    row_req = 1'b0;
    if (state_q != Idle) begin
      if (state_q == Scan) begin
        row_req = row_q != rows;
      end else begin
        word_req = table_q & column_valid_q & ~word_q & (~wr_req_o | wr_gnt_i);
        row_req = row_q != rows & left_q == '0 & ~here_q & todo_q != '0 & ~word_req;
      end
    end
  end
  assign rd_row_o = word_req ? word_at[15:5] : base_q + row_q[10:0];
  assign rd_req_o = row_req | word_req;
  assign exact = sum_q == count_q;
  always_comb begin
    step = 1'b0;
    emit = 1'b0;
    if (state_q == Emit) begin
      step = table_q ? ~column_valid_q | word_q : ~wr_req_o | wr_gnt_i;
      emit = column_valid_q & (table_q ? word_q : step);
    end
  end
  assign done_o = state_q == Emit & todo_q == '0 & ~column_valid_q & ~wr_req_o;

  /// The key of column C, whose value is X: of the first and last ones the greatest
  function automatic logic [31:0] column_key(input logic [15:0] c, input logic [31:0] x,
                                             input logic [15:0] first, input logic [15:0] tail);
    column_key = c < first || c >= tail ? 32'hffffffff : iau_sfu_pkg::fp_order_key(x);
  endfunction

  // The lowest column that is left
  always_comb begin
    lane = '0;
    if (left_q != '0)
      for (int unsigned l = 32; l > 0; l--) if (left_q[l-1]) lane = 5'(l - 1);
    pick = 32'd1 << lane;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= Idle;
      here_q <= 1'b0;
      word_q <= 1'b0;
      mask_valid_q <= 1'b0;
      sum_last_q <= 1'b0;
      column_valid_q <= 1'b0;
      wr_req_o <= 1'b0;
      row_q <= '0;
    end else begin
      here_q <= row_req & rd_gnt_i;
      word_q <= word_req & rd_gnt_i;
      mask_valid_q <= here_q & state_q == Scan;
      sum_last_q <= mask_valid_q & mask_last_q;
      if (row_req & rd_gnt_i) row_q <= row_q + 12'd1;
      case (state_q)
        Idle:
        if (cmd_valid_i) begin
          state_q <= cmd_i.count < cmd_i.n && cmd_i.count != '0 ? Scan : Emit;
          row_q <= '0;
        end
        Scan:
        if (sum_last_q) begin
          row_q <= '0;
          if (exact || bit_q[0]) state_q <= Emit;
        end
        default: begin
          if (step) column_valid_q <= left_q != '0;
          if (emit) wr_req_o <= 1'b1;
          else if (wr_gnt_i) wr_req_o <= 1'b0;
          if (done_o) state_q <= Idle;
        end
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == Idle && cmd_valid_i) begin
      left_q <= '0;
      n_q <= cmd_i.n;
      count_q <= cmd_i.count;
      first_q <= cmd_i.first;
      tail_q <= cmd_i.last < cmd_i.n ? cmd_i.n - cmd_i.last : 16'd0;
      shift_q <= cmd_i.shift;
      lo_q <= cmd_i.lo;
      hi_q <= cmd_i.hi;
      base_q <= cmd_i.a_addr[17:7];
      at_q <= cmd_i.d_addr[17:2];
      table_q <= cmd_i.by_table;
      table_at_q <= cmd_i.t_addr[17:2];
      key_q <= '0;
      bit_q <= 32'h80000000;
      above_q <= '0;
      sum_q <= '0;
      // if all are chosen, as many as there are, whatever their keys
      quota_q <= cmd_i.n;
      todo_q <= cmd_i.count < cmd_i.n ? cmd_i.count : cmd_i.n;
    end
    here_row_q <= row_q[10:0];
    here_last_q <= row_q + 12'd1 == rows;
    if (state_q == Scan) begin
      if (here_q) begin
        for (int unsigned l = 0; l < 32; l++) begin
          mask_q[l] <= {here_row_q, l[4:0]} < n_q &&
              column_key({here_row_q, l[4:0]}, rd_data_i[32*l+:32], first_q, tail_q) >= try_key;
        end
      end
      mask_last_q <= here_last_q;
      if (mask_valid_q) sum_q <= sum_q + 16'($countones(mask_q));
      if (sum_last_q) begin
        sum_q <= '0;
        bit_q <= bit_q >> 1;
        if (sum_q >= count_q) key_q <= try_key;
        else above_q <= sum_q;
        // of those equal to the last key; if it was found sooner, all that reach it
        quota_q <= exact ? count_q : count_q - (sum_q >= count_q ? above_q : sum_q);
      end
    end
    if (state_q == Emit) begin
      // no row is asked for until the last one has nothing left
      if (here_q) begin
        for (int unsigned l = 0; l < 32; l++) begin
          left_q[l] <= {here_row_q, l[4:0]} < n_q &&
              column_key({here_row_q, l[4:0]}, rd_data_i[32*l+:32], first_q, tail_q) >=
              key_q + 32'(quota_q == '0);
          equal_q[l] <=
              column_key({here_row_q, l[4:0]}, rd_data_i[32*l+:32], first_q, tail_q) == key_q;
        end
        left_row_q <= here_row_q;
      end else if (left_q != '0 && step) begin
        left_q <= (left_q & ~pick) & ~(|(equal_q & pick) && quota_q == 16'd1 ? equal_q : '0);
        column_q <= {left_row_q, lane};
        todo_q <= todo_q - 16'd1;
        if (|(equal_q & pick)) quota_q <= quota_q - 16'd1;
      end
      if (emit) begin
        wr_data_o <= table_q ? rd_data_i[{word_at[4:0], 5'd0}+:32] :
                     (32'(column_q) >> shift_q) * hi_q +
                     (32'(column_q) & ~(32'hffffffff << shift_q)) * lo_q;
        wr_addr_o <= at_q[15:4];
        wr_be_o <= 64'hf << {at_q[3:0], 2'd0};
        at_q <= at_q + 16'd1;
      end
    end
  end
endmodule
