// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// LOAD: 2-D copies from memory to a scratchpad. Up to eight commands are in flight; bursts of at
// most 1 KiB are issued in order, and answered in any order: each carries a tag that knows its
// place in the scratchpad. Beats of 4-bit rows become two words of the tile scratchpad each.
module iau_load (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               cmd_valid_i,
  /* verilator lint_off UNUSEDSIGNAL */
  // checked: addresses and sizes fit the scratchpads
  input  iau_hw_pkg::load_t  cmd_i,
  /* verilator lint_on UNUSEDSIGNAL */
  input  logic [4:0]         cmd_idx_i,
  output logic               cmd_ready_o,
  output logic               busy_o,
  input  logic               cancel_i,  // the job ends: nothing more is read
  output logic               done_o,
  output logic [4:0]         done_idx_o,
  output iau_hw_pkg::fault_e done_fault_o,
  output logic [63:0]        done_va_o,
  output logic [18:0]        done_bytes_o,  // that were read
  // An older store than the command at hand is under way: only constant pages may be read
  output logic [4:0]         head_idx_o,
  input  logic               store_pending_i,
  // translation
  output logic               tr_req_o,
  output logic [63:0]        tr_va_o,
  input  logic               tr_ack_i,
  input  logic [51:0]        tr_pa_i,
  input  logic               tr_c_i,
  input  iau_hw_pkg::fault_e tr_fault_i,
  // read of lists in the vector scratchpad: data come the cycle after the grant
  output logic               rd_req_o,
  output logic [10:0]        rd_row_o,
  input  logic               rd_gnt_i,
  input  logic [1023:0]      rd_data_i,
  // where a command that waits, or a row of a list, will begin
  output logic               soon_o,
  output logic [63:0]        soon_va_o,
  input  logic               soon_take_i,
  // bursts
  output logic               ar_valid_o,
  output logic [51:0]        ar_addr_o,
  output logic [3:0]         ar_len_o,  // beats - 1
  output logic [4:0]         ar_tag_o,
  input  logic               ar_ready_i,
  input  logic               r_valid_i,
  input  logic [4:0]         r_tag_i,
  input  logic [511:0]       r_data_i,
  input  logic               r_err_i,
  output logic               r_ready_o,
  // scratchpad writes, words of 64 bytes; wr_tsp_o chooses the tile scratchpad, which takes two at once
  output logic               wr_req_o,
  output logic               wr_tsp_o,
  output logic               wr_two_o,
  output logic [11:0]        wr_addr_o,
  output logic [511:0]       wr_data_o,
  output logic [511:0]       wr_data2_o,
  output logic [63:0]        wr_be_o,
  input  logic               wr_gnt_i
);

  // Commands in flight: slots are filled, read out and finished in turn.
  /* verilator lint_off UNUSEDSIGNAL */
  iau_hw_pkg::load_t cmd_q[8];
  /* verilator lint_on UNUSEDSIGNAL */
  logic [7:0] queued_q, issued_q;
  logic [4:0] idx_q[8];
  logic [7:0][5:0] busy_q;  // bursts of the slot that are not yet written
  logic [63:0] slot_va_q[8];
  iau_hw_pkg::fault_e fault_q[8];
  logic [63:0] fva_q[8];
  logic [18:0] slot_bytes_q[8];
  logic [2:0] in_q, head_q, out_q;

  assign cmd_ready_o = ~(queued_q[in_q] | issued_q[in_q]);
  assign busy_o = (queued_q | issued_q) != '0;
  assign head_idx_o = idx_q[head_q];
  assign done_o = issued_q[out_q] & (busy_q[out_q] == '0);
  assign done_idx_o = idx_q[out_q];
  assign done_fault_o = fault_q[out_q];
  assign done_va_o = fva_q[out_q];
  assign done_bytes_o = slot_bytes_q[out_q];

  logic [2:0] look;
  logic row_valid, row_packed, row_take, stop;
  logic [63:0] row_va;

  iau_load_rows u_rows (
    .clk_i, .rst_ni,
    .enter_i     (cmd_valid_i & cmd_ready_o),
    .enter_slot_i(in_q),
    .head_i      (head_q),
    .stop_i      (stop),
    .cancel_i,
    .queued_i    (queued_q),
    .live_i      (queued_q | issued_q),
    .slot_o      (look),
    .cmd_i       (cmd_q[look]),
    .rd_req_o, .rd_row_o, .rd_gnt_i, .rd_data_i,
    .soon_o, .soon_va_o, .soon_take_i,
    .row_valid_o (row_valid),
    .row_va_o    (row_va),
    .row_packed_o(row_packed),
    .row_take_i  (row_take)
  );

  // Burst generator: the row's next bytes up to a 1 KiB boundary ----------------------------------
  /* verilator lint_off UNUSEDSIGNAL */
  iau_hw_pkg::load_t head;
  /* verilator lint_on UNUSEDSIGNAL */
  logic started_q, have_q, const_q;
  logic wait_q;    // for the row's place in a list
  logic packed_q;  // the row has 4 bits an element
  logic [63:0] va_q, row_va_q;
  logic [39:0] ppn_q;
  logic [18:0] left_q;
  logic [15:0] rows_q;
  logic [24:0] dst_q, row_dst_q;
  logic [10:0] room, take;
  logic [31:0] tag_busy_q;
  logic [4:0] tag_q;
  logic fire, row_end, last, next_row, next_packed;
  logic [63:0] next_va;
  logic [18:0] next_left, bytes_q;

  assign head = cmd_q[head_q];
  assign room = 11'd1024 - {1'b0, va_q[9:0]};
  assign tr_va_o = va_q;
  assign ar_addr_o = {ppn_q, va_q[11:6], 6'd0};
  assign ar_tag_o = tag_q;
  // what a command asks for once it is started
  always_comb begin
    tr_req_o = 1'b0;
    ar_valid_o = 1'b0;
    if (started_q & ~cancel_i) begin
      tr_req_o = ~have_q & ~wait_q;
      ar_valid_o = have_q & ~tag_busy_q[tag_q] & (const_q | ~store_pending_i);
    end
    take = '0;
    row_end = 1'b0;
    ar_len_o = '0;
    if (ar_valid_o) begin
      take = left_q < 19'(room) ? left_q[10:0] : room;
      row_end = left_q == 19'(take);
      ar_len_o = 4'(((12'(va_q[5:0]) + 12'(take) + 12'd63) >> 6) - 12'd1);
    end
  end
  // what comes of it
  always_comb begin
    fire = 1'b0;
    stop = 1'b0;
    last = 1'b0;
    next_row = 1'b0;
    if (started_q) begin
      fire = ar_valid_o & ar_ready_i;
      // a fault or the end of the job ends the command
      stop = (tr_req_o & tr_ack_i & (tr_fault_i != iau_hw_pkg::FaultNone)) | cancel_i;
      last = stop | (fire & row_end & (rows_q == 16'd1));
      next_row = wait_q | (fire & row_end & (rows_q != 16'd1));
    end else if (queued_q[head_q]) begin
      last = head.rows == '0;
      next_row = ~last;
    end
    row_take = 1'b0;
    next_va = '0;
    next_packed = 1'b0;
    next_left = '0;
    if (next_row) begin
      row_take = head.by_list & row_valid;
      next_va = head.by_list ? row_va : started_q ? row_va_q + 64'(head.mem_stride) : head.va;
      next_packed = head.unpack & (~head.by_list | row_packed);
      next_left = next_packed ? {1'b0, head.row_bytes[18:1]} : head.row_bytes[18:0];
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      in_q <= '0;
      head_q <= '0;
      out_q <= '0;
      started_q <= 1'b0;
      have_q <= 1'b0;
      wait_q <= 1'b0;
      packed_q <= 1'b0;
      const_q <= 1'b0;
      va_q <= '0;
      row_va_q <= '0;
      ppn_q <= '0;
      left_q <= '0;
      rows_q <= '0;
      dst_q <= '0;
      row_dst_q <= '0;
      tag_q <= '0;
      bytes_q <= '0;
      queued_q <= '0;
      issued_q <= '0;
    end else begin
      if (cmd_valid_i & cmd_ready_o) begin
        in_q <= in_q + 3'd1;
        queued_q[in_q] <= 1'b1;
      end
      if (done_o) begin
        out_q <= out_q + 3'd1;
        issued_q[out_q] <= 1'b0;
      end
      if (last) begin
        started_q <= 1'b0;
        head_q <= head_q + 3'd1;
        queued_q[head_q] <= 1'b0;
        issued_q[head_q] <= 1'b1;
      end
      if (next_row) begin
        va_q <= next_va;
        row_va_q <= next_va;
        left_q <= next_left;
        packed_q <= next_packed;
        wait_q <= head.by_list & ~row_valid;
        have_q <= 1'b0;
      end
      if (!started_q) begin
        if (next_row) begin
          started_q <= 1'b1;
          rows_q <= head.rows[15:0];
          dst_q <= head.addr[24:0];
          row_dst_q <= head.addr[24:0];
          bytes_q <= '0;
        end
      end else if (tr_req_o & tr_ack_i) begin
        have_q <= 1'b1;
        ppn_q <= tr_pa_i[51:12];
        const_q <= tr_c_i;
      end else if (fire) begin
        tag_q <= tag_q + 5'd1;
        bytes_q <= bytes_q + 19'(take);
        if (row_end) begin
          dst_q <= row_dst_q + head.stride[24:0];
          row_dst_q <= row_dst_q + head.stride[24:0];
          rows_q <= rows_q - 16'd1;
        end else begin
          va_q <= va_q + 64'(take);
          dst_q <= dst_q + (packed_q ? {13'd0, take, 1'b0} : 25'(take));
          left_q <= left_q - 19'(take);
          have_q <= va_q[11:10] != 2'd3;
        end
      end
    end
  end

  // Answers: a beat is rotated into place and written in one or two words -------------------------
  logic [2:0] tag_slot_q[32];
  logic [24:0] tag_dst_q[32];
  logic [5:0] tag_rot_q[32];   // from a beat's bytes to their places in a word
  logic [6:0] tag_n_q[32];     // bytes of the next beat that are data
  logic [10:0] tag_left_q[32];
  logic [31:0] tag_packed_q;
  logic wv_q, two_q, second_q, wlast_q, accept, freed;
  logic [2:0] wslot_q;
  logic [11:0] waddr_q;
  logic [5:0] woff_q;
  logic [6:0] wn_q;

  assign wr_req_o = wv_q;
  assign wr_addr_o = waddr_q + 12'(second_q);
  assign freed = wv_q & wr_gnt_i & (~two_q | second_q);
  assign r_ready_o = ~wv_q | freed;
  assign accept = r_valid_i & r_ready_o;

  logic [24:0] t_dst;
  logic [10:0] t_left, next_t_left;
  logic t_packed;
  logic [6:0] n, low;
  assign t_dst = tag_dst_q[r_tag_i];
  assign t_left = tag_left_q[r_tag_i];
  assign t_packed = tag_packed_q[r_tag_i];
  assign n = tag_n_q[r_tag_i];
  assign next_t_left = t_left - 11'(n);
  assign low = 7'd64 - {1'b0, t_dst[5:0]};  // room in the first word

  // From the places of the bytes in two words those of the one at hand
  logic [63:0] be;
  assign be = iau_mem_pkg::bytes(6'd0, wn_q);
  assign wr_be_o = second_q ? (be >> 1) >> ~woff_q : be << woff_q;

  // The first beat of a burst has bytes before the data.
  logic [6:0] first_room, first_n;
  assign first_room = 7'd64 - {1'b0, va_q[5:0]};
  assign first_n = take < 11'(first_room) ? take[6:0] : first_room;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wv_q <= 1'b0;
      two_q <= 1'b0;
      second_q <= 1'b0;
      tag_busy_q <= '0;
    end else begin
      if (wv_q & wr_gnt_i) second_q <= two_q & ~second_q;
      if (accept) begin
        wv_q <= 1'b1;
        two_q <= n > low;  // not if expanded: such a beat lies at the start of a word
      end else if (freed) begin
        wv_q <= 1'b0;
      end
      if (fire) tag_busy_q[tag_q] <= 1'b1;
      if (accept & (next_t_left == '0)) tag_busy_q[r_tag_i] <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (accept) begin
      wr_tsp_o <= t_dst[24];
      wr_two_o <= t_packed;
      waddr_q <= t_dst[17:6];
      if (t_packed) begin
        wr_data_o <= iau_mem_pkg::unpack(r_data_i, 1'b0);
        wr_data2_o <= iau_mem_pkg::unpack(r_data_i, 1'b1);
      end else begin
        wr_data_o <= iau_mem_pkg::rotate(r_data_i, tag_rot_q[r_tag_i]);
      end
      woff_q <= t_dst[5:0];
      wn_q <= n;
      wlast_q <= next_t_left == '0;
      wslot_q <= tag_slot_q[r_tag_i];
    end
  end

  always_ff @(posedge clk_i) begin
    if (accept) begin
      if (r_err_i && fault_q[tag_slot_q[r_tag_i]] == iau_hw_pkg::FaultNone) begin
        fault_q[tag_slot_q[r_tag_i]] <= iau_hw_pkg::FaultBus;
        fva_q[tag_slot_q[r_tag_i]] <= slot_va_q[tag_slot_q[r_tag_i]];
      end
      tag_dst_q[r_tag_i] <= t_dst + (t_packed ? 25'd128 : 25'(n));
      tag_n_q[r_tag_i] <= next_t_left[10:6] == '0 ? {1'b0, next_t_left[5:0]} : 7'd64;
      tag_left_q[r_tag_i] <= next_t_left;
    end
    if (fire) begin
      tag_slot_q[tag_q] <= head_q;
      tag_dst_q[tag_q] <= dst_q;
      tag_rot_q[tag_q] <= dst_q[5:0] - va_q[5:0];
      tag_n_q[tag_q] <= first_n;
      tag_left_q[tag_q] <= take;
      tag_packed_q[tag_q] <= packed_q;
    end
    if (last) slot_bytes_q[head_q] <= started_q ? bytes_q + (fire ? 19'(take) : 19'd0) : '0;
    if (stop) begin
      fault_q[head_q] <= tr_fault_i;
      fva_q[head_q] <= va_q;
    end
    if (cmd_valid_i & cmd_ready_o) begin
      cmd_q[in_q] <= cmd_i;
      idx_q[in_q] <= cmd_idx_i;
      fault_q[in_q] <= iau_hw_pkg::FaultNone;
      fva_q[in_q] <= '0;
      slot_va_q[in_q] <= cmd_i.va;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      busy_q <= '0;
    end else if (fire | (freed & wlast_q)) begin
      for (int unsigned s = 0; s < 8; s++) begin
        if ((fire & (head_q == 3'(s))) ^ (freed & wlast_q & (wslot_q == 3'(s))))
          busy_q[s] <= fire & (head_q == 3'(s)) ? busy_q[s] + 6'd1 : busy_q[s] - 6'd1;
      end
    end
  end
endmodule
