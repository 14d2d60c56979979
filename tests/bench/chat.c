/* SPDX-License-Identifier: MIT */
/*
 * Conversations that take turns: CHATS of them with a common beginning, 5 to 20 turns each in random order. A turn
 * is a question of 70 tokens and an answer of 215, on average, as in LMSYS-Chat-1M (Zheng et al. 2024: 69.5 and
 * 214.5); with "short", a text of 120 and an answer of four, so that nearly all that is said is new to the model.
 * Device memory for KV caches is limited to a quarter of what FP16 would take in the end. What is measured is
 * memory, and the time from a turn's tokens to the first one of its answer,
 *
 *	tiers	with 4-bit keys and values, and host memory for those that wait
 *	reuse	with INT8 and the same device memory alone: who was unused the longest is forgotten
 *	recompute	with nothing kept from turn to turn
 *
 * in device cycles. A slab that moves between memories counts with its bytes at 64 a cycle. What is evaluated
 * anew costs what evaluating the same number of tokens costs once, measured at every 32. Answers are given, so
 * that they are evaluated many tokens at a time: that leaves the same keys and values, and no figure has its time.
 *
 * chat_bench MODEL ENGINE [SEED [short]]: a line for each figure
 */
#include "base/error.h"
#include "iau/model.h"
#include "iau_hw.h"
#include "runtime/rng.h"
#include "runtime/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHATS 4
#define MOST_TURNS (CHATS * 20)
#define PREFIX 256u /* tokens of the common beginning */
#define RECENT 256

/* Tokens of a question or an answer: any number of them is as likely as any other */
struct spread {
	uint32_t least, most;
};

struct talk {
	struct spread question, answer;
};

static const struct talk long_answers = { { 20, 120 }, { 65, 365 } }, short_answers = { { 40, 200 }, { 4, 4 } };

struct turn {
	uint32_t chat, tokens, answer;
};

struct plan {
	struct turn turn[MOST_TURNS];
	uint32_t n, total[CHATS]; /* turns; tokens of each chat in the end */
	uint64_t fp16;		  /* bytes that all would take */
};

struct bench {
	struct iau_device *dev;
	struct iau_model *model;
	struct iau_model_info info;
	const struct talk *talk;
	struct plan plan;
	uint32_t longest; /* of all chats, tokens */
	uint64_t *once; /* cycles for the first 32 * i tokens */
	double recompute[MOST_TURNS], reuse[MOST_TURNS], tiers[MOST_TURNS];
};

static void must(int err)
{
	if (!err)
		return;
	fprintf(stderr, "chat_bench: %s\n", iau_last_error());
	exit(1);
}

static int32_t token_of(const struct bench *b, uint32_t chat, uint32_t at)
{
	return (int32_t)((at < PREFIX ? at : at * 31 + chat * 17 + 1) * 7919 % b->info.n_vocab);
}

/* Chat CHAT goes on by N tokens. */
static void go_on(const struct bench *b, struct iau_session *s, uint32_t chat, uint32_t n)
{
	uint32_t from = iau_session_length(s);

	while (n) {
		int32_t token[256];
		uint32_t take = n < 256 ? n : 256;

		for (uint32_t i = 0; i < take; i++)
			token[i] = token_of(b, chat, from + i);
		must(iau_session_eval(s, token, take, NULL, NULL));
		from += take;
		n -= take;
	}
}

static uint64_t cycles(const struct bench *b)
{
	return iau_device_counter(b->dev, IAU_CNT_CYCLES);
}

static uint64_t fp16_bytes(const struct bench *b)
{
	const struct iau_hparams *hp = &b->model->hp;

	return (uint64_t)hp->n_layer * hp->n_head_kv * hp->head_dim * 2 * 2;
}

static uint32_t any_of(struct iau_rng *rng, struct spread s)
{
	return s.least + (uint32_t)(iau_rng_next(rng) % (s.most - s.least + 1));
}

/* Whose turn it is, and what is told */
static void make_plan(struct bench *b, uint64_t seed)
{
	uint32_t left[CHATS], all = 0;
	struct plan *p = &b->plan;
	struct iau_rng rng;

	iau_rng_seed(&rng, seed);
	for (uint32_t i = 0; i < CHATS; i++) {
		left[i] = 5 + (uint32_t)(iau_rng_next(&rng) % 16);
		all += left[i];
		p->total[i] = PREFIX;
	}
	for (; p->n < all; p->n++) {
		uint32_t chat;

		do
			chat = (uint32_t)(iau_rng_next(&rng) % CHATS);
		while (!left[chat]);
		left[chat]--;
		p->turn[p->n].chat = chat;
		p->turn[p->n].tokens = any_of(&rng, b->talk->question);
		p->turn[p->n].answer = any_of(&rng, b->talk->answer);
		p->total[chat] += p->turn[p->n].tokens + p->turn[p->n].answer;
	}
	for (uint32_t i = 0; i < CHATS; i++) {
		p->fp16 += (uint64_t)p->total[i] * fp16_bytes(b);
		b->longest = p->total[i] > b->longest ? p->total[i] : b->longest;
	}
}

static void set_model(struct bench *b, const char *path, uint32_t bits)
{
	iau_model_free(b->model);
	must(iau_model_load(b->dev, path, 0, &b->model));
	must(iau_model_kv_precision(b->model, bits, bits, RECENT));
	iau_model_info(b->model, &b->info);
}

