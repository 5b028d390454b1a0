# The front door. The work is done by meson (meson.build) and build-aux/deps; each target here is what
# one would type. `make help` lists them.
#
# SPDX-License-Identifier: MIT

PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= build
MINUTES ?= 10
# More for the programs: make demo ARGS=--json, make test ARGS='--suite unit', make bench ARGS=--quick.
ARGS ?=

export DESTDIR
MESON = meson
NINJA = ninja
SANITIZE = -Db_lundef=false -Dman=disabled
# A finding must fail the test that has it. exit() in a signal handler is what programs do. Under TSan
# without DPDK, whose own threads it does not know.
export UBSAN_OPTIONS ?= print_stacktrace=1:halt_on_error=1
export ASAN_OPTIONS ?= detect_stack_use_after_return=1
export TSAN_OPTIONS ?= halt_on_error=1:second_deadlock_stack=1:report_signal_unsafe=0

.PHONY: all help deps demo test test-qemu bench bench-net bench-dpdk install uninstall deb sanitize valgrind format clean fuzz soak
.DELETE_ON_ERROR:

all: ## build into build/
	@build-aux/deps check build
	@build-aux/setup $(BUILD) "$(PREFIX)"
	$(NINJA) -C $(BUILD)

help: ## this list
	@awk '/^[a-z-]+:.*## / {name = $$1; sub(/:.*/, "", name); sub(/.*## /, ""); printf "  make %-10s %s\n", name, $$0}' Makefile

deps: ## install what the build, the tests and the optional parts need
	@build-aux/deps install all

demo: ## build what it takes, and see every way to carry bytes that this machine offers
	@build-aux/deps install build
	@build-aux/setup $(BUILD) "$(PREFIX)"
	$(NINJA) -C $(BUILD) demo
	$(BUILD)/tools/demi try $(ARGS)

test: ## build, and run all tests
	@build-aux/deps install test
	@$(MAKE) --no-print-directory all
	$(MESON) test -C $(BUILD) --no-rebuild $(ARGS) || { build-aux/count-tests $(BUILD); false; }

bench: all ## measure against hand-written programs
	bench/run $(BUILD) $(ARGS)

bench-net: all ## measure catpowder over a veth pair of its own (as root)
	bench/net $(BUILD) $(ARGS)

bench-dpdk: all ## measure catnip over virtual ports of DPDK's, between two processes
	bench/dpdk $(BUILD) $(ARGS)

install: all ## install under PREFIX (default /usr/local), below DESTDIR
	$(MESON) install -C $(BUILD)
	@cp $(BUILD)/meson-logs/install-log.txt $(BUILD)/installed
	@[ -n "$(DESTDIR)" ] || [ "$$(id -u)" != 0 ] || ldconfig

uninstall: ## remove what install has put there last
	build-aux/uninstall $(BUILD)/installed

deb: ## Debian packages into build/deb/
	@build-aux/deps install deb
	build-aux/deb $(BUILD)/deb

sanitize: ## the tests under ASan and UBSan, those with threads under TSan
	@build-aux/deps install test
	[ -e build-asan/build.ninja ] || $(MESON) setup build-asan -Db_sanitize=address,undefined $(SANITIZE)
	[ -e build-tsan/build.ninja ] || $(MESON) setup build-tsan -Db_sanitize=thread -Ddpdk=disabled $(SANITIZE)
	$(NINJA) -C build-asan
	$(MESON) test -C build-asan --no-rebuild --print-errorlogs -t 4 $(ARGS)
	$(NINJA) -C build-tsan
	$(MESON) test -C build-tsan --no-rebuild --print-errorlogs -t 4 --suite threads $(ARGS)

valgrind: ## the tests under valgrind, shorter ones in place of those that would take hours
	@build-aux/deps install valgrind
	@$(MAKE) --no-print-directory all
	$(MESON) test -C $(BUILD) --no-rebuild --print-errorlogs --setup valgrind $(ARGS)

test-qemu: all ## catnip over emulated network cards in a virtual machine (minutes)
	@build-aux/deps install qemu
	@python3 -B tests/qemu/qemu.py $(BUILD) $(ARGS); status=$$?; [ $$status = 77 ] || exit $$status

soak: all ## simulations from random seeds (MINUTES=10)
	$(BUILD)/tests/sim/sim --minutes $(MINUTES) --quiet

fuzz: ## the fuzzers, a minute each (ARGS='600 config': one of them, ten minutes)
	fuzz/run $(ARGS)

format: ## clang-format over all C
	git ls-files '*.c' '*.h' | xargs clang-format -i

clean: ## remove all build folders of this Makefile
	rm -rf $(BUILD) build-asan build-tsan build-fuzz
