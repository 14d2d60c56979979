# SPDX-License-Identifier: MIT
# The reference model's arithmetic against MPFR and libgcc. -x takes all arguments: minutes.

NUMERICS_TEST := $(B)/tests/numerics_test

$(NUMERICS_TEST): tests/numerics/numerics_test.c hw-model/ref/numerics.h tests/support/sfu_args.h \
		$(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(REF_CFLAGS) -Itests/support -o $@ $< -lmpfr -lm

# What sparse attention proves with it
BOUNDS_TEST := $(B)/tests/bounds_test

$(BOUNDS_TEST): tests/numerics/bounds_test.c hw-model/ref/numerics.h $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(REF_CFLAGS) -o $@ $< -lm
