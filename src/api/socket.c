/* socket.c - making, naming, connecting and closing queues.
 *
 * SPDX-License-Identifier: MIT
 */
#include "api/api.h"
#include "demi/ext.h"
#include "rt/queue.h"
#include <limits.h>
#include <string.h>

DEMI_EXPORT int demi_socket(int *sockqd_out, int domain, int type, int protocol)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (!sockqd_out)
		return EINVAL;
	call = API_BEGIN(in, "demi_socket");
	return api_end(&call, queue_socket(in, domain, type, protocol, sockqd_out));
}

DEMI_EXPORT int demi_queue(int *qd_out)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	if (!qd_out)
		return EINVAL;
	call = API_BEGIN(in, "demi_queue");
	return api_end(&call, queue_memory(in, qd_out));
}

DEMI_EXPORT int demi_bind(int sockqd, const struct sockaddr *addr, socklen_t size)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct endpoint local;
	struct queue *q;
	int rc = -EBADF;

	if (!in)
		return ENOSYS;
	call = API_BEGIN(in, "demi_bind");
	q = api_queue(in, sockqd);
	if (q)
		rc = api_address(addr, size, &local);
	if (rc == 0)
		rc = queue_bind(q, &local);
	return api_end(&call, rc);
}

DEMI_EXPORT int demi_listen(int sockqd, int backlog)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct queue *q;

	if (!in)
		return ENOSYS;
	call = API_BEGIN(in, "demi_listen");
	q = api_queue(in, sockqd);
	return api_end(&call, q ? queue_listen(q, backlog) : -EBADF);
}

DEMI_EXPORT int demi_accept(demi_qtoken_t *qt_out, int sockqd)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct queue *q;

	if (!in)
		return ENOSYS;
	if (!qt_out)
		return EINVAL;
	call = API_BEGIN(in, "demi_accept");
	q = api_queue(in, sockqd);
	return api_end(&call, q ? queue_accept(in, q, qt_out) : -EBADF);
}

DEMI_EXPORT int demi_connect(demi_qtoken_t *qt_out, int sockqd, const struct sockaddr *addr,
			     socklen_t size)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct endpoint to;
	struct queue *q;
	int rc = -EBADF;

	if (!in)
		return ENOSYS;
	if (!qt_out)
		return EINVAL;
	call = API_BEGIN(in, "demi_connect");
	q = api_queue(in, sockqd);
	if (q)
		rc = api_address(addr, size, &to);
	if (rc == 0)
		rc = queue_connect(in, q, &to, qt_out);
	return api_end(&call, rc);
}

DEMI_EXPORT int demi_shutdown(int qd, int how)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct queue *q;

	if (!in)
		return ENOSYS;
	call = API_BEGIN(in, "demi_shutdown");
	q = api_queue(in, qd);
	return api_end(&call, q ? queue_shutdown(q, how) : -EBADF);
}

DEMI_EXPORT int demi_close(int qd)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct queue *q;

	if (!in)
		return ENOSYS;
	call = API_BEGIN(in, "demi_close");
	q = api_queue(in, qd);
	return api_end(&call, q ? queue_close(in, q) : -EBADF);
}

DEMI_EXPORT int demi_close_async(demi_qtoken_t *qt_out, int qd)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct queue *q;

	if (!in)
		return ENOSYS;
	if (!qt_out)
		return EINVAL;
	call = API_BEGIN(in, "demi_close_async");
	q = api_queue(in, qd);
	return api_end(&call, q ? queue_close_async(in, q, qt_out) : -EBADF);
}

DEMI_EXPORT int demi_setsockopt(int qd, int level, int optname, const void *optval,
				socklen_t optlen)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct queue *q;

	if (!in)
		return ENOSYS;
	if (!optval || optlen > INT_MAX)
		return EINVAL;
	call = API_BEGIN(in, "demi_setsockopt");
	q = api_queue(in, qd);
	return api_end(&call, q ? queue_setsockopt(q, level, optname, optval, optlen) : -EBADF);
}

DEMI_EXPORT int demi_getsockopt(int qd, int level, int optname, void *optval, socklen_t *optlen)
{
	struct instance *in = instance_self;
	struct api_call call;
	struct queue *q;

	if (!in)
		return ENOSYS;
	if (!optval || !optlen || *optlen > INT_MAX)
		return EINVAL;
	call = API_BEGIN(in, "demi_getsockopt");
	q = api_queue(in, qd);
	return api_end(&call, q ? queue_getsockopt(q, level, optname, optval, optlen) : -EBADF);
}

/* The peer's or the own address, into memory of exactly the size of a sockaddr_in. */
static int name_of(struct instance *in, int qd, struct sockaddr *addr, const socklen_t *addrlen,
		   int (*get)(struct queue *, struct endpoint *))
{
	struct queue *q = api_queue(in, qd);
	struct sockaddr_in sin;
	struct endpoint e;
	int rc;

	if (!q)
		return -EBADF;
	if (!addr || !addrlen || *addrlen != sizeof(sin))
		return -EINVAL;
	rc = get(q, &e);
	if (rc < 0)
		return rc;
	sin = endpoint_to_sockaddr_in(&e);
	memcpy(addr, &sin, sizeof(sin));
	return 0;
}

DEMI_EXPORT int demi_getpeername(int qd, struct sockaddr *addr, socklen_t *addrlen)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	call = API_BEGIN(in, "demi_getpeername");
	return api_end(&call, name_of(in, qd, addr, addrlen, queue_getpeername));
}

DEMI_EXPORT int demi_getsockname(int qd, struct sockaddr *addr, socklen_t *addrlen)
{
	struct instance *in = instance_self;
	struct api_call call;

	if (!in)
		return ENOSYS;
	call = API_BEGIN(in, "demi_getsockname");
	return api_end(&call, name_of(in, qd, addr, addrlen, queue_getsockname));
}
