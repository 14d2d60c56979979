/* SPDX-License-Identifier: MIT */
#include "base/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char last_error[IAU_ERROR_MAX];

const char *iau_last_error(void)
{
	return last_error;
}

void iau_set_error(const char *fmt, ...)
{
	char text[IAU_ERROR_MAX]; /* the arguments may point into last_error */
	va_list ap;

	va_start(ap, fmt);
	if (vsnprintf(text, sizeof(text), fmt, ap) < 0)
		text[0] = '\0';
	va_end(ap);
	memcpy(last_error, text, sizeof(text));
}

struct iau_printable iau_printable(const char *ptr, size_t len)
{
	static const char hex[] = "0123456789ABCDEF";
	struct iau_printable out;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)ptr[i];

		if (n + 4 + 4 > sizeof(out.text)) { /* one escape and "..." with its NUL */
			memcpy(&out.text[n], "...", 3);
			n += 3;
			break;
		}
		if (c >= 0x20 && c < 0x7f) {
			out.text[n++] = (char)c;
			continue;
		}
		out.text[n++] = '\\';
		out.text[n++] = 'x';
		out.text[n++] = hex[c >> 4];
		out.text[n++] = hex[c & 15];
	}
	out.text[n] = '\0';
	return out;
}
