/* A capture of ours, read by libpcap: what Wireshark and tcpdump see.
 *
 * SPDX-License-Identifier: MIT
 */
#include "link/pcapng.h"
#include <pcap/pcap.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void libpcap_reads_frames_of_every_length_with_their_nanoseconds(void **state)
{
	char error[PCAP_ERRBUF_SIZE];
	FILE *f = tmpfile();
	uint8_t bytes[64];
	struct pcap_pkthdr *h;
	const u_char *data;
	pcap_t *p;

	(void)state;
	for (int i = 0; i < 64; i++)
		bytes[i] = (uint8_t)(i * 3);
	assert_int_equal(pcapng_start(f, "pair", 65535), 0);
	for (uint32_t n = 1; n <= 64; n++)
		assert_int_equal(pcapng_frame(f, n % 2 ? PCAPNG_INBOUND : PCAPNG_OUTBOUND,
					      n * 1000000001ull, bytes, n),
				 0);
	rewind(f);
	p = pcap_fopen_offline_with_tstamp_precision(f, PCAP_TSTAMP_PRECISION_NANO, error);
	assert_non_null(p);
	assert_int_equal(pcap_datalink(p), DLT_EN10MB);
	for (uint32_t n = 1; n <= 64; n++) {
		assert_int_equal(pcap_next_ex(p, &h, &data), 1);
		assert_int_equal(h->caplen, n);
		assert_int_equal(h->len, n);
		assert_int_equal(h->ts.tv_sec, n);
		assert_int_equal(h->ts.tv_usec, n); /* nanoseconds here */
		assert_memory_equal(data, bytes, n);
	}
	assert_int_equal(pcap_next_ex(p, &h, &data), PCAP_ERROR_BREAK);
	pcap_close(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(libpcap_reads_frames_of_every_length_with_their_nanoseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
