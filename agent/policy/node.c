/* SPDX-License-Identifier: Apache-2.0 */

/* The tree of a document (node.h): its memory and the words about it. */

#include "policy/node.h"

#include <string.h>
#include <strings.h>

#define ARENA_CHUNK 65536U

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(16) char data[];
};

struct arena {
	struct arena_chunk *chunks;
};

struct arena *arena_new(void)
{
	return calloc(1, sizeof(struct arena));
}

struct arena *arena_free(struct arena *a)
{
	if (!a)
		return NULL;
	while (a->chunks) {
		struct arena_chunk *c = a->chunks;

		a->chunks = c->next;
		free(c);
	}
	free(a);
	return NULL;
}

void arena_reset(struct arena *a)
{
	struct arena_chunk *c = a->chunks;

	if (!c)
		return;
	while (c->next) {
		struct arena_chunk *next = c->next;

		c->next = next->next;
		free(next);
	}
	memset(c->data, 0, c->used);
	c->used = 0;
}

void *arena_take(struct arena *a, size_t size)
{
	struct arena_chunk *c = a->chunks;
	void *p;

	size = (size + 15) & ~(size_t)15;
	if (!c || c->size - c->used < size) {
		size_t room = size > ARENA_CHUNK ? size : ARENA_CHUNK;

		c = calloc(1, sizeof(*c) + room);
		if (!c)
			return NULL;
		c->size = room;
		c->next = a->chunks;
		a->chunks = c;
	}
	p = c->data + c->used;
	c->used += size;
	return p;
}

const char *node_describe(const struct node *n)
{
	switch (n->kind) {
	case NODE_SCALAR:
		return n->len == 0 ? "empty" : "text";
	case NODE_LIST:
		return "a list";
	case NODE_MAPPING:
		return "a mapping";
	case NODE_BAD:
	case _NODE_KIND_MAX:
		break;
	}
	return "not usable";
}

static bool word_is(const char *s, size_t len, const char *word)
{
	return len == strlen(word) && strncasecmp(s, word, len) == 0;
}

/* Characters of a set from s on, underscores included. */
static size_t run(const char *s, size_t len, const char *set)
{
	size_t n = 0;

	while (n < len && (s[n] == '_' || (s[n] && strchr(set, s[n]))))
		n++;
	return n;
}

#define DIGITS "0123456789"

static bool is_based_number(const char *s, size_t len)
{
	static const struct {
		char letter;
		const char *digits;
	} bases[] = {
		{'x', DIGITS "abcdefABCDEF"},
		{'o', "01234567"},
		{'b', "01"},
	};

	if (len < 3 || s[0] != '0')
		return false;
	for (size_t i = 0; i < ARRAY_LEN(bases); i++)
		if (s[1] == bases[i].letter)
			return run(s + 2, len - 2, bases[i].digits) == len - 2;
	return false;
}

/* Integers, fractions, exponents and the base 60 of YAML 1.1 (`1:30`). */
static bool is_number(const char *s, size_t len)
{
	size_t i = 0, digits;

	if (len > 0 && (s[0] == '+' || s[0] == '-'))
		i++;
	if (word_is(s + i, len - i, ".inf") || word_is(s, len, ".nan"))
		return true;
	if (is_based_number(s + i, len - i))
		return true;
	if (i >= len || !(strchr(DIGITS, s[i]) || s[i] == '.') || s[i] == '\0')
		return false;
	digits = run(s + i, len - i, DIGITS);
	i += digits;
	while (i + 1 < len && s[i] == ':' && strchr(DIGITS, s[i + 1]) && s[i + 1])
		i += 1 + run(s + i + 1, len - i - 1, DIGITS);
	if (i < len && s[i] == '.') {
		size_t fraction = run(s + i + 1, len - i - 1, DIGITS);

		if (digits + fraction == 0)
			return false;
		i += 1 + fraction;
	}
	if (i < len && (s[i] == 'e' || s[i] == 'E')) {
		size_t exponent;

		i++;
		if (i < len && (s[i] == '+' || s[i] == '-'))
			i++;
		exponent = run(s + i, len - i, DIGITS);
		if (exponent == 0)
			return false;
		i += exponent;
	}
	return i == len;
}

/* 2026-11-21, with or without a time behind it. */
static bool is_date(const char *s, size_t len)
{
	static const char form[] = "dddd-dd-dd";

	if (len < sizeof(form) - 1)
		return false;
	for (size_t i = 0; i < sizeof(form) - 1; i++)
		if (form[i] == 'd' ? s[i] < '0' || s[i] > '9' : s[i] != '-')
			return false;
	return len == sizeof(form) - 1 || s[10] == ' ' || s[10] == 'T' || s[10] == 't';
}

const char *scalar_mistaken_for(const char *s, size_t len)
{
	static const char *const booleans[] = {"yes", "no", "true", "false", "on", "off", "y", "n"};

	if (len == 0)
		return "empty";
	for (size_t i = 0; i < ARRAY_LEN(booleans); i++)
		if (word_is(s, len, booleans[i]))
			return "a boolean";
	if (word_is(s, len, "null") || word_is(s, len, "~"))
		return "null";
	if (is_number(s, len))
		return "a number";
	if (is_date(s, len))
		return "a date";
	return NULL;
}
