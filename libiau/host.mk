# SPDX-License-Identifier: MIT
# The parts of libiau that need no device: errors, GGUF, tokenizers, sampling.

LIBIAU_HOST_SRCS := \
	libiau/src/base/dmath.c \
	libiau/src/base/error.c \
	libiau/src/base/strmap.c \
	libiau/src/base/utf8.c \
	libiau/src/device/va.c \
	libiau/src/model/gguf.c \
	libiau/src/model/gguf_kv.c \
	libiau/src/model/gguf_tensor.c \
	libiau/src/model/hparams.c \
	libiau/src/model/quant.c \
	libiau/src/model/tensors.c \
	libiau/src/model/tokenizer.c \
	libiau/src/model/tokenizer_bpe.c \
	libiau/src/model/tokenizer_merge.c \
	libiau/src/model/tokenizer_split.c \
	libiau/src/model/tokenizer_spm.c \
	libiau/src/model/tokenizer_text.c \
	libiau/src/model/tokenizer_vocab.c \
	libiau/src/runtime/sampler.c

# Results must not depend on whether the compiler fuses multiplications and additions.
LIBIAU_HOST_CFLAGS := -std=c11 -Wall -Wextra -Wconversion -Werror -D_GNU_SOURCE \
	-ffp-contract=off -fPIC -Ilibiau/include -Ilibiau/src
LIBIAU_HOST_LIBS := -lpcre2-8 -lm
