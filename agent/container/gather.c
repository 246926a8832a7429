/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Facts from where each runtime keeps them:
 *
 *   podman      its database, beside the bundle
 *   CRI-O       annotations io.kubernetes.cri-o.*
 *   containerd  (CRI) annotations io.kubernetes.cri.*; labels are not handed down
 *   nerdctl     annotation nerdctl/name
 *   ctr         the id is the name that was chosen; image and labels are in a database of containerd's own
 *   docker      its own configuration of the container
 *   nspawn, libvirt, lxc  there is a name, and nothing else
 *   others      their annotations are their labels; a name is the id
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container/facts.h"
#include "util/fd.h"

#define JSON_FILE_MAX (8U << 20)

/* What a configuration says, as an object that container_facts_from_json() takes. */
struct sheet {
	json_t *facts;	     /* owned */
	json_t *annotations; /* owned; NULL: none could be read */
	char *bundle;	     /* owned; NULL: not known */
};

static void sheet_deinit(struct sheet *s)
{
	json_decref(s->facts);
	json_decref(s->annotations);
	free(s->bundle);
}

/* Return: a new reference; NULL: it is not there, or no JSON object. */
_printf_(1, 2) static json_t *json_read(const char *format, ...)
{
	_cleanup_free_ char *path = NULL;
	_cleanup_free_ char *text = NULL;
	json_t *json;
	size_t len;
	va_list ap;
	int r;

	va_start(ap, format);
	r = vasprintf(&path, format, ap);
	va_end(ap);
	if (r < 0) {
		path = NULL;
		return NULL;
	}
	if (file_read_all(AT_FDCWD, path, JSON_FILE_MAX, &text, &len) < 0)
		return NULL;
	json = json_loadb(text, len, 0, NULL);
	if (json_is_object(json))
		return json;
	json_decref(json);
	return NULL;
}

static void sheet_set(struct sheet *s, const char *member, const json_t *value)
{
	if (json_is_string(value))
		(void)json_object_set(s->facts, member, (json_t *)(uintptr_t)value);
}

static void sheet_set_labels(struct sheet *s, json_t *labels)
{
	if (labels && !json_is_null(labels))
		(void)json_object_set(s->facts, "labels", labels);
	(void)json_object_set_new(s->facts, "labels_known", json_true());
}

static const json_t *annotation(const struct sheet *s, const char *key)
{
	return json_object_get(s->annotations, key);
}

/* ---- the bundle ---- */

/* runc writes "bundle=/path" among the labels of its state. */
static char *bundle_from_runc(const json_t *state)
{
	const json_t *labels = json_object_get(json_object_get(state, "config"), "labels");
	json_t *label;
	size_t i;

	json_array_foreach(labels, i, label)
	{
		const char *text = json_string_value(label);

		if (text && strncmp(text, "bundle=", 7) == 0)
			return strdup(text + 7);
	}
	return NULL;
}

/* From the state of the OCI runtime, in directories that root alone can enter. */
static char *bundle_find(const char *root_dir, const char *id)
{
	static const char *const tasks[] = {"k8s.io", "moby", "default"};
	json_auto_t *crun = json_read("%s/run/crun/%s/status", root_dir, id);
	json_auto_t *runc = json_read("%s/run/runc/%s/state.json", root_dir, id);
	const char *text = json_string_value(json_object_get(crun, "bundle"));
	char *bundle = text ? strdup(text) : bundle_from_runc(runc);

	for (size_t i = 0; !bundle && i < ARRAY_LEN(tasks); i++) {
		if (asprintf(&bundle, "%s/run/containerd/io.containerd.runtime.v2.task/%s/%s", root_dir, tasks[i],
			     id) < 0)
			return NULL;
		if (access(bundle, F_OK) < 0) {
			free(bundle);
			bundle = NULL;
		}
	}
	return bundle;
}

static void sheet_open(struct sheet *s, const char *id, const struct container_place *place)
{
	s->bundle = place->bundle ? strdup(place->bundle) : bundle_find(place->root_dir, id);
	if (json_is_object(place->annotations)) {
		s->annotations = json_incref((json_t *)(uintptr_t)place->annotations);
	} else if (s->bundle) {
		json_auto_t *config = json_read("%s/config.json", s->bundle);

		s->annotations = json_incref(json_object_get(config, "annotations"));
		if (config && !s->annotations)
			s->annotations = json_object();
	}
}

/* ---- each runtime ---- */

/* The storage is above the bundle: STORAGE/overlay-containers/ID/userdata. */
static char *podman_storage(const char *bundle)
{
	char *storage = strdup(bundle);

	for (unsigned i = 0; storage && i < 3; i++) {
		char *slash = strrchr(storage, '/');

		if (!slash || slash == storage) {
			free(storage);
			return NULL;
		}
		*slash = '\0';
	}
	return storage;
}

