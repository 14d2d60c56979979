// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// LOAD: 2-D copies from memory to a scratchpad. Up to four commands are in flight; bursts of at
// most 1 KiB are issued in order, and answered in any order: each carries a tag that knows its
// place in the scratchpad.
module iau_load #(
  parameter int unsigned NumTags = 16
) (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               cmd_valid_i,
  input  iau_hw_pkg::load_t  cmd_i,
  input  logic [3:0]         cmd_idx_i,
  output logic               cmd_ready_o,
  input  logic               cancel_i,  // the job ends: nothing more is read
  output logic               done_o,
  output logic [3:0]         done_idx_o,
  output iau_hw_pkg::fault_e done_fault_o,
  output logic [63:0]        done_va_o,
  // An older store than the command at hand is under way: only constant pages may be read
  output logic [3:0]         head_idx_o,
  input  logic               store_pending_i,
  // translation
  output logic               tr_req_o,
  output logic [63:0]        tr_va_o,
  input  logic               tr_ack_i,
  input  logic [51:0]        tr_pa_i,
  input  logic               tr_c_i,
  input  iau_hw_pkg::fault_e tr_fault_i,
  // bursts
  output logic               ar_valid_o,
  output logic [51:0]        ar_addr_o,
  output logic [3:0]         ar_len_o,  // beats - 1
  output logic [3:0]         ar_tag_o,
  input  logic               ar_ready_i,
  input  logic               r_valid_i,
  input  logic [3:0]         r_tag_i,
  input  logic [511:0]       r_data_i,
  input  logic               r_err_i,
  output logic               r_ready_o,
  // scratchpad writes, words of 64 bytes; wr_tsp_o chooses the tile scratchpad
  output logic               wr_req_o,
  output logic               wr_tsp_o,
  output logic [11:0]        wr_addr_o,
  output logic [511:0]       wr_data_o,
  output logic [63:0]        wr_be_o,
  input  logic               wr_gnt_i
);
  import iau_hw_pkg::*;

  // Commands in flight ----------------------------------------------------------------------------
  typedef enum logic [1:0] {SlFree, SlQueued, SlIssued} slot_e;
  slot_e slot_q[4];
  load_t cmd_q[4];
  logic [3:0] idx_q[4];
  logic [4:0] busy_tags_q[4];
  fault_e fault_q[4];
  logic [63:0] fva_q[4];
  logic [1:0] in_q, head_q, out_q;

  assign cmd_ready_o = slot_q[in_q] == SlFree;
  assign head_idx_o = idx_q[head_q];

  // Burst generator: the row's next bytes up to a 1 KiB boundary ----------------------------------
  logic started_q;
  logic [63:0] va_q, row_va_q;
  logic [18:0] left_q;
  logic [15:0] rows_q;
  logic [24:0] dst_q, row_dst_q;
  load_t head;
  logic [10:0] room, take;
  logic [5:0] beats;
  logic tag_free, fire, last_burst, row_end;
  logic [3:0] tag;
  logic [NumTags-1:0] tag_busy_q;

  assign head = cmd_q[head_q];
  assign room = 11'd1024 - {1'b0, va_q[9:0]};
  assign take = left_q < 19'(room) ? left_q[10:0] : room;
  assign beats = 6'((12'(va_q[5:0]) + 12'(take) + 12'd63) >> 6);
  assign row_end = left_q == 19'(take);
  assign last_burst = row_end && rows_q == 16'd1;

  always_comb begin
    tag = '0;
    tag_free = 1'b0;
    for (int unsigned i = 0; i < NumTags; i++) begin
      if (!tag_busy_q[i]) begin
        tag = 4'(i);
        tag_free = 1'b1;
      end
    end
  end

  assign tr_req_o = started_q & tag_free & ~cancel_i;
  assign tr_va_o = va_q;
  assign ar_valid_o = tr_req_o & tr_ack_i & (tr_fault_i == FaultNone) &
                      (tr_c_i | ~store_pending_i);
  assign ar_addr_o = {tr_pa_i[51:6], 6'd0};
  assign ar_len_o = 4'(beats - 6'd1);
  assign ar_tag_o = tag;
  assign fire = ar_valid_o & ar_ready_i;
  logic stop;  // a fault ends the command
  assign stop = (tr_req_o & tr_ack_i & (tr_fault_i != FaultNone)) | (started_q & cancel_i);

  // Tags ------------------------------------------------------------------------------------------
  typedef struct packed {
    logic [1:0]  slot;
    logic [24:0] dst;
    logic [5:0]  skip;  // bytes of the first beat before the data
    logic [10:0] left;
  } tag_t;
  tag_t tag_q[NumTags];
  tag_t t;
  logic second_q;  // the beat's upper part, in the next word, is being written
  logic [6:0] whole, n, low;
  logic [24:0] at;
  logic [5:0] rot;
  logic two, beat_done, tag_done;
  logic [1023:0] doubled;

  assign t = tag_q[r_tag_i];
  assign whole = 7'd64 - {1'b0, t.skip};
  assign n = t.left < 11'(whole) ? t.left[6:0] : whole;
  assign low = 7'd64 - {1'b0, t.dst[5:0]};  // room in the first word
  assign two = n > low;
  assign at = second_q ? t.dst + 25'(low) : t.dst;
  assign rot = t.dst[5:0] - t.skip;
  assign doubled = {r_data_i, r_data_i} << {rot, 3'd0};
  assign wr_req_o = r_valid_i;
  assign wr_tsp_o = t.dst[24];
  assign wr_addr_o = at[17:6];
  assign wr_data_o = rot == 6'd0 ? r_data_i : doubled[1023:512];
  assign wr_be_o = second_q ? ~(64'hffff_ffff_ffff_ffff << (n - low)) :
                   (n == 7'd64 ? 64'hffff_ffff_ffff_ffff : ~(64'hffff_ffff_ffff_ffff << n)) <<
                   t.dst[5:0];
  assign beat_done = r_valid_i & wr_gnt_i & (~two | second_q);
  assign r_ready_o = wr_gnt_i & (~two | second_q);
  assign tag_done = beat_done & (t.left == 11'(n));

  always_ff @(posedge clk_i) begin
    if (fire) tag_q[tag] <= '{slot: head_q, dst: dst_q, skip: va_q[5:0], left: take};
    if (beat_done) begin
      tag_q[r_tag_i].dst <= t.dst + 25'(n);
      tag_q[r_tag_i].skip <= '0;
      tag_q[r_tag_i].left <= t.left - 11'(n);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      tag_busy_q <= '0;
      second_q <= 1'b0;
    end else begin
      if (fire) tag_busy_q[tag] <= 1'b1;
      if (tag_done) tag_busy_q[r_tag_i] <= 1'b0;
      if (r_valid_i & wr_gnt_i) second_q <= two & ~second_q;
    end
  end

  // Order -----------------------------------------------------------------------------------------
  logic empty;
  assign empty = head.rows == '0;
  assign done_o = slot_q[out_q] == SlIssued && busy_tags_q[out_q] == '0;
  assign done_idx_o = idx_q[out_q];
  assign done_fault_o = fault_q[out_q];
  assign done_va_o = fva_q[out_q];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      in_q <= '0;
      head_q <= '0;
      out_q <= '0;
      started_q <= 1'b0;
      va_q <= '0;
      row_va_q <= '0;
      left_q <= '0;
      rows_q <= '0;
      dst_q <= '0;
      row_dst_q <= '0;
    end else begin
      if (cmd_valid_i & cmd_ready_o) in_q <= in_q + 2'd1;
      if (done_o) out_q <= out_q + 2'd1;
      if (!started_q && slot_q[head_q] == SlQueued) begin
        if (empty) begin
          head_q <= head_q + 2'd1;
        end else begin
          started_q <= 1'b1;
          va_q <= head.va;
          row_va_q <= head.va;
          left_q <= head.row_bytes[18:0];
          rows_q <= head.rows[15:0];
          dst_q <= head.addr[24:0];
          row_dst_q <= head.addr[24:0];
        end
      end else if (stop || (fire && last_burst)) begin
        started_q <= 1'b0;
        head_q <= head_q + 2'd1;
      end else if (fire && row_end) begin
        va_q <= row_va_q + 64'(head.mem_stride);
        row_va_q <= row_va_q + 64'(head.mem_stride);
        dst_q <= row_dst_q + head.stride[24:0];
        row_dst_q <= row_dst_q + head.stride[24:0];
        left_q <= head.row_bytes[18:0];
        rows_q <= rows_q - 16'd1;
      end else if (fire) begin
        va_q <= va_q + 64'(take);
        dst_q <= dst_q + 25'(take);
        left_q <= left_q - 19'(take);
      end
    end
  end

  for (genvar s = 0; s < 4; s++) begin : gen_slot
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) begin
        slot_q[s] <= SlFree;
        busy_tags_q[s] <= '0;
        fault_q[s] <= FaultNone;
        fva_q[s] <= '0;
        idx_q[s] <= '0;
        cmd_q[s] <= '0;
      end else begin
        if (cmd_valid_i && cmd_ready_o && in_q == 2'(s)) begin
          slot_q[s] <= SlQueued;
          cmd_q[s] <= cmd_i;
          idx_q[s] <= cmd_idx_i;
          fault_q[s] <= FaultNone;
          fva_q[s] <= '0;
        end else if (done_o && out_q == 2'(s)) begin
          slot_q[s] <= SlFree;
        end else if (head_q == 2'(s) && ((slot_q[s] == SlQueued && !started_q && empty) ||
                                         stop || (fire && last_burst))) begin
          slot_q[s] <= SlIssued;
        end
        if (stop && head_q == 2'(s)) begin
          fault_q[s] <= tr_fault_i;
          fva_q[s] <= va_q;
        end else if (r_valid_i && r_err_i && t.slot == 2'(s) && fault_q[s] == FaultNone) begin
          fault_q[s] <= FaultBus;
          fva_q[s] <= cmd_q[s].va;
        end
        busy_tags_q[s] <= busy_tags_q[s] + 5'(fire && head_q == 2'(s)) -
                          5'(tag_done && t.slot == 2'(s));
      end
    end
  end
endmodule
