// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// What the LOADs that wait will read. Of one with a list, the entries become addresses of rows, up to
// eight ahead of the bursts and across commands. Where a row, or another LOAD, begins is told to the MMU,
// so that blocks in pages of their own do not wait for its tables one after the other.
module iau_load_rows (
  input  logic              clk_i,
  input  logic              rst_ni,
  // slots of commands: one comes, the one whose bursts are made, that one is given up
  input  logic              enter_i,
  input  logic [2:0]        enter_slot_i,
  input  logic [2:0]        head_i,
  input  logic              stop_i,
  input  logic              cancel_i,
  input  logic [7:0]        queued_i,  // bursts are to be made
  input  logic [7:0]        live_i,    // that, or data are yet to come
  // the slot that is looked at
  output logic [2:0]        slot_o,
  /* verilator lint_off UNUSEDSIGNAL */
  input  iau_hw_pkg::load_t cmd_i,
  /* verilator lint_on UNUSEDSIGNAL */
  // read of the vector scratchpad: data come the cycle after the grant
  output logic              rd_req_o,
  output logic [10:0]       rd_row_o,
  input  logic              rd_gnt_i,
  input  logic [1023:0]     rd_data_i,
  // an address that will be wanted
  output logic              soon_o,
  output logic [63:0]       soon_va_o,
  input  logic              soon_take_i,
  // rows of lists, in order
  output logic              row_valid_o,
  output logic [63:0]       row_va_o,
  output logic              row_packed_o,  // bit 0 of its entry
  input  logic              row_take_i
);
  typedef enum logic [1:0] {Slot, Ask, First, Last} state_e;
  state_e state_q;

  logic [7:0] told_q;
  logic [2:0] look_q;
  logic look, is_list, skip, data_q, told;
  logic [15:0] at_q, left_q;  // the next entry, in words; entries that are left
  logic [63:0] last_va;

  // Rows that are known
  logic [64:0] row_q[8];
  logic [2:0] in_q, out_q;
  logic [3:0] n_q;
  logic [2:0] newest;
  /* verilator lint_off UNUSEDSIGNAL */
  logic [31:0] entry;  // bits 5..1 say nothing
  /* verilator lint_on UNUSEDSIGNAL */
  logic [63:0] va;

  assign slot_o = look_q;
  assign look = live_i[look_q] & ~told_q[look_q];
  assign rd_req_o = state_q == Ask & ~data_q & ~n_q[3] & ~cancel_i;
  assign rd_row_o = at_q[15:5];
  assign entry = rd_data_i[{at_q[4:0], 5'd0}+:32];
  assign va = cmd_i.va + {32'd0, entry[31:6], 6'd0} +
              (entry[0] ? {{32{cmd_i.delta[31]}}, cmd_i.delta} : '0);
  assign row_valid_o = n_q != '0;
  assign {row_packed_o, row_va_o} = row_q[out_q];

  // A row is told at both ends; not any more when its turn has come.
  assign newest = in_q - 3'd1;
  assign skip = n_q == '0;
  always_comb begin
    is_list = 1'b0;
    soon_o = 1'b0;
    last_va = '0;
    soon_va_o = '0;
    if (state_q == Slot) begin
      // mostly there is nothing to look at
      if (look) begin
        is_list = cmd_i.by_list & (cmd_i.rows != '0);
        soon_o = ~cancel_i & queued_i[look_q] & ~is_list & look_q != head_i;
        soon_va_o = cmd_i.va;
      end
    end else begin
      soon_o = ~cancel_i & state_q != Ask & ~skip;
      last_va = row_q[newest][63:0] + {45'd0, cmd_i.row_bytes[18:0]} - 64'd1;
      soon_va_o = state_q == Last ? last_va : row_q[newest][63:0];
    end
  end
  assign told = state_q == Slot ? look & ~is_list & (~soon_o | soon_take_i) :
                state_q == Last & left_q == '0 & (skip | soon_take_i);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= Slot;
      told_q <= '0;
      look_q <= '0;
      data_q <= 1'b0;
      in_q <= '0;
      out_q <= '0;
      n_q <= '0;
    end else if (stop_i) begin
      // rows of the command are of no use; those of others are found again, one that comes just now among them
      state_q <= Slot;
      told_q <= ~(queued_i | {7'd0, enter_i} << enter_slot_i) | 8'd1 << head_i;
      look_q <= head_i + 3'd1;
      data_q <= 1'b0;
      in_q <= '0;
      out_q <= '0;
      n_q <= '0;
    end else begin
      data_q <= rd_req_o & rd_gnt_i;
      if (data_q) in_q <= in_q + 3'd1;
      if (row_take_i) out_q <= out_q + 3'd1;
      if (data_q ^ row_take_i) n_q <= data_q ? n_q + 4'd1 : n_q - 4'd1;
      unique case (state_q)
        Slot: if (look & is_list) state_q <= Ask;
        Ask: if (data_q) state_q <= First;
        First: if (skip | soon_take_i) state_q <= Last;
        Last: if (skip | soon_take_i) state_q <= left_q == '0 ? Slot : Ask;
        default: state_q <= Slot;
      endcase
      if (told) begin
        told_q[look_q] <= 1'b1;
        look_q <= look_q + 3'd1;
      end
      if (enter_i) told_q[enter_slot_i] <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == Slot) begin
      at_q <= cmd_i.list_addr[17:2];
      left_q <= cmd_i.rows[15:0];
    end else if (data_q) begin
      at_q <= at_q + 16'd1;
      left_q <= left_q - 16'd1;
      row_q[in_q] <= {entry[0], va};
    end
  end
endmodule
