#!/bin/sh
# in-taps.sh PROGRAM ARGUMENT... - as in-veth.sh, but va and vb are TAPs, joined by a bridge, whose
# other ends are the program's. Exit status 77: skipped, saying why.
if ! unshare -n true 2>/dev/null; then
	echo "skipped: making a network namespace needs CAP_SYS_ADMIN (run as root)"
	exit 77
fi
if ! unshare -n sh -c 'ip tuntap add dev va mode tap && ip link add bridge0 type bridge'; then
	echo "skipped: this kernel has no TAP (/dev/net/tun) or no bridge"
	exit 77
fi
exec unshare -n sh -ec '
	ip link set lo up
	ip link add bridge0 type bridge
	for i in va vb; do
		ip tuntap add dev "$i" mode tap
		ip link set "$i" master bridge0
	done
	for i in bridge0 va vb; do
		echo 1 >/proc/sys/net/ipv6/conf/$i/disable_ipv6 2>/dev/null || :
		ip link set "$i" up
	done
	exec $DEMI_TEST_WRAPPER "$@"' sh "$@"
