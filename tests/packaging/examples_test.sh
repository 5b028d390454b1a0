#!/bin/sh
# Installs the build $1 into an empty folder, copies the installed examples out of it, builds all of them with what
# pkg-config says of the installed library, and lets two of them talk. Then the same library by CMake: the
# program $2 by find_package(demikernel). Then everything is removed again by build-aux/uninstall ($3): nothing
# may be left.
#
# SPDX-License-Identifier: MIT
set -eu

build=$1
program=$2
uninstall=$3
root=$(mktemp -d "${TMPDIR:-/tmp}/demi-examples-XXXXXX")
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true; rm -rf "$root"' EXIT
unset LIBOS CONFIG_PATH XDG_CONFIG_HOME || true
HOME=$root
export HOME

DESTDIR="$root/all" meson install -C "$build" --no-rebuild --quiet
cp "$build/meson-logs/install-log.txt" "$root/installed"

folder=$(find "$root/all" -type d -path '*/demikernel/examples')
[ -n "$folder" ] || { echo "no examples are installed"; exit 1; }
PKG_CONFIG_LIBDIR=$(dirname "$(find "$root/all" -name demikernel.pc)")
PKG_CONFIG_SYSROOT_DIR="$root/all"
LD_LIBRARY_PATH=$(dirname "$PKG_CONFIG_LIBDIR")
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH
cp -r "$folder" "$root/examples"
make -C "$root/examples" -j2 CFLAGS="-O1 -Wall -Wextra -Werror" >"$root/make.log" 2>&1 || {
	cat "$root/make.log"
	exit 1
}
for program_path in "$build/examples"/*-*; do
	[ -f "$program_path" ] || continue
	name=${program_path##*/}
	[ -x "$root/examples/$name" ] || { echo "$name was not built"; exit 1; }
done

"$root/examples/tcp-echo" --peer server --address 127.0.0.1:0 >"$root/said" &
server=$!
while ! [ -s "$root/said" ]; do
	kill -0 $server || { echo "the server has ended"; exit 1; }
	sleep 0.1
done
port=$(sed -n '1s/.*[^0-9]\([0-9]*\)$/\1/p' "$root/said")
"$root/examples/tcp-echo" --peer client --address "127.0.0.1:$port" --bufsize 64 --nclients 2 --nrequests 10
wait $server
server=

if command -v cmake >/dev/null 2>&1; then
	mkdir "$root/project"
	cp "$program" "$root/project/program.c"
	cat >"$root/project/CMakeLists.txt" <<-'END'
		cmake_minimum_required(VERSION 3.10)
		project(program C)
		find_package(demikernel 0.1 REQUIRED CONFIG)
		add_executable(program program.c)
		target_link_libraries(program PRIVATE demikernel::demikernel)
	END
	prefix=$root/all$(sed -n 's/^prefix=//p' "$PKG_CONFIG_LIBDIR/demikernel.pc")
	# An unset CMAKE_LIBRARY_ARCHITECTURE would hide a folder like lib/x86_64-linux-gnu from searches by prefix.
	demikernel=$(dirname "$(find "$prefix" -name demikernelConfig.cmake)")
	cmake -S "$root/project" -B "$root/project/build" -Ddemikernel_DIR="$demikernel" >"$root/cmake.log" 2>&1 &&
		cmake --build "$root/project/build" >>"$root/cmake.log" 2>&1 || {
		cat "$root/cmake.log"
		exit 1
	}
	"$root/project/build/program"
	sed -i 's/demikernel 0.1/demikernel 99/' "$root/project/CMakeLists.txt"
	if cmake -S "$root/project" -B "$root/project/other" -Ddemikernel_DIR="$demikernel" >/dev/null 2>&1; then
		echo "a library of version 99 was found"
		exit 1
	fi
else
	echo "no cmake: find_package is not tried"
fi

"$uninstall" "$root/installed"
find "$root/all" ! -type d | grep . && { echo "(left by uninstall)"; exit 1; }
# Folders that were there before the install are not its to remove: here there were none.
[ ! -d "$root/all" ] || ! find "$root/all" -mindepth 1 | grep . || { echo "(left by uninstall)"; exit 1; }
