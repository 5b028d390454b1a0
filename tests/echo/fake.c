/* fake.c - see fake.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "fake.h"

#include <demi/ext.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum {
	MAX_QUEUES = 64,
	MAX_OPERATIONS = 1024,
	PIPE_BYTES = 1 << 20, /* pushed on a queue in all */
};

struct fake_queue {
	bool open;
	uint8_t *bytes; /* that were pushed */
	size_t pushed, echoed;
	int pushes, sized_pops, refuse;
};

struct fake_operation {
	demi_qtoken_t token; /* 0: none */
	enum demi_opcode opcode;
	int qd;
	size_t size; /* of a pop; 0: any */
};

static const struct fake_step *step;
static struct fake_queue queues[MAX_QUEUES];
static struct fake_operation operations[MAX_OPERATIONS]; /* oldest first */
static int queue_count, operation_count, messages;
static demi_qtoken_t last_token;

void fake_play(const struct fake_step *script)
{
	for (int i = 0; i < MAX_QUEUES; i++)
		free(queues[i].bytes);
	memset(queues, 0, sizeof(queues));
	queue_count = operation_count = messages = 0;
	step = script;
}

static struct fake_queue *queue(int qd)
{
	assert_in_range(qd, FAKE_FIRST_QD, FAKE_FIRST_QD + queue_count - 1);
	return &queues[qd - FAKE_FIRST_QD];
}

static struct fake_queue *open_queue(int qd)
{
	assert_true(queue(qd)->open);
	return queue(qd);
}

void fake_assert_clean(void)
{
	assert_true(step->action == FAKE_STOP || step->action == FAKE_HONEST);
	for (int i = 0; i < queue_count; i++)
		assert_false(queues[i].open);
	assert_int_equal(messages, 0);
}

int fake_sized_pops(int qd)
{
	return queue(qd)->sized_pops;
}

int fake_pushes(int qd)
{
	return queue(qd)->pushes;
}

static int new_queue(void)
{
	struct fake_queue *q = &queues[queue_count];

	assert_in_range(queue_count, 0, MAX_QUEUES - 1);
	*q = (struct fake_queue){.open = true, .bytes = malloc(PIPE_BYTES)};
	assert_non_null(q->bytes);
	return FAKE_FIRST_QD + queue_count++;
}

static demi_qtoken_t start(enum demi_opcode opcode, int qd, size_t size)
{
	assert_in_range(operation_count, 0, MAX_OPERATIONS - 1);
	operations[operation_count++] = (struct fake_operation){++last_token, opcode, qd, size};
	return last_token;
}

/* Takes the oldest on qd out, one with that opcode unless it is INVALID. */
static struct fake_operation take(int qd, enum demi_opcode opcode)
{
	struct fake_operation op = {0};
	int i = 0;

	while (i < operation_count &&
	       !(operations[i].qd == qd && (!opcode || operations[i].opcode == opcode)))
		i++;
	assert_in_range(i, 0, operation_count - 1);
	op = operations[i];
	operation_count--;
	memmove(&operations[i], &operations[i + 1],
		(size_t)(operation_count - i) * sizeof(operations[0]));
	return op;
}

static demi_sgarray_t message(const void *bytes, size_t len)
{
	demi_sgarray_t sga = {.sga_numsegs = 1};

	sga.sga_buf = malloc(len + 1);
	assert_non_null(sga.sga_buf);
	sga.sga_segs[0].sgaseg_buf = sga.sga_buf;
	sga.sga_segs[0].sgaseg_len = (uint32_t)len;
	if (bytes)
		memcpy(sga.sga_buf, bytes, len);
	messages++;
	return sga;
}

static demi_qresult_t result_of(const struct fake_operation *op)
{
	demi_qresult_t qr = {.qr_opcode = op->opcode, .qr_qd = op->qd, .qr_qt = op->token};

	return qr;
}

static demi_qresult_t pop_result(int qd, const void *bytes, size_t len)
{
	struct fake_operation op = take(qd, DEMI_OPC_POP);
	demi_qresult_t qr = result_of(&op);

	if (op.size)
		assert_in_range(len, 0, op.size);
	qr.qr_value.sga = message(bytes, len);
	return qr;
}

