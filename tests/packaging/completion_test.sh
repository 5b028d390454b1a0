#!/usr/bin/env bash
# bash completes the command line of the tool $1 by the file $2: commands, each option of each command,
# names of libOSes, scripts.
#
# SPDX-License-Identifier: MIT
set -eu

demi=$(realpath "$1")
# shellcheck disable=SC1090
. "$2"

complete_line() { # complete_line WORD...: what the last word may become, in a line
	COMP_WORDS=("$demi" "$@")
	COMP_CWORD=$#
	_demi
	echo "${COMPREPLY[*]-}"
}

expect() { # expect ANSWER WORD...
	local wanted=$1 got
	shift
	got=$(complete_line "$@")
	[ "$got" = "$wanted" ] || {
		printf 'demi %s: got "%s", wanted "%s"\n' "$*" "$got" "$wanted"
		exit 1
	}
}

expect doctor do
expect try help t
expect --version --v
expect catpowder try --libos catp
expect --messages try --mess
expect --skip-acks pkt --sk
expect "" try --size ""
expect "" nonsense --x

folder=$(mktemp -d "${TMPDIR:-/tmp}/demi-completion-XXXXXX")
trap 'rm -rf "$folder"' EXIT
cd "$folder"
touch one.pkt other.txt
expect one.pkt pkt o

# Each command of the help is offered, and each option of each command's help.
commands=$("$demi" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ]
for command in $commands; do
	expect "$command" "$command"
	options=$("$demi" "$command" --help | sed -n 's/^  \(--[a-z-]*\) .*/\1/p')
	for option in $options; do
		case " $(complete_line "$command" "$option") " in
		*" $option "*) ;;
		*) echo "demi $command: $option is not offered"; exit 1 ;;
		esac
	done
done
