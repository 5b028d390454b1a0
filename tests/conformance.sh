#!/bin/sh
# Runs the shared packet scripts in $DEMI_CONFORMANCE_DIR: conformance.sh DEMI DOC
#
# freebsd/modes.txt there names each script and says `strict` or `skip-acks`. All must pass, but for
# those that DOC (doc/conformance.md) lists as "- `SCRIPT`: why we differ"; and those must not.
#
# SPDX-License-Identifier: MIT
demi=$(realpath "$1")
doc=$(realpath "$2")
if [ -z "$DEMI_CONFORMANCE_DIR" ]; then
	echo "skipped: DEMI_CONFORMANCE_DIR does not say where the scripts are"
	exit 77
fi
cd "$DEMI_CONFORMANCE_DIR/freebsd" || exit 1

passed=0 permitted=0 wrong=0
while read -r mode script; do
	case $mode in
	skip-acks) options=--skip-acks ;;
	*) options= ;;
	esac
	# shellcheck disable=SC2086 # the wrapper is words: see wrapped.sh
	printed=$($DEMI_TEST_WRAPPER "$demi" pkt $options "$script" 2>&1)
	status=$?
	if grep -qF -- "- \`$script\`:" "$doc"; then
		if [ $status -eq 0 ]; then
			echo "$script passes, but is listed in $doc"
			wrong=$((wrong + 1))
		else
			permitted=$((permitted + 1))
		fi
	elif [ $status -eq 0 ]; then
		passed=$((passed + 1))
	else
		echo "$printed" | sed '$d'
		wrong=$((wrong + 1))
	fi
done <modes.txt
echo "$passed passed, $permitted failed as $doc says, $wrong wrong"
[ $wrong -eq 0 ] && [ $passed -gt 0 ]
