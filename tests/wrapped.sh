#!/bin/sh
# wrapped.sh COMMAND ARGUMENT... - runs a test with $DEMI_TEST_WRAPPER in front (valgrind and its
# options), if it is a program of this build. A script runs as it is, and puts the wrapper in front of
# what it starts itself: nobody wants to look for leaks in Python.
#
# SPDX-License-Identifier: MIT
case $1 in
*.sh | *.py | */bench/run | */bench/net | */python*) ;;
*)
	# shellcheck disable=SC2086 # words
	set -- $DEMI_TEST_WRAPPER "$@"
	;;
esac
exec "$@"
