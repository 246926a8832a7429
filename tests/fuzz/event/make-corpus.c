/* SPDX-License-Identifier: Apache-2.0 */

/* Writes the corpus of fuzz-record: one valid record of each kind and a few with names that hurt.
 * The unit test of the corpus tells when the ABI has moved away from it. */

#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/event/record.h"

static void write_record(const char *directory, const char *name, const struct record_buffer *b)
{
	char path[4096];
	FILE *f;

	(void)snprintf(path, sizeof(path), "%s/%s", directory, name);
	f = fopen(path, "we");
	if (!f || fwrite(b->data, 1, b->size, f) != b->size || fclose(f) != 0) {
		perror(path);
		exit(EXIT_FAILURE);
	}
}

static void path_set(struct record_buffer *b, const void *path, size_t len)
{
	struct ht_record *r = record_head(b);

	b->size = sizeof(*r);
	r->exe = r->argv = (struct ht_text){};
	record_text(b, &r->path, path, len);
}

int main(int argc, char **argv)
{
	static const char *const kinds[HT_RECORD_MAX] = {NULL, "verdict", "exit", "bind", "unbind"};
	static const char hostile[] =
		"/\n\033[31m\",\"verdict\":\"allow\\'); DROP TABLE event;\xff\xed\x95\xb4";
	struct record_buffer b;
	char path[HT_TEXT_PATH_MAX];

	if (argc != 2) {
		(void)fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
		return EXIT_FAILURE;
	}
	for (unsigned kind = HT_RECORD_VERDICT; kind < HT_RECORD_MAX; kind++) {
		record_make(&b, kind);
		write_record(argv[1], kinds[kind], &b);
	}
	record_make(&b, HT_RECORD_VERDICT);
	path_set(&b, hostile, sizeof(hostile) - 1);
	record_head(&b)->op = HT_OP_EXEC;
	record_head(&b)->verdict = HT_VERDICT_WOULD_DENY;
	write_record(argv[1], "hostile", &b);
	record_make(&b, HT_RECORD_VERDICT);
	memset(path, 'x', sizeof(path));
	path_set(&b, path, sizeof(path));
	record_head(&b)->flags = HT_RECORD_PATH_TRUNCATED;
	write_record(argv[1], "long", &b);
	record_make(&b, HT_RECORD_VERDICT);
	path_set(&b, "", 0);
	record_head(&b)->reason = HT_REASON_ANONYMOUS;
	record_head(&b)->rule = 0;
	write_record(argv[1], "nameless", &b);
	return EXIT_SUCCESS;
}
