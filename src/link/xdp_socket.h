/* xdp_socket.h - the parts of a link over AF_XDP, for xdp.c alone: the pool inside the UMEM, the
 * rings and the socket.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef LINK_XDP_SOCKET_H
#define LINK_XDP_SOCKET_H

#include "link/cutter.h"
#include "link/xdp.h"
#include "link/xdp_program.h"
#include <stdbool.h>
#include <stdint.h>
#include <xdp/xsk.h>

/* Pieces in one chunk that the kernel has not sent yet. A chunk belongs to one buffer for as long.
 */
struct in_flight {
	struct buf *buf;
	uint32_t pieces;
};

struct xdp {
	struct link link;
	struct xdp_program program;
	bool own_program; /* not that of another queue's link */
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, send;
	struct xsk_ring_cons rx, completion;
	int fd;
	struct cutter cutter; /* of frames that a driver without zero-copy would get one by one */
	int claim_fd;         /* claim_take() */
	int index;            /* of the interface */
	bool multi_buffer;    /* a frame may be several pieces */
	bool busy_poll;       /* the device moves in our system calls alone, if its driver can */
	bool failed;          /* the socket has had an error: the interface may be gone */
	uint64_t now_ns;      /* of the last rx */
	bool unsent;          /* the kernel took a part of what is on the transmit ring */
	struct heap *heap;
	uint8_t *area; /* the UMEM: the heap's region */
	size_t area_bytes;
	struct buf *rooms;                 /* the block of the heap that the pool's rooms are */
	struct buf *pieces[XDP_RX_PIECES]; /* of a received frame, as far as it has come */
	uint32_t pieces_count;             /* beyond XDP_RX_PIECES: the frame is dropped */
	struct in_flight *tx;              /* by chunk of the UMEM */
	uint32_t tx_count;                 /* pieces in all that the kernel has not sent yet */
	bool *lent; /* by buffer of the pool: the kernel has it to receive into */
	uint32_t lent_count;
	uint32_t fill_wanted; /* how many of them the kernel shall have */
	uint64_t burst_ns;    /* when frames waited last, more than we take at once */
};

/* Makes the pool, tells the kernel of the heap, and binds a socket to the queue, in the best way
 * that driver and kernel have. 0 or -errno: what was made is in *x, for xdp_destroy(). */
int xdp_socket_open(struct xdp *x, const struct xdp_setup *opt);

#endif
