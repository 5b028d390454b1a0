/* limits.c - what is full is an errno, and works again when there is room.
 *
 * SPDX-License-Identifier: MIT
 */
#include "side.h"
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

/* What the log has got since listen_to_log(). */
static struct {
	unsigned lines;
	char last[512];
} logged;

static void keep_line(int level, const char *line)
{
	equal(level, 0);
	logged.lines++;
	snprintf(logged.last, sizeof(logged.last), "%s", line);
}

static void listen_to_log(void)
{
	logged.lines = 0;
	demi_set_log(keep_line);
}

/* One line, that says these. */
static void logged_once(const char *what, const char *remedy)
{
	equal(logged.lines, 1);
	check(strstr(logged.last, what) != NULL);
	check(strstr(logged.last, remedy) != NULL);
}

static void a_full_descriptor_table_is_emfile(void)
{
	enum { QUEUES = 8 };
	int qd[QUEUES], one;
	demi_qtoken_t qt;

	configure(NULL, "  max_queues: 8\n");
	begin();
	listen_to_log();
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < QUEUES; i++) {
			if (i % 2 == 0)
				qd[i] = tcp_listener();
			else
				equal(demi_queue(&qd[i]), 0);
		}
		equal(demi_socket(&one, AF_INET, SOCK_STREAM, 0), EMFILE);
		equal(demi_socket(&one, AF_INET, SOCK_DGRAM, 0), EMFILE);
		equal(demi_queue(&one), EMFILE);
		equal(demi_accept(&qt, qd[0]), EMFILE);
		equal(demi_close(qd[3]), 0);
		equal(demi_queue(&qd[3]), 0);
		for (int i = 0; i < QUEUES; i++)
			equal(demi_close(qd[i]), 0);
	}
	logged_once("all 8 queues", "max_queues");
}

static void no_descriptor_of_the_kernels_left_is_emfile(void)
{
	struct rlimit before, few;
	int qd[64], n = 0, rc;

	begin();
	equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = 40;
	equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	listen_to_log();
	for (rc = 0; rc == 0 && n < 64; n++)
		rc = demi_socket(&qd[n], AF_INET, SOCK_STREAM, 0);
	/* A libOS that needs none of them does not mind. */
	check(rc == 0 || rc == EMFILE);
	if (rc != 0) {
		n--;
		equal(demi_socket(&qd[n], AF_INET, SOCK_DGRAM, 0), EMFILE);
		logged_once("kernel descriptors", "ulimit -n");
	}
	while (n > 0)
		equal(demi_close(qd[--n]), 0);
	equal(demi_close(tcp_socket()), 0);
}

static void a_full_operation_table_is_enomem(void)
{
	enum { OPERATIONS = 64 };
	demi_qtoken_t qt[OPERATIONS], one;
	demi_sgarray_t sga;
	demi_qresult_t qr;
	int qd;

	configure(NULL, "  max_operations: 64\n");
	begin();
	listen_to_log();
	equal(demi_queue(&qd), 0);
	sga = demi_sgaalloc(1);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < OPERATIONS; i++)
			qt[i] = start_pop(qd);
		equal(demi_pop(&one, qd), ENOMEM);
		equal(demi_pop_sized(&one, qd, 1), ENOMEM);
		equal(demi_push(&one, qd, &sga), ENOMEM);
		equal(demi_accept(&one, tcp_listener()), ENOMEM);
		equal(demi_close_async(&one, qd), ENOMEM);
		/* One place is enough to go on. */
		equal(demi_cancel(qt[5]), 0);
		failure(qt[5], ECANCELED);
		for (int i = 0; i < OPERATIONS; i++) {
			if (i == 5)
				continue;
			push_all(qd, "x", 1);
			qr = success(qt[i], DEMI_OPC_POP);
			give_back(&qr);
		}
	}
	equal(demi_sgafree(&sga), 0);
	logged_once("all 64 operations", "max_operations");
}

/* One is enough to read the configuration, and for the first of what is opened then. */
static void an_init_without_descriptors_is_emfile_and_one_line(void)
{
	struct rlimit before, few;
	int next = dup(0);

	if (row->one_process)
		return; /* a device has more to say */
	check(next >= 0);
	close(next);
	equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	few = before;
	few.rlim_cur = (rlim_t)next + 1;
	listen_to_log();
	equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	equal(demi_init(NULL), EMFILE);
	equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	logged_once("kernel descriptors", "ulimit -n");
	begin();
	equal(demi_close(tcp_socket()), 0);
}

static void sgas_have_a_largest_size(void)
{
	static const size_t good[] = {1, 64, 1920, 1921, 65535, 65536, 1 << 20, 16 << 20};
	static const size_t bad[] = {0, (16 << 20) + 1, UINT32_MAX, SIZE_MAX};

	begin();
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		demi_sgarray_t sga = demi_sgaalloc(good[i]);

		check(sga.sga_buf != NULL);
		equal(sga.sga_numsegs, 1);
		equal(sga.sga_segs[0].sgaseg_len, good[i]);
		memset(sga.sga_segs[0].sgaseg_buf, 0xa5, good[i]);
		equal(demi_sgafree(&sga), 0);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		demi_sgarray_t sga = demi_sgaalloc(bad[i]), null = {0};

		same(&sga, &null, sizeof(sga));
	}
}

