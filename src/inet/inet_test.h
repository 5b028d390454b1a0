/* inet_test.h - what the unit tests of src/inet share: one stack, and frames built and looked at
 * byte by byte on the wire's other end.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_INET_TEST_H
#define INET_INET_TEST_H

/* cmocka.h wants these first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include "inet/core.h"
#include "mem/pool.h"
#include <cmocka.h>
#include <sys/socket.h>

enum { TEST_FRAME_BYTES = 70000, TEST_POOL_BUFFERS = 1024, TEST_POOL_ROOM = 2048, TEST_BURST = 64 };

/* Addresses of the test network: 10.0.0.0/24, gateway 10.0.0.254. */
enum { OUR_IP = 0x0a000001, PEER_IP = 0x0a000002, THIRD_IP = 0x0a000003, GATEWAY_IP = 0x0a0000fe };
enum { FAR_IP = 0x08080808 };
extern const uint8_t our_mac[6], peer_mac[6], third_mac[6], gateway_mac[6], broadcast_mac[6];

struct net {
	struct stack_config cfg;
	struct stack *s;
	struct pool *pool;
	uint64_t now_ns;
	uint8_t out[TEST_FRAME_BYTES]; /* the frame that net_take() took last */
	struct frame frame;            /* how it came; its references are gone */
	size_t out_len;
	bool gathering; /* what is given waits in `burst` */
	struct buf *burst[TEST_BURST];
	int burst_len;
};

/* A test of one stack; *state is its struct net. */
#define net_test(function) cmocka_unit_test_setup_teardown(function, net_setup, net_teardown)

/* cmocka fixtures; *state is the struct net. The stack has stack_config_init()'s values and the
 * addresses above; every buffer has to be back at the end. */
int net_setup(void **state);
int net_teardown(void **state);
/* Makes the stack anew, from net->cfg. */
void net_restart(struct net *net);
/* As net_restart(), and peer, third and gateway are static neighbours. */
void net_restart_with_statics(struct net *net);

/* As net_restart(), with so many buffers in its pool. */
void net_restart_with_pool(struct net *net, uint32_t buffers);

/* The peer sends a frame. */
void net_give(struct net *net, const uint8_t *frame, size_t len);
/* What is given from now on waits, and comes as one burst with net_give_burst(). */
void net_gather(struct net *net);
void net_give_burst(struct net *net);
/* Takes the next frame that the stack sends into out; its length, 0: none. */
size_t net_take(struct net *net);
/* How many frames the stack sends now; they are dropped. */
unsigned net_drain(struct net *net);
/* Moves time by ms in steps of the stack's own deadlines. */
void net_pass_ms(struct net *net, uint64_t ms);

/* Frames. Each returns the length. */
struct test_ip {
	const uint8_t *dst_mac; /* NULL: ours */
	uint32_t src, dst;      /* 0: peer to us */
	uint8_t protocol;
	uint8_t tos;
	uint16_t id, fragment; /* the 16 bits of flags and offset */
	const uint8_t *options;
	uint8_t options_len;
};
size_t build_eth(uint8_t *f, const uint8_t dst[6], const uint8_t src[6], uint16_t type);
size_t build_ip(uint8_t *f, const struct test_ip *h, const void *payload, size_t len);
size_t build_udp(uint8_t *l4, const struct test_ip *h, uint16_t sport, uint16_t dport,
		 const void *payload, size_t len);
size_t build_icmp(uint8_t *l4, uint8_t type, uint8_t code, uint32_t rest, const void *payload,
		  size_t len);
size_t build_arp(uint8_t *f, const uint8_t *dst_mac, uint16_t op, const uint8_t sender_mac[6],
		 uint32_t sender_ip, uint32_t target_ip);

/* The peer sends one packet with this header. */
void net_give_ip(struct net *net, const struct test_ip *h, const void *payload, size_t len);
/* A whole UDP frame from `src` to us. */
void net_give_udp(struct net *net, uint32_t src, uint16_t sport, uint16_t dport,
		  const void *payload, size_t len);
/* The peer answers for `ip`, which the stack has asked for. */
void net_give_arp_reply(struct net *net, uint32_t ip, const uint8_t mac[6]);

/* The frame in net->out: fields of its IP packet. */
uint32_t out_dst_ip(const struct net *net);
uint8_t out_protocol(const struct net *net);
bool out_is_arp(const struct net *net, uint16_t op, uint32_t target_ip);
/* Are its checksums right? IP, and TCP, UDP or ICMP where it is whole. */
bool out_checksums_ok(const struct net *net);
const uint8_t *out_l4(const struct net *net);
size_t out_l4_len(const struct net *net);

struct endpoint at(uint32_t ip, uint16_t port);
/* A UDP socket of ours on `port`. */
struct sock *net_udp(struct net *net, uint16_t port);
/* Sends bytes by stack_sendto(), copied. */
int net_send(struct net *net, struct sock *k, const void *data, uint32_t len, uint32_t ip,
	     uint16_t port);
/* The events that are there, of any socket, together. */
uint32_t net_events(struct net *net);
/* Tells the stack by ICMP about the packet in net->out. */
void net_give_icmp_about_out(struct net *net, uint8_t type, uint8_t code, uint32_t rest);

#endif
