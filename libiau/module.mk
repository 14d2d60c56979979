# SPDX-License-Identifier: MIT
# The library and the iau command.

LIBIAU_SRCS := $(LIBIAU_HOST_SRCS) \
	libiau/src/command/command.c \
	libiau/src/device/device.c \
	libiau/src/device/inproc.c \
	libiau/src/device/kernel.c \
	libiau/src/model/attention.c \
	libiau/src/model/attention_batch.c \
	libiau/src/model/attention_block.c \
	libiau/src/model/attention_sparse.c \
	libiau/src/model/bounds.c \
	libiau/src/model/emit.c \
	libiau/src/model/generate.c \
	libiau/src/model/graph.c \
	libiau/src/model/kv_cache.c \
	libiau/src/model/pack.c \
	libiau/src/model/prompt.c \
	libiau/src/model/rotation.c \
	libiau/src/model/rows.c \
	libiau/src/model/weights.c \
	libiau/src/runtime/batch.c \
	libiau/src/runtime/bounds.c \
	libiau/src/runtime/generate.c \
	libiau/src/runtime/kv.c \
	libiau/src/runtime/kv_cold.c \
	libiau/src/runtime/kv_file.c \
	libiau/src/runtime/kv_pack.c \
	libiau/src/runtime/kv_pages.c \
	libiau/src/runtime/kv_pool.c \
	libiau/src/runtime/kv_usage.c \
	libiau/src/runtime/prompt.c \
	libiau/src/runtime/session.c
LIBIAU_OBJS := $(LIBIAU_SRCS:%.c=$(B)/obj/%.o)
TOOL_SRCS := $(wildcard libiau/tools/*.c)
TOOL_OBJS := $(TOOL_SRCS:%.c=$(B)/obj/%.o)
LIBIAU_CFLAGS := -O2 -g $(LIBIAU_HOST_CFLAGS) -I$(GEN) -Isim/include -Ilibiau/tools -Iuapi \
	-isystem /usr/include/libdrm

$(LIBIAU_OBJS) $(TOOL_OBJS): $(B)/obj/%.o: %.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(LIBIAU_CFLAGS) -MMD -MP -c -o $@ $<
-include $(LIBIAU_OBJS:.o=.d) $(TOOL_OBJS:.o=.d)

DEVICE_OBJS := $(REF_OBJS) $(SIM_OBJS)

$(B)/iau: $(TOOL_OBJS) $(LIBIAU_OBJS) $(DEVICE_OBJS) $(RTL_LIBS)
	$(CC) -o $@ $(TOOL_OBJS) $(LIBIAU_OBJS) $(DEVICE_OBJS) $(RTL_LIBS) $(RTL_LDLIBS) \
		-lpcre2-8 -ljansson -ldrm -lncurses -lm