/* In a tight loop, and many held at a time, given back from either end. */
static void sgas_come_and_go_in_any_order(void)
{
	enum { HELD = 1000, ROUNDS = 100 };
	static const size_t bytes[] = {64, 1280};
	static demi_sgarray_t held[HELD];

	begin();
	for (size_t b = 0; b < sizeof(bytes) / sizeof(bytes[0]); b++) {
		for (int i = 0; i < HELD * ROUNDS; i++) {
			held[0] = demi_sgaalloc(bytes[b]);
			equal(demi_sgafree(&held[0]), 0);
		}
		for (int round = 0; round < ROUNDS; round++) {
			for (int i = 0; i < HELD; i++) {
				held[i] = demi_sgaalloc(bytes[b]);
				check(held[i].sga_buf != NULL);
				memcpy(held[i].sga_segs[0].sgaseg_buf, &i, sizeof(i));
			}
			for (int i = 0; i < HELD; i++) {
				demi_sgarray_t *sga = &held[round % 2 == 0 ? HELD - 1 - i : i];
				int mark = (int)(sga - held);

				same(sga->sga_segs[0].sgaseg_buf, &mark, sizeof(mark));
				equal(demi_sgafree(sga), 0);
			}
		}
	}
}

/* Takes sgas of one size until there are none. Returns how many. */
static size_t take_all(demi_sgarray_t taken[], size_t max, size_t bytes)
{
	size_t n = 0;

	while (n < max && (taken[n] = demi_sgaalloc(bytes)).sga_buf != NULL)
		n++;
	return n;
}

static void without_memory_an_sga_is_null(void)
{
	enum { MAX = 65536 };
	demi_sgarray_t *taken = malloc(MAX * sizeof(*taken));
	static const size_t bytes[] = {64, 4096, 1 << 20, 16 << 20};
	const demi_sgarray_t null = {0};

	configure(NULL, "  small_buffers: 64\n  heap_bytes: 67108864\n");
	begin();
	listen_to_log();
	for (size_t i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		for (int round = 0; round < 2; round++) {
			size_t n = take_all(taken, MAX, bytes[i]);

			check(n > 0 && n < MAX);
			same(&taken[n], &null, sizeof(null));
			while (n > 0)
				equal(demi_sgafree(&taken[--n]), 0);
		}
	logged_once("no buffer", "demi_sgafree");
	free(taken);
}

/* What was received into memory of the device's may come without any of the program's. */
static size_t pop_or_no_memory(int qd, uint8_t *data)
{
	demi_qtoken_t qt;
	demi_qresult_t qr;
	size_t len;
	int rc = demi_pop(&qt, qd);

	if (rc != 0) {
		equal(rc, ENOMEM);
		return 0;
	}
	qr = result(qt);
	if (qr.qr_opcode == DEMI_OPC_FAILED) {
		equal(qr.qr_ret, ENOMEM);
		return 0;
	}
	len = qr.qr_value.sga.sga_segs[0].sgaseg_len;
	memcpy(data, qr.qr_value.sga.sga_segs[0].sgaseg_buf, len);
	give_back(&qr);
	return len;
}

static void without_memory_a_pop_fails_and_loses_nothing(void)
{
	enum { MAX = 65536, BYTES = 100000 };
	static const size_t sizes[] = {16 << 20, 1 << 20, 65536, 4096, 64};
	demi_sgarray_t *taken = malloc(MAX * sizeof(*taken));
	uint8_t *want = malloc(BYTES), *got = malloc(BYTES);
	size_t n = 0, have = 0;
	int qd;

	configure(NULL, "  small_buffers: 64\n  heap_bytes: 16777216\n");
	begin();
	qd = connection();
	hear(); /* the bytes are there */
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		n += take_all(taken + n, MAX - n, sizes[i]);
	for (int i = 0; i < 3; i++)
		have += pop_or_no_memory(qd, got + have);
	while (n > 0)
		equal(demi_sgafree(&taken[--n]), 0);
	pattern(want, BYTES, 9);
	pop_all(qd, got + have, BYTES - have);
	same(got, want, BYTES);
	free(taken);
	free(want);
	free(got);
	equal(demi_close(qd), 0);
}

static void peer_sends_a_pattern(void)
{
	enum { BYTES = 100000 };
	uint8_t *data = malloc(BYTES);
	int qd;

	begin();
	qd = connection();
	pattern(data, BYTES, 9);
	push_all(qd, data, BYTES);
	free(data);
	say(0);
	pop_end(qd);
}

static void a_full_memory_queue_holds_pushes_back(void)
{
	enum { MESSAGES = 16 };
	demi_qtoken_t qt[MESSAGES + 4];
	demi_qresult_t qr;
	uint8_t byte;
	int qd;

	configure(NULL, "  memory_queue_messages: 16\n");
	begin();
	equal(demi_queue(&qd), 0);
	for (int i = 0; i < MESSAGES + 4; i++)
		qt[i] = start_push(qd, &(uint8_t){(uint8_t)i}, 1);
	for (int i = 0; i < MESSAGES; i++)
		success(qt[i], DEMI_OPC_PUSH);
	equal(demi_wait(&qr, qt[MESSAGES], &no_time), ETIMEDOUT);
	for (int i = 0; i < MESSAGES + 4; i++) {
		pop_all(qd, &byte, 1);
		equal(byte, i);
	}
	for (int i = MESSAGES; i < MESSAGES + 4; i++)
		success(qt[i], DEMI_OPC_PUSH);
}

const struct behaviour limit_cases[] = {
    ALONE(a_full_descriptor_table_is_emfile),
    ALONE(no_descriptor_of_the_kernels_left_is_emfile),
    ALONE(a_full_operation_table_is_enomem),
    ALONE(an_init_without_descriptors_is_emfile_and_one_line),
    ALONE(sgas_have_a_largest_size),
    ALONE(sgas_come_and_go_in_any_order),
    ALONE(without_memory_an_sga_is_null),
    WITH(without_memory_a_pop_fails_and_loses_nothing, peer_sends_a_pattern),
    ALONE(a_full_memory_queue_holds_pushes_back),
    {NULL, NULL, NULL, false, false, false},
};
