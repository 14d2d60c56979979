// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// A bank of the vector scratchpad: rows of 128 bytes, and the choice among the writers. Rows not
// written since the last clear read as zero, so that clearing takes one cycle. A read in the cycle
// of a write sees the old row.
module iau_vsp_bank (
  input  logic          clk_i,
  input  logic          clear_i,
  input  logic          rd_en_i,
  input  logic [7:0]    rd_addr_i,
  output logic [1023:0] rd_data_o,
  input  logic          wr_en_i,
  input  logic [7:0]    wr_addr_i,
  input  logic [1:0]    wr_from_i,
  input  logic [1023:0] wr_data0_i,
  input  logic [1023:0] wr_data1_i,
  input  logic [511:0]  wr_data2_i,
  input  logic [127:0]  wr_be0_i,
  input  logic [127:0]  wr_be2_i
);
  logic [1023:0] mem[256];
  logic [255:0] valid_q;
  logic [1023:0] row;
  logic [127:0] be;

  // For a simulator: blocking, read before write, so that only what is accessed is touched.
  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) begin
    if (rd_en_i) begin
      if (valid_q[rd_addr_i]) rd_data_o <= mem[rd_addr_i];
      else rd_data_o <= '0;
    end
    if (wr_en_i) begin
`ifndef SYNTHESIS
      row = wr_from_i == 2'd0 ? wr_data0_i : wr_from_i == 2'd1 ? wr_data1_i : {2{wr_data2_i}};
      be = wr_from_i == 2'd0 ? wr_be0_i : wr_from_i == 2'd1 ? '1 : wr_be2_i;
      if (~&be) begin
        logic [1023:0] old;
        old = valid_q[wr_addr_i] ? mem[wr_addr_i] : '0;
        for (int unsigned w = 0; w < 4; w++) begin
          logic [31:0] word_be, m;
          word_be = be[32*w+:32];
          for (int unsigned i = 0; i < 8; i++) begin
            m = iau_mem_pkg::mask(word_be[4*i+:4]);
            row[256*w+32*i+:32] = (old[256*w+32*i+:32] & ~m) | (row[256*w+32*i+:32] & m);
          end
        end
      end
      mem[wr_addr_i] = row;
`endif
      valid_q[wr_addr_i] = 1'b1;
    end
    if (clear_i) valid_q = '0;
  end
  /* verilator lint_on BLKSEQ */

  // For a block RAM: each byte has an enable and a process of its own, with no read of the row; where the
  // row was not valid all are written. Nothing is read after a write, so both agree.
`ifdef SYNTHESIS
  assign row = wr_from_i == 2'd0 ? wr_data0_i : wr_from_i == 2'd1 ? wr_data1_i : {2{wr_data2_i}};
  assign be = wr_from_i == 2'd0 ? wr_be0_i : wr_from_i == 2'd1 ? '1 : wr_be2_i;
  for (genvar i = 0; i < 128; i++) begin : gen_bytes
    always_ff @(posedge clk_i) begin
      if (wr_en_i & (be[i] | ~valid_q[wr_addr_i])) mem[wr_addr_i][8*i+:8] <= row[8*i+:8] & {8{be[i]}};
    end
  end
`endif
endmodule
