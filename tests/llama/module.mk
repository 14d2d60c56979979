# SPDX-License-Identifier: MIT
# The reference model against llama.cpp as Debian packages it: what they compute, and how fast.
# Needs the network for the packages, the first time.

LLAMA := $(B)/llama
LLAMA_ROOT := $(LLAMA)/root/usr
LLAMA_CFLAGS := -std=c11 -O2 -g -Wall -Wextra -Werror -D_GNU_SOURCE -Itests/llama
# The one that sees Debian's python3-numpy.
LLAMA_PYTHON ?= /usr/bin/python3

$(LLAMA)/versions: scripts/apt-root
	scripts/apt-root $(LLAMA) forky libllama-dev

# The libraries want a newer C library than the host's, so the linker does not follow them.
$(LLAMA)/probe-llama: tests/llama/probe.c tests/llama/probe_llama.c tests/llama/probe.h $(LLAMA)/versions
	$(CC) $(LLAMA_CFLAGS) -iquote $(LLAMA_ROOT)/include -o $@ $(filter %.c,$^) \
		-L$(LLAMA_ROOT)/lib/x86_64-linux-gnu -lllama -lggml -lggml-base \
		-Wl,--allow-shlib-undefined

$(LLAMA)/probe-iau: tests/llama/probe.c tests/llama/probe_iau.c tests/llama/probe.h \
		$(LIBIAU_OBJS) $(DEVICE_OBJS) $(RTL_LIBS)
	@mkdir -p $(@D)
	$(CC) $(LLAMA_CFLAGS) -Ilibiau/include -o $@ $(filter %.c %.o %.a,$^) $(RTL_LDLIBS) -lpcre2-8 -ldrm -lm

.PHONY: check-llama
check-llama: $(LLAMA)/probe-llama $(LLAMA)/probe-iau
	prove --timer --verbose --exec $(LLAMA_PYTHON) tests/llama/compare.py :: $(LLAMA)
