// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The vector scratchpad: rows of 128 bytes in eight banks with one read and one write port each,
// interleaved by row. Requests are granted in the order of their index; a refused one waits. A
// row that the job has not written reads as zero.
module iau_vsp #(
  parameter int unsigned NumRd = 6,
  parameter int unsigned NumWr = 3
) (
  input  logic                     clk_i,
  input  logic                     clear_i,  // every row becomes zero
  input  logic [NumRd-1:0]         rd_req_i,
  input  logic [NumRd-1:0][10:0]   rd_row_i,
  output logic [NumRd-1:0]         rd_gnt_o,
  output logic [NumRd-1:0][1023:0] rd_data_o,  // the cycle after the grant
  input  logic [NumWr-1:0]         wr_req_i,
  input  logic [NumWr-1:0][10:0]   wr_row_i,
  input  logic [NumWr-1:0][1023:0] wr_data_i,
  input  logic [NumWr-1:0][127:0]  wr_be_i,
  output logic [NumWr-1:0]         wr_gnt_o
);
  localparam int unsigned Banks = 8;

  logic [Banks-1:0] rd_en, wr_en;
  logic [7:0] rd_addr[Banks];
  logic [7:0] wr_addr[Banks];
  logic [3:0] wr_from[Banks];
  logic [1023:0] bank_data[Banks];
  logic [NumRd-1:0][2:0] rd_bank_q;

  always_comb begin
    rd_en = '0;
    for (int unsigned b = 0; b < Banks; b++) rd_addr[b] = '0;
    for (int unsigned i = 0; i < NumRd; i++) begin
      rd_gnt_o[i] = rd_req_i[i] & ~rd_en[rd_row_i[i][2:0]];
      if (rd_gnt_o[i]) begin
        rd_en[rd_row_i[i][2:0]] = 1'b1;
        rd_addr[rd_row_i[i][2:0]] = rd_row_i[i][10:3];
      end
    end
  end

  always_comb begin
    wr_en = '0;
    for (int unsigned b = 0; b < Banks; b++) begin
      wr_addr[b] = '0;
      wr_from[b] = '0;
    end
    for (int unsigned i = 0; i < NumWr; i++) begin
      wr_gnt_o[i] = wr_req_i[i] & ~wr_en[wr_row_i[i][2:0]];
      if (wr_gnt_o[i]) begin
        wr_en[wr_row_i[i][2:0]] = 1'b1;
        wr_addr[wr_row_i[i][2:0]] = wr_row_i[i][10:3];
        wr_from[wr_row_i[i][2:0]] = 4'(i);
      end
    end
  end

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    iau_bank u_bank (
      .clk_i,
      .clear_i,
      .rd_en_i  (rd_en[b]),
      .rd_addr_i(rd_addr[b]),
      .rd_data_o(bank_data[b]),
      .wr_en_i  (wr_en[b]),
      .wr_addr_i(wr_addr[b]),
      .wr_data_i(wr_data_i[wr_from[b][1:0]]),
      .wr_be_i  (wr_be_i[wr_from[b][1:0]])
    );
  end

  always_ff @(posedge clk_i) begin
    for (int unsigned i = 0; i < NumRd; i++) if (rd_gnt_o[i]) rd_bank_q[i] <= rd_row_i[i][2:0];
  end

  for (genvar i = 0; i < NumRd; i++) begin : gen_rd
    assign rd_data_o[i] = bank_data[rd_bank_q[i]];
  end
endmodule
