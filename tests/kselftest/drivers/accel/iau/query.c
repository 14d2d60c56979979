// SPDX-License-Identifier: GPL-2.0 OR MIT
/* What the device says about itself. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "client.h"
#include "kselftest_harness.h"

FIXTURE(query) {
	struct client c;
};

FIXTURE_SETUP(query)
{
	OPEN_OR_SKIP(&self->c);
}

FIXTURE_TEARDOWN(query)
{
	client_close(&self->c);
}

static int query(int fd, uint32_t type, void *p, uint32_t *size)
{
	struct drm_iau_dev_query args = { .type = type, .size = *size, .pointer = (uintptr_t)p };
	int err = ask(fd, DRM_IOCTL_IAU_DEV_QUERY, &args);

	*size = args.size;
	return err;
}

TEST_F(query, version)
{
	char name[16] = "", desc[64] = "";
	struct drm_version v = {
		.name = name, .name_len = sizeof(name), .desc = desc, .desc_len = sizeof(desc),
	};

	ASSERT_EQ(0, ask(self->c.fd, DRM_IOCTL_VERSION, &v));
	EXPECT_STREQ("iau", name);
	EXPECT_LT(0, v.desc_len);
}

TEST_F(query, info)
{
	struct drm_iau_device_info info = { };
	uint32_t size = sizeof(info);

	ASSERT_EQ(0, query(self->c.fd, DRM_IAU_DEV_QUERY_INFO, &info, &size));
	EXPECT_EQ(sizeof(info), size);
	EXPECT_EQ(IAU_VA_BITS, info.va_bits);
	EXPECT_EQ(IAU_NUM_CONTEXTS, info.contexts);
	EXPECT_LT(0, info.hw_version);
	EXPECT_LT(0, info.rows);
	EXPECT_LT(0, info.lanes);
	EXPECT_EQ(4, info.queues);
	EXPECT_EQ(IAU_VSP_BYTES, info.vector_bytes);
	EXPECT_LT(0, info.tile_bytes);
}

TEST_F(query, info_is_the_same_for_all)
{
	struct drm_iau_device_info a, b;
	uint32_t size = sizeof(a);
	struct client other;

	ASSERT_EQ(0, client_open(&other));
	ASSERT_EQ(0, query(self->c.fd, DRM_IAU_DEV_QUERY_INFO, &a, &size));
	ASSERT_EQ(0, query(other.fd, DRM_IAU_DEV_QUERY_INFO, &b, &size));
	EXPECT_EQ(0, memcmp(&a, &b, sizeof(a)));
	client_close(&other);
}

TEST_F(query, counters)
{
	struct drm_iau_counters before = { }, after = { };
	uint32_t size = sizeof(before);
	int grown = 0;

	ASSERT_EQ(0, copy_prepare(&self->c));
	ASSERT_EQ(0, query(self->c.fd, DRM_IAU_DEV_QUERY_COUNTERS, &before, &size));
	ASSERT_EQ(sizeof(before), size);
	ASSERT_EQ(0, run_copy(&self->c));
	ASSERT_EQ(0, query(self->c.fd, DRM_IAU_DEV_QUERY_COUNTERS, &after, &size));
	for (unsigned int i = 0; i < 32; i++) {
		EXPECT_LE(before.value[i], after.value[i]);
		grown += before.value[i] < after.value[i];
	}
	/* a job of three commands that moves two pages: commands, jobs, bytes read and written */
	EXPECT_LE(4, grown);
}

TEST_F(query, bad_type)
{
	struct drm_iau_counters out;
	uint32_t size = sizeof(out);

	EXPECT_EQ(-EINVAL, query(self->c.fd, 77, &out, &size));
	EXPECT_EQ(-EINVAL, query(self->c.fd, ~0u, &out, &size));
	EXPECT_EQ(-EINVAL, query(self->c.fd, ~0u, NULL, &size));
}

/* Sizes of answers, for each thing that can be asked for */
FIXTURE(answer) {
	struct client c;
};

FIXTURE_VARIANT(answer) {
	uint32_t type, size;
};

FIXTURE_VARIANT_ADD(answer, info) {
	.type = DRM_IAU_DEV_QUERY_INFO, .size = sizeof(struct drm_iau_device_info),
};

FIXTURE_VARIANT_ADD(answer, counters) {
	.type = DRM_IAU_DEV_QUERY_COUNTERS, .size = sizeof(struct drm_iau_counters),
};

FIXTURE_SETUP(answer)
{
	OPEN_OR_SKIP(&self->c);
}

FIXTURE_TEARDOWN(answer)
{
	client_close(&self->c);
}

TEST_F(answer, size_only)
{
	uint32_t size = 0;

	ASSERT_EQ(0, query(self->c.fd, variant->type, NULL, &size));
	EXPECT_EQ(variant->size, size);
	size = 1;
	ASSERT_EQ(0, query(self->c.fd, variant->type, NULL, &size));
	EXPECT_EQ(variant->size, size);
}

TEST_F(answer, ends_at_a_page)
{
	uint32_t size = variant->size;
	void *p = at_page_end(size);

	ASSERT_NE(NULL, p);
	EXPECT_EQ(0, query(self->c.fd, variant->type, p, &size));
	EXPECT_EQ(variant->size, size);
}

TEST_F(answer, room_for_a_part)
{
	uint8_t out[512];
	uint32_t size = 5;

	memset(out, 0xee, sizeof(out));
	ASSERT_EQ(0, query(self->c.fd, variant->type, out, &size));
	EXPECT_EQ(5, size);
	for (unsigned int i = 5; i < sizeof(out); i++)
		ASSERT_EQ(0xee, out[i]);
}

TEST_F(answer, more_room)
{
	uint8_t out[512];
	uint32_t size = sizeof(out);

	memset(out, 0xee, sizeof(out));
	ASSERT_EQ(0, query(self->c.fd, variant->type, out, &size));
	EXPECT_EQ(variant->size, size);
	for (unsigned int i = variant->size; i < sizeof(out); i++)
		ASSERT_EQ(0xee, out[i]);
}

TEST_F(answer, no_room)
{
	uint8_t out = 0xee;
	uint32_t size = 0;

	EXPECT_EQ(0, query(self->c.fd, variant->type, &out, &size));
	EXPECT_EQ(0, size);
	EXPECT_EQ(0xee, out);
}

TEST_F(answer, bad_pointer)
{
	uint32_t size = variant->size;
	uint8_t *end = at_page_end(size);

	ASSERT_NE(NULL, end);
	EXPECT_EQ(-EFAULT, query(self->c.fd, variant->type, (void *)8, &size));
	EXPECT_EQ(-EFAULT, query(self->c.fd, variant->type, (void *)-PAGE, &size));
	EXPECT_EQ(-EFAULT, query(self->c.fd, variant->type, end + 1, &size));
}

TEST_HARNESS_MAIN