/* What the first tokens of a sequence cost that is evaluated at once */
static void measure_once(struct bench *b)
{
	uint64_t start = cycles(b);
	struct iau_session *s;

	b->once = calloc(b->longest / 32 + 2, sizeof(*b->once));
	must(b->once ? iau_session_create(b->model, &s) : iau_error_nomem("figures"));
	for (uint32_t i = 1; (i - 1) * 32 < b->longest; i++) {
		go_on(b, s, 0, 32);
		b->once[i] = cycles(b) - start;
	}
	iau_session_free(s);
}

static double once(const struct bench *b, uint32_t tokens)
{
	double part = tokens % 32 / 32.0;

	return (1 - part) * (double)b->once[tokens / 32] + part * (double)b->once[tokens / 32 + 1];
}

struct peak {
	uint64_t device, total;
};

/* Every turn as it comes; what each takes to its first token, and the most memory that was in use */
static void run_turns(struct bench *b, uint64_t budget, double *first, struct peak *peak)
{
	uint64_t slab = b->model->pool.form->slab_bytes;
	struct iau_session *base, *chat[CHATS];
	struct iau_kv_usage before, after;

	must(iau_session_create(b->model, &base));
	go_on(b, base, 0, PREFIX);
	for (uint32_t i = 0; i < CHATS; i++)
		must(iau_session_fork(base, PREFIX, &chat[i]));
	must(iau_model_kv_budget(b->model, budget));
	for (uint32_t i = 0; i < b->plan.n; i++) {
		const struct turn *t = &b->plan.turn[i];
		uint64_t start = cycles(b);

		iau_model_kv_usage(b->model, &before);
		go_on(b, chat[t->chat], t->chat, t->tokens);
		first[i] = (double)(cycles(b) - start);
		go_on(b, chat[t->chat], t->chat, t->answer);
		iau_model_kv_usage(b->model, &after);
		/* moves of the whole turn, as if all had been slabs of INT8 */
		first[i] += (double)((after.promoted - before.promoted + after.demoted - before.demoted) * slab) / 64;
		peak->device = after.device > peak->device ? after.device : peak->device;
		peak->total = after.device + after.host > peak->total ? after.device + after.host : peak->total;
	}
	iau_session_free(base);
	for (uint32_t i = 0; i < CHATS; i++)
		iau_session_free(chat[i]);
}

/* INT8 in the same device memory: a chat that is forgotten is evaluated from its beginning. */
static void forget_and_recompute(struct bench *b, uint64_t budget)
{
	uint32_t length[CHATS] = { 0 }, kept[CHATS] = { 0 }, used[CHATS] = { 0 };

	for (uint32_t i = 0; i < b->plan.n; i++) {
		const struct turn *t = &b->plan.turn[i];
		uint32_t now = (length[t->chat] ? length[t->chat] : PREFIX) + t->tokens;

		b->recompute[i] = once(b, now);
		if (!kept[t->chat])
			b->reuse[i] = b->recompute[i];
		length[t->chat] = kept[t->chat] = now + t->answer;
		used[t->chat] = i + 1;
		for (;;) {
			uint32_t oldest = t->chat, all = 0;

			for (uint32_t k = 0; k < CHATS; k++) {
				all += kept[k];
				if (kept[k] && used[k] < used[oldest])
					oldest = k;
			}
			if (all * b->info.kv_bytes <= budget || oldest == t->chat)
				break;
			kept[oldest] = 0;
		}
	}
}

static int by_value(const void *x, const void *y)
{
	double a = *(const double *)x, b = *(const double *)y;

	return (a > b) - (a < b);
}

/* Nearest rank */
static double percentile(double *v, uint32_t n, uint32_t percent)
{
	qsort(v, n, sizeof(*v), by_value);
	return v[(n * percent + 99) / 100 - 1];
}

static void report(struct bench *b, uint64_t budget, const struct peak *peak)
{
	uint32_t n = b->plan.n;
	double p50 = percentile(b->tiers, n, 50), p95 = percentile(b->tiers, n, 95);

	printf("chat_turns %u\nchat_tokens %llu\nkv_budget_bytes %llu\n", n,
	       (unsigned long long)(b->plan.fp16 / fp16_bytes(b)), (unsigned long long)budget);
	printf("kv_device_bytes_vs_fp16 %.4f\n", (double)peak->device / (double)b->plan.fp16);
	printf("kv_total_bytes_vs_fp16 %.4f\n", (double)peak->total / (double)b->plan.fp16);
	printf("ttft_p50_cycles %.0f\nttft_p95_cycles %.0f\n", p50, p95);
	printf("ttft_p50_vs_recompute %.4f\n", p50 / percentile(b->recompute, n, 50));
	printf("ttft_p95_vs_int8_reuse %.4f\n", p95 / percentile(b->reuse, n, 95));
}

int main(int argc, char **argv)
{
	struct iau_device_options o = { .engine = argc > 2 ? argv[2] : NULL };
	struct peak unlimited = { 0 }, peak = { 0 };
	struct bench b = { .talk = argc > 4 ? &short_answers : &long_answers };
	uint64_t budget;

	if (argc < 3 || argc > 5 || (argc > 4 && strcmp(argv[4], "short"))) {
		fprintf(stderr, "usage: chat_bench MODEL ENGINE [SEED [short]]\n");
		return 2;
	}
	must(iau_device_open(&o, &b.dev));
	set_model(&b, argv[1], 8);
	make_plan(&b, argc > 3 ? strtoull(argv[3], NULL, 0) : 1);
	budget = b.plan.fp16 / 4;
	measure_once(&b);
	run_turns(&b, 0, b.reuse, &unlimited);
	forget_and_recompute(&b, budget);
	set_model(&b, argv[1], 4);
	run_turns(&b, budget, b.tiers, &peak);
	report(&b, budget, &peak);
	iau_model_free(b.model);
	iau_device_close(b.dev);
	free(b.once);
	return 0;
}
