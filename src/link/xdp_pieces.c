/* xdp_pieces.c - see xdp_pieces.h.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/xdp_pieces.h"
#include "link/xdp.h"
#include <string.h>

/* Memory that is sent, cut at the border of chunks. Returns how many pieces, 0: it is not in the
 * UMEM, or there are too many. */
static unsigned cut(struct xdp_piece *out, unsigned room, const struct xdp_piece *whole,
		    const uint8_t *umem, size_t umem_bytes)
{
	const uint8_t *data = whole->data;
	uint32_t len = whole->len;
	size_t offset = (size_t)(data - umem);
	unsigned n = 0;

	if (data < umem || offset + len > umem_bytes)
		return 0;
	while (len > 0) {
		uint32_t here = XDP_CHUNK_BYTES - (uint32_t)(offset % XDP_CHUNK_BYTES);

		if (here > len)
			here = len;
		if (n == room)
			return 0;
		out[n++] = (struct xdp_piece){whole->buf, data, here};
		data += here;
		offset += here;
		len -= here;
	}
	return n;
}

unsigned xdp_cut(struct xdp_piece out[XDP_TX_PIECES], const struct frame *f, const uint8_t *umem,
		 size_t umem_bytes)
{
	struct xdp_piece part = {f->head, f->head->data, f->head->len};
	unsigned n = cut(out, XDP_TX_PIECES, &part, umem, umem_bytes);

	for (unsigned i = 0; n > 0 && i < f->nfrags; i++) {
		unsigned more;

		part = (struct xdp_piece){f->frags[i].buf, f->frags[i].data, f->frags[i].len};
		more = cut(out + n, XDP_TX_PIECES - n, &part, umem, umem_bytes);
		n = more > 0 ? n + more : 0;
	}
	return n;
}

/* Appends bytes to a copy, which takes a further buffer where one is full. Returns how many pieces
 * the copy has then, or 0: no buffer is left. */
static unsigned copy_part(struct xdp_piece *out, unsigned n, const uint8_t *data, uint32_t len,
			  struct pool *pool)
{
	while (len > 0) {
		struct buf *b = n > 0 ? out[n - 1].buf : NULL;
		uint32_t here;

		if (!b || buf_tailroom(b) == 0) {
			b = n < XDP_TX_PIECES ? pool_get(pool) : NULL;
			if (!b)
				return 0;
			out[n++] = (struct xdp_piece){b, b->data, 0};
		}
		here = len < buf_tailroom(b) ? len : buf_tailroom(b);
		memcpy(b->data + b->len, data, here);
		b->len += here;
		out[n - 1].len = b->len;
		data += here;
		len -= here;
	}
	return n;
}

void xdp_drop_copy(const struct xdp_piece pieces[XDP_TX_PIECES])
{
	for (unsigned i = 0; i < XDP_TX_PIECES && pieces[i].buf; i++)
		buf_unref(pieces[i].buf);
}

unsigned xdp_copy(struct xdp_piece out[XDP_TX_PIECES], const struct frame *f, struct pool *pool)
{
	unsigned n;

	memset(out, 0, XDP_TX_PIECES * sizeof(*out));
	n = copy_part(out, 0, f->head->data, f->head->len, pool);
	for (unsigned i = 0; n > 0 && i < f->nfrags; i++)
		n = copy_part(out, n, f->frags[i].data, f->frags[i].len, pool);
	if (n == 0)
		xdp_drop_copy(out);
	return n;
}
