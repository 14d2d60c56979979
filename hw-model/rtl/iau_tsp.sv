// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The tile scratchpad: words of 64 bytes in four banks, so that any aligned run of four words is
// read in a cycle, and two words in a row are written in one. A word that the job has not written reads
// as zero.
module iau_tsp (
  input  logic          clk_i,
  input  logic          clear_i,
  input  logic          rd_en_i,
  input  logic [11:0]   rd_addr_i,  // in words
  output logic [2047:0] rd_data_o,  // the cycle after
  input  logic          wr_en_i,
  input  logic          wr_two_i,   // DATA2 goes behind DATA, with the same enables
  input  logic [11:0]   wr_addr_i,
  input  logic [511:0]  wr_data_i,
  input  logic [511:0]  wr_data2_i,
  input  logic [63:0]   wr_be_i
);
  logic [511:0] word[4];
  logic [1:0] first_q, place;  // PLACE: of the word behind the one that is written
  logic [3:0] wr_en;

  assign place = wr_addr_i[1:0] + 2'd1;
  always_comb begin
    wr_en = '0;
    if (wr_en_i) begin
      wr_en[wr_addr_i[1:0]] = 1'b1;
      if (wr_two_i) wr_en[place] = 1'b1;
    end
  end

  always_ff @(posedge clk_i) if (rd_en_i) first_q <= rd_addr_i[1:0];

  // words before the first one of the run lie in the next row
  logic [9:0] row[4];
  always_comb begin
    row[0] = '0;
    row[1] = '0;
    row[2] = '0;
    row[3] = '0;
    if (rd_en_i) begin
      row[0] = rd_addr_i[11:2] + 10'(rd_addr_i[1:0] > 2'd0);
      row[1] = rd_addr_i[11:2] + 10'(rd_addr_i[1:0] > 2'd1);
      row[2] = rd_addr_i[11:2] + 10'(rd_addr_i[1:0] > 2'd2);
      row[3] = rd_addr_i[11:2];
    end
  end

  for (genvar b = 0; b < 4; b++) begin : gen_bank
    logic [9:0] wr_row;
    logic second;
    logic [511:0] wr_data;

    assign second = wr_two_i && place == 2'(b);
    assign wr_row = wr_addr_i[11:2] + 10'(second && b == 0);
    assign wr_data = second ? wr_data2_i : wr_data_i;

    iau_bank #(
      .Bytes(64),
      .Rows (1024)
    ) u_bank (
      .clk_i,
      .clear_i,
      .rd_en_i,
      .rd_addr_i(row[b]),
      .rd_data_o(word[b]),
      .wr_en_i  (wr_en[b]),
      .wr_addr_i(wr_row),
      .wr_data_i(wr_data),
      .wr_be_i
    );
  end

  assign rd_data_o = {word[first_q+2'd3], word[first_q+2'd2], word[first_q+2'd1], word[first_q]};
endmodule
