/* SPDX-License-Identifier: MIT */
/* Benchmarks as a table and as comma-separated values. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

double bench_number(json_t *cell, const char *phase, const char *key)
{
	return json_number_value(json_object_get(json_object_get(cell, phase), key));
}

bool bench_has(json_t *cell, const char *phase)
{
	return bench_number(cell, phase, "tokens") > 0;
}

void bench_print(const struct bench_phase *phase, json_t *cell, bool breakdown)
{
	for (unsigned int i = 0; i < BENCH_PHASES; i++) {
		const char *name = phase[i].name;
		double n = bench_number(cell, name, "tokens");

		if (!bench_has(cell, name))
			continue;
		printf("%-8s %6.0f tokens  %12.0f cycles/token  %10.0f bytes/token  %10.1f tokens/s\n",
		       name, n, bench_number(cell, name, "cycles") / n,
		       bench_number(cell, name, "load_bytes") / n,
		       n / bench_number(cell, name, "host_seconds"));
		if (breakdown)
			breakdown_print(&phase[i].spans, (uint32_t)n);
	}
	fflush(stdout);
}

static void csv_line(FILE *f, json_t *cell, const char *phase)
{
	static const char *const keys[] = { "cycles", "load_bytes", "store_bytes", "macs",
					    "elements", "kv_pages_promoted" };

	double batch = json_number_value(json_object_get(cell, "batch"));

	fprintf(f, "%s,%.0f,%.0f,%.0f,%s,%.6f", json_string_value(json_object_get(cell, "engine")),
		bench_number(cell, "prefill", "tokens") / batch,
		bench_number(cell, "decode", "tokens") / batch, batch, phase,
		bench_number(cell, phase, "host_seconds"));
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		fprintf(f, ",%.0f", bench_number(cell, phase, keys[i]));
	fputc('\n', f);
}

int bench_write_csv(const char *path, json_t *cells)
{
	FILE *f = fopen(path, "w");
	size_t i;
	json_t *cell;

	if (f) {
		fputs("engine,prompt,gen,batch,phase,host_seconds,cycles,load_bytes,store_bytes,macs,elements,kv_pages_promoted\n", f);
		json_array_foreach(cells, i, cell) {
			if (bench_has(cell, "prefill"))
				csv_line(f, cell, "prefill");
			if (bench_has(cell, "decode"))
				csv_line(f, cell, "decode");
		}
	}
	if (!f || fclose(f)) {
		fprintf(stderr, "iau: %s: %s\n", path, strerror(errno));
		return EXIT_INPUT;
	}
	return EXIT_OK;
}
