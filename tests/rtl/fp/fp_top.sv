// SPDX-License-Identifier: MIT
module fp_top (
  input  logic [31:0] x_i,
  input  logic [31:0] y_i,
  output logic [31:0] mul_o,
  output logic [31:0] add_o,
  output logic [31:0] i2f_o,
  output logic [31:0] half_o
);

  assign mul_o = iau_fp_pkg::fp_mul(x_i, y_i);
  assign add_o = iau_fp_pkg::fp_add(x_i, y_i);
  assign i2f_o = iau_fp_pkg::fp_i2f({{7{x_i[24]}}, x_i[24:0]});
  assign half_o = iau_fp_pkg::fp16_to_fp32(x_i[15:0]);

endmodule
