/* config_yaml.c - builds the tree from libyaml's events, without recursion: `open` is the path
 * from the root to the map or list that is being filled.
 *
 * SPDX-License-Identifier: MIT
 */
#include "rt/config_yaml.h"
#include "rt/config_value.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <yaml.h>

struct builder {
	const char *path;
	const char *text;
	size_t bytes;
	struct config_problem *problem;
	struct config_node *root;
	struct config_node *open[CONFIG_DEPTH];
	struct config_node **tail[CONFIG_DEPTH]; /* where the next child of open[i] goes */
	unsigned depth;                          /* entries in open[] */
	unsigned nodes;
	unsigned documents;
	char *key; /* read, its value not yet */
	uint32_t key_line;
};

void config_node_free(struct config_node *node)
{
	while (node) {
		struct config_node *next = node->next;

		config_node_free(node->child); /* at most CONFIG_DEPTH deep */
		free(node->text);
		free(node->key);
		free(node);
		node = next;
	}
}

static uint32_t line_of(const yaml_event_t *event)
{
	return (uint32_t)event->start_mark.line + 1;
}

static int refuse(const struct builder *b, const yaml_event_t *event, const char *why)
{
	return config_refuse(b->problem, "%s:%u: %s", b->path, line_of(event), why);
}

static bool in_map(const struct builder *b)
{
	return b->depth > 0 && b->open[b->depth - 1]->kind == CONFIG_MAP;
}

static int take_key(struct builder *b, const yaml_event_t *event)
{
	if (event->type != YAML_SCALAR_EVENT)
		return refuse(b, event, "a key must be a word, not a list or a map");
	if (event->data.scalar.length == 0)
		return refuse(b, event, "an empty key: give it a name, or take the line out");
	b->key = strndup((const char *)event->data.scalar.value, event->data.scalar.length);
	if (!b->key)
		return -ENOMEM;
	b->key_line = line_of(event);
	return 0;
}

static int fill(struct config_node *node, const yaml_event_t *event)
{
	if (event->type == YAML_SEQUENCE_START_EVENT) {
		node->kind = CONFIG_LIST;
		return 0;
	}
	if (event->type == YAML_MAPPING_START_EVENT) {
		node->kind = CONFIG_MAP;
		return 0;
	}
	node->kind = CONFIG_SCALAR;
	node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	node->text = strndup((const char *)event->data.scalar.value, event->data.scalar.length);
	return node->text ? 0 : -ENOMEM;
}

static int open_children(struct builder *b, struct config_node *node, const yaml_event_t *event)
{
	if (b->depth == CONFIG_DEPTH)
		return refuse(b, event, "nested too deeply for a configuration");
	b->open[b->depth] = node;
	b->tail[b->depth] = &node->child;
	b->depth++;
	return 0;
}

static int add_value(struct builder *b, const yaml_event_t *event)
{
	struct config_node *node;
	int r;

	if (b->nodes++ == CONFIG_NODES)
		return refuse(b, event, "too many values for a configuration");
	node = calloc(1, sizeof(*node));
	if (!node)
		return -ENOMEM;
	node->line = b->key ? b->key_line : line_of(event);
	node->key = b->key;
	b->key = NULL;
	if (b->depth) {
		*b->tail[b->depth - 1] = node;
		b->tail[b->depth - 1] = &node->next;
	} else {
		b->root = node;
	}
	r = fill(node, event);
	if (r || node->kind == CONFIG_SCALAR)
		return r;
	return open_children(b, node, event);
}

static int take_value(struct builder *b, const yaml_event_t *event)
{
	if (event->type == YAML_SCALAR_EVENT &&
	    memchr(event->data.scalar.value, 0, event->data.scalar.length))
		return refuse(b, event, "a NUL character is not allowed");
	if (in_map(b) && !b->key)
		return take_key(b, event);
	return add_value(b, event);
}

static int take(struct builder *b, const yaml_event_t *event)
{
	switch (event->type) {
	case YAML_DOCUMENT_START_EVENT:
		if (b->documents++)
			return refuse(b, event, "a second document: keep to one");
		return 0;
	case YAML_ALIAS_EVENT:
		return refuse(b, event, "an alias (*name) is not allowed: write the value out");
	case YAML_SCALAR_EVENT:
	case YAML_SEQUENCE_START_EVENT:
	case YAML_MAPPING_START_EVENT:
		return take_value(b, event);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		b->depth--;
		return 0;
	default:
		return 0;
	}
}

