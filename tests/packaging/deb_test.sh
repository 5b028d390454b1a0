#!/bin/sh
# Installs the Debian packages in the folder $1, uses them, and removes them again: nothing may stay.
#
#   deb_test.sh DEBS        into an empty tree, without what they depend on: that has to be on this machine
#   deb_test.sh DEBS ROOT   into the Debian in the folder ROOT, as apt-get does it there, with what they depend
#                           on: debootstrap --variant=minbase bookworm ROOT
#
# As root. Skipped where it is not Debian, or not root.
#
# SPDX-License-Identifier: MIT
set -eu

debs=$(realpath "$1")
packages="libdemikernel1 libdemikernel-dpdk libdemikernel-dev demikernel-tools"
command -v dpkg >/dev/null 2>&1 || { echo "skipped: no dpkg here"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: not root"; exit 77; }
for package in $packages; do
	[ -e "$debs/$package"_*.deb ] || { echo "$debs has no $package"; exit 1; }
done

work=$(mktemp -d "${TMPDIR:-/tmp}/demi-deb-test-XXXXXX")
trap 'rm -rf "$work"' EXIT

if [ $# = 2 ]; then
	root=$2
	inside() { chroot "$root" env HOME=/root DEBIAN_FRONTEND=noninteractive "$@"; }
	add() {
		mkdir "$root/demi-debs" && cp "$debs"/*.deb "$root/demi-debs" && inside sh -c 'apt-get -q -y \
			--no-install-recommends install ./demi-debs/*.deb gcc libc6-dev make pkg-config cmake' &&
			rm -r "$root/demi-debs"
	}
	# shellcheck disable=SC2086 # words
	remove() { inside apt-get -q -y purge $packages; }
	sources=/usr/share/demikernel/examples
else
	root=$work/root
	mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/lib/dpkg/triggers"
	: >"$root/var/lib/dpkg/status"
	quietly() { dpkg --root="$root" --log="$work/dpkg.log" --force-depends "$@" 2>&1 | grep -v warning: || true; }
	add() { quietly --install "$debs"/*.deb; }
	# shellcheck disable=SC2086
	remove() { quietly --purge $packages; }
	library=$root/usr/lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
	inside() {
		env HOME="$work" PATH="$root/usr/bin:$PATH" LD_LIBRARY_PATH="$library" \
			PKG_CONFIG_LIBDIR="$library/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root" "$@"
	}
	sources=$root/usr/share/demikernel/examples
fi
unset LIBOS CONFIG_PATH XDG_CONFIG_HOME || true

left() { # what bears our name, outside the package manager's own memory
	(cd "$root" && find . -xdev \( -path ./proc -o -path ./sys -o -path ./var/log -o -path ./var/lib/apt \) -prune \
		-o -iname '*demi*' -print)
}

[ -z "$(left)" ] || { left; echo "(there before the packages are)"; exit 1; }
add >"$work/add.log" 2>&1 || { tail -n 20 "$work/add.log"; exit 1; }
for package in $packages; do
	dpkg --root="$root" -L "$package" | grep -v '^/\.$'
	dpkg-query --root="$root" -W -f='${Status}\n' "$package" | grep -q '^install ok installed' || {
		echo "$package is not installed"
		cat "$work/add.log"
		exit 1
	}
done >"$work/files"

inside demi --version
inside demi try --libos catnap --messages 200
examples=$(inside sh -c 'mktemp -d')
inside cp -r "$sources/." "$examples"
inside make -C "$examples" CFLAGS='-O1 -Wall -Wextra -Werror' -j2 >"$work/make.log" 2>&1 || {
	tail -n 20 "$work/make.log"
	exit 1
}
inside test -x "$examples/tcp-echo"
inside rm -r "$examples"
[ $# = 1 ] || inside sh -c 'cd /tmp && printf "%s\n" "cmake_minimum_required(VERSION 3.10)" "project(p C)" \
	"find_package(demikernel REQUIRED)" "add_executable(p p.c)" "target_link_libraries(p demikernel::demikernel)" \
	>CMakeLists.txt && printf "#include <demi/libos.h>\nint main(void) { return demi_init(0); }\n" >p.c &&
	cmake -B out . >/dev/null && cmake --build out >/dev/null && out/p && rm -r out p.c CMakeLists.txt'

remove >"$work/remove.log" 2>&1 || { tail -n 20 "$work/remove.log"; exit 1; }
[ -z "$(left)" ] || { left; echo "(left behind)"; exit 1; }
while IFS= read -r path; do
	if [ -e "$root$path" ] && [ ! -d "$root$path" ]; then
		echo "$path is left"
		exit 1
	fi
done <"$work/files"
grep -c . "$work/files" | sed 's/$/ files and folders came and went/'
