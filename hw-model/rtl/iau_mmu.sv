// SPDX-License-Identifier: Apache-2.0 WITH SHL-2.1
//
// Address translation: a fully associative TLB shared by three clients (command fetch, LOAD,
// STORE) and a walker of three levels. An answer comes in the cycle of the request on a hit, also
// while another client's walk is under way; on a miss the request waits for its walk, which starts from
// registers a cycle later: that no entry has the line is known late.
//
// What LOADs will want is looked up ahead of them: if their line is not there, and its table is known, it
// is read, up to two lines beside a walk, so that blocks that lie anywhere do not wait for one walk each.
//
// An entry of the TLB is a line of memory: eight page table entries of one table, so that eight
// small pages in a row, or eight large ones, cost one walk. Entries that were not used lately are
// replaced first. The walker remembers tables that it came by: a walk is mostly a single read.
module iau_mmu #(
  parameter int unsigned NumEntries = 32,
  parameter int unsigned NumTables = 32, // with entries of small pages, a power of two
  parameter int unsigned NumTops = 2     // with entries of large pages
) (
  input  logic              clk_i,      // may stop while moves_o is low
  input  logic              rst_ni,
  input  logic [3:0]        ctx_i,
  input  logic [63:0]       root_i,
  input  logic              inv_i,      // drop the translations of inv_ctx_i
  input  logic [3:0]        inv_ctx_i,
  input  logic              fetch_req_i,  // held until ack
  input  logic [63:0]       fetch_va_i,
  output logic              fetch_ack_o,
  input  logic              load_req_i,
  input  logic [63:0]       load_va_i,
  output logic              load_ack_o,
  input  logic              store_req_i,
  input  logic [63:0]       store_va_i,
  output logic              store_ack_o,
  output logic [51:0]       pa_o,
  output logic              w_o,
  output logic              c_o,
  output iau_hw_pkg::fault_e fault_o,   // FaultNone on success
  output logic              miss_o,     // a walk starts, or a line is read ahead (counter)
  output logic              moves_o,    // a register that counts may change at the next edge
  // an address that is wanted soon; taken in the cycle of the answer
  input  logic              soon_i,
  /* verilator lint_off UNUSEDSIGNAL */
  input  logic [63:0]       soon_va_i,  // its line alone counts
  /* verilator lint_on UNUSEDSIGNAL */
  output logic              soon_take_o,
  // reads of 64-byte lines
  output logic              rd_req_o,
  output logic [51:0]       rd_pa_o,
  input  logic              rd_gnt_i,
  input  logic              rd_valid_i,
  // ... and ahead
  output logic              ahead_req_o,
  output logic [51:0]       ahead_pa_o,
  output logic              ahead_id_o,
  input  logic              ahead_gnt_i,
  input  logic              ahead_valid_i,
  input  logic              ahead_slot_i,
  input  logic              rd_err_i,   // of the data, whose ever they are
  input  logic [511:0]      rd_data_i
);

  typedef enum logic [2:0] {StIdle, StTable, StRead, StWait, StEntry, StFault} state_e;

  localparam int unsigned LineBits = 8 * 42;  // eight times W, C, page number

  logic [NumEntries-1:0] valid_q, stale;
  logic big_q[NumEntries];
  logic [3:0] ctx_q[NumEntries];
  logic [23:0] tag_q[NumEntries];      // va[38:15]; for large pages the lower nine bits do not count
  logic [7:0] ok_q[NumEntries];        // which of the eight can be used
  logic [LineBits-1:0] line_q[NumEntries];
  logic [NumEntries-1:0] used_q;
  logic [NumTables-1:0] tvalid_q, tstale;
  logic [3:0] tctx_q[NumTables];
  logic [17:0] ttag_q[NumTables];      // va[38:21]
  logic [39:0] tppn_q[NumTables];
  logic [$clog2(NumTables)-1:0] tvictim_q;
  logic [NumTops-1:0] pvalid_q, pstale;
  logic [3:0] pctx_q[NumTops];
  logic [8:0] ptag_q[NumTops];         // va[38:30]
  logic [39:0] pppn_q[NumTops];
  logic pvictim_q;
  state_e state_q;
  logic [1:0] level_q, who_q, who;
  logic [3:0] wctx_q;  // the walk's context: the job that asked may be over when it ends
  logic drop_q, drop;  // translations of the walk's context were dropped while it went on
  logic [51:0] table_q;
  iau_hw_pkg::fault_e fault_q;
  logic [63:0] va, wva_q;
  logic ibig_q;  // the line that was read
  logic [3:0] ictx_q;
  logic [23:0] itag_q;
  logic hit, hit_big;
  logic [NumEntries-1:0] match;
  logic [4:0] found, found_big, found_small;

  // Requests that wait for a walk, theirs or one before it, do not keep the others from their hits.
  // A LOAD may hold its request while it waits for a STORE, so it comes last.
  logic [2:0] held_q, open;  // none is held while no walk is under way
  logic any_req;
  assign any_req = fetch_req_i | load_req_i | store_req_i;
  always_comb begin
    open = '0;
    who = 2'd1;
    va = '0;
    if (any_req) begin
      open = {store_req_i, load_req_i, fetch_req_i} & ~held_q;
      who = open[2] ? 2'd2 : open[0] ? 2'd0 : 2'd1;
      va = open[2] ? store_va_i : open[0] ? fetch_va_i : load_va_i;
    end
  end

  // At most one entry of each size has the line, so that its number is an OR, without a chain of entries.
  // Both sizes have it only if a driver changed a table and kept what was read of it.
  logic [2:0] sub;
  always_comb begin
    match = '0;
    hit_big = 1'b0;
    found_big = '0;
    found_small = '0;
    if (open != '0) begin
      for (int unsigned i = 0; i < NumEntries; i++) begin
        if (valid_q[i] && ctx_q[i] == ctx_i && tag_q[i][23:9] == va[38:24] &&
            (big_q[i] ? ok_q[i][va[23:21]] :
             tag_q[i][8:0] == va[23:15] && ok_q[i][va[14:12]])) begin
          match[i] = 1'b1;
          hit_big |= big_q[i];
          if (big_q[i]) found_big |= 5'(i);
          else found_small |= 5'(i);
        end
      end
    end
    hit = match != '0;
    found = hit_big ? found_big : found_small;
    sub = hit_big ? va[23:21] : va[14:12];
    stale = '0;
    tstale = '0;
    pstale = '0;
    if (inv_i) begin
      for (int unsigned i = 0; i < NumEntries; i++) stale[i] = ctx_q[i] == inv_ctx_i;
      for (int unsigned i = 0; i < NumTables; i++) tstale[i] = tctx_q[i] == inv_ctx_i;
      for (int unsigned i = 0; i < NumTops; i++) pstale[i] = pctx_q[i] == inv_ctx_i;
    end
  end

  logic bad_va;
  assign bad_va = va[63:39] != '0;

  logic [63:0] va_now;
  always_comb begin
    fetch_ack_o = 1'b0;
    load_ack_o = 1'b0;
    store_ack_o = 1'b0;
    fault_o = iau_hw_pkg::FaultNone;
    va_now = '0;
    if (state_q == StFault) begin
      // the client may have changed its mind meanwhile, or be another job's
      va_now = who_q == 2'd2 ? store_va_i : who_q == 2'd0 ? fetch_va_i : load_va_i;
      if (va_now == wva_q && ctx_i == wctx_q && !drop_q) begin
        fetch_ack_o = fetch_req_i & (who_q == 2'd0);
        load_ack_o = load_req_i & (who_q == 2'd1);
        store_ack_o = store_req_i & (who_q == 2'd2);
        fault_o = fault_q;
      end
    end else if (open != '0) begin
      fetch_ack_o = (who == 2'd0) & (bad_va | hit);
      load_ack_o = (who == 2'd1) & (bad_va | hit);
      store_ack_o = (who == 2'd2) & (bad_va | hit);
      fault_o = bad_va ? iau_hw_pkg::FaultUnmapped : iau_hw_pkg::FaultNone;
    end
  end
  logic [41:0] pte;
  always_comb begin
    pte = '0;
    pa_o = '0;
    if (hit) begin
      for (int unsigned i = 0; i < 8; i++) if (sub == 3'(i)) pte = line_q[found][42*i+:42];
      pa_o = hit_big ? {pte[39:9], va[20:0]} : {pte[39:0], va[11:0]};
    end
  end
  assign c_o = pte[40];
  assign w_o = pte[41];
  logic miss, start, coming;
  always_comb begin
    miss = 1'b0;
    start = 1'b0;
    if (open != '0) begin
      miss = ~bad_va & ~hit;
      start = state_q == StIdle & miss & ~coming;
    end
  end

  // Where a walk begins: at the lowest table that is known
  logic table_hit, top_hit;
  logic [$clog2(NumTables)-1:0] table_at;
  logic [39:0] top_ppn;
  always_comb begin
    table_hit = 1'b0;
    table_at = '0;
    top_hit = 1'b0;
    top_ppn = '0;
    if (state_q == StTable) begin
      for (int unsigned i = 0; i < NumTops; i++) begin
        if (pvalid_q[i] && pctx_q[i] == wctx_q && ptag_q[i] == wva_q[38:30]) begin
          top_hit = 1'b1;
          top_ppn = pppn_q[i];
        end
      end
      for (int unsigned i = 0; i < NumTables; i++) begin
        if (tvalid_q[i] && tctx_q[i] == wctx_q && ttag_q[i] == wva_q[38:21]) begin
          table_hit = 1'b1;
          table_at |= $clog2(NumTables)'(i);  // that of one table at most
        end
      end
    end
  end

  // Ahead: lines that are read, and one whose data are here -----------------------------------------
  logic [1:0] aread_q, await_q, adrop_q, astale;  // asked for; under way; not to be kept
  logic [3:0] actx_q[2];
  logic [23:0] atag_q[2];
  logic [39:0] appn_q[2];
  logic entry_q, entry_slot_q, known, table_known, afree, aslot, astart, wanted;
  logic [$clog2(NumTables)-1:0] soon_at;

  always_comb begin
    known = 1'b0;
    table_known = 1'b0;
    soon_at = '0;
    if (soon_i) begin
      for (int unsigned i = 0; i < NumEntries; i++) begin
        if (valid_q[i] && ctx_q[i] == ctx_i && tag_q[i][23:9] == soon_va_i[38:24] &&
            (big_q[i] || tag_q[i][8:0] == soon_va_i[23:15])) known = 1'b1;
      end
      for (int unsigned i = 0; i < 2; i++) begin
        if ((aread_q[i] | await_q[i]) && actx_q[i] == ctx_i && atag_q[i] == soon_va_i[38:15])
          known = 1'b1;
      end
      // a walk to the same line, or the line that is just being written
      if (state_q != StIdle && wctx_q == ctx_i && wva_q[38:15] == soon_va_i[38:15]) known = 1'b1;
      if (entry_q && ictx_q == ctx_i && itag_q == soon_va_i[38:15]) known = 1'b1;
      for (int unsigned i = 0; i < NumTables; i++) begin
        if (tvalid_q[i] && tctx_q[i] == ctx_i && ttag_q[i] == soon_va_i[38:21]) begin
          table_known = 1'b1;
          soon_at |= $clog2(NumTables)'(i);
        end
      end
    end
    coming = 1'b0;
    if (open != '0) begin
      for (int unsigned i = 0; i < 2; i++) begin
        if ((aread_q[i] | await_q[i] | (entry_q & entry_slot_q == i[0])) && !adrop_q[i] &&
            actx_q[i] == ctx_i && atag_q[i] == va[38:15]) coming = 1'b1;
      end
    end
    astale = '0;
    if (inv_i) for (int unsigned i = 0; i < 2; i++) astale[i] = actx_q[i] == inv_ctx_i;
  end
  assign aslot = (aread_q[0] | await_q[0]) | (entry_q & ~entry_slot_q);
  assign afree = ~(aread_q[aslot] | await_q[aslot] | (entry_q & entry_slot_q == aslot));
  // the line that a walk may be about to start for; whether it does is known late
  always_comb begin
    wanted = 1'b0;
    astart = 1'b0;
    soon_take_o = 1'b0;
    if (soon_i) begin
      wanted = state_q == StIdle & |open & va[38:15] == soon_va_i[38:15];
      // one is counted at a time
      astart = ~known & table_known & (soon_va_i[63:39] == '0) & afree & ~wanted & (state_q != StTable);
      soon_take_o = known | ~table_known | (soon_va_i[63:39] != '0) | astart;
    end
  end
  assign miss_o = (state_q == StTable) | astart;
  logic busy;
  assign moves_o = any_req | soon_i | inv_i | ahead_valid_i | busy;
  always_comb begin
    busy = 1'b0;
    if (state_q != StIdle || ahead_req_o || entry_q) busy = 1'b1;
  end
  assign ahead_req_o = aread_q != '0;
  assign ahead_id_o = ~aread_q[0];
  assign ahead_pa_o = {appn_q[ahead_id_o], atag_q[ahead_id_o][5:0], 6'd0};

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      aread_q <= '0;
      await_q <= '0;
      adrop_q <= '0;
      entry_q <= 1'b0;
      entry_slot_q <= 1'b0;
    end else begin
      adrop_q <= adrop_q | astale;
      entry_q <= ahead_valid_i;
      entry_slot_q <= ahead_slot_i;
      if (ahead_valid_i) begin
        await_q[ahead_slot_i] <= 1'b0;
        if (rd_err_i) adrop_q[ahead_slot_i] <= 1'b1;
      end
      if (ahead_req_o & ahead_gnt_i) begin
        aread_q[ahead_id_o] <= 1'b0;
        await_q[ahead_id_o] <= 1'b1;
      end
      if (astart) begin
        aread_q[aslot] <= 1'b1;
        adrop_q[aslot] <= inv_i && inv_ctx_i == ctx_i;
      end
    end
  end

  // whether the read starts is known last: what a free place has matters to nobody
  always_ff @(posedge clk_i) begin
    if (soon_i & afree) begin
      actx_q[aslot] <= ctx_i;
      atag_q[aslot] <= soon_va_i[38:15];
      appn_q[aslot] <= tppn_q[soon_at];
    end
  end

  logic [8:0] index;
  logic [511:0] read_q;
  logic [63:0] pte_q;
  logic err_q;
  assign pte_q = read_q[{index[2:0], 6'd0}+:64];
  assign index = level_q == 2'd2 ? wva_q[38:30] : level_q == 2'd1 ? wva_q[29:21] : wva_q[20:12];
  assign rd_req_o = state_q == StRead;
  assign rd_pa_o = {table_q[51:12], index[8:3], 6'd0};

  logic leaf;
  iau_hw_pkg::fault_e pte_fault;
  assign leaf = level_q == 2'd0 || pte_q[iau_hw_pkg::PteL];
  always_comb begin
    pte_fault = iau_hw_pkg::FaultNone;
    if (err_q) pte_fault = iau_hw_pkg::FaultBus;
    else if (!pte_q[iau_hw_pkg::PteV]) pte_fault = iau_hw_pkg::FaultUnmapped;
    else if (level_q == 2'd2 && pte_q[iau_hw_pkg::PteL]) pte_fault = iau_hw_pkg::FaultBadPte;
    else if (leaf && pte_q[iau_hw_pkg::PteW] &&
        pte_q[iau_hw_pkg::PteC]) pte_fault = iau_hw_pkg::FaultBadPte;
  end

  assign drop = drop_q | (inv_i && inv_ctx_i == wctx_q);

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q <= StIdle;
      level_q <= '0;
      who_q <= '0;
      wctx_q <= '0;
      drop_q <= 1'b0;
      held_q <= '0;
      wva_q <= '0;
      table_q <= '0;
      fault_q <= iau_hw_pkg::FaultNone;
      read_q <= '0;
      err_q <= 1'b0;
    end else begin
      if (ahead_valid_i) read_q <= rd_data_i;
      if (state_q == StIdle ? start : miss) held_q[who] <= 1'b1;
      unique case (state_q)
        StIdle: begin
          // all but the state is of a walk only if one starts
          if (start) state_q <= StTable;
          who_q <= who;
          wctx_q <= ctx_i;
          // the root of this walk may be the one that is being replaced
          drop_q <= inv_i && inv_ctx_i == ctx_i;
          wva_q <= va;
          table_q <= {root_i[51:12], 12'd0};
        end
        StTable: begin
          drop_q <= drop;
          state_q <= StRead;
          level_q <= table_hit ? 2'd0 : top_hit ? 2'd1 : 2'd2;
          if (table_hit) table_q <= {tppn_q[table_at], 12'd0};
          else if (top_hit) table_q <= {top_ppn, 12'd0};
        end
        StRead: begin
          drop_q <= drop;
          if (rd_gnt_i) state_q <= StWait;
        end
        StWait: begin
          drop_q <= drop;
          if (rd_valid_i) begin
            read_q <= rd_data_i;
            err_q <= rd_err_i;
            state_q <= StEntry;
          end
        end
        StEntry: begin
          drop_q <= drop;
          table_q <= {pte_q[51:12], 12'd0};
          level_q <= level_q - 2'd1;
          fault_q <= pte_fault;
          if (pte_fault != iau_hw_pkg::FaultNone) begin
            state_q <= StFault;
          end else if (leaf) begin
            state_q <= StIdle;
            held_q <= '0;
          end else begin
            state_q <= StRead;
          end
        end
        default: begin
          state_q <= StIdle;
          held_q <= '0;
        end
      endcase
    end
  end

  // Which line the data are, and which entry has an older reading of it, in which a page was not there
  // yet. An entry that is replaced in this very cycle is of another line: none is read twice at a time.
  logic ibig;
  logic [3:0] ictx;
  logic [23:0] itag;
  logic [NumEntries-1:0] same, same_q;  // one bit, or none
  always_comb begin
    ibig = 1'b0;
    ictx = '0;
    itag = '0;
    same = '0;
    if (ahead_valid_i | rd_valid_i) begin
      ibig = ~ahead_valid_i & level_q[0];
      ictx = ahead_valid_i ? actx_q[ahead_slot_i] : wctx_q;
      itag = ahead_valid_i ? atag_q[ahead_slot_i] : wva_q[38:15];
      for (int unsigned i = 0; i < NumEntries; i++) begin
        same[i] = valid_q[i] && ctx_q[i] == ictx && big_q[i] == ibig &&
            tag_q[i][23:9] == itag[23:9] && (ibig || tag_q[i][8:0] == itag[8:0]);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (ahead_valid_i | rd_valid_i) begin
      ibig_q <= ibig;
      ictx_q <= ictx;
      itag_q <= itag;
      same_q <= same;
    end
  end

  // a walk that began before its context was invalidated may have read what is no longer true
  logic install, remember, remember_top, walked;
  assign walked = state_q == StEntry && pte_fault == iau_hw_pkg::FaultNone && leaf && !drop;
  assign remember = state_q == StEntry && pte_fault == iau_hw_pkg::FaultNone && !leaf &&
                    level_q == 2'd1 && !drop;
  assign remember_top = state_q == StEntry && pte_fault == iau_hw_pkg::FaultNone && !leaf &&
                        level_q == 2'd2 && !drop;

  // What was read, as an entry. It takes the place of an older reading; else of the first one that was
  // not used, of the last one if all were.
  logic [NumEntries-1:0] unused, victim, put;
  logic [4:0] place;  // of the bit of PUT; by ORs, for it is known late
  logic [7:0] ok;
  logic [LineBits-1:0] line;
  always_comb begin
    unused = '0;
    victim = '0;
    put = '0;
    place = '0;
    ok = '0;
    line = '0;
    install = 1'b0;
    if (state_q == StEntry || entry_q) begin
      unused = ~used_q | NumEntries'(1) << (NumEntries - 1);
      victim = unused & -unused;
      put = same_q != '0 ? same_q : victim;
      for (int unsigned i = 0; i < NumEntries; i++) if (put[i]) place |= 5'(i);
      for (int unsigned i = 0; i < 8; i++) begin
        ok[i] = read_q[64*i+iau_hw_pkg::PteV] & (~ibig_q | read_q[64*i+iau_hw_pkg::PteL]) &
                ~(read_q[64*i+iau_hw_pkg::PteW] & read_q[64*i+iau_hw_pkg::PteC]);
        line[42*i+:42] = {read_q[64*i+iau_hw_pkg::PteW], read_q[64*i+iau_hw_pkg::PteC],
                          read_q[64*i+12+:40]};
      end
      // data come one line a cycle, so that it is either a walk's or one that was read ahead
      install = walked | (entry_q & ~adrop_q[entry_slot_q] & ~astale[entry_slot_q] & (ok != '0));
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= '0;
      used_q <= '0;
      tvalid_q <= '0;
      tvictim_q <= '0;
      pvalid_q <= '0;
      pvictim_q <= '0;
    end else begin
      valid_q <= (inv_i ? valid_q & ~stale : valid_q) | (install ? put : '0);
      if (inv_i) tvalid_q <= tvalid_q & ~tstale;
      if (inv_i) pvalid_q <= pvalid_q & ~pstale;
      if (install) begin
        used_q <= (&used_q ? '0 : used_q) | put;
      end else begin
        used_q <= used_q | match;
      end
      if (remember_top) begin
        pvictim_q <= ~pvictim_q;
        pvalid_q[pvictim_q] <= 1'b1;
      end
      if (remember) begin
        tvictim_q <= tvictim_q + 1'b1;
        tvalid_q[tvictim_q] <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (install) begin
      big_q[place] <= ibig_q;
      ctx_q[place] <= ictx_q;
      tag_q[place] <= itag_q;
      ok_q[place] <= ok;
      line_q[place] <= line;
    end
    if (remember_top) begin
      pctx_q[pvictim_q] <= wctx_q;
      ptag_q[pvictim_q] <= wva_q[38:30];
      pppn_q[pvictim_q] <= pte_q[51:12];
    end
    if (remember) begin
      tctx_q[tvictim_q] <= wctx_q;
      ttag_q[tvictim_q] <= wva_q[38:21];
      tppn_q[tvictim_q] <= pte_q[51:12];
    end
  end
endmodule
