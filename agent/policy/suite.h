/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * A suite: a YAML list of what policies are expected to say, so that they can be tested wherever they are written. Read
 * as strictly as a policy, with the same diagnostics.
 *
 *   - name: no password hashes          optional
 *     container: web                    or `cgroup: /path`; optional
 *     exec: /usr/bin/curl               or `op: read` and `path: /etc/shadow`, or `op: mount`
 *     exe: /usr/sbin/nginx              what the subject runs; optional
 *     uid: 33                           its user; optional, default 0
 *     from_image: true                  the object came with the image; optional
 *     expect: deny                      allow, audit, would-deny, deny or kill
 *     rule: file.deny /etc/shadow       that decides; optional
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

#define SUITE_TESTS_MAX 10000U

struct suite_test {
	char *name;	 /* NULL: none */
	char *container; /* NULL: any */
	char *cgroup;	 /* NULL: any */
	char *op;	 /* a word of `ops:` or of `kernel:`, or "exec" */
	char *path;	 /* NULL for lines of `kernel:` */
	char *exe;	 /* NULL: none */
	char *rule;	 /* NULL: any */
	uint32_t uid;
	bool from_image;
	uint8_t expect; /* HT_VERDICT_* */
	struct policy_location location;
};

struct suite {
	struct suite_test *tests; /* order of the file */
	size_t n;
};

/* Return: 0; POLICY_E_INVALID, diags tells everything that is wrong; -ENOMEM. */
int suite_parse(const char *path, const void *text, size_t len, struct diag_list *diags, struct suite *ret);
void suite_deinit(struct suite *suite);
