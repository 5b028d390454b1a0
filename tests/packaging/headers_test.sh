#!/bin/sh
# Each public header below $1 compiles by itself and twice, as C99 with POSIX and as C++11.
#
# SPDX-License-Identifier: MIT
set -eu

warnings="-Wall -Wextra -Wpedantic -Werror"
for header in "$1"/demi/*.h; do
	name=demi/$(basename "$header")
	text=$(printf '#include <%s>\n#include <%s>\nint program;\n' "$name" "$name")
	echo "$name"
	# shellcheck disable=SC2086 # warnings are words
	echo "$text" | "${CC:-cc}" -std=c99 -D_POSIX_C_SOURCE=200112L $warnings -I "$1" \
		-fsyntax-only -x c -
	command -v "${CXX:-c++}" >/dev/null 2>&1 || continue
	# shellcheck disable=SC2086
	echo "$text" | "${CXX:-c++}" -std=c++11 $warnings -I "$1" -fsyntax-only -x c++ -
done