static demi_qresult_t echo(int qd, size_t len)
{
	struct fake_queue *q = queue(qd);
	demi_qresult_t qr;

	assert_in_range(len, 1, q->pushed - q->echoed);
	qr = pop_result(qd, q->bytes + q->echoed, len);
	q->echoed += len;
	return qr;
}

static demi_qresult_t complete(struct fake_operation op)
{
	demi_qresult_t qr = result_of(&op);

	if (op.opcode == DEMI_OPC_ACCEPT)
		qr.qr_value.ares.qd = new_queue();
	return qr;
}

static demi_qresult_t complete_oldest(int qd)
{
	for (int i = 0; i < operation_count; i++) {
		if (operations[i].qd == qd && operations[i].opcode != DEMI_OPC_POP)
			return complete(take(qd, operations[i].opcode));
	}
	fail_msg("nothing to complete on %d", qd);
	return (demi_qresult_t){0};
}

/* Pushes are done at once; pops get all that was pushed, or as much as they want. */
static demi_qresult_t be_honest(void)
{
	for (int i = 0; i < operation_count; i++) {
		struct fake_operation *op = &operations[i];
		struct fake_queue *q = queue(op->qd);
		size_t waiting = q->pushed - q->echoed;

		if (op->opcode != DEMI_OPC_POP)
			return complete(take(op->qd, op->opcode));
		if (waiting)
			return echo(op->qd, op->size && op->size < waiting ? op->size : waiting);
	}
	fail_msg("the program waits for what never comes");
	return (demi_qresult_t){0};
}

static bool is_popping(int qd)
{
	for (int i = 0; i < operation_count; i++) {
		if (operations[i].qd == qd && operations[i].opcode == DEMI_OPC_POP)
			return true;
	}
	return false;
}

/* Plays a step. false: the wait times out. */
static bool play(demi_qresult_t *qr)
{
	const struct fake_step *s = step;
	struct fake_operation op;

	step += s->action < FAKE_HONEST;
	switch (s->action) {
	case FAKE_COMPLETE:
		*qr = complete_oldest(s->qd);
		return true;
	case FAKE_ECHO:
		*qr = echo(s->qd, (size_t)s->value);
		return true;
	case FAKE_SAY:
		*qr = pop_result(s->qd, NULL, (size_t)s->value);
		memset(qr->qr_value.sga.sga_buf, 0xee, (size_t)s->value);
		return true;
	case FAKE_END:
		*qr = pop_result(s->qd, NULL, 0);
		return true;
	case FAKE_FAIL:
	case FAKE_ODD:
		op = take(s->qd, DEMI_OPC_INVALID);
		*qr = result_of(&op);
		qr->qr_opcode = s->action == FAKE_FAIL ? DEMI_OPC_FAILED : (unsigned)s->value;
		qr->qr_ret = s->action == FAKE_FAIL ? s->value : 0;
		return true;
	case FAKE_REFUSE:
		queue(s->qd)->refuse = s->value;
		return play(qr);
	case FAKE_TIMEOUT:
		return false;
	case FAKE_NO_POP:
		assert_false(is_popping(s->qd));
		return play(qr);
	case FAKE_HONEST:
		*qr = be_honest();
		return true;
	case FAKE_STOP:
		break;
	}
	fail_msg("the program waits after the end of the script");
	return false;
}

int demi_init(const struct demi_args *args)
{
	(void)args;
	return 0;
}

int demi_socket(int *sockqd_out, int domain, int type, int protocol)
{
	assert_int_equal(domain, AF_INET);
	assert_int_equal(type, SOCK_STREAM);
	assert_int_equal(protocol, 0);
	*sockqd_out = new_queue();
	return 0;
}

int demi_bind(int sockqd, const struct sockaddr *addr, socklen_t size)
{
	(void)addr;
	assert_int_equal(size, sizeof(struct sockaddr_in));
	open_queue(sockqd);
	return 0;
}

