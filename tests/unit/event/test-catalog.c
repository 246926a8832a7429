/* SPDX-License-Identifier: Apache-2.0 */

/* systemd/haetae.catalog: one entry for each message id, in the form journalctl reads, with fields
 * that alerts have. */

#include <stdio.h>
#include <sys/uio.h>

#include <fcntl.h>

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/fd.h"

static char *catalog;

static const char *const ids[] = {
	EVENT_MESSAGE_REFUSED, EVENT_MESSAGE_WOULD_REFUSE, EVENT_MESSAGE_FLOOD,
	EVENT_MESSAGE_LOSS,    EVENT_MESSAGE_POLICY_STALE, EVENT_MESSAGE_POLICY_PUBLISHED,
	EVENT_MESSAGE_READY,   EVENT_MESSAGE_STORE,	   EVENT_MESSAGE_STOPPED,
	EVENT_MESSAGE_TAMPERED,
	EVENT_MESSAGE_POLICY_TRIAL, EVENT_MESSAGE_POLICY_CONFIRMED, EVENT_MESSAGE_POLICY_ROLLED_BACK,
	EVENT_MESSAGE_DISARMED, EVENT_MESSAGE_ARMED,
};

static size_t count(const char *text, const char *needle)
{
	size_t n = 0;

	for (; (text = strstr(text, needle)); text++)
		n++;
	return n;
}

START_TEST(test_entry)
{
	char head[64];
	const char *entry, *end, *body;

	(void)snprintf(head, sizeof(head), "\n-- %s\nSubject: ", ids[_i]);
	ck_assert_uint_eq(count(catalog, head), 1);
	entry = strstr(catalog, head) + 1;
	end = strstr(entry, "\n-- ");
	body = strstr(entry, "\n\n");
	ck_assert_ptr_nonnull(body);
	ck_assert(!end || body < end);
	/* an explanation, not a stub */
	ck_assert_int_gt((end ? end : entry + strlen(entry)) - body, 200);
	ck_assert_ptr_nonnull(strstr(entry, "\nDefined-By: Haetae\n"));
}
END_TEST

START_TEST(test_no_other_entries)
{
	ck_assert_uint_eq(count(catalog, "\n-- "), ARRAY_LEN(ids));
}
END_TEST

static bool alert_has(const struct event *event, const char *name, size_t len)
{
	struct event_alert *alert;
	const struct iovec *fields;
	bool found = false;
	size_t n;

	ck_assert_int_eq(event_alert_new(event, &alert), 0);
	fields = event_alert_fields(alert, &n);
	for (size_t i = 0; i < n; i++) {
		const char *data = fields[i].iov_base;

		found |=
			fields[i].iov_len > len && memcmp(data, name, len) == 0 && data[len] == '=';
	}
	(void)event_alert_free(alert);
	return found;
}

/* A misspelt @FIELD@ would silently be empty. */
START_TEST(test_fields_exist)
{
	struct event event = sample_event(0);
	size_t n = 0;

	for (const char *p = catalog; (p = strstr(p, "@HAETAE_")); n++) {
		const char *end = strchr(p + 1, '@');

		ck_assert_ptr_nonnull(end);
		ck_assert_msg(alert_has(&event, p + 1, (size_t)(end - p) - 1), "%.*s",
			      (int)(end - p) + 1, p);
		p = end + 1;
	}
	ck_assert_uint_gt(n, 20);
	event_deinit(&event);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("catalog");
	TCase *tc = tcase_create("catalog");
	const char *data = getenv("HAETAE_TEST_DATA");
	char path[4096];
	size_t len;

	(void)snprintf(path, sizeof(path), "%s/../systemd/haetae.catalog", data ? data : "tests");
	if (file_read_all(AT_FDCWD, path, 1 << 20, &catalog, &len) < 0) {
		(void)fprintf(stderr, "cannot read %s\n", path);
		return EXIT_FAILURE;
	}
	tcase_add_loop_test(tc, test_entry, 0, (int)ARRAY_LEN(ids));
	tcase_add_test(tc, test_no_other_entries);
	tcase_add_test(tc, test_fields_exist);
	suite_add_tcase(suite, tc);
	len = (size_t)suite_run(suite);
	free(catalog);
	return (int)len;
}
