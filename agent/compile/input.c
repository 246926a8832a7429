/* SPDX-License-Identifier: Apache-2.0 */

/* Path patterns as sequences of interned components. */

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "compile/automaton.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

int input_error(struct diag_list *diags, const struct policy *policy,
		struct policy_location location, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf text = {};
	struct diag diag = {
		.file = policy ? policy->file : NULL,
		.line = location.line,
		.column = location.column,
		.severity = DIAG_ERROR,
	};
	va_list ap;
	int r;

	va_start(ap, format);
	strbuf_vprintf(&text, format, ap);
	va_end(ap);
	if (strbuf_error(&text) < 0)
		return -ENOMEM;
	diag.text = text.data;
	r = diag_add(diags, &diag);
	return r < 0 ? r : IMAGE_E_INVALID;
}

size_t input_split(const char *path, struct input_text *texts)
{
	size_t n = 0;

	for (;;) {
		size_t len;

		path += strspn(path, "/");
		len = strcspn(path, "/");
		if (len == 0)
			return n;
		if (n < INPUT_TEXTS_MAX)
			texts[n] = (struct input_text){.text = path, .len = len};
		n++;
		path += len;
	}
}

struct component input_component(const struct input *in, uint32_t id)
{
	struct component c;

	c.text = intern_get(&in->components, id, &c.len);
	return c;
}

static int input_intern(struct input *in, const struct input_spec *spec, const char *text,
			size_t len, uint32_t *ret_id)
{
	uint8_t canonical[HT_GLOB_MAX];
	size_t n;
	int kind, r;

	kind = component_canonicalize(text, len, canonical, &n);
	if (kind < 0)
		return input_error(in->diags, spec->policy, spec->location,
				   "component \"%.32s...\" is longer than %u bytes, which no file "
				   "name can be: shorten it",
				   text, HT_GLOB_MAX);
	if (array_reserve(in->kinds, in->kinds_size, (size_t)in->components.n + 1) < 0)
		return -ENOMEM;
	r = intern_put(&in->components, canonical, n, ret_id);
	if (r < 0)
		return r;
	in->kinds[*ret_id] = (uint8_t)kind;
	return 0;
}

/* Two demands on one name become one wherever that is possible; only two wildcards stay a pair. */
static int input_conjoin(const struct input *in, uint32_t *last, uint32_t *also)
{
	struct component a = input_component(in, *last), b = input_component(in, *also);

	if (in->kinds[*last] == COMPONENT_LITERAL || in->kinds[*also] == COMPONENT_LITERAL) {
		if (in->kinds[*last] == COMPONENT_LITERAL ? !component_match(b, a.text, a.len)
							  : !component_match(a, b.text, b.len))
			return INPUT_NEVER;
		if (in->kinds[*last] != COMPONENT_LITERAL)
			*last = *also;
		*also = AUTOMATON_NONE;
	} else if (component_implies(a, b)) {
		*also = AUTOMATON_NONE;
	} else if (component_implies(b, a)) {
		*last = *also;
		*also = AUTOMATON_NONE;
	} else if (component_disjoint(a, b)) {
		return INPUT_NEVER;
	}
	return 0;
}

static int input_components(struct input *in, const struct input_spec *spec,
			    struct input_pattern *p)
{
	uint32_t id;
	int r;

	if (array_reserve(in->sequence, in->sequence_size, in->n_sequence + spec->n_texts) < 0)
		return -ENOMEM;
	p->first = (uint32_t)in->n_sequence;
	p->n = (uint32_t)spec->n_texts;
	for (size_t i = 0; i < spec->n_texts; i++) {
		r = input_intern(in, spec, spec->texts[i].text, spec->texts[i].len, &id);
		if (r != 0)
			return r;
		in->sequence[p->first + i] = id;
	}
	if (spec->loop) {
		r = input_intern(in, spec, spec->loop, strlen(spec->loop), &p->loop);
		if (r != 0)
			return r;
	}
	if (spec->also) {
		r = input_intern(in, spec, spec->also, strlen(spec->also), &p->also);
		if (r != 0)
			return r;
		return input_conjoin(in, &in->sequence[p->first + p->n - 1], &p->also);
	}
	return 0;
}

int input_add(struct input *in, const struct input_spec *spec, uint32_t *ret_pattern)
{
	struct input_pattern p = {
		.also = AUTOMATON_NONE,
		.loop = AUTOMATON_NONE,
		.subtree = spec->subtree,
		.policy = spec->policy,
		.location = spec->location,
	};
	int r;

	if (spec->n_texts > spec->depth_max)
		return input_error(in->diags, spec->policy, spec->location,
				   "path has %zu components, at most %zu can be told apart in the "
				   "kernel: name a directory further up",
				   spec->n_texts, spec->depth_max);
	/* Items carry a pattern's number in 30 bits; sequence numbers are 32 bits wide. */
	if (in->n_patterns >= 1U << 24)
		return input_error(in->diags, spec->policy, spec->location,
				   "more than %u path patterns: split the policy", 1U << 24);
	if (array_reserve(in->patterns, in->patterns_size, in->n_patterns + 1) < 0)
		return -ENOMEM;
	r = input_components(in, spec, &p);
	if (r != 0)
		return r;
	in->n_sequence += p.n;
	*ret_pattern = (uint32_t)in->n_patterns;
	in->patterns[in->n_patterns++] = p;
	return 0;
}

void input_deinit(struct input *in)
{
	intern_deinit(&in->components);
	free(in->kinds);
	free(in->sequence);
	free(in->patterns);
	*in = (struct input){};
}
