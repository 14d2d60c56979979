// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// One bank: rows of bytes with byte enables; rows not written since the last clear read as
// zero, so that clearing takes one cycle. A read in the cycle of a write sees the old row.
module iau_bank #(
  parameter int unsigned Bytes = 64,  // a multiple of 32
  parameter int unsigned Rows = 1024,
  localparam int unsigned AddrWidth = $clog2(Rows)
) (
  input  logic                 clk_i,
  input  logic                 clear_i,
  input  logic                 rd_en_i,
  input  logic [AddrWidth-1:0] rd_addr_i,
  output logic [8*Bytes-1:0]   rd_data_o,
  input  logic                 wr_en_i,
  input  logic [AddrWidth-1:0] wr_addr_i,
  input  logic [8*Bytes-1:0]   wr_data_i,
  input  logic [Bytes-1:0]     wr_be_i
);
  logic [8*Bytes-1:0] mem[Rows];
  logic [Rows-1:0] valid_q;

  // For a simulator: blocking, read before write, so that only what is accessed is touched.
  /* verilator lint_off BLKSEQ */
  always_ff @(posedge clk_i) begin
    if (rd_en_i) begin
      if (valid_q[rd_addr_i]) rd_data_o <= mem[rd_addr_i];
      else rd_data_o <= '0;
    end
    if (wr_en_i) begin
`ifndef SYNTHESIS
      logic [8*Bytes-1:0] row, old;
      row = wr_data_i;
      if (~&wr_be_i) begin
        old = valid_q[wr_addr_i] ? mem[wr_addr_i] : '0;
        for (int unsigned w = 0; w < Bytes / 32; w++) begin
          logic [31:0] word_be, m;
          word_be = wr_be_i[32*w+:32];
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
  for (genvar i = 0; i < Bytes; i++) begin : gen_bytes
    always_ff @(posedge clk_i) begin
      if (wr_en_i & (wr_be_i[i] | ~valid_q[wr_addr_i]))
        mem[wr_addr_i][8*i+:8] <= wr_data_i[8*i+:8] & {8{wr_be_i[i]}};
    end
  end
`endif
endmodule
