#!/bin/sh
# The library $1 has the name that programs record, exports every function that the headers in $2
# declare, and nothing else.
#
# SPDX-License-Identifier: MIT
set -eu

LC_ALL=C
export LC_ALL
out=$(mktemp -d "${TMPDIR:-/tmp}/demi-exports-XXXXXX")
trap 'rm -rf "$out"' EXIT

readelf -d "$1" | grep -F 'soname: [libdemikernel.so.1]' >/dev/null || {
	echo "its SONAME is not libdemikernel.so.1"
	exit 1
}
nm -D --defined-only "$1" | awk '$2 != "A" {print $3}' | sed 's/@.*//' | sort -u >"$out/exported"
# Declarations start at the left edge: no comment and no function type does.
cat "$2"/*.h | grep -oE '^(int|void|demi_sgarray_t) demi_[a-z_]+\(' | grep -oE 'demi_[a-z_]+\(' |
	tr -d '(' | sort -u >"$out/declared"
[ -s "$out/declared" ] || { echo "no declaration found: the pattern is out of date"; exit 1; }
diff "$out/declared" "$out/exported" || {
	echo "(< declared, not exported; > exported, not declared)"
	exit 1
}
