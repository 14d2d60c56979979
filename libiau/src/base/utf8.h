/* SPDX-License-Identifier: MIT */
#ifndef IAU_BASE_UTF8_H
#define IAU_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

#define UTF8_REPLACEMENT 0xfffdu

/*
 * Code point at @s, @len bytes, at least 1. Lenient in one thing: surrogates are taken as they
 * are. Of anything else that is not valid, one byte is taken and reads as U+FFFD. Sets @used to
 * the bytes taken.
 */
uint32_t utf8_decode_lenient(const char *s, size_t len, size_t *used);

/* Write @c, at most U+10FFFF (surrogates as three bytes), to @out; returns its length. */
size_t utf8_encode(uint32_t c, char out[4]);

/* Length that a lead byte announces by its upper four bits alone; 1 for continuation bytes. */
size_t utf8_lead_length(char lead);

#endif