static unsigned line_at(const struct builder *b, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset && i < b->bytes; i++)
		line += b->text[i] == '\n';
	return line;
}

/* `line` counts from 0. */
static bool indented_with_tab(const struct builder *b, size_t line)
{
	size_t i = 0;

	for (; line > 0 && i < b->bytes; i++)
		line -= b->text[i] == '\n';
	while (i < b->bytes && b->text[i] == ' ')
		i++;
	return i < b->bytes && b->text[i] == '\t';
}

static int not_yaml(const struct builder *b, const yaml_parser_t *p)
{
	const yaml_mark_t *at = &p->problem_mark;
	const char *problem = p->problem ? p->problem : "syntax error";

	if (p->error == YAML_MEMORY_ERROR)
		return -ENOMEM;
	if (p->error == YAML_READER_ERROR)
		return config_refuse(b->problem, "%s:%u: not a text file: %s", b->path,
				     line_at(b, p->problem_offset), problem);
	if (indented_with_tab(b, at->line))
		return config_refuse(b->problem, "%s:%zu: a tab: YAML is indented with spaces",
				     b->path, at->line + 1);
	return config_refuse(b->problem, "%s:%zu: not valid YAML: %s at column %zu", b->path,
			     at->line + 1, problem, at->column + 1);
}

static int build(struct builder *b, yaml_parser_t *parser)
{
	for (;;) {
		yaml_event_t event;
		bool end;
		int r;

		if (!yaml_parser_parse(parser, &event))
			return not_yaml(b, parser);
		r = take(b, &event);
		end = event.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&event);
		if (r || end)
			return r;
	}
}

/* "key:" alone, "~" and an empty document are all YAML's null. */
static bool is_null(const struct config_node *node)
{
	return node && node->kind == CONFIG_SCALAR && !node->quoted &&
	       (node->text[0] == 0 || strcmp(node->text, "~") == 0 ||
		strcmp(node->text, "null") == 0);
}

int config_yaml_parse(struct config_node **out, const char *path, const char *text, size_t bytes,
		      struct config_problem *problem)
{
	struct builder b = {.path = path, .text = text, .bytes = bytes, .problem = problem};
	yaml_parser_t parser;
	int r;

	*out = NULL;
	if (!yaml_parser_initialize(&parser))
		return -ENOMEM;
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, bytes);
	r = build(&b, &parser);
	yaml_parser_delete(&parser);
	free(b.key);
	if (r == 0 && b.root && b.root->kind != CONFIG_MAP && !is_null(b.root))
		r = config_refuse(problem, "%s:%u: expected \"section:\" lines at the top", path,
				  b.root->line);
	if (r || is_null(b.root)) {
		config_node_free(b.root);
		return r;
	}
	*out = b.root;
	return 0;
}

/* Opens without waiting for a FIFO's other end. */
static int open_regular(const char *path, struct config_problem *problem)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return config_refuse(problem, "%s: cannot be read: %s", path, strerror(errno));
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return config_refuse(
		    problem, "%s: not a regular file: name one by CONFIG_PATH, or unset it", path);
	}
	return fd;
}

/* Up to `room` bytes; -errno. */
static ssize_t read_all(int fd, char *to, size_t room)
{
	size_t have = 0;

	while (have < room) {
		ssize_t n = read(fd, to + have, room - have);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			break;
		have += (size_t)n;
	}
	return (ssize_t)have;
}

int config_yaml_read(struct config_node **out, const char *path, struct config_problem *problem)
{
	ssize_t bytes;
	char *text;
	int fd, r;

	*out = NULL;
	fd = open_regular(path, problem);
	if (fd < 0)
		return fd;
	text = malloc(CONFIG_FILE_BYTES + 1);
	bytes = text ? read_all(fd, text, CONFIG_FILE_BYTES + 1) : -ENOMEM;
	close(fd);
	if (bytes == -ENOMEM)
		r = -ENOMEM;
	else if (bytes < 0)
		r = config_refuse(problem, "%s: cannot be read: %s", path, strerror((int)-bytes));
	else if (bytes > CONFIG_FILE_BYTES)
		r = config_refuse(problem, "%s: larger than %d KiB, not a configuration", path,
				  CONFIG_FILE_BYTES / 1024);
	else
		r = config_yaml_parse(out, path, text, (size_t)bytes, problem);
	free(text);
	return r;
}
