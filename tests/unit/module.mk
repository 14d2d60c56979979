# SPDX-License-Identifier: MIT
# Unit tests of the host-only parts of libiau. Needs libiau/host.mk.
#
# UNIT_TESTS names the programs, each from tests/unit/<name>.c; each prints TAP and runs alone.

UNIT_TESTS := \
	test_base \
	test_dump \
	test_eval \
	test_gguf \
	test_hparams \
	test_quant \
	test_sampler \
	test_split \
	test_tokenizer_bpe \
	test_tokenizer_spm \
	test_utf8_stream \
	test_va

# Tests that need the reference model.
REF_TESTS := test_ref_kernels test_ref_pair test_topk

FUZZ_TESTS := gguf_mutate

UNIT_SUPPORT := tests/support/gguf_writer.c tests/support/tiny_model.c

UNIT_DIR := $(B)/unit
UNIT_CFLAGS := -O2 -g $(LIBIAU_HOST_CFLAGS) -Itests/support
UNIT_OBJS := $(patsubst %.c,$(UNIT_DIR)/%.o,$(LIBIAU_HOST_SRCS) $(UNIT_SUPPORT))
UNIT_BINS := $(patsubst %,$(UNIT_DIR)/%,$(UNIT_TESTS) $(REF_TESTS))
FUZZ_BINS := $(patsubst %,$(UNIT_DIR)/%,$(FUZZ_TESTS))

$(UNIT_DIR)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(UNIT_CFLAGS) -MMD -MP -c -o $@ $<

$(patsubst %,$(UNIT_DIR)/%,$(REF_TESTS)): $(REF_OBJS)
$(patsubst %,$(UNIT_DIR)/tests/unit/%.o,$(REF_TESTS)): UNIT_CFLAGS += -I$(GEN) -Isim/include -Ihw-model/ref
$(patsubst %,$(UNIT_DIR)/tests/unit/%.o,$(REF_TESTS)): $(HW_HEADERS)

# Dumps of the driver are read by the command, not by the library.
DUMP_OBJS := $(addprefix $(UNIT_DIR)/,tests/unit/test_dump.o libiau/tools/dump_parse.o)
$(DUMP_OBJS): UNIT_CFLAGS += -I$(GEN) -Iuapi -Ilibiau/tools -isystem /usr/include/libdrm
$(DUMP_OBJS): $(HW_HEADERS)
$(UNIT_DIR)/test_dump: $(UNIT_DIR)/libiau/tools/dump_parse.o

# Tasks of iau eval need no device.
EVAL_SRCS := $(addprefix libiau/tools/eval_,exercises.c haystack.c pool.c stats.c tasks.c text.c)
EVAL_OBJS := $(patsubst %.c,$(UNIT_DIR)/%.o,$(EVAL_SRCS))
$(EVAL_OBJS) $(UNIT_DIR)/tests/unit/test_eval.o: UNIT_CFLAGS += -Ilibiau/tools
$(UNIT_DIR)/test_eval: $(EVAL_OBJS)
$(UNIT_DIR)/test_eval: LIBIAU_HOST_LIBS += -ljansson

$(UNIT_BINS): $(UNIT_DIR)/%: $(UNIT_DIR)/tests/unit/%.o $(UNIT_OBJS)
	$(CC) $(UNIT_CFLAGS) -o $@ $^ $(LIBIAU_HOST_LIBS) -lcmocka -lm -lpthread

$(FUZZ_BINS): $(UNIT_DIR)/%: $(UNIT_DIR)/tests/fuzz/%.o $(UNIT_OBJS)
	$(CC) $(UNIT_CFLAGS) -o $@ $^ $(LIBIAU_HOST_LIBS)

-include $(patsubst %.o,%.d,$(UNIT_OBJS)) \
	$(patsubst %,$(UNIT_DIR)/tests/unit/%.d,$(UNIT_TESTS) $(REF_TESTS)) \
	$(patsubst %,$(UNIT_DIR)/tests/fuzz/%.d,$(FUZZ_TESTS))

FUZZ_SEED ?= 1
FUZZ_COUNT ?= 2000

.PHONY: unit unit-check fuzz-check
unit: $(UNIT_BINS) $(FUZZ_BINS)

unit-check: $(UNIT_BINS)
	@set -e; for t in $(UNIT_BINS); do $$t; done

fuzz-check: $(FUZZ_BINS)
	@set -e; for t in $(FUZZ_BINS); do $$t $(FUZZ_SEED) $(FUZZ_COUNT); done
