# SPDX-License-Identifier: MIT
include tests/unit/module.mk
include tests/cosim/module.mk

# Every test is a program that prints TAP; prove runs them.
E2E_TESTS := $(wildcard tests/e2e/*.t)
CHECK := $(UNIT_BINS) $(E2E_TESTS)

$(B)/fuzz.t: $(FUZZ_BINS)
	@printf '#!/bin/sh\nexec %s $${FUZZ_SEED:-1} $${FUZZ_COUNT:-300}\n' '$(FUZZ_BINS)' > $@
	@chmod +x $@

check: $(B)/iau $(UNIT_BINS) $(B)/fuzz.t
	prove --timer -j2 --exec '' $(UNIT_BINS) $(B)/fuzz.t $(E2E_TESTS)
