// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// The tile scratchpad: words of 64 bytes in four banks, so that any aligned run of four words is
// read in a cycle. A word that the job has not written reads as zero.
module iau_tsp (
  input  logic          clk_i,
  input  logic          clear_i,
  input  logic          rd_en_i,
  input  logic [11:0]   rd_addr_i,  // in words
  output logic [2047:0] rd_data_o,  // the cycle after
  input  logic          wr_en_i,
  input  logic [11:0]   wr_addr_i,
  input  logic [511:0]  wr_data_i,
  input  logic [63:0]   wr_be_i
);
  logic [511:0] word[4];
  logic [1:0] first_q;

  always_ff @(posedge clk_i) if (rd_en_i) first_q <= rd_addr_i[1:0];

  for (genvar b = 0; b < 4; b++) begin : gen_bank
    logic [511:0] mem[1024];
    logic [1023:0] valid_q;
    logic [9:0] row, wr_row;

    // words before the first one of the run lie in the next row
    assign row = rd_addr_i[11:2] + 10'({1'b0, rd_addr_i[1:0]} > 3'(b));
    assign wr_row = wr_addr_i[11:2];

    function automatic logic [511:0] merge(input logic [511:0] old, input logic [511:0] data,
                                           input logic [63:0] be);
      logic [511:0] y;
      logic [31:0] m;
      for (int unsigned w = 0; w < 16; w++) begin
        m = {{8{be[4*w+3]}}, {8{be[4*w+2]}}, {8{be[4*w+1]}}, {8{be[4*w]}}};
        y[32*w+:32] = (old[32*w+:32] & ~m) | (data[32*w+:32] & m);
      end
      return y;
    endfunction

    always_ff @(posedge clk_i) begin
      if (wr_en_i && wr_addr_i[1:0] == 2'(b)) begin
        if (&wr_be_i) mem[wr_row] <= wr_data_i;
        else mem[wr_row] <= merge(valid_q[wr_row] ? mem[wr_row] : '0, wr_data_i, wr_be_i);
      end
      if (rd_en_i) word[b] <= valid_q[row] ? mem[row] : '0;
    end

    always_ff @(posedge clk_i) begin
      if (clear_i) valid_q <= '0;
      else if (wr_en_i && wr_addr_i[1:0] == 2'(b)) valid_q[wr_row] <= 1'b1;
    end
  end

  assign rd_data_o = {word[first_q+2'd3], word[first_q+2'd2], word[first_q+2'd1], word[first_q]};
endmodule
