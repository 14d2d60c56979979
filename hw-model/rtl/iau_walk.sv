// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Cuts a 2-D copy out of the vector scratchpad into pieces that cross no word of 64 bytes on either
// side, so that each is one read, one rotation and one write.
module iau_walk (
  input  logic        clk_i,
  input  logic        rst_ni,
  input  logic        start_i,
  input  logic        cancel_i,
  input  logic [17:0] src_i,
  input  logic [17:0] src_stride_i,
  input  logic [63:0] dst_i,
  input  logic [31:0] dst_stride_i,
  input  logic [18:0] bytes_i,  // of a row
  input  logic [15:0] rows_i,
  // the next piece
  output logic        valid_o,
  output logic [17:0] src_o,
  output logic [63:0] dst_o,
  output logic [6:0]  n_o,
  input  logic        next_i
);
  logic [17:0] row_src_q, src_stride_q;
  logic [63:0] row_dst_q;
  logic [31:0] dst_stride_q;
  logic [18:0] left_q, bytes_q;
  logic [15:0] rows_q;
  logic [6:0] src_room, dst_room, room;

  assign valid_o = rows_q != '0;
  assign src_room = 7'd64 - {1'b0, src_o[5:0]};
  assign dst_room = 7'd64 - {1'b0, dst_o[5:0]};
  assign room = src_room < dst_room ? src_room : dst_room;
  assign n_o = left_q < 19'(room) ? left_q[6:0] : room;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      src_o <= '0;
      dst_o <= '0;
      row_src_q <= '0;
      row_dst_q <= '0;
      src_stride_q <= '0;
      dst_stride_q <= '0;
      left_q <= '0;
      bytes_q <= '0;
      rows_q <= '0;
    end else begin
      if (next_i) begin
        if (left_q == 19'(n_o)) begin
          src_o <= row_src_q + src_stride_q;
          dst_o <= row_dst_q + 64'(dst_stride_q);
          row_src_q <= row_src_q + src_stride_q;
          row_dst_q <= row_dst_q + 64'(dst_stride_q);
          left_q <= bytes_q;
          rows_q <= rows_q - 16'd1;
        end else begin
          left_q <= left_q - 19'(n_o);
          src_o <= src_o + 18'(n_o);
          dst_o <= dst_o + 64'(n_o);
        end
      end
      if (cancel_i) rows_q <= '0;
      if (start_i) begin
        src_o <= src_i;
        dst_o <= dst_i;
        row_src_q <= src_i;
        row_dst_q <= dst_i;
        src_stride_q <= src_stride_i;
        dst_stride_q <= dst_stride_i;
        left_q <= bytes_i;
        bytes_q <= bytes_i;
        rows_q <= rows_i;
      end
    end
  end
endmodule
