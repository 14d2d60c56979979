# SPDX-License-Identifier: MIT
# libiau on devices: on both engines, or on the card that IAU_NODE names.

LIBIAU_TESTS := $(patsubst tests/libiau/%.c,$(B)/tests/libiau/%,$(wildcard tests/libiau/test_*.c))

$(B)/tests/libiau/%.o: tests/libiau/%.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(LIBIAU_CFLAGS) -Wno-sign-conversion -Itests/support -MMD -MP -c -o $@ $<
-include $(wildcard $(B)/tests/libiau/*.d)

$(LIBIAU_TESTS): $(B)/tests/libiau/%: $(B)/tests/libiau/%.o $(LIBIAU_OBJS) $(DEVICE_OBJS) $(RTL_LIBS)
	$(CC) -o $@ $^ $(RTL_LDLIBS) -lpcre2-8 -ldrm -lcmocka -lm
# Shapes that no shipped model has, with random weights; the interpreter that sees Debian's numpy.
$(B)/tests/libiau/%.gguf: models/random/make_gguf.py $(wildcard models/common/*.py) | $(NEEDED)
	@mkdir -p $(@D)
	/usr/bin/python3 $< --shape $* --type q4_0 --out $@ > /dev/null
$(addprefix $(B)/tests/libiau/,test_batch test_cuts test_generate test_prompt test_rotation test_sparse): | $(patsubst %,$(B)/tests/libiau/%.gguf,6m 14m wide qwen2-0.5b qwen3-0.6b)
$(B)/tests/libiau/test_kv_budget: | $(B)/tests/libiau/tiny.gguf
check-vm check-debug: $(LIBIAU_TESTS)
