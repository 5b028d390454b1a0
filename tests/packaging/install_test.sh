#!/bin/sh
# Installs the build $1 into an empty folder, compiles the program $2 with what pkg-config says of
# it, as C99 and as C++11 with every warning an error, and runs it. The runtime part alone must be
# enough to run it.
#
# SPDX-License-Identifier: MIT
set -eu

build=$1
program=$2
root=$(mktemp -d "${TMPDIR:-/tmp}/demi-install-XXXXXX")
trap 'rm -rf "$root"' EXIT

DESTDIR="$root/all" meson install -C "$build" --no-rebuild --quiet
DESTDIR="$root/runtime" meson install -C "$build" --no-rebuild --quiet --tags runtime

pc=$(find "$root/all" -name demikernel.pc)
[ -n "$pc" ] || { echo "demikernel.pc is not installed"; exit 1; }
library=$(find "$root/runtime" -name libdemikernel.so)
[ -n "$library" ] || { echo "libdemikernel.so is not in the runtime install"; exit 1; }
[ -e "$library.1" ] || { echo "libdemikernel.so.1 is not in the runtime install"; exit 1; }
if find "$root/runtime" -name '*.h' -o -name '*.pc' | grep .; then
	echo "the runtime install has files for development"
	exit 1
fi

# Only ours: what the program needs must not need anything else.
PKG_CONFIG_LIBDIR=$(dirname "$pc")
PKG_CONFIG_SYSROOT_DIR="$root/all"
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
flags=$(pkg-config --cflags --libs demikernel)

compile_and_run() {
	echo "$*"
	# shellcheck disable=SC2086 # flags are words
	"$@" -Wall -Wextra -Wpedantic -Werror -o "$root/program" $flags
	# shellcheck disable=SC2086 # the wrapper is words: see wrapped.sh
	LD_LIBRARY_PATH=$(dirname "$library") ${DEMI_TEST_WRAPPER-} "$root/program"
}

# From the environment come variables that would make the program another one.
unset LIBOS CONFIG_PATH XDG_CONFIG_HOME || true
HOME=$root
export HOME
compile_and_run "${CC:-cc}" -std=c99 -D_POSIX_C_SOURCE=200809L "$program"
if command -v "${CXX:-c++}" >/dev/null 2>&1; then
	compile_and_run "${CXX:-c++}" -std=c++11 -x c++ "$program"
else
	echo "no C++ compiler: C++11 is not tried"
fi
