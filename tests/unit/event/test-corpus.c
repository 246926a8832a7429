/* SPDX-License-Identifier: Apache-2.0 */

/* The corpus of fuzz-record holds records of this ABI: a fuzzer that starts from refused ones finds
 * little. After a change of the ABI: make-corpus tests/fuzz/event/corpus/record. */

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/fd.h"

START_TEST(test_corpus_is_valid)
{
	const char *data = getenv("HAETAE_TEST_DATA");
	struct event_clock clock = {};
	const struct dirent *entry;
	char path[4096];
	size_t n = 0;
	DIR *d;

	(void)snprintf(path, sizeof(path), "%s/fuzz/event/corpus/record", data ? data : "tests");
	d = opendir(path);
	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d))) {
		_cleanup_free_ char *bytes = NULL;
		struct event event;
		size_t len;

		if (entry->d_name[0] == '.')
			continue;
		ck_assert_int_eq(file_read_all(dirfd(d), entry->d_name, 65536, &bytes, &len), 0);
		ck_assert_msg(event_decode(bytes, len, &clock, &event) == 0, "%s", entry->d_name);
		event_deinit(&event);
		n++;
	}
	(void)closedir(d);
	ck_assert_uint_ge(n, 7);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("corpus");

	tcase_add_test(tc, test_corpus_is_valid);
	return tcase_run(tc);
}
