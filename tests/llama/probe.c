/* SPDX-License-Identifier: MIT */
/*
 * One command line over two engines, so that their answers can be compared byte by byte:
 *
 *   probe tokenize MODEL       texts that end in NUL -> a line of token numbers for each
 *   probe logits MODEL         int32 tokens -> fp32 logits after each
 *   probe decode MODEL COUNT   int32 tokens -> seconds that COUNT greedy tokens after them took,
 *                              and these tokens
 *   probe prefill MODEL COUNT  int32 tokens -> seconds that all but the first COUNT took
 *   probe turns MODEL COUNT BUDGET
 *                              int32: how many tokens, and they -> 0; then for each byte seconds that COUNT greedy
 *                              tokens more took, attention to a choice of BUDGET if the engine has one
 */
#include "probe.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *read_input(size_t *len)
{
	size_t room = 1 << 16, n;
	char *text = malloc(room);

	*len = 0;
	while (text && (n = fread(text + *len, 1, room - *len, stdin)) > 0) {
		*len += n;
		if (*len == room)
			text = realloc(text, room *= 2);
	}
	return text;
}

static int tokenize(struct probe *p, const char *input, size_t len)
{
	for (size_t at = 0; at < len;) {
		size_t n_text = strnlen(input + at, len - at), n;
		int32_t *tokens;

		if (probe_tokenize(p, input + at, n_text, &tokens, &n))
			return 1;
		for (size_t i = 0; i < n; i++)
			printf("%d ", tokens[i]);
		putchar('\n');
		free(tokens);
		at += n_text + 1;
	}
	return 0;
}

static int write_logits(void *opaque, const float *logits)
{
	size_t n = probe_n_vocab(opaque);

	return fwrite(logits, sizeof(*logits), n, stdout) != n;
}

static int ignore_logits(void *opaque, const float *logits)
{
	(void)opaque;
	(void)logits;
	return 0;
}

static int32_t best(const float *logits, uint32_t n)
{
	uint32_t at = 0;

	for (uint32_t i = 1; i < n; i++)
		if (logits[i] > logits[at])
			at = i;
	return (int32_t)at;
}

static double seconds_of(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static double now(void)
{
	return seconds_of(CLOCK_MONOTONIC);
}

static int decode(struct probe *p, const int32_t *tokens, size_t n, size_t count)
{
	int32_t *out = calloc(count, sizeof(*out));
	const float *logits;
	double start, end;
	int err = !out || !n || probe_eval(p, tokens, n - 1, ignore_logits, NULL);

	logits = err ? NULL : probe_step(p, tokens[n - 1]);
	start = now();
	for (size_t i = 0; i < count && logits; i++) {
		out[i] = best(logits, probe_n_vocab(p));
		logits = probe_step(p, out[i]);
	}
	end = now();
	printf("%.9f", end - start);
	for (size_t i = 0; i < count && logits; i++)
		printf(" %d", out[i]);
	putchar('\n');
	free(out);
	return !logits;
}

/*
 * Seconds of the processor that COUNT greedy tokens take after LOGITS, which become the last ones; -1: an error. A
 * turn of one engine is ten times as long as one of the other: work beside it would not meet both alike.
 */
static double greedy(struct probe *p, const float **logits, size_t count)
{
	double start = seconds_of(CLOCK_PROCESS_CPUTIME_ID);

	for (size_t i = 0; i < count && *logits; i++)
		*logits = probe_step(p, best(*logits, probe_n_vocab(p)));
	return *logits ? seconds_of(CLOCK_PROCESS_CPUTIME_ID) - start : -1;
}

static int turns(struct probe *p, size_t count, uint32_t budget)
{
	const float *logits;
	int32_t n = 0, *tokens;
	double seconds = 0;
	int err;

	if (fread(&n, sizeof(n), 1, stdin) != 1 || n < 2)
		return -1;
	tokens = calloc((size_t)n, sizeof(*tokens));
	err = !tokens || fread(tokens, sizeof(*tokens), (size_t)n, stdin) != (size_t)n ||
	      probe_attention(p, budget) || probe_eval(p, tokens, (size_t)n - 1, NULL, NULL);
	logits = err ? NULL : probe_step(p, tokens[n - 1]);
	free(tokens);
	while (logits && seconds >= 0) {
		printf("%.9f\n", seconds);
		fflush(stdout);
		if (getchar() == EOF)
			return 0;
		seconds = greedy(p, &logits, count);
	}
	return -1;
}

/* Seconds of all tokens but WARM, which come first */
static int prefill(struct probe *p, const int32_t *tokens, size_t n, size_t warm)
{
	double start;
	int err = warm < n ? probe_eval(p, tokens, warm, NULL, NULL) : -1;

	start = now();
	if (!err)
		err = probe_eval(p, tokens + warm, n - warm, NULL, NULL);
	printf("%.9f\n", now() - start);
	return err;
}

int main(int argc, char **argv)
{
	struct probe *p;
	char *input;
	size_t len;
	int err = 2;

	if (argc < 3) {
		fprintf(stderr, "usage: probe tokenize|logits|decode|prefill|turns MODEL [COUNT [BUDGET]] < INPUT\n");
		return 2;
	}
	p = probe_open(argv[2], !strcmp(argv[1], "tokenize"));
	if (p && !strcmp(argv[1], "turns") && argc > 4) {
		err = turns(p, strtoul(argv[3], NULL, 10), (uint32_t)strtoul(argv[4], NULL, 10));
		probe_close(p);
		return err ? 1 : 0;
	}
	input = read_input(&len);
	if (!p || !input)
		return 1;
	if (!strcmp(argv[1], "tokenize"))
		err = tokenize(p, input, len);
	else if (!strcmp(argv[1], "logits"))
		err = probe_eval(p, (int32_t *)(void *)input, len / 4, write_logits, p);
	else if (!strcmp(argv[1], "decode") && argc > 3)
		err = decode(p, (int32_t *)(void *)input, len / 4, strtoul(argv[3], NULL, 10));
	else if (!strcmp(argv[1], "prefill") && argc > 3)
		err = prefill(p, (int32_t *)(void *)input, len / 4, strtoul(argv[3], NULL, 10));
	free(input);
	probe_close(p);
	return err ? 1 : 0;
}