int demi_listen(int sockqd, int backlog)
{
	open_queue(sockqd);
	assert_in_range(backlog, 1, 65535);
	return 0;
}

int demi_getsockname(int qd, struct sockaddr *addr, socklen_t *addrlen)
{
	(void)addr;
	(void)addrlen;
	open_queue(qd);
	return 0;
}

int demi_setsockopt(int qd, int level, int optname, const void *optval, socklen_t optlen)
{
	(void)level;
	(void)optname;
	(void)optval;
	(void)optlen;
	open_queue(qd);
	return 0;
}

int demi_accept(demi_qtoken_t *qt_out, int sockqd)
{
	open_queue(sockqd);
	*qt_out = start(DEMI_OPC_ACCEPT, sockqd, 0);
	return 0;
}

int demi_connect(demi_qtoken_t *qt_out, int sockqd, const struct sockaddr *addr, socklen_t size)
{
	(void)addr;
	assert_int_equal(size, sizeof(struct sockaddr_in));
	open_queue(sockqd);
	*qt_out = start(DEMI_OPC_CONNECT, sockqd, 0);
	return 0;
}

int demi_close(int qd)
{
	open_queue(qd)->open = false;
	for (int i = 0; i < operation_count;) {
		if (operations[i].qd == qd)
			take(qd, DEMI_OPC_INVALID);
		else
			i++;
	}
	return 0;
}

/* A refusal that was ordered for the queue, once. */
static int refusal(struct fake_queue *q)
{
	int error = q->refuse;

	q->refuse = 0;
	return error;
}

int demi_push(demi_qtoken_t *qt_out, int qd, const demi_sgarray_t *sga)
{
	struct fake_queue *q = open_queue(qd);
	size_t len = sga->sga_segs[0].sgaseg_len;
	int error = refusal(q);

	if (error)
		return error;
	assert_in_range(len, 1, PIPE_BYTES - q->pushed);
	memcpy(q->bytes + q->pushed, sga->sga_segs[0].sgaseg_buf, len);
	q->pushed += len;
	q->pushes++;
	*qt_out = start(DEMI_OPC_PUSH, qd, 0);
	return 0;
}

int demi_pushto(demi_qtoken_t *qt_out, int sockqd, const demi_sgarray_t *sga,
		const struct sockaddr *dest, socklen_t size)
{
	(void)dest;
	(void)size;
	return demi_push(qt_out, sockqd, sga);
}

static int start_pop(demi_qtoken_t *qt_out, int qd, size_t size)
{
	struct fake_queue *q = open_queue(qd);
	int error = refusal(q);

	if (error)
		return error;
	*qt_out = start(DEMI_OPC_POP, qd, size);
	return 0;
}

int demi_pop(demi_qtoken_t *qt_out, int qd)
{
	return start_pop(qt_out, qd, 0);
}

int demi_pop_sized(demi_qtoken_t *qt_out, int qd, size_t size)
{
	assert_int_equal(size, queue(qd)->pushed - queue(qd)->echoed);
	queue(qd)->sized_pops++;
	return start_pop(qt_out, qd, size);
}

demi_sgarray_t demi_sgaalloc(size_t size)
{
	return message(NULL, size);
}

int demi_sgafree(demi_sgarray_t *sga)
{
	assert_non_null(sga->sga_buf);
	free(sga->sga_buf);
	messages--;
	return 0;
}

int demi_wait_any(demi_qresult_t *qr_out, int *ready_offset, const demi_qtoken_t qts[], int num_qts,
		  const struct timespec *timeout)
{
	assert_non_null(timeout);
	if (!play(qr_out))
		return ETIMEDOUT;
	for (int i = 0; i < num_qts; i++) {
		if (qts[i] == qr_out->qr_qt) {
			*ready_offset = i;
			return 0;
		}
	}
	fail_msg("the program does not wait for what the script completes");
	return EINVAL;
}

int demi_wait(demi_qresult_t *qr_out, demi_qtoken_t qt, const struct timespec *timeout)
{
	int offset;

	return demi_wait_any(qr_out, &offset, &qt, 1, timeout);
}
