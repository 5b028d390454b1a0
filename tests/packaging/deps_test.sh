#!/bin/sh
# Where something is missing, build-aux/deps ($1) says what, and prints the one command that brings it,
# as it has to be typed on the machine: whatever the package manager is, and whoever one is.
#
# SPDX-License-Identifier: MIT
set -eu

deps=$1
bin=$(mktemp -d "${TMPDIR:-/tmp}/demi-deps-XXXXXX")
trap 'rm -rf "$bin"' EXIT
for tool in cat grep sed sort tr; do
	ln -s "$(command -v $tool)" "$bin/$tool"
done
shell=$(command -v sh)

stub() { # stub NAME LINE: a program that consists of one line of shell
	printf '#!%s\n%s\n' "$shell" "$2" >"$bin/$1"
	chmod +x "$bin/$1"
}

expect() { # expect START: what the printed command begins with; nothing is installed
	status=0
	said=$(PATH=$bin "$shell" "$deps" install build 2>&1) || status=$?
	command=$(echo "$said" | sed -n 's/^Install:  //p')
	case $status$command in
	"3$1"*meson*ninja*) ;;
	*)
		printf 'exit status %d, wanted 3 and the command %s ...:\n%s\n' $status "$1" "$said"
		exit 1
		;;
	esac
}

stub id 'echo 1000'
expect "su -c 'apt-get update && apt-get install -y --no-install-recommends "
stub dnf 'exit 1'
expect "su -c 'dnf install -y "
stub sudo 'exit 1' # asks for a password
expect "sudo sh -c 'dnf install -y "
stub apt-get 'exit 1'
expect "sudo sh -c 'apt-get update && apt-get install -y --no-install-recommends "
rm "$bin/apt-get"
stub id 'echo 0'
expect "dnf install -y "
rm "$bin/dnf"
stub pacman 'exit 1'
expect "pacman -S --needed --noconfirm "
