// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// STORE and STAMP: 2-D copies from the vector scratchpad to memory, a 64-byte beat of memory at a
// time, in order. A command ends when every write is answered.
module iau_store (
  input  logic               clk_i,
  input  logic               rst_ni,
  input  logic               cmd_valid_i,
  input  iau_hw_pkg::store_t cmd_i,
  input  logic               cmd_stamp_i,
  input  logic [63:0]        cycle_i,
  output logic               cmd_ready_o,
  output logic               done_o,
  output iau_hw_pkg::fault_e done_fault_o,
  output logic [63:0]        done_va_o,
  output logic               tr_req_o,
  output logic [63:0]        tr_va_o,
  input  logic               tr_ack_i,
  input  logic [51:0]        tr_pa_i,
  input  logic               tr_w_i,
  input  iau_hw_pkg::fault_e tr_fault_i,
  output logic               rd_req_o,
  output logic [10:0]        rd_row_o,
  input  logic               rd_gnt_i,
  input  logic [1023:0]      rd_data_i,
  output logic               w_valid_o,
  output logic [51:0]        w_addr_o,
  output logic [511:0]       w_data_o,
  output logic [63:0]        w_strb_o,
  input  logic               w_ready_i,
  input  logic               b_valid_i,
  input  logic               b_err_i
);
  import iau_hw_pkg::*;

  typedef enum logic [2:0] {StIdle, StTranslate, StRead, StReadWait, StRead2, StRead2Wait, StWrite,
                            StDrain} state_e;
  state_e state_q;
  store_t cmd_q;
  logic stamp_q;
  logic [63:0] stamp_val_q, va_q, row_va_q;
  logic [17:0] src_q, row_src_q;
  logic [18:0] left_q;
  logic [15:0] rows_q;
  logic [51:0] pa_q;
  logic [7:0] pending_q;
  fault_e fault_q;
  logic [63:0] fva_q;
  logic [511:0] data_q;

  // bytes of this beat, and of the first scratchpad word
  logic [6:0] room, n, low;
  logic [511:0] word;
  logic [5:0] rot;
  logic [1023:0] doubled;
  assign room = 7'd64 - {1'b0, va_q[5:0]};
  assign n = left_q < 19'(room) ? left_q[6:0] : room;
  assign low = 7'd64 - {1'b0, src_q[5:0]};
  assign word = (state_q == StRead2Wait ? src2[6] : src_q[6]) ? rd_data_i[1023:512] :
                rd_data_i[511:0];
  assign rot = va_q[5:0] - src_q[5:0];
  assign doubled = {word, word} << {rot, 3'd0};

  logic [17:0] src2;
  assign src2 = src_q + 18'(low);
  assign cmd_ready_o = state_q == StIdle;
  assign tr_req_o = state_q == StTranslate;
  assign tr_va_o = va_q;
  assign rd_req_o = state_q == StRead || state_q == StRead2;
  assign rd_row_o = state_q == StRead2 ? src2[17:7] : src_q[17:7];
  assign w_valid_o = state_q == StWrite && pending_q != 8'd255;
  assign w_addr_o = {pa_q[51:6], 6'd0};
  assign w_data_o = stamp_q ? {8{stamp_val_q}} : data_q;
  assign w_strb_o = (n == 7'd64 ? 64'hffff_ffff_ffff_ffff : ~(64'hffff_ffff_ffff_ffff << n)) <<
                    va_q[5:0];
  assign done_o = state_q == StDrain && pending_q == '0;
  assign done_fault_o = fault_q;
  assign done_va_o = fva_q;

  // byte lanes of the beat that come from the second word
  logic [511:0] second_mask;
  logic [6:0] cut;
  assign cut = {1'b0, va_q[5:0]} + low;
  assign second_mask = 512'({512{1'b1}}) << {cut, 3'd0};

  logic row_end, wrote;
  assign row_end = left_q == 19'(n);
  assign wrote = w_valid_o & w_ready_i;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      cmd_q <= '0;
      stamp_q <= 1'b0;
      stamp_val_q <= '0;
      va_q <= '0;
      row_va_q <= '0;
      src_q <= '0;
      row_src_q <= '0;
      left_q <= '0;
      rows_q <= '0;
      pa_q <= '0;
      pending_q <= '0;
      fault_q <= FaultNone;
      fva_q <= '0;
      data_q <= '0;
    end else begin
      pending_q <= pending_q + 8'(wrote) - 8'(b_valid_i);
      if (b_valid_i && b_err_i && fault_q == FaultNone) begin
        fault_q <= FaultBus;
        fva_q <= cmd_q.va;
      end
      unique case (state_q)
        StIdle:
        if (cmd_valid_i) begin
          cmd_q <= cmd_i;
          stamp_q <= cmd_stamp_i;
          stamp_val_q <= cycle_i;
          va_q <= cmd_i.va;
          row_va_q <= cmd_i.va;
          src_q <= cmd_i.addr[17:0];
          row_src_q <= cmd_i.addr[17:0];
          left_q <= cmd_stamp_i ? 19'd8 : cmd_i.row_bytes[18:0];
          rows_q <= cmd_stamp_i ? 16'd1 : cmd_i.rows[15:0];
          fault_q <= FaultNone;
          fva_q <= '0;
          state_q <= !cmd_stamp_i && cmd_i.rows == '0 ? StDrain : StTranslate;
        end
        StTranslate:
        if (tr_ack_i) begin
          pa_q <= tr_pa_i;
          if (tr_fault_i != FaultNone || !tr_w_i) begin
            fault_q <= tr_fault_i != FaultNone ? tr_fault_i : FaultPermission;
            fva_q <= va_q;
            state_q <= StDrain;
          end else begin
            state_q <= stamp_q ? StWrite : StRead;
          end
        end
        StRead: if (rd_gnt_i) state_q <= StReadWait;
        StReadWait: begin
          data_q <= rot == 6'd0 ? word : doubled[1023:512];
          state_q <= n > low ? StRead2 : StWrite;
        end
        StRead2: if (rd_gnt_i) state_q <= StRead2Wait;
        StRead2Wait: begin
          data_q <= (data_q & ~second_mask) | (doubled[1023:512] & second_mask);
          state_q <= StWrite;
        end
        StWrite:
        if (wrote) begin
          if (row_end && rows_q == 16'd1) begin
            state_q <= StDrain;
          end else if (row_end) begin
            va_q <= row_va_q + 64'(cmd_q.mem_stride);
            row_va_q <= row_va_q + 64'(cmd_q.mem_stride);
            src_q <= row_src_q + cmd_q.stride[17:0];
            row_src_q <= row_src_q + cmd_q.stride[17:0];
            left_q <= cmd_q.row_bytes[18:0];
            rows_q <= rows_q - 16'd1;
            state_q <= StTranslate;
          end else begin
            va_q <= va_q + 64'(n);
            src_q <= src_q + 18'(n);
            left_q <= left_q - 19'(n);
            pa_q <= pa_q + 52'(n);
            state_q <= va_q[11:6] == 6'd63 ? StTranslate : StRead;
          end
        end
        StDrain: if (done_o) state_q <= StIdle;
        default: state_q <= StIdle;
      endcase
    end
  end
endmodule
