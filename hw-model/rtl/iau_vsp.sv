// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The vector scratchpad: rows of 128 bytes in eight banks with one read and one write port each,
// interleaved by row. Requests are granted in the order of their index; a refused one waits. A
// row that the job has not written reads as zero.
module iau_vsp (
  input  logic                  clk_i,
  input  logic                  clear_i,  // every row becomes zero
  input  logic                  rd_req0_i,
  input  logic                  rd_req1_i,
  input  logic                  rd_req2_i,
  input  logic                  rd_req3_i,
  input  logic                  rd_req4_i,
  input  logic [10:0]           rd_row0_i,
  input  logic [10:0]           rd_row1_i,
  input  logic [10:0]           rd_row2_i,
  input  logic [10:0]           rd_row3_i,
  input  logic [10:0]           rd_row4_i,
  output logic                  rd_gnt0_o,
  output logic                  rd_gnt1_o,
  output logic                  rd_gnt2_o,
  output logic                  rd_gnt3_o,
  output logic                  rd_gnt4_o,
  output logic [1023:0]         rd_data0_o,  // the cycle after the grant
  output logic [1023:0]         rd_data1_o,
  output logic [1023:0]         rd_data2_o,
  output logic [1023:0]         rd_data3_o,
  output logic [1023:0]         rd_data4_o,
  input  logic                  wr_req0_i,
  input  logic                  wr_req1_i,
  input  logic                  wr_req2_i,
  input  logic [10:0]           wr_row0_i,
  input  logic [10:0]           wr_row1_i,
  input  logic [10:0]           wr_row2_i,
  input  logic [1023:0]         wr_data0_i,
  input  logic [1023:0]         wr_data1_i,
  input  logic [511:0]          wr_data2_i,  // for either half of the row
  input  logic [127:0]          wr_be0_i,
  input  logic [127:0]          wr_be2_i,    // port 1 writes whole rows
  output logic                  wr_gnt0_o,
  output logic                  wr_gnt1_o,
  output logic                  wr_gnt2_o
);
  localparam int unsigned Banks = 8;

  logic [Banks-1:0] rd_en, wr_en;
  logic [7:0] rd_addr[Banks];
  logic [7:0] wr_addr[Banks];
  logic [1:0] wr_from[Banks];
  logic [1023:0] bank_data[Banks];
  logic [2:0] rd_bank0_q, rd_bank1_q, rd_bank2_q, rd_bank3_q, rd_bank4_q;

  always_comb begin
    rd_en = '0;
    rd_gnt0_o = 1'b0;
    rd_gnt1_o = 1'b0;
    rd_gnt2_o = 1'b0;
    rd_gnt3_o = 1'b0;
    rd_gnt4_o = 1'b0;
    for (int unsigned b = 0; b < Banks; b++) rd_addr[b] = '0;
    if (rd_req0_i) begin
      rd_gnt0_o = 1'b1;
      rd_en[rd_row0_i[2:0]] = 1'b1;
      rd_addr[rd_row0_i[2:0]] = rd_row0_i[10:3];
    end
    if (rd_req1_i & ~rd_en[rd_row1_i[2:0]]) begin
      rd_gnt1_o = 1'b1;
      rd_en[rd_row1_i[2:0]] = 1'b1;
      rd_addr[rd_row1_i[2:0]] = rd_row1_i[10:3];
    end
    if (rd_req2_i & ~rd_en[rd_row2_i[2:0]]) begin
      rd_gnt2_o = 1'b1;
      rd_en[rd_row2_i[2:0]] = 1'b1;
      rd_addr[rd_row2_i[2:0]] = rd_row2_i[10:3];
    end
    if (rd_req3_i & ~rd_en[rd_row3_i[2:0]]) begin
      rd_gnt3_o = 1'b1;
      rd_en[rd_row3_i[2:0]] = 1'b1;
      rd_addr[rd_row3_i[2:0]] = rd_row3_i[10:3];
    end
    if (rd_req4_i & ~rd_en[rd_row4_i[2:0]]) begin
      rd_gnt4_o = 1'b1;
      rd_en[rd_row4_i[2:0]] = 1'b1;
      rd_addr[rd_row4_i[2:0]] = rd_row4_i[10:3];
    end
  end

  always_comb begin
    wr_en = '0;
    wr_gnt0_o = 1'b0;
    wr_gnt1_o = 1'b0;
    wr_gnt2_o = 1'b0;
    for (int unsigned b = 0; b < Banks; b++) begin
      wr_addr[b] = '0;
      wr_from[b] = '0;
    end
    if (wr_req0_i) begin
      wr_gnt0_o = 1'b1;
      wr_en[wr_row0_i[2:0]] = 1'b1;
      wr_addr[wr_row0_i[2:0]] = wr_row0_i[10:3];
    end
    if (wr_req1_i & ~wr_en[wr_row1_i[2:0]]) begin
      wr_gnt1_o = 1'b1;
      wr_en[wr_row1_i[2:0]] = 1'b1;
      wr_addr[wr_row1_i[2:0]] = wr_row1_i[10:3];
      wr_from[wr_row1_i[2:0]] = 2'd1;
    end
    if (wr_req2_i & ~wr_en[wr_row2_i[2:0]]) begin
      wr_gnt2_o = 1'b1;
      wr_en[wr_row2_i[2:0]] = 1'b1;
      wr_addr[wr_row2_i[2:0]] = wr_row2_i[10:3];
      wr_from[wr_row2_i[2:0]] = 2'd2;
    end
  end

  for (genvar b = 0; b < Banks; b++) begin : gen_bank
    iau_vsp_bank u_bank (
      .clk_i,
      .clear_i,
      .rd_en_i  (rd_en[b]),
      .rd_addr_i(rd_addr[b]),
      .rd_data_o(bank_data[b]),
      .wr_en_i  (wr_en[b]),
      .wr_addr_i(wr_addr[b]),
      .wr_from_i(wr_from[b]),
      .wr_data0_i,
      .wr_data1_i,
      .wr_data2_i,
      .wr_be0_i,
      .wr_be2_i
    );
  end

  always_ff @(posedge clk_i) begin
    if (rd_gnt0_o) rd_bank0_q <= rd_row0_i[2:0];
    if (rd_gnt1_o) rd_bank1_q <= rd_row1_i[2:0];
    if (rd_gnt2_o) rd_bank2_q <= rd_row2_i[2:0];
    if (rd_gnt3_o) rd_bank3_q <= rd_row3_i[2:0];
    if (rd_gnt4_o) rd_bank4_q <= rd_row4_i[2:0];
  end

  assign rd_data0_o = bank_data[rd_bank0_q];
  assign rd_data1_o = bank_data[rd_bank1_q];
  assign rd_data2_o = bank_data[rd_bank2_q];
  assign rd_data3_o = bank_data[rd_bank3_q];
  assign rd_data4_o = bank_data[rd_bank4_q];
endmodule
