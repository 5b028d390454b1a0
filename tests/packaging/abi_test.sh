#!/bin/sh
# The library $1, whose headers are in the folder $2, still offers what the description $3 says of the last
# release: no function is gone, no layout differs. What is new is allowed.
#
# At a release the description is made anew: this script with a fourth argument writes it there.
#
# SPDX-License-Identifier: MIT
set -eu

library=$1
headers=$2
described=$3

command -v abidiff >/dev/null 2>&1 || {
	echo "skipped: abidiff is not installed (abigail-tools)"
	exit 77
}
now=$(mktemp "${TMPDIR:-/tmp}/demi-abi-XXXXXX")
trap 'rm -f "$now"' EXIT
abidw --headers-dir "$headers" --exported-interfaces-only --drop-private-types --drop-undefined-syms \
	--no-architecture --no-corpus-path --no-comp-dir-path --no-show-locs --no-elf-needed \
	--out-file "$now" "$library"
[ $# = 3 ] || {
	cp "$now" "$4"
	exit 0
}
# A library without debugging information has names, and no types: nothing to compare.
grep -q '<class-decl' "$now" || {
	echo "skipped: the library was built without debugging information"
	exit 77
}
abidiff --no-architecture --no-added-syms "$described" "$now"
