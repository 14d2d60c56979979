// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Walks the elements (n, k, m) -> base + k * pitch + m of a command and requests each scratchpad
// row they lie in, once for every run of consecutive elements in the same row.
module iau_mxu_prefetch #(
  parameter int unsigned OffWidth = 2  // log2 of the elements in a row
) (
  input  logic                clk_i,
  input  logic                rst_ni,
  input  logic                start_i,
  input  logic [OffWidth+10:0] base_i,
  input  logic [OffWidth+10:0] pitch_i,
  input  logic [5:0]          m_i,
  input  logic [12:0]         kb_i,
  input  logic [12:0]         nt_i,
  input  logic                space_i,
  output logic                active_o,  // requests are left
  output logic                req_o,
  output logic [10:0]         row_o,
  input  logic                gnt_i
);

  localparam int unsigned AddrWidth = OffWidth + 11;

  logic active_q, seen_q;
  logic [AddrWidth-1:0] addr_q, kbase_q, kbase_next;
  logic [10:0] last_q;
  logic [5:0] m_q, left, in_row;
  logic [12:0] k_q, n_q;
  logic need, step;

  assign active_o = active_q;
  assign row_o = addr_q[AddrWidth-1:OffWidth];
  assign need = active_q & (~seen_q | (row_o != last_q));
  assign req_o = need & space_i;
  assign step = active_q & (~need | (req_o & gnt_i));
  always_comb begin
    left = '0;
    in_row = '0;
    kbase_next = '0;
    if (step) begin
      left = m_i - m_q;
      in_row = 6'(1 << OffWidth) - 6'(addr_q[OffWidth-1:0]);
      kbase_next = kbase_q + pitch_i;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      active_q <= 1'b0;
      seen_q <= 1'b0;
      addr_q <= '0;
      kbase_q <= '0;
      last_q <= '0;
      m_q <= '0;
      k_q <= '0;
      n_q <= '0;
    end else begin
      if (step) begin
        seen_q <= 1'b1;
        last_q <= row_o;
        if (left > in_row) begin
          addr_q <= addr_q + AddrWidth'(in_row);
          m_q <= m_q + in_row;
        end else if (k_q + 13'd1 != kb_i) begin
          addr_q <= kbase_next;
          kbase_q <= kbase_next;
          m_q <= '0;
          k_q <= k_q + 13'd1;
        end else begin
          addr_q <= base_i;
          kbase_q <= base_i;
          m_q <= '0;
          k_q <= '0;
          active_q <= n_q + 13'd1 != nt_i;
          n_q <= n_q + 13'd1;
        end
      end
      if (start_i) begin
        active_q <= 1'b1;
        seen_q <= 1'b0;
        addr_q <= base_i;
        kbase_q <= base_i;
        m_q <= '0;
        k_q <= '0;
        n_q <= '0;
      end
    end
  end

endmodule
