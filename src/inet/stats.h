/* stats.h - the stack's counters, named once. Adding one is one line here.
 *
 * Each received frame, and each datagram put together from fragments, is counted exactly once more,
 * by where it ended: rx_frames + rx_reassembled is the sum of rx_arp, rx_icmp, rx_udp, rx_tcp,
 * rx_fragments and all that begin with drop_. Those that begin with lost_ are about something else
 * than one frame just received.
 *
 * SPDX-License-Identifier: MIT
 */
#ifndef INET_STATS_H
#define INET_STATS_H

#include <stdint.h>

#define STACK_COUNTERS(X)                                                                          \
	X(rx_frames, "frames received")                                                            \
	X(rx_arp, "ARP packets taken")                                                             \
	X(rx_icmp, "ICMP messages taken")                                                          \
	X(rx_udp, "UDP datagrams taken")                                                           \
	X(rx_tcp, "TCP segments taken")                                                            \
	X(rx_fragments, "fragments taken")                                                         \
	X(rx_reassembled, "datagrams put together from fragments")                                 \
	X(rx_copied_bytes, "payload bytes copied on the way in")                                   \
	X(rx_ip_options, "packets with IP options, which were skipped")                            \
	X(tx_frames, "frames sent")                                                                \
	X(tx_fragments, "fragments sent")                                                          \
	X(tx_icmp_errors, "ICMP errors sent")                                                      \
	X(tx_arp_requests, "ARP requests sent")                                                    \
	X(tx_arp_replies, "ARP replies sent")                                                      \
	X(tx_arp_defences, "announcements sent in defence of our address")                         \
	X(tx_copied_bytes, "payload bytes copied on the way out")                                  \
	X(drop_short, "frames or headers cut short")                                               \
	X(drop_not_for_us, "frames for another MAC or address")                                    \
	X(drop_vlan, "frames with a VLAN tag that is not ours")                                    \
	X(drop_ethertype, "frames of an unknown EtherType")                                        \
	X(drop_arp_malformed, "ARP packets that make no sense")                                    \
	X(drop_arp_conflict, "ARP packets from others that claim our address")                     \
	X(drop_arp_contested, "ARP claims to an address that another MAC holds")                   \
	X(drop_arp_rate, "ARP requests over the rate limit")                                       \
	X(drop_ip_version, "IP packets that are not version 4")                                    \
	X(drop_ip_header, "IP packets whose header is malformed")                                  \
	X(drop_ip_checksum, "IP packets whose header checksum is wrong")                           \
	X(drop_ip_martian, "IP packets from an impossible source address")                         \
	X(drop_ip_source_route, "IP packets with a source route")                                  \
	X(drop_ip_protocol, "IP packets of an unknown protocol")                                   \
	X(drop_fragment_malformed, "fragments of an impossible size or place")                     \
	X(drop_fragment_overlap, "fragments that overlap, or of a datagram given up for that")     \
	X(drop_fragment_duplicate, "fragments received before")                                    \
	X(drop_fragment_no_room, "fragments without a room to put the datagram together")          \
	X(drop_icmp_malformed, "ICMP messages that are cut short or whose checksum is wrong")      \
	X(drop_icmp_type, "ICMP messages of no use to us")                                         \
	X(drop_icmp_unmatched, "ICMP errors about nothing of ours")                                \
	X(drop_icmp_rate, "echo requests over the rate limit")                                     \
	X(drop_icmp_broadcast, "echo requests to a broadcast address")                             \
	X(drop_udp_malformed, "UDP datagrams of an impossible length")                             \
	X(drop_udp_checksum, "UDP datagrams whose checksum is wrong")                              \
	X(drop_udp_no_socket, "UDP datagrams to a port that nobody has")                           \
	X(drop_udp_queue_full, "UDP datagrams to a socket whose queue is full")                    \
	X(drop_tcp_malformed, "TCP segments whose header is cut short or impossible")              \
	X(drop_tcp_checksum, "TCP segments whose checksum is wrong")                               \
	X(drop_tcp_broadcast, "TCP segments to a broadcast address")                               \
	X(drop_no_buffer, "received frames given up for want of a buffer")                         \
	X(lost_reassembly, "datagrams given up before their last fragment came")                   \
	X(lost_unresolved, "packets not sent: their next hop's MAC was never learnt")              \
	X(lost_neighbour_queue, "packets not sent: too many wait for a MAC")                       \
	X(lost_output_queue, "packets not sent: the output queue was full")                        \
	X(lost_no_buffer, "packets not sent: no buffer")                                           \
	X(lost_no_route, "packets not sent: no way to their destination")                          \
	X(lost_icmp_rate, "ICMP errors not sent, to keep the rate limit")                          \
	X(neighbour_evictions, "neighbours displaced in a full table")                             \
	X(neighbour_failures, "neighbours that did not answer")                                    \
	X(neighbour_losses, "neighbours silent at the MAC they had, and asked for anew")           \
	X(pmtu_lowered, "path MTUs learnt")                                                        \
	X(pmtu_probed, "path MTUs found by probing (RFC 4821)")                                    \
	X(tcp_retransmitted, "TCP segments sent again")                                            \
	X(tcp_timeouts, "retransmission timeouts")                                                 \
	X(tcp_fast_recoveries, "losses found by duplicate ACKs or SACK")                           \
	X(tcp_tail_probes, "probes for a lost end of a flight (RFC 8985 7)")                       \
	X(tcp_ecn_reductions, "windows reduced for echoed marks (RFC 3168)")                       \
	X(tcp_undone, "losses that were none (RFC 3522, 2883)")                                    \
	X(tcp_mtu_probes, "probes of a path for larger segments (RFC 4821)")                       \
	X(tcp_mtu_probes_lost, "of these, those lost alone, which cost no window")                 \
	X(tcp_mtu_raised, "of these, those that came through")                                     \
	X(tcp_mtu_black_holes, "segments made smaller as time-outs suggest it")                    \
	X(tcp_resets_sent, "resets sent")                                                          \
	X(tcp_resets_received, "resets that ended a connection")                                   \
	X(tcp_challenge_acks, "challenge ACKs sent (RFC 5961)")                                    \
	X(tcp_challenge_limited, "ACKs that anybody may provoke, not sent to keep their limits")   \
	X(tcp_paws_rejected, "segments with an old timestamp (RFC 7323 5)")                        \
	X(tcp_out_of_order_dropped, "segments out of order that found no place")                   \
	X(tcp_starved, "text not kept because buffers ran low")                                    \
	X(tcp_peer_full, "handshakes held up as their peer has all the connections it may have")   \
	X(tcp_backlog_full, "handshakes held up by a full backlog")                                \
	X(tcp_table_full, "handshakes held up by a full table of connections")                     \
	X(tcp_time_wait_recycled, "connections in TIME-WAIT ended early for new ones")             \
	X(tcp_deserted, "connections shut down both ways ended early for new ones")                \
	X(tcp_cookies_sent, "SYNs answered by a cookie, as no place was left to keep them")        \
	X(tcp_cookies_good, "cookies that came back")                                              \
	X(tcp_cookies_bad, "acknowledgements that should have been a cookie's, and were not")      \
	X(tcp_half_open_expired, "half-open connections given up")

struct stack_stats {
#define X(name, text) uint64_t name;
	STACK_COUNTERS(X)
#undef X
};

#endif