static void podman_gather(struct sheet *s, const char *id)
{
	_cleanup_free_ char *storage = s->bundle ? podman_storage(s->bundle) : NULL;
	json_auto_t *config = NULL;
	const json_t *image;

	if (!storage || podman_config_read(storage, id, &config) < 0)
		return;
	image = json_object_get(config, "rootfsImageName");
	sheet_set(s, "name", json_object_get(config, "name"));
	if (json_is_string(image))
		sheet_set(s, "image", image);
	else
		(void)json_object_set_new(s->facts, "image", json_string(""));
	sheet_set_labels(s, json_object_get(config, "labels"));
}

static void crio_gather(struct sheet *s)
{
	const char *text = json_string_value(annotation(s, "io.kubernetes.cri-o.Labels"));
	json_auto_t *labels = text ? json_loads(text, 0, NULL) : NULL;

	sheet_set(s, "name", annotation(s, "io.kubernetes.cri-o.Name"));
	sheet_set(s, "image", annotation(s, "io.kubernetes.cri-o.ImageName"));
	if (!json_object_get(s->facts, "image"))
		sheet_set(s, "image", annotation(s, "io.kubernetes.cri-o.Image"));
	if (json_is_object(labels))
		sheet_set_labels(s, labels);
}

static void cri_gather(struct sheet *s)
{
	const char *type = json_string_value(annotation(s, "io.kubernetes.cri.container-type"));

	if (type && strcmp(type, "sandbox") == 0) {
		sheet_set(s, "name", annotation(s, "io.kubernetes.cri.sandbox-name"));
		sheet_set(s, "image", annotation(s, "io.kubernetes.cri.podsandbox.image-name"));
		return;
	}
	sheet_set(s, "name", annotation(s, "io.kubernetes.cri.container-name"));
	sheet_set(s, "image", annotation(s, "io.kubernetes.cri.image-name"));
}

static void docker_gather(struct sheet *s, const char *id, const char *root_dir)
{
	json_auto_t *daemon = json_read("%s/etc/docker/daemon.json", root_dir);
	const char *root = json_string_value(json_object_get(daemon, "data-root"));
	json_auto_t *config =
		json_read("%s%s/containers/%s/config.v2.json", root_dir, root ? root : "/var/lib/docker", id);
	const json_t *inner = json_object_get(config, "Config");
	const char *name = json_string_value(json_object_get(config, "Name"));

	if (!config)
		return;
	if (name)
		(void)json_object_set_new(s->facts, "name", json_string(name + strspn(name, "/")));
	sheet_set(s, "image", json_object_get(inner, "Image"));
	sheet_set_labels(s, json_object_get(inner, "Labels"));
}

/* A runtime without names, images and labels of its own, used as it is. */
static void plain_gather(struct sheet *s, const char *id)
{
	(void)json_object_set_new(s->facts, "name", json_string(id));
	(void)json_object_set_new(s->facts, "image", json_string(""));
	if (s->annotations)
		sheet_set_labels(s, s->annotations);
}

static void named_gather(struct sheet *s, const char *name)
{
	(void)json_object_set_new(s->facts, "name", json_string(name));
	(void)json_object_set_new(s->facts, "image", json_string(""));
	(void)json_object_set_new(s->facts, "labels_known", json_true());
}

/* 64 hexadecimal digits are nobody's choice. */
static bool id_is_made(const char *id)
{
	return strlen(id) == 64 && strspn(id, "0123456789abcdef") == 64;
}

static void sheet_fill(struct sheet *s, const char *runtime, const char *id, const char *root_dir)
{
	if (strcmp(runtime, "podman") == 0)
		podman_gather(s, id);
	else if (strcmp(runtime, "docker") == 0)
		docker_gather(s, id, root_dir);
	else if (strcmp(runtime, "nspawn") == 0 || strcmp(runtime, "libvirt") == 0 || strcmp(runtime, "lxc") == 0)
		named_gather(s, id);
	else if (annotation(s, "io.kubernetes.cri-o.Name"))
		crio_gather(s);
	else if (annotation(s, "io.kubernetes.cri.container-type"))
		cri_gather(s);
	else if (annotation(s, "nerdctl/name"))
		sheet_set(s, "name", annotation(s, "nerdctl/name"));
	else if (strcmp(runtime, "containerd") == 0 && s->annotations && !id_is_made(id))
		(void)json_object_set_new(s->facts, "name", json_string(id));
	else if (strcmp(runtime, "unknown") == 0)
		plain_gather(s, id);
}

int container_facts_gather(const char *runtime, const char *id, const struct container_place *place,
			   struct container_facts *ret)
{
	_cleanup_(sheet_deinit) struct sheet s = {};
	int r;

	if (!container_id_is_valid(id))
		return -EINVAL;
	s.facts = json_pack("{s:s, s:s}", "runtime", runtime, "id", id);
	if (!s.facts)
		return -ENOMEM;
	sheet_open(&s, id, place);
	sheet_fill(&s, runtime, id, place->root_dir);
	r = container_facts_from_json(s.facts, ret);
	if (r != -EPROTO)
		return r;
	/* too much, or not of the form that the runtime's version is known to have: nothing is known */
	*ret = (struct container_facts){.runtime = strdup(runtime), .id = strdup(id)};
	if (ret->runtime && ret->id)
		return 0;
	container_facts_deinit(ret);
	return -ENOMEM;
}
