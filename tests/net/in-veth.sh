#!/bin/sh
# in-veth.sh PROGRAM ARGUMENT... - runs a program in a network namespace of its own that has a pair
# of interfaces, va and vb, joined back to back; the kernel has no address on them. Exit status 77:
# skipped, not privileged. $DEMI_TEST_WRAPPER, words, stands in front of the program: see wrapped.sh.
if ! unshare -n true 2>/dev/null; then
	echo "skipped: making a network namespace needs CAP_SYS_ADMIN (run as root)"
	exit 77
fi
if ! command -v ip >/dev/null; then
	echo "skipped: ip is not installed (make test installs iproute2)"
	exit 77
fi
# The numbers: DPDK's af_packet makes one of an interface's and a process's, by which no two may be alike.
exec unshare -n sh -ec '
	ip link set lo up
	ip link add va index 2 type veth peer name vb index 32770
	for i in va vb; do
		echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6 2>/dev/null || :
		ip link set "$i" up
	done
	exec $DEMI_TEST_WRAPPER "$@"' sh "$@"
