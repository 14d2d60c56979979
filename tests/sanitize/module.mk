# SPDX-License-Identifier: MIT
# Everything in C once more under AddressSanitizer and UBSan, beside the same Verilated device.

S := $(B)/sanitize
SANITIZED_BINS := $(UNIT_TESTS:%=$(S)/unit/%) $(DEVICE_TESTS:$(B)/%=$(S)/%) \
	$(VFIO_TESTS:$(B)/%=$(S)/%) $(addprefix $(S)/tests/libiau/test_,buffers kv_budget kv_cold kv_file kv_packed kv_share)
SANITIZED_SCRIPTS := $(addprefix $(S)/,fuzz.t jobs.t input.t model.t)
SANITIZED_TESTS := $(SANITIZED_BINS) $(SANITIZED_SCRIPTS)

.PHONY: sanitized sanitize-check
sanitized: $(RTL_LIBS) $(SANITIZED_SCRIPTS) $(B)/tests/libiau/tiny.gguf
	$(MAKE) B=$(S) GEN=$(GEN) NEEDED=$(NEEDED) RTL_DIR=$(RTL_DIR) RTL_OBJ=$(RTL_OBJ) SANITIZE=1 \
		$(S)/iau $(S)/unit/gguf_mutate $(S)/tests/cosim_random $(SANITIZED_BINS)

sanitize-check: sanitized
	prove --timer -j2 --exec '' $(SANITIZED_TESTS)

# Mutated model files; FUZZ_SEED and FUZZ_COUNT choose
$(S)/fuzz.t: RUN = exec $(S)/unit/gguf_mutate $${FUZZ_SEED:-1} $${FUZZ_COUNT:-2000}
# Random command buffers on the reference model alone: job 2000 is the first that rtl would run
$(S)/jobs.t: RUN = exec $(S)/tests/cosim_random 9 2000 2000
$(S)/input.t: RUN = IAU=$(S)/iau exec tests/e2e/input.t
$(S)/model.t: RUN = IAU=$(S)/iau exec tests/sanitize/model.sh

$(SANITIZED_SCRIPTS): tests/sanitize/module.mk
	@mkdir -p $(@D)
	@printf '#!/bin/sh\n%s\n' '$(RUN)' > $@
	@chmod +x $@
